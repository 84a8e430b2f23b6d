"""Hooks of the Lyapunov observers.  Templates: words in capitals stand for numbers and rows.

The growth of each tangent vector is multiplied up in the row CUR, whose powers of two are counted
in the row POWER, so that a logarithm is taken only where a number is wanted.
For the error bar, it is taken from there into batches (see `Batches`).

Where the derivative is singular, a vector may become zero, exactly or to rounding: its growth is
-inf then.  The row FLAWED says so, and `revive_OBS` puts another vector in its place.
"""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

__all__ = [
    "end_OBS",
    "every_OBS",
    "exponent_OBS",
    "grow_OBS",
    "grown_OBS",
    "growth_OBS",
    "mean_rate_OBS",
    "mend_OBS",
    "order_OBS",
    "orthonormalise_OBS",
    "renew_OBS",
    "revive_OBS",
    "start_OBS",
    "take_OBS",
    "target_OBS",
    "trace_OBS",
    "volume_OBS",
    "within_OBS",
    "zeros_last_OBS",
]


def orthonormalise_OBS(lane, analysis_ws):
    """Modified Gram–Schmidt; the lengths are multiplied to the growth so far."""
    for j in range(K):
        taken = 0.0
        for i in range(j):
            dot = 0.0
            for s in range(N):
                dot = fma(
                    analysis_ws[TAN + i * N + s, lane], analysis_ws[TAN + j * N + s, lane], dot
                )
            subtract_tangent(COLUMN + j, COLUMN + i, dot, analysis_ws, lane)
            taken = fma(dot, dot, taken)
        square = 0.0
        for s in range(N):
            square = fma(
                analysis_ws[TAN + j * N + s, lane], analysis_ws[TAN + j * N + s, lane], square
            )
        length = sqrt(square)
        lost = (length == 0.0) | (square <= ROUNDING * taken)  # what is left is rounding
        grow_OBS(j, select(lost, 0.0, length), lane, analysis_ws)
        factor = select(lost, 0.0, 1.0 / select(lost, 1.0, length))
        scale_tangent(COLUMN + j, factor, analysis_ws, lane)
        analysis_ws[FLAWED, lane] = select(lost, 1.0, analysis_ws[FLAWED, lane])


def revive_OBS(lane, analysis_ws):
    """In the place of each vector that is zero, one in general position, normal to the others."""
    for j in range(K):
        square = 0.0
        for s in range(N):
            square = fma(
                analysis_ws[TAN + j * N + s, lane], analysis_ws[TAN + j * N + s, lane], square
            )
        if square == 0.0:
            for s in range(N):
                place = 0.618033988749895 * (s + 1.0) + 0.414213562373095 * (j + 1.0)
                analysis_ws[TAN + j * N + s, lane] = 0.1 + place - floor(place)
            for _ in range(2):  # twice is enough (Kahan; Parlett, The Symmetric Eigenvalue Problem)
                for i in range(K):
                    if i != j:
                        dot = 0.0
                        for s in range(N):
                            dot = fma(
                                analysis_ws[TAN + i * N + s, lane],
                                analysis_ws[TAN + j * N + s, lane],
                                dot,
                            )
                        for s in range(N):
                            analysis_ws[TAN + j * N + s, lane] = fma(
                                -dot,
                                analysis_ws[TAN + i * N + s, lane],
                                analysis_ws[TAN + j * N + s, lane],
                            )
                square = 0.0
                for s in range(N):
                    square = fma(
                        analysis_ws[TAN + j * N + s, lane],
                        analysis_ws[TAN + j * N + s, lane],
                        square,
                    )
                for s in range(N):
                    analysis_ws[TAN + j * N + s, lane] *= 1.0 / sqrt(square)
    analysis_ws[FLAWED, lane] = 0.0


def zeros_last_OBS(lane, analysis_ws):
    """Put vectors that are zero behind the others, together with their growth.

    The first axis may be one that becomes zero, and the second one that grows as most vectors do.
    """
    for done in range(K - 1):
        for j in range(K - 1 - done):
            here = 0.0
            after = 0.0
            for s in range(N):
                here = max_(here, abs_(analysis_ws[TAN + j * N + s, lane]))
                after = max_(after, abs_(analysis_ws[TAN + (j + 1) * N + s, lane]))
            if here == 0.0 and after > 0.0:
                for s in range(N):
                    analysis_ws[TAN + j * N + s, lane] = analysis_ws[TAN + (j + 1) * N + s, lane]
                    analysis_ws[TAN + (j + 1) * N + s, lane] = 0.0
                growth = analysis_ws[CUR + j, lane]
                power = analysis_ws[POWER + j, lane]
                analysis_ws[CUR + j, lane] = analysis_ws[CUR + j + 1, lane]
                analysis_ws[POWER + j, lane] = analysis_ws[POWER + j + 1, lane]
                analysis_ws[CUR + j + 1, lane] = growth
                analysis_ws[POWER + j + 1, lane] = power


def mend_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    """Revive vectors; a hook of its own, so that orthonormalising stays without a branch."""
    if analysis_ws[FLAWED, lane] != 0.0:
        if SORTED:
            zeros_last_OBS(lane, analysis_ws)
        revive_OBS(lane, analysis_ws)


def renew_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    """Revive a vector that is alone."""
    revive_OBS(lane, analysis_ws)


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
    revive_OBS(lane, analysis_ws)
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
    grown_OBS(lane, t, analysis_ws)


def within_OBS(lane, t, analysis_ws):
    """Bring the growth up to date, where vectors took shorter steps."""
    grown_OBS(lane, t, analysis_ws)
    if analysis_ws[FLAWED, lane] != 0.0:
        if SORTED:
            zeros_last_OBS(lane, analysis_ws)
        revive_OBS(lane, analysis_ws)


def grown_OBS(lane, t, analysis_ws):
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
    """The growth since the last batch was closed, which begins anew; after vectors, volume's."""
    if VOLUME:
        if j == K:
            volume = analysis_ws[VOLUME_NOW, lane]
            analysis_ws[VOLUME_TOTAL, lane] += volume
            analysis_ws[VOLUME_NOW, lane] = 0.0
            analysis_ws[VOLUME_THEN, lane] = 0.0
            return volume
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
            worst = max_(worst, error_OBS(j, 0.0, lane, analysis_ws))  # NaN if one is unknown
        if worst <= TARGET:
            analysis_ws[WS + DONE, lane] = 1.0


def exponent_OBS(j, lane, analysis_ws):
    """Mean rate of growth of a vector."""
    growing = growth_OBS(j, lane, analysis_ws)
    return mean_rate_OBS(j, analysis_ws[TOTAL + j, lane], growing, lane, analysis_ws)


def mean_rate_OBS(j, closed, growing, lane, analysis_ws):
    """Mean rate of growth, without the first batch, in which the vectors align.

    `closed` is the growth in all batches, `growing` that since the last one.
    """
    growth = closed + growing
    span = analysis_ws[LAST, lane] - analysis_ws[BEGAN, lane]
    if analysis_ws[COUNT, lane] >= 2.0:
        first = piece_OBS(j, 0.0, 0, lane, analysis_ws)
        growth -= first
        if first == -inf:  # of which there may be more
            growth = growing
            for b in range(1, int(analysis_ws[COUNT, lane])):
                growth += piece_OBS(j, 0.0, b, lane, analysis_ws)
        if EVEN:
            span -= analysis_ws[SPANS, lane]
        else:
            span -= span_OBS(0, lane, analysis_ws)
    return select(span == 0.0, nan, growth / abs_(span))


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
        exponent = exponent_OBS(j, lane, analysis_ws)
        analysis_out[OUT + j, lane] = exponent
        analysis_out[OUT + K + j, lane] = error_OBS(j, 0.0, lane, analysis_ws)
        total += exponent
    order_OBS(lane, analysis_out)
    if VOLUME:
        closed = analysis_ws[VOLUME_TOTAL, lane]
        volume = mean_rate_OBS(K, closed, analysis_ws[VOLUME_THEN, lane], lane, analysis_ws)
        analysis_out[OUT + 2 * K, lane] = total
        analysis_out[OUT + 2 * K + 1, lane] = volume
