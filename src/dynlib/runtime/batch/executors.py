"""Parts of a batch on other processes and machines: any executor of `concurrent.futures`.

A worker that dies takes no run with it: its part is computed again, by another.  The result does
not depend on where a part is computed.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from typing import Any

from dynlib.errors import DynlibError, ObserverError, OptionError
from dynlib.observers.kit.module import ObserverModule
from dynlib.runtime.batch.work import Task, perform
from dynlib.runtime.fastpath.request import RawBatch
from dynlib.runtime.interrupt import Interrupt

__all__ = ["check_travel", "checked_executor", "perform_on", "worker_count"]

_MOST_DEATHS = 3  # of workers at one and the same part, until that part is blamed
_LOOK = 0.05  # seconds between two looks at Ctrl-C
_LAST = 0.15  # seconds after it in which results are still taken
# What other libraries raise when a worker is gone; they are not imported to find that out.
_LOSSES = {"KilledWorker", "CommClosedError", "FutureCancelledError", "LostWorkerError"}

Part = tuple[int, Task]  # first run, and what to do
Check = Callable[[Task, Any], tuple[RawBatch, str]]


def checked_executor(executor: Any) -> Executor:
    """The executor itself, or an error message about what should be one."""
    if callable(getattr(executor, "get_executor", None)):
        raise OptionError(
            f"executor is {executor!r}; give its executor: executor=client.get_executor()."
        )
    if not callable(getattr(executor, "submit", None)) or isinstance(executor, type):
        raise OptionError(
            "executor must be an executor as in concurrent.futures (ProcessPoolExecutor(), or a "
            f"Dask client's get_executor()), found {executor!r}."
        )
    found: Executor = executor
    return found


def check_travel(executor: Executor, observers: Iterable[ObserverModule]) -> None:
    """Refuse observers that cannot get to the processes of a pool.

    Other executors, as those of Dask, take functions with them that Python cannot pickle.

    Raises
    ------
    ObserverError
        It says which observer, and why.
    """
    if not isinstance(executor, ProcessPoolExecutor):
        return
    for observer in observers:
        try:
            pickle.dumps(observer)
        except Exception as error:  # of whatever the observer holds
            raise ObserverError(
                f"observer {observer.label!r} cannot be sent to other processes ({error}). Define "
                "its hooks as functions of a module, not inside of another function or as lambda; "
                "or leave out executor: workers=... are threads, which need nothing sent."
            ) from error


def perform_on(
    executor: Executor, parts: Iterable[Part], interrupt: Interrupt, check: Check
) -> Iterator[tuple[int, RawBatch, str]]:
    """Compute parts on an executor; yields first run, result and worker as they are ready.

    Only so many parts are under way at a time that their results fit into memory together.
    After Ctrl-C it ends early, with what comes within a moment: workers of this terminal have
    heard it too, and return the runs that they have finished.

    Parameters
    ----------
    executor, parts, interrupt
        Where, what, and whether to go on.
    check
        Looks at what came back for a task.

    Raises
    ------
    DynlibError
        If workers keep dying at one part; of `check`.
    """
    workers = _Workers(executor, check)
    queue = iter(parts)
    try:
        while not interrupt.seen:
            while workers.has_room and (part := workers.lost() or next(queue, None)) is not None:
                workers.start(part)
            if not workers.busy:
                return
            for first, result in workers.finished():
                yield (first, *result)
        for first, result in workers.last():
            yield (first, *result)
    finally:
        workers.leave()


def worker_count(executor: Executor) -> int:
    """Tasks that an executor works at together, as far as it says; at least 2."""
    size = _attribute(executor, "_max_workers")
    client = _attribute(executor, "_client")
    if client is not None and callable(getattr(client, "nthreads", None)):
        size = sum(client.nthreads().values())
    return max(2, size if isinstance(size, int) else os.cpu_count() or 2)


_UNGUARDED = (
    " Or they could not start: a script that makes a ProcessPoolExecutor does so under "
    "`if __name__ == '__main__':`, because new processes import the script."
)


class _Workers:
    """An executor, what it is working at, and what it has lost."""

    def __init__(self, executor: Executor, check: Check) -> None:
        self._given = self._executor = executor
        self._check = check
        self._under_way: dict[Future[Any], tuple[Part, Executor]] = {}
        self._lost: list[Part] = []
        self._deaths: dict[int, int] = {}
        self._room = 2 * worker_count(executor)

    @property
    def busy(self) -> bool:
        return bool(self._under_way or self._lost)

    @property
    def has_room(self) -> bool:
        return len(self._under_way) < self._room

    def start(self, part: Part) -> None:
        attempt = self._deaths.get(part[0], 0)
        try:
            future = self._executor.submit(perform, part[1], attempt)
        except BrokenExecutor as error:
            self._mourn(part, self._executor, error)
        except RuntimeError as error:
            if "after" not in str(error) or "shutdown" not in str(error):
                raise
            raise OptionError(
                f"executor {self._given!r} has been shut down, and takes no more work. Call "
                "batch() within its `with` block, or give a new executor."
            ) from error
        else:
            self._under_way[future] = part, self._executor

    def finished(self) -> Iterator[tuple[int, tuple[RawBatch, str]]]:
        done = wait(self._under_way, timeout=_LOOK, return_when=FIRST_COMPLETED).done
        for future in done:
            part, executor = self._under_way.pop(future)
            try:
                result = future.result()
            except Exception as error:  # of any library: only a lost worker is answered here
                if not _is_loss(error):
                    raise
                self._mourn(part, executor, error)
            else:
                self._deaths.clear()
                yield part[0], self._check(part[1], result)

    def last(self) -> Iterator[tuple[int, tuple[RawBatch, str]]]:
        """What comes within a moment of parts that had begun; nothing else is begun."""
        begun = [future for future in self._under_way if not future.cancel()]
        done = wait(begun, timeout=_LAST).done
        for future in done:
            part, _ = self._under_way.pop(future)
            if future.cancelled() or future.exception() is not None:
                continue  # a worker that died of Ctrl-C, say
            yield part[0], self._check(part[1], future.result())

    def lost(self) -> Part | None:
        """A part to be started again."""
        return self._lost.pop() if self._lost else None

    def _mourn(self, part: Part, executor: Executor, error: Exception) -> None:
        """Note a part for another attempt, and see to it that there is somebody to make it."""
        first, task = part
        self._deaths[first] = deaths = self._deaths.get(first, 0) + 1
        if deaths > _MOST_DEATHS:
            last = first + task.request.n_runs - 1
            raise DynlibError(
                f"workers of {self._given!r} died {deaths} times in a row over runs {first} to "
                f"{last} ({type(error).__name__}: {error}). They may lack memory: record less, "
                "or use fewer workers at a time."
                + (_UNGUARDED if isinstance(executor, ProcessPoolExecutor) else "")
            ) from error
        self._lost.append(part)
        if isinstance(error, BrokenExecutor) and executor is self._executor:
            self._executor = _another_like(executor)

    def leave(self) -> None:
        for future in self._under_way:
            future.cancel()
        if self._executor is not self._given:
            self._executor.shutdown(wait=False, cancel_futures=True)


def _another_like(pool: Executor) -> Executor:
    """A new pool in the place of one that has lost a process, and is of no use any more."""
    if not isinstance(pool, ProcessPoolExecutor):
        return pool
    return ProcessPoolExecutor(
        max_workers=_attribute(pool, "_max_workers"),
        mp_context=_attribute(pool, "_mp_context"),
        initializer=_attribute(pool, "_initializer"),
        initargs=_attribute(pool, "_initargs") or (),
    )


def _is_loss(error: BaseException) -> bool:
    """Whether the worker was lost, and not the work itself in error."""
    if isinstance(error, BrokenExecutor | CancelledError | ConnectionError | EOFError):
        return True
    return any(kind.__name__ in _LOSSES for kind in type(error).__mro__)


def _attribute(executor: Executor, name: str) -> Any:
    """What an executor keeps to itself, if it does."""
    return getattr(executor, name, None)
