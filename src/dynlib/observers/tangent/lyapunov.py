"""Lyapunov exponents: the mean rates at which neighbouring trajectories part.

Benettin, Galgani, Giorgilli, Strelcyn, Meccanica 15 (1980) 9: tangent vectors are carried along
and orthonormalised now and then; the exponents are the mean growth rates of their lengths.
"""

from __future__ import annotations

import math
from typing import Any

from dynlib.compiler.codegen.layout import Layout
from dynlib.dsl.spec import ModelSpec
from dynlib.errors import ObserverError
from dynlib.observers.kit.batches import Batches
from dynlib.observers.kit.checks import is_autonomous, is_symplectic, log_volume_rate
from dynlib.observers.kit.expressions import halfway_text
from dynlib.observers.kit.keywords import checks_keywords
from dynlib.observers.kit.module import ObserverModule
from dynlib.observers.kit.part import NO_TRACE, HookText, Output, Part, TraceSpec
from dynlib.observers.kit.trace_plans import EveryStep, TracePlan, checked_trace_plan
from dynlib.observers.tangent import lyapunov_hooks as hooks
from dynlib.observers.tangent.gram_schmidt import FEW, ROUNDING, gram_schmidt_text
from dynlib.observers.tangent.lyapunov_result import LyapunovMaxResult, LyapunovSpectrumResult
from dynlib.observers.tangent.tangent_start import initial_vectors
from dynlib.steppers.base import Stepper

__all__ = ["LyapunovObserver", "lyapunov_max", "lyapunov_spectrum"]

_HELPERS = (
    hooks.grow_OBS,
    hooks.growth_OBS,
    hooks.zeros_last_OBS,
    hooks.revive_OBS,
    hooks.grown_OBS,
    hooks.exponent_OBS,
    hooks.mean_rate_OBS,
    hooks.order_OBS,
    hooks.take_OBS,
)
_UNIT = 16  # orthonormalisations of the shortest batch
_FIXED = 7  # rows of the workspace before those of the vectors


class LyapunovObserver(ObserverModule):
    """Growth of `k` tangent vectors; made by `lyapunov_max` and `lyapunov_spectrum`."""

    volume = False  # whether the sum is held against the growth of volumes

    def __init__(
        self,
        key: str,
        k: int | None,
        *,
        renorm_every: int | None,
        target_se: float | None,
        trace: TraceSpec,
        name: str | None,
    ) -> None:
        self.k = k
        self.renorm_every = renorm_every
        self.target_se = target_se
        super().__init__(key, trace=trace, name=name)

    def _interval(self, stepper: Stepper) -> int:
        """Steps from one orthonormalisation to the next."""
        if self.renorm_every is not None:
            return self.renorm_every
        usual = 5 if stepper.adaptive else 10
        if stepper.kind == "map" and self.k != 1:
            usual = 2  # one iteration of a map may stretch a hundred times more than it squeezes
        return math.gcd(usual, self.trace.record_interval()) if self.trace.width else usual

    def signature(self) -> str:
        """All that the hooks are made of."""
        own = (self.k, self.renorm_every, self.target_se, self.trace.width)
        return f"{type(self).__name__} {own}"

    def validate_stepper(self, stepper: Stepper, spec: ModelSpec) -> None:
        """Refuse more exponents than there are, and traces between orthonormalisations."""
        n = len(spec.states)
        if self.k is not None and self.k > n:
            raise ObserverError(
                f"observer {self.label!r}: k = {self.k}, but {spec.name!r} has {n} "
                f"state{'s' if n > 1 else ''} and as many exponents. Give k up to {n}."
            )
        every, stride = self._interval(stepper), self.trace.record_interval()
        if self.trace.width and stride % every:
            raise ObserverError(
                f"observer {self.label!r}: record_interval = {stride} must be a multiple of "
                f"renorm_every = {every}, since growth is known at orthonormalisations."
            )

    def bind(self, spec: ModelSpec, stepper: Stepper) -> Part:
        """Tangent vectors, growth, batches."""
        n = len(spec.states)
        k = n if self.k is None else self.k
        every = self._interval(stepper)
        whole = self.volume and k == n and not spec.events
        rate = log_volume_rate(spec) if whole else None
        sums = k if rate is None else k + 1
        batches = Batches(sums, _FIXED + 3 * k, even=not stepper.adaptive, dropped=1)
        size = _FIXED + 3 * k + batches.changing
        exponents = ", ".join(f"exponent_OBS({j}, lane, analysis_ws)" for j in range(k))
        trace = TraceSpec(self._columns(k), self.trace.plan) if self.trace.width else NO_TRACE
        extra = () if rate is None else (Output("sum"), Output("mean_divergence"))
        alone = not (any(stepper.memory) or Layout(spec, stepper).chained)  # nothing goes with them
        short = alone and n * k * (k + 1) <= FEW
        gram_schmidt = gram_schmidt_text(n, k) if short else hooks.orthonormalise_OBS
        return Part(
            outputs=(*self._outputs(k), *extra),
            workspace=size,
            lasting=batches.lasting,
            tangents=initial_vectors(n, k),
            trace=trace,
            texts=self._texts(every, batches, self._mending(every, k), rate is not None),
            helpers=(
                gram_schmidt,
                *_HELPERS,
                *batches.helpers,
                *((hooks.target_OBS,) if self.target_se is not None else ()),
                *((halfway_text(n),) if rate is not None and stepper.adaptive else ()),
            ),
            within=hooks.within_OBS,
            expressions={} if rate is None else {"rate_OBS": (rate,)},
            words={
                "K": k,
                "SIZE": size,
                "DONE": 2,
                "TARGET": self.target_se or 0.0,
                "EXPONENTS": f"({exponents},)",
                "ROUNDING": ROUNDING,
                **batches.words,
            },
            places=_places(k) | batches.places,
            flags=batches.flags
            | {
                "SORTED": k > 1 and not any(stepper.memory),
                "TARGETED": self.target_se is not None,
                "VOLUME": rate is not None,
                "FLOW": not spec.is_map,
                "LONG_STEPS": stepper.adaptive,
            },
            stops=self.target_se is not None,
            facts={
                "kind": spec.kind,
                "adaptive": stepper.adaptive,
                "states": n,
                "autonomous": is_autonomous(spec),
                "symplectic": is_symplectic(spec),
            },
        )

    def _mending(self, every: int, k: int) -> HookText:
        """The hook that puts others in the place of vectors that are zero.

        Others have to be normal to them, at once.  One alone has grown by nothing in this batch,
        whatever it does in the rest of it: it is looked after where the next one may begin.
        """
        if k > 1:
            return HookText("every", hooks.mend_OBS, every, late=True)
        return HookText("every", hooks.renew_OBS, _UNIT * every)

    def _texts(
        self, every: int, batches: Batches, mending: HookText, volume: bool
    ) -> tuple[HookText, ...]:
        texts = [
            HookText("start", hooks.start_OBS),
            HookText("every", hooks.every_OBS, every),
            mending,
            batches.closing(_UNIT * every),
            HookText("end", hooks.end_OBS),
        ]
        if self.trace.width:
            texts.append(HookText("every", hooks.trace_OBS, every, late=True))
        if volume:
            texts.append(HookText("piece", hooks.volume_OBS))
        return tuple(texts)

    def _outputs(self, k: int) -> tuple[Output, ...]:
        return (Output("exponents", k), Output("standard_errors", k))

    def _columns(self, k: int) -> tuple[str, ...]:
        return tuple(f"exponent{j + 1}" for j in range(k))


def _places(k: int) -> dict[str, int]:
    """Rows of the workspace, by the names that hooks have for them."""
    return {
        "LAST": 0,
        "BEGAN": 1,
        "VOLUME_NOW": 3,
        "VOLUME_THEN": 4,
        "VOLUME_TOTAL": 5,
        "FLAWED": 6,
        "CUR": _FIXED,
        "TOTAL": _FIXED + k,
        "POWER": _FIXED + 2 * k,
    }


class LyapunovMax(LyapunovObserver):
    """The largest exponent alone."""

    result_type = LyapunovMaxResult
    gives = ("exponent", "standard_error")

    def _outputs(self, k: int) -> tuple[Output, ...]:
        return (Output("exponent"), Output("standard_error"))

    def _columns(self, k: int) -> tuple[str, ...]:
        return ("exponent",)


class LyapunovSpectrum(LyapunovObserver):
    """The first `k` exponents."""

    volume = True
    result_type = LyapunovSpectrumResult
    gives = ("exponents", "standard_errors", "kaplan_yorke")


@checks_keywords
def lyapunov_max(
    *,
    renorm_every: int | None = None,
    record_interval: int | None = None,
    trace: TracePlan | None = None,
    target_se: float | None = None,
    name: str | None = None,
) -> LyapunovObserver:
    """The largest Lyapunov exponent, in units of 1/time (of a map, of 1/iteration), base e.

    The result has ``exponent`` and ``standard_error``.

    Parameters
    ----------
    renorm_every : int, optional
        Steps from one normalisation of the tangent vector to the next; by default 10; 5 for
        adaptive steppers; 2 for several exponents of a map.  A multiple of it divides the run
        into batches, from whose scatter the standard error comes.
    record_interval : int, optional
        Trace the running estimate every so many steps; a multiple of `renorm_every`.
    trace : TracePlan, optional
        Which rows of it to keep, instead: ``EveryStep(k)``, ``Tail(n, k)``, ``Hits(n)``.
    target_se : float, optional
        End the run, with status `EARLY_EXIT`, once the standard error is as small as this.
    name : str, optional
        Name of the result, where there are two.

    Raises
    ------
    ObserverError
        For a value that cannot be; and, from the run, for a model that has no derivative.

    Examples
    --------
    >>> from dynlib import setup
    >>> from dynlib.observers import lyapunov_max
    >>> sim = setup("builtin://map/logistic", jit=False)
    >>> found = sim.run(N=2000, params={"r": 4.0}, observers=[lyapunov_max()]).observers
    >>> round(float(found["lyapunov_max"].exponent), 2)  # ln 2
    0.69
    """
    return LyapunovMax(
        "lyapunov_max", 1, **_checked(renorm_every, record_interval, trace, target_se), name=name
    )


@checks_keywords
def lyapunov_spectrum(
    k: int | None = None,
    *,
    renorm_every: int | None = None,
    record_interval: int | None = None,
    trace: TracePlan | None = None,
    target_se: float | None = None,
    name: str | None = None,
) -> LyapunovObserver:
    """The `k` largest Lyapunov exponents, in falling order; all by default.

    The result has ``exponents`` and ``standard_errors``, shape (k,), ``kaplan_yorke``, and
    ``flags``: sentences about what does not fit, as when the sum differs from the mean divergence
    or no exponent of a flow is zero.  The cost grows as `k`.

    Parameters
    ----------
    k : int, optional
        How many; at most the number of states.
    renorm_every, record_interval, trace, target_se, name
        As in `lyapunov_max`.

    Raises
    ------
    ObserverError
        For a value that cannot be; and, from the run, for a model that has no derivative.

    Examples
    --------
    >>> from dynlib import setup
    >>> from dynlib.observers import lyapunov_spectrum
    >>> sim = setup("builtin://map/henon", jit=False)
    >>> found = sim.run(N=1000, observers=[lyapunov_spectrum()]).observers["lyapunov_spectrum"]
    >>> round(float(found.exponents.sum()), 6)  # ln 0.3
    -1.203973
    """
    if k is not None and (isinstance(k, bool) or not isinstance(k, int) or k < 1):
        raise ObserverError(
            f"k, the number of exponents, must be a whole number from 1 on; found {k!r}."
        )
    return LyapunovSpectrum(
        "lyapunov_spectrum",
        k,
        **_checked(renorm_every, record_interval, trace, target_se),
        name=name,
    )


def _checked(renorm_every: Any, record_interval: Any, trace: Any, target_se: Any) -> dict[str, Any]:
    for what, value in (("renorm_every", renorm_every), ("record_interval", record_interval)):
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, int) or value < 1
        ):
            raise ObserverError(f"{what} must be a number of steps, at least 1; found {value!r}.")
    real = isinstance(target_se, int | float) and not isinstance(target_se, bool)
    if target_se is not None and not (real and 0 < target_se < math.inf):
        raise ObserverError(f"target_se must be a standard error, above 0; found {target_se!r}.")
    if record_interval is not None and trace is not None:
        raise ObserverError("record_interval is short for trace=EveryStep(k); give one of them.")
    spec = NO_TRACE
    if record_interval is not None:
        spec = TraceSpec(("exponent",), EveryStep(record_interval))
    elif trace is not None:
        spec = TraceSpec(("exponent",), checked_trace_plan(trace))
    return {"renorm_every": renorm_every, "target_se": target_se, "trace": spec}
