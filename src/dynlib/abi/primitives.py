"""What generated code may call, as plain Python with NumPy's semantics.

Generated code is scalar Python over `numpy.float64`, `numpy.float32`, `numpy.int64`,
`numpy.int32` and `numpy.bool_` values, with Python numbers as literals.  Nothing here raises:
invalid arithmetic gives NaN or an infinity, as it does in compiled code.  NumPy warns about it
unless told otherwise, so plain code runs under ``numpy.errstate(all="ignore")``.

`PRIMITIVES` is the list; the compiled twins have the same names and meanings:

- ``real`` ``integer`` ``boolean``: conversions.  ``integer`` cuts towards zero; what does not fit
  (NaN, infinities, beyond 64 bits) becomes the least integer, as it does in the processor.
- ``fma(a, b, c)``: ``a*b + c`` rounded once.  ``select(c, a, b)``: ``a`` where ``c``, else ``b``.
- ``div(a, b)``: real quotient of what may be Python numbers.
- ``floordiv`` ``mod``: of reals, with Python's sign rules and NumPy's values at zero.
- ``ifloordiv`` ``imod`` ``ipow``: of integers; a zero divisor gives 0, a negative power of
  anything but 1 and -1 gives 0, overflow wraps.
- ``pow(a, b)``: of reals.  ``abs_`` ``sign`` ``min_`` ``max_``: of two reals or two integers;
  NaN wins.  ``round_``: to the nearest integer, halves to even.
- ``not_``: of a bool.  ``inf`` and ``nan``: constants.
- The other names are the functions of mathematics, of reals.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from dynlib.abi.briefly import BRIEFLY

_LEAST = -(2**63)
_SPLIT = 134217729.0  # 2**27 + 1: cuts a double into two halves of 26 bits (Dekker 1971)
_MAKE: dict[type, Callable[[Any], Any]] = {float: np.float64, int: np.int64, bool: np.bool_}
_SMALL, _LARGE = 1e-130, 1e290


def _wrapped(value: int) -> int:
    """Return the 64-bit integer that equals ``value`` modulo 2**64."""
    return (value - _LEAST) % 2**64 + _LEAST


def real(x: Any) -> Any:
    """Return ``x`` as a float64."""
    return np.float64(x)


def real32(x: Any) -> Any:
    """Return ``x`` as a float32."""
    return np.float32(x)


def integer(x: Any) -> Any:
    """Return ``x`` as an int64, cut towards zero."""
    if isinstance(x, int | np.integer):
        return np.int64(_wrapped(int(x)))
    if not -(2.0**63) <= x < 2.0**63:
        return np.int64(_LEAST)
    return np.int64(x)


def integer32(x: Any) -> Any:
    """Return ``x`` cut towards zero, modulo 2**32: what an int32 keeps of it, to compute with."""
    return np.int64(integer(x).astype(np.int32))


def boolean(x: Any) -> Any:
    """Tell whether ``x`` is not 0."""
    return np.bool_(x)


def not_(c: Any) -> Any:
    """Tell whether ``c`` is false."""
    return np.logical_not(c)


def _product_error(a: float, b: float, p: float) -> float:
    """Return what rounding took from ``a*b == p + error`` (Veltkamp and Dekker)."""
    t = _SPLIT * a
    a_high = t - (t - a)
    a_low = a - a_high
    t = _SPLIT * b
    b_high = t - (t - b)
    b_low = b - b_high
    return ((a_high * b_high - p) + a_high * b_low + a_low * b_high) + a_low * b_low


def fma(a: Any, b: Any, c: Any) -> Any:
    """Return ``a*b + c`` rounded once, as the processor's instruction does.

    The rounding error of the product is computed exactly, and `math.fsum` adds exactly.  Mixed
    widths are widened.
    """
    if type(a) is type(b) is type(c) is np.float32:
        return np.float32(np.float64(a) * np.float64(b) + np.float64(c))
    x, y, z = float(a), float(b), float(c)
    p = x * y
    if _SMALL < abs(p) < _LARGE and abs(z) < _LARGE:
        total = math.fsum((p, _product_error(x, y, p), z))
        if total == total != 0.0:
            return np.float64(total)
    if x and y and math.isfinite(x) and math.isfinite(y):
        return np.float64(_fma_far_out(x, y, z))
    return np.float64(p + z)


def _fma_far_out(x: float, y: float, z: float) -> float:
    """Return ``x*y + z`` rounded once, where some part of it is too large or too small to split."""
    if not math.isfinite(z):
        return z
    from fractions import Fraction  # plain Python alone computes this, and seldom

    exact = Fraction(x) * Fraction(y) + Fraction(z)
    if not exact:
        return x * y + z
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def select(c: Any, a: Any, b: Any) -> Any:
    """Return ``a`` where ``c`` holds, else ``b``."""
    return _scalar(a if c else b)


def _scalar(x: Any) -> Any:
    """Return a Python number as NumPy's, which can be divided by zero."""
    made = _MAKE.get(type(x))
    return x if made is None else made(x)


def div(a: Any, b: Any) -> Any:
    """Return the real quotient."""
    return np.true_divide(a, b)


def floordiv(a: Any, b: Any) -> Any:
    """Return the greatest whole number not above ``a/b``, of reals."""
    return np.floor_divide(a, b)


def mod(a: Any, b: Any) -> Any:
    """Return the rest of `floordiv`, of reals; it has the sign of ``b``."""
    return np.mod(a, b)


def ifloordiv(a: Any, b: Any) -> Any:
    """Return ``a // b`` of integers, 0 where ``b`` is 0."""
    return np.int64(_wrapped(int(a) // int(b))) if b != 0 else np.int64(0)


def imod(a: Any, b: Any) -> Any:
    """Return ``a % b`` of integers, 0 where ``b`` is 0."""
    return np.int64(int(a) % int(b)) if b != 0 else np.int64(0)


def ipow(a: Any, k: Any) -> Any:
    """Return ``a**k`` of integers, modulo 2**64; fractions are 0."""
    base, exponent = int(a), int(k)
    if exponent >= 0:
        return np.int64(_wrapped(pow(base, exponent, 2**64)))
    if base in (1, -1):
        return np.int64(base if exponent % 2 else 1)
    return np.int64(0)


def sign(x: Any) -> Any:
    """Return -1, 0 or 1, or NaN for NaN; a zero keeps its sign."""
    return x if x == 0 or x != x else _scalar(x).dtype.type(1 if x > 0 else -1)


def min_(a: Any, b: Any) -> Any:
    """Return the lesser; NaN if either is; the first where they are equal."""
    return _scalar(a if a <= b or a != a else b)


def max_(a: Any, b: Any) -> Any:
    """Return the greater; NaN if either is; the first where they are equal."""
    return _scalar(a if a >= b or a != a else b)


def power(a: Any, b: Any) -> Any:
    """Return ``a**b`` of reals, as C defines it: NumPy takes square roots for powers of a half."""
    try:
        return _like(math.pow(a, b), a if isinstance(a, np.generic) else b)
    except (ValueError, OverflowError):
        return np.power(a, b)


def float_to_bits(x: Any) -> Any:
    return np.float64(x).view(np.int64)


def bits_to_float(i: Any) -> Any:
    return np.int64(i).view(np.float64)


def load_rows(array: Any, start: int, n: int, lane: int) -> Any:
    return tuple(array[start : start + n, lane])


def load_rows32(array: Any, start: int, n: int, lane: int) -> Any:
    return tuple(map(np.int64, array[start : start + n, lane]))


def store_rows(array: Any, start: int, lane: int, values: Any) -> None:
    array[start : start + len(values), lane] = values


def load_values(array: Any, n: int) -> Any:
    return tuple(array[:n])


def in_memory(values: Any) -> Any:
    """The same, of which items can be taken whose place is not known beforehand."""
    return values


def as_array(values: Any) -> Any:
    """The same, of which items can be exchanged."""
    return list(values)


def store_row(array: Any, row: int, values: Any) -> None:
    array[row, : len(values)] = values


def write_tile(
    tile: Any, lanes: int, n: int, run: Any, records: Any, row: int, stream: int
) -> None:
    for lane in range(lanes):
        if run[lane] >= 0:
            record = records[run[lane]]
            record.reshape(-1)[row * record.shape[1] :][:n] = tile[:n, lane]


def settle_memory() -> None:
    """Nothing is ever on its way: this is plain Python."""


def take_number(queue: Any) -> int:
    """The number that is next; no other thread gets it too."""
    with BRIEFLY:
        taken = int(queue[0])
        queue[0] = taken + 1
    return taken


def heard(array: Any, row: int, lane: int) -> bool:
    """Whether another thread has put a number other than 0 there, even while this loop runs."""
    return bool(array[row, lane] != 0)


def copy_row(tile: Any, lanes: int, k: int, y: Any, j: int) -> None:
    tile[k, :lanes] = y[j, :lanes]


def choose(condition: Any, a: Any, b: Any) -> Any:
    return a if condition else b


def all_finite(values: Any) -> bool:
    return bool(np.all(np.isfinite(values)))


def count_if(total: Any, condition: Any) -> Any:
    return total + 1 if condition else total


def add_stray(total: Any, values: Any) -> Any:
    return total if all_finite(values) else math.nan


def erf(x: Any) -> Any:
    """Return the error function."""
    return _like(math.erf(x), x)


def erfc(x: Any) -> Any:
    """Return 1 minus the error function."""
    return _like(math.erfc(x), x)


def _like(value: float, x: Any) -> Any:
    return np.float32(value) if isinstance(x, np.float32) else np.float64(value)


PRIMITIVES: dict[str, Callable[..., Any] | float] = {
    "real": real,
    "integer": integer,
    "boolean": boolean,
    "not_": not_,
    "fma": fma,
    "select": select,
    "div": div,
    "floordiv": floordiv,
    "mod": mod,
    "ifloordiv": ifloordiv,
    "imod": imod,
    "ipow": ipow,
    "pow": power,
    "sqrt": np.sqrt,
    "cbrt": np.cbrt,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "log2": np.log2,
    "log10": np.log10,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "erf": erf,
    "erfc": erfc,
    "hypot": np.hypot,
    "floor": np.floor,
    "ceil": np.ceil,
    "trunc": np.trunc,
    "round_": np.rint,
    "rint": np.rint,
    "load_rows": load_rows,
    "store_rows": store_rows,
    "load_values": load_values,
    "in_memory": in_memory,
    "as_array": as_array,
    "store_row": store_row,
    "write_tile": write_tile,
    "copy_row": copy_row,
    "settle_memory": settle_memory,
    "take_number": take_number,
    "heard": heard,
    "choose": choose,
    "all_finite": all_finite,
    "count_if": count_if,
    "add_stray": add_stray,
    "float_to_bits": float_to_bits,
    "bits_to_float": bits_to_float,
    "abs_": np.abs,
    "copysign": np.copysign,
    "sign": sign,
    "min_": min_,
    "max_": max_,
    "inf": math.inf,
    "nan": math.nan,
}
"""Every name that generated code may use, for float64 and int64 models."""


def plain_namespace(dtype: str = "float64") -> dict[str, Callable[..., Any] | float]:
    """Return the primitives for models of this dtype, as globals for plain generated code.

    Parameters
    ----------
    dtype : {"float64", "float32", "int64", "int32"}

    Examples
    --------
    >>> float(plain_namespace("float32")["real"](0.1))
    0.10000000149011612
    """
    changed: dict[str, Callable[..., Any] | float] = {}
    if dtype == "float32":
        changed["real"] = real32
    if dtype == "int32":
        changed["integer"] = integer32
        changed["load_rows"] = load_rows32
    return {**PRIMITIVES, **changed}
