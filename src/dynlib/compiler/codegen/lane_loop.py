"""The fast path: many runs side by side in the lanes of a block.

Column `lane` of `block` holds the state of one run, its stepper memory and its workspace, a
copy of these from the start of the present chunk, and its parameters; `lanes` holds its step,
time and the like.  The loops over `range(LANES)` are straight-line, so that LLVM turns them into
vector instructions.  They only take steps in which nothing happens.  Where something does — an
event, a stop condition, a sample, a number that is not finite, a last step of its own length —
the lane is taken back to where nothing had happened yet and goes on, for a few steps, through
the ordinary run loop (or, where only a number can go astray, through a plain one).  So a batch
does what a single run does, by construction, and with the same bits.

The functions here and in `lane_fixed`, `lane_records`, `lane_adaptive`, `lane_fallback` and
`lane_observers` are templates like `dynlib.compiler.codegen.run_loop`; names in capitals that are
no flags are numbers put in by `dynlib.compiler.codegen.lane_program`.
"""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.lane_args import Lane, LaneClock, LaneCount, Leaves, Obs, Span
from dynlib.abi.slots import Fresh
from dynlib.abi.status import Status
from dynlib.compiler.codegen.templates import leave_loop, phase

__all__ = ["all_free", "fast_run", "load_lane", "next_record", "retire_lane"]


def fast_run(job, cells, control, runs, rec, log, obs=0):
    set_out(job, cells, control, runs)
    turn.picked = load_values(control.count, N_COUNT)
    turn.result = Status.OK
    turn.budget = job.batch[LaneCount.BUDGET]
    turn.chunk = job.batch[LaneCount.TAKEN]
    turn.calm = False
    turn.leader = -1
    turn.more = True
    turn.held = 0
    turn.row = 0
    while True:
        if job.batch[LaneCount.AGAIN] < 0:
            if not turn.calm:
                if TOGETHER:
                    if all_free(cells):
                        fill_lanes(job, cells, control, runs, rec, turn, obs)
                else:
                    fill_lanes(job, cells, control, runs, rec, turn, obs)
            if turn.budget <= 0:
                break
            if ADAPTIVE:
                advance_adaptive(job, cells, control, rec, turn, obs)
            else:
                advance_fixed(job, cells, rec, turn, obs)
            turn.budget -= turn.chunk
        if ADAPTIVE:
            turn.result = settle_adaptive(job, cells, control, runs, rec, log, obs)
        else:
            if not ANALYSIS:
                turn.calm = pass_calmly(turn.chunk, turn.leader, job, cells)
            if not turn.calm:
                turn.held = empty_tile(turn.held, turn.row, turn.picked, job, cells, rec)
                turn.result = settle_fixed(turn.chunk, job, cells, control, runs, rec, log, obs)
        if turn.result != Status.OK:
            break
    if not ADAPTIVE:
        empty_tile(turn.held, turn.row, turn.picked, job, cells, rec)
        if job.batch[LaneCount.STREAM] != 0:
            settle_memory()
    job.batch[LaneCount.TAKEN] = turn.chunk
    job.batch[LaneCount.BUDGET] = turn.budget
    return turn.result


@phase
def set_out(job, cells, control, runs):
    """Name the parts of the block, and keep in registers what all lanes share."""
    cells.y = cells.block[ROW_Y:ROW_MEM]
    cells.mem = cells.block[ROW_MEM:ROW_WS]
    cells.ws = cells.block[ROW_WS:ROW_KEPT]
    if MANY_PARAMS:
        cells.p = (cells.block[ROW_P:ROW_FLAG], runs.uniform)
    else:
        cells.p = (cells.block[ROW_P:ROW_FLAG], load_values(runs.uniform, N_PARAMS))
    cells.flag = cells.block[ROW_FLAG]
    job.dt = job.grid[LaneClock.DT]
    if ADAPTIVE:
        control.options = load_values(control.options, N_OPTIONS)
        control.tolerances = load_values(control.tolerances, N_TOLERANCES)
    else:
        cells.tile = cells.block[ROW_TILE:BLOCK_ROWS]
    job.t_end = job.grid[LaneClock.T_END]
    job.limit = job.batch[LaneCount.STEP_LIMIT]


def all_free(cells):
    """Whether no lane has a run."""
    for lane in range(LANES):
        if cells.run[lane] >= 0:
            return False
    return True


@phase
def fill_lanes(job, cells, control, runs, rec, turn, obs):
    """Put runs into the lanes that are free; once all have ended, leave."""
    active = 0
    for lane in range(LANES):
        if cells.run[lane] < 0 and turn.more:
            r = take_number(job.queue)
            turn.more = r < job.batch[LaneCount.RUNS]
            if turn.more:
                load_lane(r, lane, job, cells, control, runs, rec, obs)
        if cells.run[lane] >= 0:
            active += 1
            if ANALYSIS:
                if not ADAPTIVE:
                    start_if_due(lane, job, cells, obs)
    if active == 0:
        turn.result = Status.DONE
        leave_loop()


@phase
def advance_adaptive(job, cells, control, rec, turn, obs):
    """Attempts of all lanes, until one of them leaves, or the chunk is full."""
    leaving = 0
    for lane in range(LANES):
        if cells.run[lane] >= 0 and cells.lanes[Lane.LEAVES, lane] != 0.0:
            leaving += 1
    turn.chunk = 0
    while leaving == 0 and turn.chunk < CHUNK:
        if VARIATIONAL:
            tangents_of_attempt(cells)
        for lane in range(LANES):
            try_step(lane, job, cells, control)
        if SAMPLES_INSIDE:
            if samples_due(cells) > 0:
                for lane in range(LANES):
                    if cells.run[lane] >= 0:
                        record_samples(lane, turn.picked, job, cells, rec)
        for lane in range(LANES):
            leaving += decide(lane, job, cells, control)
        if ANALYSIS:
            leaving += observe_adaptive(job, cells, obs)
        turn.chunk += 1


@phase
def advance_fixed(job, cells, rec, turn, obs):
    """A chunk of steps of all lanes, from a copy of the block to which they may be taken back."""
    if not turn.calm:
        turn.leader = find_leader(cells)
    if OWN_SPANS:
        turn.chunk = plan_own_chunk(job, cells)
    else:
        turn.chunk = plan_chunk(turn.leader, job, cells)
    for r in range(N_KEPT):
        copy_row(cells.block, LANES, ROW_KEPT + r, cells.block, r)
    if ANALYSIS:
        keep_observers(cells, obs)
    for lane in range(LANES):
        cells.flag[lane] = cells.lanes[Lane.FRESH, lane] != 0.0
    if OWN_SPANS:
        if turn.chunk == 0:  # those lanes do, and the others take this step as always
            flag_last_steps(job, cells)
            turn.chunk = 1
    if ADJUSTED:  # an observer changes every step: the scalar pass takes them all
        for lane in range(LANES):
            cells.flag[lane] = 1
        turn.chunk = max(turn.chunk, 1)
    elif turn.chunk == 0:
        for lane in range(LANES):
            cells.flag[lane] = 1
        turn.chunk = 1
    else:
        turn.held, turn.row = advance(
            turn.chunk, turn.leader, turn.held, turn.picked, job, cells, rec, obs
        )


def load_lane(r, lane, job, cells, control, runs, rec, obs):
    """Put run `r` into a lane."""
    cells.run[lane] = r
    for i in range(N_STATES):
        cells.y[i, lane] = runs.states[i, r]
    for i in range(N_VARIED):
        cells.block[ROW_P + i, lane] = runs.varied[i, r]
    for i in range(ROW_WS, ROW_KEPT):
        cells.block[i, lane] = 0
    if SETTINGS:
        put_settings(control.options, control.tolerances, cells.ws, lane)
    for i in range(N_LANE_ROWS):
        cells.lanes[i, lane] = 0.0
    step = job.batch[LaneCount.STEP0]
    t = job.grid[LaneClock.T0]
    if OWN_SPANS:
        t = runs.times[FIRST_SPAN + Span.T0, r]
        for i in range(N_SPAN):
            cells.lanes[ROW_SPAN + i, lane] = runs.times[FIRST_SPAN + i, r]
    cells.lanes[Lane.STEP, lane] = step
    cells.lanes[Lane.T, lane] = t
    cells.lanes[Lane.ALIVE, lane] = 1.0
    u = load_rows(cells.y, 0, N_STATES, lane)
    if LAGS:
        start_lags(cells.ws, u, lane)
    if LOOKS_BACK:
        push_step_start(cells.ws, t, u, lane)
    if EVENTS:
        init_events(t, step, u, cells.p, cells.ws, lane)
    if SWITCHES:
        if OWN_SPANS:
            plan_switch(t, cells.lanes[ROW_SPAN + Span.T_END, lane], cells.p, cells.ws, lane)
        else:
            plan_switch(t, job.grid[LaneClock.T_END], cells.p, cells.ws, lane)
    if MEMORY:
        store_rows(cells.mem, 0, lane, restart(t, step, u, cells.p, cells.ws, lane))
    if ANALYSIS:
        begin_observation(lane, t, step, cells, obs)
        if GIVEN_VECTORS:  # before observers start, which is where the stepper remembers them from
            for i in range(N_OUTPUTS):
                cells.lanes[ROW_AWS + i, lane] = obs[Obs.OUTPUTS][i, r]
    if LOCATED:
        cells.lanes[Lane.FRESH, lane] = Fresh.START
    if SAMPLED:
        cells.lanes[Lane.FRESH, lane] = Fresh.START
    if ADAPTIVE:
        begin_adaptive(lane, t, step, u, job, cells, control, obs)


@phase
def begin_adaptive(lane, t, step, u, job, cells, control, obs):
    """Give a lane a first step, and say where it leaves the vector loop before that."""
    cells.lanes[Lane.DT, lane] = within_bounds(t, job.grid[LaneClock.DT], control.options)
    cells.lanes[Lane.GOAL, lane] = job.grid[LaneClock.T_END]
    if OWN_SPANS:
        cells.lanes[Lane.GOAL, lane] = cells.lanes[ROW_SPAN + Span.T_END, lane]
    if ANALYSIS:
        cells.lanes[Lane.OBSERVED_FROM, lane] = -NEVER
    if TRANSIENTS:
        if t != job.grid[LaneClock.TRANSIENT_END]:
            cells.lanes[Lane.GOAL, lane] = job.grid[LaneClock.TRANSIENT_END]
    if job.grid[LaneClock.DT] == 0.0:
        cells.lanes[Lane.DT, lane] = first_step(
            t, cells.lanes[Lane.GOAL, lane], step, u, cells.p, cells.ws,
            control.options, control.tolerances, lane,
        )  # fmt: skip
    if LOCATED:
        cells.lanes[Lane.LEAVES, lane] = Leaves.CAREFUL
    if SAMPLED:
        cells.lanes[Lane.LEAVES, lane] = Leaves.CAREFUL
    if TRANSIENTS:
        if t == job.grid[LaneClock.TRANSIENT_END]:
            start_observers(lane, job, cells, obs)
            cells.lanes[Lane.OBSERVED_FROM, lane] = step
    elif ANALYSIS:
        start_observers(lane, job, cells, obs)
        cells.lanes[Lane.OBSERVED_FROM, lane] = step
    if not OWN_SPANS:  # which all have a length
        end_at_once(lane, t, job, cells)


@phase
def end_at_once(lane, t, job, cells):
    """Let runs leave that have no length, or may take no step."""
    if FALLBACK_LOOP:
        if t == job.grid[LaneClock.T_END] or job.batch[LaneCount.STEP_LIMIT] <= 0:
            cells.lanes[Lane.LEAVES, lane] = Leaves.CAREFUL
    else:
        if job.batch[LaneCount.STEP_LIMIT] <= 0:
            cells.lanes[Lane.LEAVES, lane] = Status.MAX_STEPS
        if t == job.grid[LaneClock.T_END]:
            cells.lanes[Lane.LEAVES, lane] = Status.DONE


def next_record(lane, job, cells):
    """Step of the lane's next record, or NEVER."""
    row = int(cells.lanes[Lane.ROW, lane])
    if job.batch[LaneCount.FIRST_RECORD] == NEVER or row >= job.batch[LaneCount.ROWS]:
        return NEVER
    return job.batch[LaneCount.FIRST_RECORD] + row * job.batch[LaneCount.STRIDE]


def retire_lane(lane, code, job, cells, runs, obs):
    """Give a run's results back and free its lane.

    What a loop that was told to end has left in a run is nothing to give: the run never ended.
    """
    r = cells.run[lane]
    if HEEDS:
        left = False
        if HEEDS_LOOPS:
            left = heard(cells.ws, HEED_ROW, lane)
        if HEEDS_VECTORS:
            left = left or heard(cells.lanes, ROW_AWS + VECTORS_HEED_ROW, lane)
        if left:
            cells.run[lane] = -1
            cells.lanes[Lane.ALIVE, lane] = 0.0
            cells.lanes[Lane.LEAVES, lane] = 0.0
            return
    if ANALYSIS:
        give_back(lane, r, job, cells, obs)
    for i in range(N_STATES):
        runs.states[i, r] = cells.y[i, lane]
    for i in range(N_VARIED):
        runs.varied[i, r] = cells.block[ROW_P + i, lane]
    runs.times[0, r] = cells.lanes[Lane.T, lane]
    if ADAPTIVE:
        runs.times[1, r] = cells.lanes[Lane.DT, lane]
    if NOTED:
        for i in range(N_TALLY):
            runs.times[2 + i, r] = cells.ws[TALLY + i, lane]
    runs.status[r] = code
    runs.steps[r] = int(cells.lanes[Lane.STEP, lane]) - job.batch[LaneCount.STEP0]
    runs.rejects[r] = int(cells.lanes[Lane.REJECTED, lane])
    runs.rows[r] = int(cells.lanes[Lane.ROW, lane])
    cells.run[lane] = -1
    cells.lanes[Lane.ALIVE, lane] = 0.0
    cells.lanes[Lane.LEAVES, lane] = 0.0
