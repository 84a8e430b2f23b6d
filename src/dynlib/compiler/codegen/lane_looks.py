"""What observers see of steps in lanes: their hooks stand in loops of their own.

So they cannot slow the steps.  `obs` is a tuple of the arrays that only observers need;
`dynlib.abi.lane_args.Obs` names them.
"""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.lane_args import Lane, Obs, Span
from dynlib.abi.status import Status
from dynlib.compiler.codegen.templates import phase

__all__ = [
    "before_step",
    "leaving_adaptive",
    "look_inside",
    "observe_adaptive",
    "observe_step",
    "tangents_ahead",
    "tangents_of_attempt",
]


def before_step(i, job, cells, obs):
    """Before a step of the grid, in all lanes."""
    y_prev = cells.block[ROW_PREV:ROW_PREV_END]
    if PRE_HOOK:
        for lane in range(LANES):
            s = cells.lanes[Lane.STEP, lane] + i
            t = job.t0 + s * job.dt
            if DISCRETE:
                t = s
            ANALYSIS_PRE(
                lane, t, job.dt, integer(s), cells.y, y_prev, cells.p, cells.ws,
                cells.lanes[ROW_AWS:ROW_AOUT], cells.lanes[ROW_AOUT:ROW_AKEPT], obs[Obs.BUF],
                obs[Obs.COUNT], obs[Obs.TRACES],
            )  # fmt: skip
    if EVERY_STEP:
        for lane in range(LANES):
            store_rows(y_prev, 0, lane, load_rows(cells.y, 0, N_STATES, lane))
    if INSIDE_HOOK:
        for r in range(N_MEMORY):
            for lane in range(LANES):
                cells.block[ROW_PREV_MEM + r, lane] = cells.mem[r, lane]


def tangents_ahead(i, job, cells):
    """Take the tangent vectors of all lanes along a step of the grid, group by group."""
    aws = cells.lanes[ROW_AWS:ROW_AOUT]
    for g in range(N_GROUPS):
        for lane in range(LANES):
            s = cells.lanes[Lane.STEP, lane] + i
            t = job.t0 + s * job.dt
            h = job.dt
            if OWN_SPANS:
                t = cells.lanes[ROW_SPAN + Span.T0, lane] + s * job.dt
            if DISCRETE:
                t = s
                h = 1.0
            u = load_rows(cells.y, 0, N_STATES, lane)
            m = 0.0
            if MEMORY:
                m = load_rows(cells.mem, 0, N_MEMORY, lane)
            tangent_group(g, aws, t, h, integer(s), u, m, cells.p, cells.ws, aws, lane)


def observe_step(i, in_phase, first_step, job, cells, obs):
    """After a step of the grid, in all lanes."""
    shown.aws = cells.lanes[ROW_AWS:ROW_AOUT]
    shown.aout = cells.lanes[ROW_AOUT:ROW_AKEPT]
    shown.y_prev = cells.block[ROW_PREV:ROW_PREV_END]
    shown.h = job.dt
    if DISCRETE:
        shown.h = 1.0
    if PIECE_HOOK:
        look_at_pieces(i, job, cells, obs, shown)
    if INSIDE_HOOK:
        look_inside_lanes(i, job, cells, obs, shown)
    if POST_HOOK:
        look_after(i, job, cells, obs, shown)
    if EVERY_HOOK:
        every_lanes(
            i, in_phase, first_step, job.t0, job.dt, cells.lanes, cells.run,
            cells.y, shown.y_prev, cells.p, cells.ws, shown.aws, shown.aout, obs,
        )  # fmt: skip


@phase
def look_at_pieces(i, job, cells, obs, shown):
    """The step of each lane."""
    for lane in range(LANES):
        s = cells.lanes[Lane.STEP, lane] + i
        t = job.t0 + s * job.dt
        if DISCRETE:
            t = s
        u = load_rows(shown.y_prev, 0, N_STATES, lane)
        v = load_rows(cells.y, 0, N_STATES, lane)
        ANALYSIS_PIECE(
            lane, t, shown.h, integer(s), u, v, cells.p, cells.ws,
            shown.aws, shown.aout, obs[Obs.BUF], obs[Obs.COUNT], obs[Obs.TRACES],
        )  # fmt: skip


@phase
def look_inside_lanes(i, job, cells, obs, shown):
    """The inside of the steps in which an observer sees something."""
    seen = 0
    for lane in range(LANES):
        t = job.t0 + (cells.lanes[Lane.STEP, lane] + i) * job.dt
        t_end = job.t0 + (cells.lanes[Lane.STEP, lane] + i + 1.0) * job.dt
        step = integer(cells.lanes[Lane.STEP, lane] + i)
        u = load_rows(shown.y_prev, 0, N_STATES, lane)
        v = load_rows(cells.y, 0, N_STATES, lane)
        seen += select(ANALYSIS_SEES(t, t_end, shown.h, step, u, v, cells.p, cells.ws, lane), 1, 0)
    if seen > 0:
        for lane in range(LANES):
            t = job.t0 + (cells.lanes[Lane.STEP, lane] + i) * job.dt
            t_end = job.t0 + (cells.lanes[Lane.STEP, lane] + i + 1.0) * job.dt
            step = integer(cells.lanes[Lane.STEP, lane] + i)
            u = load_rows(shown.y_prev, 0, N_STATES, lane)
            v = load_rows(cells.y, 0, N_STATES, lane)
            if cells.run[lane] >= 0 and ANALYSIS_SEES(
                t, t_end, shown.h, step, u, v, cells.p, cells.ws, lane
            ):
                look_inside(lane, t, t_end, shown.h, step, u, cells, obs)


@phase
def look_after(i, job, cells, obs, shown):
    """Hooks after each step."""
    for lane in range(LANES):
        s = cells.lanes[Lane.STEP, lane] + i + 1.0
        t = job.t0 + s * job.dt
        if DISCRETE:
            t = s
        ANALYSIS_POST(
            lane, t, shown.h, integer(s), cells.y, shown.y_prev, cells.p, cells.ws,
            shown.aws, shown.aout, obs[Obs.BUF], obs[Obs.COUNT], obs[Obs.TRACES],
        )  # fmt: skip


def look_inside(lane, t, t_end, h, step, u, cells, obs):
    """Take a step once more, to see its inside."""
    m = 0.0
    if MEMORY:
        m = load_rows(cells.block, ROW_PREV_MEM, N_MEMORY, lane)
    v, k = attempt(t, h, step, u, m, cells.p, cells.ws, lane)
    d = dense(t, h, step, u, v, k, cells.p, cells.ws, lane)
    ANALYSIS_INSIDE(
        lane, t, t_end, h, 1.0, step, u, v, d, m, cells.p, cells.ws,
        cells.lanes[ROW_AWS:ROW_AOUT], cells.lanes[ROW_AOUT:ROW_AKEPT], obs[Obs.BUF],
        obs[Obs.COUNT], obs[Obs.TRACES],
    )  # fmt: skip


def tangents_of_attempt(cells):
    """Where the attempts of all lanes, each with its own step, take the tangent vectors."""
    aws = cells.lanes[ROW_AWS:ROW_AOUT]
    for g in range(N_GROUPS):
        for lane in range(LANES):
            t = cells.lanes[Lane.T, lane]
            dt = cells.lanes[Lane.DT, lane]
            h, _ = step_ahead(t, dt, cells.lanes[Lane.GOAL, lane])
            u = load_rows(cells.y, 0, N_STATES, lane)
            m = 0.0
            if MEMORY:
                m = load_rows(cells.mem, 0, N_MEMORY, lane)
            tangent_group(g, aws[N_PENDING:], t, h, 0, u, m, cells.p, cells.ws, aws, lane)


def observe_adaptive(job, cells, obs):
    """After attempts with steps of their own, in the lanes that took one.

    Returns how many lanes leave the vector loop because of what observers found.
    """
    shown.aws = cells.lanes[ROW_AWS:ROW_AOUT]
    shown.aout = cells.lanes[ROW_AOUT:ROW_AKEPT]
    shown.y_prev = cells.block[ROW_PREV:ROW_PREV_END]
    leaving = 0
    for lane in range(LANES):
        if cells.lanes[Lane.TOOK, lane] == 0.0:
            continue
        look_at_step(lane, cells, obs, shown)
    if EVERY_HOOK:
        look_every_lane(cells, obs, shown)
    if OBSERVERS_STOP:
        leaving += leaving_adaptive(cells, shown.aws, obs)
    elif TRACES:
        leaving += leaving_adaptive(cells, shown.aws, obs)
    return leaving


@phase
def look_at_step(lane, cells, obs, shown):
    """The step that a lane took."""
    if VARIATIONAL:
        commit_tangents(shown.aws, lane)
    t = cells.lanes[Lane.T, lane]
    shown.h = cells.lanes[Lane.TOOK, lane]
    step = int(cells.lanes[Lane.STEP, lane])
    u = load_rows(shown.y_prev, 0, N_STATES, lane)
    if PIECES:
        v = load_rows(cells.y, 0, N_STATES, lane)
    if ALONG_HOOK:
        ANALYSIS_ALONG(
            lane, cells.lanes[Lane.T_PREV, lane], shown.h, step - 1, u, v, cells.p, cells.ws,
            shown.aws, shown.aout,
        )  # fmt: skip
    if PIECE_HOOK:
        ANALYSIS_PIECE(
            lane, cells.lanes[Lane.T_PREV, lane], shown.h, step - 1, u, v, cells.p, cells.ws,
            shown.aws, shown.aout, obs[Obs.BUF], obs[Obs.COUNT], obs[Obs.TRACES],
        )  # fmt: skip
    if INSIDE_HOOK:
        look_inside(lane, cells.lanes[Lane.T_PREV, lane], t, shown.h, step - 1, u, cells, obs)
    if POST_HOOK:
        ANALYSIS_POST(
            lane, t, shown.h, step, cells.y, shown.y_prev, cells.p, cells.ws,
            shown.aws, shown.aout, obs[Obs.BUF], obs[Obs.COUNT], obs[Obs.TRACES],
        )  # fmt: skip


@phase
def look_every_lane(cells, obs, shown):
    """Hooks that are due after every so many steps, in the lanes that have come to it."""
    due = 0
    for lane in range(LANES):
        whole = integer(cells.lanes[Lane.STEP, lane]) % EVERY == 0
        due += select(whole & (cells.lanes[Lane.TOOK, lane] != 0.0), 1, 0)
    if due > 0:
        for lane in range(LANES):
            step = int(cells.lanes[Lane.STEP, lane])
            if step % EVERY == 0 and cells.lanes[Lane.TOOK, lane] != 0.0:
                ANALYSIS_EVERY(
                    lane, cells.lanes[Lane.T, lane], cells.lanes[Lane.TOOK, lane], step,
                    cells.y, shown.y_prev, cells.p, cells.ws,
                    shown.aws, shown.aout, obs[Obs.BUF], obs[Obs.COUNT], obs[Obs.TRACES],
                )  # fmt: skip


def leaving_adaptive(cells, aws, obs):
    """Let lanes leave whose observers have seen enough, or whose traces are full."""
    leaving = 0
    for lane in range(LANES):
        if cells.lanes[Lane.TOOK, lane] == 0.0:
            continue
        step = int(cells.lanes[Lane.STEP, lane])
        code = 0.0
        first = int(cells.lanes[Lane.OBSERVED_FROM, lane])
        if OBSERVERS_STOP:
            if aws[STOP_ROW, lane] != 0.0 and step > first:
                code = Status.EARLY_EXIT
        if TRACES:
            if not trace_room(step, first, lane, obs[Obs.BUF], obs[Obs.COUNT], obs[Obs.TRACES]):
                code = Status.TRACE_OVERFLOW
        if code != 0.0:
            if cells.lanes[Lane.LEAVES, lane] == 0.0:
                leaving += 1
            cells.lanes[Lane.LEAVES, lane] = code
    return leaving
