"""Covariant vectors from the orthonormal ones: the backward iteration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.errors import ObserverError
from dynlib.observers.kit.result import Check, ObserverResult
from dynlib.observers.kit.scatter import scatter

__all__ = ["CovariantResult", "backward"]

Array = NDArray[Any]
_VANISHING = 1e-100  # stands for a zero that is to be divided by
_SETTLING = 4  # one row in so many, at the end, in which the backward iteration aligns


def backward(triangles: Array) -> tuple[Array, Array]:
    """Coefficients of the covariant vectors in the orthonormal ones, and their growth.

    Parameters
    ----------
    triangles : array, shape (n_rows, k, k)
        Row m leads from the vectors of row m - 1 to those of row m: ``J Q[m-1] = Q[m] R[m]``.

    Returns
    -------
    coefficients : array, shape (n_rows, k, k)
        Unit columns, upper triangular.
    growth : array, shape (n_rows, k)
        Logarithms of the factors by which the vectors grow into row m; NaN for row 0, and -inf
        where a triangle is singular: then the vector is one that becomes zero.
    """
    rows, k, _ = triangles.shape
    triangles = triangles.copy()
    diagonal = np.einsum("mii->mi", triangles)
    scale = np.abs(triangles).max(axis=(1, 2), keepdims=False)[:, np.newaxis]
    least = _VANISHING * np.where(scale > 0.0, scale, 1.0)
    diagonal[...] = np.where(diagonal == 0.0, least, diagonal)
    coefficients = np.empty((rows, k, k))
    growth = np.full((rows, k), np.nan)
    current = np.triu(np.ones((k, k)))
    coefficients[-1] = current / np.linalg.norm(current, axis=0)
    for m in range(rows - 1, 0, -1):
        before = np.linalg.solve(triangles[m], coefficients[m])
        lengths = np.linalg.norm(before, axis=0)
        coefficients[m - 1] = np.triu(before / lengths)
        growth[m] = -np.log(lengths)
        growth[m, lengths * scale[m] > 1e-10 / _VANISHING] = -np.inf
    return coefficients, growth


class CovariantResult(ObserverResult):
    """``vectors``, ``angles``, ``exponents``, ``standard_errors``; see `covariant_vectors`.

    In a batch there are exponents and their errors; for the rest take one run:
    ``res[i].observers[...]``.
    """

    whole = frozenset({"decompositions"})

    @classmethod
    def derived(cls, sizes: Mapping[str, int], facts: Mapping[str, Any]) -> dict[str, int]:
        """The exponents, and their errors."""
        k = int(facts["k"])
        return {"exponents": k, "standard_errors": k}

    def numbers(self, name: str) -> Array:
        """An output, or exponents or errors; NaN from too few rows."""
        if self.n_runs is None and name not in self.arrays and len(self.trace) < 2 * _SETTLING:
            return np.full(self.k, np.nan)
        return super().numbers(name)

    @property
    def _diagonal(self) -> list[int]:
        """Columns of the trace that hold the diagonal of R."""
        first = self.k * len(self.facts["states"])
        return [first + j * (j + 3) // 2 for j in range(self.k)]

    @cached_property
    def _of_runs(self) -> tuple[Array, Array]:
        """Exponents and errors of the runs of a batch."""
        found = np.empty((2, self.n_runs or 0, self.k))
        for i in range(found.shape[1]):
            run = self.of_run(i)
            found[:, i] = run.numbers("exponents"), run.numbers("standard_errors")
        return found[0], found[1]

    @property
    def k(self) -> int:
        """How many vectors there are."""
        return int(self.facts["k"])

    @cached_property
    def _rows(self) -> tuple[Array, Array, Array]:
        """Times, vectors and growth of all rows that are kept."""
        if self.n_runs is not None:
            raise ObserverError(
                f"observer {self.name!r}: covariant vectors are of one run; take it by its index, "
                f"batch[i].observers[{self.name!r}]."
            )
        n, k, rows = len(self.facts["states"]), self.k, len(self.trace)
        if rows < 2 * _SETTLING:
            raise ObserverError(
                f"observer {self.name!r}: {rows} rows are too few for a backward iteration; run "
                "longer."
            )
        q = self.trace[:, : n * k].reshape(rows, k, n).transpose(0, 2, 1)
        triangles = np.zeros((rows, k, k))
        upper = [(i, j) for j in range(k) for i in range(j + 1)]
        for column, (i, j) in enumerate(upper):
            triangles[:, i, j] = self.trace[:, n * k + column]
        coefficients, growth = backward(triangles)
        kept = rows - rows // _SETTLING
        return self.trace_time[:kept], (q @ coefficients)[:kept], growth[:kept]

    @property
    def time(self) -> Array:
        """Times of the vectors, shape (n_rows,)."""
        return self._rows[0]

    @property
    def vectors(self) -> Array:
        """Unit vectors as columns, shape (n_rows, n_states, k); their signs mean nothing."""
        return self._rows[1]

    @property
    def exponents(self) -> Array:
        """Mean growth rates of the vectors, shape (k,); in a batch (n_runs, k)."""
        if self.n_runs is not None:
            return self._of_runs[0]
        time, _, growth = self._rows
        found: Array = growth[1:].sum(axis=0) / abs(time[-1] - time[0])
        return found

    @property
    def standard_errors(self) -> Array:
        """Of the exponents, from the means of twenty stretches of the run, shape (k,).

        NaN from fewer than four rows in a stretch.  In a batch (n_runs, k).
        """
        if self.n_runs is not None:
            return self._of_runs[1]
        time, _, growth = self._rows
        return scatter(growth[1:], time)

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Which vectors the columns of `angles` are between."""
        return [(i, j) for i in range(self.k) for j in range(i + 1, self.k)]

    @cached_property
    def angles(self) -> Array:
        """Angles between the lines of each two vectors, 0 to pi/2, shape (n_rows, n_pairs)."""
        vectors = self.vectors
        found = np.empty((len(vectors), len(self.pairs)))
        for column, (i, j) in enumerate(self.pairs):
            a, b = vectors[..., i], vectors[..., j]
            b = b * np.where((a * b).sum(axis=1) < 0, -1.0, 1.0)[:, np.newaxis]
            # Of sum and difference, since the cosine does not see small angles.
            parts = np.linalg.norm(a - b, axis=1), np.linalg.norm(a + b, axis=1)
            found[:, column] = 2 * np.arctan2(*parts)
        return found

    @property
    def smallest_angle(self) -> Any:
        """The smallest of all angles: near 0 there are tangencies."""
        return self.angles.min()

    def angle_histogram(self, bins: int | Any = 50, *, pair: int = 0) -> tuple[Array, Array]:
        """Density of an angle, and the edges of its bins; `pair` is a column of `angles`."""
        return np.histogram(self.angles[:, pair], bins=bins, density=True)

    def _checks(self) -> Iterable[Check]:
        """Whether there are rows enough."""
        kept = np.count_nonzero(~np.isnan(self.trace_time), axis=-1)
        few = "rows are too few for a backward iteration: run longer."
        yield Check(kept < 2 * _SETTLING, lambda run: f"{np.asarray(kept)[run]} {few}")
        lost = (self.trace[..., self._diagonal] == 0.0).any(axis=(-2, -1))
        yield Check(
            lost,
            lambda run: (
                "an exponent is -inf: there are points at which the derivative is singular, and "
                "the covariant vector there is one that becomes zero."
            ),
        )

    def _lines(self) -> list[str]:
        if self.n_runs is not None or len(self.trace) < 2 * _SETTLING:
            return super()._lines()
        pairs = zip(self.exponents, self.standard_errors, strict=True)
        lines = [f"exponents = {', '.join(f'{x:.6g} ± {e:.2g}' for x, e in pairs)}"]
        if self.k > 1:
            lines.append(f"smallest angle = {self.smallest_angle:.4g} of {len(self.angles)} rows")
        return lines
