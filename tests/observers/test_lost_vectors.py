"""Tangent vectors that become zero, where the derivative of a model is singular."""

from math import inf, log
from typing import Any

import numpy as np
import pytest

from dynlib import grid, setup
from dynlib.observers import (
    covariant_vectors,
    finite_time_lyapunov,
    fli,
    gali,
    lyapunov_max,
    lyapunov_spectrum,
    sali,
)
from dynlib.plans import FinalState

ALL = [lyapunov_max(), lyapunov_spectrum(), finite_time_lyapunov(20), fli()]
HALF = {"x": 0.5}  # the critical point: there the derivative of the logistic map vanishes


def found(model: str, observers: list[Any], *, jit: bool = False, **run: Any) -> Any:
    return setup(model, jit=jit).run(observers=observers, record=False, **run).observers


# From 0.5, r = 4 leads to the fixed point 0, where the derivative is 4; at r = 3.2 a cycle of two
# attracts, whose exponent is log|4 + 2 r - r^2| / 2.
@pytest.mark.parametrize(
    ("r", "exponent"), [(2.0, -inf), (3.2, log(0.16) / 2), (4.0, log(4.0))], ids=str
)
def test_a_start_at_the_critical_point(r: float, exponent: float) -> None:
    o = found("builtin://map/logistic", ALL, N=2000, ic=HALF, params={"r": r})
    assert o["lyapunov_max"].exponent == pytest.approx(exponent, rel=1e-9)
    spectrum = o["lyapunov_spectrum"]
    for value in (spectrum.exponents[0], spectrum["sum"], spectrum["mean_divergence"]):
        assert value == pytest.approx(exponent, rel=1e-9)
    assert bool(o["lyapunov_max"].flags) == (exponent == -inf)
    assert not any("too short" in flag for flag in o["lyapunov_max"].flags)
    # The first window is that of a vector that became zero, and no indicator can go on.
    windows = o["finite_time_lyapunov"]
    assert windows.least == windows.mean == -inf
    assert windows.most == pytest.approx(exponent, rel=1e-9)
    assert any("became zero" in flag for flag in windows.flags)
    assert np.isnan(o["fli"].value)
    assert any("became zero" in flag for flag in o["fli"].flags)
    repr(o)


def test_a_short_run_through_the_critical_point() -> None:
    """Its derivative is zero."""
    o = found("builtin://map/logistic", [lyapunov_max()], N=100, ic=HALF, params={"r": 3.9})
    assert o["lyapunov_max"].exponent == -inf
    assert any("give a transient" in flag for flag in o["lyapunov_max"].flags)


def test_a_transient_leads_away_from_it() -> None:
    run = {"N": 1000, "params": {"r": 4.0}, "transient": 10}
    o = found("builtin://map/logistic", ALL, ic=HALF, **run)
    assert o["finite_time_lyapunov"].mean == pytest.approx(log(4.0))
    assert o["fli"].value == pytest.approx(990 * log(4.0))


@pytest.mark.parametrize("jit", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_runs_and_batches_lose_the_same(jit: bool) -> None:
    sim = setup("builtin://map/logistic", jit=jit)
    values = grid(r=[2.0, 3.2, 3.7, 4.0])
    run = {"N": 700, "ic": HALF, "observers": ALL}
    batch = sim.batch(params=values, plan=FinalState(), lanes=2, **run)
    for i, r in enumerate((2.0, 3.2, 3.7, 4.0)):
        for path in (sim.run, sim.fastpath):
            alone = path(params={"r": r}, **run).observers
            for name, result in alone.items():
                for output, value in result.arrays.items():
                    np.testing.assert_array_equal(batch[i].observers[name].arrays[output], value)


def test_a_map_onto_a_line() -> None:
    """Of Henon's map with b = 0, a parabola is all that is left after one iterate."""
    watch = [lyapunov_spectrum(), covariant_vectors(2), sali(), gali(2), fli()]
    run = {"N": 2000, "params": {"a": 1.7, "b": 0.0}}
    o = found("builtin://map/henon", watch, ic={"x": 0.1, "y": 0.1}, **run)
    largest = o["lyapunov_spectrum"].exponents[0]
    # x -> 1 - a x^2 alone
    (x,) = (setup("builtin://map/henon", jit=False).run(ic={"x": 0.1, "y": 0.1}, **run)["x"],)
    assert largest == pytest.approx(np.log(np.abs(3.4 * x[32:-1])).mean(), abs=2e-3)
    assert o["lyapunov_spectrum"].exponents[1] == -inf
    assert o["lyapunov_spectrum"]["mean_divergence"] == -inf
    covariant = o["covariant_vectors"]
    assert covariant.exponents[0] == pytest.approx(largest, abs=0.05)
    assert covariant.exponents[1] == -inf
    assert any("singular" in flag for flag in covariant.flags)
    # The second vector is the one that the derivative, ((-2 a x, 1), (0, 0)), makes zero.
    jacobian = np.array([[-3.4 * x[100], 1.0], [0.0, 0.0]])
    row = int(np.flatnonzero(covariant.time == 100)[0])
    assert jacobian @ covariant.vectors[row, :, 1] == pytest.approx(0.0, abs=1e-12)
    assert o["sali"].value == pytest.approx(0.0, abs=1e-15)
    assert o["gali"].value == pytest.approx(0.0, abs=1e-15)
    assert o["sali"].time_below == 1
    assert o["fli"].value > 100
    repr(o)


@pytest.mark.parametrize("jit", [False, True])
def test_the_vector_that_is_lost_is_the_last(jit: bool) -> None:
    """At (0, 0) the derivative, ((0, 1), (0, 0)), makes the first axis zero, and not the second."""
    watch = [finite_time_lyapunov(3, k=2, renorm_every=1), lyapunov_spectrum(renorm_every=1)]
    run = {"N": 30, "params": {"a": 1.7, "b": 0.0}, "ic": {"x": 0.0, "y": 0.0}}
    sim = setup("builtin://map/henon", jit=jit)
    res = sim.run(observers=watch, **run)
    growth = np.log(np.abs([1.0, *(3.4 * res["x"][1:-1])]))  # of the vector that is left
    for o in (res.observers, sim.batch(observers=watch, plan=FinalState(), **run)[0].observers):
        windows = o["finite_time_lyapunov"].exponents
        np.testing.assert_allclose(windows[:, 0], growth.reshape(-1, 3).mean(axis=1), rtol=1e-12)
        assert (windows[:, 1] == -inf).all()
        exponents = o["lyapunov_spectrum"].exponents
        assert exponents[0] == pytest.approx(growth.mean(), rel=1e-12)
        assert exponents[1] == -inf


def test_an_event_that_leaves_a_vector_nothing() -> None:
    """A reset at a step's end to a constant: neighbours become the same."""
    model = {
        "model": {"type": "ode"},
        "states": {"x": 0.0},
        "equations": {"rhs": {"x": "1 - 0.5*x"}},
        "events": {"reset": {"cond": "x > 1", "action": "x = 0", "locate": False}},
    }
    watch = [lyapunov_max(), fli()]
    res = setup(model, stepper="rk4", jit=False).run(T=20.0, dt=0.01, observers=watch)
    assert res.observers["lyapunov_max"].exponent == -inf
    assert np.isnan(res.observers["fli"].value)


@pytest.mark.parametrize("stepper", ["rk4", "tsit5"])
def test_an_oscillator_is_not_accused(stepper: str) -> None:
    sim = setup("builtin://ode/harmonic", stepper=stepper, jit=False)
    options = {"dt": 0.02} if stepper == "rk4" else {"rtol": 1e-10, "atol": 1e-10}
    for T in (60.0, -60.0):
        o = sim.run(T=T, observers=[lyapunov_max(), lyapunov_spectrum()], **options).observers
        assert abs(o["lyapunov_max"].exponent) < 1e-8
        for result in o.values():
            assert not any("pairs" in f or "Hamiltonian" in f for f in result.flags), result
