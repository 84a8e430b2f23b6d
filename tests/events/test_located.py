"""Located events on a ramp, x = t, counted and timed by hand, with every stepper.

Every method integrates a ramp without error, so that all that is off is rounding: some units in
the last place of the time, and of the state that the condition looks at.
"""

from __future__ import annotations

import numpy as np
import pytest
from events.models import RAMP, event, flow
from trajectories import ADAPTIVE, FLOWS, Ran, compiled, go

# Times and states of size 1 (2e-16), after up to ten steps; the weights of Tsitouras' interpolant
# are up to 88 and cancel, which leaves 1e-14.
ULPS = {"rtol": 0, "atol": 2e-14}


def run(text: str, stepper: str, T: float = 1.0, dt: float = 0.1, **request: object) -> Ran:
    return go(compiled(text, stepper), T, dt=None if stepper in ADAPTIVE else dt, **request)


every = pytest.mark.parametrize("stepper", FLOWS)
steppers = pytest.mark.parametrize("stepper", ["rk4", "ab3", "rk45", "dop853"])


@every
@pytest.mark.parametrize("at", [0.05, 0.1, 0.3, 0.55, 0.7, 0.9999])
def test_once_at_the_right_time(stepper: str, at: float) -> None:
    ran = run(flow(RAMP, event("e", f"x >= {at}", log="x; t", direction="rising")), stepper)
    np.testing.assert_allclose(ran.raw.evt_t, [at], **ULPS)
    np.testing.assert_allclose(ran.raw.evt_log, [[at, ran.raw.evt_t[0]]], **ULPS)
    assert ran.raw.evt_log[0, 1] == ran.raw.evt_t[0]  # `t` in an event is the time of the event


@every
def test_the_grid_stays_what_it_was(stepper: str) -> None:
    text = flow(RAMP, event("e", "x >= 0.55", action="x = 0", direction="rising"))
    ran = run(text, stepper)
    if stepper in ADAPTIVE:
        assert np.isclose(ran.t, 0.55, **ULPS).sum() == 1  # the cut is a step of its own
    else:
        np.testing.assert_array_equal(ran.t, [*(k * 0.1 for k in range(10)), 1.0])
    # 0 at 0.55, so 0.45 in the end
    np.testing.assert_allclose(ran.final, [0.45], **ULPS)


@steppers
def test_a_condition_on_time_is_met_exactly(stepper: str) -> None:
    text = flow({"x": (0, "cos(t)")}, event("e", "t >= 1.05", direction="rising"))
    ran = run(text, stepper, T=2.0)
    assert ran.raw.evt_t.size == 1
    late = ran.raw.evt_t[0] - 1.05
    assert 0 <= late <= 2 * np.spacing(1.05)  # it holds there, and did not 2 numbers before


@every
def test_several_in_one_step_are_taken_in_the_order_of_time(stepper: str) -> None:
    text = flow(
        {"x": (0, "1"), "y": (0, "0")},
        event("c", "x >= 0.59", action="y = 2*y", log="y", direction="rising")
        + event("b", "x >= 0.57", action="y = y + 3", log="y", direction="rising")
        + event("a", "x >= 0.53", action="y = y + 1", log="y", direction="rising"),
    )
    ran = run(text, stepper)
    assert ran.fired == ["a", "b", "c"]
    np.testing.assert_allclose(ran.raw.evt_t, [0.53, 0.57, 0.59], **ULPS)
    np.testing.assert_array_equal(ran.raw.evt_log[:, 0], [0, 1, 4])  # before its own action
    assert ran.final[1] == 8
    if stepper not in ADAPTIVE:
        np.testing.assert_array_equal(ran.raw.evt_step, [6, 6, 6])


# The same instant in different words, that rounding puts up to a few units apart.
SAME = ["3*x >= 1.65", "x/3 >= 0.55/3", "t >= 0.55", "x*x >= 0.3025", "exp(x) >= exp(0.55)"]


@pytest.mark.parametrize("stepper", ["rk4", "ab2", "rk45"])
@pytest.mark.parametrize("other", SAME)
@pytest.mark.parametrize("first", [True, False])
def test_at_one_instant_in_declared_order(stepper: str, other: str, first: bool) -> None:
    """Each sees what the earlier did: the first one takes the reason of the second away."""
    one = event("one", "x >= 0.55", action="x = 0.2; y += 1", direction="rising")
    two = event("two", other, action="x = 0.2; y += 10", direction="rising")
    both = one + two if first else two + one
    ran = run(flow({"x": (0, "1"), "y": (0, "0")}, both), stepper, T=0.7)
    # A condition on the time is not undone by an action on x.
    lasting = [] if "t" not in other or not first else ["two"]
    assert ran.fired == [("one" if first else "two"), *lasting]


@pytest.mark.parametrize("stepper", ["rk4", "ab2", "rk45"])
def test_at_one_instant_the_log_tells_the_order(stepper: str) -> None:
    text = flow(
        {"x": (0, "1"), "y": (0, "0")},
        "".join(
            event(name, cond, action=f"y = 10*y + {i}", log="y", direction="rising")
            for i, (name, cond) in enumerate(zip("pqrst", SAME, strict=True), start=1)
        ),
    )
    ran = run(text, stepper)
    assert ran.fired == list("pqrst")
    np.testing.assert_array_equal(ran.raw.evt_log[:, 0], [0, 1, 12, 123, 1234])


@steppers
def test_an_action_triggers_another_event(stepper: str) -> None:
    """Whichever is declared first, it follows at the same instant."""
    a = event("a", "x >= 0.53", action="y = 2", log="y", direction="rising")
    b = event("b", "y >= 1", action="y = 0", log="y; x", direction="rising")
    for both in (a + b, b + a):
        ran = run(flow({"x": (0, "1"), "y": (0, "0")}, both), stepper)
        assert ran.fired == ["a", "b"]
        np.testing.assert_allclose(ran.raw.evt_t, [0.53, 0.53], **ULPS)
        np.testing.assert_array_equal(ran.logs("a")[:, 0], [0])
        np.testing.assert_allclose(ran.logs("b"), [[2, 0.53]], **ULPS)


@steppers
def test_an_action_prevents_another_event(stepper: str) -> None:
    a = event("a", "x >= 0.53", action="x = 0.1", direction="rising")
    b = event("b", "x >= 0.57", direction="rising")
    ran = run(flow(RAMP, b + a), stepper)
    assert ran.fired == ["a", "a"]
    np.testing.assert_allclose(ran.raw.evt_t, [0.53, 0.96], **ULPS)


@steppers
def test_a_chain_of_three_at_one_instant(stepper: str) -> None:
    chain = (
        event("c", "z > 0.5", action="z = 0", direction="rising")
        + event("b", "y > 0.5", action="z = 1; y = 0", direction="rising")
        + event("a", "x >= 0.25", action="y = 1", direction="rising")
    )
    ran = run(flow({"x": (0, "1"), "y": (0, "0"), "z": (0, "0")}, chain), stepper)
    assert ran.fired == ["a", "b", "c"]
    np.testing.assert_allclose(ran.raw.evt_t, [0.25] * 3, **ULPS)
    np.testing.assert_array_equal(ran.final[1:], [0, 0])


@steppers
def test_actions_are_lines_that_follow_one_another(stepper: str) -> None:
    text = flow(
        {"x": (0, "1"), "y": (5, "0")},
        event("swap", "x >= 0.5", action="y = x; x = 2*y; y += x", direction="rising"),
    )
    ran = run(text, stepper, T=0.6)
    # at x = 1/2: y = 1/2, then x = 1, then y = 3/2; then x goes on for 0.1
    np.testing.assert_allclose(ran.final, [1.1, 1.5], **ULPS)


@steppers
def test_events_change_parameters(stepper: str) -> None:
    """x climbs at rate 1 to 0.55, then falls at rate 2 back to 0."""
    text = flow(
        {"x": (0, "rate")},
        event("up", "x >= 0.55", action="rate = -2", log="rate", direction="rising")
        + event("down", "x <= 0", action="rate = 1", log="rate", direction="rising"),
        params="rate = 1",
    )
    ran = run(text, stepper, T=2.0)
    lap = 0.55 * 1.5
    # x starts at 0, where `down` holds: it has not become true
    assert ran.fired == ["up", "down", "up", "down"]
    np.testing.assert_allclose(ran.raw.evt_t, [0.55, lap, lap + 0.55, 2 * lap], **ULPS)
    np.testing.assert_array_equal(ran.raw.evt_log[:, 0], [1, -2, 1, -2])
    assert ran.final[0] == pytest.approx(2 - 2 * lap, abs=2e-14)
    assert ran.state.p[0, 0] == 1


@steppers
def test_the_start_is_no_crossing(stepper: str) -> None:
    held = event("held", "x < 5", direction="rising") + event("e", "x >= 0", direction="either")
    ran = run(flow(RAMP, held), stepper)
    assert ran.fired == []


@steppers
@pytest.mark.parametrize(
    ("direction", "want"),
    [("rising", [7, 19]), ("falling", [11, 23]), ("either", [7, 11, 19, 23])],
)
def test_directions(stepper: str, direction: str, want: list[int]) -> None:
    """sin(t) < -1/2 between 7/6 and 11/6 of pi, and one turn later; times in units of pi/6."""
    text = flow({"x": (0, "1")}, event("e", "sin(x) < -0.5", direction=direction))
    ran = run(
        text, stepper, T=13.0, dt=0.05, options={"dt_max": 0.3} if stepper in ADAPTIVE else {}
    )
    # 260 steps round x, of size 10 (1e-15), at random
    np.testing.assert_allclose(ran.raw.evt_t, np.array(want) * np.pi / 6, rtol=0, atol=5e-14)


@steppers
@pytest.mark.parametrize(
    ("cond", "want"),
    [
        ("x > 0.25 and x < 0.65", 0.25),
        ("not (x < 0.35)", 0.35),
        ("x > 0.75 or x > 0.45", 0.45),
        ("0.15 < x < 0.85", 0.15),
        ("x - t**2 > 0.16", 0.2),  # x - x**2 = 0.16 at 0.2 and 0.8
        ("(x > 0.3) == True", 0.3),  # no level function: bisection
        ("floor(4*x) == 3", 0.75),
        ("abs(x - 0.5) < 0.15", 0.35),
    ],
)
def test_kinds_of_conditions(stepper: str, cond: str, want: float) -> None:
    ran = run(flow(RAMP, event("e", cond, direction="rising")), stepper)
    # x - x**2 is off by 1e-16 over a slope of 0.6
    np.testing.assert_allclose(ran.raw.evt_t, [want], **ULPS)


@pytest.mark.parametrize("stepper", ["rk4", "rk45"])
def test_without_direction_it_fires_where_it_becomes_true_and_at_the_ends_of_steps(
    stepper: str,
) -> None:
    ran = run(flow(RAMP, event("e", "0.34 < x < 0.75", log="x")), stepper, T=1.0)
    ends = ran.t[(ran.t > 0.34 + 1e-9) & (ran.t < 0.75)]
    if stepper == "rk4":
        ends = ends[ends > 0.4 + 1e-9]  # at 0.4 it still holds from its firing within that step
    np.testing.assert_allclose(ran.raw.evt_t, [0.34, *ends], **ULPS)


def test_location_can_be_switched_off() -> None:
    text = flow(RAMP, event("e", "x >= 0.55", action="x = 0", direction="rising", locate=False))
    ran = run(text, "rk4")
    np.testing.assert_array_equal(ran.raw.evt_t, [6 * 0.1])
    assert ran.final[0] == pytest.approx(0.4, abs=1e-15)


def test_whole_numbers_in_conditions() -> None:
    text = flow(RAMP, event("e", "int(10*x + 0.5) % 3 == 2", direction="rising"))
    ran = run(text, "rk4", T=1.0, dt=0.1)
    np.testing.assert_allclose(ran.raw.evt_t, [0.15, 0.45, 0.75], **ULPS)
