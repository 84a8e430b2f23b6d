"""Butcher tableaus that check themselves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isclose

__all__ = ["ButcherTableau", "Continuation"]

Row = tuple[float, ...]


@dataclass(frozen=True)
class Continuation:
    """An interpolant that needs more stages, in the form of Hairer's codes.

    With theta in [0, 1], rest = 1 - theta, and h the step::

        u + theta*(r1 + rest*(r2 + theta*(r3 + rest*(r4 + theta*(r5 + ...)))))

    where r1, r2, r3 follow from the states and slopes at both ends, and r4, r5, … are h times sums
    of stages.

    Attributes
    ----------
    c, a
        Nodes and rows of the further stages; each may use all stages before.
    d
        For each of r4, r5, … one weight for every stage, the further ones last.
    """

    c: Row
    a: tuple[Row, ...]
    d: tuple[Row, ...]


@dataclass(frozen=True)
class ButcherTableau:
    """Coefficients of an explicit Runge–Kutta method.

    Attributes
    ----------
    c, a, b
        Nodes, stage matrix (row i holds i entries) and weights.
    order
        Order of the method.
    b_error
        Weights of the solution minus those of the embedded one; empty for fixed steps.
    b_coarse
        Weights of a coarser error estimate e' beside those of e, for methods that take
        ``e**2 / sqrt(e**2 + e'**2/100)``; empty: the estimate is e.
    embedded_order
        Order of the embedded solution; that of the error estimate is one more. With two
        estimates, of orders q and q', it is that of the one they make: 2*q - q' - 1.
    dense
        For each stage the coefficients of theta, theta**2, … of its weight in the
        interpolant; empty: cubic Hermite interpolation, or the continuation.
    continuation
        The interpolant, where it needs more stages.
    """

    c: Row
    a: tuple[Row, ...]
    b: Row
    order: int
    b_error: Row = ()
    b_coarse: Row = ()
    embedded_order: int = 0
    dense: tuple[Row, ...] = ()
    continuation: Continuation | None = None

    def __post_init__(self) -> None:
        stages = len(self.c)
        assert len(self.a) == stages, "one row of a for each stage"
        assert len(self.b) == stages, "one weight for each stage"
        further = self.continuation
        nodes, rows = self.c, self.a
        if further:
            nodes, rows = nodes + further.c, rows + further.a
            assert all(len(row) == len(nodes) for row in further.d), "a weight for each stage"
            assert self.fsal, "the last stage is the slope at the end"
        for i, (node, row) in enumerate(zip(nodes, rows, strict=True)):
            assert len(row) == i, f"row {i} of an explicit method has {i} entries"
            assert isclose(sum(row), node, rel_tol=1e-12, abs_tol=1e-13), f"row {i} sums to c"
        assert isclose(sum(self.b), 1.0, rel_tol=1e-12), "the weights sum to 1"
        for weights in (self.b_error, self.b_coarse):
            assert isclose(sum(weights), 0.0, abs_tol=1e-12), "error weights sum to 0"
        for weight, row in zip(self.b, self.dense, strict=bool(self.dense)):
            assert isclose(sum(row), weight, abs_tol=1e-10), "the interpolant ends at the step"

    @property
    def stages(self) -> int:
        """Number of stages."""
        return len(self.c)

    @cached_property
    def fsal(self) -> bool:
        """Whether the last stage is the first one of the next step."""
        return self.c[-1] == 1.0 and self.a[-1] == self.b[:-1] and self.b[-1] == 0.0
