"""What observers and their results say of themselves."""

import sys

import numpy as np
import pytest
from observers.everyone import everyone
from runtime.models import sim_of

from dynlib import setup
from dynlib.errors import ObserverError
from dynlib.observers import (
    ObserverModule,
    features,
    finite_time_lyapunov,
    intervals,
    lyapunov_max,
    poincare,
    zero_one_test,
)
from dynlib.plans import FinalState

OF_THE_MODEL = {"sum", "mean_divergence"}  # only where volumes change at a known rate


def test_an_observer_says_what_it_gives():
    assert repr(lyapunov_max()) == "<lyapunov_max: exponent, standard_error>"
    assert repr(features("max", name="f")) == "<f: max>"
    assert repr(ObserverModule("mine", outputs=["a"])) == "<mine: a>"
    assert repr(ObserverModule("mine")) == "<mine: no outputs>"


@pytest.mark.parametrize("name", sorted(everyone()))
def test_it_gives_what_it_says(name):
    watch = everyone()[name]
    res = sim_of("driven", "rk4").run(T=9.0, dt=0.01, observers=[watch]).observers[name]
    for given in watch.gives:
        assert hasattr(res, given)
    hidden = set(res) - set(watch.gives) - OF_THE_MODEL
    # A histogram shows the density and its error; the series itself stands in the trace.
    assert hidden <= {"counts_error", "samples", "decompositions"}


def test_counts_are_whole_numbers():
    watch = [intervals("x"), finite_time_lyapunov(5), zero_one_test("x", samples=200)]
    sim = setup("builtin://map/henon", jit=False)
    run = sim.run(N=100, observers=watch).observers
    batch = sim.batch(ic={"x": [0.1, 9.0, 0.2]}, N=100, observers=watch)
    assert not batch.ok[1]
    for name, count in (
        ("intervals", "count"),
        ("finite_time_lyapunov", "windows"),
        ("zero_one_test", "samples"),
    ):
        assert type(run[name][count]) is int
        assert batch.observers[name][count].dtype == np.int64
        assert type(batch[2].observers[name][count]) is int


def test_counts_are_whole_numbers_in_tables():
    pytest.importorskip("xarray")
    sim = setup("builtin://ode/harmonic", stepper="rk4", jit=False)
    batch = sim.batch(ic={"x": [1.0, 2.0]}, T=20.0, dt=0.1, observers=[poincare("x", record=[])])
    assert batch.to_xarray()["poincare_count"].dtype == np.int64
    assert batch.to_pandas()["poincare_count"].dtype == np.int64


def test_ranges_leave_out_runs_that_failed():
    sim = setup("builtin://map/henon", jit=False)
    starts = np.append(np.linspace(0.1, 0.2, 9), 5.0)  # the last runs away
    watch = [features("max", of="x"), lyapunov_max()]
    batch = sim.batch(ic={"x": starts}, N=100, plan=FinalState(), observers=watch)
    assert not batch.ok[-1]
    for name in ("features", "lyapunov_max"):
        assert "ranges leave out 1 run that failed" in repr(batch.observers[name])
    good = batch.observers["features"].max["x"][:-1]
    assert f"x {good.min():.6g} to {good.max():.6g}" in repr(batch.observers["features"])
    assert f"to {batch.observers['lyapunov_max'].exponent[:-1].max():.6g}" in repr(
        batch.observers["lyapunov_max"]
    )


def test_a_summary_is_not_cut_amid_a_word():
    sim = setup("builtin://ode/lorenz", stepper="rk4", jit=False)
    watch = [features("max", "min", "mean", name="everything")]
    res = sim.run(T=5.0, dt=0.01, observers=watch)
    (line,) = (line for line in repr(res).split("\n") if "everything" in line)
    assert line.endswith(" …")
    words = repr(res.observers["everything"]).replace(">", "").split()
    assert line.removesuffix(" …").split()[-1].rstrip(",") in [word.rstrip(",") for word in words]


def test_an_expression_is_not_called_as_a_state():
    sim = setup("builtin://ode/lorenz", stepper="rk4", jit=False)
    for watch in (features("max", x="y"), features("max", of=[], x="y")):
        with pytest.raises(ObserverError, match="'x' is a quantity of 'lorenz' already"):
            sim.run(T=1.0, dt=0.01, observers=[watch])
    found = sim.run(T=1.0, dt=0.01, observers=[features("max", of=[], x="x")]).observers
    assert list(found["features"].max) == ["x"]


def test_an_output_that_is_not_there_is_guessed_once(capsys) -> None:
    found = setup("builtin://map/logistic", jit=False).run(N=20, observers=[lyapunov_max()])
    with pytest.raises(AttributeError, match="Did you mean 'exponent'") as raised:
        _ = found.observers["lyapunov_max"].exponents
    sys.__excepthook__(raised.type, raised.value, None)  # which makes guesses of its own
    assert capsys.readouterr().err.count("Did you mean") == 1
