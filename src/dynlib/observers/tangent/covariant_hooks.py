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
        taken = 0.0
        for i in range(j):
            dot = 0.0
            for s in range(N):
                dot = fma(
                    analysis_ws[TAN + i * N + s, lane], analysis_ws[TAN + j * N + s, lane], dot
                )
            subtract_tangent(COLUMN + j, COLUMN + i, dot, analysis_ws, lane)
            analysis_ws[column + i, lane] = dot
            taken = fma(dot, dot, taken)
        square = 0.0
        for s in range(N):
            x = analysis_ws[TAN + j * N + s, lane]
            square = fma(x, x, square)
        length = sqrt(square)
        lost = (length == 0.0) | (square <= ROUNDING * taken)  # what is left is rounding
        analysis_ws[column + j, lane] = select(lost, 0.0, length)
        factor = select(lost, 0.0, 1.0 / select(lost, 1.0, length))
        scale_tangent(COLUMN + j, factor, analysis_ws, lane)
        analysis_ws[FLAWED, lane] = select(lost, 1.0, analysis_ws[FLAWED, lane])
    if analysis_ws[FLAWED, lane] != 0.0:
        revive_OBS(lane, analysis_ws)


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
