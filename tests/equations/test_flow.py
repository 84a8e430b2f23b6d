"""`Sim.flow`: the numbers of single runs, many at once; derivatives against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import expm

import dynlib
from dynlib import setup
from dynlib.abi.status import Status
from dynlib.errors import OptionError, RunFailed, UnknownNameError, UnknownOptionError

TIGHT = {"rtol": 1e-11, "atol": 1e-12}
BALL = """
[model]
name = "ball"
type = "ode"
[states]
h = 1.0
v = 0.0
[params]
g = 9.81
r = 0.8
[equations.rhs]
h = "v"
v = "-g"
[events.bounce]
cond = "h < 0"
action = "v = -r*v"
"""
KINKED = """
[model]
name = "kinked"
type = "ode"
[states]
x = -1.0
y = 0.5
s = 0.0
[params]
a = 0.7
b = 0.4
[equations.rhs]
x = "1 + s*a*y"
y = "-y + s*b*x"
s = "0"
[events.cross]
cond = "x > 0"
direction = "rising"
action = \"\"\"
y = y + b*x + 0.3
x = 0.2
s = 1
\"\"\"
"""
LINEAR = """
[model]
name = "linear"
type = "ode"
[states]
x = 1.0
y = 0.0
z = 0.0
[params]
c = 0.5
[equations.rhs]
x = "-0.3*x + 2*y - z"
y = "-x + c*z + 0.1*y"
z = "0.7*x - y - 0.2*z"
"""
A = np.array([[-0.3, 2.0, -1.0], [-1.0, 0.1, 0.5], [0.7, -1.0, -0.2]])
ESCAPE = '[model]\ntype = "ode"\nname = "escape"\n[states]\nx = 1.0\n[equations.rhs]\nx = "x^2"'
_kept: dict[tuple[str, str], dynlib.Sim] = {}


def session(model: str, stepper: str | None = None) -> dynlib.Sim:
    key = (model, stepper or "")
    if key not in _kept:
        _kept[key] = setup(model, stepper=stepper)
    return _kept[key].copy()


def starts(n: int, *shape: int, scale: float = 1.0) -> np.ndarray:
    return np.random.default_rng(n).normal(size=(*shape, n)) * scale


# --- the numbers of runs --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "name", "stepper"),
    [("builtin://ode/lorenz", "rho", "rk4"), ("builtin://ode/lorenz", "rho", "rk45"),
     (LINEAR, "c", "ab3")],
)  # fmt: skip
def test_many_are_what_single_runs_are(model: str, name: str, stepper: str) -> None:
    """Lanes, single runs and Sim.run: one and the same."""
    sim = session(model, stepper)
    y = starts(3, 24, scale=8.0)
    sign = (-1) ** np.arange(24) if model is LINEAR else 1  # Lorenz' system escapes backwards
    T = np.where(np.arange(24) < 12, 0.73, np.linspace(0.0, 2.0, 24) * sign)
    rho = np.linspace(0.5, 4, 24) * sim.params[name]
    vectors = np.random.default_rng(1).normal(size=(24, 3, 2))
    ends, tangents = sim.flow(y, T, vectors, params={name: rho}, t0=0.5, dt=0.01)
    for i in range(24):
        one, M = sim.flow(y[i], T[i], vectors[i], params={name: rho[i]}, t0=0.5, dt=0.01)
        assert_array_equal(one, ends[i])
        assert_array_equal(M, tangents[i])
        run = sim.run(T=0.5 + T[i], t0=0.5, ic=y[i], params={name: rho[i]}, dt=0.01)
        assert_array_equal(run.final.array, ends[i])
    assert_array_equal(sim.flow(y, T, params={name: rho}, t0=0.5, dt=0.01), ends)


def test_plain_python_is_the_same_to_a_few_units() -> None:
    plain, compiled = setup(BALL, stepper="rk4", jit=False), session(BALL, "rk4")
    y = np.array([[1.0, 0.0], [2.0, 1.0]])
    for one, other in zip(
        plain.flow(y, [0.7, 1.0], np.eye(2), dt=0.05),
        compiled.flow(y, [0.7, 1.0], np.eye(2), dt=0.05),
        strict=True,
    ):
        assert_allclose(one, other, rtol=1e-12, atol=1e-13)


def test_shapes_are_broadcast() -> None:
    sim = session(LINEAR, "rk4")
    y, T = starts(3, 4, 1), np.linspace(0, 1, 5)
    ends, M = sim.flow(y, T, np.eye(3), params={"c": 0.5})
    assert ends.shape == (4, 5, 3)
    assert M.shape == (4, 5, 3, 3)
    assert_array_equal(ends[:, 0], y[:, 0])
    assert_array_equal(M[:, 0], np.broadcast_to(np.eye(3), (4, 3, 3)))
    assert sim.flow({"x": [1.0, 2.0], "y": 0.0, "z": 0.0}, 0.5).shape == (2, 3)
    assert sim.flow(y[:0], 0.5).shape == (0, 1, 3)
    assert sim.flow(y[0, 0], 0.5, np.ones((3, 1)))[1].shape == (3, 1)
    assert_array_equal(sim.flow(y[:, 0], 0.5, t0=[0.0, 1.0, 2.0, 0.0])[3], sim.flow(y[3, 0], 0.5))


def test_the_session_is_followed_and_left_alone() -> None:
    sim = session(LINEAR, "rk4")
    sim.run(T=1.0)
    before = sim.current.array
    sim.assign(c=2.0)
    moved = sim.flow([1.0, 0.0, 0.0], 1.0)
    assert_array_equal(moved, sim.flow([1.0, 0.0, 0.0], 1.0, params={"c": 2.0}))
    assert (moved != sim.flow([1.0, 0.0, 0.0], 1.0, params=[0.5])).any()
    assert_array_equal(sim.current.array, before)


@given(
    st.sampled_from(["builtin://ode/pendulum", "builtin://ode/henon-heiles", LINEAR]),
    st.floats(-1.5, 1.5),
    st.integers(0, 10),
)
def test_there_and_back(model: str, T: float, seed: int) -> None:
    sim = session(model, "dop853")
    n = len(sim.spec.states)
    y = 0.3 * np.random.default_rng(seed).normal(size=n)
    end, M = sim.flow(y, T, np.eye(n), **TIGHT)
    back, N = sim.flow(end, -T, np.eye(n), **TIGHT)
    # What is lost on one way is stretched on the other one.
    size = np.linalg.norm(N, 2) * max(1.0, np.linalg.norm(M, 2))
    assert_allclose(back, y, atol=1e-7 * size)
    assert_allclose(N @ M, np.eye(n), atol=1e-5 * size)


# --- derivatives ----------------------------------------------------------------------------------


@pytest.mark.parametrize("T", [2.0, -1.5])
def test_a_linear_system(T: float) -> None:
    sim = session(LINEAR, "dop853")
    y = starts(3, 10)
    ends, M = sim.flow(y, T, np.eye(3), **TIGHT)
    assert_allclose(M, np.broadcast_to(expm(A * T), M.shape), atol=1e-9)
    assert_allclose(ends, y @ expm(A * T).T, atol=1e-9)


@pytest.mark.parametrize("stepper", ["rk45", "dop853"])
def test_vectors_are_as_accurate_as_asked_where_the_states_rest(stepper: str) -> None:
    """At an equilibrium the steps of the states are as long as they may be."""
    sim = session("builtin://ode/vanderpol", stepper)
    wanted = expm(3.0 * sim.equations.jacobian([0.0, 0.0]))
    for rtol in (1e-5, 1e-8, 1e-11):
        for count in (1, 20):
            _, M = sim.flow(np.zeros((count, 2)), 3.0, np.eye(2), rtol=rtol, atol=rtol)
            # errors of some steps, each of rtol of a vector's length
            assert_allclose(M, np.tile(wanted, (count, 1, 1)), atol=5 * rtol * np.abs(wanted).max())


def test_the_oscillator() -> None:
    sim = session("builtin://ode/harmonic", "dop853")
    omega = sim.params["omega"]
    T = np.linspace(0.1, 7.0, 11)
    _, M = sim.flow([1.0, 0.0], T, np.eye(2), **TIGHT)
    c, s = np.cos(omega * T), np.sin(omega * T)
    assert_allclose(M, np.moveaxis([[c, s / omega], [-omega * s, c]], -1, 0), atol=1e-9)


def test_floquet_multipliers_of_van_der_pol() -> None:
    """One is 1, and their product the exponential of the divergence along the cycle."""
    sim = session("builtin://ode/vanderpol", "dop853")
    mu = sim.params["mu"]
    y, T = np.array([2.0, 0.0]), 6.6632868593231301896996820305  # for mu = 1
    assert mu == 1.0
    y = sim.flow(y, 20 * T, **TIGHT)
    for _ in range(8):  # Newton's method for the cycle through the section v = 0, and its period
        end, M = sim.flow(y, T, np.eye(2), **TIGHT)
        f = sim.equations.rhs(end)
        matrix = np.block(
            [[M - np.eye(2), f[:, None]], [sim.equations.rhs(y)[None], np.zeros((1, 1))]]
        )
        change = np.linalg.solve(matrix, [*(y - end), 0.0])
        y, T = y + change[:2], T + change[2]
    _, M = sim.flow(y, T, np.eye(2), **TIGHT)
    multipliers = np.sort(np.abs(np.linalg.eigvals(M)))
    orbit = sim.run(T=T, ic=y, **TIGHT)
    times = np.linspace(0, T, 2001)  # the trapezoidal rule is exact for what is periodic
    divergence = np.array([np.trace(J) for J in sim.equations.jacobian(orbit.at(times))])
    assert_allclose(T, 6.6632868593231301896996820305, rtol=1e-9)
    assert_allclose(multipliers[1], 1.0, rtol=1e-8)
    assert_allclose(np.linalg.det(M), np.exp(np.trapezoid(divergence, times)), rtol=1e-5)


@pytest.mark.parametrize("stepper", ["rk4", "ab3", "rk45", "dop853"])
def test_a_bouncing_ball(stepper: str) -> None:
    """The saltation matrix in closed form: it mirrors the height, and couples it to the speed."""
    sim = session(BALL, stepper)
    g, r = 9.81, 0.8
    h = np.linspace(0.5, 3.0, 9)[:, None] * [1.0, 0.0] + [0.0, 0.2]
    T = 1.0
    options = TIGHT if sim.model.stepper.adaptive else {"dt": 1e-3}
    ends, M = sim.flow(h, T, np.eye(2), **options)
    for start, end, matrix in zip(h, ends, M, strict=True):
        x, v, left, wanted = *start, T, np.eye(2)
        while True:
            hit = (v + np.sqrt(v * v + 2 * g * x)) / g
            if hit > left:
                break
            speed = v - g * hit
            salt = np.array([[-r, 0.0], [-g * (1 + r) / speed, -r]])
            wanted = salt @ np.array([[1.0, hit], [0.0, 1.0]]) @ wanted
            x, v, left = 0.0, -r * speed, left - hit
        wanted = np.array([[1.0, left], [0.0, 1.0]]) @ wanted
        assert_allclose(end, [x + v * left - g * left**2 / 2, v - g * left], atol=1e-8)
        assert_allclose(matrix, wanted, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("stepper", ["rk4", "dop853"])
def test_a_piecewise_linear_system_with_a_jump(stepper: str) -> None:
    sim = session(KINKED, stepper)
    a, b, T = 0.7, 0.4, 2.0
    options = TIGHT if sim.model.stepper.adaptive else {"dt": 2e-3}
    ends, M = sim.flow([-1.0, 0.5, 0.0], T, np.eye(3), **options)
    tau = 1.0  # x = -1 + t before
    before = np.array([1.0, -0.5 * np.exp(-tau)])
    P = np.array([[1.0, 0.0], [0.0, np.exp(-tau)]])
    landed = np.array([0.2, 0.5 * np.exp(-tau) + 0.3])
    B = np.array([[0.0, a], [b, -1.0]])
    after = np.array([1.0, 0.0]) + B @ landed
    jump = np.array([[0.0, 0.0], [b, 1.0]])
    normal = np.array([1.0, 0.0])
    salt = jump + np.outer(after - jump @ before, normal) / (normal @ before)
    wanted = expm(B * (T - tau)) @ salt @ P
    drift = np.linalg.solve(B, expm(B * (T - tau)) - np.eye(2)) @ [1.0, 0.0]
    assert_allclose(ends[:2], expm(B * (T - tau)) @ landed + drift, atol=1e-8)
    assert_allclose(M[:2, :2], wanted, atol=1e-7)
    assert ends[2] == 1.0


@pytest.mark.parametrize(
    ("model", "T"),
    [("lorenz", 1.0), ("henon-heiles", 5.0), ("duffing", 3.0)],
)
def test_differences_of_flows_and_volumes(model: str, T: float) -> None:
    """The derivative against central differences; its determinant against the divergence."""
    sim = session(f"builtin://ode/{model}", "dop853")
    y, n = sim.state.array, len(sim.spec.states)
    _, M = sim.flow(y, T, np.eye(n), **TIGHT)
    h = 1e-5  # errors: h**2 and 1e-11/h, times second derivatives
    ends = sim.flow(y + h * np.concatenate([np.eye(n), -np.eye(n)]), T, **TIGHT)
    differences = (ends[:n] - ends[n:]).T / (2 * h)
    assert_allclose(M, differences, atol=2e-5 * np.abs(M).max())
    times = np.linspace(0, T, 4001)
    path = sim.run(T=T, **TIGHT).at(times)
    trace = np.trace(sim.equations.jacobian(path, times), axis1=1, axis2=2)
    volume = np.exp(np.trapezoid(trace, times))
    assert_allclose(np.linalg.det(M), volume, rtol=1e-4, atol=1e-9 * np.abs(M).max() ** n)


def test_maps(jit: bool) -> None:
    """The chain rule, factor by factor."""
    for name, point in (("henon", [0.1, 0.2]), ("logistic", [0.3])):
        sim = setup(f"builtin://map/{name}", jit=jit)
        eq, y, n = sim.equations, np.array(point), len(point)
        ends, M = sim.flow(y, np.arange(12), np.eye(n))
        product = np.eye(n)
        for i in range(12):
            assert_allclose(ends[i], y, rtol=1e-13)
            assert_allclose(M[i], product, rtol=1e-11, atol=1e-13)
            y, product = eq.step(y), eq.jacobian(y) @ product
        many, tangents = sim.flow(np.tile(point, (9, 1)), 7, np.eye(n))
        assert_array_equal(many, np.tile(ends[7], (9, 1)))
        assert_array_equal(tangents, np.tile(M[7], (9, 1, 1)))


def test_single_precision() -> None:
    sim = setup("builtin://ode/lorenz", stepper="rk4", dtype="float32")
    ends, M = sim.flow(starts(3, 10), 0.5, np.eye(3), dt=0.01)
    assert ends.dtype == M.dtype == np.float32
    double = session("builtin://ode/lorenz", "rk4")
    assert_allclose(M, double.flow(starts(3, 10), 0.5, np.eye(3), dt=0.01)[1], rtol=1e-3, atol=1e-3)


def test_integers() -> None:
    sim = setup("builtin://map/collatz")
    y = np.arange(1, 20)[:, None]
    assert sim.flow(y, 1).dtype.kind == "i"
    with pytest.raises(OptionError, match=r"flow\(tangents=...\) .* made of integers"):
        sim.flow(y, 1, np.eye(1))


# --- failures -------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [3, 20])
def test_runs_that_fail_are_nan_and_say_why(count: int) -> None:
    sim = session(ESCAPE, "rk4")
    y = np.linspace(0.1, 3.0, count)[:, None]  # they leave at t = 1/x
    y[(y > 0.85) & (y < 1.15)] = 0.85  # steps may leap over where they do
    y[1] = np.nan
    found = sim.flow(y, 1.0, np.eye(1), dt=0.01, on_failure="return")
    good = (y[:, 0] < 1) & np.isfinite(y[:, 0])
    assert_array_equal(found.ok, good)
    assert (found.status[~good] == Status.NAN_DETECTED).all()
    assert_array_equal(np.isnan(found.y[:, 0]), ~good)
    assert_array_equal(np.isnan(found.tangents[:, 0, 0]), ~good)
    assert_allclose(found.y[good], y[good] / (1 - y[good]), rtol=1e-4)
    assert (found.t[~good] < 1.0).all()
    states, vectors = found
    assert states is found.y
    assert vectors is found.tangents
    assert_array_equal(np.asarray(found), found.y)
    assert "a state became NaN" in repr(found)
    message = rf"escape: flow failed for {(~good).sum()} of {count} starts .*\n.*start 1: a state"
    with pytest.raises(RunFailed, match=message) as error:
        sim.flow(y, 1.0, dt=0.01)
    assert_array_equal(error.value.results.ok, good)
    assert error.value.status is Status.NAN_DETECTED


def test_a_single_start_that_fails() -> None:
    sim = session(ESCAPE, "rk45")
    with pytest.raises(RunFailed, match=r"escape: flow: .* at t = 0\.") as error:
        sim.flow([2.0], 1.0, max_steps=5)
    assert error.value.status is Status.MAX_STEPS
    assert error.value.step == 5
    assert sim.flow([2.0], 1.0, max_steps=5, on_failure="return").status == Status.MAX_STEPS
    assert np.isfinite(error.value.state["x"])


@pytest.mark.parametrize("count", [1, 12])
def test_a_stop_condition_is_no_end(count: int) -> None:
    sim = session(ESCAPE + '\n[sim]\nstop = "x > 5"\n', "rk4")
    found = sim.flow(np.full((count, 1), 2.0), 0.45, dt=0.01, on_failure="return")
    assert (found.status == Status.EARLY_EXIT).all()
    assert not found.ok.any()
    assert np.isnan(found.y).all()


def test_bad_input() -> None:
    sim = session("builtin://ode/lorenz", "rk45")
    y = np.ones(3)
    for call, message in (
        (lambda: sim.flow(np.ones(2), 1.0), r"y has shape \(2,\); its last axis must have length"),
        (lambda: sim.flow(np.ones((3, 5)), 1.0), r"Did you mean y.T"),
        (lambda: sim.flow("x", 1.0), "y must be real numbers"),
        (lambda: sim.flow({"x": 1.0, "y": 2.0}, 1.0), "y lacks z"),
        (lambda: sim.flow(y, "1"), "T must be real numbers"),
        (lambda: sim.flow(y, np.nan), "T must be finite, found nan"),
        (lambda: sim.flow(y, [1.0, np.inf]), "T must be finite, found inf"),
        (lambda: sim.flow(y, None), "T must be real numbers"),
        (lambda: sim.flow(np.ones((4, 3)), [1.0, 2.0]), r"not broadcast to one: y \(4,\), T \(2"),
        (lambda: sim.flow(y, 1.0, np.eye(2)), r"tangents has shape \(2, 2\); it must be"),
        (lambda: sim.flow(y, 1.0, np.ones(3)), r"Did you mean tangents\[..., None\]"),
        (lambda: sim.flow(y, 1.0, np.ones((2, 3))), r"Transpose them"),
        (lambda: sim.flow(y, 1.0, np.full((3, 1), np.nan)), "tangents must be finite"),
        (lambda: sim.flow(y, 1.0, params=[1.0]), "params has shape"),
        (lambda: sim.flow(y, 1.0, t0=np.nan), "t0 must be finite"),
        (lambda: sim.flow(y, 1.5e308, t0=1e308), "more than float64 can hold"),
        (lambda: sim.flow(y, 1.0, dt=-1.0), "dt must be above 0"),
        (lambda: sim.flow(y, 1.0, max_steps=0), "max_steps must be at least 1"),
        (lambda: sim.flow(y, 1.0, workers=0), "workers"),
        (lambda: sim.flow(y, 1.0, rtol=-1.0), "rtol must be at least 0"),
        (lambda: sim.flow(y, 1.0, on_failure="nan"), "on_failure must be 'raise' or 'return'"),
        (lambda: session(BALL, "rk4").flow([1.0, 0.0], -1.0), "T = -1 goes back in time"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(UnknownNameError, match=r"unknown name 'rhoo'\. Did you mean 'rho'"):
        sim.flow(y, 1.0, params={"rhoo": 1.0})
    with pytest.raises(UnknownOptionError, match=r"flow\(\) got an unknown argument 'rtoll'"):
        sim.flow(y, 1.0, rtoll=1.0)
    henon = setup("builtin://map/henon")
    for N, message in ((1.5, "iterations of a map, must be whole numbers"), (-1, "at least 0")):
        with pytest.raises(OptionError, match=message):
            henon.flow([0.1, 0.2], N)
    with pytest.raises(OptionError, match="a map has no dt"):
        henon.flow([0.1, 0.2], 3, dt=0.1)
