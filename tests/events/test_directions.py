"""Edges and directions: which change of a condition that looks back an event waits for.

Conditions of two kinds look back to the step before. ``increasing(x)`` is about a whole step, and
its truth goes from step to step like that of any condition. ``cross_up(x, c)`` holds where
something is crossed, and not at the start of the next step.
"""

from __future__ import annotations

import numpy as np
import pytest
from events.models import RAMP, event, flow, iteration
from trajectories import ADAPTIVE, Ran, compiled, go

from dynlib import ModelLoadError, load_model
from dynlib.abi.status import Status

# Two hills, 0 at the start and at t = 1/2 and 1: exact for methods of order 3 and more.
HILLS = {"x": (0, "1 - 6*t + 6*t**2")}  # x = t (1 - t) (1 - 2 t)
ULPS = {"rtol": 0, "atol": 1e-12}  # roots of cubics of size 0.1 are worse by a factor of a hundred
steppers = pytest.mark.parametrize("stepper", ["rk4", "ab3", "rk45"])
phases = pytest.mark.parametrize("phase", ["start", "end", "both"])


def run(text: str, stepper: str = "rk4", T: float = 1.0) -> Ran:
    if stepper in ADAPTIVE:
        return go(compiled(text, stepper), T, options={"dt_max": 0.03})
    return go(compiled(text, stepper), T, dt=0.03)


# --- what a whole step was like -------------------------------------------------------------------

WHOLE = {
    "increasing(x)": lambda x: np.diff(x) > 0,
    "decreasing(x)": lambda x: np.diff(x) < 0,
    "changed(floor(20*x))": lambda x: np.diff(np.floor(20 * x)) != 0,
    "increasing(x) and x > 0": lambda x: (np.diff(x) > 0) & (x[1:] > 0),
}


@steppers
@phases
@pytest.mark.parametrize("cond", WHOLE)
@pytest.mark.parametrize("direction", ["rising", "falling", "either"])
def test_whole_steps(stepper: str, phase: str, cond: str, direction: str) -> None:
    """Extrema, for one: a minimum is where ``increasing(x)`` becomes true."""
    ran = run(flow(HILLS, event("e", cond, phase=phase, direction=direction)), stepper)
    holds = WHOLE[cond](ran.y[:, 0])
    before = np.concatenate([[False], holds[:-1]])  # no step before the first was of any kind
    change = {"rising": holds & ~before, "falling": before & ~holds, "either": holds != before}
    want = ran.t[1:][change[direction]]
    if phase == "start":  # no step starts at the end of the run
        want = want[want < ran.t[-1]]
    assert want.size
    np.testing.assert_array_equal(ran.raw.evt_t, want)


def test_whole_steps_of_a_map() -> None:
    for phase in ("start", "end", "both"):
        text = iteration(
            {"x": (0, "abs(n - 3)")},  # 3 2 1 0 1 2 ... from the first iteration on
            event("low", "increasing(x)", phase=phase, direction="rising", log="x; lag_x()")
            + event("high", "decreasing(x)", phase=phase, direction="rising"),
        )
        ran = go(compiled(text), N=9)
        assert ran.y[:, 0].tolist() == [0, 3, 2, 1, 0, 1, 2, 3, 4, 5]
        assert ran.times("low").tolist() == [1, 5]
        assert ran.times("high").tolist() == [2]
        assert ran.logs("low")[1].tolist() == [1, 0]


@steppers
def test_an_action_that_leaves_x_alone_changes_nothing_about_x(stepper: str) -> None:
    text = flow(
        HILLS | {"n": (0, "0")},
        event("low", "increasing(x)", action="n += 1", direction="rising"),
    )
    plain = run(flow(HILLS, event("low", "increasing(x)", direction="rising")), stepper)
    assert len(plain.fired) == 2
    ran = run(text, stepper)
    assert ran.final[1] == 2
    if stepper not in ADAPTIVE:
        np.testing.assert_array_equal(ran.raw.evt_t, plain.raw.evt_t)


# --- crossings ------------------------------------------------------------------------------------

ROOT = 0.5 - 1 / np.sqrt(12)  # of the derivative: the top of the first hill


def _crossings(level: float) -> list[float]:
    return sorted(float(r.real) for r in np.roots([2, -3, 1, -level]) if 0 < r.real < 1)


@steppers
@pytest.mark.parametrize(
    ("phase", "locate"),
    [("start", False), ("end", False), ("both", False), ("end", True), ("both", True)],
)
@pytest.mark.parametrize("direction", [None, "rising", "either"])
@pytest.mark.parametrize(
    ("cond", "ways"),
    [
        ("cross_up(x, 0.05)", [0]),
        ("cross_down(x, 0.05)", [1]),
        ("cross_either(x, 0.05)", [0, 1]),
        ("leaves_interval(x, -1, 0.05)", [0]),
    ],
)
def test_a_crossing_is_taken_once(
    stepper: str, phase: str, locate: bool, direction: str | None, cond: str, ways: list[int]
) -> None:
    keys = {} if direction is None else {"direction": direction}
    ran = run(flow(HILLS, event("e", cond, phase=phase, locate=locate, **keys)), stepper)
    want = [_crossings(0.05)[way] for way in ways]
    if not locate:
        want = [ran.t[np.searchsorted(ran.t, each)] for each in want]
    np.testing.assert_allclose(ran.raw.evt_t, want, **ULPS)


@phases
@pytest.mark.parametrize("stepper", ["rk4", "ab3"])
def test_two_crossings_in_neighbouring_steps(stepper: str, phase: str) -> None:
    """Up in one step, down in the next: the edge holds twice in a row, and each is an edge."""
    level = ROOT * (1 - ROOT) * (1 - 2 * ROOT) - 5e-6
    cond = f"cross_either(x, {level})"
    ran = run(flow(HILLS, event("e", cond, phase=phase, locate=False, direction="rising")), stepper)
    up, down = _crossings(level)
    np.testing.assert_allclose([up, down], [0.2096, 0.2130], atol=1e-3)  # in different steps
    np.testing.assert_allclose(ran.raw.evt_t, [0.21, 0.24], **ULPS)


@steppers
@pytest.mark.parametrize("locate", [True, False])
def test_a_condition_with_an_edge_in_it_has_a_past_of_its_own(stepper: str, locate: bool) -> None:
    """It holds from the crossing on, because of its other half; so it becomes true once."""
    cond = "x > 0.505 or cross_up(x, 0.255)"
    text = flow(RAMP, event("e", cond, locate=locate, direction="rising"))
    ran = run(text, stepper)
    want = [0.255, 0.505]
    if not locate:
        want = [ran.t[np.searchsorted(ran.t, each)] for each in want]
    np.testing.assert_allclose(ran.raw.evt_t, want, **ULPS)


@pytest.mark.parametrize("call", ["cross_up(x, 1)", "enters_interval(x, 1, 2)"])
def test_waiting_for_the_end_of_an_instant_is_refused(call: str) -> None:
    text = flow(RAMP, event("e", call, direction="falling"))
    with pytest.raises(
        ModelLoadError, match=r"\(\) holds for an instant only: it never becomes fa"
    ):
        load_model(text)
    load_model(flow(RAMP, event("e", "in_interval(x, 1, 2)", direction="falling")))


# --- stop -----------------------------------------------------------------------------------------


@steppers
@phases
@pytest.mark.parametrize("cond", ["cross_down(x, 0.05)", "decreasing(x)"])
def test_stop_conditions_look_back_in_every_phase(stepper: str, phase: str, cond: str) -> None:
    stop = f'[sim.stop]\ncond = "{cond}"\nphase = "{phase}"\n'
    ran = run(flow(HILLS, stop), stepper)
    x = ran.y[:, 0]
    assert ran.status is Status.EARLY_EXIT
    held = (x[:-1] >= 0.05) & (x[1:] < 0.05) if cond.startswith("cross") else np.diff(x) < 0
    assert held.tolist() == [False] * (len(held) - 1) + [True]


@steppers
@pytest.mark.parametrize(
    "cond", ["cross_either(x, 1)", "cross_up(x, 1)", "enters_interval(x, 1, 9)"]
)
def test_a_crossing_that_another_event_undoes_is_one(stepper: str, cond: str) -> None:
    """What holds for an instant never becomes false, so "either" is the crossing alone."""
    back = event("back", "y >= 1", direction="rising", action="x = x - 0.5; y = 0")
    text = flow(RAMP | {"y": (0, "1")}, event("e", cond, direction="either") + back)
    ran = run(text, stepper, T=1.8)
    times = ran.raw.evt_t[ran.raw.evt_id == 0]
    np.testing.assert_allclose(times, [1.0, 1.5], rtol=1e-14)  # of a ramp


WITH_MORE = [
    "cross_up(x, 0.05) and t > 0",
    "t > 0 and (cross_up(x, 0.05) or enters_interval(x, 0.05, 9)) and x > 0",
]


@steppers
@pytest.mark.parametrize("locate", [True, False])
@pytest.mark.parametrize("undone", [True, False])
@pytest.mark.parametrize("cond", WITH_MORE)
def test_a_crossing_with_more_is_taken_once(
    stepper: str, locate: bool, undone: bool, cond: str
) -> None:
    """Also where a later event of the same instant undoes the crossing."""
    undo = event("undo", "n > 0 and x > 0", direction="rising", action="x -= 9", locate=locate)
    text = flow(
        HILLS | {"n": (0, "0")},
        event("e", cond, direction="either", action="n += 1", locate=locate)
        + (undo if undone else ""),
    )
    ran = run(text, stepper)
    assert ran.times("e").size == 1
    assert ran.y[-1, 1] == 1


@pytest.mark.parametrize("cond", ["cross_up(x, 2)", "cross_up(x, 2) and x > 0"])
def test_a_crossing_of_a_map_is_taken_once(cond: str) -> None:
    ran = go(compiled(iteration({"x": (0, "x + 1")}, event("e", cond, direction="either"))), N=9)
    assert ran.times("e").tolist() == [3]


def test_a_crossing_or_another_condition_may_become_false() -> None:
    cond = "cross_up(x, 2) or x > 5 and x < 7"
    ran = go(compiled(iteration({"x": (0, "x + 1")}, event("e", cond, direction="either"))), N=9)
    assert ran.times("e").tolist() == [3, 6, 7]


def test_waiting_for_the_end_of_a_crossing_with_more_is_refused() -> None:
    text = flow(RAMP, event("e", "cross_up(x, 1) and t > 0", direction="falling"))
    with pytest.raises(ModelLoadError, match=r"cross_up\(\) holds for an instant only"):
        load_model(text)
