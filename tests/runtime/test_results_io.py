"""Saved results come back as they were; whatever else lies in a file is refused."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from runtime.models import differences, sim_of

from dynlib import OptionError, Results, load_results
from dynlib.runtime import files
from dynlib.runtime.rerun import rerun


def session(name: str, stepper: str | None = None) -> Results:
    """A result with all there is: segments, events, aux variables, a jump."""
    sim = sim_of(name, stepper)
    span: list[dict[str, Any]] = [{"N": 10}, {"N": 10}] if name in ("logistic", "collatz") else [
        {"T": 1.0}, {"T": 3.0},
    ]  # fmt: skip
    sim.run(**span[0], tag="first")
    first_state = sim.spec.states[0]
    sim.assign({first_state: 7 if name == "collatz" else 0.5})
    return sim.run(**span[1], resume=True)


CASES = [("driven", "rk45"), ("busy", "rk4"), ("lagged", "ab2"), ("logistic", None),
         ("collatz", None), ("tame", "euler")]  # fmt: skip


@pytest.mark.parametrize("suffix", [".npz", ".nc", ".NPZ"])
@pytest.mark.parametrize(("name", "stepper"), CASES)
def test_round_trip(name: str, stepper: str | None, suffix: str, tmp_path: Path) -> None:
    res = session(name, stepper)
    path = tmp_path / f"run{suffix}"
    res.save(path)
    again = load_results(path)
    assert differences(again, res) == []
    assert again.names == res.names
    assert again.status is res.status
    assert again.message == res.message
    assert again.stats == res.stats
    assert list(again.segments) == list(res.segments)
    for name_, segment in res.segments.items():
        assert differences(again.segments[name_], segment) == []
    assert repr(again) == repr(res)
    assert again.t.dtype == res.t.dtype
    assert again[:].dtype == res[:].dtype
    assert again.spec.model_hash == res.spec.model_hash
    assert again.receipt == json.loads(json.dumps(res.receipt))
    again.save(path)
    assert differences(load_results(path), res) == []
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_other_programs_read_the_table(tmp_path: Path) -> None:
    import xarray as xr

    res = sim_of("busy", "rk4").run()
    res.save(tmp_path / "run.nc")
    with xr.open_dataset(tmp_path / "run.nc") as table:
        np.testing.assert_array_equal(table["x"], res["x"])
        np.testing.assert_array_equal(table["time"], res.t)
        assert table.attrs["stepper"] == "rk4"
    with xr.open_dataset(tmp_path / "run.nc", group="events/floor") as firings:
        np.testing.assert_array_equal(firings["t"], res.events["floor"].t)
        np.testing.assert_array_equal(firings["hits"], res.events["floor"]["hits"])


def test_csv(tmp_path: Path) -> None:
    res = sim_of("driven", "rk4").run(record_vars=["v", "aux.E"])
    res.save(tmp_path / "run.csv")
    lines = (tmp_path / "run.csv").read_text().splitlines()
    assert lines[0] == "t,v,E"
    table = np.loadtxt(lines[1:], delimiter=",")
    np.testing.assert_array_equal(table, np.column_stack([res.t, res["v"], res["E"]]))


def test_segments_that_differ_are_for_npz(tmp_path: Path) -> None:
    sim = sim_of("driven", "rk4")
    sim.run(T=1.0, record_vars=["x", "v"])
    res = sim.run(T=2.0, record_vars=["aux.E"], resume=True)
    with pytest.raises(OptionError, match="recorded different variables"):
        res.save(tmp_path / "run.nc")
    res.save(tmp_path / "run.npz")
    again = load_results(tmp_path / "run.npz")
    np.testing.assert_array_equal(again.segments[1]["E"], res.segments[1]["E"])
    res.segments[1].save(tmp_path / "second.nc")
    np.testing.assert_array_equal(load_results(tmp_path / "second.nc")["E"], res.segments[1]["E"])


def test_partial_results_can_be_saved(tmp_path: Path) -> None:
    res = sim_of("explosion", "rk4").run(T=20.0, dt=0.1, on_failure="return")
    res.save(tmp_path / "run.npz")
    assert load_results(tmp_path / "run.npz").message == res.message


@pytest.mark.parametrize("suffix", [".txt", "", ".h5", ".npz.gz"])
def test_unknown_suffix(suffix: str, tmp_path: Path) -> None:
    res = sim_of("tame", "rk4").run()
    with pytest.raises(OptionError, match=r"cannot tell the format.*Known: \.npz, \.nc, \.csv"):
        res.save(tmp_path / f"run{suffix}")


def test_missing_places(tmp_path: Path) -> None:
    res = sim_of("tame", "rk4").run()
    with pytest.raises(OptionError, match="there is no folder"):
        res.save(tmp_path / "nowhere" / "run.npz")
    for suffix in (".npz", ".nc"):
        with pytest.raises(OptionError, match="there is no such file"):
            load_results(tmp_path / f"run{suffix}")


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
def test_other_files_are_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"run{suffix}"
    for content in (b"", b"PK\x03\x04", b"x = 1", b"\x89HDF\r\n\x1a\n" + bytes(100)):
        path.write_bytes(content)
        with pytest.raises(OptionError, match=r"not a result that dynlib saved|unknown engine"):
            load_results(path)
    np.savez(tmp_path / "other.npz", x=np.ones(3))
    with pytest.raises(OptionError, match="not a result that dynlib saved"):
        load_results(tmp_path / "other.npz")
    sim_of("driven").run(T=0.1).save(tmp_path / "run.csv")
    with pytest.raises(OptionError, match=r"\.csv holds the numbers only.*\.npz or \.nc"):
        load_results(tmp_path / "run.csv")


def test_nothing_in_a_file_is_executed(tmp_path: Path) -> None:
    """A pickle in the place of an array is refused, not loaded."""
    path = tmp_path / "run.npz"
    with path.open("wb") as file:
        np.savez(file, description=np.array([print], dtype=object))
    with pytest.raises(OptionError, match=r"allow_pickle=False|pickle"):
        load_results(path)


def test_snapshot_is_no_result(tmp_path: Path) -> None:
    sim = sim_of("tame", "rk4")
    sim.run()
    sim.save_snapshot(tmp_path / "there.npz")
    with pytest.raises(OptionError, match="it calls itself 'dynlib snapshot'"):
        load_results(tmp_path / "there.npz")


@pytest.fixture(name="content", scope="module")
def _content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "run.npz"
    session("busy", "rk4").save(path)
    return path


@given(
    damage=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), max_size=4),
    kept=st.sampled_from((1.0, 1.0, 0.99, 0.5, 0.01)),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_never_a_traceback(
    content: Path, tmp_path: Path, damage: list[tuple[float, int]], kept: float
) -> None:
    damaged = bytearray(content.read_bytes())
    for place, flip in damage:
        damaged[int(place * len(damaged))] ^= flip
    path = tmp_path / "run.npz"
    path.write_bytes(damaged[: int(kept * len(damaged))])
    with suppress(OptionError):  # or it hit a place that nothing reads
        load_results(path)


def test_newer_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dynlib.runtime import results_io

    with monkeypatch.context() as patch:
        patch.setattr(results_io, "VERSION", 99)
        sim_of("tame", "rk4").run().save(tmp_path / "run.npz")
    with pytest.raises(OptionError, match=r"format 99 comes from a newer dynlib; .* Upgrade"):
        load_results(tmp_path / "run.npz")


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    res = sim_of("tame", "rk4").run()
    path = tmp_path / "run.npz"
    res.save(path)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "_pack", full)
    with pytest.raises(OptionError, match=r"cannot be written .*No space left"):
        sim_of("tame", "rk4").run(T=0.5).save(path)
    monkeypatch.undo()
    assert differences(load_results(path), res) == []
    assert [each.name for each in tmp_path.iterdir()] == ["run.npz"]


# --- receipts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "stepper"), CASES)
def test_receipt_reproduces(name: str, stepper: str | None) -> None:
    res = session(name, stepper)
    assert differences(rerun(json.loads(json.dumps(res.receipt))), res) == []


@given(
    st.sampled_from(("rk4", "ab3", "tsit5")),
    st.fixed_dictionaries(
        {},
        optional={
            "T": st.floats(0.5, 2),
            "t0": st.floats(-1, 0.2),
            "ic": st.fixed_dictionaries({"x": st.floats(-1, 1)}),
            "params": st.fixed_dictionaries({"a": st.floats(0, 1)}),
            "record_interval": st.integers(1, 5),
            "record_vars": st.sampled_from((["x", "aux.E"], ["v"])),
            "transient": st.floats(0, 0.2),
            "max_steps": st.integers(1, 50),
            "record": st.booleans(),
            "tag": st.just("mine"),
        },
    ),
)
def test_receipt_of_any_run(stepper: str, options: dict[str, Any]) -> None:
    res = sim_of("driven", stepper).run(on_failure="return", **options)
    again = rerun(json.loads(json.dumps(res.receipt)))
    assert differences(again, res) == []
    assert list(again.segments) == list(res.segments)


def test_receipt_says_what_a_reader_asks() -> None:
    receipt = sim_of("driven", "rk45").run(T=2.0, params={"a": 0.5}, rtol=1e-7).receipt
    assert receipt["model"]["name"] == "driven"
    assert len(receipt["model"]["hash"]) == 64
    assert "[equations.rhs]" in receipt["model"]["text"]
    assert receipt["stepper"] == "rk45"
    assert receipt["t0"] == 0.0
    assert receipt["ic"] == {"x": 0.3, "v": -0.2}
    assert receipt["params"] == {"a": 0.5, "w": 1.3}
    assert receipt["arguments"]["T"] == 2.0
    assert receipt["arguments"]["rtol"] == 1e-7
    assert receipt["arguments"]["atol"] == 1e-8
    assert set(receipt["versions"]) == {"python", "dynlib", "numpy", "numba", "llvmlite"}
    assert receipt["platform"]


def test_receipt_of_an_interrupted_session_stops_where_it_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from dynlib.runtime import wrapper

    class AtOnce:
        seen = True

        def watch(self) -> None: ...
        def release(self) -> None: ...

    sim = sim_of("driven", "rk4")
    with monkeypatch.context() as patch:
        patch.setattr(wrapper, "Interrupt", AtOnce)
        patch.setattr(wrapper, "first_budget", lambda *_: 10)
        part = sim.run(T=100.0)
    assert 0 < part.t_final < 100.0
    res = sim.run(T=part.t_final + 1.0, resume=True)
    assert differences(rerun(res.receipt), res) == []


def test_receipts_that_cannot_be_redone(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="this is no receipt of a result"):
        rerun({"model": {}})
    sim = sim_of("driven", "rk4")
    sim.run(T=1.0)
    sim.save_snapshot(tmp_path / "there.snap")
    other = sim_of("driven", "rk4")
    other.load_snapshot(tmp_path / "there.snap")
    res = other.run(T=2.0, resume=True)
    with pytest.raises(OptionError, match="went on from a snapshot file"):
        rerun(res.receipt)
