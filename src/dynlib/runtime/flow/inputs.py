"""What `Sim.flow` is given, checked: start, parameters, times and vectors of each run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.compiler.equations.arguments import leading, numbers, overlaid, vectors
from dynlib.compiler.model import CompiledModel
from dynlib.dsl import ModelSpec
from dynlib.errors import OptionError
from dynlib.observers.kit.validation import check_differentiable
from dynlib.runtime.run_options import (
    RunOptions,
    check_stepper_options,
    merge,
    model_defaults,
    step_limit,
)
from dynlib.runtime.validate import number

__all__ = ["FlowPlan", "Starts", "flow_plan", "read_starts"]

Array = NDArray[Any]
_NAMES = ("T", "t0", "params", "tangents", "dt", "max_steps", "workers", "on_failure")


@dataclass(frozen=True)
class Starts:
    """Many runs, one after the other; `shape` is what their results are brought to.

    Attributes
    ----------
    shape
        The leading shape that all arguments broadcast to.
    y
        States, shape (runs, n).
    p
        Parameters, (n_params,) or (runs, n_params).
    t0, end
        From where to where, shape (runs,): times, or iterations of a map.
    tangents
        Tangent vectors as columns, (runs, n, k); None: there are none.
    """

    shape: tuple[int, ...]
    y: Array
    p: Array
    t0: Array
    end: Array
    tangents: Array | None

    def params(self, run: int) -> Array:
        """Parameters of one run."""
        return self.p if self.p.ndim == 1 else self.p[run]


@dataclass(frozen=True)
class FlowPlan:
    """How all runs are computed: the step, a limit of steps, options of the stepper, threads."""

    dt: float | None
    max_steps: int | None
    options: Mapping[str, Any]
    workers: int


def read_starts(
    model: CompiledModel, base: Array, y: Any, T: Any, t0: Any, params: Any, tangents: Any
) -> Starts:
    """The runs that the arguments of `Sim.flow` stand for; `base` are the session's parameters.

    Raises
    ------
    OptionError, UnknownNameError
    """
    spec = model.spec
    y = vectors("y", y, spec.states, model.dtype)
    p = overlaid(params, base, spec.params)
    start = spec.sim.t0 if t0 is None else t0
    span, begin = _times("T", T, spec), _times("t0", start, spec)
    _check_direction(span, spec)
    shapes = {"y": y.shape[:-1], "T": span.shape, "t0": begin.shape, "params": p.shape[:-1]}
    if tangents is not None:
        check_differentiable("flow(tangents=...)", spec, model.stepper)
        tangents = _tangents(tangents, spec)
        shapes["tangents"] = tangents.shape[:-2]
    shape = leading(shapes)
    begin = _flat(begin, shape)
    with np.errstate(over="ignore"):
        end = begin + _flat(span, shape)
    if not np.isfinite(end.astype(np.float64)).all():
        raise OptionError("t0 + T is more than float64 can hold.")
    lost = (end == begin) & (_flat(span, shape) != 0)
    if lost.any():
        where, length = begin[lost][0].item(), _flat(span, shape)[lost][0].item()
        raise OptionError(
            f"T = {length!r} is lost beside t0 = {where!r}: t0 + T = t0 in float64. Give a t0 "
            "nearer to 0, or a longer T."
        )
    return Starts(
        shape,
        _flat(y, shape, 1),
        p if p.ndim == 1 else _flat(p, shape, 1),
        begin,
        end,
        None if tangents is None else _flat(tangents, shape, 2),
    )


def flow_plan(
    model: CompiledModel,
    starts: Starts,
    call: Mapping[str, Any],
    stepper_options: Mapping[str, Any],
    workers: int,
) -> FlowPlan:
    """How the runs are computed; what is wrong with an argument is said about the longest run.

    Raises
    ------
    OptionError, UnknownOptionError, StepperOptionError
    """
    check_stepper_options(stepper_options, model, "flow", _NAMES)
    given = call.get("dt")
    if given is not None and not model.spec.is_map and number("dt", given) <= 0:
        raise OptionError(
            f"dt must be above 0, found {given:g}. To integrate backwards give a T below 0."
        )
    defaults, stepper_defaults = model_defaults(model)
    length = np.abs(starts.end - starts.t0)
    run = int(length.argmax()) if length.size else None
    t0 = starts.t0[run].item() if run is not None else 0
    span: dict[str, Any] = {"t0": t0}
    if model.spec.is_map:
        span["N"] = int(length[run]) if run is not None else 0
    else:
        span["T"] = starts.end[run].item() if run is not None else 0.0
    merged = merge({**call, **span, "record": False}, defaults)
    merged["stepper_options"] = merge(stepper_options, stepper_defaults)
    options = RunOptions.checked(merged, model)
    model.stepper.options(options.stepper_options, len(model.spec.states))
    return FlowPlan(options.dt, step_limit(options, model), dict(options.stepper_options), workers)


def _times(what: str, given: Any, spec: ModelSpec) -> Array:
    """Times of a flow; numbers of iterations of a map."""
    if spec.is_map:
        said = "T, the number of iterations of a map," if what == "T" else what
        return numbers(said, given, np.dtype(np.int64))
    found = numbers(what, given, np.dtype(np.float64))
    if not np.isfinite(found).all():
        bad = found[~np.isfinite(found)].flat[0]
        raise OptionError(f"{what} must be finite, found {bad}.")
    return found


def _check_direction(span: Array, spec: ModelSpec) -> None:
    if not (span < 0).any():
        return
    least = span.min().item()
    if spec.is_map:
        raise OptionError(
            f"T, the number of iterations of a map, must be at least 0, found {least}: maps are "
            "not iterated backwards."
        )
    what = "events" if spec.events else "lags" if any(spec.lags) else ""
    if what:
        raise OptionError(
            f"T = {least:g} goes back in time, and a model with {what} cannot be integrated "
            "backwards. Give T above 0."
        )


def _tangents(given: Any, spec: ModelSpec) -> Array:
    found = numbers("tangents", given, np.dtype(np.float64))
    n = len(spec.states)
    if found.ndim < 2 or found.shape[-2] != n:
        hint = ""
        if found.shape[-1:] == (n,):
            hint = " Did you mean tangents[..., None]?" if found.ndim == 1 else " Transpose them?"
        raise OptionError(
            f"tangents has shape {found.shape}; it must be (..., {n}, k): k vectors as columns of "
            f"length {n}, for {', '.join(spec.states)}. np.eye({n}) gives the whole derivative."
            f"{hint}"
        )
    if not np.isfinite(found).all():
        raise OptionError("tangents must be finite, found NaN or infinity.")
    return found


def _flat(array: Array, shape: tuple[int, ...], own: int = 0) -> Array:
    """The array spread to the leading shape, its leading axes as one."""
    rest = array.shape[array.ndim - own :]
    runs = prod(shape)
    if array.shape == (*shape, *rest):
        return np.ascontiguousarray(array.reshape(runs, *rest))
    return np.ascontiguousarray(np.broadcast_to(array, (*shape, *rest)).reshape(runs, *rest))
