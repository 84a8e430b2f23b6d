"""A line on the terminal while a long run, or a long compile, goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

from dynlib.abi.phases import Listener, Phase, tell_by
from dynlib.errors import OptionError

__all__ = ["Progress", "TerminalLine", "progress_of"]

Progress = Callable[[float, str], None]
_WIDTH = 30
_BETWEEN = 0.1  # seconds
_PATIENCE = 1.0  # seconds of a compile that need no line


class TerminalLine:
    """Writes ``[#####.....]  50 %, 3 s left`` over itself, and wipes it off in the end."""

    def __init__(self, stream: Any = None) -> None:
        self._stream = stream
        self._begun = self._last = 0.0
        self._written = 0

    def __call__(self, fraction: float, text: str) -> None:
        """Show how much is done, and a guess at the time that is left."""
        now = perf_counter()
        if not self._written:
            self._begun = now
        elif now - self._last < _BETWEEN:
            return
        self._last = now
        done = min(1.0, max(0.0, fraction))
        bar = "#" * int(_WIDTH * done)
        left = (now - self._begun) * (1 - done) / done if done else 0.0
        rest = f", {left:.0f} s left" if self._written and done else ""
        self._write(f"[{bar:.<{_WIDTH}}] {100 * done:3.0f} %{rest} {text}".rstrip())

    def close(self) -> None:
        """Wipe the line off, if there is one."""
        if self._written:
            self._write("")
            self._write("")
            self._written = 0

    def _write(self, line: str) -> None:
        stream = self._stream if self._stream is not None else sys.stderr
        stream.write("\r" + line.ljust(self._written))
        stream.flush()
        self._written = len(line)


_LINE = TerminalLine()


def progress_of(asked: Any) -> Progress | None:
    """The callback for the argument ``progress``.

    None shows a line on a terminal and nothing elsewhere, True and False decide it; a callable is
    called with the fraction done and a text.

    Raises
    ------
    OptionError
        For anything else.
    """
    if asked is None:
        stream = sys.stderr
        return _LINE if stream is not None and stream.isatty() else None
    if asked is True:
        return _LINE
    if asked is False:
        return _silent
    if callable(asked):
        found: Progress = asked
        return found
    raise OptionError(
        f"progress must be True, False or a function of (fraction, text), found {asked!r}."
    )


def _silent(fraction: float, text: str) -> None:
    """Show nothing, not even what would be shown without being asked for."""


class Compiling:
    """Tells a progress function what a compile is doing, once it takes longer than a second."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._phases: list[Phase] = []
        self._begun = self._last = 0.0

    def begin(self, which: Phase) -> None:
        """A phase begins."""
        if not self._phases:
            self._begun = perf_counter()
        self._phases.append(which)
        self.tick()

    def end(self, which: Phase) -> None:
        """It ends; a line is wiped off with the outermost one."""
        self._phases.pop()
        if not self._phases and isinstance(self._progress, TerminalLine):
            self._progress.close()

    def tick(self) -> None:
        """Tell the phase and the seconds so far; reading a document is no compile."""
        if not self._phases or self._phases[0] is Phase.LOAD:
            return
        now = perf_counter()
        if now - self._begun > _PATIENCE and now - self._last > _BETWEEN:
            self._last = now
            which = self._phases[-1]
            what = "compiling" if which is Phase.COMPILE else f"compiling: {which}"
            self._progress(0.0, f"{what}, {now - self._begun:.0f} s")

    def note(self, what: str, amount: int) -> None:
        """Sizes are of no interest here."""


def _listener(progress: Progress | None) -> Listener | None:
    """Who hears of compiles, for a call with this progress function.

    Calls that have none show a line on a terminal; worker processes show nothing.
    """
    if progress is None:
        processes = sys.modules.get("multiprocessing.process")
        if processes is not None and processes.parent_process() is not None:
            return None
        progress = progress_of(None)
    return None if progress is None else Compiling(progress)


tell_by(_listener)
