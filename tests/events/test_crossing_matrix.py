"""Every kind of crossing, with every kind of action, by every method, on every path.

What is crossed is a function of a ramp, x = t, which every method integrates without error, so
that all times are known; or a ramp that the event's own action puts back, a sawtooth.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from events.models import event, flow
from trajectories import ADAPTIVE, compiled, go

import dynlib
from dynlib import Results, Sim

slow = pytest.mark.slow
STEPPERS = (
    *("rk4", "ab2", "tsit5"),
    *(pytest.param(name, marks=slow) for name in ("heun", "rk45", "dop853", "bs23")),
)
PATHS = ("run", pytest.param("fastpath", marks=slow), "batch")
ENDS = {"watching": 8.0, "sawteeth": 4.0}

# --- the state that is crossed stays what it is ---------------------------------------------------

UP = np.pi * np.array([1 / 6, 13 / 6])  # sin = 1/2, rising: in an interval [1/2, 2] from there
DOWN = np.pi * np.array([5 / 6])
BOTH = np.pi * np.array([1 / 6, 5 / 6, 13 / 6])
DIP = np.arccos(0.997)  # half of the time for which the cosine is below -0.997, once in a turn
CONDITIONS: dict[str, tuple[str, str | None, Any]] = {
    "up": ("cross_up(sin(x), 0.5)", None, UP),
    "up_either": ("cross_up(sin(x), 0.5)", "either", UP),
    "down": ("cross_down(sin(x), 0.5)", None, DOWN),
    "both": ("cross_either(sin(x), 0.5)", None, BOTH),
    "enters": ("enters_interval(sin(x), 0.5, 2)", None, UP),
    "leaves": ("leaves_interval(sin(x), 0.5, 2)", "rising", DOWN),
    "in": ("in_interval(sin(x), 0.5, 2)", "either", BOTH),
    "above": ("sin(x) > 0.5", "rising", UP),
    "below": ("sin(x) > 0.5", "falling", DOWN),
    "clock": ("cross_up(t, 7.7)", None, [7.7]),
    # Within one long step, which begins and ends on the same side:
    "dip_up": ("cross_up(cos(x), -0.997)", None, [np.pi + DIP]),
    "dip_leaves": ("leaves_interval(cos(x), -2, -0.997)", None, [np.pi + DIP]),
    "dip_down": ("cross_down(cos(x), -0.997)", "rising", [np.pi - DIP]),
}
ACTIONS = {"log": "", "state": "n_{} += 1", "param": "k_{} += 1"}
KINDS = [
    *((name, "state") for name in CONDITIONS),
    *((name, kind) for name in ("up", "both", "leaves", "dip_up") for kind in ("log", "param")),
]


def _event(cond: str, direction: str | None, action: str) -> dict[str, Any]:
    event: dict[str, Any] = {"cond": cond, "action": action, "log": ["x"]}
    return event | ({"direction": direction} if direction else {})


WATCHING: dict[str, Any] = {
    "model": {"type": "ode", "name": "watching"},
    "states": {"x": 0.0, **{f"n_{name}": 0.0 for name in CONDITIONS}},
    "params": {f"k_{name}": 0.0 for name in CONDITIONS},
    "equations": {"rhs": {"x": "1", **{f"n_{name}": "0" for name in CONDITIONS}}},
    "events": {
        f"{name}_{kind}": _event(cond, direction, ACTIONS[kind].format(name))
        for name, kind in KINDS
        for cond, direction, _ in [CONDITIONS[name]]
    },
}

# --- the action puts it back ----------------------------------------------------------------------

# condition, direction, derivative; the state starts at 0 and is put back there
TEETH: dict[str, tuple[str, str | None, float]] = {
    "up": ("cross_up(s_up, {c})", None, 1.0),
    "down": ("cross_down(s_down, -{c})", "rising", -1.0),
    "either": ("cross_either(s_either, {c})", "either", 1.0),
    "enters": ("enters_interval(s_enters, {c}, 9)", None, 1.0),
    "leaves": ("leaves_interval(s_leaves, -1, {c})", None, 1.0),
    "above": ("s_above > {c}", None, 1.0),
}
PERIODS = {name: 1.3 + 0.11 * i for i, name in enumerate(TEETH)}
SAWTEETH: dict[str, Any] = {
    "model": {"type": "ode", "name": "sawteeth"},
    "states": {f"s_{name}": 0.0 for name in TEETH},
    "params": {"zero": 0.0},
    "equations": {"rhs": {f"s_{name}": f"{rate} + zero" for name, (_, _, rate) in TEETH.items()}},
    "events": {
        name: {
            "cond": cond.format(c=PERIODS[name]),
            "action": f"s_{name} = 0",
            **({"direction": direction} if direction else {}),
        }
        for name, (cond, direction, _) in TEETH.items()
    },
}


@cache
def _sim(name: str, stepper: str, jit: bool) -> Sim:
    model = {"watching": WATCHING, "sawteeth": SAWTEETH}[name]
    return Sim(dynlib.build(model, stepper=stepper, jit=jit))


def _went(name: str, stepper: str, path: str, *, jit: bool = False) -> Results:
    sim = _sim(name, stepper, jit)
    options = {"T": ENDS[name], **({"dt_max": 0.7} if stepper in ADAPTIVE else {"dt": 0.4})}
    if path == "run":
        return sim.run(**options)
    if path == "fastpath":
        return sim.fastpath(**options)
    spread = "k_up" if name == "watching" else "zero"
    batch = sim.batch(params={spread: np.zeros(2)}, lanes=1, workers=1, **options)
    return batch[1]  # which takes up the lane that another run has left


def _check_watching(res: Results, *, adaptive: bool) -> None:
    for name, kind in KINDS:
        want = CONDITIONS[name][2]
        if name.startswith("dip") and not adaptive:
            continue  # a fixed grid is looked at from point to point
        hits = res.events[f"{name}_{kind}"]
        # x is off by some 1e-14 after all steps, the cosine has a slope of 0.08 in the dip
        np.testing.assert_allclose(hits.t, want, rtol=0, atol=2e-13, err_msg=f"{name} {kind}")
        counted = {"state": res.final[f"n_{name}"], "param": res.final_params[f"k_{name}"]}
        assert counted.get(kind, len(want)) == len(want)


def _check_sawteeth(res: Results, *, adaptive: bool) -> None:
    for name, period in PERIODS.items():
        want = period * np.arange(1, int(ENDS["sawteeth"] / period) + 1)
        np.testing.assert_allclose(res.events[name].t, want, rtol=0, atol=1e-13, err_msg=name)


CHECKS = {"watching": _check_watching, "sawteeth": _check_sawteeth}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("stepper", STEPPERS)
@pytest.mark.parametrize("name", CHECKS)
def test_each_crossing_is_taken_once_when_it_happens(name: str, stepper: str, path: str) -> None:
    CHECKS[name](_went(name, stepper, path), adaptive=stepper in ADAPTIVE)


@slow
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("stepper", ["ab2", "tsit5"])
def test_each_crossing_is_taken_once_when_compiled(stepper: str, path: str) -> None:
    _check_sawteeth(_went("sawteeth", stepper, path, jit=True), adaptive=stepper in ADAPTIVE)


# --- special places -------------------------------------------------------------------------------


@pytest.mark.parametrize("stepper", ["rk4", "ab2", "tsit5"])
@pytest.mark.parametrize("first", ["crossed", "jump"])
def test_an_action_makes_another_event_cross_whichever_is_declared_first(
    stepper: str, first: str
) -> None:
    crossed = event("crossed", "cross_up(x, 1)", action="n += 1")
    jump = event("jump", "t >= 0.55", action="x = 2", direction="rising")
    both = crossed + jump if first == "crossed" else jump + crossed
    dt = None if stepper in ADAPTIVE else 0.1
    ran = go(compiled(flow({"x": (0, "1"), "n": (0, "0")}, both), stepper), 0.9, dt=dt)
    assert sorted(ran.fired) == ["crossed", "jump"]
    np.testing.assert_allclose(ran.raw.evt_t, [0.55] * 2, rtol=0, atol=2e-15)
    assert ran.final[1] == 1


@pytest.mark.parametrize("stepper", ["rk4", "ab2", "tsit5"])
@pytest.mark.parametrize(("rate", "want"), [(1, ["up", "either"]), (-1, ["down", "either"])])
def test_a_start_on_the_threshold_is_no_crossing_until_it_is_left(
    stepper: str, rate: int, want: list[str]
) -> None:
    macros = {"up": "cross_up", "down": "cross_down", "either": "cross_either"}
    text = "".join(event(name, f"{call}(x, 1)") for name, call in macros.items())
    dt = None if stepper in ADAPTIVE else 0.1
    ran = go(compiled(flow({"x": (1, str(rate))}, text), stepper), 1.0, dt=dt)
    assert ran.fired == want
    assert ran.raw.evt_t.max() < 1e-14


@pytest.mark.parametrize("stepper", ["rk4", "ab2", "tsit5", "dop853"])
def test_a_mirrored_run_backwards_has_the_same_hits(stepper: str) -> None:
    """Of x = t and of x = -t: every event acts, and the sawtooth turns on the way."""

    def hits(rate: int, T: float) -> tuple[list[str], np.ndarray]:
        text = flow(
            {"x": (0, str(rate)), "s": (0, str(rate)), "n": (0, "0")},
            event("sine", "cross_up(sin(x), 0.5)", action="n += 1")
            + event("wave", "cross_either(cos(x), 0.3)", action="n += 1")
            + event("tooth", "cross_up(s, 0.7)", action="s = 0")
            + event("above", "sin(x) > 0.6", direction="either"),
        )
        adaptive = stepper in ADAPTIVE
        given = {"options": {"dt_max": 0.5}} if adaptive else {"dt": 0.25 if T > 0 else -0.25}
        ran = go(compiled(text, stepper), T, **given)
        return ran.fired, ran.raw.evt_t

    names, times = hits(1, 8.0)
    mirrored, back = hits(-1, -8.0)
    assert mirrored == names
    np.testing.assert_allclose(back, -times, rtol=0, atol=1e-14)
    assert len(names) > 15
