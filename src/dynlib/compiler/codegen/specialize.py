"""Texts that keep their docstrings: numbers for words, functions left out."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["put", "without"]


def without(source: str, names: tuple[str, ...]) -> str:
    """The text without the functions of these names; each begins a line."""
    functions = re.split(r"^(?=def )", source, flags=re.MULTILINE)
    return "".join(each for each in functions if not each.startswith(_heads(names)))


def _heads(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"def {name}(" for name in names)


def put(source: str, words: Mapping[str, object]) -> str:
    """The text with numbers in the place of words in capitals, also within names."""
    found = "|".join(words)
    return re.sub(rf"(?<![A-Z])({found})\b", lambda m: str(words[m[1]]), source)
