"""Steps of one lane through the ordinary run loop."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.lane_args import Lane, LaneClock, LaneCount, Obs, Span
from dynlib.abi.slots import Clock, Count, Stopped
from dynlib.abi.status import Status
from dynlib.compiler.codegen.templates import phase

__all__ = ["scalar_fallback"]


def scalar_fallback(lane, chunk, job, cells, control, rec, log, obs):
    """Take `chunk` steps of one lane through the ordinary run loop.

    Returns `OK` if the run goes on, `GROW_EVT` if the event log needs room first (the batch then
    names the lane as the one to go on with), or the status with which the run ends.
    """
    r = cells.run[lane]
    limit = job.batch[LaneCount.STEP_LIMIT]
    if job.batch[LaneCount.AGAIN] != lane:
        fill_slots(lane, chunk, limit, job, cells, control)
    control.count[Count.ROWS] = job.batch[LaneCount.ROWS]
    control.count[Count.BUDGET] = 1 << 60
    control.count[Count.EVENT_ROW] = job.batch[LaneCount.EVENT_ROW]
    control.count[Count.EVENT_ROWS] = job.batch[LaneCount.EVENT_ROWS]
    if ANALYSIS:
        code = RUN_LOOP(
            lane, control.clock, control.count,
            cells.y, cells.block[ROW_PREV:ROW_PREV_END], cells.p, cells.mem, cells.ws,
            control.options, control.tolerances,
            rec.t, rec.y[r], rec.aux[r], rec.sel_y, rec.sel_aux, rec.samples,
            log.t, log.step, log.id, log.values,
            cells.lanes[ROW_AWS:ROW_AOUT], cells.lanes[ROW_AOUT:ROW_AKEPT],
            obs[Obs.BUF], obs[Obs.COUNT], obs[Obs.TRACES],
        )  # fmt: skip
    else:
        code = RUN_LOOP(
            lane, control.clock, control.count,
            cells.y, cells.y, cells.p, cells.mem, cells.ws,
            control.options, control.tolerances,
            rec.t, rec.y[r], rec.aux[r], rec.sel_y, rec.sel_aux, rec.samples,
            log.t, log.step, log.id, log.values,
            cells.lanes, cells.lanes, cells.lanes, cells.lanes, cells.lanes,
        )  # fmt: skip
    if STOP_LOCATED:
        if SHARED_TIMES:
            set_time_of_stop(job, control, rec)
    for row in range(job.batch[LaneCount.EVENT_ROW], control.count[Count.EVENT_ROW]):
        log.run[row] = r
    job.batch[LaneCount.EVENT_ROW] = control.count[Count.EVENT_ROW]
    if code == Status.GROW_EVT:
        return code
    step = control.count[Count.STEP]
    read_slots(lane, step, job, cells, control, rec)
    if PIECEMEAL:
        cells.lanes[Lane.CUTS, lane] = control.count[Count.ACCEPTED] - step
        step = control.count[Count.ACCEPTED]
    if code == Status.MAX_STEPS and step < limit:
        code = Status.OK
    return code


@phase
def fill_slots(lane, chunk, limit, job, cells, control):
    """Tell the run loop where the lane is, and to take `chunk` steps at most."""
    step = int(cells.lanes[Lane.STEP, lane])
    fill_clock(lane, step, job, cells, control)
    control.count[Count.STEP] = step
    control.count[Count.STEP_END] = job.batch[LaneCount.STEP_END]
    if OWN_SPANS:
        if not ADAPTIVE:
            control.count[Count.STEP_END] = int(cells.lanes[ROW_SPAN + Span.STEP_END, lane])
    control.count[Count.STEP_LIMIT] = min(limit, step + chunk)
    control.count[Count.ACCEPTED] = 0
    if PIECEMEAL:
        control.count[Count.ACCEPTED] = step + int(cells.lanes[Lane.CUTS, lane])
        control.count[Count.PIECE_LIMIT] = limit
    control.count[Count.REJECTED] = int(cells.lanes[Lane.REJECTED, lane])
    control.count[Count.FRESH] = int(cells.lanes[Lane.FRESH, lane])
    control.count[Count.CUTS] = 0
    control.count[Count.STARTED] = -1
    control.count[Count.STOPPED] = Stopped.NO
    control.count[Count.NEXT_RECORD] = next_record(lane, job, cells)
    control.count[Count.STRIDE] = job.batch[LaneCount.STRIDE]
    control.count[Count.ROW] = int(cells.lanes[Lane.ROW, lane])
    control.count[Count.SAMPLE] = int(cells.lanes[Lane.ROW, lane])
    control.count[Count.SAMPLES] = job.batch[LaneCount.SAMPLES]
    control.count[Count.RETRY] = int(cells.lanes[Lane.RETRY, lane])
    if ANALYSIS:
        control.count[Count.OBSERVED_FROM] = job.batch[LaneCount.OBSERVED_FROM]
        if ADAPTIVE:
            control.count[Count.OBSERVED_FROM] = int(cells.lanes[Lane.OBSERVED_FROM, lane])
        if control.count[Count.OBSERVED_FROM] == step:  # started already; once is enough
            control.count[Count.OBSERVED_FROM] = step - 1


@phase
def fill_clock(lane, step, job, cells, control):
    """The times that the run loop is given."""
    control.clock[Clock.ORIGIN] = job.grid[LaneClock.T0]
    if OWN_SPANS:
        control.clock[Clock.ORIGIN] = cells.lanes[ROW_SPAN + Span.T0, lane]
    control.clock[Clock.DT_LAST] = job.grid[LaneClock.DT_LAST]
    control.clock[Clock.T_END] = job.grid[LaneClock.T_END]
    control.clock[Clock.ERROR] = cells.lanes[Lane.ERROR, lane]
    if ADAPTIVE:
        control.clock[Clock.T_END] = cells.lanes[Lane.GOAL, lane]
        control.clock[Clock.T] = cells.lanes[Lane.T, lane]
        control.clock[Clock.DT] = cells.lanes[Lane.DT, lane]
    elif OWN_SPANS:
        control.clock[Clock.DT_LAST] = cells.lanes[ROW_SPAN + Span.DT_LAST, lane]
        control.clock[Clock.T_END] = cells.lanes[ROW_SPAN + Span.T_END, lane]
        control.clock[Clock.T] = own_time_of(step, lane, job, cells)
        control.clock[Clock.DT] = job.grid[LaneClock.DT]
    else:
        control.clock[Clock.T] = job.grid[LaneClock.T0] + step * job.grid[LaneClock.DT]
        control.clock[Clock.DT] = job.grid[LaneClock.DT]
    if DISCRETE:
        control.clock[Clock.T] = step


@phase
def set_time_of_stop(job, control, rec):
    """The last row of a run that stopped within a step has a time of its own: all share theirs."""
    row = control.count[Count.ROW] - 1
    due = job.batch[LaneCount.FIRST_RECORD] + row * job.batch[LaneCount.STRIDE]
    if row >= 0 and due == control.count[Count.STEP]:
        rec.t[row] = time_of(due, job)


@phase
def read_slots(lane, step, job, cells, control, rec):
    """Take over where the run loop has left the lane."""
    cells.lanes[Lane.STEP, lane] = step
    if ANALYSIS:
        if not ADAPTIVE:
            cells.lanes[Lane.OBSERVED_FROM, lane] = select(
                control.count[Count.OBSERVED_FROM] < step, 1.0, 0.0
            )
    cells.lanes[Lane.T, lane] = control.clock[Clock.T]
    cells.lanes[Lane.DT, lane] = control.clock[Clock.DT]
    cells.lanes[Lane.ERROR, lane] = control.clock[Clock.ERROR]
    cells.lanes[Lane.RETRY, lane] = control.count[Count.RETRY]
    cells.lanes[Lane.REJECTED, lane] = control.count[Count.REJECTED]
    cells.lanes[Lane.FRESH, lane] = control.count[Count.FRESH]
    cells.lanes[Lane.ROW, lane] = control.count[Count.ROW]
    if SAMPLED:
        cells.lanes[Lane.SAMPLE, lane] = inf * (job.grid[LaneClock.T_END] - job.grid[LaneClock.T0])
        if control.count[Count.SAMPLE] < job.batch[LaneCount.SAMPLES]:
            cells.lanes[Lane.SAMPLE, lane] = rec.samples[control.count[Count.SAMPLE]]
