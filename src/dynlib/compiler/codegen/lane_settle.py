"""After a chunk of steps on a fixed grid: what is accepted, and what is taken once more."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.lane_args import Lane, LaneClock, LaneCount, Obs, Span
from dynlib.abi.status import Status
from dynlib.compiler.codegen.templates import phase

__all__ = ["own_end", "pass_calmly", "plain_pass", "settle_fixed"]


def pass_calmly(chunk, leader, job, cells):
    """Accept the chunk for all lanes at once, if they are in phase and nothing happened in any."""
    if leader < 0:
        return False
    before = int(cells.lanes[Lane.STEP, leader])
    after = before + chunk
    if OWN_SPANS:
        if own_end(after, cells) or after >= job.batch[LaneCount.STEP_LIMIT]:
            return False
    else:
        if after >= job.batch[LaneCount.STEP_END] or after >= job.batch[LaneCount.STEP_LIMIT]:
            return False
    happened = 0
    for lane in range(LANES):
        fine = (cells.flag[lane] == 0.0) & all_finite(load_rows(cells.y, 0, N_STATES, lane))
        if PIECEMEAL:
            fine = fine & (after + cells.lanes[Lane.CUTS, lane] < job.batch[LaneCount.STEP_LIMIT])
        happened += select(fine, 0, 1)
    if happened > 0:
        return False
    passed = passed_records(before, chunk, leader, job, cells)
    t = time_of(after, job)
    for lane in range(LANES):
        cells.lanes[Lane.STEP, lane] = after
        cells.lanes[Lane.ROW, lane] += passed
        cells.lanes[Lane.T, lane] = t
    if OWN_SPANS:
        for lane in range(LANES):
            cells.lanes[Lane.T, lane] = own_time_of(after, lane, job, cells)
    return True


def own_end(step, cells):
    """Whether a run with a span of its own ends at this step, or has before."""
    for lane in range(LANES):
        if cells.run[lane] >= 0:
            if step >= int(cells.lanes[ROW_SPAN + Span.STEP_END, lane]):
                return True
    return False


def settle_fixed(chunk, job, cells, control, runs, rec, log, obs):
    """Accept the chunk for the lanes in which nothing happened, redo it for the others."""
    first = 0
    if job.batch[LaneCount.AGAIN] >= 0:
        first = job.batch[LaneCount.AGAIN]
    for lane in range(first, LANES):
        if cells.run[lane] < 0:
            if TRACES:
                for j in range(N_TRACES):
                    obs[Obs.COUNT][j, lane] = 0
            continue
        at.code = Status.OK
        look_whether_to_redo(lane, job, cells, obs, at)
        if at.redo:
            if not at.again:
                take_back(lane, cells, obs)
            if FALLBACK_LOOP:
                at.code = scalar_fallback(lane, at.chunk, job, cells, control, rec, log, obs)
                job.batch[LaneCount.AGAIN] = -1
                if at.code == Status.GROW_EVT:
                    job.batch[LaneCount.AGAIN] = lane
                    return Status.GROW_EVT
            else:
                at.code = plain_pass(
                    lane, at.chunk, load_values(control.count, N_COUNT), job, cells, rec
                )
        else:
            accept(lane, job, cells, obs, at)
        if at.code == Status.OK:
            end_on_grid(lane, job, cells, control, rec, at)
        if at.code != Status.OK:
            retire_lane(lane, at.code, job, cells, runs, obs)
    return Status.OK


@phase
def look_whether_to_redo(lane, job, cells, obs, at):
    """Whether the chunk has to be taken again, step by step, or that has begun already."""
    at.again = job.batch[LaneCount.AGAIN] == lane
    at.redo = (
        at.again or cells.flag[lane] != 0 or not all_finite(load_rows(cells.y, 0, N_STATES, lane))
    )
    if PIECEMEAL:
        pieces = int(cells.lanes[Lane.STEP, lane]) + at.chunk + int(cells.lanes[Lane.CUTS, lane])
        at.redo = at.redo or pieces >= job.batch[LaneCount.STEP_LIMIT]
    if ANALYSIS:
        if not at.redo:
            at.redo = overflows(lane, at.chunk, job, cells, obs)


@phase
def take_back(lane, cells, obs):
    """Take a lane back to the start of the chunk."""
    for r in range(N_KEPT):
        cells.block[r, lane] = cells.block[ROW_KEPT + r, lane]
    if ANALYSIS:
        restore_observers(lane, cells, obs)


@phase
def accept(lane, job, cells, obs, at):
    """Take the chunk for a lane, as it is."""
    before = int(cells.lanes[Lane.STEP, lane])
    cells.lanes[Lane.ROW, lane] += passed_records(before, at.chunk, lane, job, cells)
    cells.lanes[Lane.STEP, lane] = before + at.chunk
    if OWN_SPANS:
        cells.lanes[Lane.T, lane] = own_time_of(before + at.chunk, lane, job, cells)
    else:
        cells.lanes[Lane.T, lane] = time_of(before + at.chunk, job)
    if ANALYSIS:
        start_if_due(lane, job, cells, obs)


@phase
def end_on_grid(lane, job, cells, control, rec, at):
    """End the run if it has come to its last step, or to its limit."""
    step = int(cells.lanes[Lane.STEP, lane])
    last = job.batch[LaneCount.STEP_END]
    if OWN_SPANS:
        last = int(cells.lanes[ROW_SPAN + Span.STEP_END, lane])
    if step >= last or step >= job.batch[LaneCount.STEP_LIMIT]:
        if next_record(lane, job, cells) == step:
            write_row(
                int(cells.lanes[Lane.ROW, lane]), step, lane,
                load_values(control.count, N_COUNT), job, cells, rec,
            )  # fmt: skip
            cells.lanes[Lane.ROW, lane] += 1.0
        at.code = Status.DONE
        if step < last:
            at.code = Status.MAX_STEPS


def plain_pass(lane, chunk, picked, job, cells, rec):
    """Up to `chunk` steps of one lane, looked at one by one; the status if the run ends early."""
    last = job.batch[LaneCount.STEP_END]
    dt_last = job.grid[LaneClock.DT_LAST]
    if OWN_SPANS:
        last = int(cells.lanes[ROW_SPAN + Span.STEP_END, lane])
        dt_last = cells.lanes[ROW_SPAN + Span.DT_LAST, lane]
    for _ in range(chunk):
        step = int(cells.lanes[Lane.STEP, lane])
        if step >= last or step >= job.batch[LaneCount.STEP_LIMIT]:
            break
        if next_record(lane, job, cells) == step:
            write_row(int(cells.lanes[Lane.ROW, lane]), step, lane, picked, job, cells, rec)
            cells.lanes[Lane.ROW, lane] += 1.0
        t = time_of(step, job)
        if OWN_SPANS:
            t = own_time_of(step, lane, job, cells)
        h = job.grid[LaneClock.DT]
        if step + 1 == last:
            h = dt_last
        u = load_rows(cells.y, 0, N_STATES, lane)
        if LAGS:
            push_lags(cells.ws, step, u, lane)
        m = 0.0
        if MEMORY:
            m = load_rows(cells.mem, 0, N_MEMORY, lane)
            if h != job.grid[LaneClock.DT]:
                m = restart(t, step, u, cells.p, cells.ws, lane)
        u_new, k = attempt(t, h, step, u, m, cells.p, cells.ws, lane)
        if not all_finite(u_new):
            return Status.NAN_DETECTED
        store_rows(cells.y, 0, lane, u_new)
        if MEMORY:
            store_rows(cells.mem, 0, lane, next_memory(m, k))
        cells.lanes[Lane.STEP, lane] = step + 1
        cells.lanes[Lane.T, lane] = time_of(step + 1, job)
        if OWN_SPANS:
            cells.lanes[Lane.T, lane] = own_time_of(step + 1, lane, job, cells)
    return Status.OK
