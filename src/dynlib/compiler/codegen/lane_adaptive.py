"""Lanes with steps of their own: attempts by selection, and what is made of them."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.lane_args import Lane, LaneCount, Leaves
from dynlib.abi.status import Status
from dynlib.compiler.codegen.templates import phase

__all__ = ["decide", "next_part", "settle_adaptive", "try_step"]


def try_step(lane, job, cells, control):
    """One attempt of one lane: its result and its error, which `decide` looks at.

    That takes longer than it has work for a processor, since all of it waits for the error: in a
    loop of its own the lanes wait side by side.
    """
    move.t = cells.lanes[Lane.T, lane]
    move.dt = cells.lanes[Lane.DT, lane]
    goal = job.t_end
    if OWN_GOALS:
        goal = cells.lanes[Lane.GOAL, lane]
    move.h, move.t_next = step_ahead(move.t, move.dt, goal)
    cells.lanes[Lane.TOOK, lane] = move.h
    cells.lanes[Lane.T_NEXT, lane] = move.t_next
    move.u = load_rows(cells.y, 0, N_STATES, lane)
    move.m = 0.0
    if MEMORY:
        move.m = load_rows(cells.mem, 0, N_MEMORY, lane)
    if NOTED:
        move.u_new, move.k, move.said = attempt_noted(
            move.t, move.h, 0, move.u, move.m, cells.p, cells.ws, lane
        )
        store_rows(cells.block, ROW_TALLY, lane, tallied(move.said, cells.ws, lane))
    else:
        move.u_new, move.k = attempt(move.t, move.h, 0, move.u, move.m, cells.p, cells.ws, lane)
    error = error_norm(
        move.h, move.u, move.u_new, move.k, control.options, control.tolerances, lane
    )
    if FAILS:
        error = select(move.said[0] != 0.0, inf, error)
    cells.lanes[Lane.TRIED, lane] = select(
        (error <= 1.0) & not_(all_finite(move.u_new)), -1.0, error
    )
    store_rows(cells.block, ROW_KEPT, lane, move.u_new)
    if MEMORY:
        store_rows(cells.block, ROW_KEPT + N_STATES, lane, next_memory(move.m, move.k))
    if WATCHED:
        look_whether_calm(lane, cells, move)


@phase
def look_whether_calm(lane, cells, move):
    """Whether nothing happens in the step, and samples inside of it can be taken from it."""
    calm = True
    if LOOKS_BACK:
        move.ts, move.us = step_start(cells.ws, lane)
    elif STOP_START:
        move.ts = move.t
        move.us = move.u
    if EVENTS:
        calm = quiet(move.t_next, 1, move.u_new, move.t, move.u, cells.p, cells.ws, lane)
        if LOCATED:
            d = dense(move.t, move.h, 0, move.u, move.u_new, move.k, cells.p, cells.ws, lane)
            calm = calm & quiet_inside(
                move.t, move.h, 1, move.u, move.u_new, d, cells.p, cells.ws, lane
            )
    if SWITCHES:
        calm = calm & (abs_(float(cells.ws[SWITCH, lane]) - move.t) > 1.01 * abs_(move.dt))
    if STOP_START:
        calm = calm & not_(
            stop_condition(move.t, 0, move.u, move.ts, move.us, cells.p, cells.ws, lane)
        )
    if STOP_END:
        calm = calm & not_(
            stop_condition(move.t_next, 1, move.u_new, move.t, move.u, cells.p, cells.ws, lane)
        )
    if SAMPLES_INSIDE:
        d = dense(move.t, move.h, 0, move.u, move.u_new, move.k, cells.p, cells.ws, lane)
        store_rows(cells.block, ROW_DENSE, lane, d)
    elif SAMPLED:
        calm = calm & not_(
            (move.t_next - cells.lanes[Lane.SAMPLE, lane]) * copysign(1.0, move.h) >= 0.0
        )
    cells.lanes[Lane.CALM, lane] = select(calm, 1.0, 0.0)


def decide(lane, job, cells, control):
    """Take or refuse the attempt of one lane; returns whether the lane leaves the vector loop.

    A lane without a run takes its steps too, from wherever it was; nobody looks at it.
    """
    t = cells.lanes[Lane.T, lane]
    h = cells.lanes[Lane.TOOK, lane]
    t_next = cells.lanes[Lane.T_NEXT, lane]
    dt = cells.lanes[Lane.DT, lane]
    goal = job.t_end
    if OWN_GOALS:
        goal = cells.lanes[Lane.GOAL, lane]
    near = t_next == goal
    retry = cells.lanes[Lane.RETRY, lane]
    last = cells.lanes[Lane.ERROR, lane]
    error = cells.lanes[Lane.TRIED, lane]
    u = load_rows(cells.y, 0, N_STATES, lane)
    u_new = load_rows(cells.block, ROW_KEPT, N_STATES, lane)
    good = error <= 1.0
    calm = True
    if WATCHED:
        calm = cells.lanes[Lane.CALM, lane] != 0.0
    if VARIATIONAL:
        calm = calm & (
            tangents_fit(control.options, cells.lanes[ROW_AWS:ROW_AOUT], lane) | not_(good)
        )
    # What happens at the start of a step comes before its attempt, be that good or not.
    if PRE_HOOK:
        calm = False
    if ADJUSTED:
        calm = False
    stray = error < 0.0
    take = calm & good & not_(stray)
    refuse = calm & not_(good)
    level = error_level(error)
    factor = step_factor(level, good, last, retry, control.options)
    dt_less = h * factor
    short = too_short(t, h, control.options)
    dt_more = next_step_size(h, dt, factor, control.options)
    dt_new = select(take, dt_more, select(refuse, select(short, h, dt_less), dt))
    step = select(take, cells.lanes[Lane.STEP, lane] + 1.0, cells.lanes[Lane.STEP, lane])
    t_new = select(take, t_next, t)
    code = select(
        calm, select(uneven(t_new, dt_new, control.options), Leaves.UNEVEN, 0.0), Leaves.CAREFUL
    )
    code = select(calm & stray, Status.NAN_DETECTED, code)
    code = select(refuse & short, Status.STEPFAIL, code)
    code = select(take & (step >= job.limit), Status.MAX_STEPS, code)
    code = select(take & near, Status.DONE, code)
    code = select(cells.lanes[Lane.ALIVE, lane] != 0.0, code, 0.0)
    cells.lanes[Lane.T, lane] = t_new
    cells.lanes[Lane.DT, lane] = dt_new
    cells.lanes[Lane.ERROR, lane] = select(take, last_level(level), last)
    cells.lanes[Lane.RETRY, lane] = select(calm, select(good, 0.0, 1.0), retry)
    cells.lanes[Lane.REJECTED, lane] += select(refuse, 1.0, 0.0)
    cells.lanes[Lane.STEP, lane] = step
    cells.lanes[Lane.LEAVES, lane] = code
    if NOTED:  # an attempt that the ordinary loop takes anew is counted there
        said = load_rows(cells.block, ROW_TALLY, N_TALLY, lane)
        before = load_rows(cells.ws, TALLY, N_TALLY, lane)
        store_rows(cells.ws, TALLY, lane, choose(take | refuse | (calm & stray), said, before))
    move_lane(lane, take, t, h, u, u_new, cells)
    return select(code != 0.0, 1, 0)


@phase
def move_lane(lane, take, t, h, u, u_new, cells):
    """Put the lane where the attempt leads, if it is taken."""
    if ANALYSIS:
        cells.lanes[Lane.TOOK, lane] = select(take & (cells.lanes[Lane.ALIVE, lane] != 0.0), h, 0.0)
        cells.lanes[Lane.T_PREV, lane] = t
        y_prev = load_rows(cells.block, ROW_PREV, N_STATES, lane)
        store_rows(cells.block, ROW_PREV, lane, choose(take, u, y_prev))
    if LOOKS_BACK:
        ts, us = step_start(cells.ws, lane)
        push_step_start(cells.ws, select(take, t, ts), choose(take, u, us), lane)
    store_rows(cells.y, 0, lane, choose(take, u_new, u))
    if MEMORY:
        m = load_rows(cells.mem, 0, N_MEMORY, lane)
        if ANALYSIS:
            if INSIDE_HOOK:
                store_rows(cells.block, ROW_PREV_MEM, lane, m)
        m_new = load_rows(cells.block, ROW_KEPT + N_STATES, N_MEMORY, lane)
        store_rows(cells.mem, 0, lane, choose(take, m_new, m))


def next_part(lane, job, cells, obs):
    """The transient is over: observers start, and the run goes on to its end."""
    start_observers(lane, job, cells, obs)
    cells.lanes[Lane.OBSERVED_FROM, lane] = cells.lanes[Lane.STEP, lane]
    cells.lanes[Lane.GOAL, lane] = job.t_end
    if int(cells.lanes[Lane.STEP, lane]) >= job.batch[LaneCount.STEP_LIMIT]:
        return Status.MAX_STEPS
    return Status.OK


def settle_adaptive(job, cells, control, runs, rec, log, obs):
    """Let lanes that are done go; take the steps of the others in which something happens."""
    first = 0
    if job.batch[LaneCount.AGAIN] >= 0:
        first = job.batch[LaneCount.AGAIN]
    for lane in range(first, LANES):
        if cells.run[lane] < 0 or cells.lanes[Lane.LEAVES, lane] == 0.0:
            continue
        code = int(cells.lanes[Lane.LEAVES, lane])
        if code == Leaves.UNEVEN:
            code = Status.OK
        if TRANSIENTS:
            if code == Status.DONE and cells.lanes[Lane.GOAL, lane] != job.t_end:
                code = next_part(lane, job, cells, obs)
        if FALLBACK_LOOP:
            while code == Leaves.CAREFUL:
                code = scalar_fallback(lane, 1, job, cells, control, rec, log, obs)
                job.batch[LaneCount.AGAIN] = -1
                if code == Status.GROW_EVT:
                    job.batch[LaneCount.AGAIN] = lane
                    return Status.GROW_EVT
                if TRANSIENTS:
                    if code == Status.DONE and cells.lanes[Lane.GOAL, lane] != job.t_end:
                        code = next_part(lane, job, cells, obs)
                if not ADJUSTED:  # where each step leaves the stepper afresh: one step, one look
                    if code == Status.OK and cells.lanes[Lane.FRESH, lane] != 0.0:
                        code = Leaves.CAREFUL
        if code == Status.OK:
            t = cells.lanes[Lane.T, lane]
            cells.lanes[Lane.DT, lane] = within_bounds(
                t, cells.lanes[Lane.DT, lane], control.options
            )
            cells.lanes[Lane.LEAVES, lane] = 0.0
        else:
            retire_lane(lane, code, job, cells, runs, obs)
    return Status.OK
