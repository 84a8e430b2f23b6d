"""``dynlib cache``: where compiled code is kept, what is there, away with it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from dynlib.cli._messages import Message
from dynlib.cli._output import print_table

if TYPE_CHECKING:
    from dynlib.compiler.jit.disk_cache import DiskCache

__all__ = ["command"]

_UNITS = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))
_AGES = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


@click.group("cache")
def command() -> None:
    """Look after the cache of compiled code.

    The cache saves a second at each start; nothing is lost when it goes.  DYNLIB_CACHE_DIR, or
    root under [cache] in the configuration file, puts it elsewhere.
    """


@command.command("path")
def show_path() -> None:
    """Print the folder of the cache."""
    click.echo(str(_cache().folder))


@command.command("list")
def show_entries() -> None:
    """List what the cache holds, most recently used first."""
    cache = _cache()
    with _told("look into", cache):
        entries = cache.entries()
    if not entries:
        click.echo(f"the cache is empty ({cache.folder})")
        return
    now = time.time()
    rows = [
        (each.key[:12], each.label, _size(each.size), _age(now - each.last_used))
        for each in entries
    ]
    print_table(("key", "what it is", "size", "last used"), rows)
    click.echo(f"\n{_kernels(len(entries))}, {_size(sum(each.size for each in entries))}")


@command.command("clear")
def clear() -> None:
    """Remove all compiled code.

    It is made again when it is needed.
    """
    cache = _cache()
    with _told("clear", cache):
        size = cache.total_bytes
        count = cache.clear()
    click.echo(f"removed {_kernels(count)}, {_size(size)}, from {cache.folder}")


@contextmanager
def _told(what: str, cache: DiskCache) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Message(f"cannot {what} {cache.folder}: {error.strerror or error}") from error


def _cache() -> DiskCache:
    from dynlib.compiler.jit.disk_cache import DiskCache
    from dynlib.dsl.config import cache_root, load_config

    return DiskCache(cache_root(load_config(None)))


def _kernels(count: int) -> str:
    return f"{count} kernel{'' if count == 1 else 's'}"


def _size(size: int) -> str:
    for unit, name in _UNITS:
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} B"


def _age(seconds: float) -> str:
    for unit, name in _AGES:
        if seconds >= unit:
            count = int(seconds // unit)
            return f"{count} {name}{'' if count == 1 else 's'} ago"
    return "just now"
