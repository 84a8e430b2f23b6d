"""The functions of a model: values, derivatives, shapes, sessions, and what is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.integrate import solve_ivp

import dynlib
from dynlib import setup
from dynlib.errors import OptionError, UnknownNameError

MODEL = """
[model]
name = "kinks"
type = "ode"
dtype = "{dtype}"
[states]
x = 0.3
lambda_ = -0.7
[params]
a = 1.3
b = 0.4
[equations.rhs]
x = "sin(a*x)*lambda_ + abs(x - b)*max(x, lambda_) + t*b"
lambda_ = "exp(-x^2) - a*lambda_^3 + x*lambda_^2"
[aux]
E = "x^2 + a*lambda_"
[events.up]
cond = "x > b"
direction = "rising"
"""
POINTS = np.random.default_rng(3).normal(size=(2, 70, 2))


def kinks(jit: bool = True, dtype: str = "float64"):
    return setup(MODEL.format(dtype=dtype), jit=jit)


def by_hand(y, t=0.0, a=1.3, b=0.4):
    x, v = y[..., 0], y[..., 1]
    parts = np.broadcast_arrays(
        np.sin(a * x) * v + abs(x - b) * np.maximum(x, v) + t * b,
        np.exp(-(x**2)) - a * v**3 + x * v**2,
    )
    return np.stack(parts, axis=-1)


@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-14), ("float32", 2e-6)])
def test_right_hand_side(jit: bool, dtype: str, rtol: float) -> None:
    eq = kinks(jit, dtype).equations
    points = POINTS.astype(dtype)
    assert_allclose(eq.rhs(points, 0.5), by_hand(points, 0.5), rtol=rtol, atol=rtol)
    assert eq.rhs(points).dtype == dtype


def test_a_point_alone_has_the_bits_of_one_among_many() -> None:
    eq = kinks().equations
    for name, extra in (("rhs", 0), ("jacobian", 0), ("jvp", 1), ("second", 2), ("third", 3)):
        function, v = getattr(eq, name), [POINTS[::-1]] * extra
        many = function(POINTS, *v, t=0.5)
        for place in ((0, 0), (1, 69)):
            one = function(POINTS[place], *(w[place] for w in v), t=0.5)
            assert_array_equal(one, many[place])


def test_derivatives_are_those_of_differences(jit: bool) -> None:
    eq, h = kinks(jit).equations, 1e-5  # errors of central differences: h**2, and 1e-16/h
    y = np.array([0.9, -0.2])
    u, v, w = np.random.default_rng(1).normal(size=(3, 2))
    assert_allclose(eq.jvp(y, v), (eq.rhs(y + h * v) - eq.rhs(y - h * v)) / (2 * h), atol=1e-8)
    assert_allclose(eq.jvp(y, v), eq.jacobian(y) @ v, atol=1e-14)
    differences = (eq.jvp(y + h * v, u) - eq.jvp(y - h * v, u)) / (2 * h)
    assert_allclose(eq.second(y, u, v), differences, atol=1e-8)
    differences = (eq.second(y + h * w, u, v) - eq.second(y - h * w, u, v)) / (2 * h)
    assert_allclose(eq.third(y, u, v, w), differences, atol=1e-8)
    up, down = (by_hand(y, 0.5, a=1.3 + s * h) for s in (1, -1))
    found = eq.params_jacobian(y, ["a"], t=0.5)
    assert found.shape == (2, 1)
    assert_allclose(found[:, 0], (up - down) / (2 * h), atol=1e-8)
    assert_array_equal(eq.params_jacobian(y)[:, [1, 0]], eq.params_jacobian(y, ["b", "a"]))


def test_points_times_and_parameters_broadcast(jit: bool) -> None:
    eq = kinks(jit).equations
    y, t, a = POINTS[0, :5], np.arange(3.0)[:, None], np.linspace(1, 2, 5)
    found = eq.rhs(y, t, {"a": a})
    assert found.shape == (3, 5, 2)
    assert_allclose(found, by_hand(y, t, a), rtol=1e-14, atol=1e-14)
    p = np.stack([a, np.full(5, 0.4)], axis=-1)
    assert_array_equal(eq.rhs(y, t, p), found)
    named = {"x": y[:, 0], "lambda_": y[:, 1]}
    assert_array_equal(eq.rhs(named, t, {"a": a}), found)
    assert eq.rhs(np.empty((0, 2))).shape == (0, 2)
    assert eq.rhs(np.asfortranarray(y)[::2], params={"a": 2}).shape == (3, 2)


def test_the_session_is_followed_and_a_model_has_its_own_values(jit: bool) -> None:
    sim = kinks(jit)
    y = np.array([0.5, 0.5])
    before = sim.equations.rhs(y)
    sim.assign(a=2.0)
    assert_allclose(sim.equations.rhs(y), by_hand(y, a=2.0), rtol=1e-14)
    assert_array_equal(sim.model.equations.rhs(y), before)
    sim.reset()
    assert_array_equal(sim.equations.rhs(y), before)


def test_parameters_may_be_changed_in_place(jit: bool) -> None:
    eq, y, p = kinks(jit).equations, np.array([0.5, 0.5]), np.array([1.0, 0.4])
    eq.rhs(y, params=p)
    p[0] = 2.0
    assert_allclose(eq.rhs(y, params=p), by_hand(y, a=2.0), rtol=1e-14)


def test_aux_and_event_functions(jit: bool) -> None:
    eq = kinks(jit).equations
    assert_allclose(eq.aux(POINTS)["E"], POINTS[..., 0] ** 2 + 1.3 * POINTS[..., 1], atol=1e-14)
    assert_allclose(eq.events(POINTS)["up"], POINTS[..., 0] - 0.4, rtol=1e-14, atol=1e-15)
    assert eq.aux(POINTS[0, 0], names=["E"])["E"].shape == ()


def test_maps(jit: bool) -> None:
    sim = setup("builtin://map/henon", jit=jit)
    y = np.array([0.1, 0.2])
    assert list(sim.run(N=1, ic=y).final.values()) == sim.equations.step(y).tolist()
    assert sim.equations.jacobian(POINTS).shape == (2, 70, 2, 2)
    whole = setup("builtin://map/collatz", jit=jit).equations
    assert whole.step(np.array([[6], [7]])).tolist() == [[3], [22]]
    with pytest.raises(OptionError, match="integers"):
        whole.jacobian([6])
    with pytest.raises(OptionError, match="whole numbers"):
        whole.step([6.5])
    with pytest.raises(OptionError, match=r"equations\.step"):
        sim.equations.rhs(y)


def test_scipy_finds_the_same_trajectory() -> None:
    sim = setup("builtin://ode/fitzhugh-nagumo", stepper="dop853")
    fun, jac = sim.equations.for_scipy()
    y0 = np.array(list(sim.state.values()))
    found = solve_ivp(fun, (0, 20), y0, method="Radau", jac=jac, rtol=1e-10, atol=1e-12)
    run = sim.run(T=20.0, rtol=1e-11, atol=1e-13, record=False)
    assert_allclose(found.y[:, -1], list(run.final.values()), rtol=1e-7)
    assert fun(0.0, found.y).shape == found.y.shape
    assert_array_equal(fun(0.0, found.y)[:, 3], fun(0.0, found.y[:, 3]))


@pytest.mark.parametrize("model", ["hodgkin-huxley", "kuramoto", "lorenz96", "pendulum-driven"])
def test_first_euler_step_of_built_in_models(model: str) -> None:
    sim = setup(f"builtin://ode/{model}", stepper="euler")
    y, h = np.array(list(sim.state.values())), 2.0**-20
    end = np.array(list(sim.run(T=h, dt=h, t0=0.0).final.values()))
    assert_allclose(end, y + h * sim.equations.rhs(y), rtol=4e-16, atol=1e-18)


def test_many_states_and_one() -> None:
    n = 200
    states = "\n".join(f"x{i} = 0.1" for i in range(n))
    equations = "\n".join(f'x{i} = "x{(i + 1) % n}^2 - x{i}"' for i in range(n))
    ring = f'[model]\nname="ring"\ntype="ode"\n[states]\n{states}\n[equations.rhs]\n{equations}\n'
    eq = setup(ring).equations
    y = np.random.default_rng(0).normal(size=(9, n))
    assert_allclose(eq.rhs(y), np.roll(y, -1, 1) ** 2 - y, rtol=1e-14, atol=1e-15)
    expected = np.zeros((n, n))
    expected[np.arange(n), (np.arange(n) + 1) % n] = 2 * np.roll(y[4], -1)
    expected[np.arange(n), np.arange(n)] = -1
    assert_array_equal(eq.jacobian(y)[4], expected)
    alone = setup("builtin://ode/expdecay").equations
    assert alone.rhs([[1.0], [2.0]]).shape == (2, 1)


def test_nan_stays_with_its_point(jit: bool) -> None:
    y = POINTS.copy()
    y[1, 5, 0] = np.nan
    found = kinks(jit).equations.rhs(y)
    assert np.isnan(found[1, 5]).all()
    assert np.isnan(found).sum() == 2


def test_threads_do_not_disturb_each_other() -> None:
    eq = kinks().equations
    expected = eq.rhs(POINTS[0])
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda i: eq.rhs(POINTS[0, i % 70]), range(700)))
    assert_array_equal(found, np.tile(expected, (10, 1)))


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda eq: eq.rhs([1.0]), OptionError, r"last axis must have length 2, for x, lambda_"),
        (lambda eq: eq.rhs(np.zeros((2, 7))), OptionError, r"Did you mean y\.T"),
        (lambda eq: eq.rhs(["a", "b"]), OptionError, "must be real numbers"),
        (lambda eq: eq.rhs([1j, 0]), OptionError, "must be real numbers"),
        (lambda eq: eq.rhs([[1.0], [2.0, 3.0]]), OptionError, "array of numbers"),
        (lambda eq: eq.rhs({"x": 1.0}), OptionError, "lacks lambda_"),
        (lambda eq: eq.rhs({"x": 1.0, "lamda_": 2.0}), UnknownNameError, "mean 'lambda_'"),
        (lambda eq: eq.rhs([1, 2], params={"A": 1}), UnknownNameError, "Did you mean 'a'"),
        (lambda eq: eq.rhs(np.zeros((3, 2)), np.zeros(4)), OptionError, r"y \(3,\), t \(4,\)"),
        (lambda eq: eq.jvp([1, 2], [1]), OptionError, "direction 1"),
        (lambda eq: eq.params_jacobian([1, 2], ["c"]), UnknownNameError, "Known: a, b"),
        (lambda eq: eq.aux([1, 2], names=["e"]), UnknownNameError, "Did you mean 'E'"),
        (lambda eq: eq.step([1, 2]), OptionError, "is a flow"),
    ],
)
def test_refusals(call, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call(kinks(jit=False).equations)


def test_history_is_refused() -> None:
    model = '[model]\nname="m"\ntype="map"\n[states]\nx=1.0\n[equations.rhs]\nx="0.5*lag_x(1)"\n'
    with pytest.raises(OptionError, match="earlier steps"):
        dynlib.build(model).equations.step([1.0])
