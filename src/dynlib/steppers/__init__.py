"""One numerical method each: numbers, and emitters that write them out as straight-line code."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dynlib.steppers.base import Counter, Stepper
from dynlib.steppers.options import Option
from dynlib.steppers.problem import Problem
from dynlib.steppers.registry import describe, get, list_steppers, register, unregister

if TYPE_CHECKING:
    from dynlib.steppers.order_check import StepperCheck, check

__all__ = [
    "Counter",
    "Option",
    "Problem",
    "Stepper",
    "StepperCheck",
    "check",
    "describe",
    "get",
    "list_steppers",
    "register",
    "unregister",
]

_CHECK = ("StepperCheck", "check")  # seldom wanted, so loaded on first use


def __getattr__(name: str) -> Any:
    if name in _CHECK:
        return getattr(import_module("dynlib.steppers.order_check"), name)
    raise AttributeError(f"module 'dynlib.steppers' has no attribute {name!r}")
