"""Which equation, or which component's error, ended a run: found out afterwards, in Python."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.primitives import plain_namespace
from dynlib.abi.status import Status
from dynlib.compiler.codegen.program import Program
from dynlib.dsl import ModelSpec
from dynlib.dsl.expr import ExprError, Iteration, Time, evaluate, free_nodes
from dynlib.runtime.run_options import RunOptions
from dynlib.steppers import registry
from dynlib.steppers.explicit_rk import ExplicitRK

if TYPE_CHECKING:
    from dynlib.runtime.origin import Origin
    from dynlib.runtime.segments import Segment

__all__ = ["reason"]

_LONGEST = 60  # characters of an equation that are quoted
_LISTED = 3


def reason(origin: Origin, segment: Segment) -> str:
    """Why a run could not go on from its last state, as far as that shows there; or ``""``."""
    status = segment.raw.status
    if status not in (Status.NAN_DETECTED, Status.STEPFAIL) or not np.isfinite(segment.y).all():
        return ""
    broken = list(_broken(origin.spec, segment))
    if broken:
        more = f" and {len(broken) - _LISTED} more" if len(broken) > _LISTED else ""
        return f"there {'; '.join(broken[:_LISTED])}{more}"
    if status is not Status.STEPFAIL or not isinstance(segment.call, RunOptions):
        return ""
    return _by_tolerance(origin, segment, segment.call.stepper_options)


def _broken(spec: ModelSpec, segment: Segment) -> Iterator[str]:
    """The equations that give no finite number at the last state; those with lags are unknown."""
    known: dict[Any, Any] = {Time(): segment.t, Iteration(): segment.step}
    known |= dict(zip(spec.state_nodes, segment.y.tolist(), strict=True))
    known |= dict(zip(spec.param_nodes, segment.p.tolist(), strict=True))
    for name, equation in zip(spec.states, spec.equations, strict=True):
        try:
            value = evaluate(equation, {leaf: known[leaf] for leaf in free_nodes([equation])})
        except (KeyError, ExprError):
            continue
        if not math.isfinite(value):
            text = " ".join(spec.equations_text[name].split())
            text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
            what = "NaN" if math.isnan(value) else "infinite"
            yield f"the equation of {name}, {text}, is {what}"


def _by_tolerance(origin: Origin, segment: Segment, options: Mapping[str, Any]) -> str:
    """Which component's error is the largest, relative to what is allowed."""
    spec, stepper = origin.spec, registry.get(origin.stepper)
    if not isinstance(stepper, ExplicitRK) or not stepper.adaptive:
        return ""
    given, tolerances = stepper.options(options, len(spec.states))
    atol, rtol = np.split(tolerances, 2)
    hopeless = (atol == 0) & ((segment.y == 0) | (rtol == 0))
    if hopeless.any():
        name = spec.states[int(np.argmax(hopeless))]
        zero = "its value is 0" if segment.y[int(np.argmax(hopeless))] == 0 else "rtol is 0 as well"
        return f"no error of {name} is allowed, since atol is 0 and {zero}: give an atol above 0"
    errors = _errors(spec, stepper, segment, (given, tolerances))
    if errors is None or not np.isfinite(errors).any():
        return ""
    return f"the error of {spec.states[int(np.nanargmax(errors))]} is the largest"


def _errors(
    spec: ModelSpec,
    stepper: ExplicitRK,
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
        slopes = np.array(k, dtype=np.float64).reshape(-1, len(u))
        atol, rtol = np.split(options[1], 2)
        size = np.maximum(np.abs(np.array(u, float)), np.abs(np.array(u_new, float)))
        error = np.abs(h * np.array(stepper.tableau.b_error) @ slopes)
        relative: NDArray[np.float64] = error / (atol + rtol * size)
        return relative
