"""What a function is made of, as text: equal for equal content, in every process.

A kernel with a user's hook in it is kept under this text.  It covers the code, the constants, the
defaults, the values of closures and of the globals that the code refers to, and so on through the
functions that it calls.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from enum import EnumType
from types import CodeType, ModuleType
from typing import Any

import numpy as np

__all__ = ["content_of"]


_PROCESS = os.urandom(16).hex()
_strangers: dict[int, tuple[int, Any]] = {}  # kept alive, so that no other takes their place


def content_of(function: Callable[..., Any]) -> str:
    """A hash of everything that decides what the function computes.

    What has no content that could be compared (an object of an unknown class, say) counts as
    different from everything but itself.

    Examples
    --------
    >>> def twice(c):
    ...     return lambda x: c * x
    >>> content_of(twice(2)) == content_of(twice(2)), content_of(twice(2)) == content_of(twice(3))
    (True, False)
    """
    digest = hashlib.sha256()
    _function(function, digest.update, set())
    return digest.hexdigest()


def _function(function: Any, add: Callable[[bytes], None], seen: set[int]) -> None:
    if hasattr(function, "py_func"):  # a Numba dispatcher
        add(repr(sorted(getattr(function, "targetoptions", {}).items())).encode())
        function = function.py_func
    if id(function) in seen:
        add(b"again")
        return
    seen.add(id(function))
    code = getattr(function, "__code__", None)
    if code is None:
        _value(function, add, seen)
        return
    _code(code, add)
    for value in function.__defaults__ or ():
        _value(value, add, seen)
    for name, value in (function.__kwdefaults__ or {}).items():
        add(f"default {name}".encode())
        _value(value, add, seen)
    names = sorted(_names(code))
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        add(f"free {name}".encode())
        _named(cell.cell_contents, names, add, seen)
    for name in names:
        if name in function.__globals__:
            add(f"global {name}".encode())
            _named(function.__globals__[name], names, add, seen)


def _named(value: Any, names: list[str], add: Callable[[bytes], None], seen: set[int]) -> None:
    """A variable; of a user's module, what code with these `names` may take from it."""
    _value(value, add, seen)
    if isinstance(value, ModuleType) and not _is_versioned(value):
        for name in names:
            if hasattr(value, name):
                add(f"from {value.__name__} {name}".encode())
                _named(getattr(value, name), [n for n in names if n != name], add, seen)


def _is_versioned(module: ModuleType) -> bool:
    """Whether a module belongs to Python or to a package that tells its version."""
    top = module.__name__.partition(".")[0]
    return top in sys.stdlib_module_names or hasattr(sys.modules.get(top), "__version__")


def _names(code: CodeType) -> set[str]:
    inner = (const for const in code.co_consts if isinstance(const, CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _code(code: CodeType, add: Callable[[bytes], None]) -> None:
    add(code.co_code)
    add(repr((code.co_names, code.co_varnames, code.co_freevars)).encode())
    for const in code.co_consts:
        if isinstance(const, CodeType):
            _code(const, add)
        else:
            add(f"{type(const).__name__} {const!r}".encode())


def _value(value: Any, add: Callable[[bytes], None], seen: set[int]) -> None:
    if isinstance(value, int | float | complex | str | bytes | bool | None.__class__):
        add(f"{type(value).__name__} {value!r}".encode())
    elif isinstance(value, np.generic | np.ndarray):
        array = np.ascontiguousarray(value)
        add(f"{array.dtype.str} {array.shape}".encode() + array.tobytes())
    elif isinstance(value, tuple | list):
        kind = type(value)
        fields = getattr(value, "_fields", "")
        add(f"{kind.__module__}.{kind.__qualname__} {fields} {len(value)}".encode())
        for item in value:
            _value(item, add, seen)
    elif isinstance(value, ModuleType):
        top = sys.modules.get(value.__name__.partition(".")[0], value)
        add(f"module {value.__name__} {getattr(top, '__version__', '')}".encode())
    elif hasattr(value, "__code__") or hasattr(value, "py_func"):
        _function(value, add, seen)
    elif isinstance(value, EnumType):
        members: list[Any] = list(value)
        add(f"{value.__qualname__} {[(m.name, m.value) for m in members]!r}".encode())
    elif isinstance(value, type) or callable(value):
        name = getattr(value, "__qualname__", type(value).__qualname__)
        add(f"{getattr(value, '__module__', '')}.{name}".encode())
    else:
        number, _ = _strangers.setdefault(id(value), (len(_strangers), value))
        add(f"object {_PROCESS} {number}".encode())
