"""Whether the results of a batch fit into memory: asked before any of it is allocated."""

from __future__ import annotations

import numpy as np

from dynlib.compiler.model import CompiledModel
from dynlib.errors import OptionError
from dynlib.runtime.batch.recording import Recording
from dynlib.runtime.fastpath.executor import default_lanes
from dynlib.runtime.fastpath.observers import combined_of, layout_of, observed_steps
from dynlib.runtime.fastpath.request import BatchRequest
from dynlib.runtime.memory import available_memory, readable_size
from dynlib.runtime.trace_room import traces_that_fit

__all__ = ["bytes_per_run", "check_room"]

_TRIFLE = 32 << 20  # bytes; to ask the system what is free takes longer than many a batch
_SCALARS = 5 * 8  # bytes of a run's time, status, steps, rejected steps, rows


def bytes_per_run(model: CompiledModel, request: BatchRequest, record: Recording) -> int:
    """Bytes of the results of one run, without its events."""
    rows = len(record.t) * record.row_bytes(model)
    ends = len(model.spec.states) * model.dtype.itemsize + _SCALARS
    varied = sum(isinstance(value, np.ndarray) for value in request.p)  # which are copied
    return rows + ends + varied * model.dtype.itemsize + _observed_bytes(model, request)


def _observed_bytes(model: CompiledModel, request: BatchRequest) -> int:
    """Bytes of what observers find in one run."""
    layout = layout_of(model, request)
    return 8 * (layout.output_rows + layout.trace_size + layout.n_traces)


def _working_bytes(model: CompiledModel, request: BatchRequest) -> int:
    """Bytes of the traces of the runs that are under way together."""
    combined = combined_of(request.observers, model)
    if combined is None or not combined.n_traces:
        return 0
    _, rows = combined.trace_table(observed_steps(model, request))
    return 8 * rows * (request.lanes or default_lanes(model)) * request.workers


def check_room(model: CompiledModel, request: BatchRequest, record: Recording) -> None:
    """Refuse a batch whose results do not fit into memory.

    Raises
    ------
    OptionError
        It says how much is needed, how much there is, and which plan fits.
    """
    n_runs = request.n_runs
    each, working = bytes_per_run(model, request, record), _working_bytes(model, request)
    needed = n_runs * each + working
    if needed <= _TRIFLE:
        return
    free = available_memory()
    if free is None or needed <= free:
        return
    columns = len(record.selection.states) + len(record.selection.aux)
    observed = _observed_bytes(model, request)
    besides = f" and {readable_size(observed)} of observers each" if request.observers else ""
    raise OptionError(
        f"the results of {n_runs:,} runs with {len(record.t):,} rows of {columns} variables "
        f"({record.label}){besides} need {readable_size(needed)}, and {readable_size(free)} of "
        f"memory are free. {_ways(model, request, record, free)}"
    )


def _ways(model: CompiledModel, request: BatchRequest, record: Recording, free: int) -> str:
    """What would fit."""
    ways = []
    n_runs = request.n_runs
    record_bytes = len(record.t) * record.row_bytes(model)
    ends = n_runs * (bytes_per_run(model, request, record) - record_bytes)
    combined = combined_of(request.observers, model)
    if combined is not None and combined.n_traces and ends > free // 2:
        at_once = (request.lanes or default_lanes(model)) * request.workers
        room = free - min(free, n_runs * record_bytes)
        return traces_that_fit(combined, observed_steps(model, request), n_runs + at_once, room)
    row = n_runs * record.row_bytes(model)
    rows = int((free / 2 - ends) // row) if row else 0
    on_grid = record.samples is None and record.plan.rows > 0
    if rows >= 2 and on_grid:
        stride = record.plan.stride * -(-len(record.t) // (rows - 1))
        kept = -(-len(record.t) * record.plan.stride // stride)
        ways.append(f"plan=Stride({stride}) needs {readable_size(ends + kept * row)}")
    elif rows >= 1 and record.samples is not None:
        ways.append(f"{rows} times in t_eval need {readable_size(ends + rows * row)}")
    if row and ends <= free:
        ways.append(f"plan=FinalState() needs {readable_size(ends)}")
    ways.append("out='sweep.zarr' needs no more memory than a part of the batch at a time")
    return "; ".join(ways) + "."
