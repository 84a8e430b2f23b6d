"""Exponents, and whether they are believable."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.observers.result import ObserverResult

__all__ = ["LyapunovMaxResult", "LyapunovSpectrumResult", "kaplan_yorke"]

Array = NDArray[Any]
_SURE = 4.0  # standard errors
_SUM = 1e-3  # relative: what the method may lose of the divergence
_LONG = 5.0  # times that, where steps are as long as a tolerance allows
_ZERO = 1e-2  # of the largest exponent: what passes for zero without an error bar


def kaplan_yorke(exponents: Array) -> Array:
    """Kaplan and Yorke's dimension of attractors, from spectra along the last axis.

    NaN where even the sum of all exponents is positive, so that more of them are needed.

    Examples
    --------
    >>> import numpy as np
    >>> round(float(kaplan_yorke(np.array([0.9056, 0.0, -14.5723]))), 4)
    2.0621
    """
    ordered = -np.sort(-np.asarray(exponents, dtype=np.float64), axis=-1)
    sums = np.cumsum(ordered, axis=-1)
    n = ordered.shape[-1]
    positive = np.argmax(sums < 0, axis=-1)  # exponents whose sum is not negative yet
    bounded = (sums < 0).any(axis=-1)
    before = np.take_along_axis(sums, np.maximum(positive - 1, 0)[..., np.newaxis], -1)[..., 0]
    next_one = np.take_along_axis(ordered, np.minimum(positive, n - 1)[..., np.newaxis], -1)[..., 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        dimension = positive + np.where(positive > 0, before, 0.0) / np.abs(next_one)
    return np.where(bounded & ~np.isnan(sums[..., -1]), dimension, np.nan)


class LyapunovMaxResult(ObserverResult):
    """The largest exponent: ``exponent``, ``standard_error``."""

    def _lines(self) -> list[str]:
        if self.n_runs is not None:
            return super()._lines()
        return [f"exponent = {float(self['exponent']):.6g} ± {float(self['standard_error']):.2g}"]


class LyapunovSpectrumResult(ObserverResult):
    """The spectrum: ``exponents``, ``standard_errors``, ``kaplan_yorke``, its error."""

    @property
    def kaplan_yorke(self) -> Any:
        """Kaplan and Yorke's dimension; NaN if the exponents at hand do not bound it."""
        found = kaplan_yorke(self["exponents"])
        return float(found) if found.ndim == 0 else found

    @property
    def kaplan_yorke_error(self) -> Any:
        """Standard error of that dimension at most: as if the exponents' errors added up."""
        exponents, errors = np.asarray(self["exponents"]), np.asarray(self["standard_errors"])
        order = np.argsort(-exponents, axis=-1)
        exponents = np.take_along_axis(exponents, order, -1)
        errors = np.take_along_axis(errors, order, -1)
        dimension = kaplan_yorke(exponents)
        whole = np.floor(np.where(np.isnan(dimension), 0.0, dimension)).astype(np.int64)
        last = np.minimum(whole, exponents.shape[-1] - 1)[..., np.newaxis]
        place = np.arange(exponents.shape[-1])
        weights = np.where(place < last, 1.0, 0.0) + np.where(
            place == last, (dimension - whole)[..., np.newaxis], 0.0
        )
        rate = np.abs(np.take_along_axis(exponents, last, -1)[..., 0])
        with np.errstate(divide="ignore", invalid="ignore"):
            found = (weights * errors).sum(axis=-1) / rate
        return float(found) if found.ndim == 0 else found

    @property
    def flags(self) -> tuple[str, ...]:
        """What does not fit: sum and divergence, the zero of a flow, pairs of a Hamiltonian one."""
        if self.n_runs is not None:
            return ()
        found = (self._sum(), self._zero(), self._pairs())
        return tuple(flag for flag in found if flag)

    def _sum(self) -> str:
        if "mean_divergence" not in self:
            return ""
        total, mean = float(self["sum"]), float(self["mean_divergence"])
        scale = max(abs(mean), float(np.abs(self["exponents"]).max()))
        slack = _SUM * (_LONG if self.facts.get("adaptive") else 1.0)
        if abs(total - mean) <= slack * scale or not np.isfinite([total, mean]).all():
            return ""
        return (
            f"the exponents sum to {total:.6g}, but volumes change at the rate {mean:.6g}: take "
            "shorter steps, or a smaller renorm_every."
        )

    def _zero(self) -> str:
        exponents, errors = self["exponents"], self["standard_errors"]
        wanted = self.facts.get("kind") == "ode" and self.facts.get("autonomous")
        whole = len(exponents) == self.facts.get("states")
        if not (wanted and whole) or exponents.max() < 0 or not np.isfinite(errors).any():
            return ""
        slack = np.fmax(_SURE * errors, _ZERO * np.abs(exponents).max())
        if (np.abs(exponents) <= slack).any():
            return ""
        return (
            "no exponent is zero, though one must be along a flow that does not come to rest: "
            "the run is too short, or its start not on the attractor (give a transient)."
        )

    def _pairs(self) -> str:
        exponents, errors = self["exponents"], self["standard_errors"]
        if not self.facts.get("symplectic") or len(exponents) != self.facts.get("states"):
            return ""
        sums = exponents + exponents[::-1]
        slack = np.fmax(_SURE * (errors + errors[::-1]), _ZERO * np.abs(exponents).max())
        if not (np.abs(sums) > np.fmax(slack, 1e-12)).any():
            return ""
        return (
            "the exponents do not come in pairs ±λ, as those of a Hamiltonian model do: take "
            "shorter steps, or run longer."
        )

    def _lines(self) -> list[str]:
        if self.n_runs is not None:
            return super()._lines()
        pairs = zip(self["exponents"], self["standard_errors"], strict=True)
        lines = [f"exponents = {', '.join(f'{x:.6g} ± {e:.2g}' for x, e in pairs)}"]
        dimension = self.kaplan_yorke
        if np.isfinite(dimension):
            error = self.kaplan_yorke_error
            lines.append(f"Kaplan–Yorke dimension = {dimension:.5g} ± {error:.2g}")
        return lines
