"""Threads that wait between batches: to wake one takes a fraction of the time to make one."""

from __future__ import annotations

import os
from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread

from dynlib.runtime.fastpath.processors import stay_on

__all__ = ["Task"]


class Task:
    """Work that another thread does.

    Parameters
    ----------
    work : callable
        Is called once, without arguments.
    processors : set of int
        Where the thread may run; empty: anywhere.

    Raises
    ------
    RuntimeError
        If the system does not give another thread.

    Examples
    --------
    >>> done = []
    >>> Task(lambda: done.append(1), set()).wait()
    True
    >>> done
    [1]
    """

    def __init__(self, work: Callable[[], None], processors: set[int]) -> None:
        self.failure: BaseException | None = None
        self.processors = processors
        self._work = work
        self._going_on = Lock()
        self._going_on.acquire()
        _some_thread().work.put(self)

    def do(self) -> None:
        """Do the work; called by the thread whose task this is."""
        try:
            self._work()
        except BaseException as failure:
            self.failure = failure

    def end(self) -> None:
        """Tell the thread that waits."""
        self._going_on.release()

    def wait(self, seconds: float = -1) -> bool:
        """Whether it is done, after so many seconds at most; without a limit by default."""
        done = self._going_on.acquire(timeout=seconds)
        if done:
            self._going_on.release()
        return done


class _Waiting:
    """A thread that does a task, and waits for the next one."""

    def __init__(self) -> None:
        self.work: SimpleQueue[Task | None] = SimpleQueue()
        self.thread = Thread(target=self._serve, name="dynlib batch", daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        here: set[int] = set()
        while (task := self.work.get()) is not None:
            if task.processors != here:
                here = task.processors
                stay_on(here)
            task.do()
            kept = len(_idle) < _KEPT
            if kept:
                _idle.append(self)
            task.end()
            del task  # what it worked on need not wait with us
            if not kept:
                break


_KEPT = os.cpu_count() or 1
_idle: list[_Waiting] = []


def _some_thread() -> _Waiting:
    try:
        return _idle.pop()
    except IndexError:
        return _Waiting()


def _dismiss() -> None:
    """End all that wait: a process that forks should have no other threads."""
    ended = []
    while _idle:
        ended.append(_idle.pop())
        ended[-1].work.put(None)
    for each in ended:
        each.thread.join()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_dismiss, after_in_child=_idle.clear)
