"""Observers of a batch: bound once, with room for their traces, and what they leave."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.slots import NEVER
from dynlib.compiler.codegen.lane_program import CHUNK
from dynlib.compiler.model import CompiledModel
from dynlib.observers.kit.combined import CombinedObserver, combine
from dynlib.observers.kit.hook_traceback import hook_error
from dynlib.observers.kit.layout import ObservedLayout
from dynlib.observers.kit.module import ObserverModule
from dynlib.runtime.fastpath.request import BatchRequest

__all__ = [
    "combined_of",
    "hook_errors",
    "layout_of",
    "observed_from",
    "observed_steps",
    "observer_arrays",
]

_ROOM = 2 * CHUNK + 16  # rows of a trace that a chunk of steps may add before anybody looks


def combined_of(
    observers: tuple[ObserverModule, ...], model: CompiledModel
) -> CombinedObserver | None:
    """The observers, bound to the model; None if there are none."""
    return combine(observers, model.spec, model.stepper) if observers else None


@contextmanager
def hook_errors(combined: CombinedObserver | None, *, plain: bool) -> Iterator[None]:
    """Say whose hook it was that raised.

    Raises
    ------
    ObserverError
    """
    try:
        yield
    except Exception as error:  # whatever a user's hook may raise
        message = None
        if combined is not None and combined.has_user_hooks:
            message = hook_error(combined, error, plain=plain)
        if message is None:
            raise
        raise message from error


def observed_steps(model: CompiledModel, request: BatchRequest) -> int | None:
    """Steps of a run, if they are known beforehand."""
    if request.n_end is not None:
        return request.n_end
    if model.stepper.adaptive or request.dt is None or request.t_end is None:
        return None
    return int(abs(request.t_end - request.t0) / abs(request.dt)) + 2


def layout_of(model: CompiledModel, request: BatchRequest) -> ObservedLayout:
    """What the observers of a batch leave."""
    combined = combined_of(request.observers, model)
    if combined is None:
        return ObservedLayout()
    return ObservedLayout.of(combined, observed_steps(model, request))


def observed_from(model: CompiledModel, request: BatchRequest, first: int, last: int) -> int:
    """The step of a fixed grid at which observers start."""
    if not request.observers:
        return NEVER
    if model.spec.is_map:
        steps = int(request.transient)
    else:
        steps = int(-((-request.transient / abs(request.dt or 1.0) + 1e-9) // 1))
    return min(first + steps, last)


def observer_arrays(
    combined: CombinedObserver | None, steps: int | None, lanes: int
) -> dict[str, NDArray[Any]]:
    """What a thread needs for observers, by the names of the runner's arguments."""
    if combined is None:
        return {}
    table, rows = combined.trace_table(steps, _ROOM)
    return {
        "trace_buf": np.zeros((rows, lanes)),
        "trace_count": np.zeros((2 * combined.n_traces, lanes), dtype=np.int64),
        "traces": table,
        "first_ws": combined.first,
    }
