"""The times and steps that all runs of a batch share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.lane_args import LaneClock, LaneCount, Span
from dynlib.abi.slots import UNBOUNDED
from dynlib.compiler.model import CompiledModel
from dynlib.runtime.fastpath.observers import observed_from
from dynlib.runtime.fastpath.request import BatchRequest
from dynlib.runtime.horizon import fixed_horizon, fixed_horizons

__all__ = ["aim", "own_spans", "row_times"]


def aim(
    model: CompiledModel,
    request: BatchRequest,
    grid: NDArray[np.float64],
    batch: NDArray[np.int64],
) -> float:
    """Set the times and steps that all runs share; returns the time at which a run is done."""
    limit = UNBOUNDED if request.max_steps is None else request.max_steps
    if request.n_end is not None:
        first = int(request.t0)
        grid[LaneClock.T0] = first
        grid[LaneClock.DT] = grid[LaneClock.DT_LAST] = 1.0
        batch[LaneCount.STEP0] = first
        batch[LaneCount.STEP_END] = first + request.n_end
        batch[LaneCount.STEP_LIMIT] = first + limit
        batch[LaneCount.OBSERVED_FROM] = observed_from(model, request, first, first + request.n_end)
        return float(first + request.n_end)
    assert request.t_end is not None
    t0, t_end = float(request.t0), float(request.t_end)
    grid[LaneClock.T0] = t0
    batch[LaneCount.STEP_LIMIT] = limit
    if model.stepper.adaptive:
        grid[LaneClock.T_END] = t_end
        grid[LaneClock.TRANSIENT_END] = t0 + request.transient * (1 if t_end >= t0 else -1)
        grid[LaneClock.DT] = request.dt or 0.0
        batch[LaneCount.STEP_END] = UNBOUNDED
        return t_end
    assert request.dt is not None
    horizon = fixed_horizon(t0, 0, request.dt, t0, t_end)
    grid[LaneClock.DT] = request.dt
    grid[LaneClock.DT_LAST] = horizon.dt_last
    grid[LaneClock.T_END] = horizon.t
    batch[LaneCount.STEP_END] = horizon.step
    batch[LaneCount.OBSERVED_FROM] = observed_from(model, request, 0, horizon.step)
    return t_end


def row_times(
    model: CompiledModel,
    request: BatchRequest,
    grid: NDArray[np.float64],
    batch: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Times of the rows: those of the plan on the grid, or the samples."""
    if request.samples is not None:
        return np.where(request.samples == request.t_end, grid[LaneClock.T_END], request.samples)
    record = request.record
    times = np.arange(int(batch[LaneCount.ROWS]), dtype=np.float64)
    times *= record.stride  # in place: there may be very many
    times += record.first
    if model.spec.kind == "map":
        return times
    ends = bool(times.size) and times[-1] == batch[LaneCount.STEP_END]
    times *= grid[LaneClock.DT]
    times += grid[LaneClock.T0]
    if ends:
        times[-1] = grid[LaneClock.T_END]
    return times


def own_spans(model: CompiledModel, request: BatchRequest) -> NDArray[np.float64]:
    """What `Span` names, a column for each run; no rows if all runs have one span."""
    if request.spans is None:
        return np.empty((0, request.n_runs))
    found = np.zeros((len(Span), request.n_runs))
    t0, end = request.spans
    found[Span.T0], found[Span.T_END] = t0, end
    if model.spec.is_map:
        found[Span.STEP_END], found[Span.DT_LAST] = end, 1.0
    elif not model.stepper.adaptive:
        assert request.dt is not None
        horizons = fixed_horizons(t0, request.dt, end)
        found[Span.STEP_END], found[Span.T_END], found[Span.DT_LAST] = horizons
    return found
