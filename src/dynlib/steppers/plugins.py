"""Steppers that other packages bring, by entry points.

A package that is broken is told of by a warning, and is no reason for anything else to fail.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from dynlib.errors import StepperError, StepperWarning
from dynlib.steppers.base import Stepper
from dynlib.steppers.declarations import check_declarations

__all__ = ["GROUP", "Brought", "brought", "package_of"]

GROUP = "dynlib.steppers"


@dataclass(frozen=True)
class Brought:
    """A stepper, and where it comes from, in words."""

    stepper: Stepper
    source: str

    def refuse(self, why: str) -> None:
        """Tell that it cannot be used."""
        _warn(self.source, why)


def package_of(stepper: Any) -> str:
    """The package in which a stepper's class is defined, in words."""
    module = type(stepper).__module__
    return "package dynlib" if module.startswith("dynlib.") else f"module {module}"


def brought() -> Iterator[Brought]:
    """The steppers of installed packages; a warning about each that cannot be had."""
    # Most sessions use dynlib's own steppers, and need not wait for this.
    metadata = import_module("importlib.metadata")
    for entry in metadata.entry_points(group=GROUP):
        package = entry.dist.name if entry.dist is not None else entry.value
        source = f"package {package}"
        try:
            found = _steppers(entry.load())
            for stepper in found:
                check_declarations(stepper)
        except StepperError as error:
            _warn(source, str(error))
        except Exception as error:  # whatever somebody else's package may raise
            what = f"{type(error).__name__}: {error}"
            _warn(source, f"its entry point {entry.name!r} ({entry.value}) raised {what}")
        else:
            yield from (Brought(stepper, source) for stepper in found)


def _steppers(found: Any) -> list[Stepper]:
    """What an entry point stands for, as a list."""
    if isinstance(found, type) or (callable(found) and not isinstance(found, Stepper)):
        found = found()
    return list(found) if isinstance(found, list | tuple) else [found]


def _warn(source: str, why: str) -> None:
    message = f"steppers of {source} are left out: {why}. Ask its authors, or uninstall it."
    warnings.warn(message, StepperWarning, stacklevel=2)
