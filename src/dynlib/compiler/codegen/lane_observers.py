"""Observers in lanes: what they start from, what is kept of them, and what they give back.

`obs` is a tuple of the arrays that only observers need; `dynlib.abi.lane_args.Obs` names them.
"""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.lane_args import Lane, LaneClock, LaneCount, Obs
from dynlib.abi.slots import Trace

__all__ = [
    "begin_observation",
    "give_back",
    "give_trace",
    "keep_observers",
    "overflows",
    "restore_observers",
    "start_if_due",
    "start_observers",
]


def begin_observation(lane, t, step, cells, obs):
    """What observers have at the start of a run."""
    aws = cells.lanes[ROW_AWS:ROW_AOUT]
    for r in range(N_CHANGING):
        cells.lanes[ROW_AWS + r, lane] = obs[Obs.FIRST][r]
    for r in range(N_OUTPUTS):
        cells.lanes[ROW_AOUT + r, lane] = obs[Obs.FIRST][N_WORKSPACE + r]
    for j in range(N_TRACES):
        obs[Obs.COUNT][j, lane] = 0
    u = load_rows(cells.y, 0, N_STATES, lane)
    store_rows(cells.block, ROW_PREV, lane, u)
    if VARIATIONAL:
        if MEMORY:
            restart_tangents(t, step, u, cells.p, cells.ws, aws, lane)


def start_observers(lane, job, cells, obs):
    """Start observers anew."""
    step = int(cells.lanes[Lane.STEP, lane])
    t = cells.lanes[Lane.T, lane]
    dt = cells.lanes[Lane.DT, lane]
    if not ADAPTIVE:
        dt = job.grid[LaneClock.DT]
    y_prev = cells.block[ROW_PREV:ROW_PREV_END]
    store_rows(y_prev, 0, lane, load_rows(cells.y, 0, N_STATES, lane))
    if START_HOOK:
        ANALYSIS_START(
            lane, t, dt, step, cells.y, y_prev, cells.p, cells.ws,
            cells.lanes[ROW_AWS:ROW_AOUT], cells.lanes[ROW_AOUT:ROW_AKEPT], obs[Obs.BUF],
            obs[Obs.COUNT], obs[Obs.TRACES],
        )  # fmt: skip
    if VARIATIONAL:
        if MEMORY:
            if (
                step == job.batch[LaneCount.STEP0]
            ):  # where what the stepper remembers begins as well
                u = load_rows(cells.y, 0, N_STATES, lane)
                restart_tangents(t, step, u, cells.p, cells.ws, cells.lanes[ROW_AWS:ROW_AOUT], lane)


def start_if_due(lane, job, cells, obs):
    """Start observers anew where a step of the grid says so, if they have not started yet."""
    due = int(cells.lanes[Lane.STEP, lane]) == job.batch[LaneCount.OBSERVED_FROM]
    if due and cells.lanes[Lane.OBSERVED_FROM, lane] == 0.0:
        start_observers(lane, job, cells, obs)
        cells.lanes[Lane.OBSERVED_FROM, lane] = 1.0


def keep_observers(cells, obs):
    """Keep what observers have at the start of a chunk, but for rows that last."""
    for r in range(N_CHANGING):
        for lane in range(LANES):
            cells.lanes[ROW_AKEPT + r, lane] = cells.lanes[ROW_AWS + r, lane]
    for r in range(N_OUTPUTS):
        for lane in range(LANES):
            cells.lanes[ROW_AKEPT + N_CHANGING + r, lane] = cells.lanes[ROW_AOUT + r, lane]
    for j in range(N_TRACES):
        for lane in range(LANES):
            obs[Obs.COUNT][N_TRACES + j, lane] = obs[Obs.COUNT][j, lane]


def restore_observers(lane, cells, obs):
    """Take a lane's observers back to the start of the chunk."""
    for r in range(N_CHANGING):
        cells.lanes[ROW_AWS + r, lane] = cells.lanes[ROW_AKEPT + r, lane]
    for r in range(N_OUTPUTS):
        cells.lanes[ROW_AOUT + r, lane] = cells.lanes[ROW_AKEPT + N_CHANGING + r, lane]
    for j in range(N_TRACES):
        obs[Obs.COUNT][j, lane] = obs[Obs.COUNT][N_TRACES + j, lane]


def overflows(lane, steps, job, cells, obs):
    """Whether observers end the run within a chunk, or their traces have to be looked after."""
    first = job.batch[LaneCount.OBSERVED_FROM]
    step = int(cells.lanes[Lane.STEP, lane]) + steps
    if OBSERVERS_STOP:
        if cells.lanes[ROW_AWS + STOP_ROW, lane] != 0.0 and step > first:
            return True
    if TRACES:
        for j in range(N_TRACES):
            if obs[Obs.COUNT][j, lane] > obs[Obs.TRACES][j, Trace.CAP]:
                return True
        return not trace_room(step, first, lane, obs[Obs.BUF], obs[Obs.COUNT], obs[Obs.TRACES])
    return False


def give_back(lane, r, job, cells, obs):
    """Give the outputs and traces of a run that ends; where observers have not started, none."""
    aout = cells.lanes[ROW_AOUT:ROW_AKEPT]
    started = cells.lanes[Lane.OBSERVED_FROM, lane] == 1.0
    if ADAPTIVE:
        started = cells.lanes[Lane.OBSERVED_FROM, lane] != -NEVER
    if not started:
        for i in range(N_OUTPUTS):
            aout[i, lane] = obs[Obs.FIRST][N_WORKSPACE + i]
        for j in range(N_TRACES):
            obs[Obs.COUNT][j, lane] = 0
    if END_HOOK:
        if started:
            ANALYSIS_END(
                lane, cells.lanes[Lane.T, lane], job.grid[LaneClock.DT],
                int(cells.lanes[Lane.STEP, lane]), cells.y, cells.block[ROW_PREV:ROW_PREV_END],
                cells.p, cells.ws, cells.lanes[ROW_AWS:ROW_AOUT], aout, obs[Obs.BUF],
                obs[Obs.COUNT], obs[Obs.TRACES],
            )  # fmt: skip
    for i in range(N_OUTPUTS):
        obs[Obs.OUTPUTS][i, r] = aout[i, lane]
    for j in range(N_TRACES):
        give_trace(
            j, lane, r, obs[Obs.BUF], obs[Obs.COUNT], obs[Obs.TRACES], obs[Obs.GIVEN],
            obs[Obs.GIVEN_ROWS],
        )  # fmt: skip


def give_trace(j, lane, r, trace_buf, trace_count, traces, given, given_rows):
    """Give one trace of a run: its last rows where only those are wanted, else its first."""
    rows = min(trace_count[j, lane], traces[j, Trace.CAP])
    skipped = 0
    keep = traces[j, Trace.KEEP]
    if keep > 0 and rows > keep:
        skipped = rows - keep
    rows = min(rows - skipped, traces[j, Trace.OUT_CAP])
    width = traces[j, Trace.WIDTH]
    values = traces[j, Trace.OFFSET] + skipped * width
    for i in range(rows * width):
        given[r, traces[j, Trace.OUT] + i] = trace_buf[values + i, lane]
    times = traces[j, Trace.OFFSET] + traces[j, Trace.CAP] * width + skipped
    first = traces[j, Trace.OUT] + traces[j, Trace.OUT_CAP] * width
    for i in range(rows):
        given[r, first + i] = trace_buf[times + i, lane]
    given_rows[j, r] = rows
