"""Thinning leaves the picture as it was: laws of `thin_line`, `thin_points`, `thin_path`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dynlib.plot._thin import thin_line, thin_path, thin_points

VALUES = st.floats(-1e6, 1e6) | st.sampled_from([np.nan, np.inf, -np.inf, 0.0])
COLUMNS = st.integers(1, 12)


def series(most: int = 300) -> st.SearchStrategy[np.ndarray]:
    return st.integers(1, most).flatmap(lambda n: arrays(np.float64, n, elements=VALUES))


@st.composite
def times(draw: st.DrawFn, n: int) -> np.ndarray:
    steps = draw(arrays(np.float64, n, elements=st.floats(0.0, 100.0)))
    t = np.cumsum(steps)
    return -t if draw(st.booleans()) else t


def column_of(t: np.ndarray, columns: int) -> np.ndarray:
    """Say which column of pixels each row falls on, by the plain definition."""
    rising = t if t[-1] >= t[0] else -t
    edges = rising[0] + (rising[-1] - rising[0]) * np.arange(columns) / columns
    return np.searchsorted(edges, rising, side="right")


@given(st.data(), series(), COLUMNS)
def test_every_column_keeps_its_highest_and_lowest_point(data, y, columns):
    t = data.draw(times(y.size))
    rows = thin_line(t, y, columns)
    assert np.all(np.diff(rows) > 0)
    assert {0, y.size - 1} <= set(rows.tolist())
    at = column_of(t, columns)
    for column in np.unique(at):
        whole, kept = y[at == column], y[rows[at[rows] == column]]
        assert np.fmin.reduce(whole) == pytest.approx(np.fmin.reduce(kept), rel=0, nan_ok=True)
        assert np.fmax.reduce(whole) == pytest.approx(np.fmax.reduce(kept), rel=0, nan_ok=True)


@given(st.data(), series(), COLUMNS)
def test_a_line_is_at_most_four_rows_a_column(data, y, columns):
    rows = thin_line(data.draw(times(y.size)), y, columns)
    assert rows.size <= 4 * columns or rows.size == y.size <= 4 * columns


def test_short_series_are_left_alone():
    assert thin_line(np.arange(40.0), np.zeros(40), 10).tolist() == list(range(40))


@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["forwards", "backwards"])
def test_detail_is_spent_by_time_not_by_rows(sign):
    # 10^5 rows in the first tenth of the time, 50 in the rest: those 50 are all the picture has.
    t = np.concatenate([np.linspace(0, 1, 100_000), np.linspace(1.1, 10, 50)])
    rows = thin_line(sign * t, np.sin(t), 1000)
    assert set(range(100_000, 100_050)) <= set(rows.tolist())


def test_times_that_go_to_and_fro_are_still_thinned():
    t = np.tile(np.arange(1000.0), 10)
    y = np.arange(10_000.0)
    y[5555] = -1e9
    rows = thin_line(t, y, 20)
    assert rows.size <= 80
    assert 5555 in rows


@given(st.data(), st.integers(1, 3), st.integers(2, 9))
def test_every_occupied_cell_keeps_a_point(data, dimensions, cells):
    n = data.draw(st.integers(1, 200))
    columns = [data.draw(arrays(np.float64, n, elements=VALUES)) for _ in range(dimensions)]
    finite = np.flatnonzero(np.logical_and.reduce([np.isfinite(c) for c in columns]))
    rows = thin_points(columns, cells)
    assert set(rows.tolist()) <= set(finite.tolist())
    if not finite.size:
        return
    for column in columns:
        assert column[rows].min() == column[finite].min()
        assert column[rows].max() == column[finite].max()
        # Within the size of a cell there is a point that was kept (rounding: one part in 10^9).
        size = np.ptp(column[finite]) / cells * (1 + 1e-9)
        distance = np.abs(column[finite][:, None] - column[rows][None, :]).min(axis=1)
        assert distance.max() <= size


def test_a_dense_cloud_becomes_at_most_its_cells():
    rng = np.random.default_rng(1)
    rows = thin_points(list(rng.random((2, 100_000))), 50)
    assert rows.size <= 50 * 50 + 4  # cells, and four extremes that need not be first in theirs


def test_numbers_near_the_largest_float_do_not_overflow():
    huge = np.array([-1.7e308, 0.0, 1.7e308] * 5)
    assert thin_points([huge, np.arange(15.0)], 4).size <= 15


@given(st.integers(1, 3000), st.integers(1, 200), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_a_path_keeps_whole_stretches_with_its_ends_and_extremes(n, limit, stretch, seed):
    columns = list(np.random.default_rng(seed).normal(size=(2, n)))
    pieces = thin_path(columns, limit, stretch)
    rows = np.unique(np.concatenate(pieces))
    assert all(np.all(np.diff(piece) == 1) for piece in pieces)
    assert {0, n - 1} <= set(rows.tolist())
    if n <= limit:
        assert rows.size == n
    for column in columns:
        assert column[rows].min() == column.min()
        assert column[rows].max() == column.max()
    # first, last and four extremes may need a stretch of their own, and pieces share their ends
    assert sum(map(len, pieces)) <= n + len(pieces)
    assert len(pieces) <= max(2, limit // stretch) + 4 or n <= limit


def test_pieces_of_a_whole_path_join():
    pieces = thin_path([np.arange(25.0)], 100, 10)
    assert [piece.tolist() for piece in pieces] == [
        list(range(11)),
        list(range(10, 21)),
        list(range(20, 25)),
    ]
