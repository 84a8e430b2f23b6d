"""Events within a step: where the first one cuts it, and what happens there."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.slots import Fresh, Stopped, Theta
from dynlib.abi.status import Status
from dynlib.compiler.codegen.templates import leave_loop, next_turn, phase

__all__ = ["act_at_cut", "find_cut", "take_cut"]


@phase
def find_cut(lane, run, now, tried):
    """Where the step is cut; theta is the fraction of it up to there."""
    tried.theta = Theta.NONE
    if LOCATED:
        if ADAPTIVE:
            look = True
        else:
            look = now.jumped or any_crossing(
                tried.t_next, now.step + 1, tried.u_new, now.t, now.u, run.p, run.ws, lane
            )
        if look:
            tried.d = dense(
                now.t, tried.h, now.step, now.u, tried.u_new, tried.k, run.p, run.ws, lane
            )
            tried.theta = first_crossing(
                now.t, tried.h, now.step + 1, now.u, tried.u_new, tried.d, now.jumped,
                run.p, run.ws, lane,
            )  # fmt: skip
        now.jumped = False
    tried.cut = tried.theta <= Theta.END
    if tried.cut:
        tried.t_next = now.t + tried.theta * tried.h


@phase
def take_cut(lane, run, log, observed, now, tried, tally, out):
    """Go to the cut, and let the events there act; a step of a grid goes on from there."""
    now.u = inside(tried.theta, tried.h, now.u_old, tried.u_new, tried.d)
    tried.v = inside(0.5 * tried.theta, tried.h, now.u_old, tried.u_new, tried.d)
    zeno = crowded(now.t, tried.theta, tally.cuts, now.u_old, tried.v, now.u, run.ws, lane)
    act_at_cut(lane, run, log, observed, now, tried, tally)
    now.fresh = Fresh.JUMPED
    if now.touched and not all_finite(now.u):
        out.status = Status.NAN_DETECTED
        leave_loop()
    if STOP_LOCATED:
        if stop_here(now.t, now.step + 1, now.u, now.t_old, now.u_old, run.p, run.ws, lane):
            tally.stopped = Stopped.MET
            zeno = False
    if zeno:
        out.status = Status.ZENO
        leave_loop()
    if PIECEMEAL:
        if tally.stopped != Stopped.MET:
            tally.cuts += 1
            next_turn()


@phase
def act_at_cut(lane, run, log, observed, now, tried, tally):
    """Bring tangent vectors to the cut, and let the events there act."""
    if VARIATIONAL:
        cut_tangents(
            tried.theta, run.options, now.t_old, tried.h, now.step, now.u_old, now.m,
            run.p, run.ws, observed.workspace, lane,
        )  # fmt: skip
    now.u, tally.event_row, now.touched = located_events(
        now.t, now.step + 1, now.u, now.t_old, now.u_old, run.p, run.ws, tally.event_row,
        log, lane, observed.workspace,
    )  # fmt: skip
    if FOLLOWED:
        now.u, tally.event_row, _more = followed_events(
            now.t, now.step + 1, now.u, now.t_old, now.u_old, run.p, run.ws, tally.event_row,
            log, lane, observed.workspace,
        )  # fmt: skip
