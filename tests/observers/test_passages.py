"""A first passage is the first time at which the condition holds, however that comes about."""

from math import isnan, sqrt

import numpy as np
import pytest
from observing import assert_same_everywhere, compiled

from dynlib import setup
from dynlib.observers import first_passage, time_in
from dynlib.plans import FinalState

BALL = {
    "model": {"type": "ode"},
    "states": {"h": 1.0, "v": 0.0},
    "equations": {"rhs": {"h": "v", "v": "-9.81"}},
    "events": {"impact": {"cond": "h < 0", "direction": "rising", "action": "h = 0; v = -v"}},
}
JUMPS = {  # on the grid of steps: at their end, and at their start
    phase: {
        "model": {"type": "ode"},
        "states": {"x": 0.0},
        "equations": {"rhs": {"x": "1"}},
        "events": {
            "up": {"cond": "x > 0.995", "action": "x = 5", "locate": False, "phase": phase},
            "down": {"cond": "x > 5.1", "action": "x = -100", "locate": False, "phase": phase},
        },
    }
    for phase in ("start", "end")
}
IMPACT = sqrt(2 / 9.81)


@pytest.mark.parametrize("stepper", ["rk4", "tsit5"])
def test_the_action_of_an_event_is_seen_where_it_acts(stepper):
    sim = setup(BALL, stepper=stepper, jit=False)
    watch = [first_passage("v > 3"), time_in("v > 3")]
    found = sim.run(T=IMPACT + 0.1, dt=0.01, observers=watch).observers
    assert found["first_passage"].time == pytest.approx(IMPACT, abs=1e-12)  # a parabola is exact
    assert found["time_in"].time == pytest.approx(0.1, abs=1e-12)


def test_it_ends_the_run_there():
    sim = setup(BALL, stepper="rk4", jit=False)
    res = sim.run(T=3.0, dt=0.01, observers=[first_passage("v > 3", stop=True)])
    assert res.status.name == "EARLY_EXIT"
    assert res.t[-1] == pytest.approx(0.46)  # the end of the step with the impact


@pytest.mark.parametrize("phase", ["start", "end"])
def test_an_action_on_the_grid_is_seen_at_its_point(phase):
    sim = setup(JUMPS[phase], stepper="rk4", jit=False)
    watch = [first_passage("x > 4"), first_passage("x > 2 and x < 4", name="never")]
    found = sim.run(T=1.5, dt=0.01, observers=watch).observers
    assert found["first_passage"].time == pytest.approx(1.0)
    assert isnan(found["never"].time)


def test_an_action_in_the_last_step_counts():
    sim = setup(JUMPS["end"], stepper="rk4", jit=False)
    found = sim.run(T=1.0, dt=0.01, observers=[first_passage("x > 4")]).observers
    assert found["first_passage"].time == 1.0


@pytest.mark.parametrize("stepper", ["rk4", "tsit5"])
@pytest.mark.parametrize("condition", ["x > 0", "v < 1", "x > 0 and v > 0", "not x <= 0"])
def test_what_holds_just_after_the_start_is_met_there(stepper, condition):
    model = {
        "model": {"type": "ode"},
        "states": {"x": 0.0, "v": 1.0},
        "equations": {"rhs": {"x": "v", "v": "-x"}},
    }
    sim = setup(model, stepper=stepper, jit=False)
    found = sim.run(T=1.0, dt=0.01, observers=[first_passage(condition), time_in(condition)])
    # Where v < 1 begins to hold is known to the root of the rounding error.
    assert found.observers["first_passage"].time == pytest.approx(0.0, abs=1e-7)
    assert found.observers["time_in"].fraction == pytest.approx(1.0, abs=1e-7)


@pytest.mark.parametrize(("stepper", "span"), [("rk4", {"dt": 0.01}), ("tsit5", {})])
def test_it_is_the_same_on_every_path(stepper, span):
    sim = compiled("builtin://ode/bouncing-ball", stepper)
    watch = [first_passage("v > 3"), first_passage("v < 0", name="falls")]
    assert_same_everywhere(sim, watch, {"T": 2.0, **span})


def test_escape_from_a_map():
    starts = np.linspace(-3.0, 3.0, 41)
    sim = setup("builtin://map/henon", jit=False)
    watch = [first_passage("x^2 + y^2 > 100", stop=True)]
    batch = sim.batch(ic={"x": starts}, N=60, observers=watch, plan=FinalState())
    times = batch.observers["first_passage"].time
    for start, time, last in zip(starts, times, batch.t_final, strict=True):
        # What does not escape stays; what does may overflow later.
        orbit = sim.run(ic={"x": start}, N=60, on_failure="return")
        outside = np.flatnonzero(np.hypot(orbit["x"], orbit["y"]) > 10)
        assert np.array_equal([time], outside[:1] if outside.size else [np.nan], equal_nan=True)
        assert last == (outside[0] if outside.size else 60)
    assert batch.ok.all()
    assert 0 < np.isnan(times).sum() < len(starts)


def test_an_expression_of_a_map_is_passed_at_the_iterate_after():
    sim = setup("builtin://map/henon", jit=False)
    watch = [first_passage("x - 0.5", way, name=way) for way in ("rising", "falling", "either")]
    res = sim.run(N=20, ic={"x": 0.5, "y": 0.0}, observers=watch)
    x = res["x"] - 0.5
    rising = np.flatnonzero((x[:-1] < 0) & (x[1:] >= 0))[0] + 1
    falling = np.flatnonzero((x[:-1] > 0) & (x[1:] <= 0))[0] + 1
    assert res.observers["rising"].time == rising
    assert res.observers["falling"].time == falling
    assert res.observers["either"].time == min(rising, falling)


def test_a_condition_of_a_map_need_be_no_comparison():
    sim = setup("builtin://map/collatz", jit=False)
    res = sim.run(N=200, ic={"n": 27}, observers=[first_passage("n == 1")])
    assert res.observers["first_passage"].time == 111  # the famous number of steps
