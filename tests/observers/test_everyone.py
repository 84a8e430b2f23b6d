"""What is true of every observer that comes with dynlib: files, tables, processes, resuming."""

import inspect
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from observers.everyone import everyone
from observers.watching import counter, unlike_results, watcher
from runtime.models import sim_of

from dynlib import DynlibError, Results, grid, load_results
from dynlib import observers as lib
from dynlib.observers.kit.combined import combine
from dynlib.plans import EveryStep, FinalState

GRID = grid(a=[0.2, 0.4, 0.9], w=[1.0, 1.3])


def run(**options: Any) -> Results:
    observers = [*everyone().values(), watcher(EveryStep(7))]
    return sim_of("driven", "rk4").run(**{"T": 2.0, "observers": observers, **options})


def batch(**options: Any) -> Any:
    observers = [*everyone().values(), watcher(EveryStep(7))]
    call = {"params": GRID, "T": 2.0, "plan": FinalState(), "observers": observers, **options}
    return sim_of("driven", "rk4").batch(**call)


@pytest.fixture(scope="module", name="single")
def _single() -> Results:
    return run()


@pytest.fixture(scope="module", name="plane")
def _plane() -> Any:
    return batch()


def test_nobody_is_forgotten() -> None:
    """`everyone` has them all."""
    makers = {
        name
        for name in lib.__all__
        if inspect.isfunction(getattr(lib, name)) and name != "kaplan_yorke"
    }
    assert set(everyone()) == makers


def test_batch_is_the_runs(single: Results, plane: Any) -> None:
    assert unlike_results(plane[1, 1].observers, single.observers) == []


def test_resumed_from_a_file(single: Results, tmp_path: Path) -> None:
    observers = [*everyone().values(), watcher(EveryStep(7))]
    sim = sim_of("driven", "rk4")
    sim.run(T=0.85, observers=observers)
    sim.save_snapshot(tmp_path / "here.snap")
    other = sim_of("driven", "rk4")
    other.load_snapshot(tmp_path / "here.snap")
    assert unlike_results(
        other.run(T=2.0, resume=True, observers=observers).observers, single.observers
    ) == []  # fmt: skip


@pytest.mark.parametrize("suffix", ["npz", "nc"])
def test_files(single: Results, plane: Any, suffix: str, tmp_path: Path) -> None:
    if suffix == "nc":
        pytest.importorskip("h5netcdf")
    for result, name in ((single, "single"), (plane, "plane")):
        path = tmp_path / f"{name}.{suffix}"
        result.save(path)
        loaded = load_results(path)
        assert unlike_results(loaded.observers, result.observers) == []
        assert repr(loaded.observers) == repr(result.observers)
        assert repr(loaded) == repr(result)
    assert unlike_results(load_results(path)[2].observers, plane[2].observers) == []


def test_store(plane: Any, tmp_path: Path) -> None:
    pytest.importorskip("zarr")
    xarray = pytest.importorskip("xarray")
    stored = batch(out=tmp_path / "plane.zarr")
    for found in (stored, load_results(tmp_path / "plane.zarr")):
        assert unlike_results(found.observers, plane.observers) == []
        assert unlike_results(found[2].observers, plane[2].observers) == []
    xarray.testing.assert_identical(stored.to_xarray().load(), plane.to_xarray())


@pytest.mark.parametrize(
    "others",
    [[], [counter()], [lib.lyapunov_max()], [lib.features("max")]],
    ids=["nobody", "a user's", "dynlib's", "an expression's"],
)
def test_store_of_other_observers(others: Any, tmp_path: Path) -> None:
    pytest.importorskip("zarr")
    call: dict[str, Any] = {"out": tmp_path / "plane.zarr", "T": 0.2}
    batch(**call, observers=[lib.features("max", E="x^2")])
    with pytest.raises(DynlibError, match=r"holds another batch.*observers"):
        batch(**call, observers=others)
    with pytest.raises(DynlibError, match="code or options of observers"):
        batch(**call, observers=[lib.features("max", E="x^3")])
    with pytest.raises(DynlibError, match="code or options of observers"):
        batch(**call, observers=[lib.features("max", E="x^2")], transient=0.1)
    batch(**call, observers=[lib.features("max", E="x^2")])


def test_tables(single: Results, plane: Any) -> None:
    pytest.importorskip("xarray")
    table = single.to_xarray()
    found = single.observers["lyapunov_spectrum"]
    np.testing.assert_array_equal(table["lyapunov_spectrum_exponents"], found.exponents)
    np.testing.assert_array_equal(table["lyapunov_spectrum_trace"], found.trace)
    assert table["lyapunov_spectrum_trace"].dims[0] == "lyapunov_spectrum_row"
    assert table["lyapunov_spectrum_trace"].attrs["columns"] == ", ".join(found.columns)
    table = plane.to_xarray()
    exponents = table["lyapunov_max_exponent"]
    assert exponents.dims == ("a", "w")
    there = plane[2, 0].observers["lyapunov_max"].exponent
    assert exponents.sel(a=0.9, w=1.0) == there
    assert table["lyapunov_spectrum_exponents"].dims == ("a", "w", "lyapunov_spectrum_index")
    assert table["watcher_trace"].dims == ("a", "w", "watcher_row", "watcher_column")
    assert table["watcher_trace_time"].dims == ("a", "w", "watcher_row")
    frame = plane.to_pandas()
    assert frame.loc[(0.9, 1.0), "lyapunov_max_exponent"] == there
    assert frame.loc[(0.9, 1.0), "features_max[E]"] == plane[2, 0].observers["features"].max["E"]
    assert table["features_max"].attrs["labels"] == "x, v, E"
    assert "observed lyapunov_max" in repr(plane)


def test_pickled(single: Results) -> None:
    model = sim_of("driven", "rk4").model
    for name, each in everyone().items():
        copy = pickle.loads(pickle.dumps(each))
        one, other = (combine([o], model.spec, model.stepper).signature() for o in (each, copy))
        assert one == other, name
    copies = pickle.loads(pickle.dumps(list(everyone().values())))
    found = run(observers=copies).observers
    assert unlike_results(found, {name: single.observers[name] for name in found}) == []


def test_other_processes(plane: Any) -> None:
    """A user's hooks too, if they are functions of a module."""
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawned) as pool:
        there = batch(executor=pool)
    assert unlike_results(there.observers, plane.observers) == []


def test_cluster_takes_closures_too() -> None:
    distributed = pytest.importorskip("distributed")
    value = 2.5

    def keep(
        lane, t, dt, step, y_curr, y_prev, params, runtime_ws, analysis_ws, analysis_out,
        trace_buf, trace_count, trace_cap, trace_stride,
    ):  # fmt: skip
        analysis_out[0, lane] = value * y_curr[0, lane]

    observer = lib.ObserverModule("mine", outputs=["a"], post_step=keep)
    here = batch(observers=[observer])
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as local,
        distributed.Client(local) as client,
    ):
        there = batch(observers=[observer], executor=client.get_executor())
    assert unlike_results(there.observers, here.observers) == []


@pytest.mark.parametrize("name", sorted(everyone()))
def test_misspelt_keyword(name: str) -> None:
    if name == "features":
        return  # takes expressions by any name
    with pytest.raises(DynlibError, match=rf"{name}\(\) has no option 'nmae'. Did you mean 'name'"):
        getattr(lib, name)(nmae="mine")
