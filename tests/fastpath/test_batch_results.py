"""The runs of a batch under their names: views, events, tables, files."""

from pathlib import Path

import numpy as np
import pytest
from fastpath.batches import same_batch, sim_of, unlike, values_of

from dynlib import BatchResults, OptionError, grid, load_results
from dynlib.abi.status import Status
from dynlib.plans import FinalState, Stride, TailWindow
from dynlib.runtime.rerun import rerun


def busy(**options: object) -> BatchResults:
    return sim_of("busy").batch(**values_of("busy", 6), T=2.0, **options)


def test_shapes() -> None:
    batch = sim_of("driven").batch(params={"a": np.ones(4)}, T=1.0, record_vars=["aux.E", "x"])
    assert batch.names == ("E", "x")
    assert batch["E"].shape == batch["aux.E"].shape == (4, 21)
    assert batch["E", "x"].shape == (4, 21, 2)
    assert batch.t.shape == (21,)
    assert batch.final["v"].shape == batch.status.shape == batch.ok.shape == (4,)
    assert len(batch) == 4
    assert [len(run) for run in batch] == [21] * 4
    assert "x" in batch
    assert "v" not in batch


def test_starts() -> None:
    batch = sim_of("driven").batch({"x": [1.0, 2.0]}, {"a": 0.5}, T=0.1)
    assert batch.ic["x"].tolist() == [1.0, 2.0]
    assert batch.ic["v"] == -0.2
    assert batch.params == {"a": 0.5, "w": 1.3}
    assert batch[1].receipt["ic"] == {"x": 2.0, "v": -0.2}


def test_values_of_the_session() -> None:
    """What is not given is what a run would start from; the session stays where it is."""
    sim = sim_of("driven")
    sim.assign(a=0.9, x=1.5)
    sim.run(T=0.2)
    batch = sim.batch({"v": [0.0, 1.0]}, T=0.1)
    assert batch.params["a"] == 0.9
    assert batch.ic["x"] == 1.5
    assert sim.t == 0.2
    sim.fastpath(T=0.5)
    assert sim.t == 0.2


def test_run_can_be_computed_again() -> None:
    """The receipt of a run leads to the same numbers, on the ordinary path."""
    for plan in (None, FinalState(), Stride(3), TailWindow(4, 2)):
        batch = busy(plan=plan)
        again = rerun(batch[3].receipt)
        assert unlike(batch, [*list(batch)[:3], again, *list(batch)[4:]]) == []


def test_events() -> None:
    batch = busy()
    floor = batch.events["floor"]
    alone = [run.events["floor"] for run in batch]
    np.testing.assert_array_equal(floor.t, np.concatenate([each.t for each in alone]))
    np.testing.assert_array_equal(floor["v"], np.concatenate([each["v"] for each in alone]))
    np.testing.assert_array_equal(floor["run"], np.repeat(range(6), [len(e) for e in alone]))
    np.testing.assert_array_equal(floor.counts(6), [len(each) for each in alone])
    merged = batch.events.merged
    for index, run in enumerate(batch):
        mine = merged.run == index
        np.testing.assert_array_equal(merged.t[mine], run.events.merged.t)
        np.testing.assert_array_equal(merged.names[mine], run.events.merged.names)
    assert list(batch.events) == ["floor", "late"]


def test_parameters_that_events_change() -> None:
    batch = busy()
    assert batch.final_params["hits"].tolist() == [r.final_params["hits"] for r in batch]
    assert batch.final_params["hits"].tolist() == batch.events["floor"].counts(6).tolist()
    np.testing.assert_array_equal(batch.final_params["k"], batch.params["k"])


def test_final_state_as_a_record() -> None:
    """One row, also of runs that ended early."""
    batch = sim_of("stopped").batch(params={"k": [0.1, 3.0]}, plan=FinalState())
    assert batch.status.tolist() == [Status.DONE, Status.EARLY_EXIT]
    assert batch["x"].shape == (2, 1)
    np.testing.assert_array_equal(batch["x"][:, 0], batch.final["x"])
    assert batch.final["x"][1] < 0.4
    assert [len(run) for run in batch] == [1, 1]
    whole = sim_of("collatz").batch({"m": [3, 7]}, N=3, plan=FinalState())
    assert whole["m"].dtype == np.int64


def test_effort() -> None:
    stats = busy(workers=1, lanes=4).stats
    assert stats.runs == 6
    assert stats.steps == 6 * 40
    assert stats.evaluations == 4 * stats.steps
    assert (stats.lanes, stats.threads, stats.workers) == (4, 1, 1)
    assert stats.steps_per_second == pytest.approx(stats.steps / stats.seconds)
    assert stats.runs_per_second == pytest.approx(6 / stats.seconds)


def test_repr_fits_on_a_screen() -> None:
    batch = sim_of("busy").batch(
        grid(k=np.linspace(1, 30, 3), x=[1.0, np.nan]), T=2.0, lanes=4, workers=1
    )
    lines = repr(batch).splitlines()
    assert lines[0] == "<BatchResults of 'busy' (ode, rk4): 6 runs, 3 ok>"
    assert lines[1] == "  runs     k: 3 (1 to 30) × x: 2 (1 to 1)"
    assert lines[2] == "  record   41 rows, t = 0 to 2: x, v, n (Stride(k=1))"
    assert lines[3].startswith("  events   floor ×")
    assert lines[4] == "  failed   3: a state became NaN or infinite"
    assert lines[5].startswith("  effort   6 trajectories, 120 steps, ")
    assert lines[5].endswith(" s; 4 lanes, 1 thread")
    assert lines[6].endswith(" steps/s")
    assert " trajectories/s" in lines[6]
    assert all(len(line) <= 97 for line in lines)
    assert len(lines) == 7


# --- tables ---------------------------------------------------------------------------------------


def test_xarray_over_a_grid() -> None:
    batch = sim_of("driven").batch(grid(a=[0.1, 0.5], w=[1.0, 2.0, 3.0]), T=1.0, plan=Stride(5))
    table = batch.to_xarray()
    assert table["x"].dims == ("a", "w", "time")
    assert table["final_v"].dims == ("a", "w")
    assert dict(table.sizes) == {"a": 2, "w": 3, "time": 5}
    one = table.sel(a=0.5, w=2.0)
    np.testing.assert_array_equal(one["x"], batch[1, 1]["x"])
    assert one["final_x"] == batch[1, 1].final["x"]
    assert one["status"] == Status.DONE
    assert table.attrs["model"] == "driven"
    assert table["time"].to_numpy() == pytest.approx([0, 0.25, 0.5, 0.75, 1.0])


def test_xarray_over_runs() -> None:
    batch = sim_of("busy").batch({"x": [1.0, 2.0]}, {"k": [3.0, 4.0]}, T=1.0)
    table = batch.to_xarray()
    assert table["x"].dims == ("run", "time")
    assert table["k"].dims == ("run",)
    assert set(table.coords) == {"run", "time", "k", "initial_x"}
    assert table["initial_x"].to_numpy().tolist() == [1.0, 2.0]
    np.testing.assert_array_equal(table["final_hits"], batch.final_params["hits"])


def test_xarray_where_a_dimension_has_the_name_of_a_variable() -> None:
    table = sim_of("driven").batch(grid(x=[0.1, 0.2], v=[0.0, 1.0]), T=1.0).to_xarray()
    assert table["x"].dims == ("x",)
    assert table["x_"].dims == ("x", "v", "time")
    assert table["final_x"].dims == ("x", "v")


def test_pandas() -> None:
    batch = sim_of("driven").batch(grid(a=[0.1, 0.5], w=[1.0, 2.0, 3.0]), T=1.0)
    frame = batch.to_pandas()
    assert frame.index.names == ["a", "w"]
    assert frame.loc[(0.5, 2.0), "final_x"] == batch[1, 1].final["x"]
    each = sim_of("driven").batch({"x": [1.0, 2.0]}, T=1.0).to_pandas()
    assert each["initial_x"].tolist() == [1.0, 2.0]
    assert each.index.name == "run"


# --- files ----------------------------------------------------------------------------------------

BATCHES = {
    "busy": lambda: busy(plan=Stride(3)),
    "ends": lambda: busy(plan=FinalState()),
    "tail of a map": lambda: sim_of("logistic").batch(
        grid(r=np.linspace(2.5, 4.3, 4), x=[0.1, 0.2]), N=30, plan=TailWindow(5)
    ),
    "integers": lambda: sim_of("collatz").batch({"m": [3, 7]}, N=9),
    "aux": lambda: sim_of("driven").batch(
        params={"a": [0.1, 0.2]}, record_vars=["E", "v"], t_eval=[0.1, 1.0], T=1.0
    ),
}


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
@pytest.mark.parametrize("name", BATCHES)
def test_files(name: str, suffix: str, tmp_path: Path) -> None:
    batch = BATCHES[name]()
    batch.save(tmp_path / f"batch{suffix}")
    again = load_results(tmp_path / f"batch{suffix}")
    assert isinstance(again, BatchResults)
    assert same_batch(again, batch)
    assert unlike(again, list(batch)) == []
    assert again.dims == batch.dims
    assert again.stats == batch.stats
    assert again[1].receipt == batch[1].receipt
    assert repr(again) == repr(batch)


def test_netcdf_is_read_by_others(tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    batch = busy()
    batch.save(tmp_path / "batch.nc")
    with xarray.open_dataset(tmp_path / "batch.nc") as table:
        assert table["x"].dims == ("run", "time")
        np.testing.assert_array_equal(table["k"], batch.params["k"])
    with xarray.open_dataset(tmp_path / "batch.nc", group="events/floor") as floor:
        np.testing.assert_array_equal(floor["run"], batch.events["floor"].run)
        np.testing.assert_array_equal(floor["hits"], batch.events["floor"]["hits"])


def test_files_that_cannot_be(tmp_path: Path) -> None:
    batch = busy()
    with pytest.raises(OptionError, match=r"cannot tell the format.*out='sweep.zarr' of batch\(\)"):
        batch.save(tmp_path / "batch.zarr")
    with pytest.raises(OptionError, match="there is no folder"):
        batch.save(tmp_path / "none" / "batch.nc")
    batch.save(tmp_path / "batch.npz")
    content = (tmp_path / "batch.npz").read_bytes()
    (tmp_path / "batch.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(OptionError, match="damaged"):
        load_results(tmp_path / "batch.npz")
