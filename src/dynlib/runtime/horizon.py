"""How far a runner goes: to the end of its grid, and to its first look at Ctrl-C and the clock.

Later looks come at even times, since the pace is known by then.  The first one has to be early
enough where steps are costly, and late enough that short runs are one call.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlib.compiler.model import CompiledModel
from dynlib.observers.kit.combined import CombinedObserver

__all__ = ["Horizon", "first_budget", "fixed_horizon", "fixed_horizons"]

Floats = NDArray[np.float64]

_ON_GRID = 1e-9  # of a step: what the division T/dt may lose
_MICRO = 1e-3  # of a step: a rest below is added to the step before it
_MOST = 4096  # steps, or attempts
_OPERATIONS = 2e7  # of compiled code until the first look: some hundredths of a second
_PLAIN = 4000  # times as slow is plain Python
_UNKNOWN = 1e6  # operations of a user's hook, which nobody has counted


class Horizon(NamedTuple):  # made for every run, faster than a frozen dataclass
    """The end of a fixed grid.

    Attributes
    ----------
    step
        Index of the last grid point.
    t
        Its time as the runner sees it: the grid's own where the end lies on the grid, so that
        a longer run passes through the same numbers.
    dt_last
        Length of the last step.
    """

    step: int
    t: float
    dt_last: float


def fixed_horizon(t: float, step: int, dt: float, origin: float, t_end: float) -> Horizon:
    """Steps of `dt` from grid point `step` at time `t` to `t_end`.

    The last step is shorter where `t_end` lies off the grid; a rest too small to be a step of
    its own lengthens the step before it.

    Examples
    --------
    >>> fixed_horizon(0.0, 0, 0.1, 0.0, 1.0)
    Horizon(step=10, t=1.0, dt_last=0.1)
    >>> fixed_horizon(0.0, 0, 0.4, 0.0, 1.0).step
    3
    """
    if t_end == t:
        return Horizon(step, t, dt)
    exact = (t_end - origin) / dt
    nearest = round(exact)
    slack = _ON_GRID + 1e-15 * abs(exact)
    if abs(exact - nearest) <= slack and nearest > step:
        return Horizon(nearest, origin + nearest * dt, dt)
    whole = int(exact // 1)
    last = whole if exact - whole < _MICRO and whole > step else whole + 1
    start = t if last - 1 <= step else origin + (last - 1) * dt
    return Horizon(last, t_end, t_end - start)


def first_budget(model: CompiledModel, combined: CombinedObserver | None, lanes: int = 1) -> int:
    """Steps of a run, or of a block of lanes, until the first look."""
    cost = model.step_cost if combined is None else _observed_cost(model, combined)
    steps = _OPERATIONS / (lanes * cost * (_PLAIN if model.is_plain else 1))
    return _MOST if steps >= _MOST else max(1, int(steps))


def _observed_cost(model: CompiledModel, combined: CombinedObserver) -> float:
    """Operations of a step, roughly."""
    one = max(1.0, model.operations)
    if combined.tangents:
        one += combined.tangents * (len(model.spec.states) ** 2 + one)
    cost = one * max(1, model.stepper.evaluations)
    return cost + _UNKNOWN if combined.has_user_hooks else cost


def fixed_horizons(t0: Floats, dt: float, end: Floats) -> tuple[Floats, Floats, Floats]:
    """`fixed_horizon` of many grids, which begin at `t0`: last grid points, times, last steps."""
    exact = (end - t0) / dt
    nearest = np.rint(exact)
    slack = _ON_GRID + 1e-15 * np.abs(exact)
    on_grid = (np.abs(exact - nearest) <= slack) & (nearest > 0)
    whole = np.floor(exact)
    last = np.where((exact - whole < _MICRO) & (whole > 0), whole, whole + 1)
    dt_last = end - np.where(last <= 1, t0, t0 + (last - 1) * dt)
    return (
        np.where(on_grid, nearest, last),
        np.where(on_grid, t0 + nearest * dt, end),
        np.where(on_grid, dt, dt_last),
    )
