"""What conditions look at: starts and ends of steps, the step before, lags; and when runs stop."""

from __future__ import annotations

import numpy as np
import pytest
from events.models import RAMP, event, flow
from trajectories import ADAPTIVE, Ran, compiled, go

from dynlib.abi.status import Status
from dynlib.errors import StepperKindMismatchError

ULPS = {"rtol": 0, "atol": 1e-14}  # rounding of times and states of size 1 over ten steps
steppers = pytest.mark.parametrize("stepper", ["rk4", "ab3", "rk45"])


def run(text: str, stepper: str = "rk4", T: float = 1.0, **request: object) -> Ran:
    return go(compiled(text, stepper), T, dt=None if stepper in ADAPTIVE else 0.1, **request)


def short(stepper: str) -> dict[str, float]:
    """Steps short enough for the eight places at which an adaptive step is looked at."""
    return {"dt_max": 0.1} if stepper in ADAPTIVE else {}


# --- phases ------------------------------------------------------------------------------------


@steppers
def test_phases_of_an_event_that_always_holds(stepper: str) -> None:
    """At each of n+1 step ends: the start phase at the first n, the end phase at the last n."""
    text = flow(
        RAMP,
        event("s", "x >= 0", phase="start", log="x")
        + event("b", "x >= 0", phase="both", log="x")
        + event("e", "x >= 0", phase="end", log="x"),
    )
    ran = run(text, stepper)
    np.testing.assert_array_equal(ran.times("s"), ran.t[:-1])
    np.testing.assert_array_equal(ran.times("e"), ran.t[1:])
    np.testing.assert_array_equal(ran.times("b"), np.sort([*ran.t[:-1], *ran.t[1:]]))
    # at the start of each step s then b, at its end b then e
    assert ran.fired == ["s", "b", "b", "e"] * (ran.t.size - 1)
    np.testing.assert_array_equal(ran.logs("s")[:, 0], ran.y[:-1, 0])


@steppers
def test_start_events_act_before_the_step(stepper: str) -> None:
    text = flow({"x": (0, "1"), "y": (0, "0")}, event("s", "y < 3", action="y += 1", phase="start"))
    ran = run(text, stepper)
    assert ran.fired == ["s"] * 3
    np.testing.assert_array_equal(ran.times("s"), ran.t[:3])
    np.testing.assert_array_equal(ran.y[:5, 1], [0, 1, 2, 3, 3])  # rows come before the start phase


@pytest.mark.parametrize("phase", ["start", "end", "both"])
def test_edges_are_seen_once_in_every_phase(phase: str) -> None:
    text = flow(RAMP, event("e", "x > 0.55", phase=phase, direction="rising", log="x"))
    ran = run(text)
    want = 0.6 if phase == "start" else 0.55  # what starts a step is never within it
    np.testing.assert_allclose(ran.raw.evt_t, [want], **ULPS)


# --- edge macros -------------------------------------------------------------------------------

HILL = {"x": (0, "1 - 2*t")}  # x = t*(1 - t), a parabola that these methods follow without error


@steppers
@pytest.mark.parametrize("locate", [True, False])
@pytest.mark.parametrize(
    ("cond", "want"),
    [
        ("cross_up(x, 0.35*0.65)", [0.35]),
        ("cross_down(x, 0.35*0.65)", [0.65]),
        ("cross_either(x, 0.35*0.65)", [0.35, 0.65]),
        ("enters_interval(x, 0.12*0.88, 0.38*0.62)", [0.12, 0.62]),
        ("leaves_interval(x, 0.12*0.88, 0.38*0.62)", [0.38, 0.88]),
        ("cross_up(t, 0.45)", [0.45]),
        ("cross_up(x, 0.35*0.65) or cross_down(x, 0.15*0.85)", [0.35, 0.85]),
    ],
)
def test_edges(stepper: str, locate: bool, cond: str, want: list[float]) -> None:
    ran = run(flow(HILL, event("e", cond, locate=locate)), stepper, options=short(stepper))
    if locate:
        np.testing.assert_allclose(ran.raw.evt_t, want, **ULPS)
    else:  # at the end of the step, once
        assert len(ran.fired) == len(want)
        for at, found in zip(want, ran.raw.evt_t, strict=True):
            i = int(np.searchsorted(ran.t, at - 1e-12))
            assert found == ran.t[i]


@steppers
@pytest.mark.parametrize(
    ("cond", "holds"),
    [("increasing(x)", lambda d: d > 0), ("decreasing(x)", lambda d: d < 0),
     ("changed(x)", lambda d: d != 0), ("changed(floor(2*t))", None)],
)  # fmt: skip
def test_changes_over_a_step_are_seen_at_its_end(stepper: str, cond: str, holds: object) -> None:
    """They are about whole steps: a rising x increases from the first instant of a step."""
    ran = run(flow(HILL, event("e", cond)), stepper, options=short(stepper))
    assert ran.status is Status.DONE
    if holds is None:
        np.testing.assert_array_equal(ran.raw.evt_t, ran.t[1:][np.diff(np.floor(2 * ran.t)) != 0])
    else:
        np.testing.assert_array_equal(ran.raw.evt_t, ran.t[1:][holds(np.diff(ran.y[:, 0]))])


def test_in_interval_is_a_condition_like_others() -> None:
    ran = run(flow(RAMP, event("e", "in_interval(x, 0.33, 0.66)", direction="either")))
    np.testing.assert_allclose(ran.raw.evt_t, [0.33, 0.66], **ULPS)


@steppers
def test_a_crossing_is_seen_once_although_another_event_cuts_the_step(stepper: str) -> None:
    """x crosses 0.52 in the first part of the step that is cut at 0.55."""
    text = flow(
        {"x": (0, "1"), "y": (0, "0")},
        event("cut", "x >= 0.55", action="y = 1", direction="rising")
        + event("seen", "cross_up(x, 0.52)", log="x", locate=False)
        + event("up", "cross_up(x, 0.53)", log="x"),
    )
    ran = run(text, stepper, options=short(stepper))
    assert sorted(ran.fired) == ["cut", "seen", "up"]
    np.testing.assert_allclose(ran.times("up"), [0.53], **ULPS)
    end = 0.6 if stepper not in ADAPTIVE else ran.t[np.searchsorted(ran.t, 0.52)]
    np.testing.assert_allclose(ran.times("seen"), [end], **ULPS)


def test_an_event_fires_again_after_its_action_took_the_state_back() -> None:
    ran = run(flow(RAMP, event("e", "cross_up(x, 0.21)", action="x = 0.1")), T=0.6)
    np.testing.assert_allclose(ran.raw.evt_t, [0.21, 0.32, 0.43, 0.54], **ULPS)


def test_recorded_aux_look_at_the_step_before() -> None:
    aux = (
        '[aux]\nup = "1.0 if cross_up(x, 0.55) else 0.0"\nrose = "1.0 if increasing(x) else 0.0"\n'
    )
    ran = run(flow(RAMP, aux), aux=(0, 1))
    np.testing.assert_array_equal(ran.raw.aux[:, 0], [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0])
    np.testing.assert_array_equal(ran.raw.aux[:, 1], [0] + [1] * 10)  # no step before the first


# --- lags --------------------------------------------------------------------------------------


def test_lags_in_conditions_logs_and_actions_are_committed_steps() -> None:
    text = flow(
        {"x": (0, "1"), "y": (0, "0")},
        event("e", "x >= 0.55 and lag_x(2) < 0.55", log="x; lag_x(); lag_x(3)",
              action="y = lag_x(2)", direction="rising", locate=False),
    )  # fmt: skip
    ran = run(text)
    np.testing.assert_allclose(ran.raw.evt_t, [0.6], **ULPS)
    np.testing.assert_array_equal(ran.raw.evt_log[0], ran.y[[6, 5, 3], 0])
    assert ran.final[1] == ran.y[4, 0]


def test_lags_within_a_cut_step() -> None:
    """Inside the step from 0.5 to 0.6 the last committed step is the one at 0.5."""
    text = flow(RAMP, event("e", "x >= 0.55", log="lag_x(); lag_x(2)", direction="rising"))
    ran = run(text)
    np.testing.assert_array_equal(ran.raw.evt_log[0], ran.y[[5, 4], 0])


def test_lags_before_the_start_are_the_initial_state() -> None:
    text = flow({"x": (7, "1")}, event("e", "x > 0", log="lag_x(1); lag_x(4)", phase="end"))
    ran = run(text, T=0.6)
    np.testing.assert_array_equal(ran.raw.evt_log[:, 0], ran.y[:-1, 0])
    np.testing.assert_array_equal(ran.raw.evt_log[:, 1], ran.y[[0, 0, 0, 0, 1, 2], 0])


def test_lags_see_what_actions_did() -> None:
    text = flow(
        {"x": (0, "0"), "n": (0, "0")},
        event("e", "x < 100", action="x = x + lag_x() + 1", locate=False),
    )
    ran = run(text, T=0.6)
    # x_k = x_{k-1} + x_{k-1} + 1, the state and its lag being the same before the action
    np.testing.assert_array_equal(ran.y[:, 0], 2.0 ** np.arange(7) - 1)


def test_lags_in_the_equations_are_constant_within_a_step() -> None:
    ran = run(flow({"x": (1, "lag_x(2)")}, ""), "rk4", T=0.5)
    want = [1.0]
    for k in range(5):
        want.append(want[-1] + 0.1 * want[max(k - 2, 0)])
    np.testing.assert_allclose(ran.y[:, 0], want, rtol=1e-15)


def test_lags_need_steps_of_one_length() -> None:
    text = flow(RAMP, event("e", "x > lag_x() + 1"))
    with pytest.raises(StepperKindMismatchError, match=r"lag_x\(\).*'rk45'.*rk4"):
        compiled(text, "rk45")


# --- stop --------------------------------------------------------------------------------------


def stop(cond: str, phase: str = "end", *, locate: bool = True) -> str:
    keys = "" if locate else "locate = false\n"
    return f'[sim.stop]\ncond = "{cond}"\nphase = "{phase}"\n{keys}'


@steppers
@pytest.mark.parametrize("phase", ["start", "end", "both"])
def test_stop_leaves_at_the_first_step_where_it_holds(stepper: str, phase: str) -> None:
    ran = run(flow(RAMP, stop("x > 0.55", phase)), stepper, options=short(stepper))
    assert ran.status is Status.EARLY_EXIT
    assert ran.final[0] == ran.y[-1, 0] > 0.55 > ran.y[-2, 0]


def test_stop_at_the_very_start() -> None:
    at_start = run(flow(RAMP, stop("x >= 0", "start")))
    assert at_start.status is Status.EARLY_EXIT
    np.testing.assert_array_equal(at_start.t, [0.0])
    at_end = run(flow(RAMP, stop("x >= 0", "end")))
    np.testing.assert_array_equal(at_end.t, [0.0, 0.1])


def test_stop_at_the_very_end_is_a_stop() -> None:
    ran = run(flow(RAMP, stop("t > 0.95", locate=False)))
    assert ran.status is Status.EARLY_EXIT
    assert ran.t[-1] == 1.0


@pytest.mark.parametrize("phase", ["start", "end", "both"])
def test_a_stopped_run_goes_on_step_by_step(phase: str) -> None:
    """Each time it stops again at the next step, and no event or lag of it is left out."""
    events = event("s", "x >= 0", phase="start", log="x; lag_x()") + event("e", "x >= 0", log="x")
    stopping = flow(RAMP, events + stop("x > 0.35", phase, locate=False))
    ran = run(stopping)
    whole = run(flow(RAMP, events))
    fired, times, logs = ran.fired, list(ran.raw.evt_t), [*ran.raw.evt_log]
    ends = [ran.raw.t_final]
    while ran.status is Status.EARLY_EXIT and ran.raw.t_final < 1.0:
        ran = run(stopping, state=ran.state)
        ends.append(ran.raw.t_final)
        fired += ran.fired
        times += list(ran.raw.evt_t)
        logs += [*ran.raw.evt_log]
    np.testing.assert_allclose(ends[:7], np.arange(4, 11) / 10, rtol=1e-15)
    assert fired == whole.fired
    np.testing.assert_array_equal(times, whole.raw.evt_t)
    np.testing.assert_array_equal(logs, whole.raw.evt_log)


@pytest.mark.parametrize("locate", [True, False])
def test_stop_sees_a_crossing_in_a_step_that_an_event_cut(locate: bool) -> None:
    text = flow(
        {"x": (0, "1"), "y": (0, "0")},
        event("cut", "x >= 0.55", action="y = 1", direction="rising")
        + stop("cross_up(x, 0.52)", locate=locate),
    )
    ran = run(text)
    assert ran.status is Status.EARLY_EXIT
    if not locate:
        assert ran.t[-1] == pytest.approx(0.6)
        return
    assert ran.t[-1] == pytest.approx(0.52)


def test_stop_can_be_set_by_an_event() -> None:
    text = flow(RAMP, event("e", "x >= 0.55", action="over = 1", direction="rising")
                + stop("over > 0"), params="over = 0")  # fmt: skip
    ran = run(text)
    assert ran.status is Status.EARLY_EXIT
    assert ran.t[-1] == pytest.approx(0.55)
