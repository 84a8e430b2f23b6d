"""Whatever happens to the cache folder: the run goes on, right, with one warning at most."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from events.models import iteration
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trajectories import go

import dynlib
from dynlib.compiler.codegen import runner_variants
from dynlib.compiler.jit import disk_cache, engines, kernel_file, translated
from dynlib.compiler.jit.disk_cache import DiskCache
from dynlib.compiler.jit.native import ObjectCode
from dynlib.compiler.jit.private_folder import PrivateFolder
from dynlib.errors import CacheWarning

KEY = "0" * 64
CODE = ObjectCode(bytes(range(256)) * 20, "entry", ("exp", "sin"))
SIZE = len(kernel_file.encode(KEY, CODE, "x", b""))  # of its file


@pytest.fixture(autouse=True)
def unwarned(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a new process, no warning has been given."""
    monkeypatch.setattr(DiskCache, "_warned", False)


# --- the store itself --------------------------------------------------------------------------


def test_what_is_stored_is_found_again(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path)
    assert cache.load(KEY) is None
    cache.store(KEY, CODE, "a label")
    assert DiskCache(tmp_path).load(KEY) == CODE
    assert [entry.label for entry in cache.entries()] == ["a label"]
    assert cache.total_bytes == sum(f.stat().st_size for f in cache.folder.iterdir())
    assert cache.clear() == 1
    assert cache.load(KEY) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(data=st.data())
def test_a_damaged_file_is_no_kernel(tmp_path: Path, data: st.DataObject) -> None:
    """Cut anywhere, or with any byte changed: the kernel, or nothing, and never another one."""
    cache = DiskCache(tmp_path)
    cache.store(KEY, CODE, "a label")
    path = cache.folder / f"{KEY}.kernel"
    content = bytearray(path.read_bytes())
    header = content.index(b"\n") + 1
    if data.draw(st.booleans(), label="cut"):
        content = content[: data.draw(st.integers(0, len(content) - 1), label="length")]
    else:
        inside = st.integers(0, header - 1) | st.integers(header, len(content) - 1)
        content[data.draw(inside, label="place")] ^= data.draw(st.integers(1, 255), label="bits")
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CacheWarning)
        found = cache.load(KEY)
    assert found is None  # whatever it fell on
    assert not path.exists()


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"dynlib-kernel 2 \n", b"dynlib-kernel 2 " + b"0" * 64 + b"\n{}\n",
                b"\x00" * 5000, b"dynlib-kernel " + b"[" * 100_000 + b"\n"],
)  # fmt: skip
def test_garbage_is_no_kernel(tmp_path: Path, content: bytes) -> None:
    cache = DiskCache(tmp_path)
    cache.store(KEY, CODE, "")
    (cache.folder / f"{KEY}.kernel").write_bytes(content)
    assert [entry.label for entry in cache.entries()] == ["(damaged)"]
    with pytest.warns(CacheWarning, match="damaged"):
        assert cache.load(KEY) is None
    cache.store(KEY, CODE, "")
    assert cache.load(KEY) == CODE


def test_least_recently_used_kernels_go(tmp_path: Path) -> None:
    size = SIZE
    cache = DiskCache(tmp_path, limit=10 * size)
    keys = [f"{i:064d}" for i in range(11)]
    for age, key in enumerate(keys[:10]):
        cache.store(key, CODE, "x")
        os.utime(cache._path(key), (time.time() - 1000 + age,) * 2)
    assert cache.total_bytes == 10 * size
    assert cache.load(keys[0]) == CODE  # used again: the oldest now is keys[1]
    cache.store(keys[10], CODE, "x")
    left = {entry.key for entry in cache.entries()}
    assert {keys[0], keys[10]} <= left
    assert keys[1] not in left
    assert cache.total_bytes <= 8 * size  # some room, so that not every store evicts
    assert len(left) >= 7
    gone = [key for key in keys if key not in left]
    assert gone == keys[1 : 1 + len(gone)]


def test_a_kernel_larger_than_the_cache_does_no_harm(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, limit=10)
    cache.store(KEY, CODE, "x")
    assert cache.total_bytes <= SIZE
    cache.load(KEY)


def test_leftovers_of_dead_writers_go(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path)
    cache.store(KEY, CODE, "x")
    old, new = cache.folder / "a.part", cache.folder / "b.part"
    for part, age in ((old, 2 * 3600), (new, 10)):
        part.write_bytes(b"")
        os.utime(part, (time.time() - age,) * 2)
    cache.entries()
    assert not old.exists()
    assert new.exists()  # its writer may be alive


def test_many_at_once(tmp_path: Path) -> None:
    """Writers, readers and cleaners in one folder: a reader finds the kernel or nothing."""
    keys = [f"{i:064d}" for i in range(4)]
    codes = {k: ObjectCode(hashlib.sha256(k.encode()).digest() * 500, "e") for k in keys}
    wrong: list[object] = []
    until = time.monotonic() + 1.0

    def work(number: int) -> None:
        cache = DiskCache(tmp_path, limit=40_000)
        with contextlib.suppress(StopIteration):
            while time.monotonic() < until:
                for key in keys:
                    if number % 3 == 0:
                        cache.store(key, codes[key], "x")
                    found = cache.load(key)
                    if found not in (None, codes[key]):
                        wrong.append(found)
                if number == 5:
                    cache.clear()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong
    assert not DiskCache._warned
    assert not list(DiskCache(tmp_path).folder.glob("*.part"))


# --- runs --------------------------------------------------------------------------------------

DOUBLING = iteration({"x": (1, "2*x")}, "")


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[str]]]:
    """Run a small model as a new process would, and return the warnings that came of it.

    Compilation is replaced by fetching: the kernel is compiled once for all tests here.
    """
    monkeypatch.setenv("DYNLIB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(translated, "compiled", _compiled_once(translated.compiled))

    def run(text: str = DOUBLING) -> list[str]:
        monkeypatch.setattr(runner_variants, "_variant_cache_discrete", _empty())
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            ran = go(dynlib.build(text), N=10)
            again = go(dynlib.build(text), N=10)  # the runner is in memory now
        np.testing.assert_array_equal(ran.y[:, 0], 2.0 ** np.arange(11))
        np.testing.assert_array_equal(again.y, ran.y)
        assert {warning.category for warning in caught} <= {CacheWarning}
        return [str(warning.message) for warning in caught]

    return run


def _empty() -> Any:
    return type(runner_variants._variant_cache_discrete)()


_COMPILED: dict[str, ObjectCode] = {}
COMPILATIONS: list[str] = []


def _compiled_once(really: Callable[..., ObjectCode]) -> Callable[..., ObjectCode]:
    def compile_(module: Any, *args: Any) -> ObjectCode:
        COMPILATIONS.append(module.digest)
        if module.digest not in _COMPILED:
            _COMPILED[module.digest] = really(module, *args)
        return _COMPILED[module.digest]

    return compile_


def kernels(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache" / "runner_cache").glob("*"))


def compilations(action: Callable[[], object]) -> int:
    before = len(COMPILATIONS)
    action()
    return len(COMPILATIONS) - before


def test_second_process_compiles_nothing(fresh: Callable[..., list[str]]) -> None:
    assert compilations(fresh) == 1
    assert compilations(fresh) == 0


@pytest.mark.parametrize(
    "damage", ["truncated", "flipped", "header", "symbol", "external", "empty"]
)
def test_damaged_kernels_are_compiled_again(
    fresh: Callable[..., list[str]], tmp_path: Path, damage: str
) -> None:
    assert fresh() == []
    (path,) = kernels(tmp_path)
    sound = path.read_bytes()
    content = {
        "truncated": sound[:-100],
        "flipped": sound[:-100] + bytes([sound[-100] ^ 1]) + sound[-99:],
        "header": b"garbage" + sound,
        "symbol": sound.replace(b'"symbol": "', b'"symbol": "no', 1),
        "external": sound.replace(b'"externals": [', b'"externals": ["no_such_function", ', 1)
        .replace(b'"no_such_function", ]', b'"no_such_function"]', 1),
        "empty": b"",
    }[damage]  # fmt: skip
    assert content != sound
    path.write_bytes(content)
    messages: list[str] = []
    assert compilations(lambda: messages.extend(fresh())) == 1
    (message,) = messages
    assert path.name in message
    assert "results are the same" in message
    assert path.read_bytes() == sound  # repaired, to the byte
    assert compilations(fresh) == 0


def test_a_folder_that_is_a_file(fresh: Callable[..., list[str]], tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("not a folder")
    (message,) = fresh()
    assert str(tmp_path / "cache") in message
    assert fresh() == []  # one warning for a process
    assert (tmp_path / "cache").read_text() == "not a folder"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that takes no files")
def test_a_folder_that_cannot_be_made(
    fresh: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DYNLIB_CACHE_DIR", "/proc/dynlib-cache")
    (message,) = fresh()
    assert "/proc/dynlib-cache" in message


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root writes anywhere")
def test_a_read_only_folder(fresh: Callable[..., list[str]], tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "runner_cache"
    folder.mkdir(parents=True)
    folder.parent.chmod(0o700)
    folder.chmod(0o555)
    try:
        (message,) = fresh()
        assert str(folder) in message
    finally:
        folder.chmod(0o755)


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_takes_nothing(
    fresh: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    really, written = os.write, []

    def refuse(descriptor: int, content: memoryview) -> int:
        if written:
            raise OSError(code, os.strerror(code))
        written.append(really(descriptor, content[: len(content) // 2]))  # full half way
        return written[0]

    with monkeypatch.context() as context:
        context.setattr(os, "write", refuse)
        (message,) = fresh()
    assert os.strerror(code) in message
    assert kernels(tmp_path) == []  # no half of a kernel is left, nor of the secret
    assert list((tmp_path / "cache").glob("*_*")) == [tmp_path / "cache" / "runner_cache"]
    assert fresh() == []
    assert len(kernels(tmp_path)) == 1


@pytest.mark.parametrize("code", [errno.EACCES, errno.EIO])
def test_a_kernel_that_cannot_be_read(
    fresh: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    fresh()

    def refuse(folder: PrivateFolder, name: str, largest: int) -> bytes:
        raise OSError(code, os.strerror(code), name)

    with monkeypatch.context() as context:
        context.setattr(PrivateFolder, "read", refuse)
        (message,) = fresh()
    assert os.strerror(code) in message
    assert compilations(fresh) == 0


def test_a_read_only_cache_still_serves(
    fresh: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh()

    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "utime", refuse)
    monkeypatch.setattr(os, "write", refuse)
    assert compilations(fresh) == 0


def test_another_machine_has_kernels_of_its_own(
    fresh: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh()
    with monkeypatch.context() as context:
        context.setattr(engines, "machine", lambda: "another processor")
        assert compilations(fresh) == 1
    assert len(kernels(tmp_path)) == 2
    assert compilations(fresh) == 0


def test_a_cache_that_holds_one_kernel(
    fresh: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh()
    (path,) = kernels(tmp_path)
    monkeypatch.setattr(disk_cache.DiskCache.__init__, "__defaults__", (path.stat().st_size + 100,))
    other = DOUBLING.replace("2*x", "x + x*1")
    fresh(other)
    assert len(kernels(tmp_path)) == 1
    assert compilations(lambda: fresh(other)) == 0


def test_no_cache_is_made_where_none_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DYNLIB_CACHE_DIR", str(tmp_path / "cache"))
    assert dynlib.build(DOUBLING, disk_cache=False).disk_cache is None
    go(dynlib.build(DOUBLING, jit=False), N=2)
    assert not (tmp_path / "cache").exists()
