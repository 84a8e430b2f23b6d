"""A batch in a store is the batch; one that was killed goes on, and loses and doubles nothing."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fastpath.batches import same_batch, sim_of, unlike
from fastpath.stored import CALLS, batch_into
from hypothesis import given
from hypothesis import strategies as st
from observers.watching import unlike_results

from dynlib import BatchResults, DynlibError, OptionError, grid, load_results
from dynlib.abi.status import Status
from dynlib.plans import FinalState, Stride, TailWindow
from dynlib.runtime.batch import layout, store
from dynlib.runtime.batch.store import Store

zarr = pytest.importorskip("zarr")
xarray = pytest.importorskip("xarray")

HERE = Path(__file__).parent


@cache
def whole_of(plan: Any = None) -> BatchResults:
    """The same batch in memory."""
    return batch_into(plan=plan)


def parts_done(path: Path) -> int:
    return len(list((path / "dynlib" / "parts").glob("[0-9]*.npz")))


def interrupted_after(parts: int, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fill a store with so many parts, then stop as a killed process does: within the next one."""
    put = Store.put
    left = [parts]

    def put_some(self: Store, first: int, table: Any) -> None:
        if not left[0]:
            self._put_chunks(first, table)  # half of a part is there
            raise KeyboardInterrupt
        left[0] -= 1
        put(self, first, table)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "put", put_some)
        with pytest.raises(KeyboardInterrupt):
            batch_into(path)


@pytest.mark.parametrize("plan", [None, FinalState(), Stride(7), TailWindow(5, 3)])
def test_store_holds_the_batch(plan: Any, tmp_path: Path) -> None:
    whole = whole_of(plan)
    stored = batch_into(tmp_path / "sweep.zarr", plan=plan)
    assert same_batch(stored, whole)
    assert unlike(stored, list(whole)) == []
    opened = load_results(tmp_path / "sweep.zarr")
    assert isinstance(opened, BatchResults)
    assert same_batch(opened, whole)
    assert repr(opened).splitlines()[:-2] == repr(whole).splitlines()[:-2]


def test_labels(tmp_path: Path) -> None:
    """xarray reads the store as it would read the batch itself."""
    stored = batch_into(tmp_path / "sweep.zarr")
    with xarray.open_zarr(tmp_path / "sweep.zarr", chunks=None) as table:
        assert table["n"].dims == ("k", "x", "time")
        assert table["x_"].dims == ("k", "x", "time")
        assert table["final_n"].dims == ("k", "x")
        run = table.sel(k=30.0).isel(x=1)
        np.testing.assert_array_equal(run["x_"], stored[4, 1]["x"])
        assert run["status"] == Status.DONE
        assert table["status"].attrs["flag_meanings"].split()[0] == "OK"
        xarray.testing.assert_equal(table.load(), whole_of().to_xarray())
    xarray.testing.assert_identical(stored.to_xarray().load(), whole_of().to_xarray())


def test_labels_of_runs(tmp_path: Path) -> None:
    values = {"params": {"k": [3.0, 4.0, 5.0]}, "ic": {"x": [1.0, 2.0, 3.0]}}
    stored = sim_of("busy").batch(**values, T=1.0, out=tmp_path / "runs.zarr")
    table = stored.to_xarray().load()
    assert set(table.coords) == {"run", "time", "k", "initial_x"}
    xarray.testing.assert_identical(table, sim_of("busy").batch(**values, T=1.0).to_xarray())


@pytest.mark.parametrize("parts", [0, 1, 4])
def test_interrupted_batch_goes_on(
    parts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sweep.zarr"
    interrupted_after(parts, path, monkeypatch)
    assert parts_done(path) == parts
    half = load_results(path)
    assert int((half.status != Status.USER_BREAK).sum()) == half.stats.runs == 4 * parts
    computed = []
    put = Store.put
    monkeypatch.setattr(
        Store, "put", lambda self, first, table: (computed.append(first), put(self, first, table))
    )
    assert same_batch(batch_into(path), whole_of())
    assert computed == [4 * part for part in range(parts, 5)]
    computed.clear()
    assert same_batch(batch_into(path), whole_of())
    assert computed == []


def test_claims_that_were_left_are_removed(tmp_path: Path) -> None:
    """A process may be killed between its claim and its look at whether the part is done."""
    batch_into(tmp_path / "left.zarr")
    claims = tmp_path / "left.zarr" / layout.CLAIMS
    for number, text in enumerate(["", '{"host": "elsewhere", "pid": 1, "call": "a"}']):
        (claims / f"{number}.json").write_text(text, encoding="utf-8")
    assert batch_into(tmp_path / "left.zarr").ok.any()
    assert list(claims.iterdir()) == []


def begun(path: Path, what: str) -> subprocess.Popen[str]:
    """A process that fills a store, and says so after each part."""
    folders = [str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, str(HERE / "killed.py"), str(path), what],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(folders)},
    )


@pytest.mark.parametrize("what", list(CALLS))
def test_killed_batch_goes_on(what: str, tmp_path: Path) -> None:
    """``kill -9`` of the process, while it is at work."""
    path = tmp_path / "sweep.zarr"
    with begun(path, what) as process:
        assert process.stdout is not None
        for _ in range(2):
            assert process.stdout.readline() == "part\n"
        process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=60) == -signal.SIGKILL
    done = parts_done(path)
    assert 2 <= done < 5
    stored, whole = batch_into(path, **CALLS[what]()), batch_into(**CALLS[what]())
    assert same_batch(stored, whole)
    assert unlike_results(stored.observers, whole.observers) == []
    assert not [each for each in tmp_path.iterdir() if each != path]


DIFFERENT: dict[str, tuple[Callable[[Path], Any], str]] = {
    "time": (lambda p: batch_into(p, T=3.0), r"differs in T \(1.0 there, 3.0 here\)"),
    "values": (lambda p: batch_into(p, ic={"v": 0.5}), r"v \(0.0 there, 0.5 here\)"),
    "plan": (lambda p: batch_into(p, plan=FinalState()), r"plan \(Stride\(k=1\) there, FinalState"),
    "columns": (lambda p: batch_into(p, record_vars=["x"]), "recorded variables"),
    "axes": (
        lambda p: batch_into(p, params=grid(k=np.linspace(1, 20, 5), x=np.ones(4))),
        "differs in x; k",
    ),
    "shape": (
        lambda p: batch_into(p, params=grid(k=[1.0, 2.0])),
        r"number of runs \(20 there, 2 here\); axes of the grid; x",
    ),
    "stepper": (
        lambda p: sim_of("busy", "euler").batch(T=1.0, out=p), r"stepper \(rk4 there, euler here\)",
    ),
    "model": (lambda p: sim_of("driven").batch(T=1.0, out=p), "the equations of the model"),
}  # fmt: skip


@pytest.mark.parametrize("what", DIFFERENT)
def test_store_of_another_batch(what: str, tmp_path: Path) -> None:
    path = tmp_path / "sweep.zarr"
    batch_into(path)
    run, said = DIFFERENT[what]
    with pytest.raises(OptionError, match=f"holds another batch. .*{said}.* delete it"):
        run(path)
    assert same_batch(load_results(path), whole_of())


def test_what_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "empty.zarr").mkdir()
    with pytest.raises(OptionError, match="no batch that dynlib has written"):
        batch_into(tmp_path / "empty.zarr")
    (tmp_path / "file.zarr").write_text("something else")
    with pytest.raises(DynlibError, match="no batch that dynlib has written"):
        batch_into(tmp_path / "file.zarr")
    zarr.create_group(tmp_path / "other.zarr")
    with pytest.raises(OptionError, match="no batch that dynlib has written"):
        load_results(tmp_path / "other.zarr")


def test_no_runs(tmp_path: Path) -> None:
    batch = sim_of("busy").batch(params={"k": []}, T=1.0, out=tmp_path / "none.zarr")
    assert len(batch) == 0
    assert batch["x"].shape == (0, 21)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.integers(1, 50))
def test_parts_cover_every_run_once(shape: list[int], runs: int) -> None:
    """Parts lie one behind the other, are blocks of the grid, and none is much too large."""
    parts = layout.parts_of(tuple(shape), runs)
    everything = np.arange(np.prod(shape)).reshape(shape)
    covered = [everything[layout.region(tuple(shape), *part)].ravel() for part in parts]
    assert np.concatenate(covered).tolist() == everything.ravel().tolist()
    assert all(part.size <= runs for part in covered)
    block = layout._block(tuple(shape), runs)
    for first, last in parts:
        place = layout.region(tuple(shape), first, last)
        assert all(
            piece.start % length == 0 and piece.stop - piece.start <= length
            for piece, length in zip(place, block, strict=True)
        )


# --- making a store -------------------------------------------------------------------------------


def test_a_place_where_nothing_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names what was given, not the name under which stores are made."""
    path = tmp_path / "a.zarr"

    def refused(*_: Any, **__: Any) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", f".{path.name}.0123")

    monkeypatch.setattr(layout, "zarr", lambda: SimpleNamespace(create_group=refused))
    with pytest.raises(OptionError, match=r"a\.zarr': no store can be made in .*No such") as error:
        sim_of("driven").batch(T=0.1, dt=0.05, out=path)
    assert "0123" not in str(error.value)


def test_two_that_begin_one_store_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that comes second goes on with the store of the first."""
    path = tmp_path / "a.zarr"
    call: dict[str, Any] = {"T": 0.2, "dt": 0.05, "params": {"a": [0.0, 1.0]}, "out": path}
    make = store.create

    def meanwhile(*args: Any) -> None:
        monkeypatch.setattr(store, "create", make)
        sim_of("driven").batch(**call)
        make(*args)

    monkeypatch.setattr(store, "create", meanwhile)
    batch = sim_of("driven").batch(**call)
    assert batch.ok.all()
    assert [each.name for each in tmp_path.iterdir()] == ["a.zarr"]
