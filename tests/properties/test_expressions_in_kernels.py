"""Sums and products nest; what is not taken has no effect and raises nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from events.models import event, flow, iteration
from hypothesis import given
from hypothesis import strategies as st
from trajectories import compiled, go

# x[n+1] of each state by the model, and by Python
NESTED = {
    "a": "sum(sum(i*j + x for j in range(i)) for i in range(lo, hi))",
    "b": "prod(1 + sum(x/(i + j) for j in range(1, i + 1)) for i in range(1, hi) if i % 2)",
    "c": "sum(prod(i - j for j in range(lo, i)) for i in range(lo, hi) if i != 2) + x",
    "d": "sum(x*i for i in range(lo, hi) if x > 0) + sum(i for i in range(hi, lo))",
    "e": "sum(sum(sum(i*j*k for k in range(j)) for j in range(i)) for i in range(hi)) * x",
    "f": "sum(i for i in range(int(x), hi))",
}
STATES = {"x": (0.5, "x"), **{name: (0, rule) for name, rule in NESTED.items()}}
SUMS = iteration(STATES, "", params="lo = 0\nhi = 4")


def by_python(rule: str, x: float, lo: int, hi: int) -> float:
    names = {"x": x, "lo": lo, "hi": hi, "sum": sum, "prod": math.prod, "range": range, "int": int}
    # one namespace, so that generators inside generators see all names
    return float(eval(rule, names))


@given(x=st.floats(-2, 2), lo=st.integers(-3, 6), hi=st.integers(-3, 6))
def test_sums_nest(x: float, lo: int, hi: int) -> None:
    ran = go(compiled(SUMS), N=1, y=[x, *[0] * len(NESTED)], p=[lo, hi])
    want = [by_python(rule, x, lo, hi) for rule in NESTED.values()]
    # tens of terms, with fused multiplications: a few roundings of the largest
    np.testing.assert_allclose(ran.final[1:], want, rtol=1e-14, atol=1e-13)


@pytest.mark.slow
def test_sums_nest_compiled() -> None:
    for lo, hi in [(0, 4), (2, 6), (3, 1), (-2, 3)]:
        plain, jitted = (
            go(compiled(SUMS, jit=jit), N=1, p=[lo, hi]).final for jit in (False, True)
        )
        np.testing.assert_array_equal(plain, jitted)


GUARDED = iteration(
    {
        "a": (0, "log(p) if p > 0 else -1"),
        "b": (0, "sqrt(p) if p >= 0 else (1/p if p < -5 else 3)"),
        "c": (0, "1/p if p != 0 else 0"),
        "d": (0, "sum(log(p + i) for i in range(3) if p + i > 0)"),
        "f": (0, "1 // p if p != 0 else 9"),
        "g": (0, "p**0.5 if p > 0 else 0"),
        "h": (0, "1 if p > 0 or 1/p < 0 else 2"),
    },
    "",
    params="p = 1",
)
INTEGERS = iteration(
    {
        "a": (0, "10 // p if p != 0 else 7"),
        "b": (0, "10 % p if p != 0 else 7"),
        "c": (0, "sum(12 // (i - p) for i in range(5) if i != p)"),
        "d": (0, "1 if p == 0 or 10 // p > 2 else 0"),
    },
    "",
    params="p = 1",
    dtype="int64",
)


@pytest.mark.parametrize("p", [-7.0, -2.0, -0.0, 0.0, 1e-300, 4.0])
def test_untaken_branches_of_reals(p: float, jit: bool) -> None:
    a, b, c, d, f, g, _ = go(compiled(GUARDED, jit=jit), N=1, p=[p]).final
    assert a == (pytest.approx(math.log(p), rel=1e-15) if p > 0 else -1)
    assert b == (math.sqrt(p) if p >= 0 else 1 / p if p < -5 else 3)
    assert c == (1 / p if p else 0)
    # three logarithms, each off by a unit in its last place
    assert d == pytest.approx(sum(math.log(p + i) for i in range(3) if p + i > 0), rel=1e-14)
    assert f == (1 // p if p else 9)
    assert g == (pytest.approx(p**0.5, rel=1e-15) if p > 0 else 0)


@pytest.mark.parametrize("p", [-3, -1, 0, 1, 2, 4, 11])
def test_untaken_branches_of_integers(p: int, jit: bool) -> None:
    final = go(compiled(INTEGERS, jit=jit), N=1, p=[p]).final
    want = [
        10 // p if p else 7,
        10 % p if p else 7,
        sum(12 // (i - p) for i in range(5) if i != p),
        int(p == 0 or 10 // p > 2),
    ]
    assert list(final) == want


def test_a_nan_that_is_not_taken_does_not_spread(jit: bool) -> None:
    """Neither through select nor into events, records or the check for NaN."""
    text = flow(
        {"x": (-1, "1 + (0 if x < 2 else log(-x))")},
        event(
            "e",
            "(log(x) if x > 0 else -9) > -1",
            log="sqrt(x) if x > 5 else -1",
            direction="rising",
        )
        + '[aux]\nl = "log(x) if x > 0 else 0"\n',
    )
    ran = go(compiled(text, "rk4", jit=jit), 2.0, dt=0.1, aux=(0,))
    assert ran.status.ok
    assert ran.raw.evt_t[0] == pytest.approx(1 + math.exp(-1), abs=1e-14)  # rounding of x and t
    assert ran.raw.evt_log[0, 0] == -1
    assert np.isfinite(ran.raw.aux).all()
