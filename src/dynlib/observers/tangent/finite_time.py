"""Finite-time Lyapunov exponents: growth over windows of a given length, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.dsl.spec import ModelSpec
from dynlib.observers.kit.keywords import checks_keywords
from dynlib.observers.kit.part import HookText, Output, Part, TraceSpec
from dynlib.observers.kit.result import Check, ObserverResult
from dynlib.observers.kit.scatter import scatter
from dynlib.observers.kit.trace_plans import Tail, TracePlan, checked_trace_plan
from dynlib.observers.tangent import finite_time_hooks as hooks
from dynlib.observers.tangent.gram_schmidt import ROUNDING
from dynlib.observers.tangent.lyapunov_hooks import (
    grow_OBS,
    growth_OBS,
    orthonormalise_OBS,
    revive_OBS,
    zeros_last_OBS,
)
from dynlib.observers.tangent.tangent_observer import TangentObserver, positive, whole
from dynlib.observers.tangent.tangent_start import initial_vectors
from dynlib.steppers.base import Stepper

__all__ = ["FiniteTimeResult", "finite_time_lyapunov"]

_KEPT = 1000  # rows of the trace, where no plan is given
_ROUNDING = 1e-9  # of a window: times are rounded


class FiniteTimeResult(ObserverResult):
    """``mean``, ``sd``, ``least``, ``most`` over all windows; the windows' exponents as trace."""

    whole = frozenset({"windows"})

    @property
    def exponents(self) -> NDArray[Any]:
        """Exponents of the windows that the trace keeps, shape (n_windows, k)."""
        return self.trace

    @classmethod
    def derived(cls, sizes: Mapping[str, int], facts: Mapping[str, Any]) -> dict[str, int]:
        """The error of the mean."""
        return {"standard_error": sizes["mean"]}

    def numbers(self, name: str) -> NDArray[Any]:
        """An output, or the error of the mean, which is a number where the mean is one."""
        found = super().numbers(name)
        return found.reshape(np.shape(self["mean"])) if name == "standard_error" else found

    @property
    def standard_error(self) -> NDArray[Any]:
        """Of the mean, from the means of twenty stretches of kept windows, shape (k,).

        In a batch (n_runs, k).  NaN from fewer than four windows in a stretch.
        """
        if self.n_runs is not None:
            errors = [self.of_run(i).standard_error for i in range(self.n_runs)]
            return np.array(errors).reshape(self.n_runs, self.trace.shape[-1])
        found = scatter(self.trace, np.arange(len(self.trace) + 1.0))
        kept = len(self.trace) / max(float(self["windows"]), 1.0)
        wanted: NDArray[Any] = found * kept**0.5  # of all windows
        return wanted

    def _checks(self) -> Iterable[Check]:
        """Whether there is a window at all, and whether vectors were lost in one."""
        length = f"{self.facts['window']:g}" if "window" in self.facts else "its length"
        none = np.asarray(self["windows"]) == 0
        yield Check(none, lambda run: f"the run ended before the first window of {length} did.")
        lost = np.isneginf(self["least"])
        lost = lost.any(axis=-1) if lost.ndim > (self.n_runs is not None) else lost
        yield Check(
            lost,
            lambda run: (
                "the least exponent is -inf: in a window a tangent vector became zero, as where "
                "the derivative vanishes. If only the start is such a point, give a transient."
            ),
        )

    def histogram(
        self, bins: int | Any = 50, *, which: int = 0
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Density of an exponent over the windows that the trace keeps, of all runs together.

        Parameters
        ----------
        bins : int or array
            As NumPy's.
        which : int
            Which of the exponents; 0 is the largest.

        Returns
        -------
        density : array, shape (n_bins,)
        edges : array, shape (n_bins + 1,)
        """
        values = self.trace[..., which].ravel()
        return np.histogram(values[np.isfinite(values)], bins=bins, density=True)


class FiniteTimeLyapunov(TangentObserver):
    """Made by `finite_time_lyapunov`."""

    result_type = FiniteTimeResult
    gives = ("mean", "sd", "least", "most", "windows", "standard_error")
    window: float

    def _numbers(self) -> tuple[Any, ...]:
        return (self.window,)

    def bind(self, spec: ModelSpec, stepper: Stepper) -> Part:
        """Tangent vectors, growth, sums over windows."""
        n, k = len(spec.states), self.k
        named = ("CUR", "POWER", "RATES", "MEAN", "SQUARES", "LEAST", "MOST")
        places = {"BEGAN": 0, "COUNT": 1, "FLAWED": 2}
        places |= {name: 3 + k * i for i, name in enumerate(named)}
        size = 3 + k * len(named)
        vector = None if k == 1 else k
        return Part(
            outputs=(
                *(Output(name, vector) for name in ("mean", "sd", "least", "most")),
                Output("windows", nothing=0.0),
            ),
            workspace=size,
            tangents=initial_vectors(n, k),
            trace=self.trace,
            texts=(
                HookText("start", hooks.start_OBS),
                HookText("every", hooks.every_OBS, self.interval(stepper)),
                HookText("end", hooks.end_OBS),
            ),
            helpers=(orthonormalise_OBS, grow_OBS, growth_OBS, zeros_last_OBS, revive_OBS),
            flags={"SORTED": k > 1 and not any(stepper.memory)},
            within=hooks.within_OBS,
            words={
                "K": k,
                "SIZE": size,
                "WINDOW": self.window * (1.0 - _ROUNDING),
                "ROUNDING": ROUNDING,
            },
            places=places,
            facts={"window": self.window},
        )


@checks_keywords
def finite_time_lyapunov(
    window: float,
    k: int = 1,
    *,
    renorm_every: int | None = None,
    trace: TracePlan | None = None,
    name: str | None = None,
) -> FiniteTimeLyapunov:
    """The `k` largest Lyapunov exponents of consecutive windows of time, and their distribution.

    The result has ``mean``, ``standard_error`` of it, ``sd``, ``least`` and ``most`` over all
    windows, their number ``windows``, the windows' ``exponents`` (its trace; the time of a row is
    the end of its window), and ``histogram()``.  Give the run a transient, so that tangent vectors
    have aligned.

    Parameters
    ----------
    window : float
        Length of a window, in units of time; of a map, iterations.  It ends with the first
        normalisation at or after this length.
    k : int
        How many exponents.
    renorm_every : int, optional
        Steps from one orthonormalisation to the next; by default 5, or 1 for maps.
    trace : TracePlan, optional
        Which windows to keep; by default the last 1000, ``Tail(1000)``.
    name : str, optional
        Name of the result, where there are two.

    Raises
    ------
    ObserverError
        For a value that cannot be; and, from the run, for a model that has no derivative.

    Examples
    --------
    >>> from dynlib import setup
    >>> from dynlib.observers import finite_time_lyapunov
    >>> sim = setup("builtin://map/tent", jit=False)
    >>> found = sim.run(N=200, observers=[finite_time_lyapunov(20)]).observers
    >>> float(found["finite_time_lyapunov"].mean.round(6))  # ln 1.9, whatever the window
    0.641854
    """
    whole("k, the number of exponents,", k)
    if renorm_every is not None:
        whole("renorm_every", renorm_every)
    columns = tuple(f"exponent{j + 1}" for j in range(k))
    plan = Tail(_KEPT) if trace is None else checked_trace_plan(trace)
    observer = FiniteTimeLyapunov(
        "finite_time_lyapunov", k, renorm_every, TraceSpec(columns, plan), name, by_steps=False
    )
    observer.window = positive("window", window)
    return observer
