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


def empty_tile(held, row, picked, job, cells, rec):
    """Give the runs the rows that are held, those before `row`."""
    if held > 0:
        columns = recorded_states(picked)
        stream = job.batch[LaneCount.STREAM]
        write_tile(cells.tile, LANES, held * columns, cells.run, rec.y, row - held, stream)
    return 0


def held_steps(i, place, job, cells):
    """Four steps of all lanes; the state before each goes to `place`, a part of the tile.

    Nothing else is there, which the compiler takes from the name.
    """
    for lane in range(LANES):
        store_rows(place, 0, lane, load_rows(cells.y, 0, N_STATES, lane))
        fixed_step(i, lane, job, cells)
        store_rows(place, N_STATES, lane, load_rows(cells.y, 0, N_STATES, lane))
        fixed_step(i + 1, lane, job, cells)
        store_rows(place, 2 * N_STATES, lane, load_rows(cells.y, 0, N_STATES, lane))
        fixed_step(i + 2, lane, job, cells)
        store_rows(place, 3 * N_STATES, lane, load_rows(cells.y, 0, N_STATES, lane))
        fixed_step(i + 3, lane, job, cells)


def hold_row(first, columns, picked, cells, rec):
    """Put the states that are recorded, of all lanes, into the tile."""
    for k in range(columns):
        j = k
        if picked[Count.SELECTED_STATES] >= 0:
            j = rec.sel_y[k]
        copy_row(cells.tile, LANES, first + k, cells.y, j)


def write_row(row, step, lane, picked, job, cells, rec):
    """Record a lane's state."""
    t = time_of(step, job)
    u = load_rows(cells.y, 0, N_STATES, lane)
    record(
        row, t, step, u, cells.y, cells.p, cells.ws, rec.y[cells.run[lane]],
        rec.aux[cells.run[lane]], rec.sel_y, rec.sel_aux, picked, lane,
    )  # fmt: skip


def passed_records(before, chunk, lane, job, cells):
    """Rows that a lane recorded in the chunk that began at step `before`."""
    due = next_record(lane, job, cells)
    if due < before or due >= before + chunk:
        return 0
    passed = (before + chunk - 1 - due) // job.batch[LaneCount.STRIDE] + 1
    return min(passed, job.batch[LaneCount.ROWS] - int(cells.lanes[Lane.ROW, lane]))
