"""What Numba says of a hook that it cannot compile, in a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["UncompilableHook", "reason_of"]

_LONGEST = 300
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_PLACE = re.compile(r'File "(?P<file>[^"<]+)", line (?P<line>\d+)')
_NOISE = re.compile(
    r"Failed in \w+ mode|During: |File \"|<source elided>|This (error|may be)|Enable logging|"
    r"There are \d+ candidate|- (Of which|With argument)|Overload in|\^|def |>>> |from |\* |\|"
)


class UncompilableHook(Exception):
    """A user's hook cannot be compiled.

    Attributes
    ----------
    name
        By which the runner calls it.
    function
        The hook.
    reason
        Numba's, in short.
    """

    def __init__(self, name: str, function: Callable[..., Any], reason: str) -> None:
        super().__init__(name, reason)
        self.name, self.function, self.reason = name, function, reason


def reason_of(error: Exception) -> str:
    """What is the matter, and in which line of the user's."""
    text = _COLOURS.sub("", str(error)) or type(error).__name__
    lines = [line.strip() for line in text.splitlines()]
    told = [line for line in lines if line and not _NOISE.match(line)]
    first = told[0] if told else lines[0]
    place = _PLACE.search(text)
    where = f" (line {place['line']} of {Path(place['file']).name})" if place else ""
    short = first if len(first) <= _LONGEST else f"{first[: _LONGEST - 1]}…"
    return short.rstrip(".:") + where
