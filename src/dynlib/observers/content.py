"""What a function is made of, as text: equal for equal content, in every process.

A kernel with a user's hook in it is kept under this text.  It covers the code, the constants, the
defaults, the values of closures and of the globals that the code refers to, and so on through the
functions that it calls.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import Any

import numpy as np

__all__ = ["content_of"]


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
    function = getattr(function, "py_func", function)  # of a Numba dispatcher
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
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        add(f"free {name}".encode())
        _value(cell.cell_contents, add, seen)
    for name in sorted(_names(code)):
        if name in function.__globals__:
            add(f"global {name}".encode())
            _value(function.__globals__[name], add, seen)


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
        add(f"{type(value).__name__} {len(value)}".encode())
        for item in value:
            _value(item, add, seen)
    elif isinstance(value, ModuleType):
        add(f"module {value.__name__} {getattr(value, '__version__', '')}".encode())
    elif hasattr(value, "__code__") or hasattr(value, "py_func"):
        _function(value, add, seen)
    elif isinstance(value, type) or callable(value):
        name = getattr(value, "__qualname__", type(value).__qualname__)
        add(f"{getattr(value, '__module__', '')}.{name}".encode())
    else:
        add(f"object {id(value)}".encode())
