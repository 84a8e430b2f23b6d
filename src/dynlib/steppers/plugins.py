"""Steppers that other packages bring, by entry points.

A package that is broken is told of by a warning, and is no reason for anything else to fail.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any

from dynlib.errors import StepperError, StepperWarning
from dynlib.steppers.base import Stepper
from dynlib.steppers.declarations import check_declarations

__all__ = ["GROUP", "brought", "left_out"]

GROUP = "dynlib.steppers"


def brought() -> Iterator[tuple[Stepper, str]]:
    """The steppers of installed packages, each with its package; warnings about all others."""
    for entry in entry_points(group=GROUP):
        package = entry.dist.name if entry.dist is not None else entry.value
        source = f"package {package}"
        try:
            found = _steppers(entry.load())
            for stepper in found:
                check_declarations(stepper)
        except StepperError as error:
            left_out(source, str(error).removesuffix("."))
        except (Exception, SystemExit) as error:  # whatever somebody else's package may do
            what = f"{type(error).__name__}: {error}"
            left_out(source, f"its entry point {entry.name!r} ({entry.value}) raised {what}")
        else:
            yield from ((stepper, source) for stepper in found)


def left_out(source: str, why: str) -> None:
    """Warn that a package's steppers cannot be used."""
    message = f"steppers of {source} are left out: {why}. Ask its authors, or uninstall it."
    warnings.warn(message, StepperWarning, stacklevel=2)


def _steppers(found: Any) -> list[Any]:
    """What an entry point stands for, as a list."""
    if isinstance(found, type) or (callable(found) and not isinstance(found, Stepper)):
        found = found()
    return list(found) if isinstance(found, list | tuple) else [found]
