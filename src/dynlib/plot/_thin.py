"""Fewer rows for the same picture: what would fall on the same pixels is drawn once.

Nothing here loses an extreme: the smallest and largest value of every coordinate are always kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["thin_line", "thin_path", "thin_points"]

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


def thin_line(t: Floats, y: Floats, columns: int) -> Rows:
    """Choose the rows of a time series that a picture with so many columns can show.

    In each column of pixels the first, the last, the lowest and the highest point are kept, which
    draws the very pixels that the whole series would (Jugel and others 2014, VLDB 7, 797-808).

    Parameters
    ----------
    t : array (n,)
        Times, all rising or all falling.
    y : array (n,)
        Values; NaN stands for a gap.
    columns : int
        Columns of pixels, at least 1.

    Returns
    -------
    array of int (m,)
        Rising indices, at most four times ``columns`` of them.
    """
    n = t.size
    if n <= 4 * columns:
        return np.arange(n)
    starts = _column_starts(t, columns)
    lengths = np.diff(np.append(starts, n))
    keep = np.zeros(n, dtype=bool)
    keep[starts] = keep[starts + lengths - 1] = True
    for extreme in (np.fmin, np.fmax):
        best = np.repeat(extreme.reduceat(y, starts), lengths)
        hits = np.flatnonzero(y == best)
        bucket = np.searchsorted(starts, hits, side="right")
        keep[hits[np.flatnonzero(np.diff(bucket, prepend=0))]] = True
    return np.flatnonzero(keep)


def _column_starts(t: Floats, columns: int) -> Rows:
    """Return the first row of each column that has any; columns are equally wide in time."""
    rising = t if t[-1] >= t[0] else -t
    if np.any(np.diff(rising) < 0):  # no order in time: columns of equally many rows
        rising = np.arange(t.size, dtype=np.float64)
    edges = rising[0] + (rising[-1] - rising[0]) * np.arange(columns) / columns
    starts = np.unique(np.searchsorted(rising, edges))
    return starts[starts < t.size].astype(np.intp)


def thin_points(columns: Sequence[Floats], cells: int) -> Rows:
    """Choose one point of each cell of a grid with so many cells along each side.

    Parameters
    ----------
    columns : sequence of array (n,)
        The coordinates.
    cells : int
        Cells along each side.

    Returns
    -------
    array of int (m,)
        Rising indices of finite points.
    """
    finite = np.flatnonzero(np.logical_and.reduce([np.isfinite(each) for each in columns]))
    if finite.size <= cells:
        return finite
    points = [each[finite] for each in columns]
    key = np.zeros(finite.size, dtype=np.int64)
    for each in points:
        key = key * cells + _cell(each, cells)
    first = np.unique(key, return_index=True)[1]
    return finite[np.union1d(first, _extremes(points))]


def thin_path(columns: Sequence[Floats], limit: int, stretch: int = 2000) -> list[Rows]:
    """Cut a path through state space into pieces, and leave some out if there are too many rows.

    A path is not made coarser (that would turn loops into polygons): whole stretches are left
    out, evenly along the path.  The first, the last and those with an extreme always stay.

    Parameters
    ----------
    columns : sequence of array (n,)
        The coordinates.
    limit : int
        About how many rows are kept.
    stretch : int
        Rows of a piece.

    Returns
    -------
    list of array of int
        Indices of each piece; a piece begins with the last row of its neighbour.
    """
    n = columns[0].size
    pieces = max(1, -(-n // stretch))
    chosen = np.arange(pieces)
    if n > limit:
        even = np.linspace(0, pieces - 1, max(2, limit // stretch)).round().astype(np.intp)
        chosen = np.union1d(even, _extremes(columns) // stretch)
    starts = (chosen * stretch).tolist()
    return [np.arange(start, min(start + stretch + 1, n)) for start in starts]


def _cell(values: Floats, cells: int) -> NDArray[np.int64]:
    low, high = values.min() / 2, values.max() / 2  # halves: a difference cannot overflow
    if not high > low:
        return np.zeros(values.size, dtype=np.int64)
    share = (values / 2 - low) / (high - low)
    cell: NDArray[np.int64] = np.clip(share * cells, 0, cells - 1).astype(np.int64)
    return cell


def _extremes(columns: Sequence[Floats]) -> Rows:
    """Return the rows with the least and the greatest finite value of each column."""
    rows = []
    for each in columns:
        finite = np.flatnonzero(np.isfinite(each))
        if finite.size:
            rows += [finite[each[finite].argmin()], finite[each[finite].argmax()]]
    return np.unique(np.asarray(rows, dtype=np.intp))
