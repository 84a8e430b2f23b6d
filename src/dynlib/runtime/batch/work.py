"""Parts of a batch: cut off, computed here or elsewhere, put together again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from os import getpid
from platform import node
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.status import Status
from dynlib.compiler.build import put_together
from dynlib.compiler.engine import Jit
from dynlib.compiler.jit.engines import engine_of
from dynlib.compiler.model import CompiledModel
from dynlib.dsl import load_model
from dynlib.errors import DynlibError
from dynlib.runtime.batch.inputs import cut, unusable
from dynlib.runtime.batch.ranges import EVENTS, PER_RUN, check_like, check_ranges
from dynlib.runtime.fastpath.executor import run_batch_fastpath
from dynlib.runtime.fastpath.observers import layout_of
from dynlib.runtime.fastpath.outcome import allocate, record_room
from dynlib.runtime.fastpath.request import BatchRequest, RawBatch
from dynlib.steppers.base import Stepper
from dynlib.steppers.registry import arrived, carried

__all__ = ["Assembly", "Task", "checked_part", "compute", "part_of", "perform", "unrun"]


def compute(model: CompiledModel, request: BatchRequest) -> RawBatch:
    """Run a batch in this process.

    A run that starts from NaN or an infinite state has failed, whether or not it is ever used.
    """
    if not request.n_runs:
        return unrun(model, request)
    raw = run_batch_fastpath(model, request)
    bad = unusable(request.y0, request.p)
    if bad is not None:
        ended_well = (raw.status == Status.DONE) | (raw.status == Status.EARLY_EXIT)
        raw.status[bad & ended_well] = Status.NAN_DETECTED
    unfinished = raw.status == Status.USER_BREAK
    if unfinished.any():
        _forget(raw, unfinished)
    return raw


def _forget(raw: RawBatch, runs: NDArray[np.bool_]) -> None:
    """Leave nothing of runs that were interrupted: they are as if they had never begun.

    What their records hold is marked when it is looked at; see `blank_unfinished`.
    """
    nothing = np.nan if raw.y_final.dtype.kind == "f" else 0
    raw.y_final[:, runs] = nothing
    raw.final_dt[runs] = np.nan
    for values in raw.p_final.values():
        values[runs] = nothing
    raw.outputs[:, runs] = np.nan
    raw.traces[runs & (raw.trace_rows > 0).any(axis=0)] = np.nan  # others hold nothing else
    raw.trace_rows[:, runs] = 0
    raw.rows[runs] = raw.steps[runs] = raw.rejected[runs] = 0
    raw.tallies[:, runs] = 0
    kept = ~runs[raw.evt_run]
    for name in EVENTS:
        setattr(raw, name, getattr(raw, name)[kept])


def part_of(request: BatchRequest, first: int, last: int) -> BatchRequest:
    """The runs from `first` up to `last`, which is left out, as a batch of their own."""
    return replace(
        request,
        n_runs=last - first,
        y0=tuple(cut(column, first, last) for column in request.y0),
        p=tuple(cut(column, first, last) for column in request.p),
    )


def unrun(model: CompiledModel, request: BatchRequest) -> RawBatch:
    """The result of a batch of which nothing has been run."""
    raw = _room(model, request)
    _forget(raw, raw.status == Status.USER_BREAK)
    return raw


def _room(model: CompiledModel, request: BatchRequest) -> RawBatch:
    rows = request.record.capacity if request.samples is None else request.samples.size
    records = record_room(model, request, rows)
    final = np.full((2, request.n_runs), np.nan)
    final[0] = request.t0
    return allocate(model, request, np.zeros(rows), layout_of(model, request), records, final)


class Assembly:
    """A batch that is put together from its parts, in whatever order they come.

    Parameters
    ----------
    model : CompiledModel
    request : BatchRequest
        The whole.
    """

    def __init__(self, model: CompiledModel, request: BatchRequest) -> None:
        self._whole = unrun(model, request)
        self._events: dict[int, Sequence[Any]] = {}

    def put(self, first: int, part: RawBatch) -> None:
        """Take in the runs from `first` on."""
        whole = self._whole
        size = len(part.status)
        for name, axis in PER_RUN.items():
            place = (slice(None),) * axis + (slice(first, first + size),)
            getattr(whole, name)[place] = getattr(part, name)
        if len(part.evt_run):
            columns = [getattr(part, name) for name in EVENTS]
            self._events[first] = [columns[0] + first, *columns[1:]]
        for index, values in part.p_final.items():
            whole.p_final[index][first : first + size] = values
        whole.lanes = part.lanes

    def whole(self) -> RawBatch:
        """All runs; those of which no part came have the status `USER_BREAK`."""
        parts = [self._events[first] for first in sorted(self._events)]
        if parts:
            for name, columns in zip(EVENTS, zip(*parts, strict=True), strict=True):
                setattr(self._whole, name, np.concatenate(columns))
        return self._whole


@dataclass(frozen=True)
class Task:
    """A part of a batch that can travel: the model goes as text, and is compiled where it runs.

    Attributes
    ----------
    model
        The document of the model.
    stepper
        Its name, or a stepper that was registered in the process of the batch.
    jit, disk_cache
        As in `dynlib.build`.
    request
        The part.
    """

    model: str
    stepper: str | Stepper
    jit: Jit
    disk_cache: bool
    request: BatchRequest

    @classmethod
    def parts(
        cls, model: CompiledModel, request: BatchRequest, bounds: Iterable[tuple[int, int]]
    ) -> Iterator[tuple[int, Task]]:
        """The runs between `bounds`, each with its first run."""
        text, cached = model.spec.to_toml(), model.disk_cache is not None
        plain = replace(request, progress=None, options=dict(request.options))
        for first, last in bounds:
            part = part_of(plain, first, last)
            yield first, cls(text, carried(model.stepper), model.jit, cached, part)


def perform(task: Task, attempt: int = 0) -> tuple[RawBatch, str]:
    """Do a task in whatever process this is; returns its result and a name of the process.

    `attempt` counts the workers lost over it: an executor that knows equal calls by their
    arguments then sees a new one.
    """
    model = _model(task.model, arrived(task.stepper), task.jit, task.disk_cache)
    return compute(model, task.request), f"{node()}:{getpid()}"


def checked_part(model: CompiledModel, task: Task, result: Any) -> tuple[RawBatch, str]:
    """What came back for a task, if it is what `perform` returns for it.

    Raises
    ------
    DynlibError
        If names, types, shapes or ranges do not fit.
    """
    request = task.request
    try:
        raw, worker = result
        if not isinstance(raw, RawBatch) or not isinstance(worker, str):
            raise ValueError(f"it is {type(result).__name__}")
        check_like(raw, _room(model, request))
        check_ranges(raw, layout_of(model, request), len(model.spec.events))
        if not isinstance(raw.lanes, int) or raw.lanes < 1:
            raise ValueError(f"it had {raw.lanes!r} lanes")
    except (ValueError, TypeError, AttributeError) as error:
        raise DynlibError(
            f"a worker returned something else than the result of its {request.n_runs} runs: "
            f"{error}. The executor must return what the function that it was given returned, and "
            "the workers need the version of dynlib that is used here."
        ) from error
    return raw, worker


@lru_cache(maxsize=16)
def _model(text: str, stepper: Stepper, jit: Jit, disk_cache: bool) -> CompiledModel:
    """A model that came as text, kept for the tasks that follow."""
    return put_together(load_model(text), stepper, engine_of(jit), cached=disk_cache)
