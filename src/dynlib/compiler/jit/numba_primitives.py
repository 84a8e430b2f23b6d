"""The primitives of the kernel language for Numba, made afresh and not taken from our translator.

Each is written with Numba's own means: as a function that Numba compiles where that is enough, else
as instructions of LLVM's.  What they mean is written in `dynlib.abi.primitives`.
"""

# mypy: disable-error-code="no-untyped-call,untyped-decorator"

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from types import FunctionType
from typing import Any

from llvmlite import ir
from numba import float32, float64, int32, int64, njit
from numba.core import cgutils, types
from numba.extending import intrinsic

from dynlib.compiler.jit.numba_arrays import ARRAYS, copy_row, write_tile
from dynlib.compiler.llvm import library

__all__ = ["OPTIONS", "primitives"]

OPTIONS: dict[str, Any] = {
    "error_model": "numpy",  # a division by zero is infinite or NaN, of integers 0
    "fastmath": False,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "_nrt": False,
}
Lower = Callable[[Any, Any, Any, Sequence[Any]], Any]


def _compiled(function: Callable[..., Any]) -> Any:
    return njit(**OPTIONS)(function)


# -- numbers --------------------------------------------------------------------------------------


def _real_kind(*kinds: Any) -> Any:
    """The type in which LLVM's functions of such numbers compute."""
    return types.float32 if all(kind == types.float32 for kind in kinds) else types.float64


@intrinsic
def fma(_: Any, a: Any, b: Any, c: Any) -> Any:
    """``a*b + c`` rounded once."""
    kind = _real_kind(a, b, c)
    return kind(kind, kind, kind), lambda _c, builder, _s, args: builder.fma(*args)


@intrinsic
def remainder(_: Any, a: Any, b: Any) -> Any:
    """C's ``fmod``."""
    kind = _real_kind(a, b)
    return kind(kind, kind), lambda _c, builder, _s, args: builder.frem(*args)


@intrinsic
def copysign(_: Any, a: Any, b: Any) -> Any:
    """``|a|`` with the sign of ``b``."""
    kind = _real_kind(a, b)
    return kind(kind, kind), _of_llvm("copysign")


def _of_llvm(name: str) -> Lower:
    def lower(_: Any, builder: Any, signature: Any, args: Sequence[Any]) -> Any:
        kind = ir.FunctionType(args[0].type, [arg.type for arg in args])
        made = builder.module.declare_intrinsic(f"llvm.{name}", [args[0].type], kind)
        return builder.call(made, args)

    return lower


@intrinsic
def rint(_: Any, x: Any) -> Any:
    """The nearest whole number, halves to even."""
    return _real_kind(x)(_real_kind(x)), _of_llvm("rint")


@intrinsic
def floor(_: Any, x: Any) -> Any:
    """The greatest whole number not above x."""
    return _real_kind(x)(_real_kind(x)), _of_llvm("floor")


@intrinsic
def ceil(_: Any, x: Any) -> Any:
    """The least whole number not below x."""
    return _real_kind(x)(_real_kind(x)), _of_llvm("ceil")


@intrinsic
def trunc(_: Any, x: Any) -> Any:
    """X without its fraction."""
    return _real_kind(x)(_real_kind(x)), _of_llvm("trunc")


@intrinsic
def fabs(_: Any, x: Any) -> Any:
    """``|x|`` of a real."""
    return _real_kind(x)(_real_kind(x)), _of_llvm("fabs")


@intrinsic
def sqrt(_: Any, x: Any) -> Any:
    """The square root, NaN below zero."""
    return _real_kind(x)(_real_kind(x)), _of_llvm("sqrt")


_SAME_BITS: dict[Any, Any] = {
    types.float64: types.int64,
    types.float32: types.int32,
    types.int64: types.float64,
    types.int32: types.float32,
}


@intrinsic
def same_bits(_: Any, x: Any) -> Any:
    """The number of the other kind that has these bits."""
    other = _SAME_BITS[types.unliteral(x)]

    def lower(context: Any, builder: Any, _: Any, args: Sequence[Any]) -> Any:
        return builder.bitcast(args[0], context.get_value_type(other))

    return other(types.unliteral(x)), lower


# -- tuples ---------------------------------------------------------------------------------------


@intrinsic
def all_finite(_: Any, values: Any) -> Any:
    """Whether no real of a tuple is infinite or NaN."""

    def lower(context: Any, builder: Any, _: Any, args: Sequence[Any]) -> Any:
        found = cgutils.true_bit
        for i, kind in enumerate(values.types):
            if isinstance(kind, types.Float):
                x = builder.extract_value(args[0], i)
                gone = builder.fsub(x, x)
                zero = ir.Constant(x.type, 0.0)
                found = builder.and_(found, builder.fcmp_ordered("==", gone, zero))
        return found

    return types.boolean(values), lower


@intrinsic
def add_stray(_: Any, total: Any, values: Any) -> Any:
    """The same total, but NaN if a number of the tuple is infinite or NaN."""

    def lower(context: Any, builder: Any, _: Any, args: Sequence[Any]) -> Any:
        found = args[0]
        for i, kind in enumerate(values.types):
            if isinstance(total, types.Float):
                item = context.cast(builder, builder.extract_value(args[1], i), kind, total)
                found = builder.fma(item, ir.Constant(item.type, 0.0), found)
        return found

    return total(total, values), lower


# -- all of them ----------------------------------------------------------------------------------


def _choose(condition: Any, a: Any, b: Any) -> Any:
    return a if condition else b


def _count_if(total: Any, condition: Any) -> Any:
    return total + 1 if condition else total


def _least(a: Any, b: Any, c: Any = None) -> Any:
    best = b if b < a else a
    if c is None:
        return best
    return c if c < best else best


def _greatest(a: Any, b: Any, c: Any = None) -> Any:
    best = b if b > a else a
    if c is None:
        return best
    return c if c > best else best


_INSTRUCTIONS = (
    *(fma, remainder, copysign, rint, floor, ceil, trunc, fabs, sqrt, all_finite, add_stray),
)


@cache
def primitives(dtype: str) -> dict[str, Any]:
    """The primitives for models of this dtype, by the names that a text calls."""
    select = _compiled(_choose)
    real = float32 if dtype == "float32" else float64
    whole = int32 if dtype == "int32" else int64
    written = {
        **dict.fromkeys(("select", "choose"), select),
        "float_to_bits": same_bits,
        "bits_to_float": same_bits,
        "round_": rint,
        "real": _compiled(lambda x: real(x)),
        "integer": _compiled(lambda x: whole(x)),
        "float": _compiled(lambda x: float64(x)),
        "int": _compiled(lambda x: int64(x)),
        "boolean": _compiled(lambda x: x != 0),
        "bool": _compiled(lambda x: x != 0),
        "min": _compiled(_least),
        "max": _compiled(_greatest),
        "count_if": _compiled(_count_if),
        "copy_row": _compiled(copy_row),
        "write_tile": _compiled(write_tile),
        "inf": float("inf"),
        "nan": float("nan"),
    }
    named = {each._name: each for each in _INSTRUCTIONS} | ARRAYS
    return {**_of_library({**written, **named}), **written, **named}


def _of_library(known: dict[str, Any]) -> dict[str, Any]:
    """The primitives that are functions of the kernel language themselves."""
    space = dict(known)
    for name in library.__all__:
        if name not in known:
            function = getattr(library, name)
            space[name] = _compiled(FunctionType(function.__code__, space, name))
    return {name: space[name] for name in library.__all__ if name not in known}
