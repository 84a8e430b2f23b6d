"""Entering the loop: what a run is between two steps goes into registers."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.slots import Clock, Count, Fresh
from dynlib.abi.status import Status
from dynlib.compiler.codegen.templates import phase

__all__ = ["enter", "enter_adaptive", "enter_events"]


@phase
def enter(lane, slots, run, observed, now, tally, out):
    """Take up a run where it was left."""
    out.status = Status.OK
    now.u = load_rows(run.y, 0, N_STATES, lane)
    now.m = 0.0
    if MEMORY:
        now.m = load_rows(run.mem, 0, N_MEMORY, lane)
    slots.clock_out, slots.count_out = slots.clock, slots.count
    slots.clock = load_values(slots.clock, N_CLOCK)
    slots.count = load_values(slots.count, N_COUNT)
    now.t = slots.clock[Clock.T]
    now.dt = slots.clock[Clock.DT]
    now.t_end = slots.clock[Clock.T_END]
    now.step = slots.count[Count.STEP]
    tally.row = slots.count[Count.ROW]
    tally.event_row = slots.count[Count.EVENT_ROW]
    tally.next_record = slots.count[Count.NEXT_RECORD]
    tally.sample = slots.count[Count.SAMPLE]
    tally.budget = slots.count[Count.BUDGET]
    tally.accepted = slots.count[Count.ACCEPTED]
    now.fresh = slots.count[Count.FRESH]
    tally.cuts = slots.count[Count.CUTS]
    tally.started = slots.count[Count.STARTED]
    tally.stopped = slots.count[Count.STOPPED]
    if ANALYSIS:
        tally.observed_from = slots.count[Count.OBSERVED_FROM]
    if SETTINGS:
        put_settings(run.options, run.tolerances, run.ws, lane)
    enter_events(lane, run, now)
    if ADAPTIVE:
        enter_adaptive(lane, slots, run, now, tally)
    if LOCATED:
        now.jumped = False
    if PACKS:
        now.tangents = load_packs(observed.workspace, N_STATES, N_TANGENTS, lane)


@phase
def enter_events(lane, run, now):
    """At the start of a run, say what conditions and the step before are like."""
    if EVENTS:
        if now.fresh == Fresh.START:
            init_events(now.t, now.step, now.u, run.p, run.ws, lane)
    if LOOKS_BACK:
        if now.fresh == Fresh.START:
            push_step_start(run.ws, now.t, now.u, lane)


@phase
def enter_adaptive(lane, slots, run, now, tally):
    """Take up the step control, and find a first step where there is none."""
    tally.rejected = slots.count[Count.REJECTED]
    tally.last = slots.clock[Clock.ERROR]
    tally.retry = slots.count[Count.RETRY]
    if SWITCHES:
        next_switch(now.fresh, now.t, now.t_end, run.p, run.ws, lane)
    if now.dt == 0.0:
        now.dt = first_step(
            now.t, now.t_end, now.step, now.u, run.p, run.ws, run.options, run.tolerances, lane
        )
    now.dt = within_bounds(now.t, now.dt, run.options)
