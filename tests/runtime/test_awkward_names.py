"""Names of a model that dynlib has for things of its own, in every table and file.

All of them stand in one model at once, so that they may also stumble over each other; each is in
turn a state, a parameter, an aux variable.
"""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from observing import bits

from dynlib import BatchResults, Results, Sim, grid, load_results, setup
from dynlib.observers import ObserverModule, features, intervals
from dynlib.plans import EveryStep, Stride

NAMES = (
    "time", "time_", "time__", "run", "run_", "events", "events_", "dynlib", "step_", "n",
    "status", "rows", "steps", "rejected", "t_final", "iteration", "segment", "firing", "final_x",
    "initial_x", "obs_mean", "obs_index", "spans_row", "spans_trace", "receipt", "id",
)  # fmt: skip


@cache
def sim_of(turn: int) -> Sim:
    """A model in which every name is a state, a parameter or an aux variable."""
    states, params, aux = (NAMES[(turn + i) % 3 :: 3] for i in range(3))
    logged = [*states, *aux]
    return setup(
        {
            "model": {"type": "ode", "name": "awkward"},
            "states": {"x": 1.0} | {name: 2.0 + i for i, name in enumerate(states)},
            "params": {"a": 0.5} | {name: 0.1 * (i + 1) for i, name in enumerate(params)},
            "equations": {
                "rhs": {"x": f"-a*x + 0*({'+'.join(params)})"}
                | {name: f"-0.01*{name}*{params[i % len(params)]}" for i, name in enumerate(states)}
            },
            "aux": {name: f"x*{i + 2}" for i, name in enumerate(aux)},
            "events": {
                name: {
                    "cond": "x < 0.6", "direction": "rising", "log": [*logged, "t"],
                    "action": f"{params[0]} = 0.5*{params[0]}",
                }
                for name in ("events", "time", "t")
            },
            "sim": {"dt": 0.25, "t_end": 2.0, "stepper": "rk4"},
        },
        jit=False,
    )  # fmt: skip


def observers() -> list[ObserverModule]:
    return [features("mean", name="obs"), intervals("x", 0.6, name="spans", trace=EveryStep())]


def recorded(sim: Sim) -> list[str]:
    return [*sim.spec.states, *(aux.name for aux in sim.spec.aux)]


@cache
def run_of(turn: int) -> Results:
    sim = sim_of(turn)
    return sim.run(record_vars=recorded(sim), observers=observers())


def given(kind: str, sim: Sim) -> dict[str, Any]:
    """Starts of a batch, all of whose axes have awkward names."""
    state, param = sim.spec.states[1], sim.spec.params[1]
    if kind == "grid":
        return {"params": grid(**{state: [1.0, 2.0, 3.0], param: [0.1, 0.2]})}
    values = {"ic": {name: [1.0, 0.9, 0.8] for name in sim.spec.states}}
    return values | {"params": {name: [0.5, 0.6, 0.7] for name in sim.spec.params}}


@cache
def batch_of(turn: int, kind: str) -> BatchResults:
    return batch(turn, kind)


def batch(turn: int, kind: str, **more: Any) -> BatchResults:
    sim = sim_of(turn)
    options = {"record_vars": recorded(sim), "observers": observers(), "plan": Stride(1)}
    return sim.batch(**given(kind, sim), **options, **more)


def same(one: Any, two: Any) -> bool:
    return np.array_equal(np.asarray(one), np.asarray(two), equal_nan=True)


def assert_same(first: Any, second: Any) -> None:
    """Two results, or batches, have the same numbers under the same names."""
    assert first.names == second.names
    assert all(same(first[name], second[name]) for name in first.names)
    assert all(same(first.final[name], second.final[name]) for name in first.final)
    for name, event in first.events.items():
        assert event.columns
        assert all(same(event[c], second.events[name][c]) for c in event.columns)
    for name, found in first.observers.items():
        assert bits(found) == bits(second.observers[name])


turns = pytest.mark.parametrize("turn", range(3))
# So many names take their time in files.
few_turns = pytest.mark.parametrize(
    "turn", [0, *(pytest.param(turn, marks=pytest.mark.slow) for turn in (1, 2))]
)
kinds = pytest.mark.parametrize("kind", ["list", "grid"])


@turns
def test_tables_of_a_run(turn: int) -> None:
    res = run_of(turn)
    table = res.to_xarray()
    assert table.sizes["time"] == len(res)
    for name in res.names:
        plain = f"{name}_" if name.rstrip("_") in ("time", "events", "dynlib") else name
        assert same(table[plain], res[name])
    assert same(table["time"], res.t)
    frame = res.to_pandas()
    assert all(same(frame[name], res[name]) for name in res.names)
    assert len(frame.reset_index().columns) == len(res.names) + 1


@turns
@kinds
def test_tables_of_a_batch(turn: int, kind: str) -> None:
    found = batch_of(turn, kind)
    table, frame = found.to_xarray(), found.to_pandas()
    there = [np.ravel(values) for values in table.variables.values()]
    for name in found.names:
        assert any(same(np.ravel(found[name]), values) for values in there), name
    dims = tuple(table[next(iter(table.data_vars))].dims)
    assert len(set(dims)) == len(dims)
    assert frame.columns.is_unique
    assert len(frame.reset_index().columns) == len(frame.columns) + frame.index.nlevels
    for name in found.final:
        column = np.ravel(found.final[name])
        assert any(same(frame[each], column) for each in frame.columns)


@turns
def test_tables_of_events(turn: int) -> None:
    for found in (run_of(turn), batch_of(turn, "list")):
        own = ("run", "step") if isinstance(found, BatchResults) else ("step",)
        for event in found.events.values():
            frame = event.to_pandas()
            assert len(frame) == len(event) > 0
            assert all(same(frame[name], getattr(event, name)) for name in own)
            for name in event.columns:
                plain = f"{name}_" if name.rstrip("_") in (*own, "t") else name
                assert same(frame[plain], event[name])
            assert len(frame.reset_index().columns) == len(own) + len(event.columns) + 1


@turns
@pytest.mark.parametrize("suffix", [".npz", ".nc", ".csv"])
def test_files_of_a_run(turn: int, suffix: str, tmp_path: Path) -> None:
    res, path = run_of(turn), tmp_path / f"x{suffix}"
    res.save(path)
    if suffix == ".csv":
        header, *_ = path.read_text().splitlines()
        assert header.split(",") == ["t", *res.names]
    else:
        assert_same(load_results(path), res)


@few_turns
@kinds
@pytest.mark.parametrize("suffix", [".npz", ".nc"])
def test_files_of_a_batch(turn: int, kind: str, suffix: str, tmp_path: Path) -> None:
    found, path = batch_of(turn, kind), tmp_path / f"x{suffix}"
    found.save(path)
    assert_same(load_results(path), found)


@few_turns
@kinds
def test_stores(turn: int, kind: str, tmp_path: Path) -> None:
    found = batch_of(turn, kind)
    assert_same(batch(turn, kind, out=tmp_path / "x.zarr"), found)
    again = load_results(tmp_path / "x.zarr")
    assert isinstance(again, BatchResults)
    assert_same(again, found)
    assert_same(batch(turn, kind, out=tmp_path / "x.zarr"), found)  # it is recognised
    table = again.to_xarray()
    assert set(table.dims) == set(found.to_xarray().dims)


def test_a_map_with_names_of_its_time() -> None:
    model = {
        "model": {"type": "map"},
        "states": {"x": 0.3, "iteration": 1.0},
        "equations": {"rhs": {"x": "3.7*x*(1 - x)", "iteration": "iteration"}},
        "events": {"high": {"cond": "x > 0.9", "log": ["x", "n", "step_", "iteration"]}},
        "aux": {"step_": "2*x"},
    }
    res = setup(model, jit=False).run(N=50)
    frame = res.events["high"].to_pandas()
    assert list(frame.reset_index().columns) == ["n", "step", "x", "n_", "step__", "iteration"]
    assert same(frame["n_"], frame.index)
    assert list(res.to_pandas().reset_index().columns) == ["n", "x", "iteration"]
