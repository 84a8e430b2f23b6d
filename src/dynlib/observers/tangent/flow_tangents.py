"""Tangent vectors from start to end of a run, as they come: what `Sim.flow` carries along."""

from __future__ import annotations

from typing import Any

from dynlib.abi.hooks import PLACE_ARGS
from dynlib.dsl.spec import ModelSpec
from dynlib.observers.kit.module import ObserverModule
from dynlib.observers.kit.part import HookText, Output, Part
from dynlib.steppers.base import Stepper
from dynlib.steppers.text import function

__all__ = ["FlowTangents"]

_MOST_AT_ONCE = 64  # rows that are moved without a loop


class FlowTangents(ObserverModule):
    """Carries `k` vectors, which it is given for each run, and never changes their lengths.

    They begin as the first rows of the workspace; in a batch as `BatchRequest.tangents` says.  The
    output has them one after the other.  It is dynlib's own means, no observer for users.
    """

    def __init__(self, k: int) -> None:
        self.k = k
        super().__init__("tangents")

    def signature(self) -> str:
        """All that the hooks are made of."""
        return f"flow tangents {self.k}"

    @property
    def identity(self) -> tuple[Any, ...]:
        """Any two with so many vectors do the same."""
        return (type(self), self.k)

    def bind(self, spec: ModelSpec, stepper: Stepper) -> Part:
        """Vectors, and their copy at the end."""
        n = len(spec.states)
        rows = n * self.k
        vectors = f"load_rows(analysis_ws[TAN:], 0, {rows}, lane)"
        lines = [f"store_rows(analysis_out[OUT:], 0, lane, {vectors})"]
        if rows > _MOST_AT_ONCE:
            lines = [
                f"for i in range({rows}):",
                "    analysis_out[OUT + i, lane] = analysis_ws[TAN + i, lane]",
            ]
        return Part(
            outputs=(Output("vectors", rows),),
            tangents=((0.0,) * n,) * self.k,
            given=True,
            texts=(HookText("end", function("give_OBS", PLACE_ARGS, lines)),),
        )
