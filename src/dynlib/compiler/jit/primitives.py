"""The primitives of generated code, for compilation; `dynlib.abi.primitives` is their plain twin."""

# mypy: ignore-errors

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from numba import boolean, float32, float64, int32, int64, njit

from dynlib.compiler.jit import intrinsics
from dynlib.compiler.jit.columns import COLUMNS
from dynlib.compiler.jit.intrinsics import copysign, fabs, rint, select
from dynlib.compiler.jit.views import VIEWS

__all__ = ["primitives"]

_MATH = (
    "exp expm1 log log1p log2 log10 sin cos tan asin acos atan atan2 sinh cosh tanh "
    "asinh acosh atanh erf erfc hypot pow"
).split()


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
    safe = select(b == 0, b * 0 + 1, b)
    return select(b == 0, b * 0, a // safe)


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


def cbrt(x):
    root = fabs(x) ** (1.0 / 3.0)
    root = root - (root * root * root - fabs(x)) / (3.0 * root * root)
    return copysign(select((x == 0.0) | (fabs(x) == math.inf), fabs(x), root), x)


_COMPOSED: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        *(abs_, sign, min_, max_, not_, cbrt),
        *(div, mod, floordiv, ifloordiv, imod, ipow),
    )
}

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
        elif name in _MATH:
            found[name] = getattr(math, name)
        elif name in intrinsics.__all__:
            found[name] = getattr(intrinsics, name)
    return found
