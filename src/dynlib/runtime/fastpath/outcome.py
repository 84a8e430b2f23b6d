"""Room for what a batch brings."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.status import Status
from dynlib.compiler.model import CompiledModel
from dynlib.observers.kit.layout import ObservedLayout
from dynlib.runtime.costs import Costs
from dynlib.runtime.fastpath.request import BatchRequest, RawBatch

__all__ = [
    "aligned",
    "allocate",
    "assigned_params",
    "blank",
    "blank_unfinished",
    "in_lines",
    "nothing",
    "record_room",
]

Floats = NDArray[np.float64]
_LINE = 64  # bytes of a cache line
_LONG = 64  # numbers of a record from which on it may be filled up to whole lines
_KEPT = 31 << 20  # bytes: the C library heeds no block above 32 MB
_LARGE = 8 << 20  # bytes of records that go past the cache, which would have to fetch them first


def assigned_params(model: CompiledModel) -> set[int]:
    """Parameters that events change: every run has its own."""
    return set(model.spec.assigned_params)


def blank(out: RawBatch) -> None:
    """Mark the rows that a run did not come to: NaN, or 0 for integers.

    Those of runs that never ended are left as they are (`blank_unfinished`).
    """
    total = out.rec_t.size
    if total:
        empty = np.nan if out.rec_y.dtype.kind == "f" else 0
        for r in np.flatnonzero((out.rows < total) & (out.status != Status.USER_BREAK)):
            out.rec_y[r, out.rows[r] :] = empty
            out.rec_aux[r, out.rows[r] :] = np.nan


def blank_unfinished(out: RawBatch) -> None:
    """Mark all rows of the runs that never ended.

    There may be many, whose memory nobody has touched yet: it takes as long as writing to all of
    it does, and so is not done before somebody looks.
    """
    empty = np.nan if out.rec_y.dtype.kind == "f" else 0
    for r in np.flatnonzero(out.status == Status.USER_BREAK):
        out.rec_y[r] = empty
        out.rec_aux[r] = np.nan


def allocate(
    model: CompiledModel,
    request: BatchRequest,
    row_times: Floats,
    observed: ObservedLayout,
    records: NDArray[Any],
    final: Floats,
) -> RawBatch:
    """Room for the results of a batch whose records have these times; `final` times and steps."""
    n, rows = request.n_runs, row_times.size
    ints = np.zeros(0, dtype=np.int64)
    return RawBatch(
        y_final=np.empty((len(model.spec.states), n), dtype=model.dtype),
        t_final=final[0],
        final_dt=final[1],
        status=np.full(n, int(Status.USER_BREAK), dtype=np.int64),
        steps=np.zeros(n, dtype=np.int64),
        rejected=np.zeros(n, dtype=np.int64),
        rows=np.zeros(n, dtype=np.int64),
        rec_t=row_times,
        rec_y=records[:, :rows],
        rec_aux=np.empty((n, rows, len(request.aux))),
        evt_run=ints,
        evt_t=np.zeros(0),
        evt_step=ints,
        evt_id=ints,
        evt_log=np.zeros((0, model.log_width)),
        outputs=np.full((observed.output_rows, n), np.nan),
        traces=np.full((n, observed.trace_size), np.nan),
        trace_rows=np.zeros((observed.n_traces, n), dtype=np.int64),
        tallies=np.zeros((len(Costs.of(model.stepper).columns), n), dtype=np.int64),
        p_final={index: np.zeros(n, model.dtype) for index in sorted(assigned_params(model))},
    )


def record_room(model: CompiledModel, request: BatchRequest, rows: int) -> NDArray[Any]:
    """Room for the recorded states of all runs, (n_runs, at least `rows`, columns).

    A large one begins on a cache line, and so does each run in it: compiled code then writes whole
    lines, past the cache.
    """
    _keep_freed_memory()
    columns = len(model.spec.states) if request.states is None else len(request.states)
    item = model.dtype.itemsize
    if rows * columns < _LONG or request.n_runs * rows * columns * item < _LARGE:
        return np.empty((request.n_runs, rows, columns), dtype=model.dtype)
    side = _LINE // item
    rows += -rows % (side // math.gcd(side, columns))
    return aligned((request.n_runs, rows, columns), model.dtype)


@cache
def _keep_freed_memory() -> None:
    """Let memory that a batch frees be there for the next one.

    The C library of Linux gives freed memory back to the system, page by page, until a block as
    large as this one has been freed: short batches in a loop then wait for their pages more than
    they compute.  The block is never written to, so it takes no memory itself.
    """
    np.empty(_KEPT, dtype=np.uint8)


def aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """An array that begins on a cache line: no vector of it then lies in two of them."""
    size = math.prod(shape) * dtype.itemsize
    room = np.empty(size + _LINE, dtype=np.uint8)
    start = -room.ctypes.data % _LINE
    return room[start : start + size].view(dtype).reshape(shape)


def in_lines(room: NDArray[Any]) -> bool:
    """Whether the records of all runs begin on a cache line, and are too large for a cache."""
    whole = room.ctypes.data % _LINE == 0 and room[:1].nbytes % _LINE == 0
    return whole and room.nbytes >= _LARGE


@cache
def nothing(kind: str, ndim: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """An argument that a runner has no use for."""
    return np.zeros((0,) * ndim, dtype={"f8": np.float64, "i8": np.int64}.get(kind, dtype))
