"""Hooks of the Lyapunov observers.  Templates: words in capitals stand for numbers and rows.

The growth of each tangent vector is multiplied up in the row CUR, whose powers of two are counted
in the row POWER, so that a logarithm is taken only where a number is wanted.
For the error bar, it is taken from there into batches (see `Batches`).
"""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

__all__ = [
    "end_OBS",
    "every_OBS",
    "exponent_OBS",
    "grow_OBS",
    "growth_OBS",
    "order_OBS",
    "orthonormalise_OBS",
    "start_OBS",
    "take_OBS",
    "target_OBS",
    "trace_OBS",
    "volume_OBS",
    "within_OBS",
]


def orthonormalise_OBS(lane, analysis_ws):
    """Modified Gram–Schmidt; the lengths are multiplied to the growth so far."""
    for j in range(K):
        for i in range(j):
            dot = 0.0
            for s in range(N):
                dot = fma(
                    analysis_ws[TAN + i * N + s, lane], analysis_ws[TAN + j * N + s, lane], dot
                )
            subtract_tangent(COLUMN + j, COLUMN + i, dot, analysis_ws, lane)
        square = 0.0
        for s in range(N):
            square = fma(
                analysis_ws[TAN + j * N + s, lane], analysis_ws[TAN + j * N + s, lane], square
            )
        length = sqrt(square)
        grow_OBS(j, length, lane, analysis_ws)
        lost = length == 0.0  # at a superstable point; any other direction will do
        scale_tangent(COLUMN + j, 1.0 / select(lost, 1.0, length), analysis_ws, lane)
        for s in range(N):
            other = select(s == j, 1.0, 0.0)
            kept = analysis_ws[TAN + j * N + s, lane]
            analysis_ws[TAN + j * N + s, lane] = select(lost, other, kept)


def grow_OBS(j, length, lane, analysis_ws):
    """Multiply a length to the growth of vector j, and move powers of two into POWER."""
    growth = analysis_ws[CUR + j, lane] * length
    bits = float_to_bits(growth)
    power = bits_to_float((bits >> 52) | 0x4330000000000000) - 4503599627371519.0
    mantissa = bits_to_float((bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000)
    regular = (growth > 0.0) & (growth < inf)
    analysis_ws[CUR + j, lane] = select(regular, mantissa, growth)
    analysis_ws[POWER + j, lane] += select(regular, power, 0.0)


def growth_OBS(j, lane, analysis_ws):
    """Logarithm of the growth since the last batch was closed."""
    power = analysis_ws[POWER + j, lane] * 0.6931471805599453
    return log(analysis_ws[CUR + j, lane]) + power


def start_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    """Forget the growth so far, but not the directions, which may have aligned already."""
    orthonormalise_OBS(lane, analysis_ws)
    for i in range(SIZE):
        analysis_ws[WS + i, lane] = 0.0
    for j in range(K):
        analysis_ws[CUR + j, lane] = 1.0
    empty_OBS(t, lane, analysis_ws)
    analysis_ws[BEGAN, lane] = t
    analysis_ws[LAST, lane] = t


def every_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    within_OBS(lane, t, analysis_ws)


def within_OBS(lane, t, analysis_ws):
    """Bring the growth up to date."""
    orthonormalise_OBS(lane, analysis_ws)
    analysis_ws[LAST, lane] = t
    if VOLUME:
        analysis_ws[VOLUME_THEN, lane] = analysis_ws[VOLUME_NOW, lane]


def volume_OBS(
    lane, t, h, step, u, v, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    """Add up the rate at which volumes grow.

    Of flows by the trapezoidal rule; by Simpson's where steps are as long as a tolerance allows.
    """
    (growth,) = rate_OBS(t, step, u, t, u, params, runtime_ws, lane)
    if FLOW:
        (after,) = rate_OBS(t + h, step + 1, v, t, u, params, runtime_ws, lane)
        if LONG_STEPS:
            w = halfway_OBS(t, h, step, u, v, params, runtime_ws, lane)
            (middle,) = rate_OBS(t + 0.5 * h, step, w, t, u, params, runtime_ws, lane)
            growth = h * (growth + 4.0 * middle + after) / 6.0
        else:
            growth = 0.5 * h * (growth + after)
    analysis_ws[VOLUME_NOW, lane] += growth


def take_OBS(j, lane, analysis_ws, analysis_out):
    """The growth since the last batch was closed, which begins anew."""
    growth = growth_OBS(j, lane, analysis_ws)
    analysis_ws[TOTAL + j, lane] += growth
    analysis_ws[CUR + j, lane] = 1.0
    analysis_ws[POWER + j, lane] = 0.0
    return growth


def target_OBS(count, lane, analysis_ws):
    """Whether all exponents are known well enough."""
    if count >= MOST // 2:
        worst = 0.0
        for j in range(K):
            worst = max(worst, error_OBS(j, 0.0, lane, analysis_ws))
        if worst <= TARGET:
            analysis_ws[WS + DONE, lane] = 1.0


def exponent_OBS(j, lane, analysis_ws):
    """Mean rate of growth, without the first batch, in which the vectors align."""
    growth = analysis_ws[TOTAL + j, lane] + growth_OBS(j, lane, analysis_ws)
    span = analysis_ws[LAST, lane] - analysis_ws[BEGAN, lane]
    if analysis_ws[COUNT, lane] >= 2.0:
        growth -= piece_OBS(j, 0.0, 0, lane, analysis_ws)
        if EVEN:
            span -= analysis_ws[SPANS, lane]
        else:
            span -= span_OBS(0, lane, analysis_ws)
    return select(span == 0.0, nan, growth / span)


def order_OBS(lane, analysis_out):
    """The largest first: vectors that began in invariant subspaces have grown as these do."""
    for done in range(K - 1):
        for j in range(K - 1 - done):
            a = analysis_out[OUT + j, lane]
            b = analysis_out[OUT + j + 1, lane]
            c = analysis_out[OUT + K + j, lane]
            d = analysis_out[OUT + K + j + 1, lane]
            wrong = a < b
            analysis_out[OUT + j, lane] = select(wrong, b, a)
            analysis_out[OUT + j + 1, lane] = select(wrong, a, b)
            analysis_out[OUT + K + j, lane] = select(wrong, d, c)
            analysis_out[OUT + K + j + 1, lane] = select(wrong, c, d)


def trace_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    if step % traces[TRACE, Trace.STRIDE] == 0:
        push_trace(t, EXPONENTS, TRACE, lane, trace_buf, trace_count, traces)


def end_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    total = 0.0
    for j in range(K):
        analysis_out[OUT + j, lane] = exponent_OBS(j, lane, analysis_ws)
        analysis_out[OUT + K + j, lane] = error_OBS(j, 0.0, lane, analysis_ws)
        total += analysis_ws[TOTAL + j, lane] + growth_OBS(j, lane, analysis_ws)
    order_OBS(lane, analysis_out)
    if VOLUME:
        span = analysis_ws[LAST, lane] - analysis_ws[BEGAN, lane]
        analysis_out[OUT + 2 * K, lane] = select(span == 0.0, nan, total / span)
        analysis_out[OUT + 2 * K + 1, lane] = select(
            span == 0.0, nan, analysis_ws[VOLUME_THEN, lane] / span
        )
