"""Bounds of the step, and spans of time that are hardly any or huge."""

from __future__ import annotations

import math

import numpy as np
import pytest

import dynlib
from dynlib.abi.primitives import plain_namespace
from dynlib.abi.status import Status
from dynlib.steppers.control import control_text
from tests.trajectories import ADAPTIVE, FLOWS, compiled

DECAY = """
[model]
type = "ode"
[states]
x = 1.0
[params]
a = 1.0
[equations.rhs]
x = "-a*x"
"""
LOOSE = {"rtol": 0.1, "atol": 0.1}


@pytest.mark.parametrize("stepper", FLOWS)
@pytest.mark.parametrize("end", [1e-200, -1e-200, 5e-324, 1e-310])
def test_a_span_of_hardly_any_time_is_gone_through(stepper: str, end: float) -> None:
    sim = dynlib.Sim(compiled(DECAY, stepper))
    assert sim.run(T=end).t.tolist() == [0.0, end]
    inside = sim.run(T=end, t_eval=[0.0, end / 2, end])
    assert inside.t.tolist() == [0.0, end / 2, end]
    assert (inside["x"] == 1.0).all()
    assert sim.fastpath(T=end).t_final == end


def test_batches_and_observers_go_through_it_too() -> None:
    for stepper in ("rk4", "tsit5"):
        sim = dynlib.Sim(compiled(DECAY, stepper, jit=True))
        watch = [dynlib.observers.features()]
        batch = sim.batch(params={"a": [1.0, 2.0, 3.0]}, T=1e-200, observers=watch)
        assert (batch.status == Status.DONE).all()
        assert (batch.observers["features"]["mean"]["x"] == 1.0).all()
        sampled = sim.batch(params={"a": [1.0, 2.0]}, T=1e-200, t_eval=[0.0, 5e-201, 1e-200])
        assert (sampled["x"] == 1.0).all()


@pytest.mark.parametrize("stepper", ADAPTIVE)
def test_a_step_that_the_time_can_hardly_resolve_moves_time_and_state_alike(stepper: str) -> None:
    for jit in (False, True):
        sim = dynlib.Sim(compiled(DECAY, stepper, jit=jit))
        for start, end, rate in ((1e16, 1e16 + 2, 0.01), (1e9, 1e9 + 1e-4, 7e3)):
            res = sim.run(t0=start, T=end, params={"a": rate}, rtol=1e-4, atol=1e-4)
            right = math.exp(-rate * (end - start))
            assert res.final["x"] == pytest.approx(right, rel=2e-3)  # a few steps, rtol each
            batch = sim.batch(t0=start, T=end, params={"a": [rate, rate]}, rtol=1e-4, atol=1e-4)
            assert (batch.final["x"] == res.final["x"]).all()


def test_dt_min_and_dt_max_hold_for_every_step() -> None:
    for jit in (False, True):
        sim = dynlib.Sim(compiled(DECAY, "tsit5", jit=jit))
        for first in (None, 1e-3, 5.0):
            steps = np.diff(sim.run(T=7.1, dt=first, dt_min=0.2, dt_max=0.7, **LOOSE).t)
            assert (steps[:-1] >= 0.2 - 1e-12).all()  # the last one ends at T
            assert (steps <= 1.01 * 0.7 + 1e-12).all()
        sim.run(T=1.0, **LOOSE)
        again = sim.run(T=9.0, resume=True, dt_max=0.25, **LOOSE)
        assert np.diff(again.t[again.t >= 1]).max() <= 1.01 * 0.25


def test_what_needs_shorter_steps_than_dt_min_fails() -> None:
    tight = {"rtol": 1e-6, "atol": 1e-6}
    for jit in (False, True):
        sim = dynlib.Sim(compiled(DECAY, "tsit5", jit=jit))
        res = sim.run(T=5.0, dt_min=0.5, on_failure="return", **tight)
        assert (res.status, res.t_final) == (Status.STEPFAIL, 0.0)
        # A refused step that is longer is not the end: the shortest one allowed is tried.
        assert sim.run(T=5.0, dt=4.0, dt_min=0.3, **tight).ok
        batch = sim.batch(params={"a": [0.001, 1.0, 5.0]}, T=5.0, dt_min=0.5, **tight)
        assert batch.status.tolist() == [Status.DONE, Status.STEPFAIL, Status.STEPFAIL]
        assert (
            batch.final["x"][0] == sim.run(T=5.0, dt_min=0.5, params={"a": 0.001}, **tight)["x"][-1]
        )


def test_dt_min_bounds_neither_events_nor_switches_nor_the_end() -> None:
    text = DECAY.replace('"-a*x"', '"-a*x + (t > 1.05)"') + (
        '[events.e]\ncond = "t > 2.03"\ndirection = "rising"\naction = "a = 1.0"\n'
    )
    sim = dynlib.Sim(compiled(text, "tsit5"))
    t = sim.run(T=3.001, dt_min=0.5, **LOOSE).t
    assert 1.05 in t
    assert np.isclose(t, 2.03, rtol=0, atol=1e-12).any()
    assert t[-1] == 3.001


def test_a_bound_that_moves_no_time_is_refused() -> None:
    sim = dynlib.Sim(compiled(DECAY, "tsit5"))
    with pytest.raises(dynlib.OptionError, match=r"dt_max = 1e-12 is too small: .*t = 1e\+09"):
        sim.run(t0=1e9, T=1e9 + 1, dt_max=1e-12)


@pytest.mark.parametrize("stepper", ADAPTIVE)
def test_steps_that_shrink_to_nothing_end_the_run(stepper: str) -> None:
    text = DECAY.replace('"-a*x"', '"a*x**2"')  # x = 1/(1 - a t)
    for jit in (False, True):
        sim = dynlib.Sim(compiled(text, stepper, jit=jit))
        for rate in (1.0, 0.3, 1.7):
            res = sim.run(T=9.0, params={"a": rate}, max_steps=5000, on_failure="return")
            assert res.status in (Status.STEPFAIL, Status.NAN_DETECTED)
            assert res.t_final == pytest.approx(1 / rate, rel=1e-3)


REFUSED = 1e-9  # binary logarithm of an error that is just too large


@pytest.mark.parametrize("safety", [0.5, 0.9, 0.99, 1 - 1e-12])
@pytest.mark.parametrize("dt_min", [0.0, 1e-3, 3e-15, 1e-14])
def test_a_step_that_is_always_refused_shrinks_until_it_is_given_up(
    safety: float, dt_min: float
) -> None:
    control = dict(plain_namespace())
    exec(control_text(5), control)
    options = (dt_min, math.inf, safety, 0.2, 10.0)
    for t in (0.7, 1.0, -3.3, 1e9):
        h = control["within_bounds"](t, 1.0, options)
        for tried in range(20_000):
            if control["too_short"](t, h, options):
                break
            factor = control["step_factor"](REFUSED, False, 0.0, float(tried > 0), options)
            shorter = control["within_bounds"](t, h * factor, options)
            assert abs(shorter) < abs(h)
            h = shorter
        else:
            pytest.fail("it goes on for ever")
        assert h <= 1.02 * dt_min + 1e-13 * abs(t)
