"""First passage: when something happens for the first time."""

from __future__ import annotations

from typing import Any

from dynlib.dsl.expr import bind, level_function, parse_expression
from dynlib.dsl.expr.errors import ExprError
from dynlib.dsl.spec import ModelSpec
from dynlib.errors import ObserverError
from dynlib.observers import interval_hooks as hooks
from dynlib.observers.crossing import (
    Crossing,
    checked_direction,
    crossing_part,
    refuse_constant,
    refuse_without_inside,
    value_of,
)
from dynlib.observers.expressions import read_condition, scope_of
from dynlib.observers.keywords import checks_keywords
from dynlib.observers.module import ObserverModule
from dynlib.observers.part import HookText, Output, Part
from dynlib.steppers.base import Stepper

__all__ = ["PassageObserver", "first_passage"]


class PassageObserver(ObserverModule):
    """The first crossing; made by `first_passage`."""

    def __init__(self, of: Any, direction: str, stop: bool, name: str | None) -> None:
        self.of, self.direction, self.stop = of, direction, stop
        super().__init__("first_passage", name=name)

    def signature(self) -> str:
        """All that the hooks are made of."""
        return f"first_passage {self.of!r} {self.direction} {self.stop}"

    def validate_stepper(self, stepper: Stepper, spec: ModelSpec) -> None:
        """Refuse maps, and what the model does not understand."""
        refuse_without_inside(self.label, stepper, spec)

    def bind(self, spec: ModelSpec, stepper: Stepper) -> Part:
        """The engine of crossings; only the first counts."""
        condition = _is_condition(self.of, spec)
        texts: tuple[HookText, ...] = ()
        expressions: dict[str, tuple[Any, ...]] = {}
        if condition:
            node = read_condition(self.of, spec, self.label)
            level = level_function(node)
            if level is None:
                raise ObserverError(
                    f"observer {self.label!r}: {self.of!r} is no comparison of two values. Write "
                    "it with <, >, and, or, not."
                )
            refuse_constant(level, str(self.of), self.label, spec)
            texts = (HookText("start", hooks.already_OBS),)
            expressions = {"holds_OBS": (node,)}
        else:
            level = value_of(self.of, spec, self.label)
        crossing = Crossing(
            level=level,
            direction="rising" if condition else self.direction,
            met=hooks.passage_OBS,
            outputs=(Output("time"),),
            first_outputs=(float("nan"),),
            rows=("DONE_ROW",),
            texts=texts,
            expressions=expressions,
            stops=self.stop,
        )
        return crossing_part(crossing, spec, stepper)


def _is_condition(text: Any, spec: ModelSpec) -> bool:
    try:
        return bind(parse_expression(text), scope_of(spec)).kind == "bool"
    except (ExprError, TypeError, AttributeError):  # it gets its letter when it is read
        return False


@checks_keywords
def first_passage(
    of: str, direction: str = "either", *, stop: bool = False, name: str | None = None
) -> PassageObserver:
    """The time at which an expression first crosses zero, or a condition first holds.

    The result has ``time``; NaN if it never came to that.  A start on the surface is no
    passage; a condition that holds at the start has its time there.

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
        For a value that cannot be; and, from the run, for maps and unknown names.

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
