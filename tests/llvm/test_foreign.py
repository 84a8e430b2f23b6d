"""Functions that somebody else has compiled: what they are given, and what happens if they fail."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from llvm.translated import SIZE

from dynlib.compiler.jit.native import Entry, emit_object, load
from dynlib.compiler.llvm.external import Foreign
from dynlib.compiler.llvm.translate import SYMBOL, translate
from dynlib.compiler.llvm.values import ArrayShape, Shape
from dynlib.compiler.source import Calls

# Puts a + b into the last place of an array and returns it and its double; fails unless the last
# argument is 0.
CODE = """
define i32 @sums(ptr %result, ptr %exception, double %a, double %b, ptr %x, i64 %n, i64 %fails) {
  %last = sub i64 %n, 1
  %place = getelementptr double, ptr %x, i64 %last
  %ab = fadd double %a, %b
  store double %ab, ptr %place
  %two = fadd double %ab, %ab
  %pair = insertvalue { double, double } poison, double %ab, 0
  %both = insertvalue { double, double } %pair, double %two, 1
  store { double, double } %both, ptr %result
  %bad = icmp ne i64 %fails, 0
  %code = zext i1 %bad to i32
  ret i32 %code
}
"""

TEXT = """
def entry(table):
    reals = view1_float64(table, SIZE)
    wholes = view1_int64(table + 16, SIZE)
    total = 0.0
    for k in range(wholes[0]):
        total = total + once(reals, wholes, k)
        nothing(reals, wholes[1])
        reals[0] = total
    return 7

def once(reals, wholes, k):
    if k == 0:
        return 0.5
    a, b = foreign((float(k), reals[0]), reals[1:3], int(k == wholes[2]))
    if b > 1000.0:
        return a
    return b

def nothing(reals, k):
    c = foreign((float(k), reals[0]), reals[3:5], k)
    reals[5] = reals[5] + 1.0
"""


class Foreigners:
    def __init__(self) -> None:
        self.asked: list[tuple[Shape, ...]] = []

    def __contains__(self, name: str) -> bool:
        return name == "foreign"

    def function(self, name: str, shapes: tuple[Shape, ...]) -> Foreign:
        self.asked.append(shapes)
        return Foreign("sums", ("double", "double"))


@cache
def kernel(inline: bool) -> Entry:
    foreigners = Foreigners()
    text = TEXT.replace("SIZE", str(SIZE))
    functions = dict.fromkeys(("once", "nothing"), Calls.INLINED if inline else Calls.FREE)
    assembly = translate(text, functions, "entry", "float64", foreigners)
    pair = ("double", "double")
    assert set(foreigners.asked) == {(pair, ArrayShape("double", (2,)), "i64")}
    return load(emit_object(assembly, SYMBOL, linked=[CODE]))


def called(inline: bool, *wholes: int) -> tuple[int, np.ndarray[Any, Any]]:
    x, k = np.zeros(SIZE), np.zeros(SIZE, dtype=np.int64)
    k[: len(wholes)] = wholes
    words = [word for a in (x, k) for word in (a.ctypes.data, a.size)]
    table = np.array(words, dtype=np.int64)
    try:
        return kernel(inline)(table.ctypes.data), x
    except RuntimeError:
        return -1, x


@pytest.mark.parametrize("inline", [False, True])
def test_it_is_given_everything_item_by_item(inline: bool) -> None:
    status, x = called(inline, 3, 0, -1)
    total = 0.5 + 2 * (1 + 0.5)
    assert (status, x[2]) == (7, 2 + total)
    assert x[[0, 4, 5]].tolist() == [total + 2 * (2 + total), 2 + 0.0 + total - 2, 3.0]


@pytest.mark.parametrize("inline", [False, True])
def test_a_failure_leaves_the_kernel_at_once(inline: bool) -> None:
    """From within a loop, a function that returns a number, and one that returns nothing."""
    status, x = called(inline, 10, 0, 2)
    assert (status, x[5], x[0]) == (-1, 2.0, 3.5)
    status, x = called(inline, 10, 1, -1)
    assert (status, x[5], x[0]) == (-1, 0.0, 0.0)
    assert called(inline, 10, 0, -1)[0] == 7
