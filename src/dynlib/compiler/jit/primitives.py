"""The primitives of generated code, compiled; `dynlib.abi.primitives` are their plain twins."""

# mypy: ignore-errors

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import cache
from types import FunctionType
from typing import Any

from numba import boolean, float32, float64, int32, int64, njit

from dynlib.compiler.jit import intrinsics
from dynlib.compiler.jit.columns import COLUMNS
from dynlib.compiler.jit.intrinsics import rint
from dynlib.compiler.jit.vector_functions import vector_functions
from dynlib.compiler.jit.views import VIEWS
from dynlib.compiler.llvm import library
from dynlib.compiler.vecmath import VECMATH

__all__ = ["primitives"]


def copy_row(tile, lanes, k, y, j):
    for lane in range(lanes):
        tile[k, lane] = y[j, lane]


def settle_memory():
    pass


def write_tile(tile, lanes, n, run, records, row, stream):
    width = records.shape[2]
    for lane in range(lanes):
        r = run[lane]
        if r >= 0:
            for k in range(n):
                records[r, row + k // width, k % width] = tile[k, lane]


_TILES = {"copy_row": copy_row, "settle_memory": settle_memory, "write_tile": write_tile}
_COMPOSED: dict[str, Callable[..., Any]] = {
    **{name: getattr(library, name) for name in library.__all__},
    **_TILES,
}

_OF_TWO = ("atan2", "pow", "hypot")
_REAL = {"float32": float32}
_INTEGER = {"int32": int32}


@cache
def _compiled(name: str) -> Any:
    """A function of the library, which finds the primitives that it calls among its globals."""
    function = _COMPOSED[name]
    namespace = {other: getattr(intrinsics, other) for other in intrinsics.__all__}
    bound = FunctionType(function.__code__, namespace, name)
    inline = name not in ("ipow", *_TILES)
    return njit(forceinline=inline, error_model="numpy", no_cpython_wrapper=True)(bound)


@cache
def _casts(dtype: str) -> dict[str, Any]:
    return {
        "real": _REAL.get(dtype, float64),
        "integer": _INTEGER.get(dtype, int64),
        "boolean": boolean,
        "round_": rint,
        "inf": math.inf,
        "nan": math.nan,
    }


@cache
def _elementary(dtype: str) -> dict[str, Any]:
    """Elementary functions; those of float32 models are computed in double precision."""
    functions = vector_functions(_nrt=False)
    if dtype != "float32":
        return functions
    return {name: _rounded(function, name in _OF_TWO) for name, function in functions.items()}


def _rounded(function: Any, of_two: bool) -> Any:
    def one(x):
        return float32(function(float64(x)))

    def two(x, y):
        return float32(function(float64(x), float64(y)))

    return njit(forceinline=True, error_model="numpy", _nrt=False)(two if of_two else one)


def primitives(names: Iterable[str], dtype: str = "float64") -> dict[str, Any]:
    """Compiled forms of the primitives among `names`, for states of type `dtype`."""
    found: dict[str, Any] = {}
    casts = _casts(dtype)
    for name in names:
        if name in VIEWS:
            found[name] = VIEWS[name]
        elif name in COLUMNS:
            found[name] = COLUMNS[name]
        elif name in casts:
            found[name] = casts[name]
        elif name in _COMPOSED:
            found[name] = _compiled(name)
        elif name in VECMATH:
            found[name] = _elementary(dtype)[name]
        elif name in intrinsics.__all__:
            found[name] = getattr(intrinsics, name)
    return found
