"""Observers change nothing, and find the same on every path and in any company."""

from typing import Any

import numpy as np
import pytest

from dynlib import setup
from dynlib.observers import ObserverModule, lyapunov_max, lyapunov_spectrum
from dynlib.plans import FinalState

CASES: dict[str, tuple[str, str | None, dict[str, Any]]] = {
    "fixed": ("builtin://ode/lorenz", "rk4", {"T": 20.0, "dt": 0.01}),
    "multistep": ("builtin://ode/lorenz", "ab3", {"T": 20.0, "dt": 0.01}),
    "adaptive": ("builtin://ode/lorenz", "rk45", {"T": 20.0}),
    "event": ("builtin://ode/bouncing-ball", "rk4", {"T": 2.5, "dt": 0.01}),
    "map": ("builtin://map/henon", None, {"N": 3000}),
}
cases = pytest.mark.parametrize("case", CASES)


def both() -> list[ObserverModule]:
    return [lyapunov_max(), lyapunov_spectrum()]


def numbers(observers: Any) -> list[np.ndarray]:
    return [np.asarray(values) for found in observers.values() for values in found.values()]


def assert_equal(one: list[np.ndarray], two: list[np.ndarray]) -> None:
    assert len(one) == len(two) > 0
    for a, b in zip(one, two, strict=True):
        assert np.array_equal(a, b, equal_nan=True)


@pytest.mark.parametrize(
    "case",
    [pytest.param(c, marks=pytest.mark.slow) if c == "multistep" else c for c in CASES],
)
def test_paths_agree(case: str) -> None:
    model, stepper, run = CASES[case]
    sim = setup(model, stepper=stepper)
    (name, *_) = sim.state
    first = sim.state[name] + 0.001 * np.arange(20)
    batch = sim.batch(ic={name: first}, plan=FinalState(), observers=both(), **run)
    for i in (0, 7, 19):
        ic = {name: float(first[i])}
        ordinary = sim.run(ic=ic, observers=both(), **run)
        assert_equal(numbers(ordinary.observers), numbers(batch[i].observers))
        assert ordinary.final[name] == batch[i].final[name]
        if i == 7:
            fast = sim.fastpath(ic=ic, observers=both(), **run)
            assert_equal(numbers(ordinary.observers), numbers(fast.observers))


@cases
def test_company_changes_nothing(case: str) -> None:
    model, stepper, run = CASES[case]
    run = {key: value / 4 if key == "T" else value for key, value in run.items()}
    if "N" in run:
        run["N"] = 800
    sim = setup(model, stepper=stepper, jit=False)
    bare = sim.run(**run)
    together = sim.run(observers=both(), **run)
    reverse = sim.run(observers=both()[::-1], **run)
    for observer in both():
        alone = sim.run(observers=[observer], **run)
        label = observer.label
        for res in (together, reverse):
            assert_equal(
                list(map(np.asarray, alone.observers[label].values())),
                list(map(np.asarray, res.observers[label].values())),
            )
        assert np.array_equal(bare.t, alone.t)
        for name in sim.state:
            assert np.array_equal(bare[name], alone[name])
            assert np.array_equal(bare[name], together[name])


@pytest.mark.parametrize("case", ["fixed", "event"])
def test_the_trajectory_keeps_its_bits(case: str) -> None:
    model, stepper, run = CASES[case]
    sim = setup(model, stepper=stepper)
    bare, observed = sim.run(**run), sim.run(observers=both(), **run)
    assert np.array_equal(bare.t, observed.t)
    for name in sim.state:
        assert np.array_equal(bare[name], observed[name])
