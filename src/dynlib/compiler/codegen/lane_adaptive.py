"""Lanes with steps of their own: attempts by selection, and what is made of them."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.lane_args import Lane, LaneClock, LaneCount
from dynlib.abi.status import Status

__all__ = ["decide", "next_part", "settle_adaptive", "try_step"]


def try_step(lane, t_end, block, lanes, y, mem, ws, p, options, tolerances):
    """One attempt of one lane: its result and its error, which `decide` looks at.

    That takes longer than it has work for a processor, since all of it waits for the error: in a
    loop of its own the lanes wait side by side.
    """
    t = lanes[Lane.T, lane]
    dt = lanes[Lane.DT, lane]
    if ANALYSIS:
        t_end = lanes[Lane.GOAL, lane]
    h, t_next = step_ahead(t, dt, t_end)
    lanes[Lane.TOOK, lane] = h
    lanes[Lane.T_NEXT, lane] = t_next
    u = load_rows(y, 0, N_STATES, lane)
    m = 0.0
    if MEMORY:
        m = load_rows(mem, 0, N_MEMORY, lane)
    u_new, k = attempt(t, h, 0, u, m, p, ws, lane)
    error = error_norm(h, u, u_new, k, options, tolerances, lane)
    lanes[Lane.TRIED, lane] = select((error <= 1.0) & not_(all_finite(u_new)), -1.0, error)
    store_rows(block, ROW_KEPT, lane, u_new)
    if MEMORY:
        store_rows(block, ROW_KEPT + N_STATES, lane, next_memory(m, k))
    if WATCHED:
        calm = True
        if LOOKS_BACK:
            ts, us = step_start(ws, lane)
        elif STOP_START:
            ts = t
            us = u
        if EVENTS:
            calm = quiet(t_next, 1, u_new, t, u, p, ws, lane)
            if LOCATED:
                d = dense(t, h, 0, u, u_new, k, p, ws, lane)
                calm = calm & quiet_inside(t, h, 1, u, u_new, d, p, ws, lane)
        if SWITCHES:
            calm = calm & (abs_(float(ws[SWITCH, lane]) - t) > 1.01 * abs_(dt))
        if STOP_START:
            calm = calm & not_(stop_condition(t, 0, u, ts, us, p, ws, lane))
        if STOP_END:
            calm = calm & not_(stop_condition(t_next, 1, u_new, t, u, p, ws, lane))
        if SAMPLES_INSIDE:
            d = dense(t, h, 0, u, u_new, k, p, ws, lane)
            store_rows(block, ROW_DENSE, lane, d)
        elif SAMPLED:
            calm = calm & not_((t_next - lanes[Lane.SAMPLE, lane]) * copysign(1.0, h) >= 0.0)
        lanes[Lane.CALM, lane] = select(calm, 1.0, 0.0)


def decide(lane, t_end, limit, block, lanes, y, mem, ws, p, options):
    """Take or refuse the attempt of one lane; returns whether the lane leaves the vector loop.

    A lane without a run takes its steps too, from wherever it was; nobody looks at it.
    """
    t = lanes[Lane.T, lane]
    h = lanes[Lane.TOOK, lane]
    t_next = lanes[Lane.T_NEXT, lane]
    dt = lanes[Lane.DT, lane]
    if ANALYSIS:
        t_end = lanes[Lane.GOAL, lane]
    near = t_next == t_end
    retry = lanes[Lane.RETRY, lane]
    last = lanes[Lane.ERROR, lane]
    error = lanes[Lane.TRIED, lane]
    u = load_rows(y, 0, N_STATES, lane)
    u_new = load_rows(block, ROW_KEPT, N_STATES, lane)
    good = error <= 1.0
    calm = True
    if WATCHED:
        calm = lanes[Lane.CALM, lane] != 0.0
    if VARIATIONAL:
        calm = calm & (tangents_fit(options, lanes[ROW_AWS:ROW_AOUT], lane) | not_(good))
    # What happens at the start of a step comes before its attempt, be that good or not.
    if PRE_HOOK:
        calm = False
    if ADJUSTED:
        calm = False
    stray = error < 0.0
    take = calm & good & not_(stray)
    refuse = calm & not_(good)
    level = error_level(error)
    factor = step_factor(level, good, last, retry, options)
    dt_less = h * factor
    short = too_short(t, h, options)
    dt_more = next_step_size(h, dt, factor, options)
    dt_new = select(take, dt_more, select(refuse, select(short, h, dt_less), dt))
    step = select(take, lanes[Lane.STEP, lane] + 1.0, lanes[Lane.STEP, lane])
    t_new = select(take, t_next, t)
    code = select(calm, select(uneven(t_new, dt_new, options), UNEVEN, 0.0), CAREFUL)
    code = select(calm & stray, Status.NAN_DETECTED, code)
    code = select(refuse & short, Status.STEPFAIL, code)
    code = select(take & (step >= limit), Status.MAX_STEPS, code)
    code = select(take & near, Status.DONE, code)
    code = select(lanes[Lane.ALIVE, lane] != 0.0, code, 0.0)
    lanes[Lane.T, lane] = t_new
    lanes[Lane.DT, lane] = dt_new
    lanes[Lane.ERROR, lane] = select(take, last_level(level), last)
    lanes[Lane.RETRY, lane] = select(calm, select(good, 0.0, 1.0), retry)
    lanes[Lane.REJECTED, lane] += select(refuse, 1.0, 0.0)
    lanes[Lane.STEP, lane] = step
    lanes[Lane.LEAVES, lane] = code
    if ANALYSIS:
        lanes[Lane.TOOK, lane] = select(take & (lanes[Lane.ALIVE, lane] != 0.0), h, 0.0)
        lanes[Lane.T_PREV, lane] = t
        y_prev = load_rows(block, ROW_PREV, N_STATES, lane)
        store_rows(block, ROW_PREV, lane, choose(take, u, y_prev))
    if LOOKS_BACK:
        ts, us = step_start(ws, lane)
        push_step_start(ws, select(take, t, ts), choose(take, u, us), lane)
    store_rows(y, 0, lane, choose(take, u_new, u))
    if MEMORY:
        m = load_rows(mem, 0, N_MEMORY, lane)
        if ANALYSIS:
            if INSIDE_HOOK:
                store_rows(block, ROW_PREV_MEM, lane, m)
        m_new = load_rows(block, ROW_KEPT + N_STATES, N_MEMORY, lane)
        store_rows(mem, 0, lane, choose(take, m_new, m))
    return select(code != 0.0, 1, 0)


def next_part(lane, t_end, grid, batch, block, lanes, y, ws, p, obs):
    """The transient is over: observers start, and the run goes on to its end."""
    start_observers(lane, grid, batch, block, lanes, y, ws, p, obs)
    lanes[Lane.OBSERVED_FROM, lane] = lanes[Lane.STEP, lane]
    lanes[Lane.GOAL, lane] = t_end
    if int(lanes[Lane.STEP, lane]) >= batch[LaneCount.STEP_LIMIT]:
        return Status.MAX_STEPS
    return Status.OK


def settle_adaptive(
    grid, batch, block, lanes, run, clock, count, y, mem, ws, p, varied,
    states, times, status, steps, rejects, rows, options, tolerances,
    rec_t, rec_y, rec_aux, sel_y, sel_aux, samples,
    evt_run, evt_t, evt_step, evt_id, evt_log, obs,
):  # fmt: skip
    """Let lanes that are done go; take the steps of the others in which something happens."""
    t_end = grid[LaneClock.T_END]
    first = 0
    if batch[LaneCount.AGAIN] >= 0:
        first = batch[LaneCount.AGAIN]
    for lane in range(first, LANES):
        if run[lane] < 0 or lanes[Lane.LEAVES, lane] == 0.0:
            continue
        code = int(lanes[Lane.LEAVES, lane])
        if code == UNEVEN:
            code = Status.OK
        if ANALYSIS:
            if code == Status.DONE and lanes[Lane.GOAL, lane] != t_end:
                code = next_part(lane, t_end, grid, batch, block, lanes, y, ws, p, obs)
        again = batch[LaneCount.AGAIN] == lane
        if CAREFUL_LOOP:
            while code == CAREFUL:
                code = careful(
                    lane, 1, again, grid, batch, lanes, run, clock, count, y, mem, ws, p,
                    options, tolerances, rec_t, rec_y, rec_aux, sel_y, sel_aux, samples,
                    evt_run, evt_t, evt_step, evt_id, evt_log, block, obs,
                )  # fmt: skip
                batch[LaneCount.AGAIN] = -1
                again = False
                if code == Status.GROW_EVT:
                    batch[LaneCount.AGAIN] = lane
                    return Status.GROW_EVT
                if ANALYSIS:
                    if code == Status.DONE and lanes[Lane.GOAL, lane] != t_end:
                        code = next_part(lane, t_end, grid, batch, block, lanes, y, ws, p, obs)
                if not ADJUSTED:  # where each step leaves the stepper afresh: one step, one look
                    if code == Status.OK and lanes[Lane.FRESH, lane] != 0.0:
                        code = CAREFUL
        if code == Status.OK:
            t = lanes[Lane.T, lane]
            lanes[Lane.DT, lane] = within_bounds(t, lanes[Lane.DT, lane], options)
            lanes[Lane.LEAVES, lane] = 0.0
        else:
            finish(
                lane, code, grid, batch, block, lanes, run, y, ws, p, varied, states,
                times, status, steps, rejects, rows, obs,
            )  # fmt: skip
    return Status.OK
