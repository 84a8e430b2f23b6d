"""What is done between a model's document and code that can be called, told to whoever listens.

A piece of work says that it begins and ends (`phase`), and `tick`s while it works or waits.  A
listener measures it, or shows a line.  Listeners belong to one thread; where it has none, there may
be a usual one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, Protocol

__all__ = ["Listener", "Phase", "listening", "note", "phase", "tell_by", "tick", "told"]


class Phase(StrEnum):
    """Kinds of work, in their order; `COMPILE` holds those after it."""

    LOAD = "load"
    DERIVE = "derive"
    COMPILE = "compile"
    TEXT = "text"
    TRANSLATE = "translate"
    LLVM = "LLVM"
    LINK = "load object"


class Listener(Protocol):
    """Who hears of phases; each call comes from the thread that does the work."""

    def begin(self, which: Phase) -> None:
        """A phase begins, maybe inside of another."""

    def end(self, which: Phase) -> None:
        """It ends, well or not."""

    def tick(self) -> None:
        """The work goes on."""

    def note(self, what: str, amount: int) -> None:
        """The work has made so much of something."""


class _Heard(threading.local):
    listener: Listener | None = None


_heard = _Heard()
_makers: list[Callable[[Any], Listener | None]] = []


def tell_by(make: Callable[[Any], Listener | None]) -> None:
    """Have `make` give a listener for a progress function; for None the usual one, if any."""
    _makers[:] = [make]


@contextmanager
def listening(listener: Listener | None) -> Iterator[None]:
    """Let this thread's phases be heard by `listener` within the block."""
    before = _heard.listener
    _heard.listener = listener
    try:
        yield
    finally:
        _heard.listener = before


@contextmanager
def told(progress: Any) -> Iterator[None]:
    """Tell a progress function what the block does; None: as without."""
    if progress is None or not _makers:
        yield
        return
    with listening(_makers[0](progress)):
        yield


@contextmanager
def phase(which: Phase) -> Iterator[None]:
    """Say that the block does this.

    Examples
    --------
    >>> with phase(Phase.LOAD):
    ...     pass
    """
    listener = _heard.listener
    if listener is None and _makers:
        with listening(_makers[0](None)), _told(_heard.listener, which):
            yield
        return
    with _told(listener, which):
        yield


@contextmanager
def _told(listener: Listener | None, which: Phase) -> Iterator[None]:
    if listener is None:
        yield
        return
    listener.begin(which)
    try:
        yield
    finally:
        listener.end(which)


def tick() -> None:
    """Say that work goes on: called some times in a second."""
    if _heard.listener is not None:
        _heard.listener.tick()


def note(what: str, amount: int) -> None:
    """Say how much of something has been made."""
    if _heard.listener is not None:
        _heard.listener.note(what, amount)
