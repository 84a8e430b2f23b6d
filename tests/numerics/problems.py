"""Problems with known solutions."""

from __future__ import annotations

import numpy as np

# Logistic growth with a rate that swings, and y' = -2 t y**2; z = y + x**2 couples them.
# x = 1/(1 + 4 exp(-2 sin t)) and y = 1/(1 + t**2): nonlinear, non-autonomous, coupled, known.
SWING = """
[model]
type = "ode"
name = "swing"
[states]
x = "1/5"
z = "1 + 1/25"
[params]
level = 2
kick = 0
kicks = 0
[equations.rhs]
x = "2*cos(t)*x*(1 - x)"
z = "-2*t*(z - x**2)**2 + 4*cos(t)*x**2*(1 - x)"
[events.kick]
cond = "x >= level"
direction = "rising"
action = "z = z + kick; kicks += 1"
[sim]
dt = 0.1
"""


def swing(t: np.ndarray | float, kicked: float | None = None) -> np.ndarray:
    """The solution, shape (..., 2); y is raised by 1 at the time `kicked`."""
    t = np.asarray(t, dtype=float)
    x = 1 / (1 + 4 * np.exp(-2 * np.sin(t)))
    y = 1 / (1 + t**2)
    if kicked is not None:
        after = 1 / (1 / (1 / (1 + kicked**2) + 1) + t**2 - kicked**2)
        y = np.where(t >= kicked, after, y)
    return np.stack([x, y + x**2], axis=-1)


LORENZ = (1.0, 1.0, 1.0)

# ORACLES: t -> state, computed to the digits shown by an independent high-precision method
LORENZ_AT = {
    1.0: (-9.37857001092507, -8.35703378842665, 29.36232533736344),
    10.0: (-4.902687541134646, -3.743872921802920, 24.690858102790555),
    20.0: (13.79319959512862, 12.95180393618990, 34.90160868113514),
}
