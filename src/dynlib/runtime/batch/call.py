"""A batch from call to result: check everything, run it here or elsewhere, put names to it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dynlib.abi.phases import told
from dynlib.abi.status import Status
from dynlib.compiler.model import CompiledModel
from dynlib.errors import OptionError
from dynlib.observers.kit.metadata import describe
from dynlib.observers.kit.module import ObserverModule
from dynlib.observers.kit.validation import checked_observers
from dynlib.runtime.batch.executors import check_travel, checked_executor
from dynlib.runtime.batch.frame import BatchFrame, RunEnd
from dynlib.runtime.batch.inputs import Inputs, batch_inputs
from dynlib.runtime.batch.recording import Recording, chosen_plan, recording, signed_dt
from dynlib.runtime.batch.results import BatchResults
from dynlib.runtime.batch.room import check_room
from dynlib.runtime.batch.run import one_part, run_elsewhere, run_here, run_to_store
from dynlib.runtime.batch.table import EventLog, MemoryTable, stats_of
from dynlib.runtime.costs import Costs
from dynlib.runtime.fastpath.capability import LANES, check_capability
from dynlib.runtime.fastpath.executor import run_single_fastpath
from dynlib.runtime.fastpath.observers import combined_of, layout_of
from dynlib.runtime.fastpath.processors import cores
from dynlib.runtime.fastpath.request import BatchRequest
from dynlib.runtime.observation import build_observer_metadata, check_transient
from dynlib.runtime.origin import Origin
from dynlib.runtime.progress import Progress, TerminalLine, progress_of
from dynlib.runtime.results import Results
from dynlib.runtime.run_options import (
    RunOptions,
    check_stepper_options,
    merge,
    model_defaults,
    step_limit,
)
from dynlib.runtime.starting import Start
from dynlib.runtime.trace_room import check_workspaces
from dynlib.runtime.validate import integer, one_of, shown
from dynlib.wording import argument

__all__ = ["Means", "run_batch", "run_fast"]

_COMMON = (
    "T", "N", "t0", "dt", "ic", "params", "plan", "t_eval", "transient", "observers",
    "record_vars", "max_steps", "on_failure",
)  # fmt: skip
_BATCH_NAMES = (*_COMMON, "workers", "lanes", "executor", "out", "progress")


@dataclass(frozen=True)
class Means:
    """By what means a batch is computed; checked.

    Attributes
    ----------
    workers
        Threads; with an executor, threads in each of its processes.
    lanes
        Runs side by side in a block; None leaves it to the engine.
    executor
        Where to compute; None: here.
    out
        A Zarr store to put the numbers into; None: memory.
    progress
        Whom to tell how far it is.
    """

    workers: int
    lanes: int | None
    executor: Executor | None
    out: Path | None
    progress: Progress | None

    @classmethod
    def checked(cls, workers: Any, lanes: Any, executor: Any, out: Any, progress: Any) -> Means:
        """The means that the arguments of `Sim.batch` stand for.

        Raises
        ------
        OptionError
            For a value that cannot be used.
        """
        if workers is None:
            threads = 1 if executor is not None else cores()
        else:
            threads = integer("workers (threads; None: one for each core)", workers, least=1)
        if lanes is not None and not any(np.ndim(lanes) == 0 and lanes == each for each in LANES):
            raise OptionError(
                f"lanes must be one of {', '.join(map(str, LANES))}, or None, which leaves the "
                f"choice to the machine; found {shown(lanes)}."
            )
        return cls(
            workers=threads,
            lanes=None if lanes is None else int(lanes),
            executor=None if executor is None else checked_executor(executor),
            out=None if out is None else _store_path(out),
            progress=progress_of(progress),
        )


def run_batch(
    model: CompiledModel,
    start: Start,
    values: tuple[Any, Any],
    call: Mapping[str, Any],
    means: Means,
    stepper_options: Mapping[str, Any],
) -> BatchResults:
    """Run a batch as `Sim.batch` describes it.

    Parameters
    ----------
    model, start
        The model, and the values of what is not given.
    values
        `ic` and `params`.
    call
        The arguments that say what to compute.
    means
        Those that say how.
    stepper_options
        Options of the stepper.
    """
    one_of("on_failure", call["on_failure"], ("raise", "return"))
    check_stepper_options(stepper_options, model, "batch", _BATCH_NAMES)
    options, record, observers = _planned(model, call, stepper_options)
    if means.executor is not None:
        check_travel(means.executor, observers)
    inputs = batch_inputs(start, *values)
    request = _request(model, inputs, record, options, means, observers)
    if means.out is not None:
        check_room(model, one_part(model, request, record), record, "store")
    else:
        check_room(model, request, record)
    frame = _frame(model, inputs, record, options, request)
    try:
        with told(means.progress):
            table, effort = _computed(model, request, frame, record, means)
    finally:
        if isinstance(means.progress, TerminalLine):
            means.progress.close()
    stats = stats_of(table, frame.costs, effort)
    results = BatchResults(frame, table, stats)
    if call["on_failure"] == "raise" and not (results.status == Status.USER_BREAK).any():
        results.raise_for_status()
    return results


def _computed(
    model: CompiledModel, request: BatchRequest, frame: BatchFrame, record: Recording, means: Means
) -> tuple[Any, Any]:
    """What the runs of a batch bring, and what it cost."""
    if means.out is not None:
        return run_to_store(model, request, frame, record, means.executor, means.out)
    if means.executor is not None:
        return run_elsewhere(model, request, record, means.executor)
    return run_here(model, request, record)


def run_fast(
    model: CompiledModel,
    start: Start,
    values: tuple[Any, Any],
    call: Mapping[str, Any],
    stepper_options: Mapping[str, Any],
) -> Results:
    """One run on the fast path, as `Sim.fastpath` describes it."""
    one_of("on_failure", call["on_failure"], ("raise", "return"))
    check_stepper_options(stepper_options, model, "fastpath", _COMMON)
    options, record, observers = _planned(model, call, stepper_options)
    y, p = start.of_run(*values)
    inputs = Inputs(1, tuple(y.tolist()), tuple(p.tolist()))
    request = _request(model, inputs, record, options, Means(1, 1, None, None, None), observers)
    check_room(model, request, record, "fastpath")
    raw = run_single_fastpath(model, request)
    table = MemoryTable(raw, record.end_states(model))
    steps, rejected = int(raw.steps[0]), int(raw.rejected[0])
    end = RunEnd(
        status=Status(int(raw.status[0])),
        t=float(raw.t_final[0]),
        dt=float(raw.final_dt[0]),
        steps=steps,
        rejected=rejected,
        seconds=raw.seconds,
    )
    frame = _frame(model, inputs, record, options, request)
    log = EventLog(raw.evt_run, raw.evt_t, raw.evt_step, raw.evt_id, raw.evt_log)
    found = build_observer_metadata(frame.observed, *table.observed(), alone=True)
    arrays = table.run(0)._replace(observers=found)
    results = Results(frame.origin, [frame.segment(0, arrays, log, end)])
    if call["on_failure"] == "raise" and results.status is not Status.USER_BREAK:
        results.raise_for_status()
    return results


def _planned(
    model: CompiledModel, call: Mapping[str, Any], stepper_options: Mapping[str, Any]
) -> tuple[RunOptions, Recording, tuple[ObserverModule, ...]]:
    """What every run is asked for, checked, what it records, and who observes it."""
    observers = checked_observers(call["observers"])
    check_workspaces(observers)
    asked = {
        name: value
        for name, value in call.items()
        if name not in ("observers", "plan", "on_failure")
    }
    defaults, stepper_defaults = model_defaults(model)
    merged = merge(asked, defaults)
    merged["stepper_options"] = merge(stepper_options, stepper_defaults)
    options = RunOptions.checked(merged, model)
    model.stepper.options(options.stepper_options, len(model.spec.states))
    plan = chosen_plan(call["plan"], options, model)
    check_capability(model, options, plan, observers)
    if observers:
        check_transient(options, adaptive=model.stepper.adaptive)
    return options, recording(model, options, plan), observers


def _frame(
    model: CompiledModel,
    inputs: Inputs,
    record: Recording,
    options: RunOptions,
    request: BatchRequest,
) -> BatchFrame:
    return BatchFrame(
        origin=Origin.of(model),
        inputs=inputs,
        t=record.t,
        selection=record.selection,
        call=record.options,
        t0=options.t0,
        plan=record.label,
        observed=layout_of(model, request),
        observers=describe(combined_of(request.observers, model), request.transient),
        costs=Costs.of(model.stepper),
    )


def _request(
    model: CompiledModel,
    inputs: Inputs,
    record: Recording,
    options: RunOptions,
    means: Means,
    observers: tuple[ObserverModule, ...],
) -> BatchRequest:
    """The batch in the engine's terms."""
    spec = model.spec
    states, aux = record.selection.request(spec.states, tuple(each.name for each in spec.aux))
    return BatchRequest(
        n_runs=inputs.n_runs,
        y0=inputs.y0,
        p=inputs.p,
        t_end=None if spec.is_map else options.end,
        n_end=int(options.end - options.t0) if spec.is_map else None,
        t0=options.t0,
        dt=None if options.dt is None else signed_dt(options),
        record=record.at_steps,
        samples=record.samples,
        states=states,
        aux=aux,
        max_steps=step_limit(options, model),
        options=options.stepper_options,
        observers=observers,
        transient=options.transient if observers else 0,
        workers=means.workers,
        lanes=means.lanes,
        progress=means.progress,
    )


def _store_path(out: Any) -> Path:
    if not isinstance(out, str | os.PathLike):
        raise OptionError(
            f"{argument('out')} must be the path of a Zarr store, found {shown(out)}."
        )
    path = Path(out).expanduser()
    if path.suffix.lower() != ".zarr":
        raise OptionError(
            f"{argument('out', str(path))} must end with .zarr: a batch is written to a Zarr store "
            f"as it runs. For another format run it without {argument('out')}, and save() the "
            "result."
        )
    return path
