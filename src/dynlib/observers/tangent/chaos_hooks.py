"""Hooks of SALI, GALI and FLI.  Templates: words in capitals stand for numbers and rows."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

__all__ = [
    "alignment_OBS",
    "end_OBS",
    "every_OBS",
    "fast_end_OBS",
    "fast_every_OBS",
    "fast_start_OBS",
    "fast_trace_OBS",
    "fast_within_OBS",
    "start_OBS",
    "trace_OBS",
    "volume_OBS",
    "within_OBS",
]


def volume_OBS(lane, analysis_ws):
    """Volume of the parallelepiped of the unit vectors: what Gram–Schmidt leaves of them."""
    volume = 1.0
    for j in range(K):
        for s in range(N):
            analysis_ws[COPY + j * N + s, lane] = analysis_ws[TAN + j * N + s, lane]
        for i in range(j):
            dot = 0.0
            for s in range(N):
                dot = fma(
                    analysis_ws[COPY + i * N + s, lane], analysis_ws[COPY + j * N + s, lane], dot
                )
            for s in range(N):
                kept = analysis_ws[COPY + j * N + s, lane]
                analysis_ws[COPY + j * N + s, lane] = fma(
                    -dot, analysis_ws[COPY + i * N + s, lane], kept
                )
        square = 0.0
        for s in range(N):
            x = analysis_ws[COPY + j * N + s, lane]
            square = fma(x, x, square)
        length = sqrt(square)
        volume *= length
        factor = 1.0 / select(length == 0.0, 1.0, length)
        for s in range(N):
            analysis_ws[COPY + j * N + s, lane] *= factor
    return volume


def alignment_OBS(lane, analysis_ws):
    """The lesser of the lengths of sum and difference of two unit vectors."""
    plus = 0.0
    minus = 0.0
    for s in range(N):
        a = analysis_ws[TAN + s, lane]
        b = analysis_ws[TAN + N + s, lane]
        plus = fma(a + b, a + b, plus)
        minus = fma(a - b, a - b, minus)
    return sqrt(min_(plus, minus))


def start_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    """Vectors at right angles, whatever they were."""
    orthonormalise_OBS(lane, analysis_ws)
    revive_OBS(lane, analysis_ws)
    for i in range(SIZE):
        analysis_ws[WS + i, lane] = 0.0
    analysis_ws[VALUE, lane] = MEASURE_OBS(lane, analysis_ws)


def within_OBS(lane, t, analysis_ws):
    """Back to length 1; how large is what they span is noted: nobody knows if one is zero."""
    lost = False
    for j in range(K):
        square = 0.0
        for s in range(N):
            x = analysis_ws[TAN + j * N + s, lane]
            square = fma(x, x, square)
        gone = square == 0.0
        lost = lost | gone
        scale_tangent(COLUMN + j, 1.0 / sqrt(select(gone, 1.0, square)), analysis_ws, lane)
    value = select(lost, nan, MEASURE_OBS(lane, analysis_ws))
    analysis_ws[VALUE, lane] = value
    if value < THRESHOLD:
        if analysis_ws[BELOW, lane] == 0.0:
            analysis_ws[BELOW, lane] = 1.0
            analysis_ws[WHEN, lane] = t
            if STOPPING:
                analysis_ws[WS + DONE, lane] = 1.0


def every_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    within_OBS(lane, t, analysis_ws)


def trace_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    if step % traces[TRACE, Trace.STRIDE] == 0:
        digits = log(max_(analysis_ws[VALUE, lane], 1e-300)) * 0.4342944819032518
        push_trace(t, (digits,), TRACE, lane, trace_buf, trace_count, traces)


def end_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    analysis_out[OUT, lane] = analysis_ws[VALUE, lane]
    below = analysis_ws[BELOW, lane] != 0.0
    analysis_out[OUT + 1, lane] = select(below, analysis_ws[WHEN, lane], nan)


def fast_start_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    orthonormalise_OBS(lane, analysis_ws)
    revive_OBS(lane, analysis_ws)
    for i in range(SIZE):
        analysis_ws[WS + i, lane] = 0.0


def fast_within_OBS(lane, t, analysis_ws):
    """Back to length 1; the growth is noted.  Of a vector that is zero, nothing more is known."""
    square = 0.0
    for s in range(N):
        x = analysis_ws[TAN + s, lane]
        square = fma(x, x, square)
    length = sqrt(square)
    gone = length == 0.0
    scale_tangent(COLUMN, 1.0 / select(gone, 1.0, length), analysis_ws, lane)
    total = analysis_ws[TOTAL, lane] + select(gone, nan, log(length))
    analysis_ws[TOTAL, lane] = total
    analysis_ws[VALUE, lane] = max_(analysis_ws[VALUE, lane], total)


def fast_every_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    fast_within_OBS(lane, t, analysis_ws)


def fast_trace_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    if step % traces[TRACE, Trace.STRIDE] == 0:
        push_trace(t, (analysis_ws[VALUE, lane],), TRACE, lane, trace_buf, trace_count, traces)


def fast_end_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    analysis_out[OUT, lane] = analysis_ws[VALUE, lane]
