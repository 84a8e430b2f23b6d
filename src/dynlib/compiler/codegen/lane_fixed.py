"""Lanes on a fixed grid: chunks of steps, and what is made of them."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.lane_args import Lane, LaneClock, LaneCount, Obs
from dynlib.abi.slots import Count
from dynlib.abi.status import Status

__all__ = [
    "advance",
    "find_leader",
    "fixed_step",
    "pass_calmly",
    "plain_pass",
    "plan_chunk",
    "settle_fixed",
    "time_of",
]


def find_leader(lanes, run):
    """A lane with a run in it, if all of those are at the same step and row; else -1."""
    leader = -1
    step = 0.0
    row = 0.0
    for lane in range(LANES):
        if run[lane] >= 0:
            if leader < 0:
                leader = lane
                step = lanes[Lane.STEP, lane]
                row = lanes[Lane.ROW, lane]
            if lanes[Lane.STEP, lane] != step or lanes[Lane.ROW, lane] != row:
                return -1
    return leader


def plan_chunk(leader, grid, batch, lanes, run):
    """Steps that every lane can take before one of them ends or, out of phase, has to record.

    0 says that a lane has only a step of its own kind left, which the careful pass takes.
    """
    end = batch[LaneCount.STEP_END]
    if grid[LaneClock.DT_LAST] != grid[LaneClock.DT]:
        end -= 1
    end = min(end, batch[LaneCount.STEP_LIMIT])
    if leader >= 0:
        k = int(lanes[Lane.STEP, leader])
        if ANALYSIS:
            if k < batch[LaneCount.OBSERVED_FROM]:
                end = min(end, batch[LaneCount.OBSERVED_FROM])
        if k < batch[LaneCount.FIRST_RECORD]:  # so that the tile of a window fills from its start
            end = min(end, batch[LaneCount.FIRST_RECORD])
        return max(min(CHUNK, end - k), 0)
    chunk = CHUNK
    for lane in range(LANES):
        if run[lane] >= 0:
            k = int(lanes[Lane.STEP, lane])
            chunk = min(chunk, end - k)
            if ANALYSIS:
                if k < batch[LaneCount.OBSERVED_FROM]:
                    chunk = min(chunk, batch[LaneCount.OBSERVED_FROM] - k)
            due = next_record(batch, lanes, lane)
            if due > k:
                chunk = min(chunk, due - k)
            elif due == k:
                chunk = min(chunk, 1)
    return max(chunk, 0)


def advance(
    chunk, leader, held, dt, grid, batch, lanes, run, y, mem, ws, p, flag, tile,
    rec_y, rec_aux, sel_y, sel_aux, picked, block, obs,
):  # fmt: skip
    """`chunk` steps of all lanes; returns how many rows `tile` holds then, and the row after them.

    The records of two runs lie far apart.  So rows of states are collected in `tile`, which holds
    `held` of them already, and each run gets several at a time (`empty_tile`).
    """
    t0 = grid[LaneClock.T0]
    recording = batch[LaneCount.FIRST_RECORD] != NEVER
    row = 0
    step = 0
    due = NEVER
    if leader >= 0:
        row = int(lanes[Lane.ROW, leader])
        step = int(lanes[Lane.STEP, leader])
        due = next_record(batch, lanes, leader)
    columns = recorded_states(picked)
    tiled = picked[Count.SELECTED_AUX] == 0 and columns <= N_STATES
    whole = tiled and picked[Count.SELECTED_STATES] < 0 and batch[LaneCount.STRIDE] == 1
    i = 0
    while i < chunk:
        if SMALL:
            together = i + 4 <= chunk
            if EVERY_HOOK:  # due at the end of four steps, in all lanes, or not at all
                together = together and leader >= 0 and (step + i) % 4 == 0
            if together:
                if due == NEVER or step + i + 4 <= due:
                    for lane in range(LANES):
                        fixed_step(i, lane, t0, dt, lanes, y, mem, ws, p, flag)
                        fixed_step(i + 1, lane, t0, dt, lanes, y, mem, ws, p, flag)
                        fixed_step(i + 2, lane, t0, dt, lanes, y, mem, ws, p, flag)
                        fixed_step(i + 3, lane, t0, dt, lanes, y, mem, ws, p, flag)
                    if EVERY_HOOK:
                        observe_step(
                            i + 3, True, step, t0, dt, block, lanes, run, y, mem, ws, p, obs
                        )
                    i += 4
                    continue
                if whole and step + i == due and row + 4 <= batch[LaneCount.ROWS]:
                    if held + 4 > TILE_ROWS:
                        held = empty_tile(held, row, batch, tile, run, rec_y, picked)
                    place = tile[held * N_STATES :]
                    held_steps(i, place, t0, dt, lanes, y, mem, ws, p, flag)
                    if EVERY_HOOK:
                        observe_step(
                            i + 3, True, step, t0, dt, block, lanes, run, y, mem, ws, p, obs
                        )
                    held += 4
                    row += 4
                    due += 4
                    if row >= batch[LaneCount.ROWS]:
                        due = NEVER
                    i += 4
                    continue
        if recording:
            if leader >= 0:
                if step + i == due:
                    if tiled:
                        if held == TILE_ROWS:
                            held = empty_tile(held, row, batch, tile, run, rec_y, picked)
                        hold_row(held * columns, columns, y, tile, sel_y, picked)
                        held += 1
                    else:
                        for lane in range(LANES):
                            if run[lane] >= 0:
                                write_row(
                                    row, step + i, lane, grid, batch, run, y, p, ws,
                                    rec_y, rec_aux, sel_y, sel_aux, picked,
                                )  # fmt: skip
                    row += 1
                    due += batch[LaneCount.STRIDE]
                    if row >= batch[LaneCount.ROWS]:
                        due = NEVER
            elif i == 0:
                for lane in range(LANES):
                    if run[lane] >= 0 and next_record(batch, lanes, lane) == int(
                        lanes[Lane.STEP, lane]
                    ):
                        write_row(
                            int(lanes[Lane.ROW, lane]), int(lanes[Lane.STEP, lane]), lane,
                            grid, batch, run, y, p, ws,
                            rec_y, rec_aux, sel_y, sel_aux, picked,
                        )  # fmt: skip
        if ANALYSIS:
            before_step(i, t0, dt, block, lanes, y, mem, ws, p, obs)
        if GROUPS:
            tangents_ahead(i, t0, dt, lanes, y, mem, ws, p)
        for lane in range(LANES):
            fixed_step(i, lane, t0, dt, lanes, y, mem, ws, p, flag)
        if ANALYSIS:
            observe_step(i, leader >= 0, step, t0, dt, block, lanes, run, y, mem, ws, p, obs)
        i += 1
    return held, row


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
    if STOP_START:
        ts = t
        us = u
        if LOOKS_BACK:
            ts, us = step_start(ws, lane)
    if LOOKS_BACK:
        push_step_start(ws, t, u, lane)
    if LAGS:
        push_lags(ws, step, u, lane)
    m = 0.0
    if MEMORY:
        m = load_rows(mem, 0, N_MEMORY, lane)
    u_new, k = attempt(t, h, step, u, m, p, ws, lane)
    if ONE_GROUP:
        aws = lanes[ROW_AWS:ROW_AOUT]
        tangent_group(0, aws, t, h, step, u, m, p, ws, aws, lane)
    if MEMORY:
        store_rows(mem, 0, lane, next_memory(m, k))
    if WATCHED:
        seen = flag[lane]
        if EVENTFUL:
            happens = False
            if EVENTS:
                happens = not_(quiet(t_next, step + 1, u_new, t, u, p, ws, lane))
            if STOP_START:
                happens = happens | stop_condition(t, step, u, ts, us, p, ws, lane)
            if STOP_END:
                happens = happens | stop_condition(t_next, step + 1, u_new, t, u, p, ws, lane)
            if SAMPLED:
                happens = happens | ((t_next - lanes[Lane.SAMPLE, lane]) * copysign(1.0, h) >= 0.0)
            seen = count_if(seen, happens)
        if STRAY:
            seen = add_stray(seen, u_new)
        flag[lane] = seen
    store_rows(y, 0, lane, u_new)
    if ALONG_HOOK:
        ANALYSIS_ALONG(
            lane, t, h, step, u, u_new, p, ws,
            lanes[ROW_AWS:ROW_AOUT], lanes[ROW_AOUT:ROW_AKEPT],
        )  # fmt: skip


def time_of(step, grid, batch):
    """Time of a grid point."""
    if DISCRETE:
        return step * 1.0
    if step == batch[LaneCount.STEP_END]:
        return grid[LaneClock.T_END]
    return grid[LaneClock.T0] + step * grid[LaneClock.DT]


def pass_calmly(chunk, leader, grid, batch, lanes, y, flag):
    """Accept the chunk for all lanes at once, if they are in phase and nothing happened in any."""
    if leader < 0:
        return False
    before = int(lanes[Lane.STEP, leader])
    after = before + chunk
    if after >= batch[LaneCount.STEP_END] or after >= batch[LaneCount.STEP_LIMIT]:
        return False
    happened = 0
    for lane in range(LANES):
        fine = (flag[lane] == 0.0) & all_finite(load_rows(y, 0, N_STATES, lane))
        if PIECEMEAL:
            fine = fine & (after + lanes[Lane.CUTS, lane] < batch[LaneCount.STEP_LIMIT])
        happened += select(fine, 0, 1)
    if happened > 0:
        return False
    passed = passed_records(before, chunk, batch, lanes, leader)
    t = time_of(after, grid, batch)
    for lane in range(LANES):
        lanes[Lane.STEP, lane] = after
        lanes[Lane.ROW, lane] += passed
        lanes[Lane.T, lane] = t
    return True


def settle_fixed(
    chunk, grid, batch, block, lanes, run, clock, count, y, mem, ws, p, flag, varied,
    states, times, status, steps, rejects, rows, options, tolerances,
    rec_t, rec_y, rec_aux, sel_y, sel_aux, samples,
    evt_run, evt_t, evt_step, evt_id, evt_log, obs,
):  # fmt: skip
    """Accept the chunk for the lanes in which nothing happened, redo it for the others."""
    first = 0
    if batch[LaneCount.AGAIN] >= 0:
        first = batch[LaneCount.AGAIN]
    for lane in range(first, LANES):
        if run[lane] < 0:
            if TRACES:
                for j in range(N_TRACES):
                    obs[Obs.COUNT][j, lane] = 0
            continue
        code = Status.OK
        again = batch[LaneCount.AGAIN] == lane
        redo = again or flag[lane] != 0 or not all_finite(load_rows(y, 0, N_STATES, lane))
        if PIECEMEAL:
            pieces = int(lanes[Lane.STEP, lane]) + chunk + int(lanes[Lane.CUTS, lane])
            redo = redo or pieces >= batch[LaneCount.STEP_LIMIT]
        if ANALYSIS:
            if not redo:
                redo = overflows(lane, chunk, batch, lanes, obs)
        if redo:
            if not again:
                for r in range(N_KEPT):
                    block[r, lane] = block[ROW_KEPT + r, lane]
                if ANALYSIS:
                    restore_observers(lane, lanes, obs)
            if CAREFUL_LOOP:
                code = careful(
                    lane, chunk, again, grid, batch, lanes, run, clock, count, y, mem, ws, p,
                    options, tolerances, rec_t, rec_y, rec_aux, sel_y, sel_aux, samples,
                    evt_run, evt_t, evt_step, evt_id, evt_log, block, obs,
                )  # fmt: skip
                batch[LaneCount.AGAIN] = -1
                if code == Status.GROW_EVT:
                    batch[LaneCount.AGAIN] = lane
                    return Status.GROW_EVT
            else:
                code = plain_pass(
                    lane, chunk, grid, batch, lanes, run, y, mem, ws, p,
                    rec_y, rec_aux, sel_y, sel_aux, load_values(count, N_COUNT),
                )  # fmt: skip
        else:
            before = int(lanes[Lane.STEP, lane])
            lanes[Lane.ROW, lane] += passed_records(before, chunk, batch, lanes, lane)
            lanes[Lane.STEP, lane] = before + chunk
            lanes[Lane.T, lane] = time_of(before + chunk, grid, batch)
            if ANALYSIS:
                start_if_due(lane, grid, batch, block, lanes, y, ws, p, obs)
        if code == Status.OK:
            step = int(lanes[Lane.STEP, lane])
            if step >= batch[LaneCount.STEP_END] or step >= batch[LaneCount.STEP_LIMIT]:
                if next_record(batch, lanes, lane) == step:
                    write_row(
                        int(lanes[Lane.ROW, lane]), step, lane, grid, batch, run, y, p, ws,
                        rec_y, rec_aux, sel_y, sel_aux, load_values(count, N_COUNT),
                    )  # fmt: skip
                    lanes[Lane.ROW, lane] += 1.0
                code = Status.DONE
                if step < batch[LaneCount.STEP_END]:
                    code = Status.MAX_STEPS
        if code != Status.OK:
            finish(
                lane, code, grid, batch, block, lanes, run, y, ws, p, varied, states,
                times, status, steps, rejects, rows, obs,
            )  # fmt: skip
    return Status.OK


def plain_pass(
    lane, chunk, grid, batch, lanes, run, y, mem, ws, p, rec_y, rec_aux, sel_y, sel_aux, picked
):
    """Up to `chunk` steps of one lane, looked at one by one; the status if the run ends early."""
    for _ in range(chunk):
        step = int(lanes[Lane.STEP, lane])
        if step >= batch[LaneCount.STEP_END] or step >= batch[LaneCount.STEP_LIMIT]:
            break
        if next_record(batch, lanes, lane) == step:
            write_row(
                int(lanes[Lane.ROW, lane]), step, lane, grid, batch, run, y, p, ws,
                rec_y, rec_aux, sel_y, sel_aux, picked,
            )  # fmt: skip
            lanes[Lane.ROW, lane] += 1.0
        t = time_of(step, grid, batch)
        h = grid[LaneClock.DT]
        if step + 1 == batch[LaneCount.STEP_END]:
            h = grid[LaneClock.DT_LAST]
        u = load_rows(y, 0, N_STATES, lane)
        if LAGS:
            push_lags(ws, step, u, lane)
        m = 0.0
        if MEMORY:
            m = load_rows(mem, 0, N_MEMORY, lane)
            if h != grid[LaneClock.DT]:
                m = restart(t, step, u, p, ws, lane)
        u_new, k = attempt(t, h, step, u, m, p, ws, lane)
        if not all_finite(u_new):
            return Status.NAN_DETECTED
        store_rows(y, 0, lane, u_new)
        if MEMORY:
            store_rows(mem, 0, lane, next_memory(m, k))
        lanes[Lane.STEP, lane] = step + 1
        lanes[Lane.T, lane] = time_of(step + 1, grid, batch)
    return Status.OK
