"""Loading object code is executing it: only what this user has written, and nobody else could."""

from __future__ import annotations

import os
import shutil
import stat
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from runtime.models import LOGISTIC

import dynlib
from dynlib import setup
from dynlib.cli import app
from dynlib.compiler.codegen import runner_variants
from dynlib.compiler.jit import kernel_file
from dynlib.compiler.jit.disk_cache import DiskCache
from dynlib.compiler.jit.native import ObjectCode
from dynlib.errors import CacheWarning

pytestmark = pytest.mark.skipif(os.name != "posix", reason="owners and modes of Unix")

KEY, OTHER = "0" * 64, "1" * 64
CODE = ObjectCode(b"code" * 1000, "entry", ("exp",))
STRANGER = 54321  # a user


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DiskCache:
    """A cache with one kernel, in a process that has not warned yet."""
    monkeypatch.setattr(DiskCache, "_warned", False)
    made = DiskCache(tmp_path / "cache")
    made.store(KEY, CODE, "a label")
    return made


def file_of(cache: DiskCache, key: str = KEY) -> Path:
    return cache.folder / f"{key}.kernel"


def refused(cache: DiskCache, said: str, key: str = KEY) -> None:
    """The kernel is not loaded, and one warning says why."""
    DiskCache._warned = False
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert cache.load(key) is None
        assert cache.load(key) is None
    (message,) = caught
    assert issubclass(message.category, CacheWarning)
    assert said in str(message.message)


# --- made for this user alone --------------------------------------------------------------------


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o277, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_folders_and_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "above" / "cache")
    cache.store(KEY, CODE, "")
    for folder in (tmp_path / "above", tmp_path / "above" / "cache", cache.folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    secret = tmp_path / "above" / "cache" / "kernel_secret"
    for file in (file_of(cache), secret):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert cache.load(KEY) == CODE


# --- what it refuses -----------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_files_that_others_can_write(cache: DiskCache, mode: int) -> None:
    file_of(cache).chmod(mode)
    refused(cache, "can be written by others")
    cache.store(KEY, CODE, "")  # a new file takes its place
    assert cache.load(KEY) == CODE


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777])
@pytest.mark.parametrize("which", ["kernels", "root"])
def test_folders_that_others_can_write(cache: DiskCache, mode: int, which: str) -> None:
    folder = cache.folder if which == "kernels" else cache.folder.parent
    folder.chmod(mode)
    if which == "root" and mode == 0o1777:  # as /tmp: everybody removes only what is theirs
        assert cache.load(KEY) == CODE
        return
    refused(cache, f"others can write to {folder}")
    before = file_of(cache).stat()
    cache.store(OTHER, CODE, "")
    assert not file_of(cache, OTHER).exists()
    assert file_of(cache).stat() == before


@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("what", ["kernel", "secret", "kernels", "root"])
def test_what_belongs_to_others(cache: DiskCache, what: str) -> None:
    root = cache.folder.parent
    places = {
        "kernel": file_of(cache), "secret": root / "kernel_secret", "kernels": cache.folder,
        "root": root,
    }  # fmt: skip
    os.chown(places[what], STRANGER, STRANGER)
    refused(cache, f"{places[what]} belongs to user {STRANGER}, and this is user 0")


def test_links(cache: DiskCache, tmp_path: Path) -> None:
    """To a kernel and to the folder of kernels; one to the whole cache is the user's choice."""
    real = tmp_path / "real"
    file_of(cache).rename(real)
    file_of(cache).symlink_to(real)
    refused(cache, "no regular file")
    file_of(cache).unlink()
    file_of(cache).hardlink_to(real)
    refused(cache, "hard link")
    real.unlink()
    assert cache.load(KEY) == CODE
    moved = tmp_path / "moved"
    cache.folder.rename(moved)
    cache.folder.symlink_to(moved)
    refused(cache, "is no folder, but a link or a file")
    cache.folder.unlink()
    moved.rename(cache.folder)
    (tmp_path / "link").symlink_to(cache.folder.parent)
    through = DiskCache(tmp_path / "link")
    assert through.load(KEY) == CODE
    if os.geteuid() == 0:
        os.chown(tmp_path / "link", STRANGER, STRANGER, follow_symlinks=False)
        refused(through, f"is a link that belongs to user {STRANGER}")


@pytest.mark.parametrize("which", ["kernel", "secret"])
@pytest.mark.parametrize("kind", ["fifo", "device", "folder"])
def test_what_is_no_file(cache: DiskCache, kind: str, which: str) -> None:
    """It is not waited for, either."""
    place = file_of(cache) if which == "kernel" else cache.folder.parent / "kernel_secret"
    place.unlink()
    if kind == "fifo":
        os.mkfifo(place, 0o600)
    elif kind == "folder":
        place.mkdir(0o700)
    else:
        try:
            os.mknod(place, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
        except PermissionError:
            pytest.skip("only root makes devices")
    refused(cache, "no regular file")
    cache.store(KEY, CODE, "")


def test_files_larger_than_any_kernel(cache: DiskCache) -> None:
    os.truncate(file_of(cache), 2**40)
    refused(cache, "is larger than")


# --- everything stands under the check sum ------------------------------------------------------


def test_a_kernel_under_another_name_is_none(cache: DiskCache) -> None:
    shutil.copy(file_of(cache), file_of(cache, OTHER))
    refused(cache, "damaged", OTHER)
    assert cache.load(KEY) == CODE


def test_a_kernel_of_another_cache_is_none(cache: DiskCache, tmp_path: Path) -> None:
    """Whoever does not know the secret cannot write one, even who knows how."""
    forged = kernel_file.encode(KEY, ObjectCode(b"evil", "entry"), "", b"a guess")
    file_of(cache).write_bytes(forged)
    refused(cache, "damaged")
    elsewhere = DiskCache(tmp_path / "elsewhere")
    elsewhere.store(OTHER, CODE, "")
    shutil.copy(file_of(elsewhere, OTHER), file_of(cache, OTHER))
    refused(cache, "damaged", OTHER)


def test_a_secret_that_was_lost(cache: DiskCache) -> None:
    """Kernels without it are of no use, and go when there is a new one."""
    secret = cache.folder.parent / "kernel_secret"
    cache.store("2" * 64, CODE, "")
    secret.unlink()
    refused(cache, "written elsewhere")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cache.store(OTHER, CODE, "")
        assert [entry.key for entry in cache.entries()] == [OTHER]
        secret.write_bytes(secret.read_bytes()[:7])  # its writer was killed
        cache.store(KEY, CODE, "")
    assert cache.load(KEY) == CODE


# --- leftovers, clocks, folders that go ----------------------------------------------------------


def test_clear_removes_what_killed_writers_left(cache: DiskCache) -> None:
    for name in ("a.part", f"{KEY}.kernel.1.x.part"):
        (cache.folder / name).write_bytes(b"half")
    assert cache.clear() == 1
    assert list(cache.folder.iterdir()) == []


@pytest.mark.parametrize("ahead", [2 * 3600, 10**8, -2 * 3600, -(10**8)])
def test_a_clock_that_jumps(cache: DiskCache, ahead: int) -> None:
    part = cache.folder / "a.part"
    part.write_bytes(b"half")
    size = file_of(cache).stat().st_size
    small = DiskCache(cache.folder.parent, limit=size + 100)
    for path in (part, file_of(cache)):
        os.utime(path, (time.time() + ahead,) * 2)
    small.store(OTHER, CODE, "a label")
    assert not part.exists()
    assert [entry.key for entry in small.entries()] == [OTHER]  # the new one, not the one ahead


def test_a_folder_that_goes_while_it_is_written_to(
    cache: DiskCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    really: Callable[..., None] = os.replace
    times: list[int] = []

    def vanishing(*args: object, **kwargs: object) -> None:
        times.append(1)
        if len(times) == 1:
            shutil.rmtree(cache.folder.parent)
        really(*args, **kwargs)

    monkeypatch.setattr(os, "replace", vanishing)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cache.store(OTHER, CODE, "")
    assert cache.load(OTHER) == CODE


def test_the_command_line_says_why(cache: DiskCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DYNLIB_CACHE_DIR", str(cache.folder.parent))
    cache.folder.chmod(0o777)
    for what in ("list", "clear"):
        done = CliRunner().invoke(app, ["cache", what], prog_name="dynlib")
        assert done.exit_code != 0
        assert "chmod 700" in " ".join(done.output.split())
    assert file_of(cache).exists()


# --- runs ----------------------------------------------------------------------------------------


def test_runs_go_on_without_a_cache_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DiskCache, "_warned", False)
    monkeypatch.setenv("DYNLIB_CACHE_DIR", str(tmp_path))
    runner_variants._variant_cache_discrete.clear()  # other tests may have this kernel in memory
    expected = setup(LOGISTIC).run(N=5)["x"]
    kernels = DiskCache(tmp_path).folder
    (kernel,) = kernels.iterdir()
    kernels.chmod(0o777)
    for damage in (lambda: None, lambda: kernel.write_bytes(b"evil")):
        damage()
        DiskCache._warned = False
        runner_variants._variant_cache_discrete.clear()
        with pytest.warns(CacheWarning, match="others can write to") as caught:
            res = dynlib.setup(LOGISTIC).run(N=5)
        assert len(caught) == 1
        assert res["x"].tolist() == expected.tolist()
