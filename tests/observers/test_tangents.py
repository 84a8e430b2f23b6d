"""Tangent vectors are derivatives of the steps that are taken, exactly."""

import numpy as np
import pytest
from observers.tangents import derivatives, differences

from dynlib import setup
from dynlib.steppers import registry

FIXED = ("euler", "heun", "rk2", "rk4", "ab2", "ab3")
ADAPTIVE = ("bs23", "rk45", "tsit5", "dop853")

DRIVEN = """
[model]
type = "ode"
[states]
x = 0.3
v = -0.2
[params]
a = 0.4
[equations.rhs]
x = "v"
v = "x - x**3 - 0.2*v*x + a*cos(1.3*t)"
"""

# The same with its variational equations, twice, written by hand.
BY_HAND = (
    DRIVEN.replace("[params]", "p = 1.0\nq = 0.0\nr = 0.0\ns = 1.0\n[params]")
    + """
p = "q"
q = "(1 - 3*x**2 - 0.2*v)*p - 0.2*x*q"
r = "s"
s = "(1 - 3*x**2 - 0.2*v)*r - 0.2*x*s"
"""
)


@pytest.mark.parametrize("stepper", FIXED)
def test_fixed_steppers_step_the_variational_equations(stepper: str, jit: bool) -> None:
    res, found = derivatives(DRIVEN, stepper, jit=jit, T=2.03, dt=0.05)
    hand = setup(BY_HAND, stepper=stepper, jit=False).run(T=2.03, dt=0.05)
    assert len(found) == len(res.t) - 1
    expected = np.array([[hand["p"], hand["r"]], [hand["q"], hand["s"]]]).transpose(2, 0, 1)[1:]
    # One statement of the method, whichever components it has: only sums may be ordered
    # differently, so what differs is rounding.
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("stepper", FIXED)
def test_fixed_steppers_against_differences(stepper: str) -> None:
    ic = {"x": 0.3, "v": -0.2}
    _, found = derivatives(DRIVEN, stepper, ic=ic, T=2.03, dt=0.05)
    expected = differences(DRIVEN, stepper, ic=ic, T=2.03, dt=0.05)
    # Differences of 1e-6 leave 1e-12 of the third derivative and 1e-10 of rounding.
    np.testing.assert_allclose(found[-1], expected, rtol=1e-8, atol=1e-8)


def rates(t: float, x: np.ndarray) -> np.ndarray:
    return np.array([x[1], x[0] - x[0] ** 3 - 0.2 * x[1] * x[0] + 0.4 * np.cos(1.3 * t)])


@pytest.mark.parametrize("stepper", ADAPTIVE)
def test_adaptive_steppers_differentiate_the_steps_they_took(stepper: str, jit: bool) -> None:
    """Against complex steps through the tableau, with the step sizes of the run."""
    res, found = derivatives(DRIVEN, stepper, jit=jit, T=5.0, rtol=1e-4, atol=1e-6)
    tableau = registry.get(stepper).tableau
    tiny = 1e-200
    for column in range(2):
        x = np.array([0.3, -0.2], dtype=complex)
        x[column] += 1j * tiny
        for i, (t, h) in enumerate(zip(res.t, np.diff(res.t), strict=False)):
            k: list[np.ndarray] = []
            for c, row in zip(tableau.c, tableau.a, strict=True):
                shift = sum((a * s for a, s in zip(row, k, strict=False)), np.zeros(2))
                k.append(rates(t + c * h, x + h * shift))
            x = x + h * sum(b * s for b, s in zip(tableau.b, k, strict=False))
            np.testing.assert_allclose(found[i][:, column], x.imag / tiny, rtol=1e-10, atol=1e-12)
    assert len(found) > 5


HENON_EVENT = """
[model]
type = "map"
[states]
x = 0.1
y = 0.2
[equations.rhs]
x = "1 - 1.4*x**2 + y"
y = "0.3*x"
[events.fold]
cond = "x > 0.9"
action = "y = y*x; x = 0.5*x"
[events.first]
phase = "start"
cond = "x < 0.3"
action = "x = x + 0.1*sin(y)"
"""


def test_maps_multiply_jacobians() -> None:
    res, found = derivatives("builtin://map/henon", N=12)
    product = np.eye(2)
    for x, derivative in zip(res["x"], found, strict=False):
        product = np.array([[-2.8 * x, 1.0], [0.3, 0.0]]) @ product
        np.testing.assert_allclose(derivative, product, rtol=1e-12, atol=1e-12)


def test_events_of_maps() -> None:
    ic = {"x": 0.1, "y": 0.2}
    res, found = derivatives(HENON_EVENT, ic=ic, N=9)
    assert len(res.events["fold"])
    assert len(res.events["first"])
    expected = differences(HENON_EVENT, ic=ic, N=9)
    np.testing.assert_allclose(found[-1], expected, rtol=1e-7, atol=1e-8)


def test_many_states_are_stepped_in_groups() -> None:
    """A ring so long that its tangent vectors do not fit into one text."""
    n = 14
    states = "\n".join(f"x{i} = {0.1 * i - 0.5}" for i in range(n))
    rhs = "\n".join(f'x{i} = "sin(x{(i + 1) % n}) - x{i}*x{(i - 2) % n}"' for i in range(n))
    model = f'[model]\ntype = "ode"\n[states]\n{states}\n[equations.rhs]\n{rhs}\n'
    ic = {f"x{i}": 0.1 * i - 0.5 for i in range(n)}
    for stepper in ("rk4", "ab2"):
        _, found = derivatives(model, stepper, ic=ic, T=0.5, dt=0.05)
        expected = differences(model, stepper, ic=ic, T=0.5, dt=0.05)
        np.testing.assert_allclose(found[-1], expected, rtol=1e-7, atol=1e-8)
