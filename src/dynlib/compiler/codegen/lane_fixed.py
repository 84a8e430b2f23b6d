"""Lanes on a fixed grid: chunks of steps, and what is made of them."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.lane_args import Lane, LaneClock, LaneCount, Span
from dynlib.abi.slots import Count
from dynlib.compiler.codegen.templates import next_turn, phase

__all__ = [
    "advance",
    "find_leader",
    "fixed_step",
    "flag_last_steps",
    "own_time_of",
    "plan_chunk",
    "plan_own_chunk",
    "time_of",
]


def find_leader(cells):
    """A lane with a run in it, if all of those are at the same step and row; else -1."""
    leader = -1
    step = 0.0
    row = 0.0
    for lane in range(LANES):
        if cells.run[lane] >= 0:
            if leader < 0:
                leader = lane
                step = cells.lanes[Lane.STEP, lane]
                row = cells.lanes[Lane.ROW, lane]
            if cells.lanes[Lane.STEP, lane] != step or cells.lanes[Lane.ROW, lane] != row:
                return -1
    return leader


def plan_chunk(leader, job, cells):
    """Steps that every lane can take before one of them ends or, out of phase, has to record.

    0 says that a lane has only a step of its own kind left, which the scalar pass takes.
    """
    end = job.batch[LaneCount.STEP_END]
    if job.grid[LaneClock.DT_LAST] != job.grid[LaneClock.DT]:
        end -= 1
    end = min(end, job.batch[LaneCount.STEP_LIMIT])
    if leader >= 0:
        k = int(cells.lanes[Lane.STEP, leader])
        if ANALYSIS:
            if k < job.batch[LaneCount.OBSERVED_FROM]:
                end = min(end, job.batch[LaneCount.OBSERVED_FROM])
        if (
            k < job.batch[LaneCount.FIRST_RECORD]
        ):  # so that the tile of a window fills from its start
            end = min(end, job.batch[LaneCount.FIRST_RECORD])
        return max(min(CHUNK, end - k), 0)
    chunk = CHUNK
    for lane in range(LANES):
        if cells.run[lane] >= 0:
            k = int(cells.lanes[Lane.STEP, lane])
            chunk = min(chunk, end - k)
            if ANALYSIS:
                if k < job.batch[LaneCount.OBSERVED_FROM]:
                    chunk = min(chunk, job.batch[LaneCount.OBSERVED_FROM] - k)
            due = next_record(lane, job, cells)
            if due > k:
                chunk = min(chunk, due - k)
            elif due == k:
                chunk = min(chunk, 1)
    return max(chunk, 0)


def plan_own_chunk(job, cells):
    """The same where each run has a span of its own, and none records."""
    chunk = CHUNK
    for lane in range(LANES):
        if cells.run[lane] >= 0:
            end = int(cells.lanes[ROW_SPAN + Span.STEP_END, lane])
            if cells.lanes[ROW_SPAN + Span.DT_LAST, lane] != job.grid[LaneClock.DT]:
                end -= 1
            end = min(end, job.batch[LaneCount.STEP_LIMIT])
            chunk = min(chunk, end - int(cells.lanes[Lane.STEP, lane]))
    return max(chunk, 0)


def flag_last_steps(job, cells):
    """Send lanes to the scalar pass whose next step is their last, and has its own length."""
    for lane in range(LANES):
        last = cells.lanes[Lane.STEP, lane] + 1.0 == cells.lanes[ROW_SPAN + Span.STEP_END, lane]
        if last and cells.lanes[ROW_SPAN + Span.DT_LAST, lane] != job.grid[LaneClock.DT]:
            cells.flag[lane] = 1


def advance(chunk, leader, held, picked, job, cells, rec, obs):
    """`chunk` steps of all lanes; returns how many rows `tile` holds then, and the row after them.

    The records of two runs lie far apart.  So rows of states are collected in `tile`, which holds
    `held` of them already, and each run gets several at a time (`empty_tile`).
    """
    job.t0 = job.grid[LaneClock.T0]
    look_at_records(job, cells, at)
    at.i = 0
    while at.i < at.chunk:
        if SMALL:
            take_four(job, cells, rec, obs, at)
        if at.recording:
            record_lanes(job, cells, rec, at)
        if ANALYSIS:
            before_step(at.i, job, cells, obs)
        if GROUPS:
            tangents_ahead(at.i, job, cells)
        for lane in range(LANES):
            fixed_step(at.i, lane, job, cells)
        if ANALYSIS:
            observe_step(at.i, at.leader >= 0, at.step, job, cells, obs)
        at.i += 1
    return at.held, at.row


@phase
def look_at_records(job, cells, at):
    """Where the next record of lanes in phase is due, and whether rows of it fit into the tile."""
    at.recording = job.batch[LaneCount.FIRST_RECORD] != NEVER
    at.row = 0
    at.step = 0
    at.due = NEVER
    if at.leader >= 0:
        at.row = int(cells.lanes[Lane.ROW, at.leader])
        at.step = int(cells.lanes[Lane.STEP, at.leader])
        at.due = next_record(at.leader, job, cells)
    at.columns = recorded_states(at.picked)
    at.tiled = at.picked[Count.SELECTED_AUX] == 0 and at.columns <= N_STATES
    at.whole = (
        at.tiled and at.picked[Count.SELECTED_STATES] < 0 and job.batch[LaneCount.STRIDE] == 1
    )


@phase
def take_four(job, cells, rec, obs, at):
    """Four steps at once, if no record is due in them, or one at each."""
    together = at.i + 4 <= at.chunk
    if EVERY_HOOK:  # due at the end of four steps, in all lanes, or not at all
        together = together and at.leader >= 0 and (at.step + at.i) % 4 == 0
    if together:
        if at.due == NEVER or at.step + at.i + 4 <= at.due:
            for lane in range(LANES):
                fixed_step(at.i, lane, job, cells)
                fixed_step(at.i + 1, lane, job, cells)
                fixed_step(at.i + 2, lane, job, cells)
                fixed_step(at.i + 3, lane, job, cells)
            if EVERY_HOOK:
                observe_step(at.i + 3, True, at.step, job, cells, obs)
            at.i += 4
            next_turn()
        if at.whole and at.step + at.i == at.due and at.row + 4 <= job.batch[LaneCount.ROWS]:
            if at.held + 4 > TILE_ROWS:
                at.held = empty_tile(at.held, at.row, at.picked, job, cells, rec)
            place = cells.tile[at.held * N_STATES :]
            held_steps(at.i, place, job, cells)
            if EVERY_HOOK:
                observe_step(at.i + 3, True, at.step, job, cells, obs)
            at.held += 4
            at.row += 4
            at.due += 4
            if at.row >= job.batch[LaneCount.ROWS]:
                at.due = NEVER
            at.i += 4
            next_turn()


@phase
def record_lanes(job, cells, rec, at):
    """Record the lanes in which a row is due: all, or out of phase, those at the chunk's start."""
    if at.leader >= 0:
        if at.step + at.i == at.due:
            if at.tiled:
                if at.held == TILE_ROWS:
                    at.held = empty_tile(at.held, at.row, at.picked, job, cells, rec)
                hold_row(at.held * at.columns, at.columns, at.picked, cells, rec)
                at.held += 1
            else:
                for lane in range(LANES):
                    if cells.run[lane] >= 0:
                        write_row(at.row, at.step + at.i, lane, at.picked, job, cells, rec)
            at.row += 1
            at.due += job.batch[LaneCount.STRIDE]
            if at.row >= job.batch[LaneCount.ROWS]:
                at.due = NEVER
    elif at.i == 0:
        for lane in range(LANES):
            if cells.run[lane] >= 0 and next_record(lane, job, cells) == int(
                cells.lanes[Lane.STEP, lane]
            ):
                write_row(
                    int(cells.lanes[Lane.ROW, lane]), int(cells.lanes[Lane.STEP, lane]), lane,
                    at.picked, job, cells, rec,
                )  # fmt: skip


def fixed_step(i, lane, job, cells):
    """One step of one lane; `flag` says whether anything would have happened in it."""
    s = cells.lanes[Lane.STEP, lane] + i
    if DISCRETE:
        move.t = s
        move.h = 1.0
        move.t_next = s + 1.0
    elif OWN_SPANS:
        move.t = cells.lanes[ROW_SPAN + Span.T0, lane] + s * job.dt
        move.h = job.dt
        move.t_next = cells.lanes[ROW_SPAN + Span.T0, lane] + (s + 1.0) * job.dt
    else:
        move.t = job.t0 + s * job.dt
        move.h = job.dt
        move.t_next = job.t0 + (s + 1.0) * job.dt
    move.step = integer(s)
    move.u = load_rows(cells.y, 0, N_STATES, lane)
    if STOP_START:
        move.ts = move.t
        move.us = move.u
        if LOOKS_BACK:
            move.ts, move.us = step_start(cells.ws, lane)
    if LOOKS_BACK:
        push_step_start(cells.ws, move.t, move.u, lane)
    if LAGS:
        push_lags(cells.ws, move.step, move.u, lane)
    move.m = 0.0
    if MEMORY:
        move.m = load_rows(cells.mem, 0, N_MEMORY, lane)
    if NOTED:
        move.u_new, move.k, move.said = attempt_noted(
            move.t, move.h, move.step, move.u, move.m, cells.p, cells.ws, lane
        )
        store_rows(cells.ws, TALLY, lane, tallied(move.said, cells.ws, lane))
    else:
        move.u_new, move.k = attempt(
            move.t, move.h, move.step, move.u, move.m, cells.p, cells.ws, lane
        )
    if ONE_GROUP:
        aws = cells.lanes[ROW_AWS:ROW_AOUT]
        tangent_group(
            0, aws, move.t, move.h, move.step, move.u, move.m, cells.p, cells.ws, aws, lane
        )
    if MEMORY:
        store_rows(cells.mem, 0, lane, next_memory(move.m, move.k))
    if WATCHED:
        note(lane, cells, move)
    store_rows(cells.y, 0, lane, move.u_new)
    if ALONG_HOOK:
        ANALYSIS_ALONG(
            lane, move.t, move.h, move.step, move.u, move.u_new, cells.p, cells.ws,
            cells.lanes[ROW_AWS:ROW_AOUT], cells.lanes[ROW_AOUT:ROW_AKEPT],
        )  # fmt: skip


@phase
def note(lane, cells, move):
    """Note whether anything would have happened in the step."""
    seen = cells.flag[lane]
    if FAILS:
        seen = count_if(seen, move.said[0] != 0.0)
    if EVENTFUL:
        happens = False
        if EVENTS:
            happens = not_(
                quiet(
                    move.t_next, move.step + 1, move.u_new, move.t, move.u, cells.p, cells.ws, lane
                )
            )
        if STOP_START:
            happens = happens | stop_condition(
                move.t, move.step, move.u, move.ts, move.us, cells.p, cells.ws, lane
            )
        if STOP_END:
            happens = happens | stop_condition(
                move.t_next, move.step + 1, move.u_new, move.t, move.u, cells.p, cells.ws, lane
            )
        if SAMPLED:
            happens = happens | (
                (move.t_next - cells.lanes[Lane.SAMPLE, lane]) * copysign(1.0, move.h) >= 0.0
            )
        seen = count_if(seen, happens)
    if STRAY:
        seen = add_stray(seen, move.u_new)
    cells.flag[lane] = seen


def time_of(step, job):
    """Time of a grid point."""
    if DISCRETE:
        return step * 1.0
    if step == job.batch[LaneCount.STEP_END]:
        return job.grid[LaneClock.T_END]
    return job.grid[LaneClock.T0] + step * job.grid[LaneClock.DT]


def own_time_of(step, lane, job, cells):
    """The same of a run with a span of its own."""
    if DISCRETE:
        return step * 1.0
    if step == int(cells.lanes[ROW_SPAN + Span.STEP_END, lane]):
        return cells.lanes[ROW_SPAN + Span.T_END, lane]
    return cells.lanes[ROW_SPAN + Span.T0, lane] + step * job.grid[LaneClock.DT]
