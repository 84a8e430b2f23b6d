"""Classical methods of fixed step."""

from __future__ import annotations

from dynlib.steppers.tableau import ButcherTableau

__all__ = ["EULER", "HEUN", "MIDPOINT", "RK4"]

EULER = ButcherTableau(c=(0.0,), a=((),), b=(1.0,), order=1)

HEUN = ButcherTableau(c=(0.0, 1.0), a=((), (1.0,)), b=(0.5, 0.5), order=2)

MIDPOINT = ButcherTableau(c=(0.0, 0.5), a=((), (0.5,)), b=(0.0, 1.0), order=2)

RK4 = ButcherTableau(
    c=(0.0, 0.5, 0.5, 1.0),
    a=((), (0.5,), (0.0, 0.5), (0.0, 0.0, 1.0)),
    b=(1 / 6, 1 / 3, 1 / 3, 1 / 6),
    order=4,
)
