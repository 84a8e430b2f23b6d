"""Tangent vectors are right where the steps of an adaptive stepper suit the states alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from observers.watching import unlike_results

from dynlib import Sim, build, setup
from dynlib.observers import (
    covariant_vectors,
    features,
    finite_time_lyapunov,
    fli,
    gali,
    lyapunov_max,
    lyapunov_spectrum,
    sali,
)

ADAPTIVE = ("bs23", "rk45", "tsit5", "dop853")
_SLOW = pytest.mark.slow  # all observers in three kernels take a while to compile, or to interpret
AT_REST = np.array([5.0, 13.0, 20.0])  # rho: an equilibrium attracts
LATE_SPREAD = np.array([13.0, 28.0, 0.5, 20.0, 24.1])


def linear(rates: dict[str, float], *, dtype: str = "float64", **more: Any) -> dict[str, Any]:
    """A flow whose exponents are its rates."""
    return {
        "model": {"type": "ode", "dtype": dtype},
        "states": dict.fromkeys(rates, 1.0),
        "equations": {"rhs": {name: f"{rate}*{name}" for name, rate in rates.items()}},
        **more,
    }


def everyone() -> list[Any]:
    return [
        lyapunov_spectrum(),
        lyapunov_max(),
        sali(),
        gali(3),
        fli(),
        finite_time_lyapunov(2.0, 2),
        covariant_vectors(2),
    ]


def complaints(found: Any) -> list[str]:
    """Flags; long steps may be too few for an error bar."""
    return [flag for flag in found.flags if "too short for a standard error" not in flag]


def equilibrium(rho: float) -> np.ndarray:
    """Exponents at Lorenz' equilibrium: real parts of its eigenvalues."""
    beta = 8 / 3
    q = math.sqrt(beta * (rho - 1))
    jacobian = np.array([[-10, 10, 0], [1, -1, -q], [q, q, -beta]])
    return -np.sort(-np.linalg.eigvals(jacobian).real)


@pytest.mark.parametrize("stepper", ADAPTIVE)
@pytest.mark.parametrize("order", ["xyz", "zyx", "yzx"])
def test_exponents_of_a_linear_flow(stepper: str, order: str) -> None:
    """In falling order, whichever axis is which."""
    rates = {name: {"x": -1.0, "y": -2.0, "z": -5.0}[name] for name in order}
    sim = setup(linear(rates), stepper=stepper)
    found = sim.run(T=300.0, record=False, observers=[lyapunov_spectrum(), lyapunov_max()])
    spectrum = found.observers["lyapunov_spectrum"]
    assert spectrum.exponents == pytest.approx([-1.0, -2.0, -5.0], rel=2e-4)
    assert complaints(spectrum) == []
    assert found.observers["lyapunov_max"].exponent == pytest.approx(-1.0, abs=5e-3)


@pytest.mark.parametrize("stepper", ADAPTIVE)
@pytest.mark.parametrize("rho", AT_REST)
def test_exponents_of_an_equilibrium(stepper: str, rho: float) -> None:
    """To what a spiral leaves open at its end: half a turn."""
    sim = setup("builtin://ode/lorenz", stepper=stepper)
    ic = {"x": 5.0, "y": 4.0, "z": rho - 2.0}
    run = {"T": 400.0, "transient": 100.0, "ic": ic, "params": {"rho": rho}, "record": False}
    found = sim.run(**run, observers=[lyapunov_spectrum(), lyapunov_max()]).observers
    assert found["lyapunov_spectrum"].exponents == pytest.approx(equilibrium(rho), abs=5e-3)
    assert found["lyapunov_max"].exponent == pytest.approx(equilibrium(rho)[0], abs=5e-3)
    assert complaints(found["lyapunov_spectrum"]) == []


@pytest.mark.parametrize("stepper", ADAPTIVE)
def test_a_start_at_rest(stepper: str) -> None:
    """There is no error, so steps grow to the end of the run: that of the saddle is seen all the
    same."""
    sim = setup("builtin://ode/lorenz", stepper=stepper)
    run = {"T": 500.0, "ic": {"x": 0.0, "y": 0.0, "z": 0.0}, "record": False}
    res = sim.run(**run, observers=[lyapunov_spectrum(), lyapunov_max(), fli(), sali()])
    assert res.stats.steps < 100
    root = math.sqrt(121 + 4 * 270)
    truth = [(-11 + root) / 2, -8 / 3, (-11 - root) / 2]
    assert res.observers["lyapunov_spectrum"].exponents == pytest.approx(truth, rel=2e-3)
    assert res.observers["lyapunov_max"].exponent == pytest.approx(truth[0], rel=2e-3)
    assert res.observers["fli"].value == pytest.approx(500 * truth[0], rel=2e-3)
    assert res.observers["sali"].value < 1e-12


@pytest.mark.parametrize("stepper", ["rk45", "dop853"])
def test_neither_the_run_nor_other_observers_notice(stepper: str) -> None:
    sim = setup("builtin://ode/lorenz", stepper=stepper)
    run = {"T": 60.0, "params": {"rho": 13.0}}
    bare = sim.run(**run)
    together = sim.run(**run, observers=[*everyone(), features("max", "mean")])
    np.testing.assert_array_equal(together.t, bare.t)
    np.testing.assert_array_equal(together[:], bare[:])
    for one in (lyapunov_max(), lyapunov_spectrum(), fli(), features("max", "mean")):
        alone = sim.run(**run, observers=[one]).observers
        seen = {label: together.observers[label] for label in alone}
        assert unlike_results(alone, seen) == []


@pytest.mark.parametrize(
    ("stepper", "jit"),
    [
        ("bs23", False),
        ("tsit5", True),
        pytest.param("bs23", True, marks=_SLOW),
        pytest.param("tsit5", False, marks=_SLOW),
    ],
)
def test_paths_agree(stepper: str, jit: bool) -> None:
    """Lanes in which vectors take steps of their own, beside some in which they do not."""
    sim = setup("builtin://ode/lorenz", stepper=stepper, jit=jit)
    run = {"T": 30.0 if jit else 6.0, "rtol": 1e-4, "atol": 1e-6}
    assert differences(sim, run, {"params": {"rho": LATE_SPREAD}}) == []


def differences(
    sim: Sim, run: dict[str, Any], values: dict[str, Any], observers: Sequence[Any] = ()
) -> list[str]:
    """Between runs, alone, on the fast path and in lanes."""
    ((argument, columns),) = values.items()
    watched = list(observers or everyone())
    batch = sim.batch(**values, **run, observers=watched, lanes=4, workers=1)
    found = []
    for index in range(len(batch)):
        own = {argument: {name: column[index] for name, column in columns.items()}}
        alone = sim.run(**own, **run, record=False, observers=watched)
        fast = sim.fastpath(**own, **run, observers=watched)
        found += unlike_results(alone.observers, batch[index].observers)
        found += unlike_results(alone.observers, fast.observers)
    return found


@pytest.mark.parametrize(
    ("stepper", "n"),
    [
        ("bs23", 4),
        ("tsit5", 6),
        ("ab3", 4),
        *(pytest.param(*case, marks=_SLOW) for case in (("bs23", 6), ("tsit5", 4), ("ab3", 6))),
    ],
)
def test_paths_agree_from_the_start_on(stepper: str, n: int) -> None:
    """Vectors that stand askew are made orthonormal before a stepper remembers their slopes."""
    rhs = {
        f"x{i}": f"(x{(i + 1) % n} - x{(i - 2) % n})*x{(i - 1) % n} - x{i} + F" for i in range(n)
    }
    document = {
        "model": {"type": "ode"},
        "states": {f"x{i}": 8.0 + 0.01 * (i == 0) for i in range(n)},
        "params": {"F": 8.0},
        "equations": {"rhs": rhs},
    }
    sim = setup(document, stepper=stepper, jit=False)
    assert differences(sim, {"T": 0.5, "dt": 0.02}, {"params": {"F": np.array([8.0, 7.0])}}) == []


@pytest.mark.parametrize("stepper", ADAPTIVE)
def test_events_that_cut_long_steps(stepper: str) -> None:
    """A kick at certain times moves the states, and no vector."""
    kick = {"cond": "sin(t) > 0.9", "direction": "rising", "action": "x += 0.01"}
    document = linear({"x": -1.0, "y": -20.0}, events={"kick": kick})
    res = setup(document, stepper=stepper).run(
        T=200.0, dt_max=4.0, record=False, observers=[lyapunov_spectrum()]
    )
    assert len(res.events["kick"]) == 32
    found = res.observers["lyapunov_spectrum"].exponents
    assert found == pytest.approx([-1.0, -20.0], rel=2e-3)


@pytest.mark.parametrize("jit", [False, True])
def test_vectors_that_are_no_numbers_end_too(jit: bool) -> None:
    """The slope of a root at zero is infinite; the state stays where it is."""
    document = {
        "model": {"type": "ode"},
        "states": {"x": 0.0, "y": 1.0},
        "equations": {"rhs": {"x": "-sqrt(x)", "y": "-y"}},
    }
    sim = setup(document, stepper="tsit5", jit=jit)
    run = {"T": 20.0, "record": False}
    found = sim.run(**run, observers=[lyapunov_spectrum(), lyapunov_max()])
    assert found.ok
    assert np.isnan(found.observers["lyapunov_max"].exponent)
    values = {"ic": {"y": np.array([1.0, 0.0])}}
    watched = [lyapunov_spectrum(), sali()]
    assert differences(sim, {"T": 20.0}, values, watched) == []


def test_single_precision() -> None:
    sim = setup(linear({"x": -1.0, "y": -5.0}, dtype="float32"), stepper="tsit5")
    run = {"T": 60.0, "rtol": 1e-4, "atol": 1e-6}
    found = sim.run(**run, record=False, observers=[lyapunov_spectrum()]).observers
    assert found["lyapunov_spectrum"].exponents == pytest.approx([-1.0, -5.0], rel=1e-3)
    values = {"ic": {"x": np.array([1.0, 0.0, 2.0])}}
    assert differences(sim, run, values, [lyapunov_spectrum(), sali(), fli()]) == []


@pytest.mark.parametrize("stepper", ADAPTIVE)
def test_volumes_between_long_steps(stepper: str) -> None:
    """The sum of the exponents of van der Pol's cycle, from its multiplier and period."""
    truth = math.log(8.59695e-4) / 6.663286859323130
    res = setup("builtin://ode/vanderpol", stepper=stepper).run(
        T=1000.0, transient=100.0, params={"mu": 1.0}, record=False,
        observers=[lyapunov_spectrum()],
    )  # fmt: skip
    found = res.observers["lyapunov_spectrum"]
    assert found["mean_divergence"] == pytest.approx(truth, rel=2e-3)
    assert found.flags == ()


def test_a_group_is_of_one_observer() -> None:
    """So that what one needs is not for others to compute."""
    model = build("builtin://ode/lorenz", stepper="tsit5")
    assert model.stepper.adaptive
    from dynlib.compiler.codegen.tangent_layout import TangentLayout

    alone = TangentLayout(3, 3, model.stepper, (3,))
    mixed = TangentLayout(3, 4, model.stepper, (3, 1))
    assert (alone.size, alone.groups) == (3, 1)
    assert (mixed.size, mixed.groups) == (1, 4)
