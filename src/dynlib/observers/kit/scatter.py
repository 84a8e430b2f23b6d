"""The standard error of a mean rate, from the scatter of parts of a run (batch means)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["scatter"]

_STRETCHES = 20
_ROWS_OF_STRETCH = 4


def scatter(growth: NDArray[Any], time: NDArray[Any]) -> NDArray[Any]:
    """Standard error of ``growth.sum() / (time[-1] - time[0])`` for each column.

    Neighbouring rows may depend on each other, stretches of many hardly do; Law, Simulation
    Modeling and Analysis, chapter 9 (batch means).

    Parameters
    ----------
    growth : array, shape (n, k)
    time : array, shape (n + 1,)
        Between which times each row grew.

    Returns
    -------
    array, shape (k,)
        NaN where there are fewer than four rows in a twentieth of them, or an infinite one.

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.random.default_rng(1).normal(size=(4000, 1))
    >>> bool(0.5 < scatter(rows, np.arange(4001.0))[0] * 4000**0.5 < 1.5)
    True
    """
    edges = np.linspace(0, len(growth), _STRETCHES + 1).astype(int)
    if np.diff(edges).min() < _ROWS_OF_STRETCH:
        return np.full(growth.shape[1], np.nan)
    rates = np.add.reduceat(growth, edges[:-1], axis=0) / np.diff(time[edges])[:, np.newaxis]
    rates[~np.isfinite(rates)] = np.nan
    found: NDArray[Any] = rates.std(axis=0, ddof=1) / np.sqrt(_STRETCHES)
    return found
