"""The fast path: allocate everything, run blocks of lanes on threads, put the results together.

A batch is cut into slices.  Each thread takes the next slice, copies its inputs, and calls the
runner, which keeps its lanes filled from the slice until all its runs have ended.  What a thread
needs is allocated once (`_WorkspaceBundle`); compiled code allocates nothing.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.lane_args import LANE_ARGS, OBSERVED_LANE_ARGS, LaneClock, LaneCount
from dynlib.abi.slots import NEVER, Clock, Count
from dynlib.abi.status import Status
from dynlib.compiler.codegen.lane_program import LaneProgram
from dynlib.compiler.jit.runner import Runner
from dynlib.compiler.model import CompiledModel
from dynlib.observers.combined import CombinedObserver
from dynlib.runtime.fastpath.observers import (
    blaming,
    combined_of,
    layout_of,
    observed_steps,
    observer_arrays,
)
from dynlib.runtime.fastpath.outcome import (
    aligned,
    allocate,
    assigned_params,
    blank,
    in_lines,
    nothing,
    record_room,
)
from dynlib.runtime.fastpath.request import BatchRequest, RawBatch
from dynlib.runtime.fastpath.times import aim, row_times
from dynlib.runtime.interrupt import Interrupt

__all__ = ["default_lanes", "run_batch_fastpath", "run_single_fastpath"]

_SLICE = 16384  # runs of a slice, at most
_LOG_ROWS = 4096  # events between two emptyings of the log
_CALL_SECONDS = 0.04  # of compiled code between two looks at Ctrl-C
_PLACE = {arg.name: i for i, arg in enumerate((*LANE_ARGS, *OBSERVED_LANE_ARGS))}


def default_lanes(model: CompiledModel) -> int:
    """Runs side by side in a block: enough to hide latency, few enough to stay in the cache."""
    if not model.jit:
        return 1
    if model.spec.is_map and len(model.spec.states) <= 2:
        return 64
    return 32 if len(model.spec.states) <= 8 else 16


def run_single_fastpath(model: CompiledModel, request: BatchRequest) -> RawBatch:
    """One run on the fast path: a block of one lane."""
    assert request.n_runs == 1
    return _Batch(model, request, lanes=1, workers=1).run()


def run_batch_fastpath(model: CompiledModel, request: BatchRequest) -> RawBatch:
    """All runs of a batch.

    Runs that fail say so in `status` and disturb no other.  After Ctrl-C the runs that were
    not finished have the status `USER_BREAK`.
    """
    lanes = request.lanes or default_lanes(model)
    return _Batch(model, request, lanes=lanes, workers=request.workers).run()


@dataclass(frozen=True)
class _RunContext:
    """What all threads share and none changes."""

    model: CompiledModel
    request: BatchRequest
    program: LaneProgram
    runner: Runner
    grid: NDArray[np.float64]
    batch: NDArray[np.int64]
    options: NDArray[np.float64]
    tolerances: NDArray[np.float64]
    uniform: NDArray[Any]
    varied: tuple[int, ...]
    samples: NDArray[np.float64]
    t_final: float
    combined: CombinedObserver | None


def _context(model: CompiledModel, request: BatchRequest, lanes: int) -> _RunContext:
    spec = model.spec
    given = {i for i, value in enumerate(request.p) if isinstance(value, np.ndarray)}
    combined = combined_of(request.observers, model)
    varied = tuple(sorted(given | assigned_params(model)))
    if combined is not None and combined.has_user_hooks:
        varied = tuple(range(len(spec.params)))
    sampled = request.samples is not None
    program, runner = model.fast_runner(lanes, varied, sampled=sampled, analysis=combined)
    grid = np.zeros(len(LaneClock))
    batch = np.zeros(len(LaneCount), dtype=np.int64)
    t_final = aim(model, request, grid, batch)
    batch[LaneCount.FIRST_RECORD] = request.plan.first if request.plan.rows else NEVER
    batch[LaneCount.STRIDE] = request.plan.stride
    batch[LaneCount.ROWS] = request.plan.rows
    samples = np.zeros(0)
    if request.samples is not None:
        end = grid[LaneClock.T_END]
        samples = np.where(request.samples == request.t_end, end, request.samples)
        batch[LaneCount.ROWS] = batch[LaneCount.SAMPLES] = samples.size
    options, tolerances = model.stepper.options(request.options, len(spec.states))
    uniform = np.array(
        [0 if i in given else value for i, value in enumerate(request.p)] or [0], model.dtype
    )
    return _RunContext(
        *(model, request, program, runner, grid, batch, options, tolerances),
        *(uniform, varied, samples, t_final, combined),
    )


class _WorkspaceBundle:
    """What one thread works in."""

    def __init__(self, context: _RunContext, size: int) -> None:
        self.context = context
        program, model, request = context.program, context.model, context.request
        lanes, dtype = program.lanes, model.dtype
        rows = program.block_rows
        joined = aligned((rows + program.lane_rows, lanes), dtype)
        joined[:] = 0
        self.lanes = joined[rows:] if program.joined else np.zeros((program.lane_rows, lanes))
        self.run = np.full(lanes, -1, dtype=np.int64)
        self.batch = context.batch.copy()
        self.count = np.zeros(len(Count), dtype=np.int64)
        self.count[Count.SELECTED_STATES] = -1 if request.states is None else len(request.states)
        self.count[Count.SELECTED_AUX] = len(request.aux)
        self.states = np.empty((len(model.spec.states), size), dtype=dtype)
        self.varied = np.empty((len(context.varied), size), dtype=dtype)
        log = _LOG_ROWS if model.n_events else 0
        width = model.log_width
        self.log = (
            np.empty(log, dtype=np.int64),
            np.empty(log),
            np.empty(log, dtype=np.int64),
            np.empty(log, dtype=np.int64),
            np.full((log, width), np.nan),
        )
        self.batch[LaneCount.EVENT_ROWS] = log
        arrays: dict[str, NDArray[Any]] = {
            "grid": context.grid,
            "batch": self.batch,
            "block": joined if program.joined else joined[:rows],
            "lanes": self.lanes,
            "run": self.run,
            "clock": np.zeros(len(Clock)),
            "count": self.count,
            "uniform": context.uniform,
            "options": context.options,
            "tolerances": context.tolerances,
            "sel_y": np.array(request.states or (), dtype=np.int64),
            "sel_aux": np.array(request.aux, dtype=np.int64),
            "samples": context.samples,
            **dict(
                zip(("evt_run", "evt_t", "evt_step", "evt_id", "evt_log"), self.log, strict=True)
            ),
            **observer_arrays(context.combined, observed_steps(model, request), lanes),
        }
        self.call = context.runner.bind(
            [arrays.get(arg.name, nothing(arg.kind, len(arg.shape), dtype)) for arg in program.args]
        )
        self.keep = arrays

    def put(self, **arrays: NDArray[Any]) -> None:
        """Exchange arguments of the call."""
        for name, array in arrays.items():
            self.call.put(_PLACE[name], array)

    def load(self, first: int, last: int) -> None:
        """Copy the inputs of runs `first` to `last`; forget what was in the lanes."""
        request = self.context.request
        size = last - first
        if self.states.shape[1] != size:
            self.states = np.empty((self.states.shape[0], size), dtype=self.states.dtype)
            self.varied = np.empty((self.varied.shape[0], size), dtype=self.varied.dtype)
        for row, value in zip(self.states, request.y0, strict=True):
            row[:] = value[first:last] if isinstance(value, np.ndarray) else value
        for row, index in zip(self.varied, self.context.varied, strict=True):
            value = request.p[index]
            row[:] = value[first:last] if isinstance(value, np.ndarray) else value
        self.put(states=self.states, varied=self.varied)
        self.run[:] = -1
        self.lanes[:] = 0.0
        self.batch[LaneCount.RUNS] = size
        self.batch[LaneCount.NEXT_RUN] = 0
        self.batch[LaneCount.EVENT_ROW] = 0
        self.batch[LaneCount.AGAIN] = -1

    def take_log(self, first: int) -> list[NDArray[Any]]:
        """The events since the last time, run numbers counted in the whole batch."""
        used = int(self.batch[LaneCount.EVENT_ROW])
        self.batch[LaneCount.EVENT_ROW] = 0
        taken = [column[:used].copy() for column in self.log]
        self.log[4][:used] = np.nan
        taken[0] += first
        return taken


class _Batch:
    """One batch while it runs."""

    def __init__(
        self, model: CompiledModel, request: BatchRequest, *, lanes: int, workers: int
    ) -> None:
        self.context = _context(model, request, lanes)
        self.model, self.request = model, request
        self.lanes = lanes
        self.begun = perf_counter()
        n = request.n_runs
        per_worker = -(-n // (4 * workers)) if workers > 1 else n
        per_worker = -(-per_worker // lanes) * lanes
        self.size = max(lanes, min(_SLICE, per_worker))
        self.workers = max(1, min(workers, -(-n // self.size)))
        times = row_times(model, request, self.context.grid, self.context.batch)
        self.records = record_room(model, request, times.size)
        self.context.batch[LaneCount.STREAM] = in_lines(self.records)
        self.out = allocate(model, request, times, layout_of(model, request), self.records)
        self.logs: list[tuple[int, list[NDArray[Any]]]] = []
        self.lock = threading.Lock()
        self.next_first = 0
        self.done_runs = 0
        self.stop = False

    def run(self) -> RawBatch:
        """Run everything, or until Ctrl-C."""
        interrupt = Interrupt()
        interrupt.watch()
        try:
            if self.workers == 1:
                self._work(interrupt)
            else:
                self._pool(interrupt)
        finally:
            interrupt.release()
        return self._result()

    def _pool(self, interrupt: Interrupt) -> None:
        with ThreadPoolExecutor(self.workers) as pool:
            futures = [pool.submit(self._work, None) for _ in range(self.workers)]
            waiting = set(futures)
            while waiting:
                waiting = wait(waiting, timeout=0.02).not_done
                broken = any(future.done() and future.exception() for future in futures)
                self.stop = self.stop or interrupt.seen or broken
                self._show()
            for future in futures:
                future.result()

    def _next(self) -> tuple[int, int] | None:
        with self.lock:
            first = self.next_first
            if self.stop or first >= self.request.n_runs:
                return None
            last = min(first + self.size, self.request.n_runs)
            self.next_first = last
            return first, last

    def _work(self, interrupt: Interrupt | None) -> None:
        """Take slices until there are none; with `interrupt` on the calling thread itself."""
        bundle = None
        while (piece := self._next()) is not None:
            first, last = piece
            if bundle is None:
                bundle = _WorkspaceBundle(self.context, last - first)
            bundle.load(first, last)
            with blaming(self.context.combined, plain=not self.model.jit):
                self._call_runner(bundle, first, last, interrupt)
            with self.lock:
                self.done_runs += last - first
            if interrupt is not None:
                self._show()

    def _call_runner(
        self, bundle: _WorkspaceBundle, first: int, last: int, interrupt: Interrupt | None
    ) -> None:
        """Run one slice to its end, emptying the event log whenever it is full."""
        out = self.out
        piece = slice(first, last)
        bundle.put(
            times=out.t_final[piece],
            status=out.status[piece],
            steps=out.steps[piece],
            rejects=out.rejected[piece],
            rows=out.rows[piece],
            rec_t=out.rec_t,
            rec_y=self.records[piece],
            rec_aux=out.rec_aux[piece],
        )
        outputs = np.full((len(out.outputs), last - first), np.nan)
        rows = np.zeros((len(out.trace_rows), last - first), dtype=np.int64)
        if self.context.combined is not None:
            bundle.put(outputs=outputs, trace_out=out.traces[piece], trace_rows=rows)
        budget = 1 << 12
        while True:
            bundle.batch[LaneCount.BUDGET] = budget
            entered = perf_counter()
            code = bundle.call()
            if self.model.n_events:
                self.logs.append((first, bundle.take_log(first)))
            if code == Status.DONE:
                break
            seconds = max(perf_counter() - entered, 1e-7)
            budget = max(16, min(8 * budget, int(budget * _CALL_SECONDS / seconds), 1 << 40))
            if self.stop or (interrupt is not None and interrupt.seen):
                self.stop = True
                break
        out.y_final[:, piece] = bundle.states
        out.outputs[:, piece], out.trace_rows[:, piece] = outputs, rows
        for row, index in zip(bundle.varied, self.context.varied, strict=True):
            if index in out.p_final:
                out.p_final[index][piece] = row
        blank(out, first, last)

    def _show(self) -> None:
        if self.request.progress is not None and perf_counter() - self.begun > 1.0:
            self.request.progress(self.done_runs / self.request.n_runs, "")

    def _result(self) -> RawBatch:
        out, context = self.out, self.context
        blank(out, self.next_first, self.request.n_runs)
        reached = out.status == Status.DONE
        out.t_final[reached] = context.t_final
        if out.rec_t.size and out.rec_t[-1] == context.grid[LaneClock.T_END]:
            out.rec_t[-1] = context.t_final
        if self.logs:
            self.logs.sort(key=lambda item: item[0])
            columns = [
                np.concatenate(column)
                for column in zip(*(log for _, log in self.logs), strict=True)
            ]
            order = np.argsort(columns[0], kind="stable")
            out.evt_run, out.evt_t, out.evt_step, out.evt_id, out.evt_log = (
                column[order] for column in columns
            )
        out.seconds = perf_counter() - self.begun
        out.lanes, out.workers = self.lanes, self.workers
        return out
