"""After an action, history and stages are void: the run goes on as one that starts there."""

from __future__ import annotations

import numpy as np
import pytest
from events.models import event, flow
from trajectories import ADAPTIVE, FIXED, FLOWS, compiled, go

from dynlib.abi.slots import Clock

DT = 0.125  # a power of two: times of the grid are exact, whatever its origin

# autonomous, so that only the state at the start counts
_STATES = {"x": (1.0, "v"), "v": (0.0, "-x - x**3 - 0.3*v")}


def jumping(locate: bool, phase: str = "end") -> str:
    cond = "t >= 1" if not locate else "t >= 1.0625"
    jump = {"action": "v = v + 2; x = x/2", "direction": "rising"}
    return flow(_STATES, event("e", cond, locate=locate, phase=phase, **jump))


PLAIN = flow(_STATES, "")


def step_of(stepper: str) -> float | None:
    return None if stepper in ADAPTIVE else DT


@pytest.mark.parametrize("stepper", FIXED)
def test_a_fixed_grid_goes_on_as_a_fresh_run(stepper: str) -> None:
    jumped = go(compiled(jumping(False), stepper), 3.0, dt=DT)
    k = int(1 / DT)
    fresh = go(compiled(PLAIN, stepper), 3.0, t0=1.0, y=jumped.y[k], dt=DT)
    np.testing.assert_array_equal(jumped.t[k:], fresh.t)
    np.testing.assert_array_equal(jumped.y[k:], fresh.y)
    # and the jump was one
    smooth = go(compiled(PLAIN, stepper), 3.0, dt=DT)
    np.testing.assert_array_equal(jumped.y[:k], smooth.y[:k])
    assert abs(jumped.y[k, 1] - smooth.y[k, 1] - 2) < 1e-12


@pytest.mark.parametrize("stepper", FIXED)
def test_the_rest_of_a_cut_step_is_a_step_of_its_own(stepper: str) -> None:
    """From the middle of the step, where the event is, half a step and then the grid."""
    jumped = go(compiled(jumping(True), stepper), 3.0, dt=DT)
    k = int(1 / DT)
    before = go(compiled(PLAIN, stepper), 2.0, dt=DT, samples=np.array([1.0625]))
    x, v = before.y[0]
    half = go(compiled(PLAIN, stepper), 1.125, t0=1.0625, y=[x / 2, v + 2], dt=DT / 2)
    np.testing.assert_allclose(jumped.y[k + 1], half.final, rtol=1e-14)  # located to 4e-16
    rest = go(compiled(PLAIN, stepper), 3.0, t0=1.125, y=jumped.y[k + 1], dt=DT)
    np.testing.assert_array_equal(jumped.y[k + 1 :], rest.y)


@pytest.mark.parametrize("stepper", ADAPTIVE)
@pytest.mark.parametrize("locate", [True, False])
def test_an_adaptive_run_goes_on_as_a_fresh_one(stepper: str, locate: bool) -> None:
    """The first step is found anew, no longer than the one that had been planned."""
    jumped = go(compiled(jumping(locate), stepper), 3.0)
    at = int(np.flatnonzero(jumped.t == jumped.raw.evt_t[0])[0])
    t, y = float(jumped.t[at]), jumped.y[at]
    fresh = go(compiled(PLAIN, stepper), 3.0, t0=t, y=y)
    np.testing.assert_array_equal(jumped.t[at:], fresh.t)
    np.testing.assert_array_equal(jumped.y[at:], fresh.y)


@pytest.mark.parametrize("stepper", FLOWS)
def test_a_jump_at_the_start_of_a_step(stepper: str) -> None:
    """The row of that time was recorded before the action."""
    jumped = go(compiled(jumping(False, "start"), stepper), 3.0, dt=step_of(stepper))
    at = int(np.flatnonzero(jumped.t == jumped.raw.evt_t[0])[0])
    x, v = jumped.y[at]
    t = float(jumped.t[at])
    fresh = go(compiled(PLAIN, stepper), 3.0, t0=t, y=[x / 2, v + 2], dt=step_of(stepper))
    np.testing.assert_array_equal(jumped.t[at:], fresh.t)
    np.testing.assert_array_equal(jumped.y[at + 1 :], fresh.y[1:])


@pytest.mark.parametrize("stepper", FIXED)
def test_a_last_step_of_its_own_length_is_a_step_of_its_own(stepper: str) -> None:
    model = compiled(PLAIN, stepper)
    short = go(model, 1.0 + DT / 2, dt=DT)
    alone = go(model, 1.0 + DT / 2, t0=1.0, y=short.y[-2], dt=DT / 2)
    np.testing.assert_array_equal(short.final, alone.final)
    # and the next grid, which starts there, knows nothing of it
    on = go(model, 3.0, state=short.state)
    fresh = go(model, 3.0, t0=1.0 + DT / 2, y=alone.final, dt=DT)
    np.testing.assert_array_equal(on.y, fresh.y)


@pytest.mark.parametrize("stepper", FLOWS)
def test_a_change_from_outside_is_a_jump_too(stepper: str) -> None:
    model = compiled(PLAIN, stepper)
    dt = step_of(stepper)
    first = go(model, 1.0, dt=dt)
    first.state.y[1, 0] += 2
    model.mark_jump(first.state)
    second = go(model, 3.0, state=first.state, **({"dt": 0.0} if dt is None else {}))
    y = [first.y[-1, 0], first.y[-1, 1] + 2]
    fresh = go(model, 3.0, t0=1.0, y=y, dt=dt)
    np.testing.assert_array_equal(second.y, fresh.y)
    assert second.state.clock[Clock.T] == 3.0
