"""Records on a fixed grid: rows go to a tile first, then several at a time to each run."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.lane_args import Lane, LaneCount
from dynlib.abi.slots import Count

__all__ = [
    "empty_tile",
    "held_steps",
    "hold_row",
    "passed_records",
    "recorded_states",
    "write_row",
]


def recorded_states(picked):
    """States that are recorded."""
    if picked[Count.SELECTED_STATES] < 0:
        return N_STATES
    return picked[Count.SELECTED_STATES]


def empty_tile(held, row, batch, tile, run, rec_y, picked):
    """Give the runs the rows that are held, those before `row`."""
    if held > 0:
        columns = recorded_states(picked)
        stream = batch[LaneCount.STREAM]
        write_tile(tile, LANES, held * columns, run, rec_y, row - held, stream)
    return 0


def held_steps(i, place, t0, dt, lanes, y, mem, ws, p, flag):
    """Four steps of all lanes; the state before each goes to `place`, a part of the tile.

    Nothing else is there, which the compiler takes from the name.
    """
    for lane in range(LANES):
        store_rows(place, 0, lane, load_rows(y, 0, N_STATES, lane))
        fixed_step(i, lane, t0, dt, lanes, y, mem, ws, p, flag)
        store_rows(place, N_STATES, lane, load_rows(y, 0, N_STATES, lane))
        fixed_step(i + 1, lane, t0, dt, lanes, y, mem, ws, p, flag)
        store_rows(place, 2 * N_STATES, lane, load_rows(y, 0, N_STATES, lane))
        fixed_step(i + 2, lane, t0, dt, lanes, y, mem, ws, p, flag)
        store_rows(place, 3 * N_STATES, lane, load_rows(y, 0, N_STATES, lane))
        fixed_step(i + 3, lane, t0, dt, lanes, y, mem, ws, p, flag)


def hold_row(first, columns, y, tile, sel_y, picked):
    """Put the states that are recorded, of all lanes, into the tile."""
    for k in range(columns):
        j = k
        if picked[Count.SELECTED_STATES] >= 0:
            j = sel_y[k]
        copy_row(tile, LANES, first + k, y, j)


def write_row(row, step, lane, grid, batch, run, y, p, ws, rec_y, rec_aux, sel_y, sel_aux, picked):
    """Record a lane's state."""
    t = time_of(step, grid, batch)
    u = load_rows(y, 0, N_STATES, lane)
    record(
        row, t, step, u, y, p, ws, rec_y[run[lane]], rec_aux[run[lane]],
        sel_y, sel_aux, picked, lane,
    )  # fmt: skip


def passed_records(before, chunk, batch, lanes, lane):
    """Rows that a lane recorded in the chunk that began at step `before`."""
    due = next_record(batch, lanes, lane)
    if due < before or due >= before + chunk:
        return 0
    passed = (before + chunk - 1 - due) // batch[LaneCount.STRIDE] + 1
    return min(passed, batch[LaneCount.ROWS] - int(lanes[Lane.ROW, lane]))
