"""Events where it hurts: at grid points, in crowds, late, brief, and ones that never end."""

from __future__ import annotations

import numpy as np
import pytest
from events.models import RAMP, event, flow
from hypothesis import given
from hypothesis import strategies as st
from trajectories import ADAPTIVE, FLOWS, Ran, compiled, go, same

from dynlib.abi.status import Status

steppers = pytest.mark.parametrize("stepper", ["rk4", "ab3", "rk45"])


def run(text: str, stepper: str = "rk4", T: float = 1.0, dt: float = 0.1, **request: object) -> Ran:
    return go(compiled(text, stepper), T, dt=None if stepper in ADAPTIVE else dt, **request)


# --- close to the grid -------------------------------------------------------------------------

PULSES = flow(
    {"x": (0, "1"), "next": (0.1, "0"), "n": (0, "0")},
    event("e", "t >= next", action="next += 0.1; n += 1", direction="rising"),
)


@steppers
@pytest.mark.parametrize("shift", [0.0, 1e-16, -1e-16, 1e-14, -1e-14, 1e-12, -1e-12, 1e-7, 0.03])
def test_pulses_in_step_with_the_grid(stepper: str, shift: float) -> None:
    """Each comes once, however rounding puts it beside the grid point; none is a false alarm."""
    ran = run(PULSES, stepper, T=8.0, y=[0, 0.1 + shift, 0])
    assert ran.status is Status.DONE
    want = 0.1 + shift + 0.1 * np.arange(80)
    want = want[want < 8.0 - 1e-9]
    # The model adds up its own 0.1: a rounding of 8 (9e-16) each time.
    np.testing.assert_allclose(ran.raw.evt_t[: want.size], want, rtol=0, atol=8e-14)
    assert len(ran.fired) - want.size in (0, 1)  # the last may fall on the end
    if stepper not in ADAPTIVE:
        np.testing.assert_array_equal(ran.t, [*(k * 0.1 for k in range(80)), 8.0])


@given(at=st.floats(0.0501, 0.95), dt=st.sampled_from([0.1, 0.05, 0.07]))
def test_any_instant_on_any_grid(at: float, dt: float) -> None:
    text = flow(
        {"x": (0, "1"), "y": (0, "0")},
        event("e", "t >= at", action="x = 0; y += 1", direction="rising"),
        params="at = 0.5",
    )
    ran = run(text, dt=dt, p=[at])
    np.testing.assert_allclose(ran.raw.evt_t, [at], rtol=0, atol=1e-15)
    np.testing.assert_allclose(ran.final, [1 - at, 1], rtol=0, atol=1e-15)


@given(
    gap=st.sampled_from([0.0, 1e-17, 1e-16, 1e-15, 1e-13, 1e-10, 1e-4]),
    at=st.floats(0.01, 0.99),
    stepper=st.sampled_from(["rk4", "ab2", "rk45"]),
)
def test_two_events_at_any_distance_fire_once_each(gap: float, at: float, stepper: str) -> None:
    text = flow(
        {"x": (0, "1"), "y": (0, "0")},
        event("b", "t >= at + gap", action="y += 10", direction="rising")
        + event("a", "t >= at", action="y += 1", direction="rising"),
        params="at = 0.5\ngap = 0",
    )
    ran = run(text, stepper, p=[at, gap])
    assert sorted(ran.fired) == ["a", "b"]
    assert ran.final[1] == 11
    if gap > 1e-12:
        assert ran.fired == ["a", "b"]
    if gap == 0:
        assert ran.fired == ["b", "a"]


# --- late --------------------------------------------------------------------------------------


@steppers
def test_far_from_time_zero(stepper: str) -> None:
    """A clock that counts seconds since 1970: neighbouring times are 2.4e-7 apart."""
    text = flow(RAMP, event("e", "x >= 0.55", action="x = 0", direction="rising"))
    ran = run(text, stepper, T=1.7e9 + 20, t0=1.7e9)
    assert ran.status is Status.DONE
    assert len(ran.fired) == 36
    np.testing.assert_allclose(np.diff(ran.raw.evt_t), 0.55, rtol=0, atol=5e-7)


# --- brief -------------------------------------------------------------------------------------


@given(middle=st.floats(0.5, 9.5), stepper=st.sampled_from(ADAPTIVE))
def test_an_excursion_inside_a_long_step(middle: float, stepper: str) -> None:
    """Nothing but the event happens, so steps grow to several units of time.

    A step is looked at in eight places: no excursion of more than an eighth of it is missed, and
    here no step is longer than 10.
    """
    text = flow({"x": (1, "0")}, event("e", "abs(t - middle) < 0.63", log="t", direction="rising"),
                params="middle = 5")  # fmt: skip
    ran = run(text, stepper, T=12.0, p=[middle])
    if middle > 0.63:
        np.testing.assert_allclose(ran.raw.evt_t, [middle - 0.63], rtol=0, atol=2e-14)
    assert np.diff(ran.t).max() > 1


def test_a_touch_is_at_most_one_event() -> None:
    """x = t*(1-t) just reaches 1/4: rounding decides whether x >= 1/4 is ever true."""
    for level, count in [(0.25 - 1e-6, 1), (0.25 - 1e-12, 1), (0.25 + 1e-12, 0)]:
        text = flow({"x": (0, "1 - 2*t")}, event("e", f"x >= {level}", direction="rising"))
        ran = run(text, dt=0.0625)  # 0.5 is a grid point, so the top is looked at
        assert len(ran.fired) == count
    text = flow({"x": (0, "1 - 2*t")}, event("e", "x >= 0.25", direction="rising"))
    assert len(run(text, dt=0.0625).fired) <= 1


def test_a_second_bounce_within_the_step_of_the_first() -> None:
    """After a jump the rest of the step is looked at closely from its beginning."""
    text = flow(
        {"h": (1.0, "v"), "v": (0.0, "-9.81")},
        event("bounce", "h < 0", action="h = 0; v = -0.1*v", log="v", direction="rising"),
    )
    fall = np.sqrt(2 / 9.81)
    want = fall * np.array([1, 1.2, 1.22, 1.222])
    ran = run(text, "rk4", T=0.6, dt=0.6)  # all of them lie in the one step
    np.testing.assert_allclose(ran.raw.evt_t[:4], want, rtol=0, atol=1e-14)


@steppers
@pytest.mark.parametrize("after", [1e-3, 1e-5, 1e-8])
def test_an_excursion_just_after_a_jump(stepper: str, after: float) -> None:
    """Places crowd towards a jump, each twice as far from it as the one before: an excursion whose
    end is twice as far from the jump as its start has one of them in it.
    """
    text = flow(
        RAMP,
        event("jump", "x >= 0.52", action="n += 1", direction="rising")
        + event("brief", "begin < x - 0.52 < 2.1*begin", log="x", direction="rising"),
        params="n = 0\nbegin = 0",
    )
    ran = run(text, stepper, p=[0, after])
    assert ran.fired == ["jump", "brief"]
    np.testing.assert_allclose(ran.raw.evt_t, [0.52, 0.52 + after], rtol=0, atol=2e-14)


# --- without end -------------------------------------------------------------------------------

BALL = flow(
    {"h": (1.0, "v"), "v": (0.0, "-9.81")},
    event("bounce", "h < 0", action="h = 0; v = -0.5*v", log="v", direction="rising"),
)


@pytest.mark.parametrize("stepper", [s for s in FLOWS if s != "euler"])
def test_a_ball_that_comes_to_rest(stepper: str) -> None:
    """Infinitely many bounces before 3*fall: the run says so, and keeps those it took."""
    ran = run(BALL, stepper, T=3.0)
    assert ran.status is Status.ZENO
    fall = np.sqrt(2 / 9.81)
    want = fall * (3 - 2.0 ** (1 - np.arange(len(ran.fired))))
    # A flight lasts 2*v/g, and v keeps its relative precision; the times add up.
    np.testing.assert_allclose(ran.raw.evt_t, want, rtol=0, atol=1e-13)
    assert len(ran.fired) > 20
    assert ran.raw.t_final == pytest.approx(3 * fall, abs=1e-7)
    assert ran.t[-1] <= ran.raw.t_final


@steppers
def test_sliding_along_a_threshold(stepper: str) -> None:
    text = flow(RAMP, event("e", "x > 0.5", action="x = 0.5", direction="rising"))
    ran = run(text, stepper)
    assert ran.status is Status.ZENO
    assert ran.raw.t_final == pytest.approx(0.5, abs=1e-12)
    # Looked at step by step it is a clamp.
    clamp = run(text.replace("[events.e]", "[events.e]\nlocate = false"), "rk4")
    assert clamp.status is Status.DONE
    assert clamp.final[0] == 0.5


@steppers
def test_two_events_that_set_each_other_off(stepper: str) -> None:
    text = flow(
        {"x": (0, "1"), "y": (0, "0")},
        event("go", "x >= 0.31", action="y = 1", direction="rising")
        + event("b", "y < 0.5", action="y = 1", direction="rising")
        + event("a", "y > 0.5", action="y = 0", direction="rising"),
    )
    ran = run(text, stepper)
    assert ran.status is Status.ZENO
    assert ran.raw.t_final == pytest.approx(0.31, abs=1e-12)


@pytest.mark.parametrize("stepper", ["rk4", "rk45"])
@pytest.mark.parametrize("first_events", [1, 2, 7, 23])
def test_the_end_of_a_crowd_does_not_depend_on_buffers(stepper: str, first_events: int) -> None:
    same(run(BALL, stepper, T=3.0), run(BALL, stepper, T=3.0, first_events=first_events))


# --- not a number ------------------------------------------------------------------------------


@pytest.mark.parametrize("stepper", FLOWS)
@pytest.mark.parametrize(
    ("phase", "locate"), [("start", False), ("end", False), ("end", True), ("both", True)]
)
def test_an_action_that_spoils_the_state_ends_the_run(
    stepper: str, phase: str, locate: bool
) -> None:
    keys = {"direction": "rising", "phase": phase, "locate": locate}
    text = flow(RAMP, event("e", "x >= 0.55", action="x = log(-1)", **keys))
    ran = run(text, stepper, options={"dt_max": 0.1} if stepper in ADAPTIVE else {})
    assert ran.status is Status.NAN_DETECTED
    assert ran.fired == ["e"]
    assert np.isfinite(ran.y).all()
    if locate:
        assert ran.raw.t_final == pytest.approx(0.55, abs=1e-13)


@steppers
def test_a_condition_that_is_no_number_does_not_hold(stepper: str) -> None:
    text = flow(RAMP, event("e", "log(x - 0.5) > -2", log="x", direction="rising"))
    ran = run(text, stepper)
    assert ran.status is Status.DONE
    # true from x = 0.5 + exp(-2) on; NaN before 0.5, where it does not hold
    np.testing.assert_allclose(ran.raw.evt_t, [0.5 + np.exp(-2)], rtol=0, atol=2e-14)
