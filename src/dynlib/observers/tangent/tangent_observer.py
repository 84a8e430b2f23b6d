"""What observers of tangent vectors have in common."""

from __future__ import annotations

from typing import Any

from dynlib.dsl.spec import ModelSpec
from dynlib.errors import ObserverError
from dynlib.observers.kit.module import ObserverModule
from dynlib.observers.kit.part import TraceSpec
from dynlib.observers.kit.trace_plans import EveryStep, TracePlan, checked_trace_plan
from dynlib.steppers.base import Stepper

__all__ = ["TangentObserver", "positive", "traced", "whole"]


class TangentObserver(ObserverModule):
    """Follows `k` tangent vectors, which are brought back to length 1 every `renorm_every` steps.

    Parameters
    ----------
    key : str
    k : int
    renorm_every : int or None
        None: 5 steps of a flow, every iteration of a map.
    trace : TraceSpec
    name : str or None
    by_steps : bool
        Whether rows of the trace are so many steps apart.
    """

    def __init__(
        self,
        key: str,
        k: int,
        renorm_every: int | None,
        trace: TraceSpec,
        name: str | None,
        *,
        by_steps: bool = True,
    ) -> None:
        self.k = k
        self.renorm_every = renorm_every
        self.by_steps = by_steps
        super().__init__(key, trace=trace, name=name)

    def interval(self, stepper: Stepper) -> int:
        """Steps from one normalisation to the next."""
        if self.renorm_every is not None:
            return self.renorm_every
        usual = 1 if stepper.kind == "map" else 5
        stride = self.trace.record_interval() if self.trace.width and self.by_steps else usual
        return usual if stride % usual == 0 else 1

    def _numbers(self) -> tuple[Any, ...]:
        """What the hooks are made of besides."""
        return ()

    def signature(self) -> str:
        """All that the hooks are made of."""
        own = (self.k, self.renorm_every, self.trace.width, *self._numbers())
        return f"{type(self).__name__} {own}"

    def validate_stepper(self, stepper: Stepper, spec: ModelSpec) -> None:
        """Refuse more vectors than there are states, and traces between normalisations."""
        n = len(spec.states)
        if self.k > n:
            raise ObserverError(
                f"observer {self.label!r}: k = {self.k} tangent vectors, but {spec.name!r} has "
                f"{n} state{'s' if n > 1 else ''}. Give k up to {n}."
            )
        every, stride = self.interval(stepper), self.trace.record_interval()
        if self.trace.width and self.by_steps and stride % every:
            raise ObserverError(
                f"observer {self.label!r}: record_interval = {stride} must be a multiple of "
                f"renorm_every = {every}."
            )


def whole(what: str, value: Any, least: int = 1) -> None:
    """Refuse what is no whole number from `least` on; None is none of them."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ObserverError(f"{what} must be a whole number from {least} on; found {value!r}.")


def positive(what: str, value: Any) -> float:
    """The number, if it is above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ObserverError(f"{what} must be a number above 0; found {value!r}.")
    return float(value)


def traced(
    columns: tuple[str, ...], record_interval: int | None, trace: TracePlan | None
) -> TraceSpec:
    """The trace that a user asks for by an interval or a plan, or none."""
    if record_interval is not None and trace is not None:
        raise ObserverError("record_interval is short for trace=EveryStep(k); give one of them.")
    if record_interval is not None:
        whole("record_interval", record_interval)
        return TraceSpec(columns, EveryStep(record_interval))
    return TraceSpec() if trace is None else TraceSpec(columns, checked_trace_plan(trace))
