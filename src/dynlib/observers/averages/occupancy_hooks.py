"""Hooks of `time_in` and `histogram`: time is shared out."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

__all__ = [
    "add_OBS",
    "along_OBS",
    "bins_end_OBS",
    "bins_piece_OBS",
    "bins_post_OBS",
    "bins_start_OBS",
    "end_OBS",
    "inside_OBS",
    "post_OBS",
    "sees_OBS",
    "start_OBS",
    "take_OBS",
    "truth_OBS",
]  # fmt: skip


def truth_OBS(t, step, u, tp, up, p, ws, lane):
    return holds_OBS(t, step, u, tp, up, p, ws, lane)[0]


def start_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    analysis_ws[BEGAN, lane] = t
    analysis_ws[SUM, lane] = 0.0


def along_OBS(lane, t, h, step, u, v, params, runtime_ws, analysis_ws, analysis_out):
    """Pieces at both of whose ends the condition holds; those in which it changes come later."""
    before = truth_OBS(t, step, u, t, u, params, runtime_ws, lane)
    after = truth_OBS(t + h, step + 1, v, t, u, params, runtime_ws, lane)
    analysis_ws[SUM, lane] += select(before & after, h, 0.0)


def sees_OBS(t, t_end, h, step, u, v, params, runtime_ws, lane):
    before = truth_OBS(t, step, u, t, u, params, runtime_ws, lane)
    return before != truth_OBS(t + h, step + 1, v, t, u, params, runtime_ws, lane)


def inside_OBS(
    lane, t, t_end, h, end, step, u, v, d, m, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    left = 0.0
    was = truth_OBS(t, step, u, t, u, params, runtime_ws, lane)
    for j in range(SCAN_POINTS):
        right = end * ((j + 1) / SCAN_POINTS)
        w = inside(right, h, u, v, d)
        holds = truth_OBS(t + right * h, step + 1, w, t, u, params, runtime_ws, lane)
        share = 0.0
        if holds != was:
            theta = seek_OBS(left, right, holds, t, h, step + 1, u, v, d, params, runtime_ws, lane)
            share = select(was, theta - left, right - theta)
        elif ADAPTIVE_STEPS:
            share = select(holds, right - left, 0.0)
        analysis_ws[SUM, lane] += share * h
        left = right
        was = holds


def post_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    u = load_rows(y_curr, 0, N, lane)
    holds = truth_OBS(t, step, u, t, u, params, runtime_ws, lane)
    analysis_ws[SUM, lane] += select(holds, 1.0, 0.0)


def end_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    span = t - analysis_ws[BEGAN, lane]
    analysis_out[OUT, lane] = analysis_ws[SUM, lane] / span
    analysis_out[OUT + 1, lane] = abs_(analysis_ws[SUM, lane])
    analysis_out[OUT + 2, lane] = error_OBS(0, 0.0, lane, analysis_ws)


def add_OBS(low, high, weight, lane, analysis_out):
    """Share out a weight evenly over the places from `low` to `high`, in units of bins.

    The row OUT is what lies below the first place, the row after the last place what lies above.
    """
    length = high - low
    if length == 0.0:
        place = floor(low)
        if low == BINS:
            place = BINS - 1.0
        place = min_(max_(place, -1.0), BINS * 1.0)
        analysis_out[OUT + 1 + int(place), lane] += weight
    elif length > 0.0:
        share = weight / length
        analysis_out[OUT, lane] += share * max_(min_(high, 0.0) - low, 0.0)
        analysis_out[OUT + 1 + BINS, lane] += share * max_(high - max_(low, BINS * 1.0), 0.0)
        first = int(floor(min_(max_(low, 0.0), BINS * 1.0)))
        last = int(floor(min_(max_(high, 0.0), BINS - 1.0)))
        for k in range(first, last + 1):
            overlap = min_(high, k + 1.0) - max_(low, k * 1.0)
            analysis_out[OUT + 1 + k, lane] += share * max_(overlap, 0.0)


def bins_start_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    analysis_ws[BEGAN, lane] = t
    empty_OBS(t, lane, analysis_ws)
    for k in range(BINS):
        analysis_ws[TAKEN + k, lane] = 0.0


def take_OBS(j, lane, analysis_ws, analysis_out):
    """What a bin has gained since the last batch."""
    total = analysis_out[OUT + 1 + j, lane]
    gained = total - analysis_ws[TAKEN + j, lane]
    analysis_ws[TAKEN + j, lane] = total
    return gained


def bins_piece_OBS(
    lane, t, h, step, u, v, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    a = (value_OBS(t, step, u, t, u, params, runtime_ws, lane) - LOW) * SCALE
    b = (value_OBS(t + h, step + 1, v, t, u, params, runtime_ws, lane) - LOW) * SCALE
    add_OBS(min_(a, b), max_(a, b), abs_(h), lane, analysis_out)


def bins_post_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    u = load_rows(y_curr, 0, N, lane)
    a = (value_OBS(t, step, u, t, u, params, runtime_ws, lane) - LOW) * SCALE
    add_OBS(a, a, 1.0, lane, analysis_out)


def bins_end_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    span = abs_(t - analysis_ws[BEGAN, lane])
    for j in range(BINS):
        error = error_OBS(j, 0.0, lane, analysis_ws)
        analysis_out[OUT + 2 + BINS + j, lane] = error * span
