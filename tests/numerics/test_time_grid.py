"""Time is ``t0 + k*dt``; a run to T ends at T; there are no splinters of steps."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from trajectories import ADAPTIVE, FIXED, FLOWS, Ran, compiled, go, start

from dynlib.runtime.horizon import fixed_horizon

# x is the time since the start, for every stepper and step: rounding alone tells them apart.
CLOCK = """
[model]
type = "ode"
[states]
x = 0
[equations.rhs]
x = "1"
"""
COUNTER = """
[model]
type = "map"
[states]
x = 0
[equations.rhs]
x = "x + 1"
"""

decimals = st.sampled_from(["0.1", "0.01", "0.05", "0.3", "0.7", "0.025", "1e-3", "2.5", "0.2"])
steps = st.floats(1e-3, 3.0)
starts = st.sampled_from([0.0, 0.1, -3.7, 1000.0, 1 / 3])
directions = st.sampled_from([1, -1])


def clock(T: float, **request: object) -> Ran:
    return go(compiled(CLOCK, "euler"), T, **request)


def check_grid(ran: Ran, t0: float, T: float, dt: float) -> None:
    """The law, for a run whose rows are all its steps; `dt` has the sign of the direction."""
    t = ran.t
    assert ran.status.ok
    assert t[0] == t0
    assert t[-1] == ran.raw.t_final == T
    np.testing.assert_array_equal(t[:-1], t0 + np.arange(t.size - 1) * dt)
    if t.size > 1:
        last = (T - t[-2]) / dt
        assert last <= 1.001 * (1 + 1e-12)
        if t.size > 2:
            assert last > 0.999e-3  # what is left over below that lengthens the last step


@given(T=st.floats(0, 40), dt=steps, t0=starts, direction=directions)
@example(T=1.0, dt=0.1, t0=0.0, direction=1)
@example(T=0.3, dt=0.1, t0=0.0, direction=1)
@example(T=0.0, dt=0.1, t0=0.0, direction=1)
@example(T=1e-13, dt=0.1, t0=0.0, direction=1)
def test_any_end_and_any_step(T: float, dt: float, t0: float, direction: int) -> None:
    assume(T / dt < 400)
    T, dt = t0 + direction * T, direction * dt
    check_grid(clock(T, dt=dt, t0=t0), t0, T, dt)


@given(n=st.integers(1, 300), dt=decimals, direction=directions)
@example(n=10, dt="0.1", direction=1)
def test_an_end_on_the_grid_has_no_extra_row(n: int, dt: str, direction: int) -> None:
    """`T` and `dt` as a user types them: T=1, dt=0.1 gives 11 rows."""
    T = direction * float(n * Decimal(dt))
    ran = clock(T, dt=direction * float(dt))
    assert ran.t.size == n + 1
    check_grid(ran, 0.0, T, direction * float(dt))


@pytest.mark.parametrize("stepper", FIXED)
@pytest.mark.parametrize(("T", "dt", "rows"), [(1.0, 0.1, 11), (0.95, 0.1, 11), (1.0001, 0.5, 3)])
def test_every_fixed_stepper_keeps_the_grid(stepper: str, T: float, dt: float, rows: int) -> None:
    ran = go(compiled(CLOCK, stepper), T, dt=dt)
    assert ran.t.size == rows
    check_grid(ran, 0.0, T, dt)
    assert ran.final[0] == pytest.approx(T, rel=1e-14)  # the last step has its own length


@given(
    n=st.integers(10**6, 10**12), dt=decimals, origin=st.sampled_from([0.0, -5.0]),
    off=st.floats(-0.4, 0.4),
)  # fmt: skip
def test_grids_of_any_length(n: int, dt: str, origin: float, off: float) -> None:
    """A horizon is arithmetic: its step count is that of exact numbers."""
    h = float(dt)
    T = origin + float(n * Decimal(dt))
    horizon = fixed_horizon(origin, 0, h, origin, T)
    assert horizon.step == n
    assert horizon.dt_last == h
    assert horizon.t == pytest.approx(T, rel=1e-15)
    off_grid = fixed_horizon(origin, 0, h, origin, T + off * h)
    expected = n if abs(off) < 1e-4 or off < 0 else n + 1
    if abs(off) > 2e-3:
        assert off_grid.step == expected
        assert off_grid.t == T + off * h


@given(k=st.integers(1, 60), n=st.integers(1, 60), dt=decimals, direction=directions)
def test_two_runs_on_the_grid_are_one(k: int, n: int, dt: str, direction: int) -> None:
    h = direction * float(dt)
    T1, T2 = (direction * float(m * Decimal(dt)) for m in (k, k + n))
    whole = clock(T2, dt=h)
    first = clock(T1, dt=h)
    second = clock(T2, state=first.state)
    assert second.t[-1] == T2
    np.testing.assert_array_equal(first.t[:-1], whole.t[:k])
    np.testing.assert_array_equal(second.t[1:], whole.t[k + 1 :])
    np.testing.assert_array_equal(second.y[1:], whole.y[k + 1 :])


@given(T1=st.floats(0.01, 5), more=st.floats(0.01, 5), dt=st.floats(0.05, 1))
def test_a_run_from_off_the_grid_starts_a_grid_there(T1: float, more: float, dt: float) -> None:
    first = clock(T1, dt=dt)
    second = clock(T1 + more, state=first.state)
    assert second.t[-1] == T1 + more
    begun = second.t[0]
    assert begun == pytest.approx(T1, rel=1e-8)  # an end on the grid is the grid's own number
    grid = begun + np.arange(second.t.size - 1) * dt
    # The origin of the grid is moved: one rounding of T1/dt steps.
    np.testing.assert_allclose(second.t[:-1], grid, rtol=1e-14)


@given(dt=st.floats(0.01, 0.5), other=st.floats(0.01, 0.5))
def test_a_new_step_takes_effect_at_once(dt: float, other: float) -> None:
    first = clock(10 * dt, dt=dt)
    second = clock(10 * dt + 10 * other, dt=other, state=first.state)
    np.testing.assert_allclose(np.diff(second.t)[:-1], other, rtol=1e-9)
    assert second.t.size == 11


@given(k=st.integers(1, 7), transient=st.integers(0, 20), n=st.integers(21, 60))
def test_recorded_rows_are_steps_of_the_grid(k: int, transient: int, n: int) -> None:
    T = float(n * Decimal("0.1"))
    ran = clock(T, dt=0.1, stride=k, transient=float(transient * Decimal("0.1")))
    wanted = np.arange(transient, n + 1, k) * 0.1
    if (n - transient) % k == 0:
        wanted[-1] = T
    np.testing.assert_array_equal(ran.t, wanted)


@pytest.mark.parametrize("T", [1.0, 0.95, 1.00005, 1.05])
def test_a_transient_that_is_all_leaves_the_last_row(T: float) -> None:
    ran = clock(T, dt=0.1, transient=T)
    np.testing.assert_array_equal(ran.t, [T])


@pytest.mark.parametrize("stepper", FLOWS)
@pytest.mark.parametrize("T", [2.0, -2.0])
def test_backwards_is_forwards_mirrored(stepper: str, T: float) -> None:
    """x' = t*cos(x), t -> -t, x -> x leaves the equation as it is: x(-t) = x(t)."""
    even = CLOCK.replace('x = "1"', 'x = "t*cos(x)"').replace("x = 0", "x = 0.3")
    model = compiled(even, stepper)
    if stepper in ADAPTIVE:
        forth, back = go(model, T), go(model, -T)
    else:
        forth, back = go(model, T, dt=np.copysign(0.1, T)), go(model, -T, dt=np.copysign(0.1, -T))
    np.testing.assert_array_equal(forth.t, -back.t)
    # the same operations on numbers that differ in sign only
    np.testing.assert_array_equal(forth.y, back.y)


@pytest.mark.parametrize("stepper", ADAPTIVE)
@given(T=st.floats(1e-9, 50), parts=st.lists(st.floats(0.01, 0.99), max_size=4))
def test_adaptive_runs_end_where_they_should(stepper: str, T: float, parts: list[float]) -> None:
    model = compiled(CLOCK, stepper)
    state = start(model)
    for end in [*sorted({part * T for part in parts}), T]:
        ran = go(model, end, state=state)
        assert ran.t[-1] == end
        assert ran.status.ok
        assert (np.diff(ran.t) > 0).all()
    assert state.y[0, 0] == pytest.approx(T, rel=1e-14)


@given(t0=st.integers(-50, 50), n=st.integers(0, 60), k=st.integers(1, 5))
def test_the_time_of_a_map_is_its_iteration(t0: int, n: int, k: int) -> None:
    ran = go(compiled(COUNTER), N=t0 + n, t0=t0, stride=k)
    np.testing.assert_array_equal(ran.t, np.arange(t0, t0 + n + 1, k))
    np.testing.assert_array_equal(ran.y[:, 0], np.arange(0, n + 1, k))
    on = go(compiled(COUNTER), N=t0 + n + 3, state=ran.state)
    np.testing.assert_array_equal(on.t, np.arange(t0 + n, t0 + n + 4))
