"""The plain primitives: NumPy's values, no exceptions, fma rounded once."""

import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
from expr.strategies import SPECIAL, ints, reals, same
from hypothesis import example, given
from hypothesis import strategies as st

from dynlib.abi.primitives import PRIMITIVES, plain_namespace
from dynlib.dsl.expr import OPS

_TWO = {"div", "floordiv", "mod", "pow", "atan2", "hypot", "copysign", "min_", "max_"}
_CALLED = {op.call for op in OPS.values() if op.call} | {"real", "integer", "boolean"}


def functions(count: int) -> list[str]:
    names = _CALLED - {"select", "not_"}
    return sorted(names & _TWO if count == 2 else names - _TWO)


def test_everything_that_expressions_call_is_there() -> None:
    int_calls = {op.int_call for op in OPS.values() if op.int_call}
    assert _CALLED | int_calls | {"fma", "inf", "nan"} <= PRIMITIVES.keys()


@pytest.mark.parametrize("scalar", [np.float64, np.float32])
@pytest.mark.parametrize("name", functions(1))
def test_functions_of_one_never_raise_nor_return_python_numbers(name: str, scalar) -> None:
    namespace = plain_namespace(scalar.__name__)
    with np.errstate(all="ignore"):
        for value in SPECIAL:
            result = namespace[name](scalar(value))
            assert isinstance(result, np.generic)
            if name not in ("integer", "boolean"):
                assert result.dtype == scalar


@pytest.mark.parametrize("name", functions(2))
@given(a=reals, b=reals)
@example(a=-0.0, b=0.0)
@example(a=-8.0, b=1 / 3)
@example(a=-math.inf, b=0.5)
def test_functions_of_two_never_raise(name: str, a: float, b: float) -> None:
    with np.errstate(all="ignore"):
        for x in (a, np.float64(a)):
            assert isinstance(PRIMITIVES[name](x, np.float64(b)), np.generic)


@given(reals, reals)
def test_the_least_and_the_greatest_are_numpys(a: float, b: float) -> None:
    for ours, theirs in (("min_", np.minimum), ("max_", np.maximum)):
        found, expected = PRIMITIVES[ours](np.float64(a), b), theirs(a, b)
        assert found == expected or (np.isnan(found) and np.isnan(expected))


@given(reals)
def test_sign_is_numpys(a: float) -> None:
    found, expected = PRIMITIVES["sign"](np.float64(a)), np.sign(a)
    assert found == expected or (np.isnan(found) and np.isnan(expected))


def test_power_is_that_of_c() -> None:
    power = PRIMITIVES["pow"]
    with np.errstate(all="ignore"):
        assert power(-math.inf, 0.5) == math.inf
        assert same(float(power(-0.0, 0.5)), 0.0)
        assert same(float(power(-0.0, -1.0)), -math.inf)
        assert math.isnan(power(-8.0, 1 / 3))
        assert power(10.0, 400.0) == math.inf
        assert power(math.nan, 0.0) == 1.0
    assert power(np.float32(2), np.float32(0.5)).dtype == np.float32


@given(ints, ints)
def test_integers_wrap_and_never_raise(a: int, b: int) -> None:
    x, y = np.int64(a), np.int64(b)
    quotient, rest = PRIMITIVES["ifloordiv"](x, y), PRIMITIVES["imod"](x, y)
    if b == 0:
        assert quotient == rest == 0
    elif (a, b) != (-(2**63), -1):
        assert (int(quotient), int(rest)) == divmod(a, b)
    power = PRIMITIVES["ipow"](x, np.int64(b % 50))
    assert (int(power) - a ** (b % 50)) % 2**64 == 0


@pytest.mark.parametrize(("a", "k", "value"), [(2, -1, 0), (1, -5, 1), (-1, -5, -1), (-1, -4, 1)])
def test_negative_powers_of_integers(a: int, k: int, value: int) -> None:
    assert PRIMITIVES["ipow"](a, k) == value


def test_integer_cuts_and_saturates_like_the_processor() -> None:
    integer = PRIMITIVES["integer"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [int(integer(x)) for x in (2.9, -2.9, True, np.float32(7))] == [2, -2, 1, 7]
        for x in (math.nan, math.inf, -math.inf, 1e19):
            assert integer(x) == -(2**63)


def test_select_returns_numbers_that_can_be_divided_by_zero() -> None:
    with np.errstate(all="ignore"):
        assert 1.0 / PRIMITIVES["select"](True, 0.0, 1.0) == math.inf
        assert 1.0 / PRIMITIVES["min_"](0.0, 1.0) == math.inf


@given(
    st.floats(-1e60, 1e60),
    st.floats(-1e60, 1e60),
    st.floats(-1e60, 1e60),
    st.sampled_from([0, 1, 2]),
)
@example(0.1, 10.0, -1.0, 0)
@example(1e-200, 1e-200, 1e-310, 0)
@example(3e-162, 3e-162, 5e-324, 0)
@example(1.1e-150, 1.3e-170, 0.0, 1)
@example(1.0 + 2**-30, 1.0 - 2**-30, -1.0, 0)
def test_fma_rounds_once(a: float, b: float, c: float, near: int) -> None:
    c = -a * b * (1 + near * 2**-52) if near else c  # cancellation, where it matters
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    found = float(PRIMITIVES["fma"](np.float64(a), np.float64(b), np.float64(c)))
    assert abs(exact) >= 2**1023 or found == float(exact)


@given(reals, reals, reals)
def test_fma_of_special_values(a: float, b: float, c: float) -> None:
    with np.errstate(all="ignore"):
        found = float(PRIMITIVES["fma"](np.float64(a), np.float64(b), np.float64(c)))
        twice = float(np.float64(a) * np.float64(b) + np.float64(c))
    if math.isfinite(a) and math.isfinite(b):
        assert math.isfinite(c) or same(found, c)
    else:
        assert same(found, twice)


def test_fma_does_not_overflow_in_between() -> None:
    fma = PRIMITIVES["fma"]
    assert fma(1e200, 1e200, -math.inf) == -math.inf
    assert fma(2.0**1000, 2.0**24, -(2.0**1023)) == 2.0**1023
    assert fma(2.0**1000, 2.0**25, 0.0) == math.inf
    assert fma(-1.7e308, 1.0, -1.7e308) == -math.inf


def test_fma_of_single_precision_is_single() -> None:
    a = np.float32(0.1)
    found = PRIMITIVES["fma"](a, a, np.float32(-0.01))
    assert found.dtype == np.float32
    assert float(found) == np.float32(float(a) * float(a) + float(np.float32(-0.01)))
