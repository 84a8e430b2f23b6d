"""Steppers of a package that knows dynlib from its documentation alone.

``tests/third_party/stiffkit`` brings two methods for stiff equations: a Rosenbrock method with
steps of its own, and backward Euler on a grid, whose Newton iteration may fail.  What holds for
dynlib's own methods holds for them.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.testing import assert_allclose, assert_array_equal
from steppers.models import AT_40, CROSSING, DRIVEN, PROTHERO, ROBERTSON
from steppers.packages import STIFFKIT, installed

import dynlib
from dynlib import BatchResults, Results, Sim
from dynlib.abi.status import Status
from dynlib.cli import app
from dynlib.observers import lyapunov_max, lyapunov_spectrum
from dynlib.steppers import registry

FINE: dict[str, Any] = {"rtol": 1e-7, "atol": 1e-10}
STEPS: dict[str, dict[str, Any]] = {"ros2": FINE, "backward_euler": {"dt": 0.02}}
METHODS = tuple(STEPS)


@pytest.fixture(scope="module", autouse=True)
def stiffkit() -> Iterator[None]:
    with installed(STIFFKIT):
        yield
    sim_of.cache_clear()


@cache
def sim_of(model: str, stepper: str, *, jit: bool = True) -> Sim:
    models = {m["model"]["name"]: m for m in (PROTHERO, CROSSING, ROBERTSON, DRIVEN)}
    return dynlib.setup(models[model], stepper=stepper, jit=jit)


def same(one: Results, other: Results) -> None:
    """Bit by bit, and at the same cost."""
    assert one.status is other.status
    assert one.message == other.message
    assert one.stats[:3] == other.stats[:3]
    assert one.stats.counters == other.stats.counters
    assert_array_equal(list(one.final.values()), list(other.final.values()))
    for name in one.events:
        assert_array_equal(one.events[name].t, other.events[name].t)


# -- they are found ----------------------------------------------------------------------------


def test_no_package_is_asked_for_what_dynlib_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_looked", looked := [])
    dynlib.setup(DRIVEN, stepper="rk4")
    assert looked == []


def test_they_are_listed_with_their_package() -> None:
    assert set(METHODS) < set(dynlib.list_steppers())
    rows = {row["name"]: row for row in dynlib.steppers.describe()}
    assert rows["ros2"]["package"] == "package stiffkit"
    assert rows["rk4"]["package"] == "dynlib"
    assert rows["ros2"]["counters"] == ("jacobians", "factorisations", "failures")
    assert rows["backward_euler"]["options"] == ("newton_tol", "newton_max")


@pytest.mark.parametrize("name", METHODS)
def test_self_check(name: str) -> None:
    found = dynlib.steppers.check(name)
    assert abs(found.measured - found.declared) < 0.1


# -- stiff problems ----------------------------------------------------------------------------


@pytest.mark.parametrize("jit", [True, False])
def test_backward_euler_on_prothero_robinson(jit: bool) -> None:
    """Of order 1, however stiff; the error of one step is h²/2 over 1 + hk."""
    errors = []
    for dt in (0.1, 0.05):
        res = sim_of("prothero", "backward_euler", jit=jit).run(T=1.0, dt=dt, params={"k": 50.0})
        errors.append(abs(res.final["y"] - np.cos(1.0)))
    assert 1.6 < errors[0] / errors[1] < 2.4
    res = sim_of("prothero", "backward_euler", jit=jit).run(T=1.0, dt=0.1)  # k = 1e6
    assert abs(res["y"] - np.cos(res.t)).max() < 1e-6


def test_ros2_on_prothero_robinson() -> None:
    """Steps follow the solution, not the stiffness: an explicit method needs k*T/2 of them."""
    res = sim_of("prothero", "ros2").run(T=1.0, rtol=1e-5, atol=1e-8)
    assert res.stats.steps < 1000
    assert abs(res["y"] - np.cos(res.t)).max() < 1e-5


def test_robertson() -> None:
    res = sim_of("robertson", "ros2").run(T=40.0, rtol=1e-5, atol=[1e-8, 1e-12, 1e-8])
    assert_allclose(list(res.final.values()), AT_40, rtol=1e-4)
    far = sim_of("robertson", "ros2").run(T=1e6, rtol=1e-3, atol=[1e-6, 1e-10, 1e-6], record=False)
    assert far.stats.steps < 5000
    assert sum(far.final.values()) == pytest.approx(1.0, abs=1e-9)  # a linear invariant
    coarse = sim_of("robertson", "backward_euler").run(T=40.0, dt=0.05)
    assert_allclose(list(coarse.final.values()), AT_40, rtol=2e-3)  # of order 1


@pytest.mark.parametrize("name", METHODS)
def test_events_are_located(name: str) -> None:
    res = sim_of("crossing", name).run(T=3.0, **STEPS[name])
    # Between two steps the solution is known to order 3, from its slopes at both.
    assert res.events["down"].t == pytest.approx([np.pi / 2], abs=2e-5)
    assert res.events["low"].t[0] == pytest.approx(2 * np.pi / 3, abs=2e-5)
    assert res.final["y"] == pytest.approx(np.cos(3.0), abs=1e-5)


# -- every path has the same bits --------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("driven-vdp", "ros2"),
        ("crossing", "backward_euler"),
        pytest.param("crossing", "ros2", marks=pytest.mark.slow),
        pytest.param("driven-vdp", "backward_euler", marks=pytest.mark.slow),
        *(pytest.param("robertson", name, marks=pytest.mark.slow) for name in METHODS),
    ],
)
def test_paths_have_the_same_bits(model: str, name: str) -> None:
    sim, how = sim_of(model, name), {"T": 2.0, **STEPS[name]}
    alone = sim.run(**how)
    same(sim.fastpath(**how), alone)
    key = next(iter(sim.params))
    values = sim.params[key] * np.linspace(0.5, 1.0, 5)
    batch = sim.batch(**how, params={key: values}, lanes=16)
    for value, each in zip(values, batch, strict=True):
        same(each, sim.run(**how, params={key: value}))
    assert batch.stats.counters == {
        counter: sum(each.stats.counters[counter] for each in batch)
        for counter in alone.stats.counters
    }
    plain = sim_of(model, name, jit=False).run(**how)
    assert plain.stats.counters == alone.stats.counters
    assert_allclose(list(plain.final.values()), list(alone.final.values()), rtol=1e-11)


@pytest.mark.parametrize("name", METHODS)
def test_resumed(name: str) -> None:
    """A run that is interrupted between two steps goes on bit by bit, and so do its counters."""
    sim, how = sim_of("driven-vdp", name), {"T": 2.0, **STEPS[name]}
    whole = sim.run(**how)
    sim.run(**how, max_steps=37, on_failure="return")
    end = sim.run(T=2.0, resume=True)
    assert_array_equal(list(end.final.values()), list(whole.final.values()))
    assert end.stats.counters == whole.stats.counters
    assert end.stats.evaluations == whole.stats.evaluations


def test_snapshots_keep_settings_of_the_run(tmp_path: Path) -> None:
    sim = sim_of("driven-vdp", "backward_euler")
    sim.run(T=1.0, dt=0.02, newton_tol=1e-6)
    sim.save_snapshot(tmp_path / "at-1.npz")
    there = sim.run(T=2.0, resume=True)
    sim.reset()
    sim.load_snapshot(tmp_path / "at-1.npz")
    again = sim.run(T=2.0, resume=True, newton_tol=1e-6)
    assert list(again.final.values()) == list(there.final.values())


@pytest.mark.parametrize("name", METHODS)
def test_samples_and_dense_output(name: str) -> None:
    sim = sim_of("driven-vdp", name)
    samples = np.linspace(0.0, 2.0, 41)
    res = sim.run(T=2.0, **STEPS[name])
    at = res.at(samples)
    sampled = sim.run(T=2.0, t_eval=samples, **STEPS[name])
    assert_array_equal(at[:, 0], sampled["x"])
    batch = sim.batch(T=2.0, t_eval=samples, params={"a": [1.2, 1.0]}, **STEPS[name])
    assert_array_equal(batch["x"][0], sampled["x"])


def test_settings_are_heeded_by_dense_output() -> None:
    sim = sim_of("driven-vdp", "backward_euler")
    rough, fine = (sim.run(T=1.0, dt=0.1, newton_tol=tol) for tol in (0.5, 1e-12))
    assert rough.at(1.0)[0] == rough.final["x"] != fine.final["x"]
    between = [res.at(0.05)[0] for res in (rough, fine)]
    assert between[0] != between[1]


# -- tangent vectors ---------------------------------------------------------------------------


def test_tangents_of_a_rosenbrock_method() -> None:
    """The derivative of the flow, by second derivatives of the equations too."""
    sim, y, eps = sim_of("driven-vdp", "ros2"), np.array([2.0, 0.1]), 1e-5
    how: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-12}
    _, found = sim.flow(y, 1.0, tangents=np.eye(2), **how)
    ends = sim.flow(y + eps * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]]), 1.0, **how)
    differences = np.array([(ends[0] - ends[1]), (ends[2] - ends[3])]).T / (2 * eps)
    assert_allclose(found, differences, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_exponents_on_all_paths() -> None:
    sim = sim_of("driven-vdp", "ros2")
    how: dict[str, Any] = {"T": 20.0, "rtol": 1e-5, "observers": [lyapunov_spectrum()]}
    alone = sim.run(**how)
    found = alone.observers["lyapunov_spectrum"].exponents
    # The mean of the divergence, mu*(1 - x²), along the trajectory that dop853 finds at 1e-9.
    assert found.sum() == pytest.approx(-35.994, rel=5e-3)
    unseen = sim.run(T=20.0, rtol=1e-5)
    assert unseen.final["x"] == alone.final["x"]  # whether anybody watches or not
    assert unseen.stats.counters == alone.stats.counters
    fast = sim.fastpath(**how)
    batch = sim.batch(**how, params={"a": [1.2, 1.1]})
    for each in (fast, batch[0]):
        assert_array_equal(each.observers["lyapunov_spectrum"].exponents, found)
        same(each, alone)


def test_a_method_without_tangents_is_refused() -> None:
    sim = sim_of("driven-vdp", "backward_euler")
    with pytest.raises(dynlib.ObserverError, match="'backward_euler' does not carry along"):
        sim.run(T=1.0, dt=0.1, observers=[lyapunov_max()])
    with pytest.raises(dynlib.ObserverError, match="'backward_euler' does not carry along"):
        sim.flow([2.0, 0.0], 1.0, tangents=np.eye(2), dt=0.1)


# -- attempts that fail ------------------------------------------------------------------------

WHY = "Newton's method did not converge within newton_max iterations"


def test_newton_fails_on_a_grid() -> None:
    sim = sim_of("driven-vdp", "backward_euler")
    how: dict[str, Any] = {"T": 2.0, "dt": 0.05, "params": {"mu": 1.0}}
    with pytest.raises(dynlib.RunFailed, match=WHY) as caught:
        sim.run(**how, newton_max=3)
    error = caught.value
    assert error.status is Status.STEPFAIL
    assert "newton_tol, newton_max" in str(error)
    part = error.results
    assert 1 < len(part) == part.stats.steps + 1 < 41
    assert part.stats.counters["failures"] == 1
    whole = sim.run(**how)
    assert_array_equal(part["x"], whole["x"][: len(part)])


def test_lanes_fail_one_by_one() -> None:
    sim = sim_of("driven-vdp", "backward_euler")
    how: dict[str, Any] = {"T": 2.0, "dt": 0.05, "newton_max": 3}
    values = np.linspace(1.0, 40.0, 20)
    batch = sim.batch(**how, params={"mu": values}, lanes=16)
    alone = [sim.run(**how, params={"mu": mu}, on_failure="return") for mu in values]
    assert {each.status for each in alone} == {Status.DONE, Status.STEPFAIL}
    for one, other in zip(batch, alone, strict=True):
        same(one, other)
    assert WHY in batch[int(np.argmin(batch.ok))].message
    with pytest.raises(dynlib.RunFailed, match=WHY):
        sim.batch(**how, params={"mu": values}, on_failure="raise")


# -- files and other processes -----------------------------------------------------------------


def test_results_are_read_where_the_package_is_missing(tmp_path: Path) -> None:
    sim = sim_of("driven-vdp", "backward_euler")
    how: dict[str, Any] = {"T": 2.0, "dt": 0.05, "newton_max": 3, "on_failure": "return"}
    alone = sim.run(**how, params={"mu": 1.0})
    assert WHY in alone.message
    alone.save(tmp_path / "one.npz")
    batch = sim.batch(**how, params={"mu": np.linspace(1.0, 40.0, 4)})
    batch.save(tmp_path / "many.npz")
    batch.save(tmp_path / "many.nc")
    sim.batch(**how, params={"mu": np.linspace(1.0, 40.0, 4)}, out=tmp_path / "many.zarr")
    with installed():
        assert "backward_euler" not in dynlib.list_steppers()
        one = dynlib.load_results(tmp_path / "one.npz")
        assert isinstance(one, Results)
        assert (one.message, one.stats) == (alone.message, alone.stats)
        for suffix in ("npz", "nc", "zarr"):
            many = dynlib.load_results(tmp_path / f"many.{suffix}")
            assert isinstance(many, BatchResults)
            assert many.stats.counters == batch.stats.counters
            for each, other in zip(many, batch, strict=True):
                same(each, other)
        found = dynlib.load_results(tmp_path / "many.zarr").to_xarray()
        assert_array_equal(found["counted_failures"], [e.stats.counters["failures"] for e in batch])


class Pickling(Executor):
    """Does at once what it is given, after a journey as bytes."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        fn, args, kwargs = pickle.loads(pickle.dumps((fn, args, kwargs)))
        done.set_result(fn(*args, **kwargs))
        return done


@pytest.mark.parametrize("registered", [True, False])
def test_batches_elsewhere(registered: bool) -> None:
    ros2 = dynlib.steppers.get("ros2")
    with installed(*([] if registered else [STIFFKIT])):
        if registered:
            dynlib.steppers.register(ros2)
        sim = dynlib.setup(DRIVEN, stepper="ros2")
        how: dict[str, Any] = {"T": 0.5, "params": {"a": [1.0, 1.1, 1.2]}}
        here, there = sim.batch(**how), sim.batch(**how, executor=Pickling())
        for one, other in zip(there, here, strict=True):
            same(one, other)
        assert there.stats.counters == here.stats.counters


def test_a_registered_stepper_travels_itself() -> None:
    """To a process that knows it by no name; a package's travels by its name."""
    ros2 = dynlib.steppers.get("ros2")
    assert b"Ros2" not in pickle.dumps(sim_of("driven-vdp", "ros2").model)
    with installed():
        dynlib.steppers.register(ros2)
        sent = pickle.dumps(dynlib.build(DRIVEN, stepper="ros2"))
        dynlib.steppers.unregister("ros2")
        arrived = pickle.loads(sent)
        assert arrived.stepper is dynlib.steppers.get("ros2")
        assert type(arrived.stepper) is type(ros2)


# -- the command line and the documentation ----------------------------------------------------


def test_the_command_line_tells_of_them() -> None:
    def printed(*arguments: str, status: int = 0) -> str:
        result = CliRunner().invoke(app, arguments, prog_name="dynlib")
        assert result.exit_code == status, result.output
        return result.output

    lines = printed("steppers").splitlines()
    assert lines[0].split()[-1] == "from"
    assert next(line for line in lines if line.startswith("ros2")).endswith("package stiffkit")
    one = printed("steppers", "backward_euler")
    for word in (
        "newton_max: iterations",
        "a whole number from 1 to 1000; 12",
        "jacobians",
        "fail",
    ):
        assert word in one
    assert "Did you mean 'ros2'" in printed("steppers", "ros3", status=1)
    run = [
        "run",
        "builtin://ode/robertson",
        "--stepper",
        "backward_euler",
        "-T",
        "1",
        "--dt",
        "0.1",
    ]
    assert re.search(r"counted +\d+ jacobians", printed(*run, "--option", "newton_tol=1e-6"))
    assert WHY in printed(*run, "--option", "newton_max=1", status=1)


def test_the_documentation_shows_these_very_files() -> None:
    page = (STIFFKIT.parents[1] / "docs/howto/add-a-stepper.md").read_text(encoding="utf-8")
    for name in METHODS:
        text = (STIFFKIT / "stiffkit" / f"{name}.py").read_text(encoding="utf-8")
        assert f"```python\n{text.rstrip()}\n```\n" in page
