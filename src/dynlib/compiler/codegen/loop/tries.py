"""The step that is tried: its length, its outcome, and whether it is good."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.slots import Clock, Count, Fresh
from dynlib.abi.status import Status
from dynlib.compiler.codegen.templates import leave_loop, next_turn, phase

__all__ = [
    "attempt_step",
    "begin_afresh",
    "choose_adaptive",
    "choose_fixed",
    "choose_step",
    "end_if_failed",
    "judge",
]


@phase
def choose_step(lane, slots, run, now, tried, tally):
    """How long the step is, and where it ends."""
    if DISCRETE:
        tried.h = 1.0
        tried.t_next = now.step + 1.0
    elif ADAPTIVE:
        choose_adaptive(lane, run, now, tried, tally)
    else:
        choose_fixed(slots, now, tried, tally)


@phase
def choose_adaptive(lane, run, now, tried, tally):
    """A step of the control's choice, or up to the end, or to the next switch."""
    if SWITCHES:
        next_switch(now.fresh, now.t, now.t_end, run.p, run.ws, lane)
    if now.fresh == Fresh.JUMPED:
        tally.last = 0.0
        now.dt = shorter(
            now.dt,
            first_step(
                now.t, now.t_end, now.step, now.u, run.p, run.ws, run.options, run.tolerances, lane
            ),
        )
    if uneven(now.t, now.dt, run.options):
        now.dt = within_bounds(now.t, now.dt, run.options)
    goal = now.t_end
    if SWITCHES:
        goal = nearer(now.t, now.t_end, float(run.ws[SWITCH, lane]))
    if reaches(now.t, now.dt, goal):  # not chosen from both: nothing waits for a branch
        tried.h, tried.t_next = goal - now.t, goal
    else:
        tried.h, tried.t_next = now.dt, now.t + now.dt


@phase
def choose_fixed(slots, now, tried, tally):
    """A step to the next point of the grid, from wherever an event has cut the last one."""
    tried.h = now.dt
    tried.t_next = slots.clock[Clock.ORIGIN] + (now.step + 1) * now.dt
    if now.step + 1 == slots.count[Count.STEP_END]:
        tried.h = slots.clock[Clock.DT_LAST]
        tried.t_next = now.t_end
    if LOCATED:
        if tally.cuts > 0:
            tried.h = tried.t_next - now.t
    if MULTISTEP:
        if tried.h != now.dt:
            now.fresh = Fresh.JUMPED


@phase
def begin_afresh(lane, run, observed, now):
    """Forget what the stepper remembers."""
    if LOCATED:
        now.jumped = True
    if MEMORY:
        now.m = restart(now.t, now.step, now.u, run.p, run.ws, lane)
        if VARIATIONAL:
            restart_tangents(now.t, now.step, now.u, run.p, run.ws, observed.workspace, lane)
    now.fresh = Fresh.NO


@phase
def attempt_step(lane, run, observed, now, tried):
    """Try the step, with tangent vectors where there are some."""
    if PACKS:
        tried.u_new, tried.k, now.tangents = runner_variational_step(
            now.t, tried.h, now.step, now.u, now.tangents, now.m, run.p, run.ws, lane
        )
    elif OWN_STEP:
        if NOTED:
            tried.u_new, tried.k, tried.said = runner_variational_step(
                now.t, tried.h, now.step, now.u, now.m, run.p, run.ws, observed.workspace, lane
            )
        else:
            tried.u_new, tried.k = runner_variational_step(
                now.t, tried.h, now.step, now.u, now.m, run.p, run.ws, observed.workspace, lane
            )
    elif NOTED:
        tried.u_new, tried.k, tried.said = attempt_noted(
            now.t, tried.h, now.step, now.u, now.m, run.p, run.ws, lane
        )
    else:
        tried.u_new, tried.k = attempt(now.t, tried.h, now.step, now.u, now.m, run.p, run.ws, lane)
    if NOTED:
        store_rows(run.ws, TALLY, lane, tallied(tried.said, run.ws, lane))


@phase
def end_if_failed(tried, out):
    """On a grid there is no shorter step to try."""
    if tried.said[0] != 0.0:
        out.status = Status.STEPFAIL
        leave_loop()


@phase
def judge(lane, run, now, tried, tally, out):
    """Refuse an attempt that failed, or whose error is too large, and try a shorter step."""
    tried.error = error_norm(
        tried.h, now.u, tried.u_new, tried.k, run.options, run.tolerances, lane
    )
    if FAILS:
        tried.error = select(tried.said[0] != 0.0, inf, tried.error)
    if not tried.error <= 1.0:
        tally.rejected += 1
        now.dt = tried.h * step_factor(
            error_level(tried.error), False, tally.last, tally.retry, run.options
        )
        tally.retry = 1
        if given_up(now.t, tried.h, run.options):
            now.dt = tried.h
            out.status = Status.STEPFAIL
            leave_loop()
        next_turn()
