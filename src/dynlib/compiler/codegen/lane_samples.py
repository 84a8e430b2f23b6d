"""Samples at given times inside of the steps that adaptive lanes take."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.lane_args import Lane, LaneClock, LaneCount

__all__ = ["record_samples", "samples_due"]


def samples_due(lanes):
    """How many lanes have a sample in the step that they try."""
    due = 0
    for lane in range(LANES):
        ahead = lanes[Lane.T_NEXT, lane] - lanes[Lane.SAMPLE, lane]
        due += select(ahead * copysign(1.0, lanes[Lane.TOOK, lane]) >= 0.0, 1, 0)
    return due


def record_samples(
    lane, grid, batch, block, lanes, run, y, p, ws, picked, rec_t, rec_y, rec_aux, sel_y, sel_aux,
    samples,
):  # fmt: skip
    """Record the samples inside the step that a lane is about to take, by its interpolant.

    One at the very end of it is the state there: that step is left to the ordinary run loop.
    """
    h = lanes[Lane.TOOK, lane]
    t_next = lanes[Lane.T_NEXT, lane]
    error = lanes[Lane.TRIED, lane]
    way = copysign(1.0, h)
    if (t_next - lanes[Lane.SAMPLE, lane]) * way < 0.0 or lanes[Lane.CALM, lane] == 0.0:
        return
    if not (error >= 0.0 and error <= 1.0):
        return
    n = batch[LaneCount.SAMPLES]
    row = int(lanes[Lane.ROW, lane])
    last = row
    while last < n and (t_next - samples[last]) * way > 0.0:
        last += 1
    if last < n and samples[last] == t_next:
        lanes[Lane.CALM, lane] = 0.0
        return
    t = lanes[Lane.T, lane]
    step = int(lanes[Lane.STEP, lane])
    u = load_rows(y, 0, N_STATES, lane)
    u_new = load_rows(block, ROW_KEPT, N_STATES, lane)
    d = load_rows(block, ROW_DENSE, N_DENSE, lane)
    r = run[lane]
    for i in range(row, last):
        ts = samples[i]
        us = interpolate((ts - t) / h, h, u, u_new, d)
        rec_t[i] = ts
        record(i, ts, step + 1, us, y, p, ws, rec_y[r], rec_aux[r], sel_y, sel_aux, picked, lane)
    store_rows(y, 0, lane, u)
    lanes[Lane.ROW, lane] = last
    lanes[Lane.SAMPLE, lane] = inf * (grid[LaneClock.T_END] - grid[LaneClock.T0])
    if last < n:
        lanes[Lane.SAMPLE, lane] = samples[last]
