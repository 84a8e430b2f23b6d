"""Templates of growing batches.  Words in capitals stand for numbers and rows (see `Batches`)."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

__all__ = [
    "batch_OBS",
    "empty_OBS",
    "error_OBS",
    "fill_OBS",
    "join_OBS",
    "open_OBS",
    "piece_OBS",
    "span_OBS",
    "take_OBS",
]


def empty_OBS(t, lane, analysis_ws):
    """There are no batches yet; the first begins at t."""
    analysis_ws[FILLED, lane] = 0.0
    analysis_ws[LENGTH, lane] = 1.0
    analysis_ws[COUNT, lane] = 0.0
    analysis_ws[CUT, lane] = t


def open_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    """Running sums begin at zero."""
    if COUNTED:
        t = 0.0
    empty_OBS(t, lane, analysis_ws)
    for j in range(SUMMED):
        analysis_ws[TAKEN + j, lane] = 0.0


def batch_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    fill_OBS(t, lane, analysis_ws, analysis_out)


def take_OBS(j, lane, analysis_ws, analysis_out):
    """What a running sum has gained since it was last looked at."""
    total = analysis_ws[RUN + j, lane]
    gained = total - analysis_ws[TAKEN + j, lane]
    analysis_ws[TAKEN + j, lane] = total
    return gained


def piece_OBS(j, weight, b, lane, analysis_ws):
    """Sum of a batch."""
    return analysis_ws[SUMS + j * MOST + b, lane]


def fill_OBS(t, lane, analysis_ws, analysis_out):
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
        for j in range(SUMMED):
            gained = take_OBS(j, lane, analysis_ws, analysis_out)
            analysis_ws[SUMS + j * MOST + b, lane] = gained
        b += 1
        analysis_ws[COUNT, lane] = b
        if TARGETED:
            target_OBS(b, lane, analysis_ws)
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
    for j in range(SUMMED):
        first = SUMS + j * MOST
        for b in range(half):
            analysis_ws[first + b, lane] = (
                analysis_ws[first + 2 * b, lane] + analysis_ws[first + 2 * b + 1, lane]
            )
    analysis_ws[COUNT, lane] = half
    analysis_ws[LENGTH, lane] *= 2.0


def span_OBS(b, lane, analysis_ws):
    """Time of a batch, if even of one after the first: those are equal, and need no rows."""
    if EVEN:
        rest = analysis_ws[CUT, lane] - analysis_ws[BEGAN, lane] - analysis_ws[SPANS, lane]
        return rest / (analysis_ws[COUNT, lane] - 1.0)
    return analysis_ws[SPANS + b, lane]


def error_OBS(j, weight, lane, analysis_ws):
    """Standard error of a mean rate, from the batches that are not dropped.

    The sum over m neighbouring batches has a variance ``a + b m``: what comes at random makes b,
    what is made up for afterwards makes a alone (for the growth of the logistic map with r = 4,
    all of it but the mean).  A line is laid through the variances that are seen for small m, and
    read where m is the whole run; it cannot lie below them.
    """
    n = int(analysis_ws[COUNT, lane]) - DROPPED
    if n < 7:
        return nan
    total = 0.0
    span = 0.0
    for b in range(n):
        total += piece_OBS(j, weight, DROPPED + b, lane, analysis_ws)
        span += span_OBS(DROPPED + b, lane, analysis_ws)
    rate = select(span == 0.0, nan, total / span)
    most = 2 + n // 10
    x1 = 0.0
    x2 = 0.0
    y1 = 0.0
    xy = 0.0
    for m in range(1, most + 1):
        square = 0.0
        window = 0.0
        for b in range(n):
            come = piece_OBS(j, weight, DROPPED + b, lane, analysis_ws)
            window += come - rate * span_OBS(DROPPED + b, lane, analysis_ws)
            if b >= m:
                gone = piece_OBS(j, weight, DROPPED + b - m, lane, analysis_ws)
                window -= gone - rate * span_OBS(DROPPED + b - m, lane, analysis_ws)
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
