"""The operations the vector mathematics is written in, as plain Python.

Compiled code gets single instructions of the same names instead.  These versions exist so that
each function can be read, stepped through and tested without a compiler; they are exact, not fast.
"""

from __future__ import annotations

import math
import struct
from fractions import Fraction
from typing import TypeVar

__all__ = [
    "bits_to_float",
    "copysign",
    "fabs",
    "float_to_bits",
    "fma",
    "rint",
    "select",
    "sqrt",
]

_WORD = (1 << 64) - 1

T = TypeVar("T")


def fma(a: float, b: float, c: float) -> float:
    """``a*b + c``, rounded once."""
    if not (math.isfinite(a) and math.isfinite(b)):
        return a * b + c
    if not math.isfinite(c):
        return c
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    if not exact:
        return a * b + c
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def select(condition: bool, a: T, b: T) -> T:
    """``a`` where ``condition`` holds, else ``b``."""
    return a if condition else b


def rint(x: float) -> float:
    """Nearest integer, ties to even, as a float."""
    return math.copysign(float(round(x)), x) if math.isfinite(x) else x


def float_to_bits(x: float) -> int:
    """The 64 bits of ``x`` as a signed integer."""
    bits: int = struct.unpack("<q", struct.pack("<d", x))[0]
    return bits


def bits_to_float(i: int) -> float:
    """The float whose bits are the low 64 bits of ``i``."""
    x: float = struct.unpack("<d", struct.pack("<Q", i & _WORD))[0]
    return x


def sqrt(x: float) -> float:
    """Square root; NaN below zero."""
    return math.sqrt(x) if x >= 0 else x if x != x else math.nan


def fabs(x: float) -> float:
    """``|x|``."""
    return math.fabs(x)


def copysign(magnitude: float, sign: float) -> float:
    """``|magnitude|`` with the sign of ``sign``."""
    return math.copysign(magnitude, sign)
