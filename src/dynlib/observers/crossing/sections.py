"""Sections: where a trajectory crosses a surface, and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynlib.dsl.spec import ModelSpec
from dynlib.errors import ObserverError
from dynlib.observers.crossing import section_hooks as hooks
from dynlib.observers.crossing.crossing import (
    Crossing,
    checked_direction,
    checked_plan,
    crossing_part,
    refuse_without_inside,
    value_of,
)
from dynlib.observers.crossing.section_result import HitsResult
from dynlib.observers.kit.expressions import read_value
from dynlib.observers.kit.keywords import checks_keywords
from dynlib.observers.kit.module import ObserverModule
from dynlib.observers.kit.part import NO_TRACE, HookText, Output, Part, TraceSpec
from dynlib.observers.kit.trace_plans import TracePlan
from dynlib.steppers.base import Stepper

__all__ = ["HIT_OUTPUTS", "PoincareObserver", "poincare"]

HIT_OUTPUTS = (
    Output("count", nothing=0.0),
    *map(Output, ("first_time", "last_time", "mean_return_time")),
)


class PoincareObserver(ObserverModule):
    """Crossings of a surface; made by `poincare`."""

    result_type = HitsResult
    gives = ("count", "first_time", "last_time", "mean_return_time")

    def __init__(
        self,
        expression: str,
        direction: str,
        record: tuple[str, ...] | None,
        plan: TracePlan,
        name: str | None,
    ) -> None:
        self.expression, self.direction, self.record = expression, direction, record
        self.plan = plan
        super().__init__("poincare", name=name)

    def signature(self) -> str:
        """All that the hooks are made of."""
        return f"poincare {self.expression!r} {self.direction} {self.record} {self.plan!r}"

    def validate_stepper(self, stepper: Stepper, spec: ModelSpec) -> None:
        """Refuse maps, and what the model does not understand."""
        refuse_without_inside(self.label, stepper, spec)

    def bind(self, spec: ModelSpec, stepper: Stepper) -> Part:
        """The engine of crossings, and what is recorded at each."""
        record = spec.states if self.record is None else self.record
        recorded = tuple(read_value(each, spec, self.label) for each in record)
        crossing = Crossing(
            level=value_of(self.expression, spec, self.label),
            direction=self.direction,
            met=hooks.met_OBS,
            outputs=HIT_OUTPUTS,
            trace=TraceSpec(tuple(record), self.plan) if record else NO_TRACE,
            texts=(HookText("end", hooks.end_OBS),),
            helpers=(hooks.hit_OBS,),
            expressions={"recorded_OBS": recorded} if record else {},
            flags={"TRACED": bool(record)},
            facts={"what": f"{self.expression} = 0, {self.direction},"},
        )
        return crossing_part(crossing, spec, stepper)


@checks_keywords
def poincare(
    expression: str,
    direction: str = "rising",
    *,
    record: Sequence[str] | str | None = None,
    max_hits: int | None = None,
    trace: TracePlan | None = None,
    name: str | None = None,
) -> PoincareObserver:
    """Crossings of the surface on which an expression is zero.

    Each is located on the interpolant of its step and then polished by steps of the method
    itself, so that the recorded states are as accurate as those at the steps.  The result has
    the times ``o.t``, the recorded quantities by name, ``count``, ``first_time``, ``last_time``,
    ``mean_return_time``, and ``return_map(name)``; it is empty where the section is never met.

    A *rising* crossing is one from below 0 to 0 or above; a start on the section is none, nor is
    a jump across it by an event.

    Parameters
    ----------
    expression : str
        In the language of models, such as ``"z - 27"``.
    direction : {"rising", "falling", "either"}
    record : sequence of str, optional
        States, aux or expressions; all states by default, nothing for ``[]``.
    max_hits : int, optional
        Most hits to keep; a run that has more ends with `TRACE_OVERFLOW`.
    trace : TracePlan, optional
        ``Tail(n)``, ``Hits(n)``; by default all hits are kept.  Batches with steppers that choose
        their steps need one of these.
    name : str, optional
        Name of the result, where there are two.

    Raises
    ------
    ObserverError
        For a value that cannot be; and, from the run, for maps and unknown names.

    Examples
    --------
    >>> from dynlib import setup
    >>> from dynlib.observers import poincare
    >>> sim = setup("builtin://ode/harmonic", jit=False)
    >>> found = sim.run(T=10, dt=0.05, observers=[poincare("x", "falling")]).observers["poincare"]
    >>> found.t.round(4), found["v"].round(4)
    (array([1.5708, 7.854 ]), array([-1., -1.]))
    """
    return PoincareObserver(
        _checked_text("poincare", expression),
        checked_direction(direction),
        checked_names("record", record),
        checked_plan(trace, max_hits),
        name,
    )


def _checked_text(what: str, expression: Any) -> str:
    if not isinstance(expression, str):
        raise ObserverError(f"{what}() takes an expression such as 'z - 27', found {expression!r}.")
    return expression


def checked_names(what: str, given: Any) -> tuple[str, ...] | None:
    """Names of quantities, or an error message."""
    if given is None:
        return None
    names = (given,) if isinstance(given, str) else given
    if not isinstance(names, list | tuple) or not all(isinstance(each, str) for each in names):
        raise ObserverError(f"{what} must be names of states, aux or expressions, found {given!r}.")
    return tuple(dict.fromkeys(names))
