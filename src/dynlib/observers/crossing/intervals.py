"""Events counted while a model runs: spikes, intervals between them, bursts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from dynlib.dsl.expr import Num, build
from dynlib.dsl.spec import ModelSpec
from dynlib.errors import ObserverError
from dynlib.observers.crossing import interval_hooks as hooks
from dynlib.observers.crossing.crossing import (
    Crossing,
    checked_direction,
    checked_number,
    checked_plan,
    crossing_part,
    refuse_without_dense_output,
    rows_of,
    value_of,
)
from dynlib.observers.crossing.section_result import HitsResult
from dynlib.observers.kit.batches import Batches
from dynlib.observers.kit.keywords import checks_keywords
from dynlib.observers.kit.module import ObserverModule
from dynlib.observers.kit.part import NO_TRACE, HookText, Output, Part, TraceSpec
from dynlib.observers.kit.result import Check
from dynlib.observers.kit.trace_plans import TracePlan
from dynlib.steppers.base import Stepper

__all__ = ["IntervalsObserver", "IntervalsResult", "intervals", "spikes"]

_OUTPUTS = (
    "count", "first_time", "last_time", "last_interval", "mean_interval", "sd_interval",
    "cv_interval", "mean_interval_error",
)  # fmt: skip


class IntervalsResult(HitsResult):
    """Events: their number and times, and the mean, scatter and ratio of the intervals."""

    @property
    def period(self) -> Any:
        """The mean interval between events."""
        return self["mean_interval"]

    @property
    def period_error(self) -> Any:
        """Its standard error."""
        return self["mean_interval_error"]

    def _checks(self) -> Iterable[Check]:
        """Besides, whether there are enough of them."""
        yield from super()._checks()
        count = np.asarray(self["count"])
        none = (count > 0) & self._is_nan("mean_interval")
        yield Check(none, lambda run: "it was met once only: there is no interval.")
        few = self._is_nan("mean_interval_error") & ~self._is_nan("mean_interval")
        yield Check(
            few,
            lambda run: (
                f"{int(count[run]) - 1} intervals are too few for a standard error: run longer."
            ),
        )

    def _lines(self) -> list[str]:
        if self.n_runs is not None:
            return super()._lines()
        mean, error = float(self["mean_interval"]), float(self["mean_interval_error"])
        together = f"mean_interval = {mean:.8g} ± {error:.2g}"
        lines = [line for line in super()._lines() if not line.startswith("mean_interval_error")]
        return [together if line.startswith("mean_interval =") else line for line in lines]


class IntervalsObserver(ObserverModule):
    """Crossings of a threshold and the times between them; made by `intervals` and `spikes`."""

    result_type = IntervalsResult
    gives = _OUTPUTS

    def __init__(
        self, key: str, of: Any, threshold: float, direction: str, burst_gap: float | None,
        plan: TracePlan | None, name: str | None,
    ) -> None:  # fmt: skip
        self.of, self.threshold, self.direction = of, threshold, direction
        self.burst_gap, self.plan = burst_gap, plan
        super().__init__(key, name=name)

    def signature(self) -> str:
        """All that the hooks are made of."""
        own = (self.of, self.threshold, self.direction, self.burst_gap, self.plan)
        return f"intervals {own!r}"

    def validate_stepper(self, stepper: Stepper, spec: ModelSpec) -> None:
        """Refuse steppers that know nothing between two steps."""
        refuse_without_dense_output(self.label, stepper, spec)

    def bind(self, spec: ModelSpec, stepper: Stepper) -> Part:
        """The engine of crossings, and sums over the intervals."""
        level = build("sub", value_of(self.of, spec, self.label), Num(self.threshold))
        bursts = self.burst_gap is not None
        rows = rows_of(spec, "MEAN", "SCATTER", "TRAIN", "WITHIN", "TOTAL")
        batches = Batches(1, len(rows), running=rows.index("TOTAL"), counted=True)
        outputs = _OUTPUTS + (("bursts", "spikes_per_burst") if bursts else ())
        crossing = Crossing(
            level=level,
            direction=self.direction,
            met=hooks.event_OBS,
            outputs=tuple(
                Output(name, nothing=0.0) if name in ("count", "bursts") else Output(name)
                for name in outputs
            ),
            rows=rows,
            batches=batches,
            trace=TraceSpec(("interval",), self.plan) if self.plan is not None else NO_TRACE,
            texts=(HookText("end", hooks.intervals_end_OBS),),
            words={"BURST_GAP": self.burst_gap or 0.0},
            flags={"TRACED": self.plan is not None, "BURSTS": bursts},
            facts={"what": f"{self.of} = {self.threshold:g}"},
        )
        return crossing_part(crossing, spec, stepper)


@checks_keywords
def intervals(
    of: str,
    threshold: float = 0.0,
    direction: str = "rising",
    *,
    burst_gap: float | None = None,
    trace: TracePlan | None = None,
    name: str | None = None,
) -> IntervalsObserver:
    """How often an expression crosses a threshold, and the times between crossings.

    The result has ``count``, ``first_time``, ``last_time``, ``last_interval``, ``mean_interval``
    (also ``period``), ``sd_interval``, ``cv_interval`` (their ratio), and the standard error of the
    mean, ``mean_interval_error`` (also ``period_error``); NaN where there are too few.  It comes
    from batches of consecutive intervals (14 at least), which may depend on those before.  Of a
    map a crossing is at the iterate after it, and intervals are in iterates.

    Parameters
    ----------
    of : str
        State, aux or expression.
    threshold : float
    direction : {"rising", "falling", "either"}
    burst_gap : float, optional
        Events at most so long apart are of one burst; the result then has ``bursts``, the number
        of bursts (of two events at least), and ``spikes_per_burst``.
    trace : TracePlan, optional
        Keep the times of events, ``o.t``, and ``o["interval"]`` before each: ``EveryStep()`` for
        all of them, ``Tail(n)``, ``Hits(n)``.
    name : str, optional
        Name of the result, where there are two.

    Raises
    ------
    ObserverError
        For a value that cannot be; and, from the run, for unknown names.

    Examples
    --------
    >>> from dynlib import setup
    >>> from dynlib.observers import intervals
    >>> sim = setup("builtin://ode/harmonic", jit=False)
    >>> found = sim.run(T=20, dt=0.05, observers=[intervals("x", 0.5)]).observers["intervals"]
    >>> int(found.count), round(float(found.period), 4)
    (3, 6.2832)
    """
    return _made("intervals", of, threshold, direction, burst_gap, trace, name)


@checks_keywords
def spikes(
    of: str,
    threshold: float,
    *,
    burst_gap: float | None = None,
    trace: TracePlan | None = None,
    name: str | None = None,
) -> IntervalsObserver:
    """Spikes: upward crossings of a threshold, as `intervals` counts them.

    Parameters
    ----------
    of : str
        State, aux or expression; the membrane voltage, say.
    threshold : float
        What it crosses.
    burst_gap, trace, name
        As in `intervals`.

    Raises
    ------
    ObserverError
        For a value that cannot be; and, from the run, for unknown names.

    Examples
    --------
    >>> from dynlib import setup
    >>> from dynlib.observers import spikes
    >>> sim = setup("builtin://ode/fitzhugh-nagumo", jit=False)
    >>> found = sim.run(T=50, dt=0.1, observers=[spikes("v", 0.5)]).observers["spikes"]
    >>> bool(found.count > 0)
    True
    """
    return _made("spikes", of, threshold, "rising", burst_gap, trace, name)


def _made(
    key: str, of: Any, threshold: Any, direction: Any, burst_gap: Any, trace: Any, name: str | None
) -> IntervalsObserver:
    if burst_gap is not None and not checked_number("burst_gap", burst_gap) > 0:
        raise ObserverError(f"burst_gap must be a time above 0, found {burst_gap!r}.")
    return IntervalsObserver(
        key,
        of,
        checked_number("threshold", threshold),
        checked_direction(direction),
        None if burst_gap is None else float(burst_gap),
        None if trace is None else checked_plan(trace),
        name,
    )
