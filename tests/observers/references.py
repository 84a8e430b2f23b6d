"""What each observer of `everyone` is to find along a path, worked out from samples of the path.

A reference returns the outputs by name; ``trace`` and ``trace_time`` for its rows.  Steps matter
only to observers that look at every so many of them: `steps` are their times, the start's included.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from observers.paths import Array, Path, crossings, turns

from dynlib.observers.tangent.tangent_start import initial_vectors

Found = dict[str, Any]
NAN = float("nan")
LEVEL = 0.2


def _span(path: Path) -> float:
    return abs(path.t_end - path.t_seen)


# -- tangent vectors ------------------------------------------------------------------------------


def _marks(path: Path, steps: Array, every: int) -> Array:
    """Times of every so many steps, after the start of the observers."""
    t = steps[::every]
    return t[(t - path.t_seen) * path.sign > 1e-9]


def _triangle(path: Path, t: float, k: int) -> Array:
    """Logarithms of the lengths of k vectors, orthonormalised, that began with the run."""
    vectors = np.array(initial_vectors(2, k)).T
    r = np.linalg.qr(path.tangent(t) @ vectors)[1]
    return np.log(np.abs(np.diag(r)))


def _growth(path: Path, t: float, k: int) -> Array:
    """The same since observers started."""
    return _triangle(path, t, k) - _triangle(path, path.t_seen, k)


def _exponents(path: Path, steps: Array, k: int, every: int) -> Array:
    marks = _marks(path, steps, every)
    if not marks.size:
        return np.full(k, NAN)
    t = marks[-1]
    return np.sort(_growth(path, t, k) / abs(t - path.t_seen))[::-1]


def _every(adaptive: bool) -> int:
    return 5 if adaptive else 10


def lyapunov_max(path: Path, steps: Array, adaptive: bool) -> Found:
    (exponent,) = _exponents(path, steps, 1, 10 if not adaptive else 5)
    return {"exponent": exponent}


def lyapunov_spectrum(path: Path, steps: Array, adaptive: bool) -> Found:
    exponents = _exponents(path, steps, 2, _every(adaptive))
    found = {"exponents": exponents}
    if path.given[0] is None:  # with events there is no divergence to hold the sum against
        # The divergence is -0.2 everywhere; forwards, that is.
        rate = -0.2 * path.sign if not np.isnan(exponents[0]) else NAN
        found |= {"sum": exponents.sum(), "mean_divergence": rate}
    return found


def finite_time_lyapunov(path: Path, steps: Array, adaptive: bool) -> Found:
    ends, began = [], path.t_seen
    for t in _marks(path, steps, 5):
        if abs(t - began) >= 0.2 * (1 - 1e-9):
            ends.append(t)
            began = t
    if not ends:
        return {"mean": NAN, "sd": NAN, "least": NAN, "most": NAN, "windows": 0}
    growth = np.array([0.0, *(_growth(path, t, 1)[0] for t in ends)])
    rates = np.diff(growth) / np.abs(np.diff([path.t_seen, *ends]))
    sd = rates.std(ddof=1) if len(rates) > 1 else NAN
    return {
        "mean": rates.mean(), "sd": sd, "least": rates.min(), "most": rates.max(),
        "windows": len(rates), "trace": rates[:, np.newaxis], "trace_time": np.array(ends),
    }  # fmt: skip


def covariant_vectors(path: Path, steps: Array, adaptive: bool) -> Found:
    marks = _marks(path, steps, 5)
    return {"decompositions": len(marks), "trace_time": marks}


def _aligned(path: Path, steps: Array) -> Array:
    """Two unit vectors at the last normalisation, which were at right angles at the start."""
    marks = _marks(path, steps, 5)
    start = path.tangent(path.t_seen)
    q = np.linalg.qr(start @ np.array(initial_vectors(2, 2)).T)[0]
    t = marks[-1] if marks.size else path.t_seen
    vectors = path.tangent(t) @ np.linalg.solve(start, q)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=0))


def sali(path: Path, steps: Array, adaptive: bool) -> Found:
    a, b = _aligned(path, steps).T
    return {
        "value": min(np.linalg.norm(a + b), np.linalg.norm(a - b)), "time_below": NAN,
    }  # fmt: skip


def gali(path: Path, steps: Array, adaptive: bool) -> Found:
    return {"value": abs(np.linalg.det(_aligned(path, steps))), "time_below": NAN}


def fli(path: Path, steps: Array, adaptive: bool) -> Found:
    return {"value": max([0.0, *(_growth(path, t, 1)[0] for t in _marks(path, steps, 5))])}


# -- measures -------------------------------------------------------------------------------------


def zero_one_test(path: Path, steps: Array, adaptive: bool) -> Found:
    marks = _marks(path, steps, 2)
    series = np.array([path(t)[0] for t in marks])[:, np.newaxis].reshape(-1, 1)
    return {"samples": len(marks), "trace": series, "trace_time": marks}


def features(path: Path, steps: Array, adaptive: bool) -> Found:
    t, u = path.samples
    values = np.column_stack([u, 0.5 * u[:, 1] ** 2])
    mean = np.trapezoid(values, t, axis=0) / (t[-1] - t[0]) if t[-1] != t[0] else values[-1]
    return {"max": values.max(axis=0), "mean": mean}


def extrema(path: Path, steps: Array, adaptive: bool) -> Found:
    t, u = path.samples
    found = [(when, value) for when, value, kind in turns(path, u[:, 0], t) if kind > 0]
    values = [value for _, value in found]
    return _hits([when for when, _ in found], np.array(values).reshape(-1, 1)) | {
        "lowest": min(values, default=NAN), "highest": max(values, default=NAN),
    }  # fmt: skip


def _hits(times: list[float], rows: Array) -> Found:
    """Of a section."""
    mean = abs(times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else NAN
    first, last = (times[0], times[-1]) if times else (NAN, NAN)
    return {
        "count": len(times), "first_time": first, "last_time": last, "mean_return_time": mean,
        "trace": rows, "trace_time": np.array(times),
    }  # fmt: skip


def _intervals(path: Path) -> Found:
    times = [t for t, _ in crossings(path, lambda u: u[:, 0] - LEVEL, "rising")]
    gaps = np.abs(np.diff(times))
    sd = gaps.std(ddof=1) if len(gaps) > 1 else NAN
    mean = gaps.mean() if len(gaps) else NAN
    first, last = (times[0], times[-1]) if times else (NAN, NAN)
    return {
        "count": len(times), "first_time": first, "last_time": last,
        "last_interval": gaps[-1] if len(gaps) else NAN, "mean_interval": mean,
        "sd_interval": sd, "cv_interval": sd / mean,
    }  # fmt: skip


def intervals(path: Path, steps: Array, adaptive: bool) -> Found:
    times = np.array([t for t, _ in crossings(path, lambda u: u[:, 0] - LEVEL, "rising")])
    return _intervals(path) | {"trace_time": times[-3:]}


def spikes(path: Path, steps: Array, adaptive: bool) -> Found:
    return _intervals(path)


def first_passage(path: Path, steps: Array, adaptive: bool) -> Found:
    found = crossings(path, lambda u: u[:, 0] - LEVEL, "either")
    return {"time": found[0][0] if found else NAN}


def time_in(path: Path, steps: Array, adaptive: bool) -> Found:
    total = 0.0
    for t, u in path.pieces:
        g = u[:, 0] - LEVEL
        a, b = np.clip(g[:-1], 0, None), np.clip(g[1:], 0, None)
        share = np.where(g[:-1] == g[1:], g[:-1] > 0, (a + b) / (np.abs(g[:-1]) + np.abs(g[1:])))
        total += float((share * np.abs(np.diff(t))).sum())
    return {"time": total, "fraction": total / _span(path) if _span(path) else NAN}


def histogram(path: Path, steps: Array, adaptive: bool) -> Found:
    edges = np.concatenate([[-np.inf], np.linspace(-1.0, 1.0, 6), [np.inf]])
    counts = np.zeros(7)
    for t, u in path.pieces:
        middle = 0.5 * (u[1:, 0] + u[:-1, 0])
        counts += np.histogram(middle, edges, weights=np.abs(np.diff(t)))[0]
    return {"below": counts[0], "counts": counts[1:6], "above": counts[6]}


def poincare(path: Path, steps: Array, adaptive: bool) -> Found:
    found = crossings(path, lambda u: u[:, 1], "rising")
    return _hits([t for t, _ in found], np.array([u for _, u in found]).reshape(-1, 2))


def stroboscopic(path: Path, steps: Array, adaptive: bool) -> Found:
    flashes = 0.5 * np.arange(-20, 21)
    ahead = (flashes - path.t_seen) * path.sign > 1e-9
    within = (path.t_end - flashes) * path.sign >= -1e-9
    times = sorted(flashes[ahead & within], key=abs)
    rows = np.array([path.left(t) for t in times]).reshape(-1, 2)
    return _hits([float(t) for t in times], rows) | {"missed": 0}


REFERENCES: dict[str, Callable[[Path, Array, bool], Found]] = {
    function.__name__: function
    for function in (
        lyapunov_max, lyapunov_spectrum, finite_time_lyapunov, covariant_vectors, sali, gali, fli,
        zero_one_test, features, extrema, intervals, spikes, first_passage, time_in, histogram,
        poincare, stroboscopic,
    )
}  # fmt: skip
ERRORS = frozenset(
    {
        "standard_error", "standard_errors", "mean_error", "mean_interval_error", "fraction_error",
        "counts_error",
    }
)  # fmt: skip
"""Outputs that are standard errors: a run this short has none, or they are above zero."""
