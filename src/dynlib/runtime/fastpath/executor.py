"""The fast path: allocate everything, run blocks of lanes on threads, put the results together.

All threads call the runner on the same arrays.  It keeps its lanes filled with the next run that no
thread has taken, until there is none.  What a thread has of its own is allocated once
(`_WorkspaceBundle`); compiled code allocates nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.lane_args import LaneClock, LaneCount
from dynlib.abi.slots import NEVER, Clock, Count
from dynlib.abi.status import Status
from dynlib.compiler.codegen.lane_program import LaneProgram
from dynlib.compiler.jit.runner import Call, PlainCall, Runner
from dynlib.compiler.model import CompiledModel
from dynlib.observers.kit.combined import CombinedObserver
from dynlib.runtime.fastpath.observers import (
    combined_of,
    hook_errors,
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
from dynlib.runtime.fastpath.processors import places, staying_on
from dynlib.runtime.fastpath.request import BatchRequest, RawBatch
from dynlib.runtime.fastpath.threads import Task
from dynlib.runtime.fastpath.times import aim, own_spans, row_times
from dynlib.runtime.horizon import first_budget
from dynlib.runtime.interrupt import Interrupt, mark
from dynlib.steppers.options import precise

__all__ = ["default_lanes", "run_batch_fastpath", "run_single_fastpath"]

_LOG_ROWS = 4096  # events between two emptyings of the log
_OF_A_STEP = 3  # rows that one event may need in one step
_CALL_SECONDS = 0.04  # of compiled code between the next ones


def default_lanes(model: CompiledModel) -> int:
    """Runs side by side in a block: enough to hide latency, few enough to stay in the cache."""
    if model.is_plain:
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
    program, runner = model.fast_runner(
        lanes,
        varied,
        sampled=sampled,
        analysis=combined,
        variant=request.variant,
        own_spans=request.spans is not None,
    )
    grid = np.zeros(len(LaneClock))
    batch = np.zeros(len(LaneCount), dtype=np.int64)
    t_final = aim(model, request, grid, batch)
    record = request.record
    batch[LaneCount.FIRST_RECORD] = record.first if record.capacity else NEVER
    batch[LaneCount.STRIDE] = record.stride
    batch[LaneCount.ROWS] = record.capacity
    samples = np.zeros(0)
    if request.samples is not None:
        end = grid[LaneClock.T_END]
        samples = np.where(request.samples == request.t_end, end, request.samples)
        batch[LaneCount.ROWS] = batch[LaneCount.SAMPLES] = samples.size
    options, tolerances = model.stepper.options(request.options, len(spec.states))
    if combined is not None and combined.given:
        options = precise(options, tolerances)
    uniform = np.array(
        [0 if i in given else value for i, value in enumerate(request.p)] or [0], model.dtype
    )
    return _RunContext(
        *(model, request, program, runner, grid, batch, options, tolerances),
        *(uniform, varied, samples, t_final, combined),
    )


class _WorkspaceBundle:
    """What one thread works in; `shared` is the runner's call with the arrays of all threads."""

    def __init__(self, context: _RunContext, shared: Call | PlainCall) -> None:
        self.context = context
        program, model, request = context.program, context.model, context.request
        lanes, dtype = program.lanes, model.dtype
        rows = program.block_rows
        joined = aligned((rows + program.lane_rows, lanes), dtype)
        joined[:] = 0
        self.batch = context.batch.copy()
        count = np.zeros(len(Count), dtype=np.int64)
        count[Count.SELECTED_STATES] = -1 if request.states is None else len(request.states)
        count[Count.SELECTED_AUX] = len(request.aux)
        log = max(_LOG_ROWS, _OF_A_STEP * model.n_events) if model.n_events else 0
        self.log = (
            np.empty(log, dtype=np.int64),
            np.empty(log),
            np.empty(log, dtype=np.int64),
            np.empty(log, dtype=np.int64),
            np.full((log, model.log_width), np.nan),
        )
        self.batch[LaneCount.EVENT_ROWS] = log
        self.batch[LaneCount.AGAIN] = -1
        own: dict[str, NDArray[Any]] = {
            "batch": self.batch,
            "block": joined if program.joined else joined[:rows],
            "lanes": joined[rows:] if program.joined else np.zeros((program.lane_rows, lanes)),
            "run": np.full(lanes, -1, dtype=np.int64),
            "clock": np.zeros(len(Clock)),
            "count": count,
            **observer_arrays(context.combined, observed_steps(model, request), lanes),
        }
        if log:
            own |= zip(("evt_run", "evt_t", "evt_step", "evt_id", "evt_log"), self.log, strict=True)
        at_block, at_lanes = program.heed_rows
        self._heeding = [own["block"][row] for row in at_block]
        self._heeding += [own["lanes"][row] for row in at_lanes]
        self.call = shared.but_with(
            {i: own[arg.name] for i, arg in enumerate(program.args) if arg.name in own}
        )

    def leave(self) -> None:
        """Tell loops within steps to end, and runs not to begin; called by another thread."""
        self.batch[LaneCount.RUNS] = 0
        mark(self._heeding)

    def take_log(self) -> list[NDArray[Any]]:
        """The events since the last time."""
        used = int(self.batch[LaneCount.EVENT_ROW])
        self.batch[LaneCount.EVENT_ROW] = 0
        taken = [column[:used].copy() for column in self.log]
        self.log[4][:used] = np.nan
        return taken


class _Batch:
    """One batch while it runs."""

    def __init__(
        self, model: CompiledModel, request: BatchRequest, *, lanes: int, workers: int
    ) -> None:
        self.context = context = _context(model, request, lanes)
        self.model, self.request = model, request
        self.lanes = lanes
        self.begun = perf_counter()
        self.workers = max(1, min(workers, -(-request.n_runs // lanes)))
        times = row_times(model, request, context.grid, context.batch)
        records = record_room(model, request, times.size)
        context.batch[LaneCount.STREAM] = in_lines(records)
        context.batch[LaneCount.RUNS] = request.n_runs
        spans, said = own_spans(model, request), model.program.layout.tally.rows
        # final times, final steps, what attempts said of themselves, spans
        self.times = np.full((2 + said + len(spans), request.n_runs), np.nan)
        self.times[2 + said :] = spans
        self.times[0] = request.t0 if request.spans is None else request.spans.t0
        self.out = allocate(model, request, times, layout_of(model, request), records, self.times)
        if request.tangents is not None:
            self.out.outputs[:] = request.tangents
        self.queue = np.zeros(1, dtype=np.int64)
        self.varied = np.empty((len(context.varied), request.n_runs), dtype=model.dtype)
        self.shared = self._shared(records)
        self.logs: list[list[NDArray[Any]]] = []
        self.stop = False

    def _shared(self, records: NDArray[Any]) -> Call | PlainCall:
        """The runner with what all threads read from and write to, each run at its own place.

        The final states begin as the initial ones: a run is done where it is put down.
        """
        out, context, request = self.out, self.context, self.request
        dtype = self.model.dtype
        for row, value in zip(out.y_final, request.y0, strict=True):
            row[:] = value
        for row, index in zip(self.varied, context.varied, strict=True):
            row[:] = request.p[index]
        shared = {
            "grid": context.grid,
            "queue": self.queue,
            "uniform": context.uniform,
            "varied": self.varied,
            "states": out.y_final,
            "times": self.times,
            "status": out.status,
            "steps": out.steps,
            "rejects": out.rejected,
            "rows": out.rows,
            "options": context.options,
            "tolerances": context.tolerances,
            "rec_t": out.rec_t,
            "rec_y": records,
            "rec_aux": out.rec_aux,
            "sel_y": np.array(request.states or (), dtype=np.int64),
            "sel_aux": np.array(request.aux, dtype=np.int64),
            "samples": context.samples,
        }
        if context.combined is not None:
            shared |= {"outputs": out.outputs, "trace_out": out.traces}
            shared["trace_rows"] = out.trace_rows
        return context.runner.bind(
            [
                shared[arg.name] if arg.name in shared else nothing(arg.kind, len(arg.shape), dtype)
                for arg in context.program.args
            ]
        )

    def run(self) -> RawBatch:
        """Run everything, or until Ctrl-C."""
        interrupt = Interrupt()
        interrupt.watch()
        try:
            listening = any(self.context.program.heed_rows) and interrupt.watching
            if self.workers == 1 and not listening:
                self._call_runner(self._bundle(), interrupt)
            else:
                self._share(interrupt, listening=listening)
        finally:
            interrupt.release()
        return self._result()

    def _share(self, interrupt: Interrupt, *, listening: bool) -> None:
        """Let several threads work; this one, which alone hears of Ctrl-C, works or listens.

        It listens where a step may take so long that Ctrl-C has to end loops within it.
        """
        mine, *others = places(self.workers)
        bundles: list[_WorkspaceBundle] = []
        tasks: list[Task] = []
        try:
            elsewhere = [mine, *others] if listening else others
            tasks.extend(Task(partial(self._apart, bundles), place) for place in elsewhere)
            if not listening:
                with staying_on(mine):
                    self._call_runner(self._bundle(), interrupt)
            for task in tasks:
                while not self._ended(task, bundles if listening else []):
                    self.stop = self.stop or interrupt.seen
                    self._show(interrupt)
        except BaseException:
            self.stop = True
            raise
        finally:
            for task in tasks:
                while not self._ended(task, bundles if listening else []):
                    pass
        for task in tasks:
            if task.failure is not None:
                raise task.failure

    def _ended(self, task: Task, heeding: list[_WorkspaceBundle]) -> bool:
        """Whether a task has ended, after a moment; all that heed it are told to, after a stop."""
        if task.wait(0.02):
            return True
        if self.stop:
            for bundle in tuple(heeding):
                bundle.leave()
        return False

    def _apart(self, bundles: list[_WorkspaceBundle]) -> None:
        """What another thread does; where it fails all stop at their next pause."""
        try:
            bundle = self._bundle()
            bundles.append(bundle)
            self._call_runner(bundle, None)
        except BaseException:
            self.stop = True
            raise

    def _bundle(self) -> _WorkspaceBundle:
        return _WorkspaceBundle(self.context, self.shared)

    def _call_runner(self, bundle: _WorkspaceBundle, interrupt: Interrupt | None) -> None:
        """Run until no run is left, emptying the event log whenever it is full.

        With `interrupt` this is the calling thread itself.
        """
        context = self.context
        budget = first_budget(self.model, context.combined, self.lanes)
        while True:
            bundle.batch[LaneCount.BUDGET] = budget
            entered = perf_counter()
            with hook_errors(context.combined, plain=self.model.is_plain):
                code = bundle.call()
            if self.model.n_events:
                self.logs.append(bundle.take_log())
            if code == Status.DONE:
                break
            budget = _next_budget(budget, perf_counter() - entered)
            if self.stop or (interrupt is not None and interrupt.seen):
                self.stop = True
                break
            if interrupt is not None:
                self._show(interrupt)

    def _show(self, interrupt: Interrupt) -> None:
        if self.request.progress is not None and perf_counter() - self.begun > 1.0:
            begun = min(int(self.queue[0]), self.request.n_runs)
            done = max(begun - self.lanes * self.workers, 0)
            interrupt.ends(partial(self.request.progress, done / self.request.n_runs, ""))

    def _result(self) -> RawBatch:
        out, context = self.out, self.context
        for row, index in zip(self.varied, context.varied, strict=True):
            if index in out.p_final:
                out.p_final[index][:] = row
        if out.tallies.size:
            tally = self.model.program.layout.tally
            out.tallies[:] = tally.read(self.times[2 : 2 + tally.rows])
        blank(out)
        reached = out.status == Status.DONE
        spans = self.request.spans
        out.t_final[reached] = context.t_final if spans is None else spans.end[reached]
        if not self.model.stepper.adaptive:  # the same for all, so runners need not write it
            out.final_dt[out.status != Status.USER_BREAK] = context.grid[LaneClock.DT]
        if out.rec_t.size and out.rec_t[-1] == context.grid[LaneClock.T_END]:
            out.rec_t[-1] = context.t_final
        if self.logs:
            columns = [np.concatenate(column) for column in zip(*self.logs, strict=True)]
            order = np.argsort(columns[0], kind="stable")
            out.evt_run, out.evt_t, out.evt_step, out.evt_id, out.evt_log = (
                column[order] for column in columns
            )
        out.seconds = perf_counter() - self.begun
        out.lanes, out.workers = self.lanes, self.workers
        return out


def _next_budget(budget: int, seconds: float) -> int:
    """Steps until the next pause, when the last ones took so long."""
    return max(1, min(8 * budget, int(budget * _CALL_SECONDS / max(seconds, 1e-7)), 1 << 40))
