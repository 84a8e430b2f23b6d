"""What happens once where a step begins, before it is tried."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.slots import Fresh, Stopped
from dynlib.abi.status import Status
from dynlib.compiler.codegen.templates import leave_loop, phase

__all__ = ["start_events_due", "start_step", "stop_at_start"]


@phase
def start_step(lane, run, log, observed, now, tally, out):
    """Stop conditions and events of the start of a step; what later steps see of it."""
    if STARTS:
        now.t_old = now.t
        now.u_old = now.u
        if LOOKS_BACK:
            now.t_old, now.u_old = step_start(run.ws, lane)
    if STOP_START:
        stop_at_start(lane, run, now, tally, out)
    tally.started = now.step
    if START_EVENTS:
        start_events_due(lane, run, log, observed, now, tally, out)
    if LAGS:
        push_lags(run.ws, now.step, now.u, lane)
    if LOOKS_BACK:
        push_step_start(run.ws, now.t, now.u, lane)


@phase
def stop_at_start(lane, run, now, tally, out):
    """Leave where the stop condition holds, but for a run that goes on from there."""
    if tally.stopped == Stopped.NO and stop_condition(
        now.t, now.step, now.u, now.t_old, now.u_old, run.p, run.ws, lane
    ):
        tally.stopped = Stopped.MET
        out.status = Status.EARLY_EXIT
        leave_loop()
    tally.stopped = Stopped.NO


@phase
def start_events_due(lane, run, log, observed, now, tally, out):
    """Take the events of the start of a step."""
    now.u, tally.event_row, now.touched = start_events(
        now.t, now.step, now.u, now.t_old, now.u_old, run.p, run.ws, tally.event_row,
        log, lane, observed.workspace,
    )  # fmt: skip
    if now.touched:
        now.fresh = Fresh.JUMPED
        if not all_finite(now.u):
            out.status = Status.NAN_DETECTED
            leave_loop()
