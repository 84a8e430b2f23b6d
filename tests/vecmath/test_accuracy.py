"""Errors in units of the last place stay within what the documentation promises."""

from __future__ import annotations

import numpy as np
import pytest
from vecmath.kernels import NAMES, evaluate
from vecmath.reference import EXACT, FAR, PROMISED, exact, extended, sets, ulps

#: 6381956970095103 * 2**797 is the float that comes closest to a multiple of pi/2 (2**-60.9;
#: Muller et al., Handbook of Floating-Point Arithmetic, table 11.1).
HARDEST = 6381956970095103.0 * 2.0**797


def test_every_function_is_covered():
    assert set(NAMES) == set(EXACT)


@pytest.mark.parametrize("name", NAMES)
def test_error_at_some_points_of_every_kind(name):
    for points in sets(name, 60):
        error = ulps(evaluate(name, *points), *exact(name, *points))
        worst = int(np.argmax(error))
        assert error[worst] <= PROMISED[name], [p[worst] for p in points]


@pytest.mark.slow
@pytest.mark.skipif(np.finfo(np.longdouble).nmant != 63, reason="needs an 80-bit long double")
@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("erf", "erfc")])
def test_error_at_millions_of_points(name):
    for points in sets(name, 1_000_000, seed=2):
        error = ulps(evaluate(name, *points), *extended(name, *points))
        worst = int(np.argmax(error))
        assert error[worst] <= PROMISED[name], [p[worst] for p in points]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["erf", "erfc"])
def test_error_of_the_error_functions_at_many_points(name):
    for points in sets(name, 20_000, seed=2):
        error = ulps(evaluate(name, *points), *exact(name, *points))
        assert error.max() <= PROMISED[name]


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_arguments_next_to_multiples_of_half_pi(name):
    k = np.array([1.0, 2.0, 3.0, 4.0, 1e3, 1e6, 1e9, 1e12, 2e13])
    points = np.concatenate([k * (np.pi / 2), [FAR, np.nextafter(FAR, np.inf), HARDEST, 1.7e308]])
    error = ulps(evaluate(name, points), *exact(name, points))
    assert error.max() <= PROMISED[name]


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_the_near_forms_agree_bit_for_bit_and_refuse_beyond(name):
    x = np.concatenate([np.linspace(-50, 50, 997), [FAR, -FAR, 1e13]])
    np.testing.assert_array_equal(evaluate(f"{name}_near", x), evaluate(name, x))
    assert np.isnan(evaluate(f"{name}_near", np.array([np.nextafter(FAR, np.inf), -1e300]))).all()


@pytest.mark.parametrize(
    ("name", "edges"),
    [
        ("exp", [709.782712893384, 709.7827128933841, -745.1332191019411, -745.1332191019412]),
        ("exp", [-708.3964185322641, -708.3964185322642, 2.0**-60, -(2.0**-60)]),
        ("expm1", [709.782712893384, 709.7827128933841, -37.5, -36.7, 2.0**-1074, 2.0**-1022]),
        ("sinh", [710.4758600739439, 710.475860073944, 2.0**-1074]),
        ("cosh", [710.4758600739439, 710.475860073944, 2.0**-1074]),
        ("tanh", [19.0615474653985, 18.0, 17.9, 9.0, 2.0**-1074]),
        ("log", [2.0**-1074, 2.0**-1022, np.nextafter(1, 0), np.nextafter(1, 2), 1.7e308]),
        ("log1p", [np.nextafter(-1, 0), 2.0**-1074, 1.7976931348623157e308, 2.0**1023]),
        ("acosh", [np.nextafter(1, 2), 2.0**500, np.nextafter(2.0**500, np.inf), 1.7e308]),
        ("asinh", [2.0**500, np.nextafter(2.0**500, np.inf), 1.7976931348623157e308, 2.0**-1074]),
        ("atanh", [np.nextafter(1, 0), -np.nextafter(1, 0), 2.0**-1074]),
        ("asin", [1.0, np.nextafter(1, 0), 0.5, np.nextafter(0.5, 1), 2.0**-1074]),
        ("acos", [1.0, np.nextafter(1, 0), -np.nextafter(1, 0), 0.5, -0.5, 2.0**-1074]),
        ("cbrt", [2.0**-1074, 2.0**-1022, 1.7976931348623157e308, 27.0, -8.0]),
        ("erf", [0.65, np.nextafter(0.65, 0), 5.9, 6.0, 2.0**-1074]),
        ("erfc", [0.65, np.nextafter(0.65, 0), 26.54, 27.2, 27.22601711110837, 27.3, -6.0]),
    ],
)
def test_thresholds(name, edges):
    points = np.array(edges)
    error = ulps(evaluate(name, points), *exact(name, points))
    assert error.max() <= PROMISED[name], dict(zip(edges, error, strict=True))


def test_exact_results_are_exact():
    n = np.arange(-1074.0, 1024.0)
    np.testing.assert_array_equal(evaluate("log2", 2.0**n), n)
    tens = np.array([float(10**k) for k in range(23)])
    np.testing.assert_array_equal(evaluate("log10", tens), np.arange(23.0))
    whole = np.arange(-200.0, 200.0)
    np.testing.assert_array_equal(evaluate("cbrt", whole**3), whole)
    np.testing.assert_array_equal(evaluate("hypot", 3 * whole, 4 * whole), 5 * np.abs(whole))
    np.testing.assert_array_equal(evaluate("pow", whole, np.full(400, 3.0)), whole**3)
    np.testing.assert_array_equal(
        evaluate("pow", np.arange(400.0) ** 2, np.full(400, 0.5)), np.arange(400.0)
    )
