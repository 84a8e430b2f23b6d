"""Tangent vectors of `Sim.flow` of any length, which are carried along linearly; and none."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import expm

from dynlib import setup
from dynlib.errors import RunFailed

LORENZ = "builtin://ode/lorenz"
REST = np.zeros(3)


@pytest.mark.parametrize("stepper", ["rk45", "rk4"])
@pytest.mark.parametrize("power", [-1000, -700, -60, 60, 500, 900])
def test_a_vector_times_a_number_is_the_end_times_it(stepper: str, power: int) -> None:
    """To the last bit for powers of 2: squares of such vectors are 0, or infinite."""
    sim = setup(LORENZ, stepper=stepper)
    for y in ([1.0, 2.0, 3.0], REST):
        M = sim.flow(y, 1.0, np.eye(3))[1]
        assert_array_equal(sim.flow(y, 1.0, np.eye(3) * 2.0**power)[1], M * 2.0**power)
        columns = np.array([2.0**power, 1.0, 2.0**-power])
        assert_array_equal(sim.flow(y, 1.0, np.eye(3) * columns)[1], M * columns)


def test_long_vectors_at_rest_are_right() -> None:
    sim = setup(LORENZ, stepper="dop853")
    exact = expm(sim.equations.jacobian(REST))
    found = sim.flow(REST, 1.0, np.eye(3) * 2.0**900, rtol=1e-9)[1] * 2.0**-900
    assert_allclose(found, exact, rtol=1e-7, atol=1e-7 * exact.max())


@pytest.mark.parametrize(("dtype", "T"), [("float64", 30.0), ("float32", 3.5)])
def test_growth_beyond_what_is_known_is_a_failure(dtype: str, T: float) -> None:
    model = {
        "model": {"type": "ode", "name": "grow", "dtype": dtype},
        "states": {"x": 0.0, "y": 0.0},
        "equations": {"rhs": {"x": "11*x + y", "y": "-y"}},
    }
    sim = setup(model, stepper="rk45")
    with pytest.raises(RunFailed, match="flow: a tangent vector grew by more than") as caught:
        sim.flow([0.0, 0.0], T, np.eye(2))
    assert np.isnan(caught.value.results.tangents).all()
    assert_array_equal(caught.value.results.y, [0.0, 0.0])
    found = sim.flow(np.zeros((9, 2)), np.where(np.arange(9) == 4, T, 1.0), np.eye(2),
                     on_failure="return")  # fmt: skip
    assert np.isnan(found.tangents).all(axis=(1, 2)).tolist() == (np.arange(9) == 4).tolist()
    assert_allclose(found.tangents[0, 0, 0], np.exp(11.0), rtol=1e-3)


def test_no_vectors_are_none() -> None:
    sim = setup(LORENZ, stepper="rk4")
    ends, none = sim.flow(np.ones((4, 3)), 0.5, np.zeros((3, 0)))
    assert none.shape == (4, 3, 0)
    assert_array_equal(ends, sim.flow(np.ones((4, 3)), 0.5))
    assert sim.flow(np.ones(3), np.ones((2, 0)), np.zeros((3, 0)))[1].shape == (2, 0, 3, 0)
