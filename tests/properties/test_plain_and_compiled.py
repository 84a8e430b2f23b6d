"""``jit=False`` runs the same text: what differs are last places of functions of mathematics."""

from __future__ import annotations

import re

import numpy as np
import pytest
from events.models import iteration
from hypothesis import given, settings
from hypothesis import strategies as st
from properties.busy import BUSY
from properties.test_pauses import request_of
from trajectories import Ran, compiled, go, same

FUNCTIONS = [
    "sin(x)", "cos(x)", "tan(x)", "exp(x)", "expm1(x)", "log(x)", "log1p(x)", "log2(x)",
    "log10(x)", "sqrt(x)", "cbrt(x)", "asin(x)", "acos(x)", "atan(x)", "atan2(x, 0.3)", "sinh(x)",
    "cosh(x)", "tanh(x)", "asinh(x)", "acosh(1 + x)", "atanh(x)", "erf(x)", "erfc(x)",
    "hypot(x, 0.7)", "floor(3.3*x)", "ceil(3.3*x)", "trunc(3*x)", "round(3.3*x)", "abs(x)",
    "copysign(x, -1)", "sign(x)", "min(x, 0.4)", "max(x, 0.7, 0.2)", "x**1.3", "x**3", "x**x",
    "x // 0.13", "x % 0.13", "0.3/x", "sum(x*j/7 for j in range(3))", "x if x > 0.2 else 0.1",
    "n*x", "t + x", "int(3*x)", "heaviside(x - 0.3)", "relu(x)", "clip(x, 0.1, 0.6)",
    "int(0.2 < x < 0.4)", "prod(1 + x/j for j in range(1, 4) if j != 2)",
]  # fmt: skip


def all_functions(dtype: str) -> str:
    """A map whose i-th state runs through the i-th function, over and over."""
    states = {}
    for i, function in enumerate(FUNCTIONS):
        of_its_own = re.sub(r"\bx\b", f"x{i}", function)
        states[f"x{i}"] = (0.35 + 0.003 * i, f"0.3 + 0.2*sin({of_its_own})")
    return iteration(states, "", dtype=dtype)


def both(text: str, stepper: str, **request: object) -> tuple[Ran, Ran]:
    return tuple(  # type: ignore[return-value]
        go(compiled(text, stepper, jit=jit), **request) for jit in (False, True)
    )


@pytest.mark.parametrize(
    ("dtype", "ulp"),
    [("float64", 2.2e-16), pytest.param("float32", 1.2e-7, marks=pytest.mark.slow)],
)
def test_every_function(dtype: str, ulp: float) -> None:
    """Each iteration of 0.3 + sin(f(x))/5 shrinks errors, or lets them grow no more than twice,
    so three iterations of functions within a few units of the last place stay within tens.
    """
    plain, jitted = both(all_functions(dtype), "map", N=3)
    assert np.isfinite(plain.y).all()
    assert plain.y.dtype == jitted.y.dtype == dtype
    np.testing.assert_allclose(jitted.y, plain.y, rtol=0, atol=40 * ulp)


@pytest.mark.parametrize("name", ["rk45", "map", pytest.param("rk4", marks=pytest.mark.slow)])
def test_runs_with_events(name: str) -> None:
    plain, jitted = both(*BUSY[name], **request_of(name, "all"))
    if name == "map":
        same(plain, jitted)  # integers have no last place
        return
    assert plain.status == jitted.status
    assert plain.fired == jitted.fired
    np.testing.assert_array_equal(plain.raw.evt_step, jitted.raw.evt_step)
    # Units in the last place of cos and of the step control, over two units of time; the events
    # that follow a bounce within 1e-2 magnify them.
    for field in ("t", "y", "aux", "evt_t", "evt_log"):
        got, want = getattr(jitted.raw, field), getattr(plain.raw, field)
        np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-11, err_msg=field)


POLYNOMIAL32 = """
[model]
type = "ode"
dtype = "float32"
[states]
x = 0.5
v = 0.3
[params]
mu = 1.7
[equations.rhs]
x = "v"
v = "mu*(1 - x*x)*v - 0.3*x"
[events.e]
cond = "x > 1.1"
direction = "rising"
action = "v = 0.9*v"
log = ["v"]
"""


@pytest.mark.parametrize("stepper", ["rk4", "rk45"])
def test_compiled_float32_stays_float32(stepper: str) -> None:
    """Without functions of mathematics nothing but a number of other width makes a difference.

    (The plain fma of float32 rounds twice, which shows once in 2**29 times.)
    """
    options = {} if stepper == "rk45" else {"dt": 0.05}
    plain, jitted = both(POLYNOMIAL32, stepper, T=6.0, **options)
    assert plain.y.dtype == jitted.y.dtype == np.float32
    assert len(plain.fired) == 1
    same(plain, jitted)


integers = st.integers(-(2**63), 2**63 - 1) | st.integers(-9, 9)
ARITHMETIC = iteration(
    {"a": (0, "a // d"), "b": (0, "b % d"), "c": (0, "c // d if d != 0 else 7"),
     "e": (0, "d**e"), "f": (0, "3*f - d"), "g": (0, "min(g, d) - max(g, d)")},
    "", params="d = 1", dtype="int64",
)  # fmt: skip


@settings(max_examples=200)
@given(y=st.lists(integers, min_size=6, max_size=6), d=integers)
def test_integer_arithmetic_is_that_of_numpy(y: list[int], d: int) -> None:
    """Also where processors trap: x // 0, and the least integer by -1."""
    y[3] = y[3] % 70  # an exponent
    plain, jitted = both(ARITHMETIC, "map", N=1, y=y, p=[d])
    np.testing.assert_array_equal(jitted.final, plain.final)

    def wrapped(value: int) -> int:
        return (value + 2**63) % 2**64 - 2**63

    a, b, c, e, f, g = y
    want = [
        a // d if d else 0, b % d if d else 0, c // d if d else 7, d**e, 3 * f - d,
        wrapped(min(g, d) - max(g, d)),
    ]  # fmt: skip
    assert [int(v) for v in plain.final] == [wrapped(v) for v in want]


def test_int32_keeps_32_bits_at_every_step() -> None:
    text = iteration({"k": (1, "3*k + 1"), "m": (12345, "m*m + 1")}, "", dtype="int32")
    for ran in both(text, "map", N=60):
        k, m = np.int32(1), np.int32(12345)
        with np.errstate(over="ignore"):
            for row in ran.y:
                assert (row == [k, m]).all()
                k, m = np.int32(3) * k + np.int32(1), m * m + np.int32(1)
