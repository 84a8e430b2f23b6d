"""Misspelt keywords of the functions that make observers get an error message."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from dynlib.errors import UnknownOptionError
from dynlib.suggest import did_you_mean

__all__ = ["checks_keywords"]

P = ParamSpec("P")
R = TypeVar("R")


def checks_keywords(factory: Callable[P, R]) -> Callable[P, R]:
    """Let a function that makes an observer say which keywords it knows.

    It may take any keyword itself: then nothing is checked here.
    """
    parameters = inspect.signature(factory).parameters
    takes_all = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())

    @functools.wraps(factory)
    def checked(*args: Any, **given: Any) -> R:
        for name in given:
            if name not in parameters and not takes_all:
                raise UnknownOptionError(
                    f"{factory.__name__}() has no option {name!r}."
                    f"{did_you_mean(name, parameters)} It takes {', '.join(parameters)}."
                )
        return factory(*args, **given)

    return checked
