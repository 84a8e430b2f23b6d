"""Ctrl-C during a compiled run: noted, and answered at the next pause of the runner."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

__all__ = ["Interrupt"]


class Interrupt:
    """Watches for SIGINT between `watch` and `release`.

    Only the main thread receives signals; elsewhere nothing is ever seen.  A program that
    handles SIGINT in its own way gets its handler back on `release`.
    """

    __slots__ = ("_previous", "_watching", "seen")

    def __init__(self) -> None:
        self.seen = False
        self._watching = False
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

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.seen = True

    def release(self) -> None:
        """Give the signal back to whoever had it."""
        if self._watching:
            signal.signal(signal.SIGINT, self._previous)
            self._watching = False
