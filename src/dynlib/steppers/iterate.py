"""Iteration of a map: the next state is the right-hand side."""

from __future__ import annotations

from typing import ClassVar, Literal

from dynlib.steppers.base import ATTEMPT_ARGS, Stepper
from dynlib.steppers.problem import Problem
from dynlib.steppers.text import function

__all__ = ["Iterate"]


class Iterate(Stepper):
    """``u_new = f(n, u, p)``."""

    kind: ClassVar[Literal["ode", "map"]] = "map"
    dense_output = False

    def __init__(self) -> None:
        super().__init__("map", 0, "iteration of the map")

    @property
    def evaluations(self) -> int:
        """One."""
        return 1

    @property
    def memory(self) -> tuple[int, int]:
        """None."""
        return 0, 0

    def emit(self, problem: Problem) -> str:
        """Python text of the iteration."""
        return function("attempt", ATTEMPT_ARGS, ["return rhs(t, step, u, p, ws, lane), 0.0"])
