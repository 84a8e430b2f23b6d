"""What a function is made of, as text: equal for equal content, in every process.

A kernel with a user's hook in it is kept under this text.  It covers the code, the constants, the
defaults, the values of closures and of the globals that the code refers to, and so on through the
functions that it calls.  What belongs to Python, NumPy or Numba stands there by its name.  What has
no content that could be compared counts as different from everything but itself.
"""

from __future__ import annotations

import enum
import hashlib
import struct
from collections.abc import Callable, Iterable
from functools import lru_cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from dynlib.compiler.jit.frozen import is_dispatcher
from dynlib.compiler.jit.standard import (
    enclosed,
    is_standard,
    names_in,
    standard_name,
    taken_from,
)
from dynlib.compiler.jit.tokens import token

__all__ = ["content_of", "is_portable"]


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
    return _read(function).digest()


def is_portable(function: Callable[..., Any]) -> bool:
    """Whether `content_of` a function says in another process what it says here.

    Examples
    --------
    >>> thing = object()
    >>> is_portable(lambda: 1), is_portable(lambda: thing)
    (True, False)
    """
    return _read(function).portable


def _read(function: Callable[..., Any]) -> _Reader:
    reader = _Reader()
    try:
        reader.root(function)
    except RecursionError:  # values within values, without end
        reader = _Reader()
        reader.stranger(function)
    return reader


class _Reader:
    """Goes through all that a function refers to.

    Attributes
    ----------
    portable
        Whether all of it has content.
    """

    def __init__(self) -> None:
        self.portable = True
        self._read: list[bytes] = []
        self._seen: dict[Any, int] = {}
        self._copied = 0  # within what is compiled as it is, not as a copy (`compiler.jit.frozen`)

    def digest(self) -> str:
        """The hash of what has been read."""
        return hashlib.sha256(b"".join(self._read)).hexdigest()

    def root(self, function: Any) -> None:
        """A hook, of which the function alone counts that Numba would compile."""
        inner = getattr(function, "py_func", function)
        if isinstance(inner, FunctionType):
            self._function(inner)
        else:
            self.value(inner)

    def stranger(self, value: object) -> None:
        """Something without content."""
        self.portable = False
        self._add("object", token(value))

    def _add(self, kind: str, *texts: str | bytes) -> None:
        """Texts that cannot be taken for others, wherever they begin and end."""
        self._read.append(f"{len(texts)} {len(kind)} {kind}".encode())
        for text in texts:
            data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
            self._read += (b" %d " % len(data), data)

    def _again(self, key: Any) -> bool:
        """Whether this has been read; then the place where it was stands for it."""
        if key in self._seen:
            self._add("again", str(self._seen[key]))
            return True
        self._seen[key] = len(self._seen)
        return False

    # -- functions ----------------------------------------------------------------------------

    def _function(self, function: FunctionType) -> None:
        if self._again(id(function)):
            return
        self._add("code", _of_code(function.__code__))
        names = names_in(function.__code__)
        self._within(function.__defaults__)
        self._within(function.__kwdefaults__)
        for name, value in enclosed(function).items():
            self._add("free", name)
            self.value(value, names)
        for name in sorted(names & function.__globals__.keys()):
            self._add("global", name)
            self.value(function.__globals__[name], names)

    def _dispatcher(self, value: Any) -> None:
        """A function that Numba compiles: with the user's options, and anew (`frozen`)."""
        if self._copied:
            self.stranger(value)  # compiled as it is, and perhaps with globals of long ago
            return
        if self._again(id(value)):
            return
        self._add("dispatcher")
        self._within(dict(sorted(value.targetoptions.items())))
        self._within(value.locals)
        self._within(value._compiler.pipeline_class)
        if not value._can_compile:
            for signature in value.nopython_signatures:
                self._within((signature.return_type, *signature.args))
        self._function(value.py_func)

    # -- values -------------------------------------------------------------------------------

    def value(self, value: Any, names: Iterable[str] = ()) -> None:
        """Anything; of a user's module, what code with these `names` may take from it."""
        kind = type(value)
        plain = _PLAIN.get(kind)
        if plain is not None:
            self._add(kind.__name__, plain(value))
        elif kind is tuple:
            self._add("tuple", str(len(value)))
            for item in value:
                self.value(item, names)
        elif kind is CodeType:
            self._add("code", _of_code(value))
        elif isinstance(value, ModuleType):
            self._module(value, names)
        elif is_dispatcher(value):
            self._dispatcher(value)
        elif name := _name_of(value):
            self._add("standard", name)
        elif kind is FunctionType:
            self._function(value)
        elif isinstance(value, np.generic | np.ndarray | np.dtype):
            self._array(value)
        else:
            self._within(value)

    def _module(self, module: ModuleType, names: Iterable[str]) -> None:
        if not names and not is_standard(module):
            self.stranger(module)
        self._add("module", module.__name__)
        for name, value in taken_from(module, names).items():
            if not self._again((id(module), name)):
                self._add("from", name)
                self.value(value, names)

    def _array(self, value: Any) -> None:
        dtype = value if isinstance(value, np.dtype) else value.dtype
        if dtype.hasobject or type(value).__module__.partition(".")[0] != "numpy":
            self.stranger(value)
            return
        self._add(type(value).__name__, dtype.str, repr(dtype) if dtype.names else "")
        if not isinstance(value, np.dtype):
            flags = np.asarray(value).flags
            self._add(repr((value.shape, flags.c_contiguous, flags.f_contiguous, flags.aligned)))
            self._add("bytes", np.ascontiguousarray(value).tobytes())

    def _within(self, value: Any) -> None:
        """What is compiled as it is."""
        self._copied += 1
        if not self._has_read(value):
            self.stranger(value)
            if hasattr(value, "argtypes"):  # a function of C, which may be declared anew
                self.value((value.argtypes, value.restype))
        self._copied -= 1

    def _has_read(self, value: Any) -> bool:
        """Read a value that is compiled as it is, if it has content."""
        kind = type(value)
        if value is None or kind is tuple:
            self.value(value)
        elif kind in (list, set, frozenset, dict, slice, range):
            self._collection(value)
        elif isinstance(value, enum.Enum):
            self._enumeration(kind)
            self._add(value.name or "")
            self.value(value.value)
        elif isinstance(value, enum.EnumType):
            self._enumeration(value)
        elif isinstance(value, tuple) and _is_named_tuple(kind):
            self._named_tuple(kind)
            for item in value:
                self.value(item)
        elif _is_named_tuple(value):
            self._named_tuple(value)
        elif kind is type:
            self._class(value)
        elif (text := _numba_type(value)) is not None:
            self._add("type", text)
        else:
            return False
        return True

    def _collection(self, value: Any) -> None:
        kind = type(value)
        if kind in (list, dict) and self._again(id(value)):
            return
        if kind in (set, frozenset):
            items = sorted(self._apart(item) for item in value)
        elif kind is dict:
            items = [part for item in value.items() for part in item]
        elif kind is list:
            items = list(value)
        else:
            items = [value.start, value.stop, value.step]
        self._add(kind.__name__, str(len(items)))
        for item in items:
            self.value(item)

    def _apart(self, item: Any) -> str:
        """The hash of one item: sets have no order."""
        reader = _Reader()
        reader._copied = self._copied
        reader.value(item)
        self.portable &= reader.portable
        return reader.digest()

    def _enumeration(self, kind: Any) -> None:
        if self._again(id(kind)):
            return
        self._add("enum", kind.__qualname__)
        self.value(kind.__mro__[1])
        for name, member in kind.__members__.items():
            self._add(name)
            self.value(member.value)

    def _named_tuple(self, kind: Any) -> None:
        if not self._again(id(kind)):
            self._add("named tuple", kind.__qualname__, repr(kind._fields))
            self.value(kind.__new__.__defaults__)

    def _class(self, kind: type) -> None:
        """An ordinary class, as of exceptions."""
        if self._again(id(kind)):
            return
        self._add("class", kind.__qualname__)
        for base in kind.__bases__:
            self.value(base)
        for name, value in sorted(vars(kind).items()):
            if name not in _OF_CLASSES:
                self._add(name)
                self.value(value.__func__ if isinstance(value, staticmethod) else value)


@lru_cache(maxsize=256)
def _of_code(code: CodeType) -> str:
    """The hash of a function's code and constants; where it stands in its file does not count."""
    reader = _Reader()
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    reader._add("code", code.co_code, code.co_exceptiontable, repr(counts), repr(names))
    for const in code.co_consts:
        reader.value(const)
    return reader.digest()


def _bits(value: float) -> bytes:
    return struct.pack("<d", value)


_PLAIN: dict[type, Callable[[Any], str | bytes]] = {
    type(None): repr,
    type(...): repr,
    bool: repr,
    int: repr,
    str: str,
    bytes: bytes,
    float: _bits,
    complex: lambda z: _bits(z.real) + _bits(z.imag),
}
_OF_CLASSES = {
    "__dict__", "__weakref__", "__module__", "__doc__", "__annotations__", "__firstlineno__",
    "__static_attributes__",
}  # fmt: skip
_NUMBERS = {"Integer", "Float", "Complex", "Boolean", "NoneType"}


def _name_of(value: Any) -> str | None:
    return standard_name(value) if callable(value) else None


def _is_named_tuple(kind: Any) -> bool:
    """Whether this is a class of tuples with names for their items and nothing else."""
    return type(kind) is type and kind.__bases__ == (tuple,) and hasattr(kind, "_fields")


def _numba_type(value: Any) -> str | None:
    """The name of a type of Numba's, if it is complete: that of numbers, and arrays of them."""
    kind = type(value)
    if not kind.__module__.startswith("numba.core.types"):
        return None
    if kind.__name__ in _NUMBERS:
        return str(value)
    inner = getattr(value, "dtype", None)
    number = inner is not None and type(inner).__name__ in _NUMBERS
    return str(value) if kind.__name__ in ("Array", "UniTuple") and number else None
