"""Standard errors of averages: how often they cover the truth, and how they shrink."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dynlib import setup
from dynlib.errors import ObserverError
from dynlib.observers import features, histogram, intervals, time_in
from dynlib.observers.averages.zero_one_result import ZeroOneResult
from dynlib.plans import FinalState

RUNS = 500
AVERAGES = ("mean", "variance", "mean_error", "variance_error")

FILTERED = """
[model]
name = "a filter driven by a chaotic map"
type = "map"

[states]
u = 0.3
s = 0.0

[params]
keep = 0.98

[equations.rhs]
u = "4*u*(1 - u)"
s = "keep*s + u - 0.5"
"""


def assert_honest(value: Any, error: Any, truth: Any) -> None:
    """One standard error covers two thirds, two cover more than nine tenths.

    Batches are few, so that the error is known to a quarter, and the ratio has longer tails than a
    normal variable: 2 errors cover 92 % rather than 95.  The margins are three standard deviations
    of what 500 runs show.
    """
    ratio = np.abs(np.asarray(value) - truth) / np.asarray(error)
    assert np.isfinite(ratio).all()
    assert 0.60 < np.mean(ratio < 1) < 0.76
    assert 0.885 < np.mean(ratio < 2) < 0.985


def starts(low: float, high: float, runs: int = RUNS) -> Any:
    return np.random.default_rng(7).uniform(low, high, runs)


def logistic(N: int, observers: list[Any]) -> Any:
    sim = setup("builtin://map/logistic")
    return sim.batch(
        ic={"x": starts(0.01, 0.99)}, params={"r": np.full(RUNS, 4.0)}, N=N, transient=50,
        plan=FinalState(), observers=observers,
    ).observers  # fmt: skip


def test_a_map_whose_moments_are_known() -> None:
    found = logistic(5000, [features(*AVERAGES), time_in("x < 0.25"), histogram("x", 8, (0, 1))])
    o, t, h = found["features"], found["time_in"], found["histogram"]
    assert_honest(o.mean["x"], o.mean_error["x"], 0.5)
    assert_honest(o.variance["x"], o.variance_error["x"], 0.125)
    assert_honest(t.fraction, t.fraction_error, 1 / 3)
    share = 2 / np.pi * np.arcsin(np.sqrt(h.edges))
    assert_honest(h.density, h.density_error, np.diff(share) / np.diff(h.edges))


def test_henon() -> None:
    sim = setup("builtin://map/henon")

    def moments(runs: int, N: int, *kinds: str) -> Any:
        ic = {"x": starts(-0.1, 0.1, runs), "y": starts(-0.1, 0.1, runs)[::-1].copy()}
        watch = [features(*kinds)]
        batch = sim.batch(ic=ic, N=N, transient=500, plan=FinalState(), observers=watch)
        return batch.observers["features"]

    truth = moments(64, 1_000_000, "mean", "variance")
    o = moments(RUNS, 6000, *AVERAGES)
    for name in ("x", "y"):
        assert_honest(o.mean[name], o.mean_error[name], truth.mean[name].mean())
        assert_honest(o.variance[name], o.variance_error[name], truth.variance[name].mean())


@pytest.mark.parametrize(
    ("stepper", "options"),
    [("rk4", {"dt": 0.01}), pytest.param("tsit5", {}, marks=pytest.mark.slow)],
)
def test_lorenz(stepper: str, options: dict[str, Any]) -> None:
    """Maxima of z follow on each other in a way that is far from independent."""
    sim = setup("builtin://ode/lorenz", stepper=stepper)
    watch = [
        features("mean", "mean_error", "variance", "variance_error"), time_in("x > 8"),
        intervals("z", 27.0), intervals("x", direction="either", name="flips"),
    ]  # fmt: skip

    def run(runs: int, T: float) -> Any:
        return sim.batch(
            ic={"x": starts(1.0, 5.0, runs)}, T=T, transient=20.0, plan=FinalState(),
            observers=watch, **options,
        ).observers  # fmt: skip

    truth, found = run(200, 1000.0), run(RUNS, 220.0)
    o = found["features"]
    assert truth["features"].mean["z"].mean() == pytest.approx(23.55, abs=0.01)
    assert_honest(o.mean["z"], o.mean_error["z"], truth["features"].mean["z"].mean())
    assert_honest(o.mean["x"], o.mean_error["x"], 0.0)  # by symmetry
    variance = truth["features"].variance["z"].mean()
    assert_honest(o.variance["z"], o.variance_error["z"], variance)
    fraction = truth["time_in"].fraction.mean()
    assert_honest(found["time_in"].fraction, found["time_in"].fraction_error, fraction)
    for name in ("intervals", "flips"):
        number = truth[name].count - 1
        period = (truth[name].period * number).sum() / number.sum()
        assert_honest(found[name].period, found[name].period_error, period)


def test_dependent_intervals_are_not_taken_for_independent_ones() -> None:
    """A long interval of Lorenz's z is made up for by shorter ones."""
    sim = setup("builtin://ode/lorenz", stepper="rk4")
    res = sim.run(T=1000.0, dt=0.01, transient=20.0, record=False, observers=[intervals("z", 27.0)])
    o = res.observers["intervals"]
    assert o.period_error == o.mean_interval_error < 0.8 * o.sd_interval / np.sqrt(o.count)
    assert f"mean_interval = {float(o.period):.8g} ± {float(o.period_error):.2g}" in repr(o)


# -- how errors shrink ------------------------------------------------------------------------


def test_errors_shrink_as_one_over_the_root_of_time() -> None:
    short, long = (logistic(N, [features(*AVERAGES)])["features"] for N in (4000, 64_000))
    for kind in ("mean_error", "variance_error"):
        ratio = np.median(short[kind]["x"]) / np.median(long[kind]["x"])
        assert ratio == pytest.approx(4.0, rel=0.1)  # of 500 runs, each known to a quarter


@pytest.mark.parametrize("model", ["builtin://ode/harmonic", "builtin://ode/vanderpol"])
def test_errors_of_a_periodic_signal_shrink_as_one_over_time(model: str) -> None:
    """What one half of the period adds the other takes away: only the ends are left."""
    sim = setup(model, stepper="rk4")
    x = sim.spec.states[0]
    watch = [features("mean", "mean_error", of=[x]), time_in(f"{x} > 0")]
    errors = []
    for T in (100.0, 6400.0):
        found = sim.run(T=T, dt=0.02, transient=T / 10, record=False, observers=watch).observers
        errors.append((found["features"].mean_error[x], float(found["time_in"].fraction_error)))
        assert abs(found["features"].mean[x]) < 5 * errors[-1][0]
    for early, late in zip(*errors, strict=True):
        assert 12 < early / late < 300  # 64, but for where in a period batches end; the root is 8


@pytest.mark.parametrize(("N", "least"), [(40_000, 0.85), (5_000, 0.6)])
def test_strong_correlation_is_seen(tmp_path: Any, N: int, least: float) -> None:
    """Values that depend on each other over 50 iterates: the usual formula is 10 times too sure."""
    path = tmp_path / "filter.toml"
    path.write_text(FILTERED)
    sim = setup(path)
    batch = sim.batch(
        ic={"u": starts(0.01, 0.99)}, N=N, transient=500, plan=FinalState(),
        observers=[features(*AVERAGES)],
    )  # fmt: skip
    o = batch.observers["features"]
    for kind in ("mean", "variance"):
        true = o[kind]["s"].std()
        assert least < np.sqrt(np.mean(o[f"{kind}_error"]["s"] ** 2)) / true < 1.2
    naive = np.sqrt(o.variance["s"] / N)
    assert np.median(o.mean_error["s"] / naive) > 10 * least


# -- the numbers themselves -------------------------------------------------------------------


def batch_means_error(gained: Any, spans: Any) -> float:
    """Standard error of ``gained.sum() / spans.sum()``, as the documentation describes it."""
    n = len(gained)
    off = gained - gained.sum() / spans.sum() * spans
    most = 2 + n // 10
    lengths = np.arange(1, most + 1)
    sums = np.concatenate([[0.0], np.cumsum(off)])
    variances = [np.mean((sums[m:] - sums[:-m]) ** 2) for m in lengths]
    weights = lengths * (n - lengths) / n
    slope, _ = np.polyfit(weights, variances, 1)
    variance = np.mean(variances) + max(slope, 0.0) * (n - weights.mean())
    return float(np.sqrt(n / (n - 0.5 * most) * variance) / spans.sum())


@pytest.mark.parametrize(
    ("N", "length"), [(230, 32), (3201, 32), (4096, 64), (5000, 64), (12_000, 128)]
)
def test_they_are_batch_means(N: int, length: int) -> None:
    """Between 64 and 128 batches: when all are full, neighbours are joined."""
    sim = setup("builtin://map/henon")
    watch = [features(s="x + 100"), time_in("x > 0"), histogram("x", 3, (-1.5, 1.5))]
    res = sim.run(N=N, observers=watch)
    x = res["x"][1:]
    full = x[: N - N % length].reshape(-1, length)
    spans = np.full(len(full), float(length))
    o, t, h = (res.observers[name] for name in ("features", "time_in", "histogram"))
    expected = batch_means_error(full.sum(axis=1), spans)
    assert o.mean_error["x"] == pytest.approx(expected, rel=1e-9)  # sums of 10^4 numbers
    assert o.mean_error["s"] == pytest.approx(expected, rel=1e-6)  # of 100 rather than 1
    expected = batch_means_error(((full - x.mean()) ** 2).sum(axis=1), spans)
    assert o.variance_error["x"] == pytest.approx(expected, rel=1e-9)
    assert o.variance_error["s"] == pytest.approx(expected, rel=1e-6)
    expected = batch_means_error((full > 0).sum(axis=1).astype(float), spans)
    assert t.fraction_error == pytest.approx(expected, rel=1e-9)
    if N == 4096:  # 32 batches of 128, joined
        fewer = x.reshape(-1, 256)
        expected = batch_means_error((np.abs(fewer) < 0.5).sum(axis=1) * 1.0, np.full(16, 256.0))
        assert h.counts_error[1] == pytest.approx(expected * N, rel=1e-9)
        assert h.density_error[1] == pytest.approx(expected, rel=1e-9)  # bins are 1 wide


def test_a_short_run_has_no_error_bar(jit: bool) -> None:
    sim = setup("builtin://map/henon", jit=jit)
    watch = [features(), time_in("x > 0"), histogram("x", 2, (-2, 2))]
    for N, enough in ((1, False), (223, False), (224, True)):  # 7 batches of 32
        found = sim.run(N=N, observers=watch).observers
        o = found["features"]
        known = [
            *o.mean_error.values(),
            *o.variance_error.values(),
            found["time_in"].fraction_error,
        ]
        assert (np.isfinite(known) == enough).all()
        assert np.isfinite(o.mean["x"])
        assert np.isnan(found["histogram"].density_error).all()


def test_errors_are_computed_where_they_are_asked_for() -> None:
    sim = setup("builtin://map/henon", jit=False)
    res = sim.run(
        N=300, observers=[features("mean", "max"), histogram("x", 2, (-2, 2), errors=False)]
    )
    assert list(res.observers["features"]) == ["max", "mean"]
    assert "counts_error" not in res.observers["histogram"]
    every = sim.run(N=300, observers=[features()]).observers["features"]
    assert list(every) == ["min", "max", *AVERAGES]
    alone = sim.run(N=300, observers=[features("variance_error")]).observers["features"]
    assert alone.variance_error["x"] == every.variance_error["x"]
    alone = sim.run(N=300, observers=[features("mean_error")]).observers["features"]
    assert alone.mean_error["y"] == every.mean_error["y"]
    assert f"mean: x {every.mean['x']:.6g} ± {every.mean_error['x']:.2g}, y" in repr(every)
    assert "_error" not in repr(every)
    assert "mean_error: x" in repr(alone)
    with pytest.raises(ObserverError, match="errors must be True or False"):
        histogram("x", 2, (-2, 2), errors="yes")


def test_the_error_of_a_median_over_frequencies() -> None:
    """Of 100 normal numbers it is 0.125, known to a quarter."""
    found = ZeroOneResult("test", {}, facts={"c": [1.0]}, n_runs=3000)
    found.__dict__["K_of_c"] = np.random.default_rng(3).normal(size=(3000, 100))
    assert found.K.std() == pytest.approx(0.125, abs=0.004)  # of 3000
    assert found.K_error.mean() == pytest.approx(0.125, rel=0.05)  # an order statistic more or less
    assert 0.6 < np.mean(np.abs(found.K) < found.K_error) < 0.76
    few = ZeroOneResult("test", {}, facts={"c": [1.0] * 6, "of": "x"})
    few.__dict__["K_of_c"] = np.arange(6.0)
    assert np.isnan(few.K_error)
