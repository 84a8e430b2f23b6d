"""Flows whose runs begin and end at times of their own: side by side, and each as if alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import dynlib
from dynlib import setup
from dynlib.errors import OptionError
from dynlib.runtime.flow import runs as flow_runs
from dynlib.runtime.horizon import fixed_horizon, fixed_horizons

BALL = {
    "model": {"type": "ode", "name": "ball"},
    "states": {"h": 1.0, "v": 0.0},
    "params": {"g": 9.81, "r": 0.8, "n": 0.0},
    "equations": {"rhs": {"h": "v", "v": "-g"}},
    "events": {
        "bounce": {"cond": "h <= 0", "direction": "rising", "action": "v = -r*v; h = 0; n += 1"}
    },
}
SWITCHED = {
    "model": {"type": "ode", "name": "switched"},
    "states": {"x": 1.0, "y": 0.0},
    "equations": {"rhs": {"x": "y + sin(t)", "y": "-x if t % 1 < 0.5 else -3*x"}},
}
STOPPED = {
    "model": {"type": "ode", "name": "stopped"},
    "states": {"x": 1.0, "y": 0.0},
    "equations": {"rhs": {"x": "x*cos(t)", "y": "x^2"}},
    "sim": {"stop": "x >= 1.5"},
}
ESCAPE = {
    "model": {"type": "ode", "name": "escape"},
    "states": {"x": 1.0, "y": 0.0},
    "equations": {"rhs": {"x": "x^2", "y": "t"}},
}
COUNTED = {
    "model": {"type": "map", "name": "counted"},
    "states": {"x": 1.0, "y": 0.1},
    "equations": {"rhs": {"x": "0.9*x + n*y", "y": "cos(y)"}},
    "events": {"back": {"cond": "x > 3", "action": "x = 0"}},
}
CASES = [
    (ESCAPE, "rk4", False), (ESCAPE, "rk4", True), (ESCAPE, "tsit5", False), (ESCAPE, "ab3", True),
    (BALL, "rk4", True), (BALL, "rk45", True), (SWITCHED, "bs23", False), (STOPPED, "rk4", False),
    (STOPPED, "rk45", False), (COUNTED, None, False), (COUNTED, None, True),
]  # fmt: skip


def given_spans(model: dict, stepper: str | None, runs: int) -> tuple[np.ndarray, ...]:
    """Starts, lengths and times of starts: on the grid and off it, none, back where that can be."""
    rng = np.random.default_rng(7)
    n = len(model["states"])
    y = np.array(list(model["states"].values())) + 0.3 * rng.normal(size=(runs, n))
    if stepper is None:
        return y, rng.integers(0, 30, runs), rng.integers(0, 3, runs)
    T = rng.uniform(0.01, 1.5, runs)
    T[::5] = T[::5].round(1)
    T[3:5] = 0.003, 0.0
    if model in (ESCAPE, SWITCHED):
        T[1::3] *= -0.4
    t0 = rng.uniform(-1.0, 1.0, runs)
    t0[::4] = 0.0
    return y, T, t0


@pytest.mark.parametrize(("model", "stepper", "vectors"), CASES)
def test_each_run_is_as_if_alone(model: dict, stepper: str | None, vectors: bool) -> None:
    check_runs(setup(model, stepper=stepper), model, stepper, 50, vectors)


@pytest.mark.parametrize(("model", "stepper"), [(BALL, "rk4"), (ESCAPE, "tsit5"), (COUNTED, None)])
def test_in_plain_python_too(model: dict, stepper: str | None) -> None:
    check_runs(setup(model, stepper=stepper, jit=False), model, stepper, 9, True)


def check_runs(sim: dynlib.Sim, model: dict, stepper: str | None, runs: int, vectors: bool) -> None:
    y, T, t0 = given_spans(model, stepper, runs)
    tangents = np.eye(y.shape[1]) if vectors else None
    dt = {"dt": 0.02} if stepper in ("rk4", "ab3") else {}
    for limit in (None, 30):
        how = {"on_failure": "return", "max_steps": limit, **dt}
        found = sim.flow(y, T, tangents, t0=t0, **how)
        for i in range(0, runs, 1 if runs < 10 else 3):
            one = sim.flow(y[i], T[i], tangents, t0=t0[i], **how)
            assert (found.status[i], found.t[i], found.steps[i]) == (one.status, one.t, one.steps)
            assert_array_equal(found.y[i], one.y)
            if vectors:
                assert_array_equal(found.tangents[i], one.tangents)


@pytest.mark.parametrize("stepper", ["rk4", "tsit5"])
def test_they_go_side_by_side(stepper: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight runs or more take no run of their own, whatever their times are."""
    sim = setup(ESCAPE, stepper=stepper)
    y = np.full((9, 2), 0.1)

    def alone(*_: object) -> None:
        raise AssertionError("a run of its own")

    monkeypatch.setattr(flow_runs, "run_with_wrapper", alone)
    ends = sim.flow(y, np.linspace(0.1, 1.0, 9), t0=np.linspace(0.0, 5.0, 9))
    assert ends.shape == (9, 2)


@given(
    st.floats(-1e3, 1e3), st.floats(1e-3, 10.0), st.integers(1, 10**6), st.floats(-0.6, 0.6),
    st.booleans(),
)  # fmt: skip
@example(0.0, 0.1, 3, 0.0, False)
@example(0.0, 0.1, 10, 5e-4, False)
@example(0.0, 0.1, 1, -0.5, True)
def test_ends_of_many_grids(t0: float, dt: float, steps: int, rest: float, back: bool) -> None:
    """As of each: on the grid, off it, and with a rest that is added to the step before."""
    dt = -dt if back else dt
    end = t0 + (steps + rest) * dt
    if end == t0:
        return
    found = fixed_horizons(np.array([t0, 0.0]), dt, np.array([end, dt]))
    one = fixed_horizon(t0, 0, dt, t0, end)
    assert tuple(each[0] for each in found) == (one.step, one.t, one.dt_last)


def test_a_length_that_is_lost_is_refused() -> None:
    sim = setup(ESCAPE, stepper="rk45")
    with pytest.raises(OptionError, match=r"T = 1.0 is lost beside t0 = 1e\+18"):
        sim.flow([0.1, 0.0], 1.0, t0=1e18)
    with pytest.raises(OptionError, match="T = 1e-20 is lost"):
        sim.flow([0.1, 0.0], [0.0, 1e-20], t0=1.0)
    assert sim.flow([0.1, 0.0], [0.0, 1e-20]).shape == (2, 2)


def test_how_to_go_backwards_is_told() -> None:
    with pytest.raises(OptionError, match=r"dt must be above 0, found -0\.1\. .* T below 0"):
        setup(ESCAPE, stepper="rk4").flow([0.1, 0.0], -1.0, dt=-0.1)
