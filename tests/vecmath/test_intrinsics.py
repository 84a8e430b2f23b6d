"""The intrinsics are single IEEE operations, in float64 and float32."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from dynlib.compiler.jit import intrinsics as nb

fma_, select_, rint_ = nb.fma, nb.select, nb.rint
floor_, ceil_, trunc_ = nb.floor, nb.ceil, nb.trunc
copysign_, fabs_, sqrt_ = nb.copysign, nb.fabs, nb.sqrt
to_bits_, to_float_ = nb.float_to_bits, nb.bits_to_float

compiles_once = settings(deadline=None)  # the first example waits for the compiler
moderate = st.floats(-1e100, 1e100).filter(lambda x: x == 0 or abs(x) > 1e-100)


@njit
def call_fma(a, b, c):
    return fma_(a, b, c)


@njit
def call_roundings(x):
    return rint_(x), floor_(x), ceil_(x), trunc_(x)


@njit
def call_signs(x, y):
    return copysign_(x, y), fabs_(x), sqrt_(x)


@njit
def call_select(c, a, b):
    return select_(c, a, b)


@njit
def next_above(x):
    return to_float_(to_bits_(x) + 1)


@njit
def bits_there_and_back(x):
    return to_float_(to_bits_(x))


@compiles_once
@given(moderate, moderate, moderate)
def test_fma_rounds_once(a, b, c):
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    assert call_fma(a, b, c) == float(exact)


@compiles_once
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_roundings_are_those_of_numpy(x):
    assert call_roundings(x) == (np.rint(x), np.floor(x), np.ceil(x), np.trunc(x))


@compiles_once
@given(st.floats(), st.floats())
def test_signs_and_roots(x, y):
    with np.errstate(invalid="ignore"):
        expected = (math.copysign(x, y), abs(x), float(np.sqrt(x)))
    np.testing.assert_array_equal(call_signs(x, y), expected)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_float_types_are_kept(kind):
    third = kind(1) / kind(3)
    call_fma(third, third, third)
    kinds = {s.args[0].name: s.return_type.name for s in call_fma.nopython_signatures}
    assert kinds[np.dtype(kind).name] == np.dtype(kind).name
    assert call_select(True, third, third) == third


def test_select_takes_floats_integers_and_booleans():
    assert call_select(True, 1.5, 2.5) == 1.5
    assert call_select(False, 7, 8) == 8
    assert call_select(False, True, False) is False
    assert call_select(True, 1, 2.5) == 1.0


@compiles_once
@given(st.floats(min_value=0, exclude_max=True, max_value=1e308))
def test_bits_count_the_floats(x):
    assert next_above(x) == math.nextafter(x, math.inf)


def test_bits_of_float32():
    assert bits_there_and_back(np.float32(0.1)) == np.float32(0.1)
