"""From a model document to something that runs."""

from __future__ import annotations

import copyreg
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from dynlib import steppers
from dynlib.compiler.engine import Engine, Jit
from dynlib.compiler.jit.disk_cache import DiskCache
from dynlib.compiler.jit.engines import engine_of
from dynlib.compiler.model import CompiledModel
from dynlib.dsl import load_model
from dynlib.dsl.config import cache_root, load_config
from dynlib.dsl.spec import ModelSpec
from dynlib.errors import (
    DynlibError,
    OptionError,
    StepperError,
    StepperKindMismatchError,
)
from dynlib.steppers import registry
from dynlib.steppers.base import Stepper
from dynlib.steppers.problem import Problem

__all__ = ["build", "put_together"]

Model = ModelSpec | str | os.PathLike[str] | Mapping[str, Any]


def build(
    model: Model,
    *,
    stepper: str | None = None,
    mods: Sequence[Any] = (),
    jit: Jit = True,
    dtype: DTypeLike | None = None,
    disk_cache: bool = True,
    config: Any = None,
) -> CompiledModel:
    """Load a model and put a stepper to it.

    Nothing is compiled before a run asks for it.

    Parameters
    ----------
    model
        URI, path, TOML text, dict or `ModelSpec`.
    stepper
        Name of the method; by default the one in the model's ``[sim]``.
    mods
        Changes to the model, in order.
    jit
        Who compiles the generated text.  True: dynlib's own compiler.  ``"numba"``: Numba, slowly
        and to the same bits, as a check.  False: nobody; it runs as plain Python, slowly.
    dtype
        ``"float32"`` or ``"float64"`` instead of the model's own.
    disk_cache
        Whether compiled kernels are kept on disk.
    config
        Configuration, or the path of its file; by default the user's.

    Raises
    ------
    ModelLoadError, ModelNotFoundError
        If the model cannot be loaded; all its problems are listed.
    UnknownStepper, StepperKindMismatchError
        If there is no such stepper, or it is not for this kind of model.
    OptionError
        If the model cannot have this `dtype`, or `jit` names no engine.

    Examples
    --------
    >>> import dynlib
    >>> dynlib.build("builtin://ode/lorenz", stepper="rk45")
    <CompiledModel lorenz, rk45, compiled>
    """
    engine = engine_of(jit)
    if not isinstance(disk_cache, bool):
        raise OptionError(f"disk_cache must be True or False, found {disk_cache!r}.")
    settings = load_config(config)
    spec = load_model(model, mods=mods, config=settings)
    if dtype is not None:
        spec = _converted(spec, dtype)
    if stepper is None:
        method = steppers.get(spec.sim.stepper, f"{spec.label}: [sim] stepper")
    else:
        method = steppers.get(stepper)
    return put_together(spec, method, engine, cached=disk_cache, settings=settings)


def put_together(
    spec: ModelSpec, method: Stepper, engine: Engine, *, cached: bool, settings: Any = None
) -> CompiledModel:
    """A model and a stepper that is for it.

    Raises
    ------
    StepperKindMismatchError
        If it is not.
    """
    if method.kind != spec.kind:
        fitting = [row["name"] for row in steppers.describe() if row["kind"] == spec.kind]
        what = {"ode": "flows (type = 'ode')", "map": "maps (type = 'map')"}
        msg = (
            f"stepper {method.name!r} is for {what[method.kind]}, but model {spec.name!r} has type "
            f"{spec.kind!r}. Steppers for it: {', '.join(map(str, fitting))}."
        )
        raise StepperKindMismatchError(msg)
    if method.adaptive and any(spec.lags):
        raise StepperKindMismatchError(_lagged(spec, method))
    _check_fit(spec, method)
    settings = load_config(None) if settings is None else settings
    cache = DiskCache(cache_root(settings)) if cached and engine.compiles else None
    return CompiledModel(spec, method, engine=engine, disk_cache=cache)


def _travelling(model: CompiledModel) -> tuple[Any, ...]:
    """What a compiled model is pickled as: it is put together, and compiled, where it arrives."""
    stepper = registry.carried(model.stepper)
    return _arrived, (model.spec, stepper, model.jit, model.disk_cache is not None)


def _arrived(spec: ModelSpec, stepper: str | Stepper, jit: Jit, cached: bool) -> CompiledModel:
    return put_together(spec, registry.arrived(stepper), engine_of(jit), cached=cached)


copyreg.pickle(CompiledModel, _travelling)


def _check_fit(spec: ModelSpec, method: Stepper) -> None:
    """Refuse a model that the method itself refuses, or whose equations it cannot differentiate."""
    if method.needs and any(spec.lags):
        lagged = [name for name, depth in zip(spec.states, spec.lags, strict=True) if depth]
        raise StepperKindMismatchError(
            f"model {spec.name!r} uses lag_{lagged[0]}(), and {method.name!r} needs derivatives of "
            "the equations, which then are not all there is to the next step."
        )
    if spec.is_integer and (method.noted or method.own_options):
        raise StepperKindMismatchError(
            f"model {spec.name!r} is made of integers ({spec.dtype}), and {method.name!r} keeps "
            "real numbers beside the states: what it counts, or its options."
        )
    try:
        why = method.refuses(Problem.of(spec))
    except Exception as error:
        if registry.is_own(method) or isinstance(error, DynlibError):
            raise
        what = f"{type(error).__name__}: {error}".removesuffix(": ")
        source = registry.source_of(method)
        raise StepperError(
            f"stepper {method.name!r} ({source}): its refuses(problem) raised {what}."
        ) from error
    if why:
        raise StepperKindMismatchError(f"stepper {method.name!r} is not for {spec.name!r}: {why}.")


def _converted(spec: ModelSpec, dtype: Any) -> ModelSpec:
    real = ("float32", "float64")
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = ""
    if name == spec.dtype:
        return spec
    if name not in real:
        msg = f"dtype must be {' or '.join(map(repr, real))}, found {dtype!r}."
        raise OptionError(msg)
    if spec.dtype not in real:
        msg = f"model {spec.name!r} is made of integers ({spec.dtype}) and cannot be {name}."
        raise OptionError(msg)
    return replace(spec, dtype=name)


def _lagged(spec: ModelSpec, method: Stepper) -> str:
    names = [name for name, depth in zip(spec.states, spec.lags, strict=True) if depth]
    fixed = [n for n in steppers.list_steppers() if not steppers.get(n).adaptive]
    flows = [n for n in fixed if steppers.get(n).kind == "ode"]
    return (
        f"model {spec.name!r} uses lag_{names[0]}(), a value so many steps back, and the steps of "
        f"{method.name!r} adapt in length. Steppers for it: {', '.join(flows)}."
    )
