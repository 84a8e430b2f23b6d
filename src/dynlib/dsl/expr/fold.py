"""Arithmetic on literals, with the results that a running model would get.

Reals follow NumPy (1/0 is an infinity, 0/0 is NaN; nothing raises), ints are 64 bits wide and
wrap, and an integer division by zero is 0.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from dynlib.abi.primitives import PRIMITIVES
from dynlib.dsl.expr.ops import OPS

Value = float | int | bool

_LEAST = -(2**63)


def wrap(value: int) -> int:
    """Return ``value`` as it is after an overflow of 64-bit integers.

    Examples
    --------
    >>> wrap(2**63)
    -9223372036854775808
    """
    return value if _LEAST <= value < -_LEAST else (value - _LEAST) % 2**64 + _LEAST


def fits(value: int) -> bool:
    """Tell whether ``value`` is a 64-bit integer."""
    return _LEAST <= value < -_LEAST


def to_real(value: Value) -> float:
    """Return ``value`` as a float; integers beyond its range become infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _quotient(a: float, b: float) -> float:
    if b:
        return a / b
    return math.nan if a == 0 or a != a else math.copysign(math.inf, a) * math.copysign(1.0, b)


_PYTHON: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": _quotient,
    "neg": operator.neg,
    "abs": abs,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "eq": operator.eq,
    "ne": operator.ne,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "not": operator.not_,
    "select": lambda c, a, b: a if c else b,
    "cast_real": to_real,
    "copysign": lambda a, b: abs(a) if b != b else math.copysign(a, b),
    "whole": lambda a: float(int(a)) if abs(a) < -_LEAST else math.nan,
}


def fold(op: str, values: Sequence[Value]) -> Value:
    """Return the value of an operation on literals.

    Parameters
    ----------
    op : str
        A key of `OPS`.
    values : sequence of float, int or bool
        The operands, of the kinds that the operation takes.

    Returns
    -------
    float, int or bool

    Examples
    --------
    >>> fold("div", [1.0, 0.0])
    inf
    """
    if op in _PYTHON:
        result = _PYTHON[op](*values)
    elif op in ("min", "max"):
        result = reduce(lambda a, b: _called(op, (a, b)), values)
    else:
        result = _called(op, values)
    return result if isinstance(result, bool | float) else wrap(result)


def _called(op: str, values: Sequence[Value]) -> Any:
    """Return what the primitive of ``op`` makes of these values, as a Python number."""
    row = OPS[op]
    whole = isinstance(values[0], int)
    primitive: Any = PRIMITIVES[row.int_call if whole and row.int_call else row.call]
    with np.errstate(all="ignore"):
        result = primitive(*values)
    return result.item() if isinstance(result, np.generic) else result
