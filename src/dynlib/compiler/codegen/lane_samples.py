"""Samples at given times inside of the steps that adaptive lanes take."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.lane_args import Lane, LaneClock, LaneCount

__all__ = ["record_samples", "samples_due"]


def samples_due(cells):
    """How many lanes have a sample in the step that they try."""
    due = 0
    for lane in range(LANES):
        ahead = cells.lanes[Lane.T_NEXT, lane] - cells.lanes[Lane.SAMPLE, lane]
        due += select(ahead * copysign(1.0, cells.lanes[Lane.TOOK, lane]) >= 0.0, 1, 0)
    return due


def record_samples(lane, picked, job, cells, rec):
    """Record the samples inside the step that a lane is about to take, by its interpolant.

    One at the very end of it is the state there: that step is left to the ordinary run loop.
    """
    h = cells.lanes[Lane.TOOK, lane]
    t_next = cells.lanes[Lane.T_NEXT, lane]
    error = cells.lanes[Lane.TRIED, lane]
    way = copysign(1.0, h)
    if (t_next - cells.lanes[Lane.SAMPLE, lane]) * way < 0.0 or cells.lanes[Lane.CALM, lane] == 0.0:
        return
    if not (error >= 0.0 and error <= 1.0):
        return
    n = job.batch[LaneCount.SAMPLES]
    row = int(cells.lanes[Lane.ROW, lane])
    last = row
    while last < n and (t_next - rec.samples[last]) * way > 0.0:
        last += 1
    if last < n and rec.samples[last] == t_next:
        cells.lanes[Lane.CALM, lane] = 0.0
        return
    t = cells.lanes[Lane.T, lane]
    step = int(cells.lanes[Lane.STEP, lane])
    u = load_rows(cells.y, 0, N_STATES, lane)
    u_new = load_rows(cells.block, ROW_KEPT, N_STATES, lane)
    d = load_rows(cells.block, ROW_DENSE, N_DENSE, lane)
    r = cells.run[lane]
    for i in range(row, last):
        ts = rec.samples[i]
        us = interpolate((ts - t) / h, h, u, u_new, d)
        rec.t[i] = ts
        record(
            i, ts, step + 1, us, cells.y, cells.p, cells.ws, rec.y[r], rec.aux[r], rec.sel_y,
            rec.sel_aux, picked, lane,
        )  # fmt: skip
    store_rows(cells.y, 0, lane, u)
    cells.lanes[Lane.ROW, lane] = last
    cells.lanes[Lane.SAMPLE, lane] = inf * (job.grid[LaneClock.T_END] - job.grid[LaneClock.T0])
    if last < n:
        cells.lanes[Lane.SAMPLE, lane] = rec.samples[last]
