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
from typing import Protocol

__all__ = [
    "QUIET",
    "Listener",
    "Phase",
    "hear",
    "listening",
    "note",
    "phase",
    "tell_usually",
    "tick",
]


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


class _Quiet:
    def begin(self, which: Phase) -> None:
        pass

    def end(self, which: Phase) -> None:
        pass

    def tick(self) -> None:
        pass

    def note(self, what: str, amount: int) -> None:
        pass


QUIET = _Quiet()
"""A listener that keeps what it hears to itself, and the usual one away."""


class _Heard(threading.local):
    listener: Listener | None = None


_heard = _Heard()
_usual: list[Callable[[], Listener | None]] = []


def tell_usually(make: Callable[[], Listener | None]) -> None:
    """Have `make` asked for a listener wherever work begins and nobody listens."""
    _usual[:] = [make]


def hear(listener: Listener | None) -> Listener | None:
    """Let `listener` hear of this thread's phases; returns who heard of them before."""
    before = _heard.listener
    _heard.listener = listener
    return before


@contextmanager
def listening(listener: Listener | None) -> Iterator[None]:
    """Let this thread's phases be heard by `listener` within the block."""
    before = hear(listener)
    try:
        yield
    finally:
        hear(before)


@contextmanager
def phase(which: Phase) -> Iterator[None]:
    """Say that the block does this.

    Examples
    --------
    >>> with phase(Phase.LOAD):
    ...     pass
    """
    listener = _heard.listener
    if listener is None and _usual:
        with listening(_usual[0]()), _told(_heard.listener, which):
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
