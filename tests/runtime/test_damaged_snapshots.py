"""Snapshots that hold anything: what compiled code would stumble over is refused."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runtime import buffers_of_hooks, mutants
from runtime.models import DRIVEN, sim_of

from dynlib import FileError, OptionError, Sim, load_results, rerun, setup
from dynlib.abi.slots import Trace
from dynlib.abi.status import Status
from dynlib.observers import ObserverModule, TraceSpec, features, lyapunov_max
from dynlib.plans import EveryStep, Hits, Tail
from dynlib.runtime import buffers
from dynlib.runtime.files import read_arrays, write_arrays

SCRIPT = Path(mutants.__file__)


def run_mutants(case: str, seed: int, count: int, folder: Path, timeout: float) -> None:
    """In a process of its own, which may crash or hang."""
    command = [sys.executable, SCRIPT, case, str(seed), str(count), folder]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        pytest.fail(f"does not end after {(folder / 'now').read_text()}")
    now = (folder / "now").read_text() if (folder / "now").exists() else "the start"
    assert done.returncode == 0, f"at {now!r}: {done.stdout[-3000:]}{done.stderr[-3000:]}"


@pytest.mark.parametrize("case", list(mutants.CASES))
def test_a_changed_snapshot_is_refused_or_can_be_run_on(case: str, tmp_path: Path) -> None:
    run_mutants(case, 7, 120, tmp_path, 240)


@pytest.mark.slow
@pytest.mark.parametrize("case", list(mutants.CASES))
def test_all_changed_snapshots(case: str, tmp_path: Path) -> None:
    run_mutants(case, 1, 0, tmp_path, 3000)


# --- by name --------------------------------------------------------------------------------------


def observed() -> list[ObserverModule]:
    return [lyapunov_max(trace=Tail(4, 2)), features("mean_error")]


def saved(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    sim = sim_of("logistic")
    sim.run(N=100, observers=observed())
    sim.save_snapshot(path)
    return read_arrays(path, "snapshot", "dynlib snapshot")


def index_rows(sim: Sim) -> list[int]:
    """Rows of the workspace by which hooks index."""
    from dynlib.observers.kit.combined import combine
    from dynlib.runtime.saved import _workspace

    combined = combine(observed(), sim.spec, sim.model.stepper)
    return np.flatnonzero(~np.isnan(_workspace(combined).most[:, 0])).tolist()


def test_every_number_that_hooks_index_by_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "x.snap"
    arrays, meta = saved(path)
    sim = sim_of("logistic")
    rows = index_rows(sim)
    assert len(rows) == 4  # two for each observer's batches
    bad: list[tuple[str, tuple[int, int], float]] = [
        *(("workspace", (row, 0), x) for row in rows for x in (np.nan, np.inf, -1, 10**13)),
        *(("counts", (0, 0), x) for x in (-1, -(10**12), 10**13)),
        *(("table", (0, slot), 10**13) for slot in Trace),
        *(("table", (0, slot), -1) for slot in Trace),
        ("table", (0, Trace.STRIDE), 0),
    ]
    for name, place, value in bad:
        changed = arrays[f"observed_{name}"].copy()
        changed[place] = value
        write_arrays(path, arrays | {f"observed_{name}": changed}, meta)
        sim.load_snapshot(path)  # observers are known when the run goes on
        with pytest.raises(FileError, match=rf"x\.snap.*array '(table|{name})'"):
            sim.run(N=10, resume=True, observers=observed())
    write_arrays(path, arrays | {"observed_buffer": np.ones((1, 1))}, meta)
    sim.load_snapshot(path)
    with pytest.raises(FileError, match="table"):
        sim.run(N=10, resume=True, observers=observed())
    assert sim.run(N=10, resume=True).ok  # without them the run goes on


PLACES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "STEP": lambda meta: meta["count"].update(STEP=10**30),
    "FRESH": lambda meta: meta["count"].update(FRESH=7),
    "a number": lambda meta: meta["count"].update(STEP="1"),
    "T": lambda meta: meta["clock"].update(T=float("nan")),
    "DT": lambda meta: meta["clock"].update(DT=0.0),
    "ORIGIN": lambda meta: meta["clock"].update(ORIGIN=1e12),
    "clock": lambda meta: meta.update(clock=[]),
    "model": lambda meta: meta.update(model=3),
    "version": lambda meta: meta.update(version="2"),
    "options": lambda meta: meta.update(options={"rtol": -1}),
    "params": lambda meta: meta.update(params=["a", "a"]),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_damaged_description_is_one_kind_of_error(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.snap"
    sim = sim_of("driven", "rk4")
    sim.run(T=1.0)
    sim.save_snapshot(path)
    arrays, meta = read_arrays(path, "snapshot", "dynlib snapshot")
    PLACES[name](meta)
    write_arrays(path, arrays, meta)
    before = sim.t
    with pytest.raises(FileError) as caught:
        sim.load_snapshot(path)
    assert str(path) in str(caught.value)
    assert caught.value.path == path
    assert sim.t == before


# --- a model in a file is text --------------------------------------------------------------------


@pytest.mark.parametrize("uri", [False, True])
def test_a_model_in_a_file_is_never_a_place_to_open(uri: bool, tmp_path: Path) -> None:
    secret = tmp_path / "secret.toml"
    secret.write_text("password = 'swordfish'\n")
    place = "builtin://ode/lorenz" if uri else str(secret)
    sim = sim_of("driven", "rk4")
    res = sim.run(T=1.0)
    sim.save_snapshot(tmp_path / "x.snap")
    arrays, meta = read_arrays(tmp_path / "x.snap", "snapshot", "dynlib snapshot")
    write_arrays(tmp_path / "x.snap", arrays, meta | {"model": place})
    with pytest.raises(Exception, match="cannot be read") as caught:
        sim.load_snapshot(tmp_path / "x.snap")
    assert "swordfish" not in str(caught.value)

    receipt = res.receipt | {"model": res.receipt["model"] | {"text": place}}
    with pytest.raises(Exception, match="<text>") as caught:
        rerun(receipt)
    assert "swordfish" not in str(caught.value)

    res.save(tmp_path / "x.npz")
    arrays, meta = read_arrays(tmp_path / "x.npz", "result", "dynlib results")
    meta["origin"]["facts"]["model"]["text"] = place
    write_arrays(tmp_path / "x.npz", arrays, meta)
    loaded = load_results(tmp_path / "x.npz")
    assert isinstance(loaded, type(res))
    with pytest.raises(Exception, match="<text>") as caught:
        _ = loaded._origin.spec
    assert "swordfish" not in str(caught.value)


def test_a_model_that_is_no_text(tmp_path: Path) -> None:
    res = setup(DRIVEN, jit=False).run(T=0.1)
    receipt = res.receipt | {"model": {"text": {"states": {"x": 1.0}}}}
    with pytest.raises(OptionError, match="TOML text"):
        rerun(receipt)


# --- traces of a user's hook ----------------------------------------------------------------------


def counting(plan: Any) -> ObserverModule:
    """An observer that counts rows as nobody has."""
    return ObserverModule(
        "wild", trace=TraceSpec(("a",), plan), post_step=buffers_of_hooks.far_too_many
    )


@pytest.mark.parametrize("jit", [False, True])
def test_a_hook_that_counts_more_rows_than_there_are(jit: bool) -> None:
    sim = sim_of("logistic", jit=jit)
    for run in (sim.run, sim.fastpath):
        assert len(run(N=50, observers=[counting(Tail(3))]).observers["wild"].trace) == 3
        res = run(N=50, observers=[counting(Hits(5))], on_failure="return")
        assert res.status is Status.TRACE_OVERFLOW
        assert len(res.observers["wild"].trace) == 5


def test_traces_do_not_grow_beyond_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "_TRIFLE", 1 << 16)
    monkeypatch.setattr(buffers, "available_memory", lambda: 1 << 20)
    with pytest.raises(OptionError, match="the traces of observers need"):
        sim_of("driven", "tsit5").run(T=30.0, observers=[counting(EveryStep())])
