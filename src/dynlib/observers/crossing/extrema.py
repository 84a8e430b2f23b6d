"""Extrema: where an expression turns; along a flow, zeros of its rate of change."""

from __future__ import annotations

from typing import Any

from dynlib.dsl.expr import Node
from dynlib.dsl.spec import ModelSpec
from dynlib.errors import ObserverError
from dynlib.observers.crossing import section_hooks as hooks
from dynlib.observers.crossing.crossing import (
    Crossing,
    checked_plan,
    crossing_part,
    refuse_constant,
    refuse_without_dense_output,
    single,
)
from dynlib.observers.crossing.section_result import HitsResult
from dynlib.observers.crossing.sections import HIT_OUTPUTS
from dynlib.observers.kit.expressions import is_zero, read_value, slope_of
from dynlib.observers.kit.keywords import checks_keywords
from dynlib.observers.kit.module import ObserverModule
from dynlib.observers.kit.part import NO_TRACE, HookText, Output, Part, TraceSpec
from dynlib.observers.kit.trace_plans import TracePlan
from dynlib.steppers.base import Stepper
from dynlib.suggest import did_you_mean

__all__ = ["ExtremaObserver", "extrema"]

_DIRECTION = {"max": "falling", "min": "rising", "both": "either"}


class ExtremaObserver(ObserverModule):
    """Maxima, minima or both; made by `extrema`."""

    result_type = HitsResult
    gives = ("count", "first_time", "last_time", "mean_return_time", "lowest", "highest")

    def __init__(self, of: Any, kind: str, plan: TracePlan | None, name: str | None) -> None:
        self.of, self.kind, self.plan = of, kind, plan
        super().__init__("extrema", name=name)

    def signature(self) -> str:
        """All that the hooks are made of."""
        return f"extrema {self.of!r} {self.kind} {self.plan!r}"

    def validate_stepper(self, stepper: Stepper, spec: ModelSpec) -> None:
        """Refuse steppers that know nothing between two steps."""
        refuse_without_dense_output(self.label, stepper, spec)

    def bind(self, spec: ModelSpec, stepper: Stepper) -> Part:
        """The engine of crossings, put on the rate of change; three iterates of a map."""
        value = read_value(self.of, spec, self.label)
        if spec.is_map:
            refuse_constant(value, str(self.of), self.label, spec)
            return self._of_iterates(value)
        rate = slope_of(value, spec)
        if not spec.events and is_zero(slope_of(rate, spec)):
            raise ObserverError(
                f"observer {self.label!r}: {self.of!r} changes at a constant rate; it never turns."
            )
        common = self._common(value)
        texts = [HookText("end", hooks.end_OBS)]
        if spec.events:
            texts = [
                HookText("start", hooks.resting_OBS),
                HookText("piece", hooks.leaving_OBS),
                HookText("post", hooks.jumped_OBS),
                *texts,
            ]
            common["helpers"] += (hooks.goes_OBS, hooks.corner_OBS)
        crossing = Crossing(
            level=rate,
            direction=_DIRECTION[self.kind],
            met=hooks.extremum_OBS,
            rows=("REACHED", "GOES") if spec.events else (),
            texts=tuple(texts),
            turns=True,
            **common,
        )
        return crossing_part(crossing, spec, stepper)

    def _of_iterates(self, value: Node) -> Part:
        texts = [HookText("start", hooks.unturned_OBS), HookText("post", hooks.turn_OBS)]
        common = self._common(value)
        common["flags"] |= {"FALLING": self.kind == "max", "RISING": self.kind == "min"}
        return Part(
            workspace=2,
            places={"BEFORE": 0, "EARLIER": 1},
            texts=(*texts, HookText("end", hooks.end_OBS)),
            **common,
        )

    def _common(self, value: Node) -> dict[str, Any]:
        columns = (str(self.of), "kind") if self.kind == "both" else (str(self.of),)
        return {
            "outputs": (*HIT_OUTPUTS, Output("lowest"), Output("highest")),
            "trace": TraceSpec(columns, self.plan) if self.plan is not None else NO_TRACE,
            "helpers": (hooks.hit_OBS, hooks.peak_OBS, single("value")),
            "expressions": {"value_values_OBS": (value,)},
            "flags": {"TRACED": self.plan is not None, "BOTH": self.kind == "both"},
            "facts": {"what": f"an extremum of {self.of}"},
        }


@checks_keywords
def extrema(
    of: str,
    kind: str = "max",
    *,
    max_hits: int | None = None,
    trace: TracePlan | None = None,
    name: str | None = None,
) -> ExtremaObserver:
    """Local maxima or minima of an expression, with their times.

    Along a flow they are the zeros of its derivative, which is derived from the model, located
    as accurately as crossings of a section; and where events act, the corners and jumps at which
    it turns, such as the bounce of a ball: before a jump down there is a maximum, after it, if it
    rises again, a minimum.  Of a map, the maxima are the iterates that lie above
    the one before and not below the one after.  The result has the times ``o.t``, the values by
    the text of the expression (``o["z"]``), for ``kind="both"`` also ``o["kind"]`` (1 for a
    maximum, -1 for a minimum), ``count``, ``first_time``, ``last_time``, ``mean_return_time``,
    ``lowest``, ``highest``, and ``return_map(name)``.

    Parameters
    ----------
    of : str
        State, aux or expression.
    kind : {"max", "min", "both"}
    max_hits, trace, name
        As in `poincare`.

    Raises
    ------
    ObserverError
        For a value that cannot be; and, from the run, for unknown names.

    Examples
    --------
    >>> from dynlib import setup
    >>> from dynlib.observers import extrema
    >>> sim = setup("builtin://ode/harmonic", jit=False)
    >>> found = sim.run(T=7, dt=0.05, observers=[extrema("x", "both")]).observers["extrema"]
    >>> found["x"].round(4), found["kind"]
    (array([-1.,  1.]), array([-1.,  1.]))
    """
    if kind not in _DIRECTION:
        raise ObserverError(
            f"kind must be one of {', '.join(map(repr, _DIRECTION))}; found {kind!r}."
            f"{did_you_mean(kind, _DIRECTION)}"
        )
    return ExtremaObserver(of, kind, checked_plan(trace, max_hits), name)
