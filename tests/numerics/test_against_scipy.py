"""rk45 and bs23 are SciPy's RK45 and RK23, step by step, given the same step sizes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numerics.problems import SWING
from numerics.stage_functions import Steps
from scipy.integrate import RK23, RK45, solve_ivp
from scipy.integrate._ivp.common import norm
from scipy.integrate._ivp.rk import rk_step
from trajectories import compiled, go

LORENZ_URI = "builtin://ode/lorenz"
TWINS = {"rk45": RK45, "bs23": RK23}

# A state of size 1 is a sum of at most 7 products of size 1: about 7 roundings of 1.1e-16, here
# and there, and Lorenz' states and slopes are up to 50 times larger than their sums.
CLOSE = {"rtol": 1e-14, "atol": 5e-14}


class Both:
    """One step by dynlib and by SciPy's formulas."""

    def __init__(self, source: str, name: str, t: float, u: np.ndarray, h: float) -> None:
        self.steps = Steps(source, name, rtol=1e-6, atol=1e-7)
        self.twin = TWINS[name]
        self.t, self.u, self.h = t, u, h
        self.v, self.k = self.steps.attempt(t, h, u)
        self.stages = np.empty((self.twin.n_stages + 1, u.size))
        f = self.steps.rhs(t, u)
        self.w, _ = rk_step(
            self.steps.rhs, t, u, f, h, self.twin.A, self.twin.B, self.twin.C, self.stages
        )


states = st.lists(st.floats(-20, 20), min_size=3, max_size=3).map(np.array)
sizes = st.floats(1e-4, 0.1) | st.floats(-0.1, -1e-4)
names = st.sampled_from(sorted(TWINS))


@given(name=names, t=st.floats(-5, 5), u=states, h=sizes)
def test_one_step(name: str, t: float, u: np.ndarray, h: float) -> None:
    both = Both(LORENZ_URI, name, t, u, h)
    np.testing.assert_allclose(both.k, both.stages, rtol=1e-12, atol=1e-11)  # slopes up to 1e4
    np.testing.assert_allclose(both.v, both.w, **CLOSE)


@given(
    name=names, t=st.floats(0, 3), x=st.floats(0.1, 0.9), y=st.floats(0.1, 1), h=st.floats(1e-3, 1)
)
def test_one_step_of_a_problem_that_knows_the_time(
    name: str, t: float, x: float, y: float, h: float
) -> None:
    both = Both(SWING, name, t, np.array([x, y]), h)
    np.testing.assert_allclose(both.v, both.w, **CLOSE)


@given(name=names, t=st.floats(-5, 5), u=states, h=sizes)
def test_error_estimate(name: str, t: float, u: np.ndarray, h: float) -> None:
    both = Both(LORENZ_URI, name, t, u, h)
    scale = 1e-7 + 1e-6 * np.maximum(np.abs(u), np.abs(both.w))
    estimate = both.stages.T @ both.twin.E * h
    want = norm(estimate / scale) ** 2
    got = both.steps.error_norm(h, u, both.v, both.k)
    # The weights of the estimate cancel: what is left of the stages' rounding, over the scale.
    rounding = 1e-15 * float(np.abs(h * both.stages).max()) / float(scale.min())
    assert np.sqrt(got) == pytest.approx(np.sqrt(want), rel=1e-9, abs=4 * rounding)


@given(name=names, t=st.floats(-5, 5), u=states, h=sizes, theta=st.floats(0, 1))
def test_dense_output(name: str, t: float, u: np.ndarray, h: float, theta: float) -> None:
    both = Both(LORENZ_URI, name, t, u, h)
    weights = both.stages.T @ both.twin.P
    want = u + h * theta * (weights @ theta ** np.arange(weights.shape[1]))
    got = both.steps.inside(theta, t, h, u, both.v, both.k)
    # the interpolants' coefficients are up to 10 times larger than the weights
    np.testing.assert_allclose(got, want, rtol=1e-13, atol=5e-13)


@pytest.mark.parametrize("name", sorted(TWINS))
def test_whole_run_along_the_same_steps(name: str) -> None:
    ran = go(compiled(SWING, name), 4.0, options={"rtol": 1e-6, "atol": 1e-6})
    twin, steps = TWINS[name], Steps(SWING, name)
    stages = np.empty((twin.n_stages + 1, 2))
    u = ran.y[0]
    f = steps.rhs(ran.t[0], u)
    for i, h in enumerate(np.diff(ran.t)):
        u, f = rk_step(steps.rhs, ran.t[i], u, f, h, twin.A, twin.B, twin.C, stages)
        # a few roundings a step, on a problem that does not amplify them
        np.testing.assert_allclose(ran.y[i + 1], u, rtol=1e-13)


BUDGET = {
    ("bs23", 1e-4): 1.0, ("bs23", 1e-6): 1.0,
    ("rk45", 1e-4): 1.0, ("rk45", 1e-6): 1.0, ("rk45", 1e-9): 1.0,
    ("tsit5", 1e-6): 0.95, ("tsit5", 1e-9): 0.95,  # its error constant is smaller
}  # fmt: skip


@pytest.mark.parametrize(("name", "tol"), BUDGET)
def test_evaluations_for_a_tolerance(name: str, tol: float) -> None:
    """SciPy at the same tolerance needs about as many; that is what a good control costs."""
    model = compiled(LORENZ_URI, name)
    steps = Steps(LORENZ_URI, name)
    start, T = np.array([1.0, 1.0, 1.0]), 3.0
    ran = go(model, T, y=start, options={"rtol": tol, "atol": tol})
    method = "RK23" if name == "bs23" else "RK45"
    peer = solve_ivp(lambda t, u: steps.rhs(t, u), (0, T), start, method=method, rtol=tol, atol=tol)
    # PI control against SciPy's plain control: a tenth more or less
    assert ran.raw.stats.evaluations <= 1.1 * BUDGET[name, tol] * peer.nfev
    assert ran.raw.stats.rejected <= 0.15 * ran.raw.stats.steps
