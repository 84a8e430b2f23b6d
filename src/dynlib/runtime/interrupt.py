"""Ctrl-C during a compiled run: noted, and answered at the next pause of the runner.

A runner pauses between steps.  Where one step may take long, because of loops in the equations, it
runs in another thread, so that this one hears Ctrl-C and can tell the loops to end.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable
from types import FrameType
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

if TYPE_CHECKING:
    from dynlib.runtime.fastpath.threads import Task

__all__ = ["Interrupt", "interruptible", "mark"]

_LOOK = 0.02  # seconds between two looks at Ctrl-C


class Interrupt:
    """Watches for SIGINT between `watch` and `release`.

    Only the main thread receives signals; elsewhere nothing is ever seen.  A program that
    handles SIGINT in its own way gets its handler back on `release`.
    """

    __slots__ = ("_ending", "_previous", "_watching", "seen")

    def __init__(self) -> None:
        self.seen = False
        self._ending = self._watching = False
        self._previous: Any = None

    def watch(self) -> None:
        """Start to watch, if not done yet."""
        if self._watching or threading.current_thread() is not threading.main_thread():
            return
        previous = signal.getsignal(signal.SIGINT)
        if previous is None or previous is signal.SIG_IGN:
            return  # set by other than Python, or switched off on purpose
        self._previous = previous
        signal.signal(signal.SIGINT, self._note)
        self._watching = True

    @property
    def watching(self) -> bool:
        """Whether Ctrl-C would be seen."""
        return self._watching

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.seen = True
        if self._ending:
            self._ending = False
            raise KeyboardInterrupt

    def ends(self, call: Callable[[], None]) -> None:
        """Call a function of the user's, which Ctrl-C ends: it may wait for what never comes."""
        try:
            self._ending = True
            call()
        except KeyboardInterrupt:
            if not self.seen:
                raise
        finally:
            self._ending = False

    def release(self) -> None:
        """Give the signal back to whoever had it."""
        if self._watching:
            signal.signal(signal.SIGINT, self._previous)
            self._watching = False


def interruptible(call: Callable[[], int], interrupt: Interrupt, leave: Callable[[], None]) -> int:
    """What `call` returns, which runs in another thread while this one listens.

    After Ctrl-C `leave` is called, again and again: what it marks may be put back meanwhile.  An
    exception that a signal handler raises here is raised once the other thread has left, too.
    """
    if not interrupt.watching:
        return call()
    from dynlib.runtime.fastpath.threads import Task  # most runs need no other thread

    codes: list[int] = []
    task = Task(lambda: codes.append(call()), set())
    try:
        while not task.wait(_LOOK):
            if interrupt.seen:
                leave()
    except BaseException:
        while not _ended(task, leave):
            pass
        raise
    if task.failure is not None:
        raise task.failure
    return codes[0]


def _ended(task: Task, leave: Callable[[], None]) -> bool:
    """Whether a task that is told to leave has done so; False where a signal broke in again."""
    try:
        while not task.wait(_LOOK):
            leave()
    except BaseException:  # the first one is raised, and this one need not be
        return False
    return True


def mark(places: Iterable[NDArray[Any]]) -> None:
    """Put 1 into all places, at which running code looks."""
    for place in places:
        place[...] = 1
