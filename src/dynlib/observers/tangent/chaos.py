"""Chaos indicators from a few tangent vectors: SALI, GALI, FLI.

They tell regular motion from chaotic long before an exponent converges: deviations of a chaotic
orbit align exponentially fast, those of a regular one at most by a power of time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dynlib.dsl.spec import ModelSpec
from dynlib.observers.kit.keywords import checks_keywords
from dynlib.observers.kit.part import HookText, Output, Part, TraceSpec
from dynlib.observers.kit.result import Check, ObserverResult
from dynlib.observers.kit.trace_plans import TracePlan
from dynlib.observers.tangent import chaos_hooks as hooks
from dynlib.observers.tangent.gram_schmidt import ROUNDING
from dynlib.observers.tangent.lyapunov_hooks import grow_OBS, orthonormalise_OBS, revive_OBS
from dynlib.observers.tangent.tangent_observer import TangentObserver, positive, traced, whole
from dynlib.observers.tangent.tangent_start import initial_vectors
from dynlib.steppers.base import Stepper

__all__ = ["IndicatorResult", "fli", "gali", "sali"]


class IndicatorResult(ObserverResult):
    """``value`` of an indicator; NaN where its tangent vectors were lost."""

    def _checks(self) -> Iterable[Check]:
        """Whether there is a value."""
        yield Check(
            self._is_nan("value"),
            lambda run: (
                "there is no value: nothing was observed, or a tangent vector became zero (as "
                "where the derivative of a map vanishes) or infinite. Start elsewhere, give a "
                "transient, or a smaller renorm_every."
            ),
        )


class AlignmentObserver(TangentObserver):
    """How far unit tangent vectors are from lying in one plane; made by `sali` and `gali`."""

    result_type = IndicatorResult
    gives = ("value", "time_below")
    threshold: float = 1e-8
    stop: bool = False

    def _numbers(self) -> tuple[Any, ...]:
        return (self.key, self.threshold, self.stop)

    def bind(self, spec: ModelSpec, stepper: Stepper) -> Part:
        """Tangent vectors, and a copy of them."""
        n, k = len(spec.states), self.k
        size = 5 + 2 * k + k * n
        measure = hooks.alignment_OBS if self.key == "sali" else hooks.volume_OBS
        every = self.interval(stepper)
        texts = [
            HookText("start", hooks.start_OBS),
            HookText("every", hooks.every_OBS, every),
            HookText("end", hooks.end_OBS),
        ]
        if self.trace.width:
            texts.append(HookText("every", hooks.trace_OBS, every, late=True))
        return Part(
            outputs=(Output("value"), Output("time_below")),
            workspace=size,
            tangents=initial_vectors(n, k),
            trace=self.trace,
            texts=tuple(texts),
            helpers=(orthonormalise_OBS, grow_OBS, revive_OBS, measure),
            within=hooks.within_OBS,
            words={
                "K": k,
                "SIZE": size,
                "DONE": 3,
                "THRESHOLD": self.threshold,
                "ROUNDING": ROUNDING,
                "MEASURE_OBS": measure.__name__,
            },
            places={
                "VALUE": 0,
                "BELOW": 1,
                "WHEN": 2,
                "FLAWED": 4,
                "CUR": 5,
                "POWER": 5 + k,
                "COPY": 5 + 2 * k,
            },
            flags={"STOPPING": self.stop},
            stops=self.stop,
            facts={"threshold": self.threshold},
        )


class FastIndicator(TangentObserver):
    """Made by `fli`."""

    result_type = IndicatorResult
    gives = ("value",)

    def bind(self, spec: ModelSpec, stepper: Stepper) -> Part:
        """One tangent vector, its growth, and the most of it."""
        every = self.interval(stepper)
        texts = [
            HookText("start", hooks.fast_start_OBS),
            HookText("every", hooks.fast_every_OBS, every),
            HookText("end", hooks.fast_end_OBS),
        ]
        if self.trace.width:
            texts.append(HookText("every", hooks.fast_trace_OBS, every, late=True))
        return Part(
            outputs=(Output("value"),),
            workspace=5,
            tangents=initial_vectors(len(spec.states), 1),
            trace=self.trace,
            texts=tuple(texts),
            helpers=(orthonormalise_OBS, grow_OBS, revive_OBS),
            within=hooks.fast_within_OBS,
            words={"K": 1, "SIZE": 5, "ROUNDING": ROUNDING},
            places={"TOTAL": 0, "VALUE": 1, "CUR": 2, "POWER": 3, "FLAWED": 4},
        )


def _alignment(key: str, k: int, given: dict[str, Any]) -> AlignmentObserver:
    every = given["renorm_every"]
    if every is not None:
        whole("renorm_every", every)
    trace: TraceSpec = traced((f"log10_{key}",), given["record_interval"], given["trace"])
    observer = AlignmentObserver(key, k, every, trace, given["name"])
    observer.threshold = positive("threshold", given["threshold"])
    observer.stop = bool(given["stop"])
    return observer


@checks_keywords
def sali(
    *,
    threshold: float = 1e-8,
    stop: bool = False,
    renorm_every: int | None = None,
    record_interval: int | None = None,
    trace: TracePlan | None = None,
    name: str | None = None,
) -> AlignmentObserver:
    """The smaller alignment index: how far two unit tangent vectors are from parallel.

    On a chaotic orbit it falls as ``exp(-(l1 - l2) t)``, l1 and l2 the largest exponents; on a
    regular one it stays (in maps of two states it falls as a power of time).

    The result has ``value`` at the end, and ``time_below``, when it fell below the threshold
    (NaN if it did not).  Its smallest meaningful value is that of rounding, about 1e-16.

    Parameters
    ----------
    threshold : float
        What counts as aligned.
    stop : bool
        End the run there, with status `EARLY_EXIT`.
    renorm_every : int, optional
        Steps from one normalisation to the next; by default 5, or 1 for maps.
    record_interval, trace : int, TracePlan, optional
        Trace ``log10`` of it every so many steps, a multiple of `renorm_every`.
    name : str, optional
        Name of the result, where there are two.

    Raises
    ------
    ObserverError
        For a value that cannot be; and, from the run, for a model of one state or without
        derivative.

    References
    ----------
    Skokos, J. Phys. A 34 (2001) 10029.

    Examples
    --------
    >>> from dynlib import setup
    >>> from dynlib.observers import sali
    >>> sim = setup("builtin://map/standard", jit=False)
    >>> found = sim.run(N=200, params={"K": 6.0}, observers=[sali()]).observers["sali"]
    >>> bool(found.time_below < 50)
    True
    """
    return _alignment("sali", 2, locals())


@checks_keywords
def gali(
    k: int,
    *,
    threshold: float = 1e-8,
    stop: bool = False,
    renorm_every: int | None = None,
    record_interval: int | None = None,
    trace: TracePlan | None = None,
    name: str | None = None,
) -> AlignmentObserver:
    """The generalised alignment index: the volume that `k` unit tangent vectors span.

    On a chaotic orbit it falls as ``exp(-((l1 - l2) + ... + (l1 - lk)) t)``; on a regular orbit
    that winds around a torus of s dimensions it stays for k up to s, and falls as a power of time
    beyond.

    Parameters
    ----------
    k : int
        Number of vectors, from 2 to the number of states.
    threshold, stop, renorm_every, record_interval, trace, name
        As in `sali`.

    Raises
    ------
    ObserverError
        For a value that cannot be; and, from the run, for a model of fewer states than k.

    References
    ----------
    Skokos, Bountis, Antonopoulos, Physica D 231 (2007) 30.

    Examples
    --------
    >>> from dynlib import setup
    >>> from dynlib.observers import gali
    >>> sim = setup("builtin://ode/henon-heiles", stepper="rk4", jit=False)
    >>> regular = sim.run(T=20, dt=0.1, observers=[gali(2)]).observers["gali"]
    >>> bool(regular.value > 1e-3)
    True
    """
    whole("k, the number of vectors,", k, 2)
    return _alignment("gali", k, locals())


@checks_keywords
def fli(
    *,
    renorm_every: int | None = None,
    record_interval: int | None = None,
    trace: TracePlan | None = None,
    name: str | None = None,
) -> FastIndicator:
    """The fast Lyapunov indicator: the natural logarithm of the most a tangent vector has grown.

    It rises with time on a chaotic orbit, with the logarithm of time on a regular one; over a
    fixed time it tells apart even tori and resonances.  The result has ``value``.

    Parameters
    ----------
    renorm_every, record_interval, trace, name
        As in `sali`.

    Raises
    ------
    ObserverError
        For a value that cannot be; and, from the run, for a model that has no derivative.

    References
    ----------
    Froeschlé, Lega, Gonczi, Celest. Mech. Dyn. Astron. 67 (1997) 41.

    Examples
    --------
    >>> from dynlib import setup
    >>> from dynlib.observers import fli
    >>> sim = setup("builtin://map/standard", jit=False)
    >>> found = sim.run(N=200, params={"K": 6.0}, observers=[fli()]).observers["fli"]
    >>> bool(found.value > 100)
    True
    """
    if renorm_every is not None:
        whole("renorm_every", renorm_every)
    trace_spec = traced(("fli",), record_interval, trace)
    return FastIndicator("fli", 1, renorm_every, trace_spec, name)
