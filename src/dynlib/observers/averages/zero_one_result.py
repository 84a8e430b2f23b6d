"""Gottwald and Melbourne's K from a series."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.observers.kit.result import Check, ObserverResult

__all__ = ["ENOUGH", "ZeroOneResult", "growth_correlation"]

Array = NDArray[Any]
_LAGS = 10  # displacements are looked at over a tenth of the series
ENOUGH = 200  # samples of a series that says something
_LEAST = 20  # samples below which nothing is said
_LEAST_FREQUENCIES = 7  # below which nothing is said of their scatter


def growth_correlation(series: Array, c: Array) -> Array:
    """K of a series for each frequency: the correlation of displacement with time.

    Of the mean square displacement the part is taken off that oscillates with the frequency, as
    in section 3 of Gottwald and Melbourne's paper of 2009.

    Parameters
    ----------
    series : array, shape (n,)
    c : array, shape (n_c,)

    Returns
    -------
    array, shape (n_c,)
        NaN if the series is too short, or constant.
    """
    n = len(series)
    lags = np.arange(1, n // _LAGS + 1)
    if n < _LEAST or np.ptp(series) == 0.0:
        return np.full(len(c), np.nan)
    mean = series.mean()
    phase = np.outer(c, np.arange(1, n + 1))
    path = np.cumsum(series * np.exp(1j * phase), axis=1)
    moved = _displacement(path - path.mean(axis=1, keepdims=True), len(lags))
    swing = mean**2 * (1 - np.cos(np.outer(lags, c))) / (1 - np.cos(c))
    displacement = moved.T - swing
    time = lags - lags.mean()
    from_mean = displacement - displacement.mean(axis=0)
    scale = np.sqrt((time**2).sum() * (from_mean**2).sum(axis=0))
    with np.errstate(invalid="ignore"):
        found: Array = time @ from_mean / scale
    return found


def _displacement(path: Array, lags: int) -> Array:
    """Mean square displacement over 1 to so many steps, shape (n_c, lags).

    The products of its three terms are a correlation, which the Fourier transform finds for all
    lags at once.
    """
    n = path.shape[1]
    starts = n - lags
    size = 1 << (n + starts).bit_length()
    ahead, behind = np.fft.fft(path, size), np.fft.fft(path[:, :starts], size)
    products = np.fft.ifft(ahead * behind.conj())[:, 1 : lags + 1].real
    squares = np.cumsum(np.abs(path) ** 2, axis=1)
    there = squares[:, starts:] - squares[:, :lags]
    here = squares[:, starts - 1 : starts]
    found: Array = (there + here - 2 * products) / starts
    return found


class ZeroOneResult(ObserverResult):
    """``K``, near 1 for chaos and near 0 for regular motion; ``K_error``, ``K_of_c``, ``path``."""

    whole = frozenset({"samples"})

    @classmethod
    def derived(cls, sizes: Mapping[str, int], facts: Mapping[str, Any]) -> dict[str, int]:
        """K, and its error."""
        return {"K": 0, "K_error": 0}

    @property
    def c(self) -> Array:
        """The frequencies."""
        return np.array(self.facts["c"])

    @property
    def series(self) -> Array:
        """The samples, shape (n,); in a batch (n_runs, n), NaN after the last one of a run."""
        return self.trace[..., 0]

    @cached_property
    def K_of_c(self) -> Array:
        """K for each frequency, shape (n_c,); in a batch (n_runs, n_c)."""
        if self.n_runs is None:
            return growth_correlation(self.series, self.c)
        runs = [growth_correlation(s[~np.isnan(s)], self.c) for s in self.series]
        return np.array(runs).reshape(self.n_runs, len(self.c))

    @property
    def K(self) -> Any:
        """The median over the frequencies; in a batch for each run."""
        return np.median(self.K_of_c, axis=-1)

    @property
    def K_error(self) -> Any:
        """Standard error of that median, from the scatter of K over the frequencies.

        Half the distance between the order statistics that lie half of the square root of n_c
        below and above the median: between them the median of all frequencies is in two cases of
        three.  It tells whether there are enough frequencies, and whether they agree.  It does not
        tell how K would differ for another series of the same model, nor that K is still on its
        way to 0 or 1 when the series is short.  NaN for fewer than seven frequencies.
        """
        n = self.K_of_c.shape[-1]
        if n < _LEAST_FREQUENCIES:
            return np.full(self.K_of_c.shape[:-1], np.nan)[()]
        half = 0.5 / np.sqrt(n)
        low, high = np.quantile(self.K_of_c, [0.5 - half, 0.5 + half], axis=-1)
        return 0.5 * (high - low)

    def path(self, c: float) -> tuple[Array, Array]:
        """The walker's p and q for one frequency: bounded for regular motion."""
        steps = np.arange(1, self.series.shape[-1] + 1)
        walk = np.cumsum(self.series * np.exp(1j * c * steps), axis=-1)
        return walk.real, walk.imag

    def _checks(self) -> Iterable[Check]:
        """Whether the series says something."""
        series = self.series
        kept = np.count_nonzero(~np.isnan(self.trace_time), axis=-1)
        few = f"samples are too few: below {ENOUGH} K says little."
        yield Check(kept < ENOUGH, lambda run: f"{np.asarray(kept)[run]} {few}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # there may be no sample at all
            span = np.nanmax(series, axis=-1, initial=-np.inf) - np.nanmin(
                series, axis=-1, initial=np.inf
            )
        yield Check(span == 0.0, lambda run: "the series is constant, so that there is no K.")

    def _lines(self) -> list[str]:
        if self.n_runs is not None:
            return super()._lines()
        known = f"K = {self.K:.4g} ± {self.K_error:.2g}"
        return [f"{known} of {self.facts['of']}, {self.series.shape[-1]} samples"]
