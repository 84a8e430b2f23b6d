"""What observers see of a step, and samples inside of it."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.slots import Count, Stopped, Theta
from dynlib.compiler.codegen.templates import phase

__all__ = [
    "after_step",
    "before_step",
    "look_along",
    "look_every",
    "look_inside",
    "sample_step",
    "start_observers",
]


@phase
def start_observers(lane, run, observed, now, tally):
    """Where observers start (anew)."""
    if now.step == tally.observed_from and tally.cuts == 0:
        store_rows(run.y, 0, lane, now.u)
        if PREVIOUS:
            store_rows(run.y_prev, 0, lane, now.u)
        if PACKS:
            store_packs(observed.workspace, N_TANGENTS, lane, now.tangents)
        ANALYSIS_START(lane, now.t, now.dt, now.step, run.y, run.y_prev, run.p, run.ws, observed)
        if PACKS:
            now.tangents = load_packs(observed.workspace, N_STATES, N_TANGENTS, lane)
        tally.observed_from = now.step - 1


@phase
def before_step(lane, run, observed, now):
    """Before a step: hooks, and the state that later ones look back to."""
    if PRE_HOOK:
        if DISCRETE:
            now.dt = 1.0
        store_rows(run.y, 0, lane, now.u)
        ANALYSIS_PRE(lane, now.t, now.dt, now.step, run.y, run.y_prev, run.p, run.ws, observed)
    if PREVIOUS:
        store_rows(run.y_prev, 0, lane, now.u)


@phase
def look_along(lane, run, observed, now, tried):
    """The piece that is taken, up to where an event cuts it."""
    if PIECES:
        tried.length = tried.h
        tried.v = tried.u_new
        if LOCATED:
            if tried.cut:
                tried.length = tried.theta * tried.h
                tried.v = inside(tried.theta, tried.h, now.u, tried.u_new, tried.d)
    if ALONG_HOOK:
        ANALYSIS_ALONG(
            lane, now.t, tried.length, now.step, now.u, tried.v, run.p, run.ws,
            observed.workspace, observed.out,
        )  # fmt: skip
    if PIECE_HOOK:
        ANALYSIS_PIECE(lane, now.t, tried.length, now.step, now.u, tried.v, run.p, run.ws, observed)


@phase
def look_inside(lane, run, observed, now, tried):
    """The inside of the piece, by its interpolant, where an observer asks for it."""
    if ADAPTIVE:
        seen = True
    else:
        seen = tried.cut or ANALYSIS_SEES(
            now.t, tried.t_next, tried.h, now.step, now.u, tried.u_new, run.p, run.ws, lane
        )
    if seen:
        tried.d = dense(now.t, tried.h, now.step, now.u, tried.u_new, tried.k, run.p, run.ws, lane)
        ANALYSIS_INSIDE(
            lane, now.t, tried.t_next, tried.h, min_(tried.theta, Theta.END), now.step,
            now.u, tried.u_new, tried.d, now.m, run.p, run.ws, observed,
        )  # fmt: skip


@phase
def sample_step(lane, slots, run, rec, now, tried, tally):
    """Record at the times that lie inside of the piece."""
    way = copysign(1.0, tried.h)
    if (
        tally.sample < slots.count[Count.SAMPLES]
        and (tried.t_next - rec.samples[tally.sample]) * way > 0.0
    ):
        tried.d = dense(now.t, tried.h, now.step, now.u, tried.u_new, tried.k, run.p, run.ws, lane)
        while (
            tally.sample < slots.count[Count.SAMPLES]
            and (tried.t_next - rec.samples[tally.sample]) * way > 0.0
        ):
            ts = rec.samples[tally.sample]
            us = interpolate((ts - now.t) / tried.h, tried.h, now.u, tried.u_new, tried.d)
            rec.t[tally.row] = ts
            record(
                tally.row, ts, now.step + 1, us, run.y, run.p, run.ws,
                rec.y, rec.aux, rec.sel_y, rec.sel_aux, slots.count, lane,
            )  # fmt: skip
            tally.row += 1
            tally.sample += 1


@phase
def after_step(lane, run, observed, now, tried, tally):
    """After a step: hooks, and whether observers have seen enough."""
    if POST_HOOK:
        store_rows(run.y, 0, lane, now.u)
        ANALYSIS_POST(lane, now.t, tried.h, now.step, run.y, run.y_prev, run.p, run.ws, observed)
    if EVERY_HOOK:
        look_every(lane, run, observed, now, tried)
    if OBSERVERS_STOP:
        wanted = observed.workspace[STOP_ROW, lane] != 0.0 and now.step > tally.observed_from
        if wanted and tally.stopped == Stopped.NO:
            tally.stopped = Stopped.MET


@phase
def look_every(lane, run, observed, now, tried):
    """Hooks that are due after every so many steps."""
    if now.step % EVERY == 0:
        store_rows(run.y, 0, lane, now.u)
        if PACKS:
            store_packs(observed.workspace, N_TANGENTS, lane, now.tangents)
        ANALYSIS_EVERY(lane, now.t, tried.h, now.step, run.y, run.y_prev, run.p, run.ws, observed)
        if PACKS:
            now.tangents = load_packs(observed.workspace, N_STATES, N_TANGENTS, lane)
