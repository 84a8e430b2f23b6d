"""Snapshots outlive processes and upgrades, and are refused only where the model differs."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runtime.models import BUSY, DRIVEN, LAGGED, differences, sim_of

import dynlib
from dynlib import OptionError, Sim, SnapshotMismatchError, setup
from dynlib.runtime import files, snapshots
from dynlib.runtime.files import read_arrays, write_arrays


def changed(model: dict[str, Any], *path: str, to: Any = None) -> dict[str, Any]:
    """A copy of a model with one entry changed (None: removed)."""
    result = copy.deepcopy(model)
    table = result
    for key in path[:-1]:
        table = table.setdefault(key, {})
    if to is None:
        del table[path[-1]]
    else:
        table[path[-1]] = to
    return result


@pytest.fixture(name="snapshot")
def _snapshot(tmp_path: Path) -> Path:
    sim = sim_of("driven", "ab3")
    sim.run(T=1.0, params={"a": 0.5})
    sim.save_snapshot(tmp_path / "there.snap")
    return tmp_path / "there.snap"


def opened(model: Any, path: Path, **options: Any) -> Sim:
    sim = setup(model, **{"stepper": "ab3", "jit": False, **options})
    sim.load_snapshot(path)
    return sim


def test_snapshot_holds_initial_values_and_the_run(snapshot: Path) -> None:
    sim = opened(DRIVEN, snapshot)
    assert sim.t == 1.0
    assert sim.params["a"] == 0.4
    assert sim.run(T=2.0, resume=True).final_params["a"] == 0.5
    assert differences(sim.run(T=1.0), sim_of("driven", "ab3").run(T=1.0)) == []


def test_snapshot_of_a_session_that_has_not_run(tmp_path: Path) -> None:
    sim = sim_of("driven", "rk4")
    sim.assign(x=0.7, a=0.1)
    sim.save_snapshot(tmp_path / "start.snap")
    other = sim_of("driven", "rk4")
    other.run(T=1.0)
    other.load_snapshot(tmp_path / "start.snap")
    assert (other.state["x"], other.params["a"], other.t) == (0.7, 0.1, 0.0)
    assert differences(other.run(resume=True), sim.run()) == []


# --- what may differ ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model",
    [
        changed(DRIVEN, "model", "name", to="renamed"),
        changed(DRIVEN, "states", "x", to=9.0),
        changed(DRIVEN, "params", "w", to=9.0),
        changed(DRIVEN, "params", "unused", to=1.0),
        changed(DRIVEN, "aux", "E"),
        changed(DRIVEN, "presets"),
        changed(DRIVEN, "sim", "dt", to=0.001),
        changed(DRIVEN, "equations", "rhs", "v", to="x-(x^3) - 0.2 * v + a * cos( w*t )"),
        changed(DRIVEN, "meta", to={"note": "other"}),
    ],
    ids=["name", "ic", "param", "new param", "aux", "presets", "dt", "spelling", "meta"],
)
def test_goes_on_where_equations_states_and_stepper_are_the_same(
    model: dict[str, Any], snapshot: Path
) -> None:
    expected = opened(DRIVEN, snapshot).run(T=2.0, resume=True)
    res = opened(model, snapshot).run(T=2.0, resume=True)
    assert res[:].tobytes() == expected[:].tobytes()
    assert res.t.tobytes() == expected.t.tobytes()


# --- what may not ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (
            changed(DRIVEN, "equations", "rhs", "x", to="v + 0.1"),
            "equation of x: 'v' in the snapshot, 'v + 0.1' here",
        ),
        (
            {**changed(DRIVEN, "states", to={"v": 0.0, "x": 0.0}), "aux": {}},
            "states: x, v in the snapshot, v, x here",
        ),
        (
            changed(DRIVEN, "events", to={"e": {"cond": "x > 1", "action": "v = 0"}}),
            "events: e",
        ),
        (
            changed(DRIVEN, "model", "dtype", to="float32"),
            "type of the states: float64 in the snapshot, float32 here",
        ),
    ],
    ids=["equation", "states", "events", "dtype"],
)
def test_says_what_differs(model: dict[str, Any], words: str, snapshot: Path) -> None:
    sim = setup(model, stepper="ab3", jit=False)
    sim.run(T=0.5)
    before = sim.t
    with pytest.raises(SnapshotMismatchError) as caught:
        sim.load_snapshot(snapshot)
    assert words in str(caught.value)
    assert sim.t == before


def test_says_all_that_differs(snapshot: Path) -> None:
    other = changed(DRIVEN, "equations", "rhs", "x", to="2*v")
    with pytest.raises(SnapshotMismatchError) as caught:
        opened(other, snapshot, stepper="rk4")
    assert "stepper: ab3 in the snapshot, rk4 here" in str(caught.value)
    assert "equation of x" in str(caught.value)


def test_map_is_no_flow(tmp_path: Path) -> None:
    sim = sim_of("logistic")
    sim.run(N=3)
    sim.save_snapshot(tmp_path / "map.snap")
    flow = {"model": {"type": "ode"}, "states": {"x": 0.3}, "params": {"r": 3.7},
            "equations": {"rhs": {"x": "r*x*(1 - x)"}}}  # fmt: skip
    with pytest.raises(SnapshotMismatchError, match="stepper: map in the snapshot, rk4 here"):
        opened(flow, tmp_path / "map.snap", stepper="rk4")


def test_changed_event(tmp_path: Path) -> None:
    sim = sim_of("busy", "rk4")
    sim.run(T=1.0)
    sim.save_snapshot(tmp_path / "busy.snap")
    other = changed(BUSY, "events", "floor", "action", to="v = -0.5*v; hits += 1")
    with pytest.raises(SnapshotMismatchError, match="events: floor"):
        opened(other, tmp_path / "busy.snap", stepper="rk4")
    same = changed(BUSY, "events", "floor", "log", to=["x"])
    assert opened(same, tmp_path / "busy.snap", stepper="rk4").run(T=2.0, resume=True).ok


# --- upgrades -------------------------------------------------------------------------------------


def rewritten(path: Path, change: Any) -> None:
    """Let `change` edit the description and the arrays of a snapshot."""
    arrays, meta = read_arrays(path, "snapshot", "dynlib snapshot")
    change(meta, arrays)
    write_arrays(path, arrays, meta)


def test_version_of_the_package_does_not_matter(
    snapshot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = opened(DRIVEN, snapshot).run(T=2.0, resume=True)
    rewritten(snapshot, lambda meta, arrays: meta.update(written_by="0.0.1"))
    monkeypatch.setattr(dynlib, "__version__", "99.0")
    assert differences(opened(DRIVEN, snapshot).run(T=2.0, resume=True), expected) == []


def test_slots_are_found_by_name(snapshot: Path) -> None:
    """A later version may order the runner's slots otherwise, add some and drop some."""
    expected = opened(DRIVEN, snapshot).run(T=2.0, resume=True)

    def reorder(meta: dict[str, Any], arrays: Any) -> None:
        for table in ("clock", "count"):
            meta[table] = dict(reversed(meta[table].items())) | {"A_SLOT_OF_THE_FUTURE": 7}
        del meta["count"]["OBSERVED_FROM"]

    rewritten(snapshot, reorder)
    assert differences(opened(DRIVEN, snapshot).run(T=2.0, resume=True), expected) == []


def test_newer_format(snapshot: Path) -> None:
    rewritten(snapshot, lambda meta, arrays: meta.update(version=99, written_by="7.1"))
    with pytest.raises(SnapshotMismatchError, match=r"written by dynlib 7.1 in format 99"):
        opened(DRIVEN, snapshot)


def test_memory_of_another_size(snapshot: Path) -> None:
    rewritten(snapshot, lambda meta, arrays: arrays.update(machine_memory=np.zeros((1, 1))))
    with pytest.raises(SnapshotMismatchError, match="its memory held 1 numbers in the snapshot"):
        opened(DRIVEN, snapshot)


def test_model_that_cannot_be_read_any_more(snapshot: Path) -> None:
    rewritten(snapshot, lambda meta, arrays: meta.update(model="[model]\ntype = 'pde'"))
    with pytest.raises(SnapshotMismatchError, match="cannot be read any more"):
        opened(DRIVEN, snapshot)


# --- other files ----------------------------------------------------------------------------------


def test_other_files_are_refused(tmp_path: Path, snapshot: Path) -> None:
    path = tmp_path / "other"
    with pytest.raises(OptionError, match="there is no such file"):
        opened(DRIVEN, path)
    for content in (b"", b"hello", json.dumps({"format": "dynlib snapshot"}).encode()):
        path.write_bytes(content)
        with pytest.raises(OptionError, match="not a dynlib snapshot, or damaged"):
            opened(DRIVEN, path)
    with pytest.raises(OptionError, match="this is a folder, not a file"):
        opened(DRIVEN, tmp_path)
    rewritten(snapshot, lambda meta, arrays: arrays.pop("machine_y"))
    with pytest.raises(OptionError, match="array 'machine_y' is missing"):
        opened(DRIVEN, snapshot)


def test_a_snapshot_is_replaced_at_once(snapshot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is killed while writing leaves the old snapshot."""
    sim = sim_of("driven", "ab3")
    sim.run(T=2.0)

    def killed(*paths: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            sim.save_snapshot(snapshot)
    assert opened(DRIVEN, snapshot).t == 1.0
    assert [each.name for each in snapshot.parent.iterdir()] == [snapshot.name]


def test_lags_and_truths_are_part_of_it(tmp_path: Path) -> None:
    for model, stepper in ((LAGGED, "ab2"), (BUSY, "ab3")):
        whole = setup(model, stepper=stepper, jit=False).run(T=3.0)
        sim = setup(model, stepper=stepper, jit=False)
        sim.run(T=3.0, max_steps=11, on_failure="return")
        sim.save_snapshot(tmp_path / "x.snap")
        rest = opened(model, tmp_path / "x.snap", stepper=stepper).run(T=3.0, resume=True)
        assert rest[:].tobytes() == whole[:][-len(rest) :].tobytes()


# --- in memory ------------------------------------------------------------------------------------


def test_named_snapshots() -> None:
    sim = sim_of("driven", "ab3")
    sim.assign(a=0.6)
    sim.run(T=1.0, tag="first")
    sim.snapshot("one")
    sim.run(T=2.0, resume=True)
    sim.assign(a=0.1, x=2.0)
    sim.snapshot("two")
    later = sim.run(T=3.0, resume=True)
    for _ in range(2):  # a snapshot is not used up, nor changed by what follows
        sim.reset("one")
        assert (sim.t, sim.params["a"]) == (1.0, 0.6)
        assert list(sim.results().segments) == ["first"]
        sim.run(T=2.0, resume=True)
        sim.reset("two")
        assert (sim.t, sim.params["a"], sim.current["x"]) == (2.0, 0.1, 2.0)
        assert differences(sim.run(T=3.0, resume=True), later) == []
    sim.reset()
    assert (sim.t, sim.params["a"]) == (0.0, 0.4)
    with pytest.raises(OptionError, match="there are no results yet"):
        sim.results()
    sim.reset("one")
    assert sim.t == 1.0


def test_the_format_has_a_number() -> None:
    assert snapshots._VERSION == 2


def test_files_of_the_first_format(snapshot: Path) -> None:
    """Those knew nothing of observers."""
    expected = opened(DRIVEN, snapshot).run(T=2.0, resume=True)
    rewritten(snapshot, lambda meta, arrays: meta.update(version=1))
    assert differences(opened(DRIVEN, snapshot).run(T=2.0, resume=True), expected) == []
