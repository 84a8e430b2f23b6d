"""What looks wrong about a result is said of batches as of runs."""

import re

import numpy as np
import pytest

from dynlib import grid, setup
from dynlib.observers import (
    covariant_vectors,
    features,
    finite_time_lyapunov,
    first_passage,
    intervals,
    lyapunov_max,
    lyapunov_spectrum,
    poincare,
    time_in,
    zero_one_test,
)
from dynlib.plans import FinalState, Tail

LORENZ = grid(rho=[20.0, 24.0, 28.0, 35.0])
FEW = {"T": 4.0, "dt": 0.02}
COUNTED = re.compile(r"in (\d+) of (\d+) runs, (?:first in )?run (\d+): (.*)")


def assert_counts_the_runs(batch, name, *, flagged):
    found = batch.observers[name]
    own = [batch[i].observers[name].flags for i in range(len(batch))]
    counted = [COUNTED.fullmatch(flag).groups() for flag in found.flags]
    assert sum(int(n) for n, *_ in counted) == sum(map(len, own))
    assert bool(counted) == flagged
    for n, of, first, sentence in counted:
        assert 1 <= int(n) <= int(of) == len(batch)
        assert sentence in own[int(first)]
        assert f"look twice: in {n} of {of} runs" in repr(found)


@pytest.mark.parametrize(
    "watch",
    [
        lyapunov_spectrum(),
        lyapunov_max(),
        lyapunov_max(renorm_every=1000),
        features("mean", "mean_error"),
        time_in("x > 0"),
        finite_time_lyapunov(1.0, trace=Tail(3)),
        finite_time_lyapunov(10.0),
        covariant_vectors(2, trace=Tail(3)),
        zero_one_test("x", every=4),
        zero_one_test("sigma", every=4),
        intervals("z", 25.0),
        poincare("z - 40", max_hits=100),
        poincare("z - 1e3", max_hits=100),
        first_passage("z > 35"),
        first_passage("z > 1e3"),
    ],
    ids=lambda watch: watch.label,
)
def test_a_batch_says_what_its_runs_say(watch):
    sim = setup("builtin://ode/lorenz", stepper="rk4", jit=False)
    batch = sim.batch(params=LORENZ, plan=FinalState(), observers=[watch], lanes=4, **FEW)
    own = [batch[i].observers[watch.label].flags for i in range(len(batch))]
    assert_counts_the_runs(batch, watch.label, flagged=any(own))


def test_exponents_of_long_steps_are_flagged_in_batches():
    sim = setup("builtin://ode/lorenz", stepper="rk4")
    batch = sim.batch(
        params=LORENZ, T=100.0, dt=0.05, plan=FinalState(), observers=[lyapunov_spectrum()]
    )
    assert_counts_the_runs(batch, "lyapunov_spectrum", flagged=True)
    assert any("sum to" in flag for flag in batch.observers["lyapunov_spectrum"].flags)


def test_short_runs_have_no_error_bars_and_say_so():
    sim = setup("builtin://ode/lorenz", stepper="rk4", jit=False)
    watch = [lyapunov_max(), features("mean", "mean_error"), time_in("x > 0")]
    for name, found in sim.run(T=1.0, dt=0.02, observers=watch).observers.items():
        assert any("too short for" in flag for flag in found.flags), name


def test_what_is_never_met_is_flagged():
    sim = setup("builtin://map/henon", jit=False)
    found = sim.run(N=10, observers=[first_passage("x > 9")]).observers["first_passage"]
    assert found.flags == ("'x > 9' was never met.",)


def test_runs_that_failed_are_left_out():
    sim = setup("builtin://map/henon", jit=False)
    starts = np.array([0.1, 5.0, 0.2])  # the second runs away
    batch = sim.batch(ic={"x": starts}, N=50, observers=[first_passage("x > 9 and y > 9")])
    assert batch.ok.tolist() == [True, False, True]
    (flag,) = batch.observers["first_passage"].flags
    assert flag.startswith("in 2 of 3 runs, first in run 0: ")


def test_an_exponent_that_no_hamiltonian_model_has_is_flagged():
    sim = setup("builtin://ode/harmonic", stepper="rk4", jit=False)
    run = {"T": 900.0, "dt": 1.0}  # steps so long that the oscillation dies away
    found = sim.run(observers=[lyapunov_max()], **run).observers["lyapunov_max"]
    assert found.exponent < 0
    assert any("Hamiltonian" in flag for flag in found.flags)


def test_a_dimension_that_means_nothing_is_not_printed():
    model = {
        "model": {"type": "ode"},
        "states": {"x": 1.0, "v": 0.0},
        "equations": {"rhs": {"x": "v", "v": "-4*x"}},
    }
    sim = setup(model, stepper="rk45", jit=False)
    found = sim.run(T=30.0, rtol=1e-10, atol=1e-10, observers=[lyapunov_spectrum()]).observers
    assert "dimension =" not in repr(found)
    assert any("may be zero" in flag for flag in found["lyapunov_spectrum"].flags)
