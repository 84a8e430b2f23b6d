"""Whether what a stepper declares of itself can be so."""

from __future__ import annotations

import keyword
from collections.abc import Iterator
from typing import Any

from dynlib.errors import StepperError
from dynlib.steppers.base import Counter, Stepper
from dynlib.steppers.options import Option, Options
from dynlib.steppers.problem import DERIVATIVES

__all__ = ["check_declarations"]

_RESERVED = frozenset({*Options.ADAPTIVE, "step", "failure"})


def check_declarations(stepper: Any) -> None:
    """Refuse what is no stepper, or declares what cannot be.

    Raises
    ------
    StepperError
        It names the stepper, and lists all that is wrong.
    """
    if not isinstance(stepper, Stepper):
        what = f"the class {stepper.__name__}" if isinstance(stepper, type) else repr(stepper)
        raise StepperError(
            f"a stepper is an instance of a subclass of dynlib.steppers.Stepper, found {what}."
        )
    try:
        wrong = list(_wrong(stepper))
    except Exception as error:  # whatever somebody else's properties may raise
        wrong = [f"its declarations raised {type(error).__name__}: {error}"]
    if wrong:
        where = type(stepper).__module__
        name = getattr(stepper, "name", "?")
        raise StepperError(f"stepper {name!r} (module {where}): {'; '.join(wrong)}.")


def _wrong(stepper: Stepper) -> Iterator[str]:
    name = getattr(stepper, "name", None)
    if not (isinstance(name, str) and name.replace("-", "_").isidentifier()):
        yield f"its name must be a word of letters, digits, _ and -, found {name!r}"
        return
    if not isinstance(stepper.order, int) or stepper.order < (0 if stepper.kind == "map" else 1):
        yield f"its order must be a whole number of at least 1, found {stepper.order!r}"
    if stepper.kind not in ("ode", "map"):
        yield f"its kind must be 'ode' or 'map', found {stepper.kind!r}"
    if not isinstance(stepper.evaluations, int) or stepper.evaluations < 0:
        yield f"evaluations must be a whole number, found {stepper.evaluations!r}"
    if not _pair(stepper.memory):
        yield f"memory must be two whole numbers, (vectors, numbers), found {stepper.memory!r}"
    if not isinstance(stepper.needs, tuple) or not set(stepper.needs) <= set(DERIVATIVES):
        known = ", ".join(map(repr, DERIVATIVES))
        yield f"needs must be a tuple that may hold {known}, found {stepper.needs!r}"
    if stepper.needs and stepper.kind == "map":
        yield "a stepper for maps has no derivatives in needs"
    if stepper.reads_tolerances and not stepper.adaptive:
        yield "it reads tolerances, which only an adaptive stepper is given"
    failures = stepper.failures
    if not isinstance(failures, tuple) or not all(isinstance(each, str) for each in failures):
        yield f"failures must be a tuple of sentences, found {stepper.failures!r}"
    yield from _wrong_names(stepper)


def _wrong_names(stepper: Stepper) -> Iterator[str]:
    """Options and counters must have names of their own."""
    for what, items, kind in (
        ("own_options", stepper.own_options, Option),
        ("counters", stepper.counters, Counter),
    ):
        if not isinstance(items, tuple) or not all(isinstance(each, kind) for each in items):
            yield f"{what} must be a tuple of {kind.__name__}, found {items!r}"
            continue
        names = [each.name for each in items]
        taken = _RESERVED if what == "own_options" else {"failures"}
        for name in names:
            if not name.isidentifier() or keyword.iskeyword(name):
                yield f"{what} holds {name!r}, which is no name"
            elif name in taken or names.count(name) > 1:
                yield f"{what} holds {name!r}, which is taken"


def _pair(value: Any) -> bool:
    return (
        isinstance(value, tuple)
        and len(value) == 2
        and all(isinstance(each, int) and each >= 0 for each in value)
    )
