"""What a user has taught Numba: `@overload`, `@intrinsic`, `@register_jitable` and the like.

Such functions stand in Numba's own tables, and code that uses them does not name them: a method
that somebody gave to arrays, say, or another implementation of a function of NumPy.
"""

from __future__ import annotations

import sys
from types import FunctionType
from typing import Any

from dynlib.compiler.jit.standard import enclosed, is_standard
from dynlib.compiler.jit.tokens import token

__all__ = ["extensions"]

_TABLES = (
    ("numba.core.typing.templates", ("functions", "attributes", "globals")),
    ("numba.core.imputils", ("functions", "getattrs", "setattrs", "casts", "constants")),
)
_OWN = tuple(
    f"dynlib.compiler.jit.{name}"
    for name in ("numba_hooks", "numba_arrays", "numba_kernel", "numba_primitives")
)
_TEMPLATES = ("FunctionTemplate", "AttributeTemplate")
_DEEPEST = 4
_seen: dict[tuple[str, str], int] = {}
_found: list[str] = []


def extensions() -> str:
    """A text for what has been added to Numba in this process; empty if nothing has.

    The text is good for this process only: what such functions do at the compilation of another
    cannot be read off them.
    """
    for name, tables in _TABLES:
        registry = getattr(sys.modules.get(name), "builtin_registry", None)
        for table in tables if registry is not None else ():
            rows = getattr(registry, table, [])
            first = _seen.get((name, table), 0)
            if first < len(rows):
                _seen[name, table] = len(rows)  # rows are added, and never taken away
                authors = _Authors()
                _found.extend(token(row) for row in rows[first:] if authors.foreign(row))
    return " ".join(_found)


class _Authors:
    """Tells rows that are Numba's own from others."""

    def __init__(self) -> None:
        self._known: dict[str | None, bool] = dict.fromkeys(_OWN, True)
        self._classes: dict[type, bool] = {}

    def foreign(self, thing: Any, depth: int = 0) -> bool:
        """Whether a function or class in `thing` was written by somebody else."""
        if isinstance(thing, staticmethod):
            thing = thing.__func__
        if depth > _DEEPEST:
            return False
        if isinstance(thing, tuple):
            return any(self.foreign(item, depth) for item in thing)
        if isinstance(thing, FunctionType):
            if not self._is_known(thing.__globals__.get("__name__")):
                return True
            return any(self.foreign(each, depth + 1) for each in enclosed(thing).values())
        if isinstance(thing, type):
            return self._class(thing, depth)
        if hasattr(thing, "typing_key") and hasattr(thing, "templates"):
            return self.foreign(tuple(thing.templates), depth + 1)
        return False

    def _class(self, kind: type, depth: int) -> bool:
        if not any(base.__name__ in _TEMPLATES for base in kind.__mro__):
            return False
        if kind not in self._classes:
            self._classes[kind] = False  # while it is looked at
            self._classes[kind] = not self._is_known(kind.__module__) or any(
                self.foreign(each, depth + 1) for each in (*kind.__bases__, *vars(kind).values())
            )
        return self._classes[kind]

    def _is_known(self, module: str | None) -> bool:
        if module not in self._known:
            self._known[module] = is_standard(sys.modules.get(module or ""))
        return self._known[module]
