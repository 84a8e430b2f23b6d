"""Tangent vectors pass events as neighbouring trajectories do."""

import math

import numpy as np
import pytest
from observers.tangents import derivatives, differences

from dynlib import setup
from dynlib.errors import ObserverError
from dynlib.observers import lyapunov_max, lyapunov_spectrum

BALL = "builtin://ode/bouncing-ball"
STEPPERS = ("rk4", "rk45", "dop853", "ab3")


def ball(x: complex, v: complex, t: float, g: float = 9.81, e: float = 0.8) -> list[complex]:
    """Where a ball is at time t, after the bounces on its way."""
    while True:
        u = np.sqrt(v * v + 2 * g * x)
        fall = (v + u) / g
        if t < fall.real:
            return [x + v * t - g * t * t / 2, v - g * t]
        x, v, t = 0.0, e * u, t - fall  # t stays complex: it depends on the start


@pytest.mark.parametrize("stepper", ["rk4", "rk45", "dop853"])
@pytest.mark.parametrize("T", [0.4, 1.0, 2.5])
def test_ball(stepper: str, T: float) -> None:
    """All methods are exact for a parabola, and the events are located to rounding."""
    run = {"ic": {"x": 1.0, "v": 0.3}, "T": T}
    if stepper == "rk4":
        run["dt"] = 0.01
    res, found = derivatives(BALL, stepper, **run)
    tiny = 1e-100
    ends = [ball(1.0 + 1j * tiny, 0.3, T), ball(1.0, 0.3 + 1j * tiny, T)]
    exact = np.imag(ends).T / tiny
    np.testing.assert_allclose(found[-1], exact, rtol=1e-9, atol=1e-9)
    bounces = len(res.events["bounce"])
    assert bounces == {0.4: 0, 1.0: 1, 2.5: 4}[T]
    # An impact shrinks areas of the (x, v) plane by e^2, a flight by nothing.
    assert np.linalg.det(found[-1]) == pytest.approx(0.64**bounces, rel=1e-10)


def test_ball_that_is_kept_bouncing() -> None:
    """With e = 1 each bounce stretches along the flight only: both exponents tend to 0."""
    sim = setup(BALL, stepper="rk4", jit=False)
    found = sim.run(T=60.0, dt=0.02, params={"e": 1.0}, observers=[lyapunov_spectrum()])
    exponents = found.observers["lyapunov_spectrum"].exponents
    assert exponents.sum() == pytest.approx(0.0, abs=1e-9)  # areas are kept
    assert abs(exponents[0]) < math.log(60 * 9.81) / 30  # growth is linear in time


def test_integrate_and_fire() -> None:
    """Between spikes neighbours approach as exp(-t/tau); a spike parts them again by as much.

    The speeds before and after it are (v_inf - v_th)/tau and (v_inf - v_reset)/tau, whose ratio
    is exp(period/tau): the exponent of a periodic flow on a line is 0.
    """
    sim = setup("builtin://ode/leaky-if", stepper="rk4", jit=False)
    period = 10 * math.log(25 / 5)  # v_inf = -45, reset at -70, threshold at -50
    observer = lyapunov_max(renorm_every=1)
    found = sim.run(T=40 * period, dt=period / 40, observers=[observer]).observers["lyapunov_max"]
    # Neither growth nor decay but within a period, where it is by less than a factor of 5.
    assert abs(found.exponent) < math.log(5) / (39 * period)  # without the spikes: -1/10


def test_one_period_of_integrate_and_fire() -> None:
    period = 10 * math.log(25 / 5)
    res, found = derivatives(
        "builtin://ode/leaky-if", "rk4", ic={"v": -60.0}, T=3 * period, dt=period / 200
    )
    assert len(res.events["spike"]) == 3
    assert found[-1][0, 0] == pytest.approx(1.0, abs=1e-6)  # rk4: (period/200/tau)^4
    before = found[:30, 0, 0]
    assert (np.diff(before) < 0).all()  # in between they do approach


@pytest.mark.parametrize("stepper", STEPPERS)
def test_against_differences_of_the_flow(stepper: str) -> None:
    """A neuron of two variables that jumps by an amount which depends on its state."""
    model = """
[model]
type = "ode"
[states]
v = -0.5
w = 0.1
[equations.rhs]
v = "0.5 + v*v - w + 0.2*sin(3*t)"
w = "0.3*(0.6*v - w)"
[events.spike]
cond = "v > 1.5 - 0.1*w"
direction = "rising"
action = "v = -0.7 + 0.2*w; w = w*1.1 + 0.05*t"
"""
    ic = {"v": -0.5, "w": 0.1}
    run: dict[str, object] = {"T": 12.0}
    run |= {"rtol": 1e-10, "atol": 1e-12} if stepper in ("rk45", "dop853") else {"dt": 0.01}
    res, found = derivatives(model, stepper, ic=ic, **run)
    assert len(res.events["spike"]) >= 2
    expected = differences(model, stepper, ic=ic, **run)
    # ab3 starts anew after each event, with steps of lower order whose error is seen in both.
    np.testing.assert_allclose(found[-1], expected, rtol=2e-4, atol=2e-4)


SWITCH = """
[model]
type = "ode"
[states]
x = 0.2
y = 1.0
[params]
a = 1.0
[equations.rhs]
x = "a*x + 0.1*y"
y = "-y + a"
[events.switch]
cond = "x > 1"
direction = "rising"
action = "a = -1"
{more}
"""


def test_an_event_that_changes_a_parameter() -> None:
    """No state jumps, but the flow has a kink, and neighbours come to it at their own times."""
    ic = {"x": 0.2, "y": 1.0}
    _, found = derivatives(SWITCH.format(more=""), "rk4", ic=ic, T=3.0, dt=0.01)
    expected = differences(SWITCH.format(more=""), "rk4", ic=ic, T=3.0, dt=0.01)
    np.testing.assert_allclose(found[-1], expected, rtol=1e-6, atol=1e-6)


def test_an_event_at_ends_of_steps() -> None:
    """Neighbours jump at the same step; so there is no saltation, and x is not torn apart."""
    model = SWITCH.format(more="locate = false").replace("a = -1", "a = -1; x = x*y")
    ic = {"x": 0.2, "y": 1.0}
    _, found = derivatives(model, "rk4", ic=ic, T=3.0, dt=0.1)
    expected = differences(model, "rk4", ic=ic, T=3.0, dt=0.1)
    np.testing.assert_allclose(found[-1], expected, rtol=1e-7, atol=1e-8)


def test_an_event_at_the_start_of_steps() -> None:
    model = SWITCH.format(more='phase = "start"').replace("a = -1", "a = -1; x = x*y")
    ic = {"x": 0.2, "y": 1.0}
    res, found = derivatives(model, "rk4", ic=ic, T=3.0, dt=0.1)
    assert len(res.events["switch"]) == 1
    expected = differences(model, "rk4", ic=ic, T=3.0, dt=0.1)
    np.testing.assert_allclose(found[-1], expected, rtol=1e-7, atol=1e-8)


def test_a_condition_without_a_level_is_refused() -> None:
    model = SWITCH.format(more="").replace('"x > 1"', '"floor(x) == 1 if y > 0 else x > 1"')
    model = model.replace("a = -1", "a = -1; x = 0.5")
    sim = setup(model, stepper="rk4", jit=False)
    with pytest.raises(ObserverError, match="locate = false"):
        sim.run(T=3.0, dt=0.1, observers=[lyapunov_max()])


def test_a_parameter_set_by_the_state_is_refused() -> None:
    model = SWITCH.format(more="").replace("a = -1", "a = -y")
    with pytest.raises(ObserverError, match="sets parameter 'a' by the state"):
        setup(model, stepper="rk4", jit=False).run(T=3.0, dt=0.1, observers=[lyapunov_max()])
