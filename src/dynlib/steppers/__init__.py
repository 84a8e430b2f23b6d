"""One numerical method each: numbers, and emitters that write them out as straight-line code."""

from __future__ import annotations

from dynlib.steppers.base import Counter, Stepper
from dynlib.steppers.options import Option
from dynlib.steppers.problem import Problem
from dynlib.steppers.registry import describe, get, list_steppers, register, unregister

__all__ = [
    "Counter",
    "Option",
    "Problem",
    "Stepper",
    "describe",
    "get",
    "list_steppers",
    "register",
    "unregister",
]
