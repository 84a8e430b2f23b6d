"""What cannot be run is refused before anything is; one bad run spoils no other."""

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastpath.batches import one_of, sim_of, unlike
from hypothesis import given
from hypothesis import strategies as st

from dynlib import (
    DynlibError,
    OptionError,
    RunFailed,
    UnknownNameError,
    UnknownOptionError,
    grid,
    setup,
)
from dynlib.abi.status import Status
from dynlib.observers import ObserverModule, histogram
from dynlib.plans import FinalState, Stride, TailWindow
from dynlib.runtime.batch import room

MESSAGES: list[tuple[str, dict[str, Any], type[DynlibError], str]] = [
    ("driven", {"ic": {"x": [1, 2]}, "params": {"a": [1, 2, 3]}}, OptionError,
     r"values for the runs differ in number: x 2, a 3\. .*dynlib\.grid"),
    ("driven", {"ic": {"xx": 1}}, UnknownNameError, r"unknown state 'xx'. Did you mean 'x'"),
    ("driven", {"params": {"x": 1}}, UnknownNameError, "'x' is a state: it belongs in ic"),
    ("driven", {"ic": {"a": 1}}, UnknownNameError, "'a' is a parameter: it belongs in params"),
    ("driven", {"params": grid(a=np.zeros(10**7), w=np.zeros(10**7))}, OptionError,
     r"the grid has 100,000,000,000,000 runs \(10,000,000 a × 10,000,000 w\); .* memory are free"),
    ("driven", {"ic": {"x": float("nan")}}, OptionError, "state 'x' must be finite"),
    ("driven", {"ic": {"x": np.ones((2, 2))}}, OptionError, r"state 'x' has shape \(2, 2\)"),
    ("driven", {"ic": np.ones((4, 3))}, OptionError, r"ic has shape \(4, 3\).*x, v"),
    ("driven", {"ic": [1.0]}, OptionError, "ic has 1 value; the model has 2 states"),
    ("driven", {"params": {"a": ["b"]}}, OptionError, r"parameter 'a' must be numbers"),
    ("driven", {"params": {"a": [1j]}}, OptionError, r"parameter 'a' must be numbers"),
    ("collatz", {"ic": {"m": [1.5]}}, OptionError, "whole numbers that fit int64.*for run 0"),
    ("collatz", {"ic": {"m": [1, float("nan")]}}, OptionError, "found .*nan.* for run 1"),
    ("driven", {"workers": 0}, OptionError, r"workers .* must be at least 1, found 0"),
    ("driven", {"workers": 1.5}, OptionError, r"workers .* must be a whole number"),
    ("driven", {"lanes": 3}, OptionError, "lanes must be one of 1, 2, 4"),
    ("driven", {"lanes": "4"}, OptionError, "lanes must be one of .* found '4'"),
    ("driven", {"executor": 3}, OptionError, "executor must be an executor as in"),
    ("driven", {"executor": type}, OptionError, "executor must be an executor as in"),
    ("driven", {"plan": Stride}, OptionError, r"plan is the class Stride; call it"),
    ("driven", {"plan": 10}, OptionError, r"plan must be FinalState\(\), Stride\(k\) or"),
    ("driven", {"plan": Stride(2), "t_eval": [1.0]}, OptionError, "give one of them"),
    ("driven", {"out": "a.nc"}, OptionError, r"out='a.nc' must end with .zarr"),
    ("driven", {"out": 3}, OptionError, "out must be the path of a Zarr store, found 3"),
    ("driven", {"out": "no/such/a.zarr"}, OptionError, "there is no folder no"),
    ("driven", {"progress": 3}, OptionError, "progress must be"),
    ("driven", {"observers": [3]}, OptionError, "observers holds 3"),
    ("driven", {"on_failure": "stop"}, OptionError, "on_failure must be 'raise' or 'return'"),
    ("driven", {"record_vars": ["aux.F"]}, UnknownNameError, "Did you mean 'aux.E'"),
    ("driven", {"N": 3}, OptionError, "'driven' is a flow"),
    ("logistic", {"T": 3}, OptionError, "a map is iterated"),
    ("driven", {"worker": 2}, UnknownOptionError, r"batch\(\) got an unknown .*'workers'"),
    ("driven", {"rtol": 1e-3}, UnknownOptionError, "'rk4' has no option 'rtol'"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given_", "kind", "said"), MESSAGES)
def test_letters(name: str, given_: dict[str, Any], kind: type[DynlibError], said: str) -> None:
    with pytest.raises(kind, match=said):
        sim_of(name).batch(**given_)


def test_fastpath_names_itself() -> None:
    with pytest.raises(UnknownOptionError, match=r"fastpath\(\) got an unknown argument 'workers'"):
        sim_of("driven").fastpath(workers=2)


# --- runs that the fast path refuses --------------------------------------------------------------


@pytest.mark.parametrize("plan", [Stride(1), TailWindow(3)])
def test_rows_of_adaptive_steps(plan: Any) -> None:
    sim = sim_of("driven", "rk45")
    said = r"cannot take the fast path: stepper 'rk45' chooses the steps .*t_eval.*FinalState\(\)"
    with pytest.raises(OptionError, match=said):
        sim.batch(plan=plan)
    with pytest.raises(OptionError, match=said):
        sim.fastpath(plan=plan)


def test_transient_of_adaptive_steps() -> None:
    sim = sim_of("driven", "rk45")
    with pytest.raises(OptionError, match="cannot take the fast path: stepper 'rk45' ends a step"):
        sim.batch(T=2.0, transient=1.0)
    assert sim.batch(T=2.0, transient=1.0, t_eval=[1.5]).t == [1.5]


# --- runs that fail -------------------------------------------------------------------------------


@given(
    st.lists(st.floats(-2, 2) | st.just(float("nan")) | st.just(float("inf")), min_size=1,
             max_size=12),
    st.sampled_from((1, 2, 8)),
)  # fmt: skip
def test_what_is_not_finite_fails_alone(values: list[float], lanes: int) -> None:
    sim = sim_of("driven")
    given_ = {"params": {"a": np.array(values)}}
    batch = sim.batch(**given_, T=1.0, lanes=lanes, workers=1)
    good = np.isfinite(values)
    np.testing.assert_array_equal(batch.ok, good)
    assert (batch.status[~good] == Status.NAN_DETECTED).all()
    for index in np.flatnonzero(good):
        alone = sim.run(T=1.0, **one_of(given_, int(index)))
        assert unlike(sim.batch(**one_of(given_, int(index)), T=1.0), [batch[int(index)]]) == []
        assert batch[int(index)].final["x"] == alone.final["x"]


def test_a_number_that_is_never_used_fails_too() -> None:
    """As a single run with it would: there it is refused."""
    model = {
        "model": {"type": "ode"},
        "states": {"x": 1.0},
        "params": {"k": 1.0},
        "equations": {"rhs": {"x": "-x"}},
    }
    batch = setup(model, jit=False).batch(params={"k": [1.0, np.nan]})
    assert batch.status.tolist() == [Status.DONE, Status.NAN_DETECTED]


def test_failures_are_returned_or_raised() -> None:
    sim = sim_of("explosion")
    values = {"x": [0.1, 3.0, 0.2, 5.0]}
    batch = sim.batch(values, T=1.0)
    assert batch.ok.tolist() == [True, False, True, False]
    assert np.isnan(batch["x"][1, batch.rows[1] :]).all()
    assert np.isfinite(batch["x"][1, : batch.rows[1]]).all()
    with pytest.raises(RunFailed) as failed:
        sim.batch(values, T=1.0, on_failure="raise")
    failure = failed.value
    assert "2 of 4 runs failed (2: a state became NaN or infinite)" in str(failure)
    assert "The first is run 1 (x = 3): a state became NaN" in str(failure)
    assert failure.status == Status.NAN_DETECTED
    assert failure.state["x"] == batch.final["x"][1]
    assert failure.t == batch.t_final[1]
    assert len(failure.results) == 4


def test_max_steps_is_no_success() -> None:
    batch = sim_of("driven", "rk45").batch(T=50.0, params={"a": [0.1, 0.2]}, max_steps=5)
    assert (batch.status == Status.MAX_STEPS).all()
    assert batch.stats.steps == 10


# --- edges ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("plan", [None, FinalState(), Stride(3), TailWindow(4)])
def test_no_runs(plan: Any) -> None:
    batch = sim_of("busy").batch(params={"k": []}, T=1.0, plan=plan, record_vars=["x"])
    assert len(batch) == len(batch.ok) == len(batch.final["x"]) == 0
    assert batch["x"].shape == (0, len(batch.t))
    assert len(batch.events["floor"]) == 0
    assert "no runs" in repr(batch)
    assert batch.to_xarray().sizes["run"] == 0
    assert list(batch) == []
    assert batch.raise_for_status() is batch


def test_one_run() -> None:
    sim = sim_of("driven")
    alone = sim.run(T=1.0)
    for given_ in ({}, {"params": {"a": [0.4]}}, {"ic": np.array([[0.3, -0.2]])}):
        assert unlike(sim.batch(**given_, T=1.0), [alone]) == []


def test_stride_longer_than_the_run() -> None:
    """Only the start is recorded, as in a single run."""
    batch = sim_of("driven").batch(T=1.0, plan=Stride(1000))
    assert batch.t.tolist() == [0.0]
    assert unlike(batch, [sim_of("driven").run(T=1.0, record_interval=1000)]) == []


def test_run_of_no_length() -> None:
    batch = sim_of("driven").batch(T=0.0, params={"a": [1.0, 2.0]})
    assert batch.ok.all()
    assert batch["x"].tolist() == [[0.3], [0.3]]


def test_index_of_no_run() -> None:
    batch = sim_of("driven").batch(T=0.1, params={"a": [1.0, 2.0]})
    with pytest.raises(OptionError, match="there is no run 2: the batch has 2 runs"):
        batch[2]
    with pytest.raises(OptionError, match=r"dimensions \{'run': 2\}"):
        batch[0, 1]
    with pytest.raises(OptionError, match=r"takes names \(x, v\) or the index of a run"):
        batch[0:1]
    with pytest.raises(UnknownNameError, match=r"'E' was not recorded: name it in record_vars"):
        batch["E"]
    with pytest.raises(UnknownNameError, match="unknown variable 'y'"):
        batch["y"]
    with pytest.raises(UnknownNameError, match="unknown state 'E'"):
        batch.final["E"]


def test_integers_at_the_edge() -> None:
    """The largest int64 is no real number, and what a real number makes of it does not fit."""
    sim = sim_of("collatz")
    for wide in ([2**63, 2], [2.0**63, 2], np.array([2**63, 2], dtype=np.uint64)):
        with pytest.raises(OptionError, match=r"fit int64, found 9\.?22337203685477.* for run 0"):
            sim.batch(ic={"m": wide}, N=0)
    fits = [2**63 - 1, -(2**63)]
    assert sim.batch(ic={"m": fits}, N=0, plan=FinalState())["m"][:, 0].tolist() == fits
    low = sim.batch(ic={"m": [-(2.0**63), 2.0]}, N=0, plan=FinalState())["m"][:, 0]
    assert low.tolist() == [-(2**63), 2]


@pytest.mark.parametrize("lanes", [np.array([16, 32]), [16], np.array([16]), "16", 3])
def test_lanes(lanes: Any) -> None:
    with pytest.raises(OptionError, match=r"lanes must be one of 1, 2, 4"):
        sim_of("driven").batch(T=0.1, lanes=lanes)


@pytest.mark.parametrize("name", ["workers", "lanes", "executor", "out"])
def test_a_fast_run_is_one_run(name: str) -> None:
    with pytest.raises(UnknownOptionError, match=r"belongs to batch\(\): fastpath\(\) is one run"):
        sim_of("driven").fastpath(T=0.1, **{name: 2})


# --- memory ---------------------------------------------------------------------------------------


def test_record_that_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused before it is allocated: how much, how much there is, and what fits."""
    monkeypatch.setattr(room, "available_memory", lambda: 1 << 30)
    sim = sim_of("driven")
    values = {"a": np.linspace(0, 1, 10_000)}
    with pytest.raises(OptionError) as refused:
        sim.batch(params=values, T=1000.0, dt=0.05)
    said = str(refused.value)
    assert "10,000 runs with 20,001 rows of 2 variables (plan=Stride(k=1)) need 2.98 GB" in said
    assert "1 GB of memory are free" in said
    assert "plan=FinalState() needs" in said
    assert "out='sweep.zarr'" in said
    stride = int(said.partition("free. plan=Stride(k=")[2].partition(")")[0])
    plan = Stride(stride)
    assert 10_000 * plan.capacity(20_000) * 16 < 1 << 30
    with pytest.raises(OptionError, match=r"t_eval need .*FinalState\(\) needs"):
        sim.batch(params=values, T=1000.0, t_eval=np.linspace(0, 1000, 20_001))


def allocated(call: Any) -> int:
    """Bytes that a call that is refused takes at its height."""
    tracemalloc.start()
    try:
        with pytest.raises(OptionError, match=r"memory are free") as refused:
            call()
    finally:
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert "GB" in str(refused.value) or "TB" in str(refused.value)
    return taken


def test_nothing_large_is_made_before_the_letter(tmp_path: Path) -> None:
    """Not even the times of the rows: here are as many as no memory holds."""
    sim = sim_of("driven")
    many, store = {"a": np.linspace(0, 1, 100)}, tmp_path / "a.zarr"
    for plan in (None, Stride(2), TailWindow(10**13)):
        options: Any = {"T": 1e12, "dt": 0.05, "plan": plan}
        assert allocated(lambda: sim.batch(params=many, **options)) < 1 << 20  # noqa: B023
        assert allocated(lambda: sim.batch(params=many, out=store, **options)) < 1 << 20  # noqa: B023
        assert allocated(lambda: sim.fastpath(**options)) < 1 << 20  # noqa: B023
    assert not store.exists()
    iterates = sim_of("logistic")
    assert allocated(lambda: iterates.fastpath(N=10**13, plan=Stride(1))) < 1 << 20


def test_what_does_not_fit_on_the_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each way is told of what it takes: a single run of no store, a store of no other one."""
    sim = sim_of("driven")
    options: Any = {"T": 20_000.0, "dt": 0.001}
    monkeypatch.setattr(room, "available_memory", lambda: 100 << 20)
    with pytest.raises(OptionError, match=r"^the results of a run with 20,000,001 rows") as single:
        sim.fastpath(**options)
    with pytest.raises(OptionError, match="1 run, which are written to the store") as stored:
        sim.batch(params={"a": [0.0, 1.0]}, out=tmp_path / "a.zarr", **options)
    for message in (single, stored):
        assert "out=" not in str(message.value)
        stride = int(str(message.value).partition("free. plan=Stride(k=")[2].partition(")")[0])
        assert Stride(stride).capacity(20_000_000) * (16 + 2 * 16) < 100 << 20


HUGE = {
    "outputs": histogram("x", 10**11, (0.0, 1.0), errors=False),
    "workspace": ObserverModule("mine", outputs=["a"], workspace_size=10**12),
    "filled": ObserverModule("mine", outputs=["a"], workspace_size=10**12, initial_workspace=1.0),
}


@pytest.mark.parametrize("what", HUGE)
def test_observers_that_do_not_fit(what: str) -> None:
    sim = sim_of("driven")
    for call in (sim.run, sim.fastpath, sim.batch):
        assert allocated(lambda: call(T=1.0, dt=0.1, observers=[HUGE[what]])) < 1 << 22  # noqa: B023


def test_ends_that_do_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "available_memory", lambda: 1000)
    with pytest.raises(OptionError, match=r"need .* 1000 bytes of memory are free"):
        sim_of("driven").batch(params={"a": np.zeros(1_000_000)}, plan=FinalState())
