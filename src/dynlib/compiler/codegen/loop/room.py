"""Whether the run goes on, and whether there is room for what a step may bring."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.slots import Count, Stopped
from dynlib.abi.status import Status
from dynlib.compiler.codegen.templates import leave_loop, phase

__all__ = [
    "look_at_bounds",
    "look_at_pieces",
    "look_for_event_room",
    "look_for_trace_room",
    "spend",
]


@phase
def look_for_trace_room(lane, observed, now, tally, out):
    """Leave while a trace of an observer has no room for what a step may bring."""
    if not trace_room(
        now.step, tally.observed_from, lane, observed.buf, observed.count, observed.traces
    ):
        out.status = Status.TRACE_OVERFLOW
        leave_loop()


@phase
def look_at_bounds(slots, now, tally, out):
    """Leave at the end of the run, where it was stopped, and at its limit."""
    if STOPS:
        if tally.stopped == Stopped.MET:
            out.status = Status.EARLY_EXIT
            leave_loop()
    if ADAPTIVE:
        done = (now.t_end - now.t) * copysign(1.0, now.dt) <= 0.0
    else:
        done = now.step >= slots.count[Count.STEP_END]
    if done:
        out.status = Status.DONE
        leave_loop()
    if now.step >= slots.count[Count.STEP_LIMIT]:
        out.status = Status.MAX_STEPS
        leave_loop()


@phase
def look_at_pieces(slots, tally, out):
    """Where events cut steps of a grid, the limit is one of pieces."""
    if tally.accepted >= slots.count[Count.PIECE_LIMIT]:
        out.status = Status.MAX_STEPS
        leave_loop()


@phase
def spend(tally):
    """Pause once the attempts of this visit are spent."""
    if tally.budget <= 0:
        leave_loop()
    tally.budget -= 1


@phase
def look_for_event_room(slots, tally, out):
    """Leave while the log has no room for what a step may bring."""
    if tally.event_row + EVENT_ROOM > slots.count[Count.EVENT_ROWS]:
        out.status = Status.GROW_EVT
        leave_loop()
