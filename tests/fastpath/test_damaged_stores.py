"""A damaged store is the batch, says what is not there, or ends in one error; and is mended."""

import os
import random
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastpath.batches import same_batch
from fastpath.stored import batch_into
from runtime import damage

from dynlib import BatchResults, DynlibError, FileError, OptionError, check_results, load_results
from dynlib.abi.status import Status
from dynlib.observers import features, poincare
from dynlib.runtime.batch import claims, layout
from dynlib.runtime.batch.claims import Claims
from dynlib.runtime.batch.store import Store

zarr = pytest.importorskip("zarr")
xarray = pytest.importorskip("xarray")

REST: Any = {"record_vars": ["x"], "T": 0.6}


def into(out: Path | None = None) -> BatchResults:
    return batch_into(out, observers=[features("max"), poincare("x - 0.5")], **REST)


@cache
def whole() -> BatchResults:
    return into()


@pytest.fixture(name="sound", scope="module")
def _sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stores") / "sound.zarr"
    into(path)
    return path


@pytest.fixture(name="path")
def _path(sound: Path, tmp_path: Path) -> Path:
    shutil.copytree(sound, tmp_path / "sweep.zarr")
    return tmp_path / "sweep.zarr"


def files_of(path: Path) -> list[Path]:
    return sorted(each for each in path.rglob("*") if each.is_file())


def contents(path: Path) -> dict[str, bytes]:
    """All but the marks, which hold what the parts took."""
    return {
        each.relative_to(path).as_posix(): each.read_bytes()
        for each in files_of(path)
        if each.parent.name != "parts"
    }


def looked_at(path: Path) -> None:
    """Everything that a store shows is of the batch, or marked as not there."""
    try:
        found = load_results(path)
        assert isinstance(found, BatchResults)
        there = found.status != Status.USER_BREAK
        for name in found.names:
            np.testing.assert_array_equal(found[name][there], whole()[name][there])
            assert np.isnan(found[name][~there]).all()
        for name in found.final:
            np.testing.assert_array_equal(found.final[name][there], whole().final[name][there])
        runs = np.flatnonzero(there)
        for name, event in found.events.items():
            kept = np.isin(whole().events[name].run, runs)
            np.testing.assert_array_equal(event.t, whole().events[name].t[kept])
        for run in runs[::4]:
            repr(found[int(run)])
        repr(found.observers)
        found.to_xarray().load()
    except FileError as error:
        said = str(error)
    else:
        said = str(path)
    assert str(path) in said


# --- what may happen to a store -------------------------------------------------------------------


def bytes_of_one(path: Path, dice: random.Random) -> None:
    one = dice.choice(files_of(path))
    one.write_bytes(dice.choice(damage.BYTES)(one.read_bytes(), dice))


def lose_one(path: Path, dice: random.Random) -> None:
    dice.choice(files_of(path)).unlink()


def lose_a_folder(path: Path, dice: random.Random) -> None:
    shutil.rmtree(dice.choice(sorted(each for each in path.rglob("*") if each.is_dir())))


def swap_two(path: Path, dice: random.Random) -> None:
    one, other = dice.sample(files_of(path), 2)
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def not_a_file(path: Path, dice: random.Random) -> None:
    one = dice.choice(files_of(path))
    one.unlink()
    dice.choice((os.mkfifo, os.mkdir, lambda place: os.symlink("/dev/zero", place)))(one)


def add_one(path: Path, dice: random.Random) -> None:
    """A chunk that was half written, for numbers that are not there."""
    one = dice.choice(files_of(path))
    one.with_name(f".{one.name}.0123").write_bytes(b"half")
    folder = dice.choice(sorted(each for each in path.rglob("c") if each.is_dir()))
    (folder / "99").write_bytes(b"half")


UNMENDABLE = ("cannot be made again", "dynlib/", "no batch that dynlib", "Is a directory")
HARM: tuple[Callable[[Path, random.Random], None], ...] = (
    bytes_of_one, lose_one, lose_a_folder, swap_two, not_a_file, add_one,
)  # fmt: skip


@pytest.mark.parametrize("number", [3, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.parametrize("harm", HARM)
def test_damaged_stores(
    harm: Callable[[Path, random.Random], None], number: int, sound: Path, tmp_path: Path
) -> None:
    """The call that made it mends it, bit for bit, or says why it cannot."""
    dice = random.Random(f"{harm.__name__}{number}")
    untouched = contents(sound)
    for index in range(number):
        path = tmp_path / f"{index}.zarr"
        shutil.copytree(sound, path)
        harm(path, dice)
        problems = check_results(path)
        looked_at(path)
        said = ""
        try:
            assert same_batch(into(path), whole())
        except OptionError as error:
            said = str(error)
        if said:
            assert any(each in said for each in UNMENDABLE)
            assert problems
        else:
            assert check_results(path) == []
            assert same_batch(load_results(path), whole())
            found = contents(path)
            assert untouched == {key: found[key] for key in untouched}
        shutil.rmtree(path)


def test_problems_are_named_part_by_part(path: Path) -> None:
    chunk = path / "final_x" / "c" / "3" / "0"
    chunk.write_bytes(b"x" + chunk.read_bytes()[1:])
    marks = sorted((path / "dynlib" / "parts").iterdir())
    marks[0].write_bytes(marks[0].read_bytes()[:-5])
    (path / "x_" / "zarr.json").write_text("{}")
    said = [str(error) for error in check_results(path)]
    assert len(said) == 3
    assert "x_/zarr.json" in said[0]
    assert "dynlib/parts/0.npz" in said[1]
    assert "final_x/c/3/0: damaged: its check sum does not fit" in said[2]
    with pytest.raises(FileError, match=r"dynlib/parts/0\.npz.* computes damaged parts again"):
        load_results(path)


def test_a_damaged_chunk_is_no_number(path: Path) -> None:
    """Nor is one that is gone: Zarr itself would take it for an empty one."""
    chunk = max((path / "final_x" / "c").rglob("0"))
    chunk.unlink()
    batch = load_results(path)
    with pytest.raises(FileError, match=r"final_x/c/.*there is no such file"):
        _ = batch.final["x"]
    assert batch["x"].shape == whole()["x"].shape  # other columns are read all the same
    with pytest.raises(FileError, match="no such file"):
        batch.to_xarray().load()
    into(path)
    assert batch.final["x"].tobytes() == whole().final["x"].tobytes()


def test_only_damaged_parts_are_computed_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put, computed = Store.put, []
    monkeypatch.setattr(
        Store, "put", lambda self, first, table: (computed.append(first), put(self, first, table))
    )
    chunk = path / "status" / "c" / "2" / "0"
    chunk.write_bytes(chunk.read_bytes()[::-1])
    assert same_batch(into(path), whole())
    assert computed == [8]


@pytest.mark.parametrize("key", ["zarr.json", "x_/zarr.json", "k/c/0", layout.DESCRIPTION])
def test_what_a_store_has_from_the_beginning_is_made_again(path: Path, key: str) -> None:
    before = contents(path)
    (path / key).write_bytes(b"{}")
    looked_at(path)
    assert same_batch(into(path), whole())
    assert contents(path) == before


def test_another_call_mends_nothing(path: Path) -> None:
    (path / layout.DESCRIPTION).unlink()
    with pytest.raises(FileError, match=r"dynlib/description\.npz: there is no such file"):
        batch_into(path, T=0.3)
    assert same_batch(into(path), whole())


def test_an_earlier_store_is_refused(tmp_path: Path) -> None:
    """There was a development version without check sums."""
    root = zarr.create_group(tmp_path / "old.zarr")
    root.create_group("dynlib", attributes={"store": 1})
    with pytest.raises(FileError, match=r"without check sums.*xarray\.open_zarr reads"):
        load_results(tmp_path / "old.zarr")
    with pytest.raises(OptionError, match="without check sums"):
        into(tmp_path / "old.zarr")


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there stays, and the call can be made again."""
    path, put = tmp_path / "full.zarr", Store._put_chunks
    left = [2]

    def until_full(self: Store, first: int, table: Any) -> dict[str, str]:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        return put(self, first, table)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "_put_chunks", until_full)
        with pytest.raises(OptionError, match=r"No space left on device\)\. What is there is kept"):
            into(path)
    assert (load_results(path).status != Status.USER_BREAK).sum() == 8
    assert same_batch(into(path), whole())


# --- claims ---------------------------------------------------------------------------------------


def test_a_claim_is_held_once(tmp_path: Path) -> None:
    one, other = Claims(tmp_path / "claims"), Claims(tmp_path / "claims")
    assert one.take(3)
    assert not other.take(3)
    assert other.take(4)
    one.free(3)
    assert other.take(3)
    other.close()
    assert one.take(4)
    one.close()
    assert list((tmp_path / "claims").iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_who_is_killed_while_claiming_leaves_no_claim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = os.fork()
    if not process:
        opened = Path.open

        def open_and_die(self: Path, *args: object, **kwargs: object) -> None:
            opened(self, *args, **kwargs)  # type: ignore[call-overload]
            os._exit(0)

        monkeypatch.setattr(Path, "open", open_and_die)
        Claims(tmp_path).take(0)
        os._exit(1)
    assert os.waitpid(process, 0)[1] == 0
    assert len(list(tmp_path.iterdir())) == 1
    one = Claims(tmp_path)
    assert one.take(0)
    one.close()
    one.sweep({0})
    assert list(tmp_path.iterdir()) == []


def test_a_claim_is_held_once_on_a_disk_without_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    test_a_claim_is_held_once(tmp_path)


def test_claims_of_those_who_are_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of this computer at once; of another one after a time without a sign of life."""
    claim = tmp_path / "0.json"
    process = os.fork()
    if not process:
        os._exit(0)
    os.waitpid(process, 0)
    here = claims.socket.gethostname()
    claim.write_text(f'{{"host": "{here}", "pid": {process}}}')
    one = Claims(tmp_path)
    assert one.take(0)
    one.close()
    now = [0.0]
    monkeypatch.setattr(claims, "monotonic", lambda: now[0])
    for owner in ('{"host": "elsewhere", "pid": 1}', "", f'{{"host": "{here}", "pid": 1}}'):
        claim.write_text(owner)
        other = Claims(tmp_path)
        assert not other.take(0)
        now[0] += 100
        os.utime(claim, (now[0], now[0]))
        assert not other.take(0)
        now[0] += 100
        assert not other.take(0)
        now[0] += 100
        assert other.take(0)
        other.close()
        assert not claim.exists()


def test_a_part_that_another_process_does_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And taken over when its process is gone."""
    path = tmp_path / "sweep.zarr"
    with monkeypatch.context() as patch:
        patch.setattr(Store, "put", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            into(path)
    held = Claims(path / layout.CLAIMS)
    assert held.take(1)
    waits = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            held.close()

    from dynlib.runtime.batch import run

    monkeypatch.setattr(run, "sleep", wait)
    assert same_batch(into(path), whole())
    assert len(waits) == 3


def test_errors_can_travel() -> None:
    import pickle

    error = pickle.loads(pickle.dumps(FileError("a.nc", "damaged", "Copy it again.", "x")))
    assert isinstance(error, DynlibError)
    assert str(error) == "a.nc: x: damaged. Copy it again."
    assert (error.path, error.part) == ("a.nc", "x")
