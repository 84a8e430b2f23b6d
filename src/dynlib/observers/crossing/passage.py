"""First passage: when something happens for the first time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dynlib.dsl.expr import Node, bind, level_function, parse_expression
from dynlib.dsl.expr.errors import ExprError
from dynlib.dsl.spec import ModelSpec
from dynlib.errors import ObserverError
from dynlib.observers.crossing import interval_hooks as hooks
from dynlib.observers.crossing.crossing import (
    Crossing,
    checked_direction,
    crossing_part,
    refuse_constant,
    refuse_without_dense_output,
    rows_of,
    value_of,
)
from dynlib.observers.crossing.crossing_hooks import begin_OBS, nothing_OBS
from dynlib.observers.kit.expressions import read_condition, scope_of
from dynlib.observers.kit.keywords import checks_keywords
from dynlib.observers.kit.module import ObserverModule
from dynlib.observers.kit.part import HookText, Output, Part
from dynlib.observers.kit.result import Check, ObserverResult
from dynlib.steppers.base import Stepper

__all__ = ["PassageObserver", "PassageResult", "first_passage"]


class PassageResult(ObserverResult):
    """``time``; NaN if it never came to that."""

    def _checks(self) -> Iterable[Check]:
        """Whether it did."""
        what = self.facts.get("what", "what was waited for")
        yield Check(self._is_nan("time"), lambda run: f"{what!r} was never met.")


class PassageObserver(ObserverModule):
    """The first crossing; made by `first_passage`."""

    result_type = PassageResult
    gives = ("time",)

    def __init__(self, of: Any, direction: str, stop: bool, name: str | None) -> None:
        self.of, self.direction, self.stop = of, direction, stop
        super().__init__("first_passage", name=name)

    def signature(self) -> str:
        """All that the hooks are made of."""
        return f"first_passage {self.of!r} {self.direction} {self.stop}"

    def validate_stepper(self, stepper: Stepper, spec: ModelSpec) -> None:
        """Refuse steppers that know nothing between two steps."""
        refuse_without_dense_output(self.label, stepper, spec)

    def bind(self, spec: ModelSpec, stepper: Stepper) -> Part:
        """The engine of crossings, of which the first counts; of a map's condition, a look."""
        condition = None
        if _is_condition(self.of, spec):
            condition = read_condition(self.of, spec, self.label)
            if spec.is_map:
                return self._looking(condition)
            level = self._level(condition, spec)
        else:
            level = value_of(self.of, spec, self.label)
        crossing = Crossing(
            level=level,
            direction=self.direction,
            met=hooks.passage_OBS,
            outputs=(Output("time"),),
            rows=rows_of(spec, "DONE_ROW"),
            texts=_looks(spec) if condition is not None else (),
            helpers=(hooks.passed_OBS,) if condition is not None else (),
            stops=self.stop,
            facts=self._facts,
            condition=condition,
        )
        return crossing_part(crossing, spec, stepper)

    @property
    def _facts(self) -> dict[str, Any]:
        return {"what": str(self.of)}

    def _looking(self, condition: Node) -> Part:
        """Look at every iterate."""
        texts = [HookText("start", begin_OBS), HookText("start", hooks.already_OBS)]
        texts.append(HookText("post", hooks.already_OBS))
        texts += [HookText("every", nothing_OBS, 1, late=True)] if self.stop else []
        return Part(
            outputs=(Output("time"),),
            workspace=1,
            texts=tuple(texts),
            helpers=(hooks.passed_OBS,),
            expressions={"holds_OBS": (condition,)},
            words={"SIZE": 1, "DONE": 0},
            places={"DONE_ROW": 0},
            stops=self.stop,
            facts=self._facts,
        )

    def _level(self, condition: Node, spec: ModelSpec) -> Node:
        level = level_function(condition)
        if level is None:
            raise ObserverError(
                f"observer {self.label!r}: {self.of!r} is no comparison of two values. Write "
                "it with <, >, and, or, not."
            )
        refuse_constant(level, str(self.of), self.label, spec)
        return level


def _looks(spec: ModelSpec) -> tuple[HookText, ...]:
    """Where a flow is looked at besides: at its start, and where events may have acted."""
    start = HookText("start", hooks.already_OBS)
    if not spec.events:
        return (start,)
    return (start, HookText("along", hooks.begun_OBS), HookText("post", hooks.already_OBS))


def _is_condition(text: Any, spec: ModelSpec) -> bool:
    try:
        return bind(parse_expression(text), scope_of(spec)).kind == "bool"
    except (ExprError, TypeError, AttributeError):  # it gets its error message when it is read
        return False


@checks_keywords
def first_passage(
    of: str, direction: str = "either", *, stop: bool = False, name: str | None = None
) -> PassageObserver:
    """The time at which an expression first crosses zero, or a condition first holds.

    The result has ``time``; NaN if it never came to that.  A condition may hold at the start,
    and may come to hold by the action of an event.  For an expression neither a start on the
    surface nor a jump by an event is a passage.  Of a map it is the first iterate at which the
    condition holds, or the one after the crossing: with ``stop=True`` the time of escape.

    Parameters
    ----------
    of : str
        An expression (``"x - 3"``) or a condition (``"x > 3 and y < 0"``).
    direction : {"rising", "falling", "either"}
        Of an expression.
    stop : bool
        End the run after the step in which it happens, with status `EARLY_EXIT`.
    name : str, optional
        Name of the result, where there are two.

    Raises
    ------
    ObserverError
        For a value that cannot be; and, from the run, for unknown names.

    Examples
    --------
    >>> from dynlib import setup
    >>> from dynlib.observers import first_passage
    >>> sim = setup("builtin://ode/harmonic", jit=False)
    >>> watch = first_passage("x < 0.5", stop=True)
    >>> res = sim.run(T=20, dt=0.05, observers=[watch])
    >>> round(float(res.observers["first_passage"].time), 4), round(float(res.t[-1]), 2)
    (1.0472, 1.05)
    """
    if not isinstance(stop, bool):
        raise ObserverError(f"stop must be True or False, found {stop!r}.")
    return PassageObserver(of, checked_direction(direction), stop, name)
