"""A lag stays the same within a step: what that does to the order of a method."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

import dynlib
from tests.trajectories import compiled

# x' = -x - 2 x(t - 1) with x = 1 up to t = 0, at t = 2: between whole times a polynomial times
# exp(-t), by the method of steps.
#   up to 1:  x = -2 + 3 e**-t
#   up to 2:  x = 4 + (x(1) - 4 - 6 (t - 1)) e**-(t - 1)
RIGHT = 4 + (-2 + 3 / math.e - 4 - 6) / math.e


def lagged(steps: int) -> str:
    return f"""
[model]
type = "ode"
name = "late"
[states]
x = 1.0
[equations.rhs]
x = "-x - 2*lag_x({steps})"
"""


ORDERS = {"euler": 1, "heun": 1, "rk2": 1, "rk4": 1, "ab2": 2, "ab3": 2}


@pytest.mark.parametrize("stepper", ORDERS)
def test_the_order_of_a_delay_that_is_made_of_lags(stepper: str) -> None:
    errors = []
    for steps in (20, 40, 80):
        sim = dynlib.Sim(compiled(lagged(steps), stepper))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dynlib.AccuracyWarning)
            final = sim.run(T=2.0, dt=1 / steps, record=False).final["x"]
        errors.append(abs(final - RIGHT))
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(
        orders, ORDERS[stepper], atol=0.15
    )  # what is left of the next error term


@pytest.mark.parametrize("stepper", ["heun", "rk2", "rk4"])
def test_a_session_says_so_once(stepper: str) -> None:
    sim = dynlib.Sim(compiled(lagged(3), stepper))
    with pytest.warns(dynlib.AccuracyWarning, match=r"late: .*of x uses lag_x\(3\).*'ab2'") as told:
        [sim.run(T=0.1) for _ in range(2)] + [sim.fastpath(T=0.1)]
    assert len(told) == 1
    assert told[0].filename == __file__


def test_nothing_is_said_where_the_order_is_kept() -> None:
    for stepper in ("euler", "ab2", "ab3"):
        dynlib.Sim(compiled(lagged(3), stepper)).run(T=0.1)
    in_an_aux = lagged(3).replace("- 2*lag_x(3)", "") + '[aux]\nlate = "lag_x(2)"\n'
    dynlib.Sim(compiled(in_an_aux, "rk4")).run(T=0.1)
