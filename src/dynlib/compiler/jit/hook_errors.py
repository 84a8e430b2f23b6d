"""What Numba says of a hook that it cannot compile, in a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dynlib.abi.hooks import READ_ONLY

__all__ = ["reason_of", "said"]

_LONGEST = 300
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_PLACE = re.compile(r'File "(?P<file>[^"<]+)", line (?P<line>\d+)')
_TAKEN_APART = re.compile(r"failed to unpack|wrong tuple length for \$")
_WRITTEN = re.compile(r"(modify|into|write to|mutate) (a )?read-?only array", re.IGNORECASE)
_MAY_READ = f"it writes to an array that a hook may only read ({', '.join(sorted(READ_ONLY))})"
_SPEECHLESS = "'NoneType' object has no attribute 'args'"  # Numba, of `params[:] += 1`
_NOISE = re.compile(
    r"Failed in \w+ mode|During: |File \"|<source elided>|This (error|may be)|Enable logging|"
    r"There are \d+ candidate|- (Of which|With argument)|Overload in|\^|def |>>> |from |\* |\|"
)


def _plain(error: Exception) -> str:
    return _COLOURS.sub("", str(error)) or type(error).__name__


def said(error: Exception) -> list[str]:
    """The lines of what Numba says that tell what is the matter."""
    lines = [line.strip() for line in _plain(error).splitlines()]
    return [line for line in lines if line and not _NOISE.match(line)] or lines[:1]


def reason_of(error: Exception, hook: Callable[..., Any]) -> str:
    """What is the matter, and in which line of the user's."""
    text = _plain(error)
    first = said(error)[0]
    own = Path(getattr(hook, "__code__").co_filename).name  # noqa: B009  # a plain function
    places = [(Path(found["file"]).name, found["line"]) for found in _PLACE.finditer(text)]
    file, line = next((place for place in places if place[0] == own), (places or [("", "")])[0])
    if _TAKEN_APART.search(first) and not file:  # by what is around a hook of a step
        first = "it must return a tuple with a number for each state"
    if _WRITTEN.search(text):
        first = _MAY_READ
    elif text == _SPEECHLESS:
        first = f"Numba cannot say why; perhaps {_MAY_READ}"
    where = f" (line {line} of {file})" if file else ""
    short = first if len(first) <= _LONGEST else f"{first[: _LONGEST - 1]}…"
    return short.rstrip(".:") + where
