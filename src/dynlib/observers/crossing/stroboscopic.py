"""Stroboscopic sections: states at equal intervals of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynlib.dsl.expr import Num
from dynlib.dsl.spec import ModelSpec
from dynlib.errors import ObserverError
from dynlib.observers.crossing import section_hooks, strobe_hooks
from dynlib.observers.crossing.crossing import checked_plan, refuse_without_inside
from dynlib.observers.crossing.section_result import HitsResult
from dynlib.observers.crossing.sections import HIT_OUTPUTS, checked_names
from dynlib.observers.kit.expressions import read_value
from dynlib.observers.kit.keywords import checks_keywords
from dynlib.observers.kit.module import ObserverModule
from dynlib.observers.kit.part import NO_TRACE, HookText, Output, Part, TraceSpec
from dynlib.observers.kit.trace_plans import TracePlan
from dynlib.steppers.base import Stepper

__all__ = ["StroboscopicObserver", "stroboscopic"]


class StroboscopicObserver(ObserverModule):
    """States at equal intervals; made by `stroboscopic`."""

    result_type = HitsResult
    gives = ("count", "first_time", "last_time", "mean_return_time", "missed")

    def __init__(
        self,
        period: Any,
        phase: Any,
        record: tuple[str, ...] | None,
        plan: TracePlan,
        name: str | None,
    ) -> None:
        self.period, self.phase, self.record, self.plan = period, phase, record, plan
        super().__init__("stroboscopic", name=name)

    def signature(self) -> str:
        """All that the hooks are made of."""
        return f"stroboscopic {self.period!r} {self.phase!r} {self.record} {self.plan!r}"

    def validate_stepper(self, stepper: Stepper, spec: ModelSpec) -> None:
        """Refuse parts of an iterate, and steppers that know nothing between two steps."""
        if not spec.is_map:
            refuse_without_inside(self.label, stepper, spec)
            return
        for what, value, least in (("period", self.period, 1), ("phase", self.phase, 0)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ObserverError(
                    f"observer {self.label!r}: {what} counts iterates of {spec.name!r}; it must "
                    f"be a whole number from {least} on, found {value!r}."
                )

    def bind(self, spec: ModelSpec, stepper: Stepper) -> Part:
        """Steps to each flash, and what is recorded there."""
        record = spec.states if self.record is None else self.record
        recorded = tuple(read_value(each, spec, self.label) for each in record)
        texts = [HookText("end", section_hooks.end_OBS)]
        helpers: list[Any] = [section_hooks.hit_OBS, section_hooks.met_OBS]
        expressions: dict[str, tuple[Any, ...]] = {"recorded_OBS": recorded} if record else {}
        words: dict[str, Any] = {}
        if spec.is_map:
            texts.append(HookText("post", strobe_hooks.post_OBS))
            words = {"PERIOD": self.period, "PHASE": self.phase}
        else:
            expressions["times_OBS"] = self._times(spec)
            helpers.append(strobe_hooks.slack_OBS)
            texts += [
                HookText("start", strobe_hooks.start_OBS),
                HookText("inside", strobe_hooks.inside_OBS),
                HookText("sees", strobe_hooks.sees_OBS),
            ]
        return Part(
            outputs=(*HIT_OUTPUTS, Output("missed", nothing=0.0)),
            workspace=1,
            trace=TraceSpec(tuple(record), self.plan) if record else NO_TRACE,
            texts=tuple(texts),
            helpers=tuple(helpers),
            expressions=expressions,
            words=words,
            places={"NEXT": 0},
            flags={"TRACED": bool(record), "MULTISTEP": stepper.multistep},
            facts={"what": f"a multiple of {self.period}"},
        )

    def _times(self, spec: ModelSpec) -> tuple[Any, Any]:
        period = read_value(self.period, spec, self.label, fixed=True)
        if isinstance(period, Num) and not 0 < period.value < float("inf"):
            raise ObserverError(
                f"observer {self.label!r}: period must be a time above 0, found {self.period!r}."
            )
        return period, read_value(self.phase, spec, self.label, fixed=True)


@checks_keywords
def stroboscopic(
    period: float | str,
    phase: float | str = 0,
    *,
    record: Sequence[str] | str | None = None,
    max_hits: int | None = None,
    trace: TracePlan | None = None,
    name: str | None = None,
) -> StroboscopicObserver:
    """States at the times ``phase + k * period``; of a map, at every such iterate.

    States between two steps are reached by a step of the method itself.  A state at the start is
    not among them.  The result is like that of `poincare`.

    Parameters
    ----------
    period, phase : float or str
        Numbers, or expressions of the parameters such as ``"2*pi/omega"``; of a map, whole
        numbers of iterates.
    record, max_hits, trace, name
        As in `poincare`.

    Raises
    ------
    ObserverError
        For a value that cannot be; and, from the run, for unknown names.

    Examples
    --------
    >>> from dynlib import setup
    >>> from dynlib.observers import stroboscopic
    >>> sim = setup("builtin://ode/harmonic", jit=False)
    >>> watch = stroboscopic("2*pi/omega")
    >>> found = sim.run(T=20, dt=0.05, observers=[watch]).observers["stroboscopic"]
    >>> found["x"].round(5)
    array([1., 1., 1.])
    """
    return StroboscopicObserver(
        period, phase, checked_names("record", record), checked_plan(trace, max_hits), name
    )
