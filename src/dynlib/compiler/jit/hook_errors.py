"""What Numba says of a hook that it cannot compile, in a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["UncompilableHook", "uncompilable"]

_LONGEST = 300
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_PLACE = re.compile(r'File "(?P<file>[^"]*)", line (?P<line>\d+)')
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


def uncompilable(
    error: Exception, hooks: Mapping[str, Callable[..., Any]]
) -> UncompilableHook | None:
    """What is to be said of the hook that an error of the compiler is about; None if of none."""
    text = _COLOURS.sub("", str(error))
    places = [(match["file"], int(match["line"])) for match in _PLACE.finditer(text)]
    found = next((name for name, hook in hooks.items() if _mentioned(hook, places)), None)
    if found is None:
        if not hooks or not type(error).__module__.startswith("numba"):
            return None
        found = next(iter(hooks))
    return UncompilableHook(found, hooks[found], _reason(text, places))


def _mentioned(hook: Callable[..., Any], places: list[tuple[str, int]]) -> bool:
    code = getattr(hook, "__code__")  # noqa: B009  # hooks are plain functions
    lines = [line for *_, line in code.co_lines() if line is not None]
    last = max(lines, default=code.co_firstlineno)
    return any(
        Path(file).name == Path(code.co_filename).name and code.co_firstlineno <= line <= last
        for file, line in places
    )


def _reason(text: str, places: list[tuple[str, int]]) -> str:
    lines = [line.strip() for line in text.splitlines()]
    told = [line for line in lines if line and not _NOISE.match(line)]
    first = told[0] if told else text.strip().splitlines()[0]
    where = f" (line {places[0][1]} of {Path(places[0][0]).name})" if places else ""
    short = first if len(first) <= _LONGEST else f"{first[: _LONGEST - 1]}…"
    return short.rstrip(".:") + where
