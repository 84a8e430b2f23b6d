"""What is done at the hits of a section: count them, keep what is to be recorded."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

__all__ = [
    "end_OBS",
    "extremum_OBS",
    "hit_OBS",
    "met_OBS",
    "peak_OBS",
    "turn_OBS",
    "unturned_OBS",
]


def hit_OBS(t, analysis_ws, analysis_out, lane):
    analysis_out[OUT, lane] += 1.0
    if analysis_out[OUT, lane] == 1.0:
        analysis_out[OUT + 1, lane] = t
    analysis_out[OUT + 2, lane] = t


def met_OBS(
    t, rising, step, u, lane, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    hit_OBS(t, analysis_ws, analysis_out, lane)
    if TRACED:
        values = recorded_OBS(t, step, u, t, u, params, runtime_ws, lane)
        push_trace(t, values, TRACE, lane, trace_buf, trace_count, traces)


def extremum_OBS(
    t, rising, step, u, lane, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    value = value_OBS(t, step, u, t, u, params, runtime_ws, lane)
    peak_OBS(t, value, rising, lane, analysis_ws, analysis_out, trace_buf, trace_count, traces)


def unturned_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    u = load_rows(y_curr, 0, N, lane)
    analysis_ws[BEFORE, lane] = value_OBS(t, step, u, t, u, params, runtime_ws, lane)
    analysis_ws[EARLIER, lane] = nan


def turn_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    """Of a map, whose iterate before this one may lie above or below both its neighbours."""
    u = load_rows(y_curr, 0, N, lane)
    value = analysis_ws[BEFORE, lane]
    earlier = analysis_ws[EARLIER, lane]
    now = value_OBS(t, step, u, t, u, params, runtime_ws, lane)
    analysis_ws[EARLIER, lane] = value
    analysis_ws[BEFORE, lane] = now
    highest = (value > earlier) & (value >= now)
    lowest = (value < earlier) & (value <= now)
    found = highest | lowest
    if FALLING:
        found = highest
    if RISING:
        found = lowest
    if found:
        at = t - 1.0
        peak_OBS(at, value, lowest, lane, analysis_ws, analysis_out, trace_buf, trace_count, traces)


def peak_OBS(t, value, rising, lane, analysis_ws, analysis_out, trace_buf, trace_count, traces):
    hit_OBS(t, analysis_ws, analysis_out, lane)
    first = analysis_out[OUT, lane] == 1.0
    if first or value < analysis_out[OUT + 4, lane]:
        analysis_out[OUT + 4, lane] = value
    if first or value > analysis_out[OUT + 5, lane]:
        analysis_out[OUT + 5, lane] = value
    if TRACED:
        row = (value,)
        if BOTH:
            row = (value, select(rising, -1.0, 1.0))
        push_trace(t, row, TRACE, lane, trace_buf, trace_count, traces)


def end_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    spans = analysis_out[OUT, lane] - 1.0
    span = analysis_out[OUT + 2, lane] - analysis_out[OUT + 1, lane]
    analysis_out[OUT + 3, lane] = select(spans > 0.0, span / spans, nan)
