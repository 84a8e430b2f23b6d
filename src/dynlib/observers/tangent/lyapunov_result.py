"""Exponents, and whether they are believable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.observers.kit.result import Check, ObserverResult

__all__ = ["LyapunovMaxResult", "LyapunovSpectrumResult", "kaplan_yorke"]

Array = NDArray[Any]
_SURE = 4.0  # standard errors
_SUM = 1e-3  # relative: what the method may lose of the divergence
_LONG = 5.0  # times that, where steps are as long as a tolerance allows
_NOISE = 1e-9  # what rounding makes of a zero, with steps of a millionth of a unit of time and more
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


def _lengths(result: ObserverResult, exponents: str, errors: str) -> Iterable[Check]:
    """Whether the run is long enough for exponents, and for their standard errors."""
    nothing = result._is_nan(exponents)
    yield Check(
        nothing,
        lambda run: (
            "there is no exponent: the run ended before the first renormalisation, or "
            "tangent vectors became infinite between two (give a smaller renorm_every)."
        ),
    )
    vanished = np.isneginf(result[exponents])
    if vanished.ndim > (result.n_runs is not None):
        vanished = vanished.any(axis=-1)
    yield Check(
        vanished,
        lambda run: (
            "an exponent is -inf: a tangent vector became zero, as at a superstable point, where "
            "the derivative vanishes. If only the start is such a point, give a transient."
        ),
    )
    yield Check(
        result._is_nan(errors) & ~nothing & ~vanished,
        lambda run: (
            "the run is too short for a standard error, and the exponent may still be that of the "
            "start's directions: run longer, give a transient, or a smaller renorm_every."
        ),
    )


class LyapunovMaxResult(ObserverResult):
    """The largest exponent: ``exponent``, ``standard_error``."""

    def _checks(self) -> Iterable[Check]:
        """Whether the run is long enough, and the sign of a Hamiltonian model's exponent."""
        yield from _lengths(self, "exponent", "standard_error")
        if self.facts.get("symplectic"):
            exponent, error = np.asarray(self["exponent"]), np.asarray(self["standard_error"])
            yield Check(
                exponent < -np.fmax(_SURE * error, _NOISE),
                lambda run: (
                    f"{exponent[run]:.4g} is negative, which the largest exponent of a Hamiltonian "
                    "model never is: take shorter steps."
                ),
            )

    def _lines(self) -> list[str]:
        if self.n_runs is not None:
            return super()._lines()
        return [f"exponent = {float(self['exponent']):.6g} ± {float(self['standard_error']):.2g}"]


class LyapunovSpectrumResult(ObserverResult):
    """The spectrum: ``exponents``, ``standard_errors``, ``kaplan_yorke``, its error."""

    @classmethod
    def derived(cls, sizes: Mapping[str, int], facts: Mapping[str, Any]) -> dict[str, int]:
        """The dimension, and its error."""
        return {"kaplan_yorke": 0, "kaplan_yorke_error": 0}

    @property
    def kaplan_yorke(self) -> Any:
        """Kaplan and Yorke's dimension; NaN if the exponents at hand do not bound it."""
        found = kaplan_yorke(self["exponents"])
        return float(found) if found.ndim == 0 else found

    @property
    def kaplan_yorke_error(self) -> Any:
        """Standard error of that dimension at most: as if the exponents' errors added up."""
        order, last = self._order()
        exponents = np.take_along_axis(np.asarray(self["exponents"]), order, -1)
        errors = np.take_along_axis(np.asarray(self["standard_errors"]), order, -1)
        dimension = kaplan_yorke(exponents)
        place = np.arange(exponents.shape[-1])
        weights = np.where(place < last, 1.0, 0.0) + np.where(
            place == last, dimension[..., np.newaxis] - last, 0.0
        )
        rate = np.abs(np.take_along_axis(exponents, last, -1)[..., 0])
        with np.errstate(divide="ignore", invalid="ignore"):
            found = (weights * errors).sum(axis=-1) / rate
        return float(found) if found.ndim == 0 else found

    def _checks(self) -> Iterable[Check]:
        """What does not fit: sum and divergence, the zero of a flow, pairs of a Hamiltonian one."""
        yield from _lengths(self, "exponents", "standard_errors")
        if "mean_divergence" in self:
            yield self._sum()
        if self["exponents"].shape[-1] == self.facts.get("states"):
            if self.facts.get("kind") == "ode" and self.facts.get("autonomous"):
                yield self._zero()
            if self.facts.get("symplectic"):
                yield self._pairs()
        yield self._dimension()

    def _sum(self) -> Check:
        total, mean = np.asarray(self["sum"]), np.asarray(self["mean_divergence"])
        scale = np.maximum(np.abs(mean), np.abs(self["exponents"]).max(axis=-1))
        slack = _SUM * (_LONG if self.facts.get("adaptive") else 1.0)
        with np.errstate(invalid="ignore"):
            wrong = np.isfinite(total) & np.isfinite(mean) & (np.abs(total - mean) > slack * scale)
        return Check(
            wrong,
            lambda run: (
                f"the exponents sum to {total[run]:.6g}, but volumes change at the rate "
                f"{mean[run]:.6g}: take shorter steps, or a smaller renorm_every."
            ),
        )

    def _zero(self) -> Check:
        exponents, errors = self["exponents"], self["standard_errors"]
        most = np.abs(exponents).max(axis=-1, keepdims=True)
        slack = np.fmax(np.fmax(_SURE * errors, _ZERO * most), _NOISE)
        none = ~(np.abs(exponents) <= slack).any(axis=-1)
        moves = (exponents.max(axis=-1) >= 0) & np.isfinite(errors).any(axis=-1)
        return Check(
            none & moves,
            lambda run: (
                "no exponent is zero, though one must be along a flow that does not come to rest: "
                "the run is too short, or its start not on the attractor (give a transient)."
            ),
        )

    def _pairs(self) -> Check:
        exponents, errors = self["exponents"], self["standard_errors"]
        sums = exponents + exponents[..., ::-1]
        most = np.abs(exponents).max(axis=-1, keepdims=True)
        slack = np.fmax(_SURE * (errors + errors[..., ::-1]), _ZERO * most)
        return Check(
            (np.abs(sums) > np.fmax(slack, _NOISE)).any(axis=-1),
            lambda run: (
                "the exponents do not come in pairs ±λ, as those of a Hamiltonian model do: take "
                "shorter steps, or run longer."
            ),
        )

    def _divisor(self) -> tuple[Array, Array]:
        """The exponent by which the dimension's fraction is divided, and its error."""
        order, whole = self._order()
        found = [
            np.take_along_axis(np.take_along_axis(np.asarray(each), order, -1), whole, -1)[..., 0]
            for each in (self["exponents"], self["standard_errors"])
        ]
        return found[0], found[1]

    def _order(self) -> tuple[Array, Array]:
        """Places of the exponents in falling order; how many the dimension takes whole."""
        exponents = np.asarray(self["exponents"])
        dimension = np.asarray(self.kaplan_yorke)
        whole = np.floor(np.where(np.isnan(dimension), 0.0, dimension)).astype(np.int64)
        last = np.minimum(whole, exponents.shape[-1] - 1)[..., np.newaxis]
        return np.argsort(-exponents, axis=-1), last

    def _dimension(self) -> Check:
        """A dimension is a ratio, and means nothing where it is divided by what may be zero."""
        dimension, error = np.asarray(self.kaplan_yorke), np.asarray(self.kaplan_yorke_error)
        rate, its_error = self._divisor()
        with np.errstate(invalid="ignore"):
            vague = np.isfinite(dimension) & ((np.abs(rate) <= its_error) | (error > dimension))
            vague &= dimension > 0
        return Check(
            vague,
            lambda run: (
                f"there is no Kaplan–Yorke dimension to speak of: in it something is divided by "
                f"the exponent {rate[run]:.2g} ± {its_error[run]:.2g}, which may be zero."
            ),
        )

    def _lines(self) -> list[str]:
        if self.n_runs is not None:
            return super()._lines()
        pairs = zip(self["exponents"], self["standard_errors"], strict=True)
        lines = [f"exponents = {', '.join(f'{x:.6g} ± {e:.2g}' for x, e in pairs)}"]
        dimension = self.kaplan_yorke
        if np.isfinite(dimension) and not self._dimension().found:
            error = self.kaplan_yorke_error
            lines.append(f"Kaplan–Yorke dimension = {dimension:.5g} ± {error:.2g}")
        return lines
