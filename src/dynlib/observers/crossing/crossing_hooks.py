"""Templates of what finds crossings: the places within steps at which an expression changes sign.

Words in capitals stand for numbers and rows, flags are folded (see `Part`).  ``height_OBS`` is the
expression, ``rate_OBS`` its rate of change along the flow, ``met_OBS`` what is done at a crossing.
"""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from dynlib.compiler.codegen.locate import refine_EVENT
from dynlib.compiler.codegen.printed import text_of
from dynlib.compiler.codegen.templates import template_of

__all__ = [
    "begin_OBS",
    "compare_OBS",
    "crosses_OBS",
    "look_OBS",
    "look_for",
    "nothing_OBS",
    "polish_OBS",
    "remember_OBS",
    "seek",
    "sees_OBS",
    "truth_OBS",
]

# The names differ from those that the model's events have; the past is where the step starts.
_NAMES = {"cond_EVENT": "truth_OBS", "level_EVENT": "height_OBS", "T": "t", "U": "u"}


@cache
def seek() -> str:
    """The text of `refine_EVENT` for crossings that an observer looks for."""
    found = template_of(refine_EVENT).folded({**_NAMES, "PASSING": False}, "seek_OBS")
    return text_of([found.node])


def truth_OBS(t, step, u, tp, up, p, ws, lane):
    if CONDITION:
        return holds_OBS(t, step, u, tp, up, p, ws, lane)[0]
    return height_OBS(t, step, u, tp, up, p, ws, lane) >= 0.0


def crosses_OBS(before, after):
    """Whether a crossing of the wanted direction lies between two values of the expression."""
    rising = (before < 0.0) & (after >= 0.0)
    falling = (before > 0.0) & (after <= 0.0)
    if RISING:
        return rising
    if FALLING:
        return falling
    return rising | falling


def sees_OBS(t, t_end, h, step, u, v, params, runtime_ws, lane):
    if CONDITION:
        held = truth_OBS(t, step, u, t, u, params, runtime_ws, lane)
        holds = truth_OBS(t_end, step + 1, v, t, u, params, runtime_ws, lane)
        return (held != holds) & holds
    before = height_OBS(t, step, u, t, u, params, runtime_ws, lane)
    after = height_OBS(t_end, step + 1, v, t, u, params, runtime_ws, lane)
    if TURNS:
        return crosses_OBS(select(h < 0.0, -before, before), select(h < 0.0, -after, after))
    return crosses_OBS(before, after)


def look_OBS(
    lane, t, t_end, h, end, step, u, v, d, m, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    """Look at a step in so many places, and go after each change of sign.

    Of a condition, after each place where it begins to hold: there its level may be zero already
    and rise from it, as at the start of a run.
    """
    left = 0.0
    if CONDITION:
        held = truth_OBS(t, step, u, t, u, params, runtime_ws, lane)
    before = height_OBS(t, step, u, t, u, params, runtime_ws, lane)
    for j in range(SCAN_POINTS):
        right = end * ((j + 1) / SCAN_POINTS)
        w = inside(right, h, u, v, d)
        time = t + right * h
        if j == SCAN_POINTS - 1:
            time = t_end  # the time that the next piece begins with
        after = height_OBS(time, step + 1, w, t, u, params, runtime_ws, lane)
        if CONDITION:
            holds = truth_OBS(time, step + 1, w, t, u, params, runtime_ws, lane)
            wanted = (held != holds) & holds
            held = holds
        else:
            holds = before < 0.0
            wanted = crosses_OBS(before, after)
            if TURNS:
                wanted = crosses_OBS(
                    select(h < 0.0, -before, before), select(h < 0.0, -after, after)
                )
        rising = holds
        if TURNS:
            rising = holds != (h < 0.0)
        if wanted:
            theta = left + (right - left) * (before / (before - after))
            theta, w, found = polish_OBS(
                theta, left, right, t, h, step, u, v, d, m, params, runtime_ws, lane
            )
            if not found:
                theta = seek_OBS(
                    left, right, holds, t, h, step + 1, u, v, d, params, runtime_ws, lane
                )
                theta, w, found = polish_OBS(
                    theta, left, right, t, h, step, u, v, d, m, params, runtime_ws, lane
                )
            met_OBS(
                t + theta * h, rising, step, w, lane, params, runtime_ws,
                analysis_ws, analysis_out, trace_buf, trace_count, traces,
            )  # fmt: skip
        left = right
        before = after


def look_for(met: Callable[..., Any], look: Callable[..., Any] = look_OBS) -> str:
    """The text of `look` that calls the template `met` at a crossing."""
    return inspect.getsource(look).replace("met_OBS", met.__name__)


def remember_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    u = load_rows(y_curr, 0, N, lane)
    analysis_ws[BEFORE, lane] = height_OBS(t, step, u, t, u, params, runtime_ws, lane)


def compare_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    """A map jumps: its crossing is at the iterate after."""
    u = load_rows(y_curr, 0, N, lane)
    before = analysis_ws[BEFORE, lane]
    after = height_OBS(t, step, u, t, u, params, runtime_ws, lane)
    analysis_ws[BEFORE, lane] = after
    if crosses_OBS(before, after):
        met_OBS(
            t, after >= 0.0, step, u, lane, params, runtime_ws,
            analysis_ws, analysis_out, trace_buf, trace_count, traces,
        )  # fmt: skip


def polish_OBS(theta, left, right, t, h, step, u, v, d, m, params, runtime_ws, lane):
    """Newton's method on steps of the method itself, so that the state has its accuracy.

    Returns the place, the state there, and whether the method has come to rest.
    """
    memory = m
    if MULTISTEP:
        memory = restart(t, step, u, params, runtime_ws, lane)
    w = v
    if theta < 1.0:
        w, _k = attempt(t, theta * h, step, u, memory, params, runtime_ws, lane)
    found = False
    last = 1.0
    for _ in range(8):
        time = t + theta * h
        level = height_OBS(time, step + 1, w, t, u, params, runtime_ws, lane)
        rate = rate_OBS(time, step + 1, w, t, u, params, runtime_ws, lane)
        nearer = theta - level / (rate * h)
        move = abs_(nearer - theta)
        if not (nearer >= left - 1e-12 and nearer <= right + 1e-12):
            break
        if move <= 1e-15 or (found and move >= last):
            found = True
            break
        theta = min_(max_(nearer, left), right)
        w, _k = attempt(t, theta * h, step, u, memory, params, runtime_ws, lane)
        found = move < 1e-8  # what is left is a small part of it
        last = move
    return theta, w, found


def begin_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    """Nothing has been met yet."""
    for i in range(SIZE):
        analysis_ws[WS + i, lane] = 0.0


def nothing_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    """After each step the runner asks whether it may stop."""
    pass  # noqa: PIE790  # the line above describes the template and is dropped
