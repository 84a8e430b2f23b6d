"""Hooks of the Lyapunov observers.  Templates: words in capitals stand for numbers and rows.

The growth of each tangent vector is multiplied up in the row CUR, whose powers of two are counted
in the row POWER, so that a logarithm is taken only where a number is wanted.

For the error bar, the run is cut into batches of equal length: when all are full, neighbours are
joined and new ones are twice as long, so that there are always between MOST/2 and MOST of them.
"""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

__all__ = [
    "batch_OBS",
    "end_OBS",
    "error_OBS",
    "every_OBS",
    "exponent_OBS",
    "grow_OBS",
    "growth_OBS",
    "join_OBS",
    "orthonormalise_OBS",
    "span_OBS",
    "start_OBS",
    "trace_OBS",
    "volume_OBS",
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
    analysis_ws[LENGTH, lane] = 1.0
    analysis_ws[BEGAN, lane] = t
    analysis_ws[LAST, lane] = t
    analysis_ws[CUT, lane] = t


def every_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    orthonormalise_OBS(lane, analysis_ws)
    analysis_ws[LAST, lane] = t
    if VOLUME:
        analysis_ws[VOLUME_THEN, lane] = analysis_ws[VOLUME_NOW, lane]


def volume_OBS(
    lane, t, h, step, u, v, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    """Add up the rate at which volumes grow (trapezoidal rule for flows)."""
    (before,) = rate_OBS(t, step, u, t, u, params, runtime_ws, lane)
    if FLOW:
        (after,) = rate_OBS(t + h, step + 1, v, t, u, params, runtime_ws, lane)
        before = 0.5 * h * (before + after)
    analysis_ws[VOLUME_NOW, lane] += before


def batch_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    """Close a batch that is long enough."""
    filled = analysis_ws[FILLED, lane] + 1.0
    if filled >= analysis_ws[LENGTH, lane]:
        filled = 0.0
        b = int(analysis_ws[COUNT, lane])
        if EVEN:
            first = analysis_ws[SPANS, lane]
            analysis_ws[SPANS, lane] = select(b == 0, t - analysis_ws[CUT, lane], first)
        else:
            analysis_ws[SPANS + b, lane] = t - analysis_ws[CUT, lane]
        analysis_ws[CUT, lane] = t
        for j in range(K):
            growth = growth_OBS(j, lane, analysis_ws)
            analysis_ws[SUMS + j * MOST + b, lane] = growth
            analysis_ws[TOTAL + j, lane] += growth
            analysis_ws[CUR + j, lane] = 1.0
            analysis_ws[POWER + j, lane] = 0.0
        b += 1
        analysis_ws[COUNT, lane] = b
        if TARGETED:
            if b >= MOST // 2:
                worst = 0.0
                for j in range(K):
                    worst = max(worst, error_OBS(j, lane, analysis_ws))
                if worst <= TARGET:
                    analysis_ws[WS + DONE, lane] = 1.0
        if b == MOST:
            join_OBS(lane, analysis_ws)
    analysis_ws[FILLED, lane] = filled


def join_OBS(lane, analysis_ws):
    """Join neighbouring batches; those to come are twice as long."""
    half = MOST // 2
    if EVEN:
        analysis_ws[SPANS, lane] += span_OBS(1, lane, analysis_ws)
    else:
        for b in range(half):
            analysis_ws[SPANS + b, lane] = (
                analysis_ws[SPANS + 2 * b, lane] + analysis_ws[SPANS + 2 * b + 1, lane]
            )
    for j in range(K):
        first = SUMS + j * MOST
        for b in range(half):
            analysis_ws[first + b, lane] = (
                analysis_ws[first + 2 * b, lane] + analysis_ws[first + 2 * b + 1, lane]
            )
    analysis_ws[COUNT, lane] = half
    analysis_ws[LENGTH, lane] *= 2.0


def span_OBS(b, lane, analysis_ws):
    """Time of a batch after the first; of equal steps they are equal, and need no rows."""
    if EVEN:
        rest = analysis_ws[CUT, lane] - analysis_ws[BEGAN, lane] - analysis_ws[SPANS, lane]
        return rest / (analysis_ws[COUNT, lane] - 1.0)
    return analysis_ws[SPANS + b, lane]


def exponent_OBS(j, lane, analysis_ws):
    """Mean rate of growth, without the first batch, in which the vectors align."""
    growth = analysis_ws[TOTAL + j, lane] + growth_OBS(j, lane, analysis_ws)
    span = analysis_ws[LAST, lane] - analysis_ws[BEGAN, lane]
    if analysis_ws[COUNT, lane] >= 2.0:
        growth -= analysis_ws[SUMS + j * MOST, lane]
        span -= analysis_ws[SPANS, lane]
    return select(span == 0.0, nan, growth / span)


def error_OBS(j, lane, analysis_ws):
    """Standard error of an exponent, from the batches after the first.

    The growth over m neighbouring batches has a variance ``a + b m``: growth that comes at random
    makes b, growth that is made up for afterwards makes a alone (of the logistic map with r = 4,
    all of it but the mean).  A line is laid through the variances that are seen for small m, and
    read where m is the whole run; it cannot lie below them.
    """
    n = int(analysis_ws[COUNT, lane]) - 1
    if n < 7:
        return nan
    first = SUMS + j * MOST + 1
    growth = 0.0
    span = 0.0
    for b in range(n):
        growth += analysis_ws[first + b, lane]
        span += span_OBS(1 + b, lane, analysis_ws)
    rate = select(span == 0.0, nan, growth / span)
    most = 2 + n // 10
    x1 = 0.0
    x2 = 0.0
    y1 = 0.0
    xy = 0.0
    for m in range(1, most + 1):
        square = 0.0
        window = 0.0
        for b in range(n):
            window += analysis_ws[first + b, lane] - rate * span_OBS(1 + b, lane, analysis_ws)
            if b >= m:
                gone = analysis_ws[first + b - m, lane]
                window -= gone - rate * span_OBS(1 + b - m, lane, analysis_ws)
            if b >= m - 1:
                square = fma(window, window, square)
        y = square / (n - m + 1.0)
        x = m * (n - m) / (n + 0.0)  # the mean took its share
        x1 += x
        x2 = fma(x, x, x2)
        y1 += y
        xy = fma(x, y, xy)
    slope = (most * xy - x1 * y1) / (most * x2 - x1 * x1)
    variance = y1 / most + max(slope, 0.0) * (n - x1 / most)
    few = n / (n - 0.5 * most)  # a line through few batches is uncertain itself
    return sqrt(few * variance) / abs_(span)


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
        analysis_out[OUT + K + j, lane] = error_OBS(j, lane, analysis_ws)
        total += analysis_ws[TOTAL + j, lane] + growth_OBS(j, lane, analysis_ws)
    if VOLUME:
        span = analysis_ws[LAST, lane] - analysis_ws[BEGAN, lane]
        analysis_out[OUT + 2 * K, lane] = select(span == 0.0, nan, total / span)
        analysis_out[OUT + 2 * K + 1, lane] = select(
            span == 0.0, nan, analysis_ws[VOLUME_THEN, lane] / span
        )
