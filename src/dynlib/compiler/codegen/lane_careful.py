"""Steps of one lane through the ordinary run loop."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.lane_args import Lane, LaneClock, LaneCount, Obs
from dynlib.abi.slots import Clock, Count
from dynlib.abi.status import Status

__all__ = ["careful"]


def careful(
    lane, chunk, again, grid, batch, lanes, run, clock, count, y, mem, ws, p,
    options, tolerances, rec_t, rec_y, rec_aux, sel_y, sel_aux, samples,
    evt_run, evt_t, evt_step, evt_id, evt_log, block, obs,
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
            clock[Clock.T_END] = lanes[Lane.GOAL, lane]
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
        if PIECEMEAL:
            count[Count.ACCEPTED] = step + int(lanes[Lane.CUTS, lane])
            count[Count.PIECE_LIMIT] = limit
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
        if ANALYSIS:
            count[Count.OBSERVED_FROM] = batch[LaneCount.OBSERVED_FROM]
            if ADAPTIVE:
                count[Count.OBSERVED_FROM] = int(lanes[Lane.OBSERVED_FROM, lane])
            if count[Count.OBSERVED_FROM] == step:  # started already; once is enough
                count[Count.OBSERVED_FROM] = step - 1
    count[Count.ROWS] = batch[LaneCount.ROWS]
    count[Count.BUDGET] = 1 << 60
    count[Count.EVENT_ROW] = batch[LaneCount.EVENT_ROW]
    count[Count.EVENT_ROWS] = batch[LaneCount.EVENT_ROWS]
    if ANALYSIS:
        code = RUN_LOOP(
            lane, clock, count, y, block[ROW_PREV:ROW_PREV_END], p, mem, ws, options, tolerances,
            rec_t, rec_y[r], rec_aux[r], sel_y, sel_aux, samples,
            evt_t, evt_step, evt_id, evt_log,
            lanes[ROW_AWS:ROW_AOUT], lanes[ROW_AOUT:ROW_AKEPT],
            obs[Obs.BUF], obs[Obs.COUNT], obs[Obs.TRACES],
        )  # fmt: skip
    else:
        code = RUN_LOOP(
            lane, clock, count, y, y, p, mem, ws, options, tolerances,
            rec_t, rec_y[r], rec_aux[r], sel_y, sel_aux, samples,
            evt_t, evt_step, evt_id, evt_log,
            lanes, lanes, lanes, lanes, lanes,
        )  # fmt: skip
    if STOP_LOCATED:
        if SHARED_TIMES:  # the last row of a run that stopped within a step has a time of its own
            row = count[Count.ROW] - 1
            due = batch[LaneCount.FIRST_RECORD] + row * batch[LaneCount.STRIDE]
            if row >= 0 and due == count[Count.STEP]:
                rec_t[row] = time_of(due, grid, batch)
    for row in range(batch[LaneCount.EVENT_ROW], count[Count.EVENT_ROW]):
        evt_run[row] = r
    batch[LaneCount.EVENT_ROW] = count[Count.EVENT_ROW]
    if code == Status.GROW_EVT:
        return code
    step = count[Count.STEP]
    lanes[Lane.STEP, lane] = step
    if ANALYSIS:
        if not ADAPTIVE:
            lanes[Lane.OBSERVED_FROM, lane] = select(count[Count.OBSERVED_FROM] < step, 1.0, 0.0)
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
    if PIECEMEAL:
        lanes[Lane.CUTS, lane] = count[Count.ACCEPTED] - step
        step = count[Count.ACCEPTED]
    if code == Status.MAX_STEPS and step < limit:
        code = Status.OK
    return code
