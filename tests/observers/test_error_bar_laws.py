"""Error bars are the same, to the last bit, on every path, in any company, and after any pause."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from observing import assert_same_everywhere, bits, compiled

from dynlib import setup
from dynlib.compiler.codegen.lane_program import CHUNK
from dynlib.observers import ObserverModule, features, histogram, intervals, time_in
from dynlib.observers.kit.batches import MOST
from dynlib.plans import FinalState, Stride, TailWindow

FLOW = "builtin://ode/lorenz"
MAP = "builtin://map/henon"
FATED = """
[model]
name = "a logistic map that breaks down at a known iteration"
type = "map"

[states]
x = 0.3
n = 0.0

[params]
last = 100.0

[equations.rhs]
x = "4*x*(1 - x)*(1 if n < last else 1e308*1e308)"
n = "n + 1"
"""


def watch(*, flow: bool) -> list[ObserverModule]:
    """All that have error bars."""
    common = [features(E="x*y"), time_in("x > 0.1"), histogram("x", 4, (-20, 20))]
    return [*common, intervals("z", 25.0)] if flow else common


def test_batches_are_joined_once_in_a_chunk_at_most() -> None:
    """Or rows of batches would have to be kept for lanes that are taken back."""
    assert MOST // 2 * 16 > CHUNK  # steps
    assert MOST // 2 * 4 >= CHUNK  # intervals between two crossings, of which a step has one


def errors(observers: Any) -> dict[str, Any]:
    """Error bars by observer and output."""
    return {
        f"{name} {output}": np.asarray(found.arrays[output])
        for name, found in observers.items()
        for output in found
        if output.endswith("_error")
    }


CASES = [
    pytest.param(FLOW, "rk4", {"T": 60.0, "dt": 0.01, "transient": 0.5}, marks=pytest.mark.slow),
    pytest.param(FLOW, "tsit5", {"T": 120.0, "transient": 0.5}, marks=pytest.mark.slow),
    (MAP, None, {"N": 6000, "transient": 10}),
    (MAP, None, {"N": 6000}),
]


@pytest.mark.parametrize("span", [{"N": 6001, "transient": 11}, {"N": 6000}])
def test_lanes_of_a_small_map(span: dict[str, Any]) -> None:
    """Four iterates are taken at once where nothing but sums looks on."""
    assert_same_everywhere(compiled(MAP), [features("mean", "mean_error")], span)
    assert_same_everywhere(compiled(MAP), [features()], span)


@pytest.mark.parametrize(("uri", "stepper", "span"), CASES)
def test_every_path(uri: str, stepper: str | None, span: dict[str, Any]) -> None:
    sim = compiled(uri, stepper)
    observers = watch(flow=stepper is not None)
    found = errors(sim.run(record=False, observers=observers, **span).observers)
    assert len(found) == len(observers) + 1
    assert all(np.isfinite(error).all() for error in found.values())
    assert_same_everywhere(sim, observers, span)


@pytest.mark.parametrize("transient", [0, 37])
@pytest.mark.parametrize("kinds", [("mean", "mean_error"), ()])
def test_lanes_that_go_astray(transient: int, kinds: tuple[str, ...]) -> None:
    """Runs that end early leave the others out of phase, and lanes are taken back within a chunk.

    That happens in chunks in which batches are joined, too.
    """
    sim = setup(FATED)
    last = np.random.default_rng(5).integers(40, 6000, 60).astype(float)
    last = np.concatenate([last, transient + np.linspace(3800.0, 4100.0, 30)])
    observers = [features(*kinds, of=["x"])]
    call: dict[str, Any] = {"N": 5001, "transient": transient, "on_failure": "return"}
    batch = sim.batch(
        params={"last": last}, plan=FinalState(), lanes=4, workers=1, observers=observers, **call
    )
    assert np.isfinite(batch.observers["features"].mean_error["x"]).sum() > 40
    for i, value in enumerate(last):
        run = sim.run(params={"last": value}, record=False, observers=observers, **call)
        assert (run.status.name == "DONE") == (value > 5000)
        assert bits(run.observers["features"]) == bits(batch[i].observers["features"])


def test_recorded_lanes() -> None:
    """Records of every iterate, of some, and of none go with the same error bars."""
    sim = compiled(MAP)
    ic = {"x": np.linspace(-0.1, 0.1, 20)}
    call: dict[str, Any] = {"ic": ic, "N": 1500, "observers": [features()]}
    plain = sim.batch(plan=FinalState(), **call)
    for plan in (Stride(1), Stride(7), TailWindow(333)):
        recorded = sim.batch(plan=plan, **call)
        assert bits(recorded.observers["features"]) == bits(plain.observers["features"])


@pytest.mark.parametrize(
    ("uri", "stepper", "span", "few", "rest"),
    [
        (MAP, None, {"N": 5000}, 1234, {"N": 5000 - 1234}),
        (FLOW, "rk4", {"T": 30.0, "dt": 1 / 128}, 1234, {}),
        (FLOW, "tsit5", {"T": 30.0}, 333, {}),
    ],
)
def test_a_run_in_two_parts(
    uri: str, stepper: str | None, span: dict[str, Any], few: int, rest: Any, tmp_path: Path
) -> None:
    """The second one in another session, from a snapshot."""
    observers = watch(flow=stepper is not None)[:2]
    sim = setup(uri, stepper=stepper)
    whole = sim.run(record=False, observers=observers, **span)
    sim.reset()
    half = span | {"max_steps": few, "on_failure": "return"}
    assert sim.run(record=False, observers=observers, **half).status.name == "MAX_STEPS"
    sim.save_snapshot(tmp_path / "here.snap")
    other = setup(uri, stepper=stepper)
    other.load_snapshot(tmp_path / "here.snap")
    parts = other.run(record=False, observers=observers, resume=True, **span | rest)
    for each in observers:
        assert bits(whole.observers[each.label]) == bits(parts.observers[each.label])
    assert all(np.isfinite(error).all() for error in errors(parts.observers).values())


@pytest.mark.parametrize(
    ("uri", "stepper", "span"),
    [(MAP, None, {"N": 300}), (FLOW, "rk4", {"T": 3.0, "dt": 0.01}), (FLOW, "bs23", {"T": 3.0})],
)
def test_company_and_plain_python(uri: str, stepper: str | None, span: dict[str, Any]) -> None:
    observers = watch(flow=stepper is not None)
    plain = setup(uri, stepper=stepper, jit=False)
    together = plain.run(observers=observers, **span).observers
    for each in observers:
        alone = plain.run(observers=[each], **span).observers
        assert bits(alone[each.label]) == bits(together[each.label])
    native = errors(setup(uri, stepper=stepper).run(observers=observers, **span).observers)
    assert np.isfinite(native["features mean_error"]).all()
    for name, error in errors(together).items():
        np.testing.assert_allclose(error, native[name], rtol=1e-6)  # chaos: 1e-16 e^(0.9 T)
