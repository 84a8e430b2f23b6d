"""A damaged file of results is the result that was saved, or one error; never other numbers."""

import os
import random
import tracemalloc
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest
from fastpath.batches import same_batch, values_of
from fastpath.batches import sim_of as sim_of_batch
from runtime import damage
from runtime.models import differences, sim_of

from dynlib import (
    BatchResults,
    DynlibError,
    FileError,
    OptionError,
    Results,
    check_results,
    load_results,
)
from dynlib.observers import features, poincare
from dynlib.runtime import netcdf

Saved = Results | BatchResults
ODD: tuple[Any, ...] = (None, -1, 10**30, 0.5, float("nan"), "x", True, [], {}, [["x"]])


@cache
def a_run() -> Results:
    """Two segments, with events and observers."""
    sim = sim_of("busy", "rk4")
    sim.run(T=0.5)
    sim.assign(x=0.5)
    return sim.run(T=1.5, resume=True, observers=[features("max"), poincare("x - 0.2")])


@cache
def a_batch() -> BatchResults:
    """Runs with events and observers, some of which fail."""
    observers = [features("max"), poincare("x - 0.2")]
    return sim_of_batch("busy").batch(**values_of("busy", 6), T=1.0, observers=observers)


WHAT = {"run": a_run, "batch": a_batch}


@cache
def content_of(what: str, suffix: str, folder: Path) -> bytes:
    path = folder / f"{what}{suffix}"
    WHAT[what]().save(path)
    return path.read_bytes()


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("saved")


def is_same(found: Saved, what: str) -> bool:
    whole: Any = WHAT[what]()
    if isinstance(found, Results):
        return isinstance(whole, Results) and differences(found, whole) == []
    return isinstance(whole, BatchResults) and same_batch(found, whole)


def judged(path: Path, what: str) -> str:
    """How a file was answered; fails where it was answered wrongly."""
    refused: FileError | None = None
    try:
        found = load_results(path)
    except FileError as error:
        refused = error
    if refused is None:
        assert is_same(found, what)
        return "whole"
    assert refused.path == path
    assert str(path) in str(refused)
    return "refused"


def used(found: Saved) -> None:
    """Look at everything that a result has."""
    repr(found)
    for name in found.names:
        _ = found[name]
    for event in found.events.values():
        _ = event.t, event.step, [event[column] for column in event.columns]
    for seen in found.observers.values():
        repr(seen)
    if isinstance(found, BatchResults):
        for run in found:
            repr(run)
    else:
        for segment in found.segments.values():
            repr(segment)


def harmed(content: bytes, number: int, seed: str) -> list[tuple[str, bytes]]:
    dice = random.Random(seed)
    kinds = [damage.BYTES[i % len(damage.BYTES)] for i in range(number)]
    return [(kind.__name__, kind(content, dice)) for kind in kinds]


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize("number", [60, pytest.param(8000, marks=pytest.mark.slow)])
def test_damaged_bytes(number: int, what: str, suffix: str, folder: Path, tmp_path: Path) -> None:
    content = content_of(what, suffix, folder)
    path = tmp_path / f"damaged{suffix}"
    answers = set()
    for kind, damaged in harmed(content, number, f"{what}{suffix}{number}"):
        if damaged == content:
            continue
        path.write_bytes(damaged)
        answer = judged(path, what)
        answers.add(answer)
        assert answer == "refused" or kind == "append"
    assert "refused" in answers


@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize("number", [60, pytest.param(8000, marks=pytest.mark.slow)])
def test_damaged_bytes_without_a_sum(number: int, what: str, folder: Path, tmp_path: Path) -> None:
    """An ``.npz`` that was written before there were check sums has those of its arrays."""
    content = damage.without_sum(content_of(what, ".npz", folder))
    path = tmp_path / "old.npz"
    path.write_bytes(content)
    assert judged(path, what) == "whole"
    for _, damaged in harmed(content, number, f"old {what}{number}"):
        path.write_bytes(damaged)
        judged(path, what)


@pytest.mark.parametrize("what", WHAT)
def test_rearranged_archives(what: str, folder: Path, tmp_path: Path) -> None:
    """Arrays that are gone, swapped, of another type or shape."""
    content = content_of(what, ".npz", folder)
    path = tmp_path / "changed.npz"
    some = random.Random(what).sample(list(damage.rearranged(content)), 40)
    for changed in [*some, damage.compressed(content)]:
        path.write_bytes(changed)
        with pytest.raises(FileError, match=r"compressed|check sum is gone"):
            load_results(path)


@pytest.mark.parametrize("what", WHAT)
def test_rearranged_archives_without_a_sum(what: str, folder: Path, tmp_path: Path) -> None:
    """Types and shapes are those that the description declares."""
    path = tmp_path / "changed.npz"
    content = damage.without_sum(content_of(what, ".npz", folder))
    for changed in random.Random(what).sample(list(damage.rearranged(content)), 60):
        path.write_bytes(changed)
        try:
            used(load_results(path))
        except FileError:
            continue


@pytest.mark.parametrize("what", WHAT)
def test_forged_descriptions(what: str, folder: Path, tmp_path: Path) -> None:
    """Entries that are no names, numbers or lists of what they should be."""
    arrays, meta = damage.opened(damage.without_sum(content_of(what, ".npz", folder)))
    path = tmp_path / "forged.npz"
    dice = random.Random(what)
    forgeries = list(damage.forged(meta, ODD))
    for where, changed in dice.sample(forgeries, 100):
        path.write_bytes(damage.packed(arrays, changed))
        try:
            used(load_results(path))
        except DynlibError:
            continue
        except Exception as error:
            raise AssertionError(where) from error


def test_contents_of_netcdf_that_were_changed(folder: Path, tmp_path: Path) -> None:
    """By another program, which leaves no sum behind."""
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "changed.nc"
    path.write_bytes(content_of("run", ".nc", folder))
    with h5py.File(path, "r+") as file:
        file["x"][3] = 17.0
    with pytest.raises(FileError, match="check sum"):
        load_results(path)
    with h5py.File(path, "r+") as file:
        file.create_dataset("more", data=np.arange(1000.0))
    with pytest.raises(FileError, match="check sum"):
        load_results(path)


def test_netcdf_that_declares_more_than_it_has(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "huge.nc"
    monkeypatch.setattr(netcdf, "seal", lambda path: None)
    monkeypatch.setattr(netcdf, "to_bytes", _without_its_mark)
    a_run().save(path)
    assert judged(path, "run") == "whole"
    with h5py.File(path, "r+") as file:
        del file["v"]
        file.create_dataset("v", shape=(10**12,), dtype="f8", chunks=(1000,))
    with pytest.raises(FileError, match=r"declares 14\.6 TB of arrays, and has"):
        load_results(path)


def _without_its_mark(arrays: Any, meta: Any) -> bytes:
    return damage.packed(arrays, {key: value for key, value in meta.items() if key != "sealed"})


def test_foreign_files(folder: Path, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "foreign.nc", "w") as file:
        file["x"] = np.arange(3.0)
    np.savez(tmp_path / "foreign.npz", x=np.arange(3.0))
    np.savez(tmp_path / "pickle.npz", description=np.array([print], dtype=object))
    (tmp_path / "text.npz").write_text("a,b\n1,2\n")
    (tmp_path / "empty.nc").write_bytes(b"")
    (tmp_path / "archive.nc").write_bytes(content_of("run", ".npz", folder))
    (tmp_path / "dataset.npz").write_bytes(content_of("run", ".nc", folder))
    for path in tmp_path.iterdir():
        with pytest.raises(FileError) as found:
            load_results(path)
        assert str(path) in str(found.value)
        assert [str(error) for error in check_results(path)] == [str(found.value)]


def test_what_is_no_file(tmp_path: Path) -> None:
    """Nothing is waited for, and nothing endless is read."""
    os.mkfifo(tmp_path / "pipe.npz")
    os.mkfifo(tmp_path / "pipe.nc")
    for path in (tmp_path / "pipe.npz", tmp_path / "pipe.nc"):
        with pytest.raises(FileError, match="this is a pipe, not a file"):
            load_results(path)
        with pytest.raises(OptionError, match="this is a device or a pipe"):
            a_run().save(path)
    for suffix in (".npz", ".nc"):
        (tmp_path / f"zero{suffix}").symlink_to("/dev/zero")
        with pytest.raises(FileError, match="this is a device, not a file"):
            load_results(tmp_path / f"zero{suffix}")
        (tmp_path / f"round{suffix}").symlink_to(tmp_path / f"round{suffix}")
        with pytest.raises(FileError):
            load_results(tmp_path / f"round{suffix}")


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    link = tmp_path / "run.npz"
    link.symlink_to(tmp_path / "far" / "data.npz")
    a_run().save(link)
    assert link.is_symlink()
    assert judged(link, "run") == "whole"
    assert [each.name for each in (tmp_path / "far").iterdir()] == ["data.npz"]


# --- sizes ----------------------------------------------------------------------------------------


def bomb() -> bytes:
    """A gigabyte of zeros in a megabyte."""
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as member:
        np.lib.format.write_array_header_1_0(
            member, {"descr": "<f8", "fortran_order": False, "shape": (2**23,)}
        )
        for _ in range(64):
            member.write(bytes(2**20))
    return buffer.getvalue()


def header_of(shape: Any, descr: str = "<f8") -> bytes:
    """An array that has only a head."""
    buffer = BytesIO()
    with ZipFile(buffer, "w") as archive, archive.open("description.npy", "w") as member:
        np.lib.format.write_array_header_1_0(
            member, {"descr": descr, "fortran_order": False, "shape": shape}
        )
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (bomb(), "compressed, as dynlib never does"),
        (header_of((10**12,)), "declares the shape"),
        (header_of((2**62, 2**62)), "declares the shape"),
        (header_of((1,), "|O"), "not numbers"),
        (header_of((1,), "<U100000000"), "not numbers"),
    ],
    ids=["bomb", "long", "endless", "objects", "text"],
)
def test_sizes_are_looked_at_first(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "large.npz"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(FileError, match=said):
            load_results(path)
        assert tracemalloc.get_traced_memory()[1] < 16e6
    finally:
        tracemalloc.stop()


def test_members_that_lie_in_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    """An archive may declare its bytes again and again."""
    content = content_of("run", ".npz", folder)
    path = tmp_path / "run.npz"
    path.write_bytes(content)
    with ZipFile(path, "a") as archive:
        (member,) = (i for i in archive.infolist() if i.filename == "0/raw_y.npy")
        archive.filelist.extend([member] * 1000)
        archive.NameToInfo[member.filename] = member
        archive._didModify = True  # type: ignore[attr-defined]
    with pytest.raises(FileError, match=r"declares .* of arrays|twice|check sum"):
        load_results(path)


def test_more_than_memory_holds(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dynlib.runtime import files

    monkeypatch.setattr(files, "_TRIFLE", 100)
    monkeypatch.setattr(files, "available_memory", lambda: 200)
    for suffix in (".npz", ".nc"):
        path = tmp_path / f"run{suffix}"
        path.write_bytes(content_of("run", suffix, folder))
        with pytest.raises(FileError, match=r"not enough memory .* 200 bytes are free"):
            load_results(path)
