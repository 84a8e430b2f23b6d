"""The run loop: the one function from which all ordinary runners are made.

Its phases stand in `dynlib.compiler.codegen.loop`; `dynlib.compiler.codegen.families` puts them in
place and takes their records apart.  Flags, names in capitals that stand alone in an `if`, are
then filled in: for a `RunnerVariant` first, for a model afterwards.  What is left is compiled with
the model's functions as globals.  Three rules (docs/design.md) keep it short: one exit, room before
effects, pieces of steps.
"""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.slots import Fresh
from dynlib.abi.status import Status
from dynlib.compiler.codegen.loop.commit import (
    end_step,
    keep_attempt,
    move_on,
    next_length,
    void_memory,
)
from dynlib.compiler.codegen.loop.cut import find_cut, take_cut
from dynlib.compiler.codegen.loop.enter import enter
from dynlib.compiler.codegen.loop.leave import leave
from dynlib.compiler.codegen.loop.observe import (
    after_step,
    before_step,
    look_along,
    look_inside,
    sample_step,
    start_observers,
)
from dynlib.compiler.codegen.loop.record import record_rows
from dynlib.compiler.codegen.loop.room import (
    look_at_bounds,
    look_at_pieces,
    look_for_event_room,
    look_for_trace_room,
    spend,
)
from dynlib.compiler.codegen.loop.start import start_step
from dynlib.compiler.codegen.loop.tries import (
    attempt_step,
    begin_afresh,
    choose_step,
    end_if_failed,
    judge,
)

__all__ = ["run_loop"]


def run_loop(lane, slots, run, rec, log, observed):
    enter(lane, slots, run, observed, now, tally, out)
    while True:
        if ANALYSIS:
            start_observers(lane, run, observed, now, tally)
        if TRACES:
            look_for_trace_room(lane, observed, now, tally, out)
        if tally.cuts == 0:
            record_rows(lane, slots, run, rec, now, tally, out)
            look_at_bounds(slots, now, tally, out)
        if PIECEMEAL:
            look_at_pieces(slots, tally, out)
        spend(tally)
        if EVENTS:
            look_for_event_room(slots, tally, out)
        if tally.cuts == 0 and tally.started != now.step:
            start_step(lane, run, log, observed, now, tally, out)
            if ANALYSIS:
                before_step(lane, run, observed, now)

        choose_step(lane, slots, run, now, tried, tally)
        if now.fresh != Fresh.NO:
            begin_afresh(lane, run, observed, now)
        attempt_step(lane, run, observed, now, tried)
        if ADAPTIVE:
            judge(lane, run, now, tried, tally, out)
        elif FAILS:
            end_if_failed(tried, out)
        if not all_finite(tried.u_new):
            out.status = Status.NAN_DETECTED
            break
        find_cut(lane, run, now, tried)
        look_along(lane, run, observed, now, tried)
        if INSIDE_HOOK:
            look_inside(lane, run, observed, now, tried)
        if SAMPLED:
            sample_step(lane, slots, run, rec, now, tried, tally)

        if ADAPTIVE:
            next_length(now, run, tried, tally)
        move_on(now, tried, tally)
        if LOCATED:
            if tried.cut:
                take_cut(lane, run, log, observed, now, tried, tally, out)
            else:
                keep_attempt(lane, run, observed, now, tried)
        else:
            keep_attempt(lane, run, observed, now, tried)
        void_memory(lane, run, now, tried)
        end_step(lane, run, log, observed, now, tally, out)
        after_step(lane, run, observed, now, tried, tally)
    leave(lane, slots, run, observed, now, tally)
    return out.status
