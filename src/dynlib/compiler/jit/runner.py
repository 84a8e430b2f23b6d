"""A runner that can be called: an entry point of object code, or a Python function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from ctypes import addressof, c_char
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.runner_args import WORDS
from dynlib.compiler.jit.native import RAISED, Entry

__all__ = ["Call", "PlainCall", "Runner"]

Arrays = Sequence[NDArray[Any]]
_PADDING = (0,) * (WORDS - 1)


class Call:
    """A runner bound to its arrays; calling it returns the status.

    The table that a compiled runner reads is filled once; `put` exchanges one array, as when
    a buffer has grown.
    """

    def __init__(
        self, entry: Entry, arrays: Arrays, table: NDArray[np.int64] | None = None
    ) -> None:
        self._entry = entry
        self._arrays = list(arrays)
        if table is None:
            table = np.array([word for array in arrays for word in _words(array)], dtype=np.int64)
        self._table = table
        self._words = table.data  # which takes single numbers three times as fast
        self._enter, self._status = entry.bound(_address(table))

    def put(self, i: int, array: NDArray[Any]) -> None:
        """Exchange argument `i`."""
        self._arrays[i] = array
        for place, word in enumerate(_words(array), WORDS * i):
            self._words[place] = word

    def but_with(self, arrays: Mapping[int, NDArray[Any]]) -> Call:
        """Another call, with these arguments exchanged."""
        twin = Call(self._entry, self._arrays, self._table.copy())
        for i, array in arrays.items():
            twin.put(i, array)
        return twin

    def __call__(self) -> int:
        """Enter the runner; returns its status."""
        if self._enter():
            raise RuntimeError(RAISED)
        return self._status.value

    def repeated(self) -> Callable[[], int]:
        """The same call of a runner that has no status to tell, with less around it."""
        return self._enter


def _words(array: NDArray[Any]) -> tuple[int, ...]:
    """What the table holds of an array: its address, if it holds anything, its shape, zeros."""
    assert array.flags.c_contiguous
    return (_address(array) if array.size else 0, *array.shape, *_PADDING[array.ndim :])


def _address(array: NDArray[Any]) -> int:
    try:  # a fifth of the time of the other way
        return addressof(c_char.from_buffer(array))  # type: ignore[arg-type]
    except TypeError:  # it is read-only
        address: int = array.__array_interface__["data"][0]
        return address


class PlainCall:
    """The same for a runner that is plain Python."""

    def __init__(self, runner: Callable[..., int], arrays: Arrays) -> None:
        self._runner = runner
        self._arrays = list(arrays)

    def put(self, i: int, array: NDArray[Any]) -> None:
        """Exchange argument `i`."""
        self._arrays[i] = array

    def but_with(self, arrays: Mapping[int, NDArray[Any]]) -> PlainCall:
        """Another call, with these arguments exchanged."""
        mine = [arrays.get(i, array) for i, array in enumerate(self._arrays)]
        return PlainCall(self._runner, mine)

    def __call__(self) -> int:
        """Enter the runner; returns its status."""
        with np.errstate(all="ignore"):
            return int(self._runner(*self._arrays))

    def repeated(self) -> Callable[[], int]:
        """The call itself."""
        return self


class Runner:
    """A runner; `bind` gives it its arrays, in the order of `RUNNER_ARGS`."""

    def __init__(self, target: Entry | Callable[..., int], *, compiled: bool) -> None:
        self._target = target
        self.compiled = compiled

    def bind(self, arrays: Arrays) -> Call | PlainCall:
        """A call of the runner with these arrays."""
        if self.compiled:
            return Call(cast(Entry, self._target), arrays)
        return PlainCall(self._target, arrays)
