"""Whether the record of a batch fits into memory: asked before any of it is allocated."""

from __future__ import annotations

from dynlib.compiler.model import CompiledModel
from dynlib.errors import OptionError
from dynlib.runtime.batch.recording import Recording
from dynlib.runtime.fastpath.request import BatchRequest
from dynlib.runtime.memory import available_memory, readable_size

__all__ = ["bytes_per_run", "check_room"]

_TRIFLE = 32 << 20  # bytes; to ask the system what is free takes longer than many a batch
_SCALARS = 5 * 8  # bytes of a run's time, status, steps, rejected steps, rows


def bytes_per_run(model: CompiledModel, record: Recording) -> int:
    """Bytes of the results of one run, without its events."""
    rows = len(record.t) * record.row_bytes(model)
    return rows + len(model.spec.states) * model.dtype.itemsize + _SCALARS


def check_room(model: CompiledModel, request: BatchRequest, record: Recording) -> None:
    """Refuse a batch whose results do not fit into memory.

    Raises
    ------
    OptionError
        It says how much is needed, how much there is, and which plan fits.
    """
    n_runs = request.n_runs
    needed = n_runs * bytes_per_run(model, record)
    if needed <= _TRIFLE:
        return
    free = available_memory()
    if free is None or needed <= free:
        return
    columns = len(record.selection.states) + len(record.selection.aux)
    raise OptionError(
        f"the results of {n_runs:,} runs with {len(record.t):,} rows of {columns} variables "
        f"({record.label}) need {readable_size(needed)}, and {readable_size(free)} of memory are "
        f"free. {_ways(model, n_runs, record, free)}"
    )


def _ways(model: CompiledModel, n_runs: int, record: Recording, free: int) -> str:
    """What would fit."""
    ways = []
    ends = n_runs * (bytes_per_run(model, record) - len(record.t) * record.row_bytes(model))
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
