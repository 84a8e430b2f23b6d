"""Hooks of covariant vectors.  Templates: words in capitals stand for numbers and rows.

A row of the trace holds the orthonormal vectors Q and the upper triangle R, by columns, of each
orthonormalisation.
"""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

__all__ = ["decompose_OBS", "end_OBS", "every_OBS", "start_OBS"]


def decompose_OBS(lane, analysis_ws):
    """Modified Gram–Schmidt that remembers what it does."""
    for j in range(K):
        column = TRIANGLE + j * (j + 1) // 2
        for i in range(j):
            dot = 0.0
            for s in range(N):
                dot = fma(
                    analysis_ws[TAN + i * N + s, lane], analysis_ws[TAN + j * N + s, lane], dot
                )
            subtract_tangent(COLUMN + j, COLUMN + i, dot, analysis_ws, lane)
            analysis_ws[column + i, lane] = dot
        square = 0.0
        for s in range(N):
            x = analysis_ws[TAN + j * N + s, lane]
            square = fma(x, x, square)
        length = sqrt(square)
        analysis_ws[column + j, lane] = length
        lost = length == 0.0
        scale_tangent(COLUMN + j, 1.0 / select(lost, 1.0, length), analysis_ws, lane)
        for s in range(N):
            other = select(s == j, 1.0, 0.0)
            kept = analysis_ws[TAN + j * N + s, lane]
            analysis_ws[TAN + j * N + s, lane] = select(lost, other, kept)


def start_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    decompose_OBS(lane, analysis_ws)
    analysis_ws[COUNT, lane] = 0.0


def every_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    decompose_OBS(lane, analysis_ws)
    analysis_ws[COUNT, lane] += 1.0
    for i in range(K * N):
        analysis_ws[COPY + i, lane] = analysis_ws[TAN + i, lane]
    push_trace(
        t, load_rows(analysis_ws[COPY:], 0, WIDTH, lane), TRACE, lane,
        trace_buf, trace_count, traces,
    )  # fmt: skip


def end_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    analysis_out[OUT, lane] = analysis_ws[COUNT, lane]
