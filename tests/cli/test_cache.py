"""`dynlib cache`: path, list, clear."""

import time

import pytest

from dynlib.cli.cache import _age, _size
from dynlib.compiler.jit.disk_cache import DiskCache
from dynlib.compiler.jit.native import ObjectCode


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DYNLIB_CACHE_DIR", str(tmp_path / "cache"))
    return DiskCache(tmp_path / "cache")


def fill(cache):
    for key, label in (("a" * 64, "lorenz rk4"), ("b" * 64, "henon map")):
        cache.store(key, ObjectCode(b"code" * 1000, "entry", ()), label)


def test_path_is_the_folder_of_the_kernels(run, cache):
    assert run("cache", "path").stdout.strip() == str(cache.folder)


def test_an_empty_cache(run, cache):
    assert "the cache is empty" in run("cache", "list").stdout
    assert "removed 0 kernels" in run("cache", "clear").stdout


def test_list_names_kernels_sizes_and_times(run, cache):
    fill(cache)
    printed = run("cache", "list").stdout
    assert "aaaaaaaaaaaa" in printed
    assert "lorenz rk4" in printed
    assert "just now" in printed
    assert "2 kernels, " in printed


def test_clear_removes_them(run, cache):
    fill(cache)
    assert "removed 2 kernels" in run("cache", "clear").stdout
    assert cache.entries() == []


def test_a_run_fills_the_cache(run, cache):
    # A pair of model and stepper that no other test has in memory already.
    run("run", "builtin://ode/sprott-a", "--stepper", "bs23", "-T", "1")
    (entry,) = cache.entries()
    assert "sprott-a" in run("cache", "list").stdout
    assert entry.last_used <= time.time() + 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(5, "just now"), (60, "1 minute ago"), (7300, "2 hours ago"), (90_000, "1 day ago")],
)
def test_ages(seconds, text):
    assert _age(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (1023, "1023 B"), (2048, "2.0 KiB"), (3 << 30, "3.0 GiB")]
)
def test_sizes(size, text):
    assert _size(size) == text
