"""Work in a thread of its own, while the one that waits for it hears Ctrl-C.

A thread that `Thread.join` waits for counts as ended where a signal breaks into the wait, in Python
3.11 at least.  So the work itself says when it is done.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from dynlib.abi.phases import tick

__all__ = ["Aside"]

_LOOK = 0.02  # seconds between two looks, for who cannot be woken by a signal


class Aside:
    """Work that a new thread does.

    Parameters
    ----------
    work : callable
        Is called once, without arguments.
    daemon : bool
        Whether the process may end before it.

    Raises
    ------
    RuntimeError
        If the system does not give another thread.

    Examples
    --------
    >>> Aside(lambda: 6 * 7, daemon=True).result()
    42
    """

    def __init__(self, work: Callable[[], Any], *, daemon: bool) -> None:
        self._work = work
        self._found: Any = None
        self._failure: BaseException | None = None
        self._done = threading.Event()
        threading.Thread(target=self._do, name="dynlib: aside", daemon=daemon).start()

    def _do(self) -> None:
        try:
            self._found = self._work()
        except BaseException as failure:  # whoever waits raises it
            self._failure = failure
        finally:
            self._done.set()

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._done.is_set()

    def result(self) -> Any:
        """Wait for the end; returns what the work returned, or raises what it raised."""
        while not self._done.wait(_LOOK):
            tick()
        if self._failure is not None:
            raise self._failure
        return self._found

    def end(self, leave: Callable[[], None]) -> None:
        """Tell the work to leave, again and again, until it has; further signals change nothing."""
        while not self.done:
            try:
                leave()
                self._done.wait(_LOOK)
            except BaseException:  # the first of them is raised by whoever calls this
                continue
