"""The fast path: many runs side by side in the lanes of a block.

Column `lane` of `block` holds the state of one run, its stepper memory and its workspace, a
copy of these from the start of the present chunk, and its parameters; `lanes` holds its step,
time and the like.  The loops over `range(LANES)` are straight-line, so that LLVM turns them into
vector instructions.  They only take steps in which nothing happens.  Where something does — an
event, a stop condition, a sample, a number that is not finite, a last step of its own length —
the lane is taken back to where nothing had happened yet and goes on, for a few steps, through
the ordinary run loop (or, where only a number can go astray, through a plain one).  So a batch
does what a single run does, by construction, and with the same bits.

The functions here and in `lane_fixed`, `lane_records`, `lane_adaptive`, `lane_careful` and
`lane_observers` are templates like `dynlib.compiler.codegen.run_loop`; names in capitals that are
no flags are numbers put in by `dynlib.compiler.codegen.lane_program`.
"""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.lane_args import Lane, LaneClock, LaneCount, Obs
from dynlib.abi.status import Status

__all__ = ["fast_run", "finish", "next_record", "take_up"]


def fast_run(
    grid, batch, queue, block, lanes, run, clock, count, uniform, varied, states,
    times, status, steps, rejects, rows, given_options, given_tolerances,
    rec_t, rec_y, rec_aux, sel_y, sel_aux, samples,
    evt_run, evt_t, evt_step, evt_id, evt_log, obs=0,
):  # fmt: skip
    y = block[ROW_Y:ROW_MEM]
    mem = block[ROW_MEM:ROW_WS]
    ws = block[ROW_WS:ROW_KEPT]
    if MANY_PARAMS:
        p = (block[ROW_P:ROW_FLAG], uniform)
    else:
        p = (block[ROW_P:ROW_FLAG], load_values(uniform, N_PARAMS))
    flag = block[ROW_FLAG]
    dt = grid[LaneClock.DT]
    if ADAPTIVE:
        options = load_values(given_options, N_OPTIONS)
        tolerances = load_values(given_tolerances, N_TOLERANCES)
    else:
        tile = block[ROW_TILE:BLOCK_ROWS]
        options = given_options
        tolerances = given_tolerances
    t_end = grid[LaneClock.T_END]
    limit = batch[LaneCount.STEP_LIMIT]
    picked = load_values(count, N_COUNT)
    result = Status.OK
    budget = batch[LaneCount.BUDGET]
    chunk = batch[LaneCount.TAKEN]
    calm = False
    leader = -1
    more = True
    held = 0
    row = 0
    while True:
        if batch[LaneCount.AGAIN] < 0:
            if not calm:
                active = 0
                for lane in range(LANES):
                    if run[lane] < 0 and more:
                        r = take_number(queue)
                        more = r < batch[LaneCount.RUNS]
                        if more:
                            take_up(
                                r, lane, grid, batch, block, lanes, run, y, mem, ws, p, varied,
                                states, options, tolerances, samples, obs,
                            )  # fmt: skip
                    if run[lane] >= 0:
                        active += 1
                        if ANALYSIS:
                            if not ADAPTIVE:
                                start_if_due(lane, grid, batch, block, lanes, y, ws, p, obs)
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
                    if VARIATIONAL:
                        tangents_of_attempt(lanes, y, mem, ws, p)
                    for lane in range(LANES):
                        try_step(lane, t_end, block, lanes, y, mem, ws, p, options, tolerances)
                    if SAMPLES_INSIDE:
                        if samples_due(lanes) > 0:
                            for lane in range(LANES):
                                if run[lane] >= 0:
                                    record_samples(
                                        lane, grid, batch, block, lanes, run, y, p, ws, picked,
                                        rec_t, rec_y, rec_aux, sel_y, sel_aux, samples,
                                    )  # fmt: skip
                    for lane in range(LANES):
                        leaving += decide(lane, t_end, limit, block, lanes, y, mem, ws, p, options)
                    if ANALYSIS:
                        leaving += observe_adaptive(batch, block, lanes, y, mem, ws, p, obs)
                    chunk += 1
            else:
                if not calm:
                    leader = find_leader(lanes, run)
                chunk = plan_chunk(leader, grid, batch, lanes, run)
                for r in range(N_KEPT):
                    copy_row(block, LANES, ROW_KEPT + r, block, r)
                if ANALYSIS:
                    keep_observers(lanes, obs)
                for lane in range(LANES):
                    flag[lane] = lanes[Lane.FRESH, lane] != 0.0
                if ADJUSTED:  # an observer changes every step: the careful pass takes them all
                    for lane in range(LANES):
                        flag[lane] = 1
                    chunk = max(chunk, 1)
                elif chunk == 0:
                    for lane in range(LANES):
                        flag[lane] = 1
                    chunk = 1
                else:
                    held, row = advance(
                        chunk, leader, held, dt, grid, batch, lanes, run, y, mem, ws, p, flag, tile,
                        rec_y, rec_aux, sel_y, sel_aux, picked, block, obs,
                    )  # fmt: skip
            budget -= chunk
        if ADAPTIVE:
            result = settle_adaptive(
                grid, batch, block, lanes, run, clock, count, y, mem, ws, p, varied,
                states, times, status, steps, rejects, rows, options, tolerances,
                rec_t, rec_y, rec_aux, sel_y, sel_aux, samples,
                evt_run, evt_t, evt_step, evt_id, evt_log, obs,
            )  # fmt: skip
        else:
            if not ANALYSIS:
                calm = pass_calmly(chunk, leader, grid, batch, lanes, y, flag)
            if not calm:
                held = empty_tile(held, row, batch, tile, run, rec_y, picked)
                result = settle_fixed(
                    chunk, grid, batch, block, lanes, run, clock, count, y, mem, ws, p, flag,
                    varied, states, times, status, steps, rejects, rows, options, tolerances,
                    rec_t, rec_y, rec_aux, sel_y, sel_aux, samples,
                    evt_run, evt_t, evt_step, evt_id, evt_log, obs,
                )  # fmt: skip
        if result != Status.OK:
            break
    if not ADAPTIVE:
        empty_tile(held, row, batch, tile, run, rec_y, picked)
        if batch[LaneCount.STREAM] != 0:
            settle_memory()
    batch[LaneCount.TAKEN] = chunk
    batch[LaneCount.BUDGET] = budget
    return result


def take_up(
    r, lane, grid, batch, block, lanes, run, y, mem, ws, p, varied, states,
    options, tolerances, samples, obs,
):  # fmt: skip
    """Put run `r` into a lane."""
    run[lane] = r
    for i in range(N_STATES):
        y[i, lane] = states[i, r]
    for i in range(N_VARIED):
        block[ROW_P + i, lane] = varied[i, r]
    for i in range(ROW_WS, ROW_KEPT):
        block[i, lane] = 0
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
    if SWITCHES:
        plan_switch(t, grid[LaneClock.T_END], p, ws, lane)
    if MEMORY:
        store_rows(mem, 0, lane, restart(t, step, u, p, ws, lane))
    if ANALYSIS:
        begin_observation(lane, t, step, block, lanes, y, mem, ws, p, obs)
        if GIVEN_VECTORS:  # before observers start, which is where the stepper remembers them from
            for i in range(N_OUTPUTS):
                lanes[ROW_AWS + i, lane] = obs[Obs.OUTPUTS][i, r]
    if LOCATED:
        lanes[Lane.FRESH, lane] = 2.0
    if SAMPLED:
        lanes[Lane.FRESH, lane] = 2.0
    if ADAPTIVE:
        lanes[Lane.DT, lane] = within_bounds(t, grid[LaneClock.DT], options)
        lanes[Lane.GOAL, lane] = grid[LaneClock.T_END]
        if ANALYSIS:
            lanes[Lane.OBSERVED_FROM, lane] = -NEVER
            if t != grid[LaneClock.TRANSIENT_END]:
                lanes[Lane.GOAL, lane] = grid[LaneClock.TRANSIENT_END]
        if grid[LaneClock.DT] == 0.0:
            lanes[Lane.DT, lane] = first_step(
                t, lanes[Lane.GOAL, lane], step, u, p, ws, options, tolerances, lane
            )
        if LOCATED:
            lanes[Lane.LEAVES, lane] = CAREFUL
        if SAMPLED:
            lanes[Lane.LEAVES, lane] = CAREFUL
        if ANALYSIS:
            if t == grid[LaneClock.TRANSIENT_END]:
                start_observers(lane, grid, batch, block, lanes, y, ws, p, obs)
                lanes[Lane.OBSERVED_FROM, lane] = step
        if CAREFUL_LOOP:
            if t == grid[LaneClock.T_END] or batch[LaneCount.STEP_LIMIT] <= 0:
                lanes[Lane.LEAVES, lane] = CAREFUL
        else:
            if batch[LaneCount.STEP_LIMIT] <= 0:
                lanes[Lane.LEAVES, lane] = Status.MAX_STEPS
            if t == grid[LaneClock.T_END]:
                lanes[Lane.LEAVES, lane] = Status.DONE


def next_record(batch, lanes, lane):
    """Step of the lane's next record, or NEVER."""
    row = int(lanes[Lane.ROW, lane])
    if batch[LaneCount.FIRST_RECORD] == NEVER or row >= batch[LaneCount.ROWS]:
        return NEVER
    return batch[LaneCount.FIRST_RECORD] + row * batch[LaneCount.STRIDE]


def finish(
    lane, code, grid, batch, block, lanes, run, y, ws, p, varied, states,
    times, status, steps, rejects, rows, obs,
):  # fmt: skip
    """Give a run's results back and free its lane.

    What a loop that was told to end has left in a run is nothing to give: the run never ended.
    """
    r = run[lane]
    if HEEDS:
        left = False
        if HEEDS_LOOPS:
            left = heard(ws, HEED_ROW, lane)
        if HEEDS_VECTORS:
            left = left or heard(lanes, ROW_AWS + VECTORS_HEED_ROW, lane)
        if left:
            run[lane] = -1
            lanes[Lane.ALIVE, lane] = 0.0
            lanes[Lane.LEAVES, lane] = 0.0
            return
    if ANALYSIS:
        give_back(lane, r, grid, block, lanes, y, ws, p, obs)
    for i in range(N_STATES):
        states[i, r] = y[i, lane]
    for i in range(N_VARIED):
        varied[i, r] = block[ROW_P + i, lane]
    times[0, r] = lanes[Lane.T, lane]
    if ADAPTIVE:
        times[1, r] = lanes[Lane.DT, lane]
    status[r] = code
    steps[r] = int(lanes[Lane.STEP, lane]) - batch[LaneCount.STEP0]
    rejects[r] = int(lanes[Lane.REJECTED, lane])
    rows[r] = int(lanes[Lane.ROW, lane])
    run[lane] = -1
    lanes[Lane.ALIVE, lane] = 0.0
    lanes[Lane.LEAVES, lane] = 0.0
