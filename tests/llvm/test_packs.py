"""Numbers in packs have the bits that they have alone, and what is no arithmetic is refused."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from llvm.translated import text_of

from dynlib.compiler.jit.native import emit_object, load
from dynlib.compiler.llvm.translate import SYMBOL, translate
from dynlib.compiler.llvm.values import Untranslatable

# mypy: ignore-errors
# ruff: noqa: F821

ROWS = 20  # vectors of length 2, then a number and a whole number


def arithmetic(a, b, x, k):
    a = fma(a, x, b) - 0.1 * b
    b = -a / (b + 2) + k
    return a, b


def mathematics(a, b, x, k):
    a = copysign(sqrt(fabs(a)), b)
    return select(k > 0, a, 3.0), b


def branches(a, b, x, k):
    if k > 0:
        a, b = b, a * x
    elif k < -3:
        return x, b
    return a, b


def loops(a, b, x, k):
    for i in range(k):
        a, b = b + x * i, a
        if i > 4:
            break
    return a, b


def numbers(a, b, x, k):
    b = 0
    for _ in range(k):
        b = x
    return 1.5, b


STEPS = (arithmetic, mathematics, branches, loops, numbers)


def text(function: Callable[..., object], vectors: int, *, packs: bool) -> str:
    """A module that steps vectors, in packs or one by one."""
    name = function.__name__
    groups = [f"load_packs(rows, 2, {vectors}, 0)"], [f"store_packs(rows, {vectors}, 0, "]
    if not packs:
        starts = [f"rows[{2 * j}:]" for j in range(vectors)]
        groups = ([f"load_rows({start}, 0, 2, 0)" for start in starts],
                  [f"store_rows({start}, 0, 0, " for start in starts])  # fmt: skip
    lines = [f"rows = view2_float64(table, {ROWS}, 1)"]
    for found, put in zip(*groups, strict=True):
        lines += [f"a, b = {found}", f"{put}{name}(a, b, rows[{ROWS - 2}, 0], k))"]
    lines.insert(1, f"k = int(rows[{ROWS - 1}, 0])")
    body = textwrap.indent("\n".join([*lines, "return 0"]), "    ")
    return f"{text_of(function)}\n\ndef entry(table):\n{body}\n"


@cache
def kernel(function: Callable[..., object], vectors: int, packs: bool) -> Callable[[int], int]:
    assembly = translate(text(function, vectors, packs=packs), {}, "entry", "float64")
    assert ("x double>" in assembly) == (packs and vectors > 1)
    return load(emit_object(assembly, SYMBOL))


@pytest.mark.parametrize("function", STEPS, ids=lambda function: function.__name__)
@given(
    vectors=st.sampled_from([1, 2, 3, 5, 8]),
    x=st.lists(st.floats(), min_size=ROWS - 1, max_size=ROWS - 1),
    k=st.integers(-9, 9),
)
def test_bits(function: Callable[..., object], vectors: int, x: list[float], k: int) -> None:
    found, expected = np.array([[*x, k]] * 2)
    for rows, packs in ((found, True), (expected, False)):
        assert kernel(function, vectors, packs)(np.array([rows.ctypes.data] * 3).ctypes.data) == 0
    np.testing.assert_array_equal(found, expected)
    signs = np.where(np.isnan(expected), 0.0, np.copysign(1.0, [found, expected]))
    np.testing.assert_array_equal(*signs)


REFUSED = {
    "x = a < b": "a comparison of packs",
    "x = a == a": "a comparison of packs",
    "x = 1.0 if a else b": "where a number is needed",
    "x = select(a, b, b)": "where a number is needed",
    "x = not a": "where a number is needed",
    "x = min(a, b)": "as an argument",
    "x = max_(a, b)": "a comparison of packs",
    "x = int(a)": "as an argument",
    "x = float(a)": "as an argument",
    "x = abs(a)": "as an argument",
    "x = a // b": "floordiv",
    "x = a ** 2": "pow",
    "x = remainder(a, 2.0)": "as an argument",
    "x = float_to_bits(a)": "as an argument",
    "x = all_finite((a, 1.0))": "as an argument",
    "x = count_if(a, True)": "as an argument",
    "x = log(a)": "a comparison of packs",
    "x = sin(a)": "as an argument",
    "rows[0, 0] = a": "where a number is needed",
    "x = rows[a, 0]": "where a number is needed",
    "store_rows(rows, 0, 0, (a, b))": "as an argument",
    "store_packs(rows, 2, 0, (a, b))": "where a number is needed",
    "x = a + load_packs(rows, 1, 2, 0)[0]": "where a number is needed",
    "while a: pass": "where a number is needed",
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_is_refused(line: str) -> None:
    """Of 3 vectors; whatever is done number by number has to be named to be done to packs."""
    head = f"def entry(table):\n    rows = view2_float64(table, {ROWS}, 1)\n"
    packs = "    a, b = load_packs(rows, 2, 3, 0)\n"
    with pytest.raises(Untranslatable, match=REFUSED[line]):
        translate(f"{head}{packs}    {line}\n    return 0\n", {}, "entry", "float64")
