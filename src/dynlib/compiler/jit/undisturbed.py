"""Hold Ctrl-C back while something happens that must not be left half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["undisturbed"]


@contextmanager
def undisturbed() -> Iterator[None]:
    """Answer SIGINT after the block instead of inside of it.

    Python cannot repeat an import that was broken off: the modules that were complete stay, but
    their package no longer knows them.  So Numba, once interrupted, would be of no more use to
    the process.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals go to the main thread only
        return
    usual = signal.getsignal(signal.SIGINT)
    if not callable(usual):
        yield  # switched off, or set by other than Python
        return
    seen: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: seen.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
        for number, frame in seen[:1]:
            usual(number, frame)
