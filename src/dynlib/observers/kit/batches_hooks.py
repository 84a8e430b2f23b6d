"""Templates of growing batches.  Words in capitals stand for numbers and rows (see `Batches`)."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

__all__ = [
    "batch_OBS",
    "count_OBS",
    "empty_OBS",
    "error_OBS",
    "fill_OBS",
    "halve_OBS",
    "join_OBS",
    "open_OBS",
    "pick_OBS",
    "piece_OBS",
    "place_OBS",
    "side_OBS",
    "span_OBS",
    "take_OBS",
    "windows_OBS",
]


def empty_OBS(t, lane, analysis_ws):
    """There are no batches yet; the first begins at t."""
    analysis_ws[FILLED, lane] = 0.0
    analysis_ws[LENGTH, lane] = 1.0
    analysis_ws[COUNT, lane] = 0.0
    analysis_ws[CUT, lane] = t
    analysis_ws[SIDE, lane] = 0.0


def side_OBS(lane, analysis_ws):
    """The side where batches are collected: 0 or 1, whatever the workspace holds."""
    return (float_to_bits(analysis_ws[SIDE, lane]) >> 52) & 1  # the last bit of the exponent


def count_OBS(lane, analysis_ws):
    """How many batches there are: never a row beyond theirs, whatever the workspace holds."""
    count = analysis_ws[COUNT, lane]
    return int(select((count >= 0.0) & (count < MOST), count, 0.0))


def place_OBS(j, b, lane, analysis_ws):
    """The row of batch `b` of sum `j`, on the side where batches are collected."""
    return (2 * j + side_OBS(lane, analysis_ws)) * MOST + b


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
    return analysis_ws[SUMS + place_OBS(j, b, lane, analysis_ws), lane]


def fill_OBS(t, lane, analysis_ws, analysis_out):
    """Close a batch that is long enough."""
    filled = analysis_ws[FILLED, lane] + 1.0
    if filled >= analysis_ws[LENGTH, lane]:
        filled = 0.0
        b = count_OBS(lane, analysis_ws)
        if EVEN:
            first = analysis_ws[SPANS, lane]
            analysis_ws[SPANS, lane] = select(b == 0, t - analysis_ws[CUT, lane], first)
        else:
            place = SPANS + place_OBS(0, b, lane, analysis_ws)
            analysis_ws[place, lane] = t - analysis_ws[CUT, lane]
        analysis_ws[CUT, lane] = t
        for j in range(SUMMED):
            gained = take_OBS(j, lane, analysis_ws, analysis_out)
            analysis_ws[SUMS + place_OBS(j, b, lane, analysis_ws), lane] = gained
        b += 1
        analysis_ws[COUNT, lane] = b
        if TARGETED:
            target_OBS(b, lane, analysis_ws)
        if b == MOST:
            join_OBS(lane, analysis_ws)
    analysis_ws[FILLED, lane] = filled


def join_OBS(lane, analysis_ws):
    """Join neighbouring batches, on the other side; those to come are twice as long.

    So a lane that is taken back to before finds them as they were.
    """
    side = side_OBS(lane, analysis_ws)
    if EVEN:
        analysis_ws[SPANS, lane] += span_OBS(1, lane, analysis_ws)
    else:
        halve_OBS(SPANS, side, lane, analysis_ws)
    for j in range(SUMMED):
        halve_OBS(SUMS + 2 * j * MOST, side, lane, analysis_ws)
    analysis_ws[SIDE, lane] = 1 - side
    analysis_ws[COUNT, lane] = MOST // 2
    analysis_ws[LENGTH, lane] *= 2.0


def halve_OBS(row, side, lane, analysis_ws):
    """Put the sums of pairs of rows of one side into rows of the other."""
    ours = row + side * MOST
    other = row + (1 - side) * MOST
    for b in range(MOST // 2):
        analysis_ws[other + b, lane] = (
            analysis_ws[ours + 2 * b, lane] + analysis_ws[ours + 2 * b + 1, lane]
        )


def span_OBS(b, lane, analysis_ws):
    """Time of a batch, if even of one after the first: those are equal, and need no rows."""
    if EVEN:
        rest = analysis_ws[CUT, lane] - analysis_ws[BEGAN, lane] - analysis_ws[SPANS, lane]
        return rest / (analysis_ws[COUNT, lane] - 1.0)
    return analysis_ws[SPANS + place_OBS(0, b, lane, analysis_ws), lane]


def error_OBS(j, weight, lane, analysis_ws):
    """Standard error of a mean rate, from the batches that are not dropped.

    The sum over m neighbouring batches has a variance ``a + b m``: what comes at random makes b,
    what is made up for afterwards makes a alone (for the growth of the logistic map with r = 4,
    all of it but the mean).  A line is laid through the variances that are seen for small m, and
    read where m is the whole run; it cannot lie below them.
    """
    n = count_OBS(lane, analysis_ws) - DROPPED
    if n < 7:
        return nan
    total = 0.0
    span = 0.0
    for b in range(n):
        total += piece_OBS(j, weight, DROPPED + b, lane, analysis_ws)
        span += span_OBS(DROPPED + b, lane, analysis_ws)
    rate = select(span == 0.0, nan, total / span)
    for b in range(n):
        sums = piece_OBS(j, weight, DROPPED + b, lane, analysis_ws)
        analysis_ws[OFF + b, lane] = sums - rate * span_OBS(DROPPED + b, lane, analysis_ws)
    most = 2 + n // 10
    x1 = 0.0
    x2 = 0.0
    y1 = 0.0
    xy = 0.0
    for first in range(1, most + 1, 4):
        squares = windows_OBS(first, n, lane, analysis_ws)
        for m in range(first, min(first + 4, most + 1)):
            y = pick_OBS(squares, m - first) / (n - m + 1.0)
            x = m * (n - m) / (n + 0.0)  # the mean took its share
            x1 += x
            x2 = fma(x, x, x2)
            y1 += y
            xy = fma(x, y, xy)
    slope = (most * xy - x1 * y1) / (most * x2 - x1 * x1)
    variance = y1 / most + max(slope, 0.0) * (n - x1 / most)
    few = n / (n - 0.5 * most)  # a line through few batches is uncertain itself
    return sqrt(few * variance) / abs_(span)


def windows_OBS(m, n, lane, analysis_ws):
    """Sums of squares over all windows of m, m + 1, m + 2 and m + 3 batches.

    Four at once, since each of them waits for its own last result.
    """
    w0 = 0.0
    w1 = 0.0
    w2 = 0.0
    w3 = 0.0
    s0 = 0.0
    s1 = 0.0
    s2 = 0.0
    s3 = 0.0
    for b in range(n):
        come = analysis_ws[OFF + b, lane]
        w0 += come
        w1 += come
        w2 += come
        w3 += come
        if b >= m:
            w0 -= analysis_ws[OFF + b - m, lane]
        if b >= m + 1:
            w1 -= analysis_ws[OFF + b - m - 1, lane]
        if b >= m + 2:
            w2 -= analysis_ws[OFF + b - m - 2, lane]
        if b >= m + 3:
            w3 -= analysis_ws[OFF + b - m - 3, lane]
        if b >= m - 1:
            s0 = fma(w0, w0, s0)
        if b >= m:
            s1 = fma(w1, w1, s1)
        if b >= m + 1:
            s2 = fma(w2, w2, s2)
        if b >= m + 2:
            s3 = fma(w3, w3, s3)
    return s0, s1, s2, s3


def pick_OBS(four, i):
    """One of four numbers."""
    return select(i == 0, four[0], select(i == 1, four[1], select(i == 2, four[2], four[3])))
