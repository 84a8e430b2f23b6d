"""The share of time that a trajectory spends where a condition holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dynlib.compiler.codegen.crossing_text import SCAN_POINTS
from dynlib.dsl.expr import level_function
from dynlib.dsl.spec import ModelSpec
from dynlib.observers.averages import occupancy_hooks as hooks
from dynlib.observers.crossing.crossing import refuse_without_inside, single
from dynlib.observers.crossing.crossing_hooks import seek
from dynlib.observers.kit.batches import SHORTEST, Batches
from dynlib.observers.kit.expressions import read_condition
from dynlib.observers.kit.keywords import checks_keywords
from dynlib.observers.kit.module import ObserverModule
from dynlib.observers.kit.part import HookText, Output, Part
from dynlib.observers.kit.result import Check, ObserverResult
from dynlib.steppers.base import Stepper

__all__ = ["TimeInObserver", "TimeInResult", "time_in"]


class TimeInResult(ObserverResult):
    """``fraction`` of time, its standard error ``fraction_error``, and ``time``."""

    def _checks(self) -> Iterable[Check]:
        """Whether the run is long enough."""
        short = self._is_nan("fraction_error")
        yield Check(short, lambda run: "the run is too short for a standard error.")

    def _lines(self) -> list[str]:
        if self.n_runs is not None:
            return super()._lines()
        return [
            f"fraction = {float(self['fraction']):.6g} ± {float(self['fraction_error']):.2g}",
            f"time = {float(self['time']):.8g}",
        ]


class TimeInObserver(ObserverModule):
    """Time in a set; made by `time_in`."""

    result_type = TimeInResult
    gives = ("fraction", "fraction_error", "time")

    def __init__(self, condition: Any, name: str | None) -> None:
        self.condition = condition
        super().__init__("time_in", name=name)

    def signature(self) -> str:
        """All that the hooks are made of."""
        return f"time_in {self.condition!r}"

    def validate_stepper(self, stepper: Stepper, spec: ModelSpec) -> None:
        """Refuse steppers that know nothing between two steps."""
        if not spec.is_map:
            refuse_without_inside(self.label, stepper, spec)

    def bind(self, spec: ModelSpec, stepper: Stepper) -> Part:
        """Whole steps in the set, and parts of those that enter or leave it."""
        condition = read_condition(self.condition, spec, self.label)
        level = level_function(condition)
        expressions: dict[str, tuple[Any, ...]] = {"holds_OBS": (condition,)}
        batches = Batches(1, 2, running=1)
        texts = [HookText("start", hooks.start_OBS), HookText("end", hooks.end_OBS)]
        texts += batches.texts(SHORTEST)
        helpers: list[Any] = [hooks.truth_OBS, *batches.helpers]
        if spec.is_map:
            texts.append(HookText("post", hooks.post_OBS))
        else:
            texts += [HookText("inside", hooks.inside_OBS), HookText("sees", hooks.sees_OBS)]
            helpers.append(seek())
            if not stepper.adaptive:
                texts.append(HookText("along", hooks.along_OBS))
            if level is not None:
                helpers.append(single("height"))
                expressions["height_values_OBS"] = (level,)
        return Part(
            outputs=(Output("fraction"), Output("time"), Output("fraction_error")),
            workspace=2 + batches.changing,
            lasting=batches.lasting,
            texts=tuple(texts),
            helpers=tuple(helpers),
            expressions=expressions,
            words={"SCAN_POINTS": SCAN_POINTS if stepper.adaptive else 1, **batches.words},
            places={"BEGAN": 0, "SUM": 1, **batches.places},
            flags={
                "LEVEL": level is not None,
                "ADAPTIVE_STEPS": stepper.adaptive,
                **batches.flags,
            },
        )


@checks_keywords
def time_in(condition: str, *, name: str | None = None) -> TimeInObserver:
    """The fraction of time in which a condition holds; of a map, the fraction of iterates.

    The result has ``fraction``, its standard error ``fraction_error`` (batch means, as in
    `features`; NaN for short runs), and ``time``.  Where the condition changes within a step of a
    flow, the instant is located on the step's interpolant.

    Parameters
    ----------
    condition : str
        In the language of models, such as ``"x > 0 and y < 1"``.
    name : str, optional
        Name of the result, where there are two.

    Raises
    ------
    ObserverError
        From the run, for what is no condition of this model.

    Examples
    --------
    >>> from dynlib import setup
    >>> from dynlib.observers import time_in
    >>> sim = setup("builtin://ode/harmonic", jit=False)
    >>> found = sim.run(T=6.283185307, dt=0.05, observers=[time_in("x > 0.5")])
    >>> round(float(found.observers["time_in"].fraction), 6)
    0.333333
    """
    return TimeInObserver(condition, name)
