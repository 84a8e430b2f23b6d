"""The primitives of generated code, compiled; `dynlib.abi.primitives` are their plain twins."""

# mypy: ignore-errors

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from numba import boolean, float32, float64, int32, int64, njit

from dynlib.compiler.jit import intrinsics
from dynlib.compiler.jit.columns import COLUMNS
from dynlib.compiler.jit.intrinsics import rint, select
from dynlib.compiler.jit.tiles import TILES
from dynlib.compiler.jit.vector_functions import vector_functions
from dynlib.compiler.jit.views import VIEWS
from dynlib.compiler.vecmath import VECMATH

__all__ = ["primitives"]


def abs_(x):
    return abs(x)


def sign(x):
    return select(x > 0, x * 0 + 1, select(x < 0, x * 0 - 1, x))


def min_(a, b):
    return select((a <= b) | (a != a), a, b)


def max_(a, b):
    return select((a >= b) | (a != a), a, b)


def not_(c):
    return not c


def div(a, b):
    return float64(a) / float64(b)


def mod(a, b):
    return a % b


def floordiv(a, b):
    return a // b


def ifloordiv(a, b):
    # The least integer has no quotient by -1, which processors trap.
    safe = select((b == 0) | (b == -1), b * 0 + 1, b)
    return select(b == 0, b * 0, select(b == -1, -a, a // safe))


def imod(a, b):
    safe = select(b == 0, b * 0 + 1, b)
    return select(b == 0, b * 0, a % safe)


def ipow(a, k):
    result = a * 0 + 1
    if k < 0:
        odd = select(k & 1 == 1, a, result)
        return select((a == 1) | (a == -1), odd, a * 0)
    while k > 0:
        if k & 1:
            result = result * a
        a = a * a
        k >>= 1
    return result


_COMPOSED: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        *(abs_, sign, min_, max_, not_),
        *(div, mod, floordiv, ifloordiv, imod, ipow),
    )
}

_OF_TWO = ("atan2", "pow", "hypot")
_REAL = {"float32": float32}
_INTEGER = {"int32": int32}


@cache
def _compiled(name: str) -> Any:
    inline = name != "ipow"
    return njit(forceinline=inline, error_model="numpy", no_cpython_wrapper=True)(_COMPOSED[name])


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
        elif name in TILES:
            found[name] = TILES[name]
        elif name in casts:
            found[name] = casts[name]
        elif name in _COMPOSED:
            found[name] = _compiled(name)
        elif name in VECMATH:
            found[name] = _elementary(dtype)[name]
        elif name in intrinsics.__all__:
            found[name] = getattr(intrinsics, name)
    return found
