"""Trajectories agree with what is known of them."""

from __future__ import annotations

import numpy as np
import pytest
from numerics.problems import LORENZ, LORENZ_AT, SWING, swing
from numerics.stage_functions import Steps
from trajectories import ADAPTIVE, FIXED, FLOWS, compiled, go

TIGHT = {"rtol": 1e-12, "atol": 1e-12}


@pytest.mark.parametrize(
    ("stepper", "tol", "allowed"),
    [
        # Errors grow like exp(0.906 t) and are proportional to the tolerance.
        ("rk45", 1e-12, {1.0: 1e-10, 10.0: 1e-8, 20.0: 2e-5}),
        ("dop853", 1e-12, {1.0: 2e-11, 10.0: 2e-10, 20.0: 1e-6}),
        # At the last place of doubles (2e-16) each step rounds, exp(9) and exp(18) do the rest: no
        # double code holds more than 1e-13 and 1e-10. One of order 5, which takes 5e4 steps, holds
        # somewhat less; one of order 8 takes 3e3 and has rounding alone, a few times those.
        ("rk45", 1e-15, {1.0: 2e-13, 10.0: 1e-11, 20.0: 1e-8}),
        ("dop853", 1e-15, {1.0: 5e-14, 10.0: 5e-13, 20.0: 5e-10}),
    ],
)
def test_lorenz(stepper: str, tol: float, allowed: dict[float, float]) -> None:
    model = compiled("builtin://ode/lorenz", stepper, jit=True)
    for t, want in LORENZ_AT.items():
        ran = go(model, t, y=LORENZ, options={"rtol": tol, "atol": tol}, record=False)
        assert np.abs(ran.final - want).max() < allowed[t]


@pytest.mark.parametrize("stepper", ["rk45", "dop853"])
def test_lorenz_in_one_run_with_samples(stepper: str) -> None:
    """Dense output of order 4 between steps of order 5, or 7 and 8: hardly worse than the steps."""
    model = compiled("builtin://ode/lorenz", stepper, jit=True)
    samples = np.array(sorted(LORENZ_AT))
    ran = go(model, 20.0, y=LORENZ, options=TIGHT, samples=samples)
    np.testing.assert_array_equal(ran.t, samples)
    for row, t, allowed in zip(ran.y, samples, (1e-9, 1e-8, 2e-5), strict=True):
        assert np.abs(row - LORENZ_AT[t]).max() < allowed


@pytest.mark.slow
def test_robertson_to_t_40() -> None:
    """Stiff: the steps are as long as stability allows, far shorter than accuracy asks for."""
    model = compiled("builtin://ode/robertson", "rk45", jit=True)
    ran = go(model, 40.0, options={"rtol": 1e-9, "atol": 1e-13}, record=False)
    want = [0.7158270687194, 9.185534764558e-6, 0.2841637457458]
    # ten times the tolerances: those of steps, which a stiff problem hardly lets add up
    np.testing.assert_allclose(ran.final, want, rtol=1e-8, atol=1e-12)
    # The right-hand sides add up to 0, so only rounding moves the sum: 1e-16 in 1e5 steps.
    assert abs(ran.final.sum() - 1) < 1e-11


@pytest.mark.parametrize("stepper", [s for s in FLOWS if s != "euler"])
def test_impacts_of_a_bouncing_ball(stepper: str) -> None:
    """Methods of order 2 and more integrate free fall without error, and so do cubics and up."""
    dt = None if stepper in ADAPTIVE else 0.05
    ran = go(compiled("builtin://ode/bouncing-ball", stepper), 3.0, y=[1.0, 0.0], dt=dt)
    fall, e = np.sqrt(2 / 9.81), 0.8
    want = [fall * (1 + 2 * sum(e**k for k in range(1, n + 1))) for n in range(6)]
    # rounding alone; a thousandth of what is asked for
    np.testing.assert_allclose(ran.raw.evt_t, want, rtol=0, atol=1e-13)


def test_impacts_of_a_bouncing_ball_by_euler_converge() -> None:
    model = compiled("builtin://ode/bouncing-ball", "euler")
    misses = []
    for dt in (1e-2, 1e-3):
        ran = go(model, 0.6, y=[1.0, 0.0], dt=dt)
        misses.append(abs(float(ran.raw.evt_t[0]) - np.sqrt(2 / 9.81)))
    assert misses[0] / misses[1] == pytest.approx(10, rel=0.1)  # order 1


# --- tolerances --------------------------------------------------------------------------------

# Two oscillators that know nothing of each other, one slow, one fast.
PAIR = """
[model]
type = "ode"
[states]
a = 1
b = 0
c = 1
d = 0
[equations.rhs]
a = "b"
b = "-a"
c = "20*d"
d = "-20*c"
"""


@pytest.mark.parametrize("stepper", ADAPTIVE)
def test_each_component_has_its_own_tolerance(stepper: str) -> None:
    model = compiled(PAIR, stepper)

    def run(atol: object) -> tuple[int, float, float]:
        ran = go(model, 3.0, options={"rtol": 0.0, "atol": atol})
        slow = np.hypot(ran.final[0] - np.cos(3.0), ran.final[1] + np.sin(3.0))
        fast = np.hypot(ran.final[2] - np.cos(60.0), ran.final[3] + np.sin(60.0))
        return ran.raw.stats.steps, float(slow), float(fast)

    steps_tight, _, fast_tight = run(1e-6)
    # Only the slow one counts: far fewer steps; the fast one, unwatched, is lost.
    steps_slow, slow_slow, fast_slow = run([1e-6, 1e-6, 1e9, 1e9])
    assert steps_slow < steps_tight / 4
    assert slow_slow < 1e-4  # global errors add up over 3 units of time
    assert fast_slow > 100 * fast_tight
    # Only the fast one counts: as many steps as with all of them.
    steps_fast, _, fast_fast = run([1e9, 1e9, 1e-6, 1e-6])
    assert steps_fast == pytest.approx(steps_tight, rel=0.2)
    assert fast_fast < 1e-3


@pytest.mark.parametrize("stepper", ADAPTIVE)
def test_one_tolerance_is_the_same_as_one_for_each(stepper: str) -> None:
    model = compiled(PAIR, stepper)
    one = go(model, 0.5, options={"rtol": 1e-5, "atol": 1e-7})
    each = go(model, 0.5, options={"rtol": [1e-5] * 4, "atol": np.full(4, 1e-7)})
    np.testing.assert_array_equal(one.y, each.y)


def test_zero_tolerances_on_a_state_at_rest() -> None:
    """atol = 0 with a state that is 0 has no scale; the step control must still get through."""
    text = PAIR.replace("a = 1", "a = 0", 1)  # a and b rest at 0
    ran = go(compiled(text, "rk45"), 0.3, options={"rtol": 1e-6, "atol": [1e-9, 1e-9, 0, 0]})
    assert ran.status.ok


@pytest.mark.parametrize("stepper", ADAPTIVE)
def test_steps_keep_within_their_bounds(stepper: str) -> None:
    ran = go(compiled(SWING, stepper), 5.0, options={"rtol": 1e-3, "dt_max": 0.05})
    # The last step may stretch by a hundredth, so that no splinter of a step is left.
    assert np.diff(ran.t).max() <= 0.05 * 1.01
    free = go(compiled(SWING, stepper), 5.0, options={"rtol": 1e-3})
    assert np.diff(free.t).max() > 0.1


# --- single precision --------------------------------------------------------------------------

SWING32 = SWING.replace('type = "ode"', 'type = "ode"\ndtype = "float32"')


@pytest.mark.parametrize("stepper", FLOWS)
def test_float32_stays_float32(stepper: str) -> None:
    """Every number that the method makes of float32 states is a float32."""
    steps = Steps(SWING32, stepper)
    u = tuple(np.float32([0.2, 1.04]))
    call = steps.functions
    t, h = np.float64(0.5), np.float64(0.01)
    f = call["rhs"](t, 0, u, steps.p, steps.ws, 0)
    size = compiled(SWING32, stepper).stepper.memory_size(2)
    m = (*f, *f, np.float32(3))[-size:] if stepper in FIXED else f  # a valid history
    v, k = call["attempt"](t, h, 0, u, m, steps.p, steps.ws, 0)
    d = call["dense"](t, h, 0, u, v, k, steps.p, steps.ws, 0)
    inside = call["interpolate"](np.float64(0.3), h, u, v, d)
    for numbers in (f, v, k, d, inside):
        assert {type(x) for x in numbers} == {np.float32}


@pytest.mark.parametrize("stepper", FLOWS)
def test_float32_is_as_accurate_as_float32(stepper: str) -> None:
    # 3 units of time: tens of steps, each with a few roundings of 6e-8, hardly amplified
    request = {"options": {"rtol": 1e-6, "atol": 1e-6}} if stepper in ADAPTIVE else {"dt": 0.05}
    single = go(compiled(SWING32, stepper), 3.0, **request)
    double = go(compiled(SWING, stepper), 3.0, **request)
    assert single.y.dtype == single.final.dtype == np.float32
    if stepper in FIXED:
        np.testing.assert_allclose(single.y, double.y, rtol=0, atol=5e-6)
        assert np.abs(single.y - double.y).max() > 1e-9  # and no more accurate
    else:
        np.testing.assert_allclose(single.y, swing(single.t), rtol=0, atol=3e-5)
