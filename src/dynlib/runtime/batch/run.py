"""The three ways of a batch: in this process, on an executor, into a store on disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter, sleep

from dynlib.abi.status import Status
from dynlib.compiler.model import CompiledModel
from dynlib.runtime.batch.executors import perform_on, worker_count
from dynlib.runtime.batch.frame import BatchFrame
from dynlib.runtime.batch.recording import Recording
from dynlib.runtime.batch.room import bytes_per_run
from dynlib.runtime.batch.store import Store
from dynlib.runtime.batch.table import Effort, MemoryTable, Table
from dynlib.runtime.batch.work import Assembly, Task, checked_part, compute, part_of
from dynlib.runtime.fastpath.executor import default_lanes
from dynlib.runtime.fastpath.request import BatchRequest, RawBatch
from dynlib.runtime.interrupt import Interrupt
from dynlib.runtime.progress import Progress

__all__ = ["one_part", "run_elsewhere", "run_here", "run_to_store"]

_PART_BYTES = 64 << 20  # of results that travel, or are written, together
_PARTS_EACH = 8  # parts for each worker, so that none waits long for the last one
_PARTS_ON_DISK = 64  # what a batch may lose at most when it is killed
_SMALLEST = 64  # runs of a part, to keep lanes filled
_SMALLEST_ON_DISK = 256  # and more than that where a part means a dozen files
_WAIT = 0.05  # seconds between two looks at what other processes have done


def run_here(
    model: CompiledModel, request: BatchRequest, record: Recording
) -> tuple[Table, Effort]:
    """Run a batch on the threads of this process."""
    raw = compute(model, request)
    return MemoryTable(raw, record.end_states(model)), Effort(
        raw.seconds, raw.lanes, raw.workers, 1
    )


def run_elsewhere(
    model: CompiledModel, request: BatchRequest, record: Recording, executor: Executor
) -> tuple[Table, Effort]:
    """Run a batch on an executor."""
    begun = perf_counter()
    size = -(-request.n_runs // (_PARTS_EACH * worker_count(executor)))
    size = _bounded(size, _SMALLEST, bytes_per_run(model, request, record))
    bounds = [
        (first, min(first + size, request.n_runs)) for first in range(0, request.n_runs, size)
    ]
    assembly = Assembly(model, request)
    seen = set()
    progress = _Progress(request.progress, bounds)
    with _watching() as interrupt:
        for first, raw, worker in _elsewhere(model, request, bounds, executor, interrupt):
            assembly.put(first, raw)
            interrupt.ends(partial(progress.add, len(raw.status)))
            seen.add(worker)
    table = MemoryTable(assembly.whole(), record.end_states(model))
    lanes = request.lanes or default_lanes(model)
    return table, Effort(perf_counter() - begun, lanes, request.workers, len(seen))


def run_to_store(
    model: CompiledModel,
    request: BatchRequest,
    frame: BatchFrame,
    record: Recording,
    executor: Executor | None,
    path: Path,
) -> tuple[Table, Effort]:
    """Run a batch part by part into a store on disk; what is there already is not run again.

    Parts that other processes are at work on are waited for, and computed here if nothing comes.
    """
    lanes = request.lanes or default_lanes(model)
    store = Store.open(path, frame, _runs_on_disk(model, request, record), (lanes, request.workers))
    states = record.end_states(model)
    seen = set()
    try:
        with _watching() as interrupt:
            while (missing := store.missing(interrupt)) and not interrupt.seen:
                progress = _Progress(request.progress, missing)
                came = False
                for first, raw, worker in (
                    _here(model, request, store.claimed(), progress, interrupt)
                    if executor is None
                    else _elsewhere(model, request, store.claimed(), executor, interrupt)
                ):
                    came = True
                    if (raw.status != Status.USER_BREAK).all():
                        store.put(first, MemoryTable(raw, states))
                    interrupt.ends(partial(progress.add, len(raw.status)))
                    seen.add(worker)
                if not came:
                    sleep(_WAIT)
    finally:
        store.close()
    table = store.table()
    return table, table.effort._replace(workers=max(1, len(seen)))


@contextmanager
def _watching() -> Iterator[Interrupt]:
    """Watch for Ctrl-C."""
    interrupt = Interrupt()
    interrupt.watch()
    try:
        yield interrupt
    finally:
        interrupt.release()


def _runs_on_disk(model: CompiledModel, request: BatchRequest, record: Recording) -> int:
    """Runs of a part of a batch that goes into a store."""
    size = -(-request.n_runs // _PARTS_ON_DISK)
    return _bounded(size, _SMALLEST_ON_DISK, bytes_per_run(model, request, record))


def one_part(model: CompiledModel, request: BatchRequest, record: Recording) -> BatchRequest:
    """As much of a batch that goes into a store as is in memory at a time."""
    return part_of(request, 0, min(request.n_runs, _runs_on_disk(model, request, record)))


def _here(
    model: CompiledModel,
    request: BatchRequest,
    bounds: Iterable[tuple[int, int]],
    progress: _Progress,
    interrupt: Interrupt,
) -> Iterator[tuple[int, RawBatch, str]]:
    """Parts in this process, until one was interrupted."""
    for first, last in bounds:
        part = replace(part_of(request, first, last), progress=progress.of_part(last - first))
        raw = compute(model, part)
        yield first, raw, ""
        interrupt.seen |= bool((raw.status == Status.USER_BREAK).any())
        if interrupt.seen:
            return


def _elsewhere(
    model: CompiledModel,
    request: BatchRequest,
    bounds: Iterable[tuple[int, int]],
    executor: Executor,
    interrupt: Interrupt,
) -> Iterator[tuple[int, RawBatch, str]]:
    """Parts on an executor, as they are ready, until Ctrl-C; what comes back is looked at."""
    parts = Task.parts(model, request, bounds)
    yield from perform_on(executor, parts, interrupt, partial(checked_part, model))


class _Progress:
    """Adds up the progress of parts, and tells it on once a batch takes longer than a second."""

    def __init__(self, tell: Progress | None, bounds: list[tuple[int, int]]) -> None:
        self._tell = tell
        self._all = max(1, sum(last - first for first, last in bounds))
        self._done = 0
        self._begun = perf_counter()

    def of_part(self, runs: int) -> Progress | None:
        """Whom the next part, of so many runs, tells how far it is."""
        tell = self._tell
        if tell is None:
            return None
        return lambda fraction, text: tell((self._done + fraction * runs) / self._all, text)

    def add(self, runs: int) -> None:
        """So many runs are done."""
        self._done += runs
        if self._tell is not None and perf_counter() - self._begun > 1.0:
            self._tell(self._done / self._all, "")


def _bounded(runs: int, least: int, each: int) -> int:
    """Runs of a part: enough to be worth it, few enough for their results to travel well."""
    return max(1, min(max(runs, least), _PART_BYTES // each))
