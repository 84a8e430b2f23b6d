"""Leaving the loop: what a run is between two steps goes back to its arrays."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.slots import Clock, Count, Fresh
from dynlib.compiler.codegen.templates import phase

__all__ = ["leave", "store_slots"]


@phase
def leave(lane, slots, run, observed, now, tally):
    """Put everything back where the next visit, or whoever asks, finds it."""
    if LOCATED:
        if now.jumped:
            now.fresh = Fresh.RETRY
    store_rows(run.y, 0, lane, now.u)
    if PACKS:
        store_packs(observed.workspace, N_TANGENTS, lane, now.tangents)
    if END_HOOK:
        if now.step > tally.observed_from:
            ANALYSIS_END(lane, now.t, now.dt, now.step, run.y, run.y_prev, run.p, run.ws, observed)
    if MEMORY:
        store_rows(run.mem, 0, lane, now.m)
    store_slots(slots, now, tally)


@phase
def store_slots(slots, now, tally):
    """The numbers."""
    slots.clock_out[Clock.T] = now.t
    slots.clock_out[Clock.DT] = now.dt
    if ADAPTIVE:
        slots.clock_out[Clock.ERROR] = tally.last
        slots.count_out[Count.REJECTED] = tally.rejected
        slots.count_out[Count.RETRY] = tally.retry
    slots.count_out[Count.STEP] = now.step
    slots.count_out[Count.ROW] = tally.row
    slots.count_out[Count.EVENT_ROW] = tally.event_row
    slots.count_out[Count.NEXT_RECORD] = tally.next_record
    slots.count_out[Count.SAMPLE] = tally.sample
    slots.count_out[Count.BUDGET] = tally.budget
    slots.count_out[Count.ACCEPTED] = tally.accepted
    slots.count_out[Count.FRESH] = now.fresh
    slots.count_out[Count.CUTS] = tally.cuts
    slots.count_out[Count.STARTED] = tally.started
    slots.count_out[Count.STOPPED] = tally.stopped
    if ANALYSIS:
        slots.count_out[Count.OBSERVED_FROM] = tally.observed_from
