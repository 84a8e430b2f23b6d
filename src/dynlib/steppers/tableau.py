"""Butcher tableaus that check themselves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isclose

__all__ = ["ButcherTableau"]

Row = tuple[float, ...]


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
    embedded_order
        Order of the embedded solution.
    dense
        For each stage the coefficients of theta, theta**2, … of its weight in the
        interpolant; empty: cubic Hermite interpolation.
    """

    c: Row
    a: tuple[Row, ...]
    b: Row
    order: int
    b_error: Row = ()
    embedded_order: int = 0
    dense: tuple[Row, ...] = ()

    def __post_init__(self) -> None:
        stages = len(self.c)
        assert len(self.a) == stages, "one row of a for each stage"
        assert len(self.b) == stages, "one weight for each stage"
        for i, (node, row) in enumerate(zip(self.c, self.a, strict=True)):
            assert len(row) == i, f"row {i} of an explicit method has {i} entries"
            assert isclose(sum(row), node, rel_tol=1e-12, abs_tol=1e-13), f"row {i} sums to c"
        assert isclose(sum(self.b), 1.0, rel_tol=1e-12), "the weights sum to 1"
        if self.b_error:
            assert isclose(sum(self.b_error), 0.0, abs_tol=1e-12), "error weights sum to 0"
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
