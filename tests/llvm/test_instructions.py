"""What becomes a single instruction is a single operation of IEEE 754, in float64 and float32."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from llvm.translated import arrays, compiled

from dynlib.compiler.jit.native import emit_object, load
from dynlib.compiler.llvm.translate import SYMBOL, translate

moderate = st.floats(-1e100, 1e100).filter(lambda x: x == 0 or abs(x) > 1e-100)


@cache
def _kernel(*expressions: str) -> Callable[[Any, Any], None]:
    names = ["a, b, c, i = reals[0], reals[1], reals[2], wholes[0]"]
    results = [
        f"{'wholes' if text.startswith('float_to_bits') else 'reals'}[{k}] = {text}"
        for k, text in enumerate(expressions)
    ]
    text = "\n    ".join(["def run(reals, wholes):", *names, *results, ""])
    return compiled(text, "run")


def values(*expressions: str, reals: Any = (), wholes: Any = ()) -> tuple[list[float], list[int]]:
    """Values of expressions of the reals a, b, c and the integer i."""
    x, k = arrays(reals, wholes)
    _kernel(*expressions)(x, k)
    count = len(expressions)
    return x[:count].tolist(), k[:count].tolist()


@given(moderate, moderate, moderate)
def test_fma_rounds_once(a: float, b: float, c: float) -> None:
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    assert values("fma(a, b, c)", reals=(a, b, c))[0] == [float(exact)]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_roundings_are_those_of_numpy(x: float) -> None:
    found, _ = values("rint(a)", "floor(a)", "ceil(a)", "trunc(a)", reals=(x,))
    assert found == [np.rint(x), np.floor(x), np.ceil(x), np.trunc(x)]


@given(st.floats(), st.floats())
def test_signs_and_roots(x: float, y: float) -> None:
    with np.errstate(invalid="ignore"):
        expected = [math.copysign(x, y), abs(x), float(np.sqrt(x))]
    found, _ = values("copysign(a, b)", "fabs(a)", "sqrt(a)", reals=(x, y))
    np.testing.assert_array_equal(found, expected)


def test_select_takes_reals_integers_and_truths() -> None:
    texts = ("select(i > 0, a, b)", "select(i < 0, 7, 8)", "select(i > 0, 1, b)")
    assert values(*texts, reals=(1.5, 2.5), wholes=(1,))[0] == [1.5, 8.0, 1.0]
    assert values("select(i < 0, i == i, a < b)", reals=(2.0, 1.0), wholes=(1,))[0] == [0.0]


@given(st.floats(min_value=0, max_value=1e308))
def test_bits_count_the_floats(x: float) -> None:
    _, (bits,) = values("float_to_bits(a)", reals=(x,))
    assert values("bits_to_float(i + 1)", wholes=(bits,))[0] == [math.nextafter(x, math.inf)]


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_float_types_are_kept(kind: str) -> None:
    """One rounding of a third, in its own precision, and its bits there and back."""
    lines = [
        f"x = view1_{kind}(table, 3)",
        "x[1] = fma(x[0], x[0], x[0])",
        "x[2] = bits_to_float(float_to_bits(select(x[0] > 0, x[0], x[1])))",
        "return 0",
    ]
    text = "\n    ".join(["def entry(table):", *lines, ""])
    entry = load(emit_object(translate(text, {}, "entry", kind), SYMBOL))
    third = np.dtype(kind).type(1) / np.dtype(kind).type(3)
    x = np.array([third, 0, 0], dtype=kind)
    entry(np.array([x.ctypes.data, 3], dtype=np.int64).ctypes.data)
    exact = Fraction(float(third)) ** 2 + Fraction(float(third))
    assert x[1] == np.dtype(kind).type(float(exact))
    assert x[2] == third
