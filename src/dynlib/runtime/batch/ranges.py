"""What a batch from elsewhere may hold: results of files and of workers are looked at alike."""

from __future__ import annotations

import numpy as np

from dynlib.observers.kit.layout import ObservedLayout
from dynlib.runtime.fastpath.request import RawBatch
from dynlib.runtime.schema import check_array, check_statuses, within

__all__ = ["EVENTS", "PER_RUN", "check_like", "check_ranges"]

# Arrays with one entry or block for each run, and the axis along which the runs lie.
PER_RUN = {
    "y_final": 1, "t_final": 0, "final_dt": 0, "status": 0, "steps": 0, "rejected": 0, "rows": 0,
    "tallies": 1, "rec_y": 0, "rec_aux": 0, "outputs": 1, "traces": 0, "trace_rows": 1,
}  # fmt: skip
EVENTS = ("evt_run", "evt_t", "evt_step", "evt_id", "evt_log")


def check_like(raw: RawBatch, room: RawBatch) -> None:
    """Refuse a part that would not fit into the room that is made for it.

    Raises
    ------
    ValueError
        It says which array, its shape or type, and those that it should have.
    """
    for name in PER_RUN:
        wanted = getattr(room, name)
        check_array(name, getattr(raw, name), wanted.dtype, wanted.shape)
    if set(raw.p_final) != set(room.p_final):
        raise ValueError(f"it has the parameters {sorted(raw.p_final)}")
    for index, wanted in room.p_final.items():
        check_array(f"parameter {index}", raw.p_final[index], wanted.dtype, wanted.shape)
    events = len(raw.evt_run)
    for name in EVENTS:
        wanted = getattr(room, name)
        check_array(name, getattr(raw, name), wanted.dtype, (events, *wanted.shape[1:]))


def check_ranges(raw: RawBatch, observed: ObservedLayout, n_events: int) -> None:
    """Refuse numbers that are no status, count more rows than there are, or point to no run.

    Raises
    ------
    ValueError
        With the numbers.
    """
    check_statuses(raw.status)
    for name in ("steps", "rejected", "tallies"):
        within(name, getattr(raw, name), 0)
    within("rows", raw.rows, 0, raw.rec_y.shape[1])
    most = [member.rows for member in observed.members if member.columns]
    for values, rows in zip(raw.trace_rows, most, strict=True):
        within("rows of a trace", values, 0, rows)
    within("the number of an event", raw.evt_id, 0, n_events - 1)
    within("the run of an event", raw.evt_run, 0, len(raw.status) - 1)
    if (np.diff(raw.evt_run) < 0).any():
        raise ValueError("events do not lie run after run")
