"""The fast path: many runs side by side in the lanes of a block.

Column `lane` of `block` holds the state of one run, its stepper memory and its workspace, a
copy of these from the start of the present chunk, and its parameters; `lanes` holds its step,
time and the like.  The loops over `range(LANES)` are straight-line, so that LLVM turns them into
vector instructions.  They only take steps in which nothing happens.  Where something does — an
event, a stop condition, a sample, a number that is not finite, a last step of its own length —
the lane is taken back to where nothing had happened yet and goes on, for a few steps, through
the ordinary run loop.  So a batch does what a single run does, by construction, and with the
same bits.

The functions are templates like `dynlib.compiler.codegen.run_loop`; names in capitals that are
no flags are numbers put in by `dynlib.compiler.codegen.lane_program`.
"""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.lane_args import Lane, LaneClock, LaneCount
from dynlib.abi.slots import Clock, Count
from dynlib.abi.status import Status

__all__ = ["adaptive_step", "careful", "fast_run", "finish", "fixed_step", "take_up"]


def fast_run(
    grid, batch, block, lanes, run, clock, count, uniform, varied, states,
    times, status, steps, rejects, rows, given_options, given_tolerances,
    rec_t, rec_y, rec_aux, sel_y, sel_aux, samples,
    evt_run, evt_t, evt_step, evt_id, evt_log,
):  # fmt: skip
    y = block[ROW_Y:ROW_MEM]
    mem = block[ROW_MEM:ROW_WS]
    ws = block[ROW_WS:ROW_KEPT]
    p = (block[ROW_P:ROW_FLAG], load_values(uniform, N_PARAMS))
    flag = block[ROW_FLAG]
    dt = grid[LaneClock.DT]
    if ADAPTIVE:
        options = load_values(given_options, N_OPTIONS)
        tolerances = load_values(given_tolerances, N_TOLERANCES)
    else:
        options = given_options
        tolerances = given_tolerances
    t_end = grid[LaneClock.T_END]
    limit = batch[LaneCount.STEP_LIMIT]
    picked = load_values(count, N_COUNT)
    result = Status.OK
    budget = batch[LaneCount.BUDGET]
    chunk = 0
    while True:
        if batch[LaneCount.AGAIN] < 0:
            active = 0
            for lane in range(LANES):
                if run[lane] < 0 and batch[LaneCount.NEXT_RUN] < batch[LaneCount.RUNS]:
                    take_up(
                        lane, grid, batch, block, lanes, run, y, mem, ws, p, varied, states,
                        options, tolerances, samples,
                    )  # fmt: skip
                if run[lane] >= 0:
                    active += 1
            if active == 0:
                result = Status.DONE
                break
            if budget <= 0:
                break
            if ADAPTIVE:
                leaving = 0
                for lane in range(LANES):
                    if run[lane] >= 0 and lanes[Lane.LEAVES, lane] != 0.0:
                        leaving += 1
                chunk = 0
                while leaving == 0 and chunk < CHUNK:
                    for lane in range(LANES):
                        leaving += adaptive_step(
                            lane, t_end, limit, lanes, y, mem, ws, p, options, tolerances
                        )
                    chunk += 1
            else:
                chunk, in_phase = plan_chunk(grid, batch, lanes, run)
                for r in range(N_KEPT):
                    for lane in range(LANES):
                        block[ROW_KEPT + r, lane] = block[r, lane]
                for lane in range(LANES):
                    flag[lane] = lanes[Lane.FRESH, lane] != 0.0
                if chunk == 0:
                    for lane in range(LANES):
                        flag[lane] = 1
                    chunk = 1
                else:
                    advance(
                        chunk, in_phase, dt, grid, batch, lanes, run, y, mem, ws, p, flag,
                        rec_t, rec_y, rec_aux, sel_y, sel_aux, picked,
                    )  # fmt: skip
            budget -= chunk
        if ADAPTIVE:
            result = settle_adaptive(
                grid, batch, block, lanes, run, clock, count, y, mem, ws, p, states,
                times, status, steps, rejects, rows, options, tolerances,
                rec_t, rec_y, rec_aux, sel_y, sel_aux, samples,
                evt_run, evt_t, evt_step, evt_id, evt_log,
            )  # fmt: skip
        else:
            result = settle_fixed(
                chunk, grid, batch, block, lanes, run, clock, count, y, mem, ws, p, flag, states,
                times, status, steps, rejects, rows, options, tolerances,
                rec_t, rec_y, rec_aux, sel_y, sel_aux, samples,
                evt_run, evt_t, evt_step, evt_id, evt_log,
            )  # fmt: skip
        if result != Status.OK:
            break
    batch[LaneCount.BUDGET] = budget
    return result


def take_up(
    lane, grid, batch, block, lanes, run, y, mem, ws, p, varied, states,
    options, tolerances, samples,
):  # fmt: skip
    """Put the next run into a lane."""
    r = batch[LaneCount.NEXT_RUN]
    batch[LaneCount.NEXT_RUN] = r + 1
    run[lane] = r
    for i in range(N_STATES):
        y[i, lane] = states[i, r]
    for i in range(N_VARIED):
        block[ROW_P + i, lane] = varied[i, r]
    for i in range(N_LANE_ROWS):
        lanes[i, lane] = 0.0
    step = batch[LaneCount.STEP0]
    t = grid[LaneClock.T0]
    lanes[Lane.STEP, lane] = step
    lanes[Lane.T, lane] = t
    lanes[Lane.ALIVE, lane] = 1.0
    u = load_rows(y, 0, N_STATES, lane)
    if LAGS:
        start_lags(ws, u, lane)
    if LOOKS_BACK:
        push_step_start(ws, t, u, lane)
    if EVENTS:
        init_events(t, step, u, p, ws, lane)
    if MEMORY:
        store_rows(mem, 0, lane, restart(t, step, u, p, ws, lane))
    if LOCATED:
        lanes[Lane.FRESH, lane] = 2.0
    if ADAPTIVE:
        lanes[Lane.ERROR, lane] = 1e-8
        lanes[Lane.DT, lane] = grid[LaneClock.DT]
        if grid[LaneClock.DT] == 0.0:
            lanes[Lane.DT, lane] = first_step(
                t, grid[LaneClock.T_END], step, u, p, ws, options, tolerances, lane
            )
        if LOCATED:
            lanes[Lane.LEAVES, lane] = CAREFUL
        if SAMPLED:
            lanes[Lane.LEAVES, lane] = CAREFUL
        if t == grid[LaneClock.T_END] or batch[LaneCount.STEP_LIMIT] <= 0:
            lanes[Lane.LEAVES, lane] = CAREFUL


def plan_chunk(grid, batch, lanes, run):
    """Steps that every lane can take before one of them ends or, out of phase, has to record.

    0 says that a lane has only a step of its own kind left, which the careful pass takes.
    """
    end = batch[LaneCount.STEP_END]
    if grid[LaneClock.DT_LAST] != grid[LaneClock.DT]:
        end -= 1
    end = min(end, batch[LaneCount.STEP_LIMIT])
    chunk = CHUNK
    in_phase = True
    step = -1
    row = 0.0
    for lane in range(LANES):
        if run[lane] >= 0:
            k = int(lanes[Lane.STEP, lane])
            chunk = min(chunk, end - k)
            if step < 0:
                step = k
                row = lanes[Lane.ROW, lane]
            in_phase = in_phase and k == step and lanes[Lane.ROW, lane] == row
    chunk = max(chunk, 0)
    if not in_phase and batch[LaneCount.FIRST_RECORD] >= 0:
        for lane in range(LANES):
            if run[lane] >= 0:
                k = int(lanes[Lane.STEP, lane])
                due = next_record(batch, lanes, lane)
                if due > k:
                    chunk = min(chunk, due - k)
                elif due == k:
                    chunk = min(chunk, 1)
    return chunk, in_phase


def next_record(batch, lanes, lane):
    """Step of the lane's next record; -1: none."""
    row = int(lanes[Lane.ROW, lane])
    if batch[LaneCount.FIRST_RECORD] < 0 or row >= batch[LaneCount.ROWS]:
        return -1
    return batch[LaneCount.FIRST_RECORD] + row * batch[LaneCount.STRIDE]


def advance(
    chunk, in_phase, dt, grid, batch, lanes, run, y, mem, ws, p, flag,
    rec_t, rec_y, rec_aux, sel_y, sel_aux, picked,
):  # fmt: skip
    """`chunk` steps of all lanes."""
    t0 = grid[LaneClock.T0]
    recording = batch[LaneCount.FIRST_RECORD] >= 0
    first_lane = 0
    while first_lane < LANES - 1 and run[first_lane] < 0:
        first_lane += 1
    row = int(lanes[Lane.ROW, first_lane])
    step = int(lanes[Lane.STEP, first_lane])
    due = next_record(batch, lanes, first_lane)
    for i in range(chunk):
        if recording:
            if in_phase:
                if step + i == due:
                    for lane in range(LANES):
                        if run[lane] >= 0:
                            write_row(
                                row, step + i, lane, grid, run, y, p, ws,
                                rec_t, rec_y, rec_aux, sel_y, sel_aux, picked,
                            )  # fmt: skip
                    row += 1
                    due += batch[LaneCount.STRIDE]
                    if row >= batch[LaneCount.ROWS]:
                        due = -1
            elif i == 0:
                for lane in range(LANES):
                    if run[lane] >= 0 and next_record(batch, lanes, lane) == int(
                        lanes[Lane.STEP, lane]
                    ):
                        write_row(
                            int(lanes[Lane.ROW, lane]), int(lanes[Lane.STEP, lane]), lane,
                            grid, run, y, p, ws,
                            rec_t, rec_y, rec_aux, sel_y, sel_aux, picked,
                        )  # fmt: skip
        for lane in range(LANES):
            fixed_step(i, lane, t0, dt, lanes, y, mem, ws, p, flag)


def write_row(
    row, step, lane, grid, run, y, p, ws, rec_t, rec_y, rec_aux, sel_y, sel_aux, picked
):
    """Record a lane's state."""
    t = grid[LaneClock.T0] + step * grid[LaneClock.DT]
    if DISCRETE:
        t = step * 1.0
    rec_t[row] = t
    u = load_rows(y, 0, N_STATES, lane)
    record(
        row, t, step, u, y, p, ws, rec_y[run[lane]], rec_aux[run[lane]],
        sel_y, sel_aux, picked, lane,
    )  # fmt: skip


def fixed_step(i, lane, t0, dt, lanes, y, mem, ws, p, flag):
    """One step of one lane; `flag` says whether anything would have happened in it."""
    s = lanes[Lane.STEP, lane] + i
    if DISCRETE:
        t = s
        h = 1.0
        t_next = s + 1.0
    else:
        t = t0 + s * dt
        h = dt
        t_next = t0 + (s + 1.0) * dt
    step = integer(s)
    u = load_rows(y, 0, N_STATES, lane)
    if LOOKS_BACK:
        push_step_start(ws, t, u, lane)
    if LAGS:
        push_lags(ws, step, u, lane)
    m = 0.0
    if MEMORY:
        m = load_rows(mem, 0, N_MEMORY, lane)
    u_new, k = attempt(t, h, step, u, m, p, ws, lane)
    if MEMORY:
        store_rows(mem, 0, lane, next_memory(m, k))
    if WATCHED:
        happens = False
        if EVENTS:
            happens = not_(quiet(t_next, step + 1, u_new, t, u, p, ws, lane))
        if STOP_START:
            happens = happens | stop_condition(t, step, u, t, u, p, ws, lane)
        if STOP_END:
            happens = happens | stop_condition(t_next, step + 1, u_new, t, u, p, ws, lane)
        if DISCRETE:
            happens = happens | not_(all_finite(u_new))
        flag[lane] = select(happens, 1, flag[lane])
    store_rows(y, 0, lane, u_new)


def settle_fixed(
    chunk, grid, batch, block, lanes, run, clock, count, y, mem, ws, p, flag, states,
    times, status, steps, rejects, rows, options, tolerances,
    rec_t, rec_y, rec_aux, sel_y, sel_aux, samples,
    evt_run, evt_t, evt_step, evt_id, evt_log,
):  # fmt: skip
    """Accept the chunk for the lanes in which nothing happened, redo it for the others."""
    first = 0
    if batch[LaneCount.AGAIN] >= 0:
        first = batch[LaneCount.AGAIN]
    for lane in range(first, LANES):
        if run[lane] < 0:
            continue
        code = Status.OK
        again = batch[LaneCount.AGAIN] == lane
        if again or flag[lane] != 0 or not all_finite(load_rows(y, 0, N_STATES, lane)):
            if not again:
                for r in range(N_KEPT):
                    block[r, lane] = block[ROW_KEPT + r, lane]
            code = careful(
                lane, chunk, again, grid, batch, lanes, run, clock, count, y, mem, ws, p,
                options, tolerances, rec_t, rec_y, rec_aux, sel_y, sel_aux, samples,
                evt_run, evt_t, evt_step, evt_id, evt_log,
            )  # fmt: skip
            batch[LaneCount.AGAIN] = -1
            if code == Status.GROW_EVT:
                batch[LaneCount.AGAIN] = lane
                return Status.GROW_EVT
        else:
            before = int(lanes[Lane.STEP, lane])
            due = next_record(batch, lanes, lane)
            if due >= 0 and due < before + chunk:
                passed = (before + chunk - 1 - due) // batch[LaneCount.STRIDE] + 1
                left = batch[LaneCount.ROWS] - int(lanes[Lane.ROW, lane])
                lanes[Lane.ROW, lane] += min(passed, left)
            lanes[Lane.STEP, lane] = before + chunk
            step = before + chunk
            if step >= batch[LaneCount.STEP_END] or step >= batch[LaneCount.STEP_LIMIT]:
                if next_record(batch, lanes, lane) == step:
                    write_row(
                        int(lanes[Lane.ROW, lane]), step, lane, grid, run, y, p, ws,
                        rec_t, rec_y, rec_aux, sel_y, sel_aux, load_values(count, N_COUNT),
                    )  # fmt: skip
                    lanes[Lane.ROW, lane] += 1.0
                code = Status.DONE
                if step < batch[LaneCount.STEP_END]:
                    code = Status.MAX_STEPS
            lanes[Lane.T, lane] = grid[LaneClock.T0] + step * grid[LaneClock.DT]
            if DISCRETE:
                lanes[Lane.T, lane] = step
        if code != Status.OK:
            finish(lane, code, batch, lanes, run, y, states, times, status, steps, rejects, rows)
    return Status.OK


def adaptive_step(lane, t_end, limit, lanes, y, mem, ws, p, options, tolerances):
    """One attempt of one lane; returns whether the lane leaves the vector loop."""
    t = lanes[Lane.T, lane]
    dt = lanes[Lane.DT, lane]
    retry = lanes[Lane.RETRY, lane]
    error_last = lanes[Lane.ERROR, lane]
    alive = lanes[Lane.ALIVE, lane] != 0.0
    rest = t_end - t
    near = abs_(rest) <= 1.01 * abs_(dt)
    h = select(near, rest, dt)
    t_next = select(near, t_end, t + dt)
    u = load_rows(y, 0, N_STATES, lane)
    m = 0.0
    if MEMORY:
        m = load_rows(mem, 0, N_MEMORY, lane)
    if LOOKS_BACK:
        push_step_start(ws, t, u, lane)
    u_new, k = attempt(t, h, 0, u, m, p, ws, lane)
    error = error_norm(h, u, u_new, k, options, tolerances, lane)
    good = error <= 1.0
    finite = all_finite(u_new)
    calm = True
    if EVENTS:
        calm = quiet(t_next, 1, u_new, t, u, p, ws, lane)
        if LOCATED:
            d = dense(t, h, 0, u, u_new, k, p, ws, lane)
            calm = calm & quiet_inside(t, h, 1, u, u_new, d, p, ws, lane)
    if STOP_START:
        calm = calm & not_(stop_condition(t, 0, u, t, u, p, ws, lane))
    if STOP_END:
        calm = calm & not_(stop_condition(t_next, 1, u_new, t, u, p, ws, lane))
    if SAMPLED:
        calm = calm & not_((t_next - lanes[Lane.SAMPLE, lane]) * h >= 0.0)
    fair = alive & good
    take = fair & finite & calm
    refuse = alive & not_(good)
    dt_less = shrink(h, error, options)
    short = too_short(t, dt_less, options)
    dt_more = next_step_size(h, dt, error, error_last, retry, options)
    dt_new = select(take, dt_more, select(refuse, select(short, h, dt_less), dt))
    step = select(take, lanes[Lane.STEP, lane] + 1.0, lanes[Lane.STEP, lane])
    code = select(fair & finite & not_(calm), CAREFUL, 0.0)
    code = select(fair & not_(finite), Status.NAN_DETECTED, code)
    code = select(refuse & short, Status.STEPFAIL, code)
    code = select(take & (step >= limit), Status.MAX_STEPS, code)
    code = select(take & near, Status.DONE, code)
    lanes[Lane.T, lane] = select(take, t_next, t)
    lanes[Lane.DT, lane] = dt_new
    lanes[Lane.ERROR, lane] = select(take, error, error_last)
    lanes[Lane.RETRY, lane] = select(take, 0.0, select(refuse, 1.0, retry))
    lanes[Lane.REJECTED, lane] = select(
        refuse, lanes[Lane.REJECTED, lane] + 1.0, lanes[Lane.REJECTED, lane]
    )
    lanes[Lane.STEP, lane] = step
    leaves = alive & (code != 0.0)
    lanes[Lane.LEAVES, lane] = select(leaves, code, lanes[Lane.LEAVES, lane])
    lanes[Lane.ALIVE, lane] = select(leaves, 0.0, lanes[Lane.ALIVE, lane])
    store_rows(y, 0, lane, choose(take, u_new, u))
    if MEMORY:
        store_rows(mem, 0, lane, choose(take, next_memory(m, k), m))
    return select(leaves, 1, 0)


def settle_adaptive(
    grid, batch, block, lanes, run, clock, count, y, mem, ws, p, states,
    times, status, steps, rejects, rows, options, tolerances,
    rec_t, rec_y, rec_aux, sel_y, sel_aux, samples,
    evt_run, evt_t, evt_step, evt_id, evt_log,
):  # fmt: skip
    """Let lanes that are done go; take the steps of the others in which something happens."""
    first = 0
    if batch[LaneCount.AGAIN] >= 0:
        first = batch[LaneCount.AGAIN]
    for lane in range(first, LANES):
        if run[lane] < 0 or lanes[Lane.LEAVES, lane] == 0.0:
            continue
        code = int(lanes[Lane.LEAVES, lane])
        again = batch[LaneCount.AGAIN] == lane
        while code == CAREFUL:
            code = careful(
                lane, 1, again, grid, batch, lanes, run, clock, count, y, mem, ws, p,
                options, tolerances, rec_t, rec_y, rec_aux, sel_y, sel_aux, samples,
                evt_run, evt_t, evt_step, evt_id, evt_log,
            )  # fmt: skip
            batch[LaneCount.AGAIN] = -1
            again = False
            if code == Status.GROW_EVT:
                batch[LaneCount.AGAIN] = lane
                return Status.GROW_EVT
            if code == Status.OK and lanes[Lane.FRESH, lane] != 0.0:
                code = CAREFUL
        if code == Status.OK:
            lanes[Lane.LEAVES, lane] = 0.0
            lanes[Lane.ALIVE, lane] = 1.0
        else:
            finish(lane, code, batch, lanes, run, y, states, times, status, steps, rejects, rows)
    return Status.OK


def careful(
    lane, chunk, again, grid, batch, lanes, run, clock, count, y, mem, ws, p,
    options, tolerances, rec_t, rec_y, rec_aux, sel_y, sel_aux, samples,
    evt_run, evt_t, evt_step, evt_id, evt_log,
):  # fmt: skip
    """Take `chunk` steps of one lane through the ordinary run loop.

    Returns `OK` if the run goes on, `GROW_EVT` if the event log needs room first (the pass is
    then gone on with, `again`), or the status with which the run ends.
    """
    r = run[lane]
    limit = batch[LaneCount.STEP_LIMIT]
    if not again:
        step = int(lanes[Lane.STEP, lane])
        clock[Clock.ORIGIN] = grid[LaneClock.T0]
        clock[Clock.DT_LAST] = grid[LaneClock.DT_LAST]
        clock[Clock.T_END] = grid[LaneClock.T_END]
        clock[Clock.ERROR] = lanes[Lane.ERROR, lane]
        if ADAPTIVE:
            clock[Clock.T] = lanes[Lane.T, lane]
            clock[Clock.DT] = lanes[Lane.DT, lane]
        else:
            clock[Clock.T] = grid[LaneClock.T0] + step * grid[LaneClock.DT]
            clock[Clock.DT] = grid[LaneClock.DT]
        if DISCRETE:
            clock[Clock.T] = step
        count[Count.STEP] = step
        count[Count.STEP_END] = batch[LaneCount.STEP_END]
        count[Count.STEP_LIMIT] = min(limit, step + chunk)
        count[Count.ACCEPTED] = 0
        count[Count.REJECTED] = int(lanes[Lane.REJECTED, lane])
        count[Count.FRESH] = int(lanes[Lane.FRESH, lane])
        count[Count.CUTS] = 0
        count[Count.STARTED] = -1
        count[Count.STOPPED] = 0
        count[Count.NEXT_RECORD] = next_record(batch, lanes, lane)
        count[Count.STRIDE] = batch[LaneCount.STRIDE]
        count[Count.ROW] = int(lanes[Lane.ROW, lane])
        count[Count.SAMPLE] = int(lanes[Lane.ROW, lane])
        count[Count.SAMPLES] = batch[LaneCount.SAMPLES]
        count[Count.RETRY] = int(lanes[Lane.RETRY, lane])
    count[Count.ROWS] = batch[LaneCount.ROWS]
    count[Count.BUDGET] = 1 << 60
    count[Count.EVENT_ROW] = batch[LaneCount.EVENT_ROW]
    count[Count.EVENT_ROWS] = batch[LaneCount.EVENT_ROWS]
    code = RUN_LOOP(
        lane, clock, count, y, y, p, mem, ws, options, tolerances,
        rec_t, rec_y[r], rec_aux[r], sel_y, sel_aux, samples,
        evt_t, evt_step, evt_id, evt_log,
        lanes, lanes, lanes, count,
    )  # fmt: skip
    for row in range(batch[LaneCount.EVENT_ROW], count[Count.EVENT_ROW]):
        evt_run[row] = r
    batch[LaneCount.EVENT_ROW] = count[Count.EVENT_ROW]
    if code == Status.GROW_EVT:
        return code
    step = count[Count.STEP]
    lanes[Lane.STEP, lane] = step
    lanes[Lane.T, lane] = clock[Clock.T]
    lanes[Lane.DT, lane] = clock[Clock.DT]
    lanes[Lane.ERROR, lane] = clock[Clock.ERROR]
    lanes[Lane.RETRY, lane] = count[Count.RETRY]
    lanes[Lane.REJECTED, lane] = count[Count.REJECTED]
    lanes[Lane.FRESH, lane] = count[Count.FRESH]
    lanes[Lane.ROW, lane] = count[Count.ROW]
    if SAMPLED:
        lanes[Lane.SAMPLE, lane] = inf * (grid[LaneClock.T_END] - grid[LaneClock.T0])
        if count[Count.SAMPLE] < batch[LaneCount.SAMPLES]:
            lanes[Lane.SAMPLE, lane] = samples[count[Count.SAMPLE]]
    if code == Status.MAX_STEPS and step < limit:
        code = Status.OK
    return code


def finish(lane, code, batch, lanes, run, y, states, times, status, steps, rejects, rows):
    """Give a run's results back and free its lane."""
    r = run[lane]
    for i in range(N_STATES):
        states[i, r] = y[i, lane]
    times[r] = lanes[Lane.T, lane]
    status[r] = code
    steps[r] = int(lanes[Lane.STEP, lane]) - batch[LaneCount.STEP0]
    rejects[r] = int(lanes[Lane.REJECTED, lane])
    rows[r] = int(lanes[Lane.ROW, lane])
    run[lane] = -1
    lanes[Lane.ALIVE, lane] = 0.0
    lanes[Lane.LEAVES, lane] = 0.0
