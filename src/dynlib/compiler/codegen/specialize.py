"""Filling flags into the text of a template."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dynlib.compiler.codegen.templates import filled

__all__ = ["fold", "put", "without"]


def fold(source: str, flags: Mapping[str, bool], *, numbers: bool = False) -> str:
    """Fold `flags` in a text of functions; with `numbers`, the slots' names as well."""
    return filled(source, flags, numbers=numbers)


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
