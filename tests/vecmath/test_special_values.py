"""Zeros, infinities, NaN and arguments outside the domain, with the signs IEEE 754 asks for."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vecmath.kernels import NAMES, TWO_ARGUMENTS, evaluate
from vecmath.reference import numpy_function

SPECIAL = [0.0, 2.0**-1074, 2.0**-1022, 0.5, 1.0, 1.5, 2.0, 3.0, 1e21, 2.0**53, 1e300, 1.7e308]
SPECIAL += [math.inf, math.nan]
POINTS = np.array(SPECIAL + [-x for x in SPECIAL])
ONE_ARGUMENT = [name for name in NAMES if name not in TWO_ARGUMENTS]
ODD = ["sin", "tan", "asin", "atan", "sinh", "tanh", "asinh", "atanh", "cbrt", "erf"]
EVEN = ["cos", "cosh"]


def kinds(values):
    """What must agree exactly: zeros with their signs, infinities, NaN."""
    special = ~np.isfinite(values) | (values == 0)
    return np.where(special, np.where(np.isnan(values), 3.0, values + np.copysign(1, values)), 9.0)


def expected(name, *points):
    if name in ("erf", "erfc"):
        return np.array([getattr(math, name)(x) for x in points[0]])
    with np.errstate(all="ignore"):
        return numpy_function(name)(*points)


@pytest.mark.parametrize("name", [name for name in ONE_ARGUMENT if not name.endswith("_near")])
def test_special_values_of_one_argument(name):
    right = expected(name, POINTS)
    np.testing.assert_array_equal(kinds(evaluate(name, POINTS)), kinds(right))


@pytest.mark.parametrize("name", sorted(TWO_ARGUMENTS))
def test_special_values_of_two_arguments(name):
    points = np.concatenate([POINTS, [1e-30, -1e-30, 7.0, -7.0, 2.0**53 + 2, 2.0**53 - 1]])
    a, b = (grid.ravel() for grid in np.meshgrid(points, points))
    got, right = evaluate(name, a, b), expected(name, a, b)
    np.testing.assert_array_equal(kinds(got), kinds(right))
    assert (
        np.array_equal(np.signbit(got), np.signbit(right), equal_nan=False) or np.isnan(got).any()
    )
    clear = ~np.isnan(right)
    np.testing.assert_array_equal(np.signbit(got[clear]), np.signbit(right[clear]))


@pytest.mark.parametrize("name", ODD)
@given(x=st.floats(allow_nan=False))
def test_odd_functions_are_odd_to_the_last_bit(name, x):
    left, right = evaluate(name, np.array([x, -x]))
    assert math.isnan(left) == math.isnan(right)
    assert math.isnan(left) or (left == -right and np.signbit(left) != np.signbit(right))


@pytest.mark.parametrize("name", EVEN)
@given(x=st.floats(allow_nan=False))
def test_even_functions_are_even_to_the_last_bit(name, x):
    left, right = evaluate(name, np.array([x, -x]))
    assert left == right or math.isnan(left)


@given(x=st.floats(allow_nan=False), y=st.floats(allow_nan=False))
def test_the_hypotenuse_does_not_ask_for_order_or_sign(x, y):
    values = evaluate("hypot", np.array([x, y, -x]), np.array([y, x, -y]))
    assert values[0] == values[1] == values[2]


@given(x=st.floats(-30, 30))
def test_sine_and_cosine_lie_on_the_circle(x):
    s, c = (evaluate(name, np.array([x]))[0] for name in ("sin", "cos"))
    # two errors below 1 ulp, doubled by squaring, and three roundings
    assert abs(s * s + c * c - 1) < 4 * np.finfo(float).eps
