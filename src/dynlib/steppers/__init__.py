"""One numerical method each: numbers, and emitters that write them out as straight-line code."""

from __future__ import annotations

from dynlib.steppers.base import Stepper
from dynlib.steppers.registry import describe, get, list_steppers

__all__ = ["Stepper", "describe", "get", "list_steppers"]
