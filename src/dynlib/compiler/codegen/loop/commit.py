"""Taking an attempt as a step, and what happens at its end."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.slots import Fresh, Stopped
from dynlib.abi.status import Status
from dynlib.compiler.codegen.templates import leave_loop, phase

__all__ = ["end_events_due", "end_step", "keep_attempt", "move_on", "next_length", "void_memory"]


@phase
def next_length(now, run, tried, tally):
    """What the step control makes of the error of a good attempt."""
    level = error_level(tried.error)
    factor = step_factor(level, True, tally.last, tally.retry, run.options)
    now.dt = next_step_size(tried.h, now.dt, factor, run.options)
    tally.last = last_level(level)
    tally.retry = 0


@phase
def move_on(now, tried, tally):
    """The attempt is taken, up to where an event cuts it."""
    now.u_old = now.u
    now.t_old = now.t
    tally.accepted += 1
    now.t = tried.t_next


@phase
def keep_attempt(lane, run, observed, now, tried):
    """Take over the outcome of a whole step: state, tangent vectors, memory of the stepper."""
    now.u = tried.u_new
    if PENDING:
        if ADAPTIVE:
            settle_tangents(
                run.options, now.t_old, tried.h, now.step, now.u_old, now.m,
                run.p, run.ws, observed.workspace, lane,
            )  # fmt: skip
        else:
            commit_tangents(observed.workspace, lane)
    if MEMORY:
        now.m = next_memory(now.m, tried.k)


@phase
def void_memory(lane, run, now, tried):
    """Say where what the stepper remembers is of no use for the next step."""
    if MULTISTEP:
        if tried.h != now.dt:
            now.fresh = Fresh.JUMPED
    if ADJUSTED:
        now.fresh = Fresh.JUMPED
    if SWITCHES:
        now.fresh = switched(now.t, now.fresh, run.ws, lane)


@phase
def end_step(lane, run, log, observed, now, tally, out):
    """Count the step, and let events and stop conditions of its end act."""
    now.step += 1
    tally.cuts = 0
    if END_EVENTS:
        end_events_due(lane, run, log, observed, now, tally, out)
    if STOP_LOCATED:
        if stop_at_end(now.t, now.step, now.u, now.t_old, now.u_old, run.p, run.ws, lane):
            tally.stopped = Stopped.MET
    if LOOKS_BACK:
        now.t_old, now.u_old = step_start(run.ws, lane)
    if STOP_END:
        if stop_condition(now.t, now.step, now.u, now.t_old, now.u_old, run.p, run.ws, lane):
            tally.stopped = Stopped.MET


@phase
def end_events_due(lane, run, log, observed, now, tally, out):
    """Take the events of the end of a step."""
    now.u, tally.event_row, now.touched = end_events(
        now.t, now.step, now.u, now.t_old, now.u_old, run.p, run.ws, tally.event_row,
        log, lane, observed.workspace,
    )  # fmt: skip
    if now.touched:
        now.fresh = Fresh.JUMPED
        if not all_finite(now.u):
            out.status = Status.NAN_DETECTED
            leave_loop()
