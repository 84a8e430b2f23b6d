"""Laws of events, lags and stops as a user of `Sim` meets them."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynlib import setup

dyadic = st.integers(0, 16)


def ramp(event: dict[str, Any], **extra: Any) -> Any:
    """x = t, exactly: with dyadic steps every number below is without rounding."""
    model = {
        "model": {"type": "ode", "name": "ramp"},
        "states": {"x": 0.0, "seen": 0.0},
        "equations": {"rhs": {"x": "1", "seen": "0"}},
        "events": {"e": event},
        "sim": {"dt": 0.25, "t_end": 4.0},
        **extra,
    }
    return setup(model, stepper="rk4", jit=False)


# --- law 5: a crossing is seen once ---------------------------------------------------------------


@given(st.integers(1, 63), st.booleans())
def test_crossing_is_seen_once(sixteenths: int, locate: bool) -> None:
    """Between grid points, and exactly on one (every fourth of these)."""
    level = sixteenths / 16
    sim = ramp(
        {"cond": f"cross_up(x, {level})", "action": "seen += 1", "log": ["x"], "locate": locate}
    )
    res = sim.run()
    assert len(res.events["e"]) == 1
    assert res.final["seen"] == 1
    # To be on the level is not to be above it yet.
    expected = level if locate else np.floor(level * 4) / 4 + 0.25
    # The root of a straight line, found on a polynomial through it.
    assert res.events["e"].t[0] == pytest.approx(expected, abs=1e-12)


@given(st.integers(2, 9), st.integers(1, 8), st.integers(1, 6))
def test_crossings_of_a_map_that_lands_on_the_level(half: int, level: int, periods: int) -> None:
    """A triangle wave of integers rises through every level once in a period."""
    level = min(level, half - 1)
    model = {
        "model": {"type": "map", "name": "triangle", "dtype": "int64"},
        "states": {"x": 0},
        "params": {"half": half, "level": level},
        "equations": {"rhs": {"x": "half - abs((n + 1) % (2*half) - half)"}},
        "events": {
            "up": {"cond": "cross_up(x, level)"},
            "down": {"cond": "cross_down(x, level)"},
            "either": {"cond": "cross_either(x, level)"},
        },
    }
    res = setup(model, jit=False).run(N=2 * half * periods)
    assert len(res.events["up"]) == len(res.events["down"]) == periods
    assert len(res.events["either"]) == 2 * periods
    assert np.all(np.diff(res.events["up"].step) == 2 * half)


@given(st.integers(1, 40))
def test_direction_fires_on_the_change_only(sixteenths: int) -> None:
    sim = ramp({"cond": f"x > {sixteenths / 16 - 0.01}", "direction": "rising"})
    assert len(sim.run().events["e"]) == 1


# --- law 5: lag_x(1) is the previous committed step everywhere ------------------------------------

LAGS: dict[str, Any] = {
    "model": {"type": "ode", "name": "lags"},
    "states": {"x": 1.0, "copy": 0.0},
    "params": {"kept": -1.0},
    "equations": {"rhs": {"x": "-x + sin(3*t)", "copy": "0"}},
    "aux": {"before": "lag_x()", "before2": "lag_x(2)"},
    "events": {
        "each": {
            "cond": "t > 0",
            "locate": False,
            "action": "kept = lag_x(1)",
            "log": ["x", "lag_x()", "kept", "lag_x(2)"],
        },
        "falls": {"cond": "x < lag_x()", "locate": False},
    },
    "sim": {"dt": 0.125, "t_end": 5.0},
}


def earlier(x: Any, k: int) -> Any:
    """The series k steps earlier; before the start, the initial value."""
    return np.concatenate([np.full(k, x[0]), x])[: len(x)]


@pytest.mark.parametrize("stepper", ["euler", "rk4", "ab3"])
def test_lags_are_rows_of_the_record(stepper: str) -> None:
    res = setup(LAGS, stepper=stepper, jit=False).run(record_vars=["x", "aux.before", "before2"])
    x, each = res["x"], res.events["each"]
    np.testing.assert_array_equal(res["before"], earlier(x, 1))
    np.testing.assert_array_equal(res["before2"], earlier(x, 2))
    np.testing.assert_array_equal(each["x"], x[1:])
    np.testing.assert_array_equal(each["lag_x()"], x[:-1])
    np.testing.assert_array_equal(each["lag_x(2)"], earlier(x, 2)[1:])
    # The log holds what was before the event's own action.
    np.testing.assert_array_equal(each["kept"], [-1.0, *x[:-2]])
    assert res.final_params["kept"] == x[-2]
    falls = np.flatnonzero(x[1:] < x[:-1]) + 1
    np.testing.assert_array_equal(res.events["falls"].step, falls)


@given(st.floats(0.3, 0.95))
def test_stop_sees_the_same_lag(level: float) -> None:
    base = {**LAGS, "events": {}}
    full = setup(base, stepper="rk4", jit=False).run()["x"]
    stop = {**LAGS["sim"], "stop": f"lag_x() < {level}"}
    res = setup({**base, "sim": stop}, stepper="rk4", jit=False).run()
    below = np.flatnonzero(full[:-1] < level)
    if below.size:
        assert res.status.name == "EARLY_EXIT"
        assert res.ok
        assert len(res) == below[0] + 2
    else:
        assert res.status.name == "DONE"


# --- laws 1 and 2: all fire, in order, under their own names -------------------------------------


@given(st.permutations(["a", "b", "c"]))
def test_events_of_one_step_fire_in_declared_order(order: list[str]) -> None:
    actions = {"a": "x = x + 1", "b": "x = 2*x", "c": "x = x - 3"}
    model = {
        "model": {"type": "map", "name": "three"},
        "states": {"x": 1.0},
        "equations": {"rhs": {"x": "x"}},
        "events": {
            name: {"cond": "n == 2", "action": actions[name], "log": ["x"]} for name in order
        },
    }
    res = setup(model, jit=False).run(N=4)
    x = 1.0
    for name in order:
        assert res.events[name].t.tolist() == [2]
        assert res.events[name]["x"].tolist() == [x]
        x = {"a": x + 1, "b": 2 * x, "c": x - 3}[name]
    assert [name for name, _ in res.events.merged] == order
    assert res.final["x"] == x


def test_a_resumed_session_sees_no_crossing_twice() -> None:
    """A session that stands exactly on the level has seen the crossing, or will: not both."""
    whole = ramp({"cond": "cross_up(x, 1)", "action": "seen += 1"}).run()
    for steps in range(1, 16):
        sim = ramp({"cond": "cross_up(x, 1)", "action": "seen += 1"})
        sim.run(T=steps * 0.25)
        res = sim.run(T=4.0, resume=True)
        assert res.events["e"].t.tolist() == whole.events["e"].t.tolist()
        assert res.final["seen"] == 1
