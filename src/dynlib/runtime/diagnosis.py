"""Which equation, or which component's error, ended a run: found out afterwards, in Python."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.primitives import plain_namespace
from dynlib.abi.status import Status
from dynlib.compiler.codegen.program import Program
from dynlib.dsl import ModelSpec
from dynlib.dsl.expr import ExprError, Iteration, Node, Time, evaluate, free_nodes
from dynlib.errors import UnknownStepper
from dynlib.runtime.run_options import RunOptions
from dynlib.steppers import registry
from dynlib.steppers.base import Stepper
from dynlib.steppers.problem import Problem

if TYPE_CHECKING:
    from dynlib.runtime.origin import Origin
    from dynlib.runtime.segments import Segment

__all__ = ["reason"]

_LONGEST = 60  # characters of an equation that are quoted
_LISTED = 3

_Key = TypeVar("_Key")  # of an expression: a name, or a place in a matrix


def reason(origin: Origin, segment: Segment) -> str:
    """Why a run could not go on from its last state, as far as that shows there; or ``""``."""
    status, failed = segment.raw.status, segment.raw.failure
    if status not in (Status.NAN_DETECTED, Status.STEPFAIL) or not np.isfinite(segment.y).all():
        return failed
    broken = list(_broken(origin.spec, segment))
    if broken and not failed:
        return f"there {_listed(broken)}"
    if status is not Status.STEPFAIL or not isinstance(segment.call, RunOptions):
        return failed
    stepper = _stepper(origin)
    if stepper is None:
        return failed
    broken += _broken_derivatives(origin.spec, stepper, segment)
    if broken:
        said = f"{failed}; there" if failed else "there"
        return f"{said} {_listed(broken)}, and {stepper.name} needs it"
    return failed or _by_tolerance(origin.spec, stepper, segment, segment.call.stepper_options)


def _stepper(origin: Origin) -> Stepper | None:
    """The method of a run; a file may name one that is not known here."""
    if origin.compiled is not None:
        return origin.compiled.stepper
    try:
        return registry.get(origin.stepper)
    except UnknownStepper:
        return None


def _listed(broken: list[str]) -> str:
    more = f" and {len(broken) - _LISTED} more" if len(broken) > _LISTED else ""
    return f"{'; '.join(broken[:_LISTED])}{more}"


def _broken(spec: ModelSpec, segment: Segment) -> Iterator[str]:
    """The equations that give no finite number at the last state; those with lags are unknown."""
    for name, what in _not_finite(
        spec, segment, dict(zip(spec.states, spec.equations, strict=True))
    ):
        text = " ".join(spec.equations_text[name].split())
        text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
        yield f"the equation of {name}, {text}, is {what}"


def _broken_derivatives(spec: ModelSpec, stepper: Stepper, segment: Segment) -> Iterator[str]:
    """The derivatives that the stepper needs and that are no finite numbers at the last state."""
    problem = Problem.of(spec)
    for need in stepper.needs:
        derivative = getattr(problem, need)
        by = ("time",) if need == "time_derivative" else spec.states
        nodes = {place: derivative.entries[place] for place in derivative.changing}
        for (i, j), what in _not_finite(spec, segment, nodes):
            yield f"the derivative of the equation of {spec.states[i]} by {by[j]} is {what}"


def _not_finite(
    spec: ModelSpec, segment: Segment, nodes: Mapping[_Key, Node]
) -> Iterator[tuple[_Key, str]]:
    """Which of some expressions are NaN or infinite at the last state."""
    known: dict[Any, Any] = {Time(): segment.t, Iteration(): segment.step}
    known |= dict(zip(spec.state_nodes, segment.y.tolist(), strict=True))
    known |= dict(zip(spec.param_nodes, segment.p.tolist(), strict=True))
    for key, node in nodes.items():
        try:
            value = evaluate(node, {leaf: known[leaf] for leaf in free_nodes([node])})
        except (KeyError, ExprError):
            continue
        if not math.isfinite(value):
            yield key, "NaN" if math.isnan(value) else "infinite"


def _by_tolerance(
    spec: ModelSpec, stepper: Stepper, segment: Segment, options: Mapping[str, Any]
) -> str:
    """Which component's error is the largest, relative to what is allowed."""
    if not stepper.adaptive:
        return ""
    given, tolerances = stepper.options(options, len(spec.states))
    atol, rtol = np.split(tolerances, 2)
    hopeless = (atol == 0) & ((segment.y == 0) | (rtol == 0))
    if hopeless.any():
        name = spec.states[int(np.argmax(hopeless))]
        zero = "its value is 0" if segment.y[int(np.argmax(hopeless))] == 0 else "rtol is 0 as well"
        return f"no error of {name} is allowed, since atol is 0 and {zero}: give an atol above 0"
    if not stepper.error_weights:
        return ""
    errors = _errors(spec, stepper, segment, (given, tolerances))
    if errors is None or not np.isfinite(errors).any():
        return ""
    return f"the error of {spec.states[int(np.nanargmax(errors))]} is the largest"


def _errors(
    spec: ModelSpec,
    stepper: Stepper,
    segment: Segment,
    options: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> NDArray[np.float64] | None:
    """Errors of all components, each over its tolerance, in a step from the last state."""
    program = Program(spec, stepper)
    namespace: dict[str, Any] = plain_namespace(spec.dtype)
    text = "\n\n".join(program.parts())
    exec(compile(text, "<dynlib diagnosis>", "exec"), namespace)
    ws = np.zeros((program.layout.workspace, 1), dtype=segment.y.dtype)
    u, p, t = tuple(segment.y), segment.p.reshape(-1, 1), segment.t
    way = -1.0 if segment.t < segment.start_t else 1.0
    with np.errstate(all="ignore"):
        if program.layout.switches:
            namespace["plan_switch"](t, t + way, p, ws, 0)
        h = namespace["first_step"](t, t + way, 0, u, p, ws, *options, 0)
        m = namespace["restart"](t, 0, u, p, ws, 0) if program.layout.memory else 0.0
        u_new, k = namespace["attempt"](t, h, 0, u, m, p, ws, 0)
        weights = np.array(stepper.error_weights)
        slopes = np.array(k, dtype=np.float64).reshape(-1, len(u))[: len(weights)]
        atol, rtol = np.split(options[1], 2)
        size = np.maximum(np.abs(np.array(u, float)), np.abs(np.array(u_new, float)))
        error = np.abs(h * weights @ slopes)
        relative: NDArray[np.float64] = error / (atol + rtol * size)
        return relative
