"""Errors fall with the step as the order of each stepper says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numerics.problems import SWING, swing
from trajectories import ADAPTIVE, FIXED, FLOWS, Ran, compiled, go

ORDERS = {
    "euler": 1, "heun": 2, "rk2": 2, "rk4": 4, "bs23": 3, "rk45": 5, "tsit5": 5, "dop853": 8,
    "ab2": 2, "ab3": 3,
}  # fmt: skip
T = 1.0


def fixed_steps(stepper: str, n: int, **request: object) -> Ran:
    """n equal steps; an adaptive stepper is held to them."""
    h = T / n
    if stepper in ADAPTIVE:
        request["options"] = {"rtol": 1e6, "dt_max": h}
    return go(compiled(SWING, stepper), T, dt=h, **request)


def slope(ns: np.ndarray, errors: list[float]) -> float:
    """Order by least squares: -d log(error) / d log(n)."""
    return -float(np.polyfit(np.log(ns), np.log(errors), 1)[0])


def numbers_of_steps(order: int, *, finer: bool) -> tuple[int, ...]:
    """Steps small enough for the leading term, large enough to stand above rounding.

    All are 1 modulo 3: the time T/3 of the event lies at the same place within its step.
    """
    if order == 8:
        return (13, 16, 19) if finer else (10, 13, 16)
    if order > 3:
        return (100, 130, 160, 208) if finer else (64, 85, 100, 130)
    return (64, 100, 160, 256)


def measured(
    stepper: str, error: Callable[[Ran], float], *, finer: bool = False, **request: object
) -> float:
    """Order of an error."""
    ns = np.array(numbers_of_steps(ORDERS[stepper], finer=finer))
    return slope(ns, [error(fixed_steps(stepper, int(n), **request)) for n in ns])


def order_of(stepper: str) -> object:
    """What is to be measured.

    Errors of order 8 meet rounding soon: steps that leave them well above it are so long that the
    term after the leading one still adds a quarter to the slope.
    """
    return pytest.approx(ORDERS[stepper], abs=0.3 if ORDERS[stepper] == 8 else 0.15)


def test_every_stepper_is_here() -> None:
    assert set(ORDERS) == set(FLOWS) == set(FIXED) | set(ADAPTIVE)
    for name, order in ORDERS.items():
        assert compiled(SWING, name).stepper.order == order


@pytest.mark.parametrize("stepper", FLOWS)
def test_equal_steps_are_taken(stepper: str) -> None:
    ran = fixed_steps(stepper, 40)
    assert ran.raw.stats.steps == 40
    assert ran.raw.stats.rejected == 0


@pytest.mark.parametrize("stepper", FLOWS)
def test_end_point(stepper: str) -> None:
    order = measured(stepper, lambda ran: float(np.abs(ran.final - swing(T)).max()))
    assert order == pytest.approx(ORDERS[stepper], abs=0.15)


@pytest.mark.parametrize("stepper", FLOWS)
def test_whole_trajectory(stepper: str) -> None:
    """Also the first steps: those of a multistep method are as good as the others."""
    order = measured(stepper, lambda ran: float(np.abs(ran.y - swing(ran.t)).max()))
    assert order == order_of(stepper)


@pytest.mark.parametrize("stepper", ["ab2", "ab3"])
def test_start_of_a_multistep_method(stepper: str) -> None:
    """The starting steps alone: one order better than the method, since few of them add up."""
    starting = ORDERS[stepper] - 1
    hs = np.array([0.1, 0.05, 0.025, 0.0125])
    errors = []
    for h in hs:
        ran = go(compiled(SWING, stepper), starting * h, dt=h)
        errors.append(float(np.abs(ran.final - swing(starting * h)).max()))
    assert slope(1 / hs, errors) > ORDERS[stepper] + 0.85


@pytest.mark.parametrize("stepper", FLOWS)
def test_dense_output(stepper: str) -> None:
    """Cubic Hermite and the methods' own interpolants have local errors of order 4, 5 and 8,
    which do not add up: the samples are as good as the steps.
    """
    samples = np.linspace(0.0, T, 173)  # 172 = 4*43: hardly any falls on a step
    order = measured(
        stepper, lambda ran: float(np.abs(ran.y - swing(samples)).max()), samples=samples
    )
    assert order == order_of(stepper)


@pytest.mark.parametrize("stepper", FLOWS)
def test_with_a_located_event_in_the_way(stepper: str) -> None:
    at = T / 3
    level = float(swing(at)[0])
    # The kick makes the solution steeper: errors are larger, and the leading term later alone.
    order = measured(
        stepper,
        lambda ran: float(np.abs(ran.final - swing(T, kicked=at)).max()),
        finer=True,
        p=[level, 1.0, 0.0],
    )
    assert order == order_of(stepper)


@pytest.mark.parametrize("stepper", FLOWS)
def test_time_of_the_event(stepper: str) -> None:
    at = T / 3
    level = float(swing(at)[0])
    order = measured(stepper, lambda ran: abs(float(ran.raw.evt_t[0]) - at), p=[level, 1.0, 0.0])
    # The interpolant adds to the error of the steps, possibly with opposite sign: for the methods
    # of order 4 and 5 both are of one size, and the slope settles late.
    assert order == pytest.approx(ORDERS[stepper], abs=0.15 if ORDERS[stepper] < 4 else 0.4)


@pytest.mark.parametrize("stepper", ADAPTIVE)
def test_error_is_proportional_to_the_tolerance(stepper: str) -> None:
    # loose ones leave too few steps to speak of, tight ones would take bs23 thousands
    tolerances = np.logspace(-4, -7, 7) if stepper == "bs23" else np.logspace(-6, -11, 7)
    errors = []
    for tol in tolerances:
        ran = go(compiled(SWING, stepper), 6.0, options={"rtol": tol, "atol": tol})
        errors.append(float(np.abs(ran.y - swing(ran.t)).max()))
    order = float(np.polyfit(np.log(tolerances), np.log(errors), 1)[0])
    # local extrapolation: the error goes like tol**(p/(q+1)) with p the order, q the embedded one,
    # that is 3/3, 5/5 and 8/8; the number of steps is whole, which scatters single points
    assert order == pytest.approx(1.0, abs=0.12)
    assert max(np.array(errors) / tolerances) < 10
