"""Stop conditions are located like events; and events that would never stop end the run."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from trajectories import ADAPTIVE

import dynlib
from dynlib import Results, Sim, setup
from dynlib.abi.status import Status
from dynlib.errors import ModelLoadError
from dynlib.observers import features, lyapunov_max

STEPPERS = ("rk4", "ab2", "tsit5", "dop853")
steppers = pytest.mark.parametrize("stepper", STEPPERS)


def model(
    states: dict[str, tuple[float, str]], stop: Any = None, params: Any = None, **events: Any
) -> dict[str, Any]:
    """A flow of states ``name -> (initial value, derivative)``."""
    document: dict[str, Any] = {
        "model": {"type": "ode", "name": "stopping"},
        "states": {name: value for name, (value, _) in states.items()},
        "equations": {"rhs": {name: rate for name, (_, rate) in states.items()}},
        "events": events,
    }
    if params:
        document["params"] = params
    return document | ({"sim": {"stop": stop}} if stop else {})


BODY = model({"h": (100.0, "v"), "v": (0.0, "-9.81")}, stop="h < 0")
RAMP = {"x": (0.0, "1"), "n": (0.0, "0")}


@cache
def falling(stepper: str, jit: bool) -> Sim:
    return Sim(dynlib.build(BODY, stepper=stepper, jit=jit))


def options(stepper: str, dt: float = 0.1) -> dict[str, Any]:
    return {} if stepper in ADAPTIVE else {"dt": dt}


def run(document: dict[str, Any], stepper: str, T: float, **more: Any) -> Results:
    sim = setup(document, stepper=stepper, jit=False)
    return sim.run(T=T, **options(stepper), **more, on_failure="return")


# --- where a run stops ----------------------------------------------------------------------------


@pytest.mark.parametrize("jit", [False, pytest.param(True, marks=pytest.mark.slow)])
@steppers
def test_a_falling_body_stops_at_the_ground(stepper: str, jit: bool) -> None:
    """Every method follows the parabola exactly; the stop is on the side where it holds."""
    sim, given = falling(stepper, jit), options(stepper)
    res = sim.run(T=20.0, **given)
    assert res.status is Status.EARLY_EXIT
    # 1e-12: rounding of h, of size 100, over the speed of 44
    assert res.t_final == pytest.approx(np.sqrt(200 / 9.81), abs=1e-12)
    assert -1e-11 < res.final["h"] < 0
    assert (res.t[-1], res["h"][-1]) == (res.t_final, res.final["h"])  # the last row is the end
    if stepper not in ADAPTIVE:
        np.testing.assert_allclose(res.t[:-1], 0.1 * np.arange(46), rtol=1e-15)
    fast = sim.fastpath(T=20.0, **given)
    batch = sim.batch(ic={"h": np.array([50.0, 100.0, 20.0])}, T=20.0, lanes=2, **given)
    for other in (fast, batch[1]):
        assert (other.status, other.t_final) == (res.status, res.t_final)
        assert other.t[-1] == res.t_final
        assert other["h"][-1] == res["h"][-1] == other.final["h"]
    np.testing.assert_allclose(batch.t_final, np.sqrt(2 * batch.ic["h"] / 9.81), rtol=0, atol=1e-12)
    if stepper not in ADAPTIVE:  # times are shared by all runs, and are those of the grid
        np.testing.assert_allclose(batch.t, 0.1 * np.arange(201), rtol=1e-15)


def test_location_can_be_switched_off() -> None:
    res = run(BODY | {"sim": {"stop": {"cond": "h < 0", "locate": False}}}, "rk4", 20.0)
    assert res.status is Status.EARLY_EXIT
    assert res.t_final == pytest.approx(4.6)
    text = 'type = "ode"', 'phase = "start"\nlocate = true'
    with pytest.raises(ModelLoadError, match="the stop condition cannot be located"):
        setup(f'[model]\n{text[0]}\n[states]\nx=1\n[equations.rhs]\nx="1"\n[sim.stop]\n'
              f'cond="x > 2"\n{text[1]}')  # fmt: skip
    again = dynlib.load_model(dynlib.load_model(BODY).to_toml())
    assert again.stop == dynlib.load_model(BODY).stop
    assert again.stop is not None
    assert again.stop.locate


@pytest.mark.parametrize("stepper", ["tsit5", "dop853"])
def test_a_stop_that_holds_within_one_step_only(stepper: str) -> None:
    document = model(RAMP, stop="abs(x - 7.3) < 0.1")
    sim = setup(document, stepper=stepper, jit=False)
    res = sim.run(T=20.0, dt_max=1.0)
    assert res.t_final == pytest.approx(7.2, abs=1e-13)
    batch = sim.batch(ic={"x": np.array([0.0, 0.0])}, T=20.0, dt_max=1.0, lanes=1)
    assert batch.t_final.tolist() == [res.t_final] * 2


@pytest.mark.parametrize("stepper", ["rk4", "rk45"])
@pytest.mark.parametrize(
    ("stop", "end"),
    [
        ("cross_up(x, 0.55)", 0.55),
        ("leaves_interval(x, -1, 0.33)", 0.33),
        ("x > 0.25 and x > t/2 + 0.2", 0.4),
        ("x >= 0 and t > 0.75", 0.75),
        ("floor(4*x) == 3", 0.75),
        ("x >= 0.5", 0.5),
    ],
)
def test_any_condition(stepper: str, stop: str, end: float) -> None:
    res = run(model(RAMP, stop=stop), stepper, 1.0)
    assert res.status is Status.EARLY_EXIT
    assert res.t_final == pytest.approx(end, abs=2e-15)


@steppers
def test_backwards_in_time(stepper: str) -> None:
    res = run(model({"x": (0.0, "1")}, stop="x < -0.55"), stepper, -3.0)
    assert res.status is Status.EARLY_EXIT
    assert res.t_final == pytest.approx(-0.55, abs=1e-14)
    assert res.t[-1] == res.t_final
    assert res.final["x"] < -0.55


def test_a_stop_at_the_start_is_none_until_the_end_of_a_step() -> None:
    """It is looked at where steps end; nothing has changed within the first one."""
    assert run(model(RAMP, stop="x >= 0"), "rk4", 1.0).t.tolist() == [0.0, 0.1]
    assert run(model(RAMP, stop="x < 0.05"), "rk4", 1.0).status is Status.DONE
    at_once = run(model(RAMP, stop={"cond": "x >= 0", "phase": "start"}), "rk4", 1.0)
    assert at_once.t.tolist() == [0.0]


# --- events and the stop --------------------------------------------------------------------------


@steppers
def test_events_and_the_stop_are_taken_in_the_order_of_time(stepper: str) -> None:
    early = {"cond": "x >= 0.52", "direction": "rising", "action": "n += 1"}
    late = {"cond": "x >= 0.58", "direction": "rising", "action": "n += 10"}
    res = run(model(RAMP, stop="x > 0.55", early=early, late=late), stepper, 1.0)
    assert res.final["n"] == 1
    assert res.t_final == pytest.approx(0.55, abs=2e-14)


@steppers
def test_at_one_instant_the_stop_is_judged_last(stepper: str) -> None:
    """An event that takes its reason away keeps the run going; one that gives it ends it."""
    back = {"cond": "x > 0.55", "direction": "rising", "action": "x = 0; n += 1"}
    res = run(model(RAMP, stop="x > 0.55", back=back), stepper, 2.0)
    assert (res.status, res.final["n"]) == (Status.DONE, 3)
    res = run(model(RAMP, stop="n >= 2", back=back), stepper, 2.0)
    assert (res.status, res.final["n"], res.final["x"]) == (Status.EARLY_EXIT, 2, 0)
    assert res.t_final == pytest.approx(1.1, abs=4e-14)


@pytest.mark.parametrize("stepper", ["rk4", "tsit5"])
def test_observers_see_the_run_up_to_the_stop(stepper: str) -> None:
    sim = setup(model({"x": (1.0, "2*x")}, stop="x > 3"), stepper=stepper, jit=False)
    given = options(stepper, 0.01) or {"rtol": 1e-9, "atol": 1e-12}
    watched = [features("max", "mean", of="x"), lyapunov_max()]
    res = sim.run(T=5.0, observers=watched, **given)
    end = np.log(3) / 2
    assert res.t_final == pytest.approx(end, abs=1e-8)
    seen = res.observers["features"]
    assert float(seen["max"]["x"]) == res.final["x"]
    assert float(seen["mean"]["x"]) == pytest.approx(2 / (2 * end), rel=1e-6)
    batch = sim.batch(ic={"x": np.array([1.0, 2.0])}, T=5.0, observers=watched, **given)
    assert batch[0].observers["features"]["max"]["x"] == seen["max"]["x"]
    exponents = [r.observers["lyapunov_max"].exponent for r in (res, batch[0])]
    np.testing.assert_array_equal(*exponents)


@pytest.mark.parametrize("stepper", ["rk4", "tsit5"])
def test_a_run_that_stopped_goes_on_from_there(stepper: str) -> None:
    """It stops again where the condition becomes true, or where a step ends while it holds."""
    sim = setup(model(RAMP, stop="sin(x) > 0.5"), stepper=stepper, jit=False)
    given = options(stepper) or {"dt_max": 0.5}
    first = sim.run(T=9.0, **given)
    assert first.t_final == pytest.approx(np.pi / 6, abs=1e-14)
    second = sim.run(T=9.0, resume=True, **given)
    assert second.status is Status.EARLY_EXIT
    assert second.t_final == second.t[-1] > first.t_final
    while second.t_final < 4:
        second = sim.run(T=9.0, resume=True, **given)
    assert second.t_final == pytest.approx(13 * np.pi / 6, abs=1e-13)


# --- events without end ---------------------------------------------------------------------------


def relay(at: float, down: float, up: float) -> dict[str, Any]:
    """The flow is turned back to the threshold from both sides."""
    return model(
        {"V": (at - 1e-3, "u")},
        params={"u": up},
        above={"cond": f"V > {at}", "direction": "rising", "action": f"u = {down}"},
        below={"cond": f"V < {at}", "direction": "rising", "action": f"u = {up}"},
    )


@steppers
@pytest.mark.parametrize(
    ("at", "down", "up"), [(-59.5, -0.01, 0.03), (1e6, -1e-3, 3e-3), (3.0, -1.0, 2.0), (0.0, -1, 1)]
)
def test_sliding_ends_the_run(stepper: str, at: float, down: float, up: float) -> None:
    sim = setup(relay(at, down, up), stepper=stepper, jit=False)
    res = sim.run(T=200.0, max_steps=2000, on_failure="return", **options(stepper))
    assert res.status is Status.ZENO
    assert "('above', 'below')" in res.message
    assert len(res.events.merged) < 50
    assert res.t_final == pytest.approx(1e-3 / up, rel=1e-4)
    if at == 3.0:
        given = {"T": 200.0, "max_steps": 2000, **options(stepper)}
        batch = sim.batch(params={"u": np.array([up, up])}, lanes=1, on_failure="return", **given)
        assert batch.t_final.tolist() == [res.t_final] * 2
        assert (batch.status == Status.ZENO).all()


def test_sliding_of_what_moves_fast_otherwise() -> None:
    """Only the difference of two states slides, which no resolution of either tells."""
    document = model(
        {"V": (1.0, "1000 + u"), "w": (1.5, "1000")},
        params={"u": 1.0},
        above={"cond": "V > w", "direction": "rising", "action": "u = -0.01"},
        below={"cond": "V < w", "direction": "rising", "action": "u = 0.03"},
    )
    res = run(document, "rk4", 2.0)
    assert res.status is Status.ZENO
    assert len(res.events.merged) < 200


PULSES = model(
    {"x": (0.0, "1"), "next": (0.001, "0"), "n": (0.0, "0")},
    pulse={"cond": "t >= next", "direction": "rising", "action": "next += 0.001; n += 1"},
)


@pytest.mark.parametrize("stepper", ["rk4", "tsit5"])
def test_hundreds_of_events_in_one_step_are_all_taken(stepper: str) -> None:
    sim = setup(PULSES, stepper=stepper, jit=False)
    res = sim.run(T=0.2005, **options(stepper, 0.2005))
    assert (res.status, res.final["n"]) == (Status.DONE, 200)


def test_max_steps_counts_the_pieces_of_steps() -> None:
    """200 pulses cut the three steps of this run into 203 pieces."""
    sim = setup(PULSES, stepper="rk4", jit=False)
    given = {"T": 0.2005, "dt": 0.1, "on_failure": "return"}
    res = sim.run(**given, max_steps=60)
    assert (res.status, res.final["n"]) == (Status.MAX_STEPS, 60)
    assert sim.run(**given, resume=True, max_steps=143).final["n"] == 200
    for limit, status in ((60, Status.MAX_STEPS), (202, Status.MAX_STEPS), (203, Status.DONE)):
        res = sim.run(**given, max_steps=limit)
        batch = sim.batch(ic={"x": np.zeros(2)}, lanes=1, **given, max_steps=limit)
        assert res.status is status
        assert batch.status.tolist() == [status] * 2
        assert batch.t_final.tolist() == [res.t_final] * 2
        assert batch.final["n"].tolist() == [res.final["n"]] * 2
