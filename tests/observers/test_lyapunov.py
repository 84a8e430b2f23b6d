"""Exponents that are known: exactly, by an invariant, or from the literature; and their error bars.

Every estimate is held against its own standard error and against the known value's uncertainty.
"""

import math
from functools import cache

import numpy as np
import pytest

from dynlib import setup
from dynlib.observers import EveryStep, ObserverResult, lyapunov_max, lyapunov_spectrum
from dynlib.plans import FinalState
from dynlib.runtime.sim import Sim

GOLDEN = math.log((3 + math.sqrt(5)) / 2)
SURE = 4.0  # standard errors: one estimate in 15,000 lies farther off

LINEAR = """
[model]
type = "ode"
[states]
x = 1.0
y = 1.0
z = 1.0
[equations.rhs]
x = "-x"
y = "-2*y"
z = "-5*z"
"""


@cache
def sim(model: str, stepper: str | None = None) -> Sim:
    return setup(model, stepper=stepper)


def spectrum(model: str, stepper: str | None = None, **run: object) -> ObserverResult:
    res = sim(model, stepper).run(record=False, observers=[lyapunov_spectrum()], **run)
    return res.observers["lyapunov_spectrum"]


def largest(model: str, **run: object) -> ObserverResult:
    res = sim(model).run(record=False, observers=[lyapunov_max()], **run)
    return res.observers["lyapunov_max"]


def many(model: str, observer: object, stepper: str | None = None, **run: object) -> ObserverResult:
    """Over many starts, which are drawn once and for all."""
    batch = sim(model, stepper).batch(plan=FinalState(), observers=[observer], **run)
    assert batch.ok.all()
    (found,) = batch.observers.values()
    return found


def starts(seed: int, n: int, **spans: tuple[float, float]) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.uniform(*span, n) for name, span in spans.items()}


LORENZ = {"x": (-10.0, 10.0), "y": (-10.0, 10.0), "z": (15.0, 30.0)}
HENON = {"x": (-0.1, 0.1), "y": (-0.1, 0.1)}


# -- maps -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("r", "truth", "uncertain"), [(4.0, math.log(2), 0.0), (3.9, 0.49616, 1e-4)]
)
def test_logistic(r: float, truth: float, uncertain: float) -> None:
    found = largest("builtin://map/logistic", N=1_000_000, transient=1000, params={"r": r})
    error = abs(found.exponent - truth)
    assert error < SURE * found.standard_error + uncertain
    assert error < 1e-3  # not by the breadth of the error bar alone
    assert found.standard_error < 1e-3


def test_logistic_of_period_two() -> None:
    """The multiplier of the cycle is 4 + 2r - r^2 = 0.16."""
    found = largest("builtin://map/logistic", N=40_000, transient=1000, params={"r": 3.2})
    # The batch that is left out has an even number of iterations, as has the run.
    assert found.exponent == pytest.approx(math.log(0.16) / 2, rel=1e-12)


@pytest.mark.parametrize("mu", [2.0 - 1e-12, 1.7])
def test_tent(mu: float) -> None:
    """Every orbit has the exponent ln(mu); mu = 2 itself shifts all bits of an orbit out."""
    found = largest("builtin://map/tent", N=10_000, params={"mu": mu})
    assert found.exponent == pytest.approx(math.log(mu), rel=1e-12)


def test_cat_map() -> None:
    found = spectrum("builtin://map/arnold-cat", N=5_000)
    # The matrix is constant: once the vectors have aligned, within the batch that is left out,
    # nothing but rounding is left.
    assert found.exponents == pytest.approx([GOLDEN, -GOLDEN], rel=1e-12)
    assert found.flags == ()


def test_henon() -> None:
    found = spectrum("builtin://map/henon", N=400_000, transient=1000)
    assert found["sum"] == pytest.approx(math.log(0.3), rel=1e-11)
    assert (np.abs(found.exponents - [0.41922, -1.62319]) < SURE * found.standard_errors).all()
    assert (found.standard_errors < 2e-3).all()
    assert found.flags == ()
    # Exponents leave out the first batch; of the sum that changes nothing.
    assert found.exponents.sum() == pytest.approx(math.log(0.3), rel=1e-11)
    assert found.kaplan_yorke == pytest.approx(1 + 0.41922 / 1.62319, abs=2e-3)
    first, second = found.standard_errors
    error = (first + (found.kaplan_yorke - 1) * second) / -found.exponents[1]
    assert found.kaplan_yorke_error == pytest.approx(error)


def test_standard_map() -> None:
    found = many(
        "builtin://map/standard",
        lyapunov_max(),
        ic=starts(6, 128, p=(-3.1, 3.1), theta=(0.0, 6.2)),
        params={"K": 6.0},
        N=200_000,
    )
    error = math.sqrt(np.mean(found.standard_error**2) / 128)
    assert error < 3e-4
    assert found.exponent.mean() == pytest.approx(1.1365, abs=SURE * error + 2e-4)


# -- flows ----------------------------------------------------------------------------------------


def test_linear_flow() -> None:
    """The exponents are those of the stepper: logarithms of its polynomial, which is exp nearly."""
    dt = 0.01
    found = spectrum(LINEAR, "rk4", T=50.0, dt=dt, ic={"x": 1.0, "y": 1.0, "z": 1.0})
    growth = [1 + z + z**2 / 2 + z**3 / 6 + z**4 / 24 for z in (-dt, -2 * dt, -5 * dt)]
    assert found.exponents == pytest.approx(np.log(growth) / dt, rel=1e-11)
    assert found.exponents == pytest.approx([-1, -2, -5], rel=1e-6)  # (5 dt)^4 / 120
    assert found.flags == ()


def test_lorenz() -> None:
    found = many(
        "builtin://ode/lorenz", lyapunov_spectrum(), "rk4",
        ic=starts(1, 64, **LORENZ), T=1000.0, dt=0.01, transient=20.0,
    )  # fmt: skip
    errors = np.sqrt(np.mean(found.standard_errors**2, axis=0) / 64)
    assert (errors < 1e-3).all()
    means = found.exponents.mean(axis=0)
    assert (np.abs(means - [0.9056, 0.0, -14.5723]) < SURE * errors + 3e-4).all()
    # Volumes shrink at a constant rate; what is left is the stepper's error.
    assert found["sum"] == pytest.approx(np.full(64, -41 / 3), rel=1e-5)
    assert found["mean_divergence"] == pytest.approx(np.full(64, -41 / 3), rel=1e-12)
    assert found.kaplan_yorke.mean() == pytest.approx(2.0621, abs=1e-3)
    spread = found.kaplan_yorke.std()
    assert spread / 2 < found.kaplan_yorke_error.mean() < 3 * spread


def test_rossler() -> None:
    found = many(
        "builtin://ode/rossler", lyapunov_spectrum(), "rk4",
        ic=starts(2, 64, x=(-5.0, 5.0), y=(-5.0, 5.0), z=(0.0, 0.1)),
        T=2000.0, dt=0.02, transient=200.0,
    )  # fmt: skip
    errors = np.sqrt(np.mean(found.standard_errors**2, axis=0) / 64)
    assert (errors < 4e-3).all()
    means = found.exponents.mean(axis=0)
    assert (np.abs(means - [0.0713, 0.0, -5.3942]) < SURE * errors + 2e-4).all()
    # The divergence is a - c + x; its mean is taken by the trapezoidal rule.
    assert found["sum"] == pytest.approx(found["mean_divergence"], abs=2e-3)


def lorenz96(n: int) -> str:
    states = "\n".join(f"x{i} = {8.0 + 0.01 * (i == 0)}" for i in range(n))
    rates = "\n".join(
        f'x{i} = "(x{(i + 1) % n} - x{(i - 2) % n}) * x{(i - 1) % n} - x{i} + F"' for i in range(n)
    )
    return (
        f'[model]\ntype = "ode"\n[states]\n{states}\n[params]\nF = 8.0\n[equations.rhs]\n{rates}\n'
    )


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_lorenz96_on_forty_places() -> None:
    found = spectrum(lorenz96(40), "rk4", T=1000.0, dt=0.02, transient=50.0)
    exponents, errors = found.exponents, found.standard_errors
    assert 1.68 - SURE * errors[0] < exponents[0] < 1.70 + SURE * errors[0]
    assert errors[0] < 0.05
    assert np.count_nonzero(exponents > 0.03) == 13
    assert found["sum"] == pytest.approx(-40.0, rel=1e-4)
    assert found.kaplan_yorke == pytest.approx(27.1, abs=0.2)


# -- error bars -----------------------------------------------------------------------------------


RUNS = 400
"""Runs of a test of coverage: a share of 68 % is then known to 2.3 %, one of 95 % to 1.1 %."""


@pytest.mark.parametrize(
    ("model", "truth", "run"),
    [
        ("builtin://map/logistic", math.log(2), {"N": 2_000, "params": {"r": 4.0}}),
        ("builtin://map/logistic", math.log(2), {"N": 20_000, "params": {"r": 4.0}}),
        ("builtin://map/henon", 0.41922, {"N": 5_000, "transient": 100}),
        ("builtin://map/henon", 0.41922, {"N": 20_000, "transient": 100}),
        ("builtin://ode/lorenz", 0.9056, {"T": 200.0, "dt": 0.01, "transient": 20.0}),
        ("builtin://ode/lorenz", 0.9056, {"T": 1000.0, "dt": 0.01, "transient": 20.0}),
    ],
)
def test_error_bars_are_honest(model: str, truth: float, run: dict[str, object]) -> None:
    """One standard error covers the truth in about two runs of three, two in nine of ten.

    The errors of the logistic map have longer tails than a normal distribution, so that more of
    them lie near zero.
    """
    spans = {"logistic": {"x": (0.1, 0.9)}, "henon": HENON, "lorenz": LORENZ}
    ic = starts(3, RUNS, **spans[model.rpartition("/")[2]])
    stepper = "rk4" if "ode" in model else None
    found = many(model, lyapunov_max(), stepper, ic=ic, **run)
    off = np.abs(found.exponent - truth) / found.standard_error
    assert 0.55 < np.mean(off < 1) < 0.85
    assert np.mean(off < 2) > 0.88  # nine of ten, less than two deviations of the share itself


def test_short_runs_have_no_error_bar() -> None:
    found = setup("builtin://map/henon", jit=False).run(N=100, observers=[lyapunov_max()])
    assert np.isnan(found.observers["lyapunov_max"].standard_error)


# -- stopping and going on ------------------------------------------------------------------------


def test_a_target_ends_the_run() -> None:
    observer = lyapunov_max(target_se=0.01)
    s = sim("builtin://map/henon")
    res = s.run(N=1_000_000, transient=100, observers=[observer])
    found = res.observers["lyapunov_max"]
    assert res.status.name == "EARLY_EXIT"
    assert res.ok
    assert found.standard_error <= 0.01
    assert 2_560 <= res.t[-1] < 100_000  # no sooner than 64 batches of 40 iterations
    assert found.exponent == pytest.approx(0.41922, abs=SURE * 0.01)


def test_a_target_out_of_reach_ends_at_the_horizon() -> None:
    observer = lyapunov_max(target_se=1e-6)
    res = sim("builtin://map/henon").run(N=50_000, record=False, observers=[observer])
    assert res.status.name == "DONE"
    assert res.observers["lyapunov_max"].standard_error > 1e-6


def test_going_on_is_the_same_as_one_run() -> None:
    whole = setup("builtin://map/henon", jit=False)
    parts = setup("builtin://map/henon", jit=False)
    observer = lyapunov_spectrum(record_interval=50)
    one = whole.run(N=3000, observers=[observer]).observers["lyapunov_spectrum"]
    parts.run(N=700, observers=[observer])
    parts.run(N=803, resume=True, observers=[observer])
    two = parts.run(N=1497, resume=True, observers=[observer]).observers["lyapunov_spectrum"]
    assert np.array_equal(one.exponents, two.exponents)
    assert np.array_equal(one.standard_errors, two.standard_errors)
    assert np.array_equal(one.trace, two.trace)


def test_a_trace_ends_with_the_result() -> None:
    observer = lyapunov_spectrum(renorm_every=4, record_interval=20)
    res = setup("builtin://map/henon", jit=False).run(N=400, observers=[observer])
    found = res.observers["lyapunov_spectrum"]
    assert np.array_equal(found.trace_time, np.arange(20, 401, 20))
    assert found.trace.shape == (20, 2)
    assert np.array_equal(found.trace[-1], found.exponents)
    assert np.array_equal(found["exponent1"], found.trace[:, 0])


def test_renormalisation_changes_nothing_but_rounding() -> None:
    s = setup("builtin://map/henon", jit=False)
    found = [
        s.run(N=480, observers=[lyapunov_spectrum(renorm_every=every)]).observers
        for every in (1, 2, 4)
    ]
    sums = [o["lyapunov_spectrum"]["sum"] for o in found]
    assert sums == pytest.approx([math.log(0.3)] * 3, rel=1e-10)  # vectors lean by up to 5e2


def test_a_trace_that_keeps_every_row() -> None:
    observer = lyapunov_max(renorm_every=5, trace=EveryStep(5))
    res = setup("builtin://map/logistic", jit=False).run(N=50, observers=[observer])
    assert len(res.observers["lyapunov_max"].trace_time) == 10


# -- flags ----------------------------------------------------------------------------------------


def test_steps_that_are_too_long_are_flagged() -> None:
    long = spectrum("builtin://ode/rossler", "rk4", T=400.0, dt=0.15, transient=50.0)
    assert any("sum to" in flag for flag in long.flags)
    assert "look twice" in repr(long)
    short = spectrum("builtin://ode/rossler", "rk4", T=400.0, dt=0.01, transient=50.0)
    assert not any("sum to" in flag for flag in short.flags)


def test_a_flow_without_a_zero_exponent_is_flagged() -> None:
    """A trajectory that escapes for ever has none: there is no attractor to be on."""
    escaping = LINEAR.replace("-", "")
    early = spectrum(escaping, "rk4", T=20.0, dt=0.01)
    assert any("no exponent is zero" in flag for flag in early.flags)
    late = spectrum("builtin://ode/lorenz", "rk4", T=200.0, dt=0.01, transient=20.0)
    assert late.flags == ()


def test_pairs_of_a_hamiltonian_flow() -> None:
    good = spectrum("builtin://ode/henon-heiles", "rk4", T=2000.0, dt=0.05)
    assert good.flags == ()
    assert good["sum"] == pytest.approx(0.0, abs=1e-5)  # what rk4 loses
    # With long steps rk4 loses energy in every one (h^6/144 of it): the exponents all sink.
    bad = spectrum("builtin://ode/henon-heiles", "rk4", T=800.0, dt=1.0)
    assert any("pairs" in flag for flag in bad.flags)


def test_pairs_of_a_symplectic_map() -> None:
    found = spectrum("builtin://map/standard", N=100_000, params={"K": 6.0})
    assert found.flags == ()
    assert found.facts["symplectic"]
    assert found.exponents.sum() == pytest.approx(0.0, abs=1e-10)  # rounding of 1e5 iterations
    assert not spectrum("builtin://map/henon", N=1000).facts["symplectic"]
