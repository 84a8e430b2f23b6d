"""The hook of the 0-1 test: it keeps a series, from which the result is made."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

__all__ = ["end_OBS", "every_OBS", "start_OBS"]


def start_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    analysis_ws[COUNT, lane] = 0.0


def every_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    u = load_rows(y_curr, 0, N, lane)
    values = value_OBS(t, step, u, t, u, params, runtime_ws, lane)
    analysis_ws[COUNT, lane] += 1.0
    push_trace(t, values, TRACE, lane, trace_buf, trace_count, traces)


def end_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    analysis_out[OUT, lane] = analysis_ws[COUNT, lane]
