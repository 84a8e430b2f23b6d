"""rk45, bs23, dop853 are SciPy's RK45, RK23, DOP853, step by step, given the same step sizes."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numerics.problems import SWING
from numerics.stage_functions import Steps
from scipy.integrate import DOP853, RK23, RK45, solve_ivp
from scipy.integrate._ivp.common import norm
from scipy.integrate._ivp.rk import Dop853DenseOutput, rk_step
from trajectories import compiled, go

LORENZ_URI = "builtin://ode/lorenz"
TWINS = {"rk45": RK45, "bs23": RK23, "dop853": DOP853}

# Sums of at most 12 products, each of 4 factors: in any order, and with fma or without, they are
# right to 16 roundings of the sum of the products' sizes. Two such sums differ by up to twice that.
ROUNDINGS = 2 * 16 * 2.0**-53
TINY = 1e-300  # products that underflow


class Twin:
    """One step by dynlib, and SciPy's formulas applied to dynlib's own slopes.

    So each slope is judged by those before it, and what rounding took from one is not amplified
    by the next. `slope` bounds the entries of the Jacobian, row by row, where no state is larger
    than its argument.
    """

    def __init__(
        self, source: str, name: str, slope: Callable[[float], float], t: float, u: np.ndarray,
        h: float,
    ) -> None:  # fmt: skip
        self.steps = Steps(source, name, rtol=1e-6, atol=1e-7)
        self.formulas = TWINS[name]
        self.slope = slope
        self.t, self.u, self.h = t, u, h
        self.v, self.k = self.steps.attempt(t, h, u)

    def sum(
        self, weights: np.ndarray, start: np.ndarray | float, k: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """`start` and the weighted slopes over a step, and by how much rounding may change it."""
        k = (self.k if k is None else k)[: len(weights)]
        size = np.abs(start) + abs(self.h) * (np.abs(weights) @ np.abs(k))
        return start + self.h * (weights @ k), ROUNDINGS * size + TINY

    def check_slopes(self) -> None:
        """Each slope is the right-hand side at SciPy's place."""
        rows = zip(self.formulas.C, self.formulas.A, strict=True)
        places = [(c, a[:s]) for s, (c, a) in enumerate(rows)]
        for s, (c, weights) in enumerate([*places, (1.0, self.formulas.B)]):
            place, rounding = self.sum(weights, self.u)
            want = self.steps.rhs(self.t + c * self.h, place)
            # both states equal the right one but for `rounding`, from where the slopes differ
            allowed = self.slope(float(np.abs(place).max())) * float(rounding.max())
            np.testing.assert_allclose(self.k[s], want, rtol=0, atol=allowed)

    def check_end(self) -> None:
        """The step ends where SciPy's does."""
        want, rounding = self.sum(self.formulas.B, self.u)
        assert np.all(np.abs(self.v - want) <= rounding)


def lorenz_slope(size: float) -> float:
    """The second row: |rho - z| + 1 + |x|; the first sums to 20, the third to less."""
    return 29 + 2 * size


def swing_slope(size: float) -> float:
    """Rows of `SWING` up to the time 4; y there is z - x**2."""
    y = size + size**2
    return 16 * y * (1 + 2 * size) + 4 * (2 * size + 3 * size**2) + 2 * (1 + 2 * size)


def lorenz(name: str, t: float, u: np.ndarray, h: float) -> Twin:
    return Twin(LORENZ_URI, name, lorenz_slope, t, u, h)


states = st.lists(st.floats(-20, 20), min_size=3, max_size=3).map(np.array)
sizes = st.floats(1e-4, 0.1) | st.floats(-0.1, -1e-4)
brief = st.floats(1e-3, 0.2)  # for `SWING`, whose squares soon overflow where steps are too long
names = st.sampled_from(sorted(TWINS))
pairs = st.sampled_from(["bs23", "rk45"])  # one error estimate, no stages for the interpolant


@given(name=names, t=st.floats(-5, 5), u=states, h=sizes)
@example("rk45", 0.0, np.array([0.0, 7.867, -16.0]), -0.1)  # slopes up to 1e4 that cancel
def test_one_step(name: str, t: float, u: np.ndarray, h: float) -> None:
    twin = lorenz(name, t, u, h)
    twin.check_slopes()
    twin.check_end()


@given(name=names, t=st.floats(0, 3), x=st.floats(0.1, 0.9), y=st.floats(0.1, 1), h=brief)
def test_one_step_of_a_problem_that_knows_the_time(
    name: str, t: float, x: float, y: float, h: float
) -> None:
    twin = Twin(SWING, name, swing_slope, t, np.array([x, y]), h)
    twin.check_slopes()
    twin.check_end()


@given(name=pairs, t=st.floats(-5, 5), u=states, h=sizes)
def test_error_estimate(name: str, t: float, u: np.ndarray, h: float) -> None:
    twin = lorenz(name, t, u, h)
    scale = 1e-7 + 1e-6 * np.maximum(np.abs(u), np.abs(twin.v))
    estimate, rounding = twin.sum(twin.formulas.E, 0.0)
    # dynlib's weights are differences of larger ones, B, that were rounded
    rounding += twin.sum(twin.formulas.B, 0.0)[1] / 16
    got = twin.steps.error_norm(h, u, twin.v, twin.k)
    # a norm changes by no more than the norm of a change; the squares are rounded and may underflow
    allowed = norm(rounding / scale) + np.sqrt(TINY)
    assert np.sqrt(got) == pytest.approx(norm(estimate / scale), rel=1e-14, abs=allowed)


@given(t=st.floats(-5, 5), u=states, h=sizes)
@example(0.0, np.zeros(3), 0.1)  # at rest: both estimates are 0
def test_two_error_estimates(t: float, u: np.ndarray, h: float) -> None:
    twin = lorenz("dop853", t, u, h)
    scale = 1e-7 + 1e-6 * np.maximum(np.abs(u), np.abs(twin.v))
    want = DOP853._estimate_error_norm(DOP853, twin.k, h, scale)
    # E**2/sqrt(E**2 + E'**2/100), with norms E and E' of the two, changes by at most 1.09 of what E
    # does and 0.04 of what E' does
    _, fine = twin.sum(DOP853.E5, 0.0)
    _, coarse = twin.sum(DOP853.E3, 0.0)
    allowed = norm((1.1 * fine + 0.04 * coarse) / scale) + np.sqrt(TINY)
    got = twin.steps.error_norm(h, u, twin.v, twin.k)
    assert np.sqrt(got) == pytest.approx(want, rel=1e-14, abs=allowed)


@given(name=pairs, t=st.floats(-5, 5), u=states, h=sizes, theta=st.floats(0, 1))
def test_dense_output(name: str, t: float, u: np.ndarray, h: float, theta: float) -> None:
    twin = lorenz(name, t, u, h)
    powers = theta ** np.arange(1, twin.formulas.P.shape[1] + 1)
    want, _ = twin.sum(twin.formulas.P @ powers, u)
    # the weights are polynomials whose terms may cancel
    _, rounding = twin.sum(np.abs(twin.formulas.P) @ powers, u)
    got = twin.steps.inside(theta, t, h, u, twin.v, twin.k)
    assert np.all(np.abs(got - want) <= rounding)


def check_continuation(twin: Twin, theta: float) -> None:
    """SciPy's dense output, its further stages included, from dynlib's slopes."""
    t, u, v, h = twin.t, twin.u, twin.v, twin.h
    k = np.vstack([twin.k, np.zeros((3, len(u)))])
    solver = SimpleNamespace(
        K_extended=k, h_previous=h, A_EXTRA=DOP853.A_EXTRA, C_EXTRA=DOP853.C_EXTRA, D=DOP853.D,
        n_stages=12, n=len(u), fun=twin.steps.rhs, t_old=t, y_old=u, t=t + h, y=v, f=twin.k[-1],
    )  # fmt: skip
    terms = DOP853._dense_output_impl(solver).F  # fills the rows of k, too
    want = Dop853DenseOutput(0.0, h, u, terms)(theta * h)
    # by how much each of the further stages may differ, as rounding and those before it have it
    off = np.zeros(16)
    for s, a in enumerate(DOP853.A_EXTRA, start=13):
        place, rounding = twin.sum(a[:s], u, k)
        shift = rounding.max() + abs(h) * np.abs(a[:s]) @ off[:s]
        off[s] = twin.slope(float(np.abs(place).max())) * shift
    # terms r1, r2, r3 are sums of these; factors theta and 1 - theta are at most 1
    size = 4 * (np.abs(u) + np.abs(v) + abs(h) * (np.abs(k[0]) + np.abs(k[12])))
    allowed = ROUNDINGS * size + sum(twin.sum(d, 0.0, k)[1] for d in DOP853.D)
    allowed += abs(h) * float((np.abs(DOP853.D) @ off).sum())
    got = twin.steps.inside(theta, t, h, u, v, twin.k)
    assert np.all(np.abs(got - want) <= allowed)


thetas = st.floats(0, 1)


@given(t=st.floats(-5, 5), u=states, h=sizes, theta=thetas)
def test_continuation(t: float, u: np.ndarray, h: float, theta: float) -> None:
    check_continuation(lorenz("dop853", t, u, h), theta)


@given(
    t=st.floats(0, 3), x=st.floats(0.1, 0.9), y=st.floats(0.1, 1), h=brief,
    theta=thetas,
)  # fmt: skip
def test_continuation_of_a_problem_that_knows_the_time(
    t: float, x: float, y: float, h: float, theta: float
) -> None:
    check_continuation(Twin(SWING, "dop853", swing_slope, t, np.array([x, y]), h), theta)


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
    ("dop853", 1e-6): 1.0, ("dop853", 1e-9): 1.0, ("dop853", 1e-12): 1.0,
}  # fmt: skip


@pytest.mark.parametrize(("name", "tol"), BUDGET)
def test_evaluations_for_a_tolerance(name: str, tol: float) -> None:
    """SciPy at the same tolerance needs about as many; that is what a good control costs."""
    model = compiled(LORENZ_URI, name)
    steps = Steps(LORENZ_URI, name)
    start, T = np.array([1.0, 1.0, 1.0]), 3.0
    ran = go(model, T, y=start, options={"rtol": tol, "atol": tol})
    peer = solve_ivp(
        lambda t, u: steps.rhs(t, u),
        (0, T),
        start,
        method=TWINS.get(name, RK45),
        rtol=tol,
        atol=tol,
    )
    # PI control against SciPy's plain control: a tenth more or less
    assert ran.raw.stats.evaluations <= 1.1 * BUDGET[name, tol] * peer.nfev
    # the longer the steps, the more often one is too long for what comes
    allowed = 0.2 if name == "dop853" else 0.15
    assert ran.raw.stats.rejected <= allowed * ran.raw.stats.steps
