"""Whether the results of a batch fit into memory: asked before any of it is allocated."""

from __future__ import annotations

from typing import Literal

import numpy as np

from dynlib.compiler.model import CompiledModel
from dynlib.errors import OptionError
from dynlib.runtime.batch.recording import Recording
from dynlib.runtime.fastpath.executor import default_lanes
from dynlib.runtime.fastpath.observers import combined_of, layout_of, observed_steps
from dynlib.runtime.fastpath.recording_plans import FinalState, Stride
from dynlib.runtime.fastpath.request import BatchRequest
from dynlib.runtime.memory import available_memory, readable_size
from dynlib.runtime.trace_room import traces_that_fit
from dynlib.wording import argument

__all__ = ["bytes_per_run", "check_room"]

# Who runs it: `Sim.batch` into memory, `Sim.batch` into a store, `Sim.fastpath`.
Way = Literal["batch", "store", "fastpath"]

_TRIFLE = 32 << 20  # bytes; to ask the system what is free takes longer than many a batch
_TIMES = 2 * 8  # bytes of the time of a row: as the user sees it, and as the kernel does
_COPIES = 2  # of what a part brings, while it is written to a store
_SCALARS = 6 * 8  # bytes of a run's time, step, status, steps, rejected steps, rows


def bytes_per_run(model: CompiledModel, request: BatchRequest, record: Recording) -> int:
    """Bytes of the results of one run, without its events."""
    rows = record.rows * record.row_bytes(model)
    ends = len(model.spec.states) * model.dtype.itemsize + _SCALARS
    varied = sum(isinstance(value, np.ndarray) for value in request.p)  # which are copied
    return rows + ends + varied * model.dtype.itemsize + _observed_bytes(model, request)


def _observed_bytes(model: CompiledModel, request: BatchRequest) -> int:
    """Bytes of what observers find in one run."""
    layout = layout_of(model, request)
    return 8 * (layout.output_rows + layout.trace_size + layout.n_traces)


def _working_bytes(model: CompiledModel, request: BatchRequest) -> int:
    """Bytes of what observers work in, for the runs that are under way together."""
    combined = combined_of(request.observers, model)
    if combined is None:
        return 0
    traced = combined.trace_table(observed_steps(model, request))[1] if combined.n_traces else 0
    rows = traced + 2 * (combined.workspace + combined.outputs)
    return 8 * rows * _at_once(model, request)


def _at_once(model: CompiledModel, request: BatchRequest) -> int:
    """Runs that are under way together."""
    lanes = request.lanes or default_lanes(model)
    return lanes * max(1, min(request.workers, -(-request.n_runs // lanes)))


def check_room(
    model: CompiledModel, request: BatchRequest, record: Recording, way: Way = "batch"
) -> None:
    """Refuse what would not fit into memory; of a batch into a store, give one part.

    Raises
    ------
    OptionError
        It says how much is needed, how much there is, and which plan fits.
    """
    n_runs = request.n_runs * (_COPIES if way == "store" else 1)
    each, working = bytes_per_run(model, request, record), _working_bytes(model, request)
    needed = n_runs * each + working + record.rows * _TIMES
    if needed <= _TRIFLE:
        return
    free = available_memory()
    if free is None or needed <= free:
        return
    columns = len(record.selection.states) + len(record.selection.aux)
    observed = _observed_bytes(model, request)
    besides = ""
    if request.observers and way == "fastpath":
        besides = f" and {readable_size(observed + working)} of observers"
    elif request.observers:
        besides = f" and {readable_size(observed)} of observers each"
    runs = f"{request.n_runs:,} run{'s' if request.n_runs != 1 else ''}"
    what = {
        "batch": f"the results of {runs}",
        "store": f"the results of {runs}, which are written to the store together,",
        "fastpath": "the results of a run",
    }[way]
    raise OptionError(
        f"{what} with {record.rows:,} rows of {columns} variables ({_chosen(record)}){besides} "
        f"need {readable_size(needed)}, and {readable_size(free)} of memory are free. "
        f"{_ways(model, request, record, free, way)}"
    )


def _chosen(record: Recording) -> str:
    return argument("t_eval") if record.plan is None else argument("plan", record.plan)


def _ways(
    model: CompiledModel, request: BatchRequest, record: Recording, free: int, way: Way
) -> str:
    """What would fit."""
    ways = []
    n_runs = request.n_runs * (_COPIES if way == "store" else 1)
    record_bytes = record.rows * record.row_bytes(model)
    working = _working_bytes(model, request)
    ends = n_runs * (bytes_per_run(model, request, record) - record_bytes) + working
    combined = combined_of(request.observers, model)
    if combined is not None and ends > free // 2:
        if not combined.n_traces:
            return "Give observers fewer outputs, bins or rows of workspace, or fewer runs."
        room = free - min(free, n_runs * record_bytes)
        copies = n_runs + _at_once(model, request)
        return traces_that_fit(combined, observed_steps(model, request), copies, room)
    row = n_runs * record.row_bytes(model) + _TIMES
    rows = int((free / 2 - ends) // row)
    on_grid = record.samples is None and not record.from_final
    if rows >= 2 and on_grid:
        stride = record.planned.stride * -(-record.rows // (rows - 1))
        kept = -(-record.rows * record.planned.stride // stride)
        every = argument("plan", Stride(stride))
        ways.append(f"{every} needs {readable_size(ends + kept * row)}")
    elif rows >= 1 and record.samples is not None:
        need = readable_size(ends + rows * row)
        ways.append(f"{rows} times in {argument('t_eval')} need {need}")
    if record.rows > 1 and ends <= free:
        ways.append(f"{argument('plan', FinalState())} needs {readable_size(ends)}")
    if way == "batch":
        store = argument("out", "sweep.zarr")
        ways.append(f"{store} needs no more memory than a part of the batch at a time")
    elif not ways:
        ways.append("Take fewer runs, or fewer variables")
    return "; ".join(ways) + "."
