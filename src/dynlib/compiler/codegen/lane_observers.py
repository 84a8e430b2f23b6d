"""Observers in lanes: their hooks stand in loops of their own, and so cannot slow the steps.

`obs` is a tuple of the arrays that only observers need; `dynlib.abi.lane_args.Obs` names them.
"""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.lane_args import Lane, LaneClock, LaneCount, Obs
from dynlib.abi.slots import Trace
from dynlib.abi.status import Status

__all__ = [
    "before_step",
    "begin_observation",
    "give_back",
    "give_trace",
    "keep_observers",
    "leaving_adaptive",
    "look_inside",
    "observe_adaptive",
    "observe_step",
    "overflows",
    "restore_observers",
    "start_if_due",
    "start_observers",
    "tangents_ahead",
    "tangents_of_attempt",
]


def begin_observation(lane, t, step, block, lanes, y, mem, ws, p, obs):
    """What observers have at the start of a run."""
    aws = lanes[ROW_AWS:ROW_AOUT]
    for r in range(N_CHANGING):
        lanes[ROW_AWS + r, lane] = obs[Obs.FIRST][r]
    for r in range(N_OUTPUTS):
        lanes[ROW_AOUT + r, lane] = obs[Obs.FIRST][N_WORKSPACE + r]
    for j in range(N_TRACES):
        obs[Obs.COUNT][j, lane] = 0
    u = load_rows(y, 0, N_STATES, lane)
    store_rows(block, ROW_PREV, lane, u)
    if VARIATIONAL:
        if MEMORY:
            restart_tangents(t, step, u, p, ws, aws, lane)


def start_observers(lane, grid, batch, block, lanes, y, ws, p, obs):
    """Start observers anew."""
    step = int(lanes[Lane.STEP, lane])
    t = lanes[Lane.T, lane]
    dt = lanes[Lane.DT, lane]
    if not ADAPTIVE:
        dt = grid[LaneClock.DT]
    y_prev = block[ROW_PREV:ROW_PREV_END]
    store_rows(y_prev, 0, lane, load_rows(y, 0, N_STATES, lane))
    if START_HOOK:
        ANALYSIS_START(
            lane, t, dt, step, y, y_prev, p, ws,
            lanes[ROW_AWS:ROW_AOUT], lanes[ROW_AOUT:ROW_AKEPT],
            obs[Obs.BUF], obs[Obs.COUNT], obs[Obs.TRACES],
        )  # fmt: skip
    if VARIATIONAL:
        if MEMORY:
            if step == batch[LaneCount.STEP0]:  # where what the stepper remembers begins as well
                u = load_rows(y, 0, N_STATES, lane)
                restart_tangents(t, step, u, p, ws, lanes[ROW_AWS:ROW_AOUT], lane)


def start_if_due(lane, grid, batch, block, lanes, y, ws, p, obs):
    """Start observers anew where a step of the grid says so, if they have not started yet."""
    due = int(lanes[Lane.STEP, lane]) == batch[LaneCount.OBSERVED_FROM]
    if due and lanes[Lane.OBSERVED_FROM, lane] == 0.0:
        start_observers(lane, grid, batch, block, lanes, y, ws, p, obs)
        lanes[Lane.OBSERVED_FROM, lane] = 1.0


def keep_observers(lanes, obs):
    """Keep what observers have at the start of a chunk, but for rows that last."""
    for r in range(N_CHANGING):
        for lane in range(LANES):
            lanes[ROW_AKEPT + r, lane] = lanes[ROW_AWS + r, lane]
    for r in range(N_OUTPUTS):
        for lane in range(LANES):
            lanes[ROW_AKEPT + N_CHANGING + r, lane] = lanes[ROW_AOUT + r, lane]
    for j in range(N_TRACES):
        for lane in range(LANES):
            obs[Obs.COUNT][N_TRACES + j, lane] = obs[Obs.COUNT][j, lane]


def restore_observers(lane, lanes, obs):
    """Take a lane's observers back to the start of the chunk."""
    for r in range(N_CHANGING):
        lanes[ROW_AWS + r, lane] = lanes[ROW_AKEPT + r, lane]
    for r in range(N_OUTPUTS):
        lanes[ROW_AOUT + r, lane] = lanes[ROW_AKEPT + N_CHANGING + r, lane]
    for j in range(N_TRACES):
        obs[Obs.COUNT][j, lane] = obs[Obs.COUNT][N_TRACES + j, lane]


def before_step(i, t0, dt, block, lanes, y, mem, ws, p, obs):
    """Before a step of the grid, in all lanes."""
    y_prev = block[ROW_PREV:ROW_PREV_END]
    if PRE_HOOK:
        for lane in range(LANES):
            s = lanes[Lane.STEP, lane] + i
            t = t0 + s * dt
            if DISCRETE:
                t = s
            ANALYSIS_PRE(
                lane, t, dt, integer(s), y, y_prev, p, ws,
                lanes[ROW_AWS:ROW_AOUT], lanes[ROW_AOUT:ROW_AKEPT],
                obs[Obs.BUF], obs[Obs.COUNT], obs[Obs.TRACES],
            )  # fmt: skip
    if EVERY_STEP:
        for lane in range(LANES):
            store_rows(y_prev, 0, lane, load_rows(y, 0, N_STATES, lane))
    if INSIDE_HOOK:
        for r in range(N_MEMORY):
            for lane in range(LANES):
                block[ROW_PREV_MEM + r, lane] = mem[r, lane]


def tangents_ahead(i, t0, dt, lanes, y, mem, ws, p):
    """Take the tangent vectors of all lanes along a step of the grid, group by group."""
    aws = lanes[ROW_AWS:ROW_AOUT]
    for g in range(N_GROUPS):
        for lane in range(LANES):
            s = lanes[Lane.STEP, lane] + i
            t = t0 + s * dt
            h = dt
            if DISCRETE:
                t = s
                h = 1.0
            u = load_rows(y, 0, N_STATES, lane)
            m = 0.0
            if MEMORY:
                m = load_rows(mem, 0, N_MEMORY, lane)
            tangent_group(g, aws, t, h, integer(s), u, m, p, ws, aws, lane)


def observe_step(i, in_phase, first_step, t0, dt, block, lanes, run, y, mem, ws, p, obs):
    """After a step of the grid, in all lanes."""
    aws = lanes[ROW_AWS:ROW_AOUT]
    aout = lanes[ROW_AOUT:ROW_AKEPT]
    y_prev = block[ROW_PREV:ROW_PREV_END]
    h = dt
    if DISCRETE:
        h = 1.0
    if PIECE_HOOK:
        for lane in range(LANES):
            s = lanes[Lane.STEP, lane] + i
            t = t0 + s * dt
            if DISCRETE:
                t = s
            u = load_rows(y_prev, 0, N_STATES, lane)
            v = load_rows(y, 0, N_STATES, lane)
            ANALYSIS_PIECE(
                lane,
                t,
                h,
                integer(s),
                u,
                v,
                p,
                ws,
                aws,
                aout,
                obs[Obs.BUF],
                obs[Obs.COUNT],
                obs[Obs.TRACES],
            )
    if INSIDE_HOOK:
        seen = 0
        for lane in range(LANES):
            t = t0 + (lanes[Lane.STEP, lane] + i) * dt
            t_end = t0 + (lanes[Lane.STEP, lane] + i + 1.0) * dt
            step = integer(lanes[Lane.STEP, lane] + i)
            u = load_rows(y_prev, 0, N_STATES, lane)
            v = load_rows(y, 0, N_STATES, lane)
            seen += select(ANALYSIS_SEES(t, t_end, h, step, u, v, p, ws, lane), 1, 0)
        if seen > 0:
            for lane in range(LANES):
                t = t0 + (lanes[Lane.STEP, lane] + i) * dt
                t_end = t0 + (lanes[Lane.STEP, lane] + i + 1.0) * dt
                step = integer(lanes[Lane.STEP, lane] + i)
                u = load_rows(y_prev, 0, N_STATES, lane)
                v = load_rows(y, 0, N_STATES, lane)
                if run[lane] >= 0 and ANALYSIS_SEES(t, t_end, h, step, u, v, p, ws, lane):
                    look_inside(lane, t, t_end, h, step, u, block, lanes, p, ws, obs)
    if POST_HOOK:
        for lane in range(LANES):
            s = lanes[Lane.STEP, lane] + i + 1.0
            t = t0 + s * dt
            if DISCRETE:
                t = s
            ANALYSIS_POST(
                lane,
                t,
                h,
                integer(s),
                y,
                y_prev,
                p,
                ws,
                aws,
                aout,
                obs[Obs.BUF],
                obs[Obs.COUNT],
                obs[Obs.TRACES],
            )
    if EVERY_HOOK:
        every_lanes(i, in_phase, first_step, t0, dt, lanes, run, y, y_prev, p, ws, aws, aout, obs)


def look_inside(lane, t, t_end, h, step, u, block, lanes, p, ws, obs):
    """Take a step once more, to see its inside."""
    m = 0.0
    if MEMORY:
        m = load_rows(block, ROW_PREV_MEM, N_MEMORY, lane)
    v, k = attempt(t, h, step, u, m, p, ws, lane)
    d = dense(t, h, step, u, v, k, p, ws, lane)
    ANALYSIS_INSIDE(
        lane, t, t_end, h, 1.0, step, u, v, d, m, p, ws,
        lanes[ROW_AWS:ROW_AOUT], lanes[ROW_AOUT:ROW_AKEPT],
        obs[Obs.BUF], obs[Obs.COUNT], obs[Obs.TRACES],
    )  # fmt: skip


def tangents_of_attempt(lanes, y, mem, ws, p):
    """Where the attempts of all lanes, each with its own step, take the tangent vectors."""
    aws = lanes[ROW_AWS:ROW_AOUT]
    for g in range(N_GROUPS):
        for lane in range(LANES):
            t = lanes[Lane.T, lane]
            dt = lanes[Lane.DT, lane]
            h, _ = step_ahead(t, dt, lanes[Lane.GOAL, lane])
            u = load_rows(y, 0, N_STATES, lane)
            m = 0.0
            if MEMORY:
                m = load_rows(mem, 0, N_MEMORY, lane)
            tangent_group(g, aws[N_PENDING:], t, h, 0, u, m, p, ws, aws, lane)


def observe_adaptive(batch, block, lanes, y, mem, ws, p, obs):
    """After attempts with steps of their own, in the lanes that took one.

    Returns how many lanes leave the vector loop because of what observers found.
    """
    aws = lanes[ROW_AWS:ROW_AOUT]
    aout = lanes[ROW_AOUT:ROW_AKEPT]
    y_prev = block[ROW_PREV:ROW_PREV_END]
    leaving = 0
    for lane in range(LANES):
        if lanes[Lane.TOOK, lane] == 0.0:
            continue
        if VARIATIONAL:
            commit_tangents(aws, lane)
        t = lanes[Lane.T, lane]
        h = lanes[Lane.TOOK, lane]
        step = int(lanes[Lane.STEP, lane])
        u = load_rows(y_prev, 0, N_STATES, lane)
        if PIECES:
            v = load_rows(y, 0, N_STATES, lane)
        if ALONG_HOOK:
            ANALYSIS_ALONG(lane, lanes[Lane.T_PREV, lane], h, step - 1, u, v, p, ws, aws, aout)
        if PIECE_HOOK:
            ANALYSIS_PIECE(
                lane, lanes[Lane.T_PREV, lane], h, step - 1, u, v, p, ws,
                aws, aout, obs[Obs.BUF], obs[Obs.COUNT], obs[Obs.TRACES],
            )  # fmt: skip
        if INSIDE_HOOK:
            look_inside(lane, lanes[Lane.T_PREV, lane], t, h, step - 1, u, block, lanes, p, ws, obs)
        if POST_HOOK:
            ANALYSIS_POST(
                lane, t, h, step, y, y_prev, p, ws, aws, aout,
                obs[Obs.BUF], obs[Obs.COUNT], obs[Obs.TRACES],
            )  # fmt: skip
    if EVERY_HOOK:
        due = 0
        for lane in range(LANES):
            whole = integer(lanes[Lane.STEP, lane]) % EVERY == 0
            due += select(whole & (lanes[Lane.TOOK, lane] != 0.0), 1, 0)
        if due > 0:
            for lane in range(LANES):
                step = int(lanes[Lane.STEP, lane])
                if step % EVERY == 0 and lanes[Lane.TOOK, lane] != 0.0:
                    ANALYSIS_EVERY(
                        lane, lanes[Lane.T, lane], lanes[Lane.TOOK, lane], step, y, y_prev, p, ws,
                        aws, aout, obs[Obs.BUF], obs[Obs.COUNT], obs[Obs.TRACES],
                    )  # fmt: skip
    if OBSERVERS_STOP:
        leaving += leaving_adaptive(lanes, aws, obs)
    elif TRACES:
        leaving += leaving_adaptive(lanes, aws, obs)
    return leaving


def leaving_adaptive(lanes, aws, obs):
    """Let lanes leave whose observers have seen enough, or whose traces are full."""
    leaving = 0
    for lane in range(LANES):
        if lanes[Lane.TOOK, lane] == 0.0:
            continue
        step = int(lanes[Lane.STEP, lane])
        code = 0.0
        first = int(lanes[Lane.OBSERVED_FROM, lane])
        if OBSERVERS_STOP:
            if aws[STOP_ROW, lane] != 0.0 and step > first:
                code = Status.EARLY_EXIT
        if TRACES:
            if not trace_room(step, first, lane, obs[Obs.BUF], obs[Obs.COUNT], obs[Obs.TRACES]):
                code = Status.TRACE_OVERFLOW
        if code != 0.0:
            if lanes[Lane.LEAVES, lane] == 0.0:
                leaving += 1
            lanes[Lane.LEAVES, lane] = code
    return leaving


def overflows(lane, steps, batch, lanes, obs):
    """Whether observers end the run within a chunk, or their traces have to be looked after."""
    first = batch[LaneCount.OBSERVED_FROM]
    step = int(lanes[Lane.STEP, lane]) + steps
    if OBSERVERS_STOP:
        if lanes[ROW_AWS + STOP_ROW, lane] != 0.0 and step > first:
            return True
    if TRACES:
        for j in range(N_TRACES):
            if obs[Obs.COUNT][j, lane] > obs[Obs.TRACES][j, Trace.CAP]:
                return True
        return not trace_room(step, first, lane, obs[Obs.BUF], obs[Obs.COUNT], obs[Obs.TRACES])
    return False


def give_back(lane, r, grid, block, lanes, y, ws, p, obs):
    """Give the outputs and traces of a run that ends; where observers have not started, none."""
    aout = lanes[ROW_AOUT:ROW_AKEPT]
    started = lanes[Lane.OBSERVED_FROM, lane] == 1.0
    if ADAPTIVE:
        started = lanes[Lane.OBSERVED_FROM, lane] != -NEVER
    if not started:
        for i in range(N_OUTPUTS):
            aout[i, lane] = obs[Obs.FIRST][N_WORKSPACE + i]
        for j in range(N_TRACES):
            obs[Obs.COUNT][j, lane] = 0
    if END_HOOK:
        if started:
            ANALYSIS_END(
                lane, lanes[Lane.T, lane], grid[LaneClock.DT], int(lanes[Lane.STEP, lane]),
                y, block[ROW_PREV:ROW_PREV_END], p, ws,
                lanes[ROW_AWS:ROW_AOUT], aout, obs[Obs.BUF], obs[Obs.COUNT], obs[Obs.TRACES],
            )  # fmt: skip
    for i in range(N_OUTPUTS):
        obs[Obs.OUTPUTS][i, r] = aout[i, lane]
    for j in range(N_TRACES):
        give_trace(
            j,
            lane,
            r,
            obs[Obs.BUF],
            obs[Obs.COUNT],
            obs[Obs.TRACES],
            obs[Obs.GIVEN],
            obs[Obs.GIVEN_ROWS],
        )


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
