"""What observers of crossings share: expressions, direction, the hooks that find them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dynlib.compiler.codegen.crossing_text import SCAN_POINTS
from dynlib.dsl.expr import Node, Param, free_nodes
from dynlib.dsl.spec import ModelSpec
from dynlib.errors import ObserverError
from dynlib.observers.crossing import crossing_hooks as hooks
from dynlib.observers.kit.batches import Batches
from dynlib.observers.kit.expressions import is_zero, read_value, slope_of
from dynlib.observers.kit.part import NO_TRACE, HookText, Output, Part, TraceSpec
from dynlib.observers.kit.trace_plans import EveryStep, Hits, TracePlan, checked_trace_plan
from dynlib.steppers.base import Stepper
from dynlib.steppers.text import function
from dynlib.suggest import did_you_mean

__all__ = [
    "DIRECTIONS",
    "Crossing",
    "checked_direction",
    "checked_number",
    "checked_plan",
    "crossing_part",
    "refuse_without_dense_output",
    "refuse_without_inside",
    "rows_of",
    "single",
]

DIRECTIONS = ("rising", "falling", "either")


@dataclass(frozen=True)
class Crossing:
    """What is to be found, and what is done there.

    Attributes
    ----------
    level
        The expression whose zeros are sought.
    direction
        One of `DIRECTIONS`.
    met
        Template of what is done at a crossing, with the arguments of `section_hooks.met_OBS`.
    outputs, rows, trace
        Of the part; `rows` are names of the workspace's rows.
    batches
        Batches that are kept in the rows after these, if there is an error bar; they count
        crossings, not time.
    texts, helpers, expressions, words, flags
        What the part has besides.
    stops
        Whether it may end the run.
    condition
        If there is one, what is sought is where it begins to hold; `level` is its level function.
    turns
        Whether the level is a rate of change along time, which has the other sign along a run that
        goes backwards.
    """

    level: Node
    direction: str
    met: Callable[..., Any]
    outputs: tuple[Output, ...]
    rows: Sequence[str] = ()
    batches: Batches | None = None
    trace: TraceSpec = NO_TRACE
    texts: tuple[HookText, ...] = ()
    helpers: tuple[Callable[..., Any] | str, ...] = ()
    expressions: Mapping[str, tuple[Node, ...]] = field(default_factory=dict)
    words: Mapping[str, Any] = field(default_factory=dict)
    flags: Mapping[str, bool] = field(default_factory=dict)
    stops: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    condition: Node | None = None
    turns: bool = False


def crossing_part(crossing: Crossing, spec: ModelSpec, stepper: Stepper) -> Part:
    """The part that finds these crossings; of a map, the iterates after them."""
    level, batches, condition = crossing.level, crossing.batches, crossing.condition
    looks = _between_iterates if spec.is_map else _within_steps
    texts = [HookText("start", hooks.begin_OBS), *looks(crossing), *crossing.texts]
    if batches is not None:
        texts.append(batches.begin)
    if crossing.stops:
        texts.append(HookText("every", hooks.nothing_OBS, 1, late=True))
    return Part(
        outputs=crossing.outputs,
        workspace=len(crossing.rows) + (0 if batches is None else batches.changing),
        lasting=0 if batches is None else batches.lasting,
        trace=crossing.trace,
        texts=tuple(texts),
        helpers=(
            single("height"),
            hooks.crosses_OBS,
            *(
                ()
                if spec.is_map
                else (single("rate"), hooks.truth_OBS, hooks.seek(), hooks.polish_OBS)
            ),
            *(() if batches is None else batches.helpers),
            *crossing.helpers,
            crossing.met,
        ),
        expressions={
            "height_values_OBS": (level,),
            **({} if spec.is_map else {"rate_values_OBS": (slope_of(level, spec),)}),
            **({} if condition is None else {"holds_OBS": (condition,)}),
            **crossing.expressions,
        },
        words={
            "SCAN_POINTS": SCAN_POINTS if stepper.adaptive else 1,
            "SIZE": len(crossing.rows),
            "DONE": list(crossing.rows).index("DONE_ROW") if crossing.stops else 0,
            **({} if batches is None else batches.words),
            **crossing.words,
        },
        places={
            **{row: i for i, row in enumerate(crossing.rows)},
            **({} if batches is None else batches.places),
        },
        flags={
            "RISING": crossing.direction == "rising",
            "FALLING": crossing.direction == "falling",
            "CONDITION": condition is not None,
            "TURNS": crossing.turns,
            "MULTISTEP": stepper.multistep,
            "LEVEL": True,
            **({} if batches is None else batches.flags),
            **crossing.flags,
        },
        stops=crossing.stops,
        facts=dict(crossing.facts),
    )


def _within_steps(crossing: Crossing) -> tuple[HookText, ...]:
    inside = hooks.look_for(crossing.met, hooks.look_OBS)
    return (HookText("inside", inside), HookText("sees", hooks.sees_OBS))


def _between_iterates(crossing: Crossing) -> tuple[HookText, ...]:
    post = hooks.look_for(crossing.met, hooks.compare_OBS)
    return (HookText("start", hooks.remember_OBS), HookText("post", post))


def rows_of(spec: ModelSpec, *names: str) -> tuple[str, ...]:
    """These rows, for a `Crossing`; of a map one more, for the value at the iterate before."""
    return (*names, "BEFORE") if spec.is_map else names


def single(name: str) -> str:
    """A function that returns the one value of an expression as a number of 64 bits."""
    args = "t, step, u, tp, up, p, ws, lane"
    return function(f"{name}_OBS", args, [f"return real({name}_values_OBS({args})[0])"])


def refuse_without_inside(label: str, stepper: Stepper, spec: ModelSpec) -> None:
    """Refuse models that know nothing between two steps.

    Raises
    ------
    ObserverError
    """
    if spec.is_map:
        raise ObserverError(
            f"observer {label!r} looks for crossings within steps, and model {spec.name!r} is a "
            "map, which jumps from point to point. Take every p-th iterate, stroboscopic(p), or "
            "the orbit itself, plan=TailWindow(n)."
        )
    refuse_without_dense_output(label, stepper, spec)


def refuse_without_dense_output(label: str, stepper: Stepper, spec: ModelSpec) -> None:
    """Refuse steppers of flows that know nothing between two steps.

    Raises
    ------
    ObserverError
    """
    if not spec.is_map and not stepper.dense_output:
        raise ObserverError(
            f"observer {label!r} looks for crossings within steps, and stepper {stepper.name!r} "
            "has no dense output. Take rk4, tsit5 or another that has."
        )


def refuse_constant(level: Node, text: str, label: str, spec: ModelSpec) -> None:
    """Refuse expressions that never change, and so cannot cross zero."""
    if spec.is_map:
        constant = all(isinstance(leaf, Param) for leaf in free_nodes(level))
    else:
        constant = is_zero(slope_of(level, spec))
    if constant:
        along = "orbits" if spec.is_map else "the flow"
        raise ObserverError(
            f"observer {label!r}: {text!r} is constant along {along} and never crosses zero."
        )


def checked_direction(direction: Any) -> str:
    """A direction, or an error message about what should be one."""
    if direction not in DIRECTIONS:
        raise ObserverError(
            f"direction must be one of {', '.join(map(repr, DIRECTIONS))}; found {direction!r}."
            f"{did_you_mean(direction, DIRECTIONS)}"
        )
    return str(direction)


def checked_number(what: str, value: Any) -> float:
    """A finite number, or an error message."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        raise ObserverError(f"{what} must be a finite number, found {value!r}.")
    return float(value)


def checked_plan(trace: Any, max_hits: Any = None) -> TracePlan:
    """The plan of a trace of hits."""
    if max_hits is not None and trace is not None:
        raise ObserverError("max_hits=n is short for trace=Hits(n); give one of them.")
    if max_hits is not None:
        return Hits(max_hits)
    plan = EveryStep() if trace is None else checked_trace_plan(trace)
    if plan.stride != 1:
        raise ObserverError(
            f"rows of this trace are hits, not steps: {plan!r} cannot leave out steps."
        )
    return plan


def value_of(text: Any, spec: ModelSpec, label: str) -> Node:
    """An expression whose crossings can be sought."""
    level = read_value(text, spec, label)
    refuse_constant(level, str(text), label, spec)
    return level
