"""Compiled kernels on disk, by the hash of everything they are made of.

One file holds one kernel: a line of JSON (the check sum, the entry point, what it is), then the
object code.  Files are written beside their place and moved into it, so any number of processes
may share a folder.  A file is never changed; what cannot be read, or does not match its check
sum, counts as not there.  Nothing that happens to the folder can fail a run: the kernel is
compiled again, and one warning says why.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynlib.compiler.jit.native import ObjectCode
from dynlib.errors import DynlibWarning

__all__ = ["CacheEntry", "CacheWarning", "DiskCache"]

_MAGIC = b"dynlib-kernel "
_SUFFIX = ".kernel"
LIMIT = 256 * 2**20


class CacheWarning(DynlibWarning):
    """The disk cache cannot be used as it should; results are not affected."""


@dataclass(frozen=True)
class CacheEntry:
    """One kernel on disk: key, what it is, size in bytes, when it was last used (seconds)."""

    key: str
    label: str
    size: int
    last_used: float


class DiskCache:
    """A folder of compiled kernels.

    Parameters
    ----------
    root
        The cache folder; kernels lie in ``runner_cache`` inside of it.
    limit
        Size in bytes.  When it is passed, the kernels used least recently go.
    """

    _warned = False

    def __init__(self, root: Path, limit: int = LIMIT) -> None:
        self.folder = root / "runner_cache"
        self.limit = limit

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{_SUFFIX}"

    def load(self, key: str) -> ObjectCode | None:
        """The kernel of this key, if it is there and sound."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._warn(f"cannot read {path}: {error}")
            return None
        kernel = _decode(data)
        if kernel is None:
            self.discard(key, "the file is damaged")
            return None
        with contextlib.suppress(OSError):  # a read-only cache still serves
            os.utime(path)
        return kernel

    def discard(self, key: str, reason: str) -> None:
        """Drop a kernel that cannot be used."""
        self._warn(f"{self._path(key)} cannot be used ({reason})")
        with contextlib.suppress(OSError):
            self._path(key).unlink()

    def store(self, key: str, kernel: ObjectCode, label: str) -> None:
        """Keep a kernel, and make room if there is too little."""
        path = self._path(key)
        temporary = path.with_name(f"{key}.{os.getpid()}.{time.monotonic_ns()}.part")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                temporary.write_bytes(_encode(kernel, label))
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
            self._evict()
        except OSError as error:
            self._warn(f"cannot write to {self.folder}: {error}")

    def _evict(self) -> None:
        files = self._files()
        total = sum(size for _, size, _ in files)
        if total <= self.limit:
            return
        for path, size, _ in sorted(files, key=lambda file: file[2])[:-1]:
            with contextlib.suppress(OSError):
                path.unlink()
            total -= size
            if total <= 0.8 * self.limit:
                break

    def _files(self) -> list[tuple[Path, int, float]]:
        """Kernels, and leftovers of writers that died more than an hour ago."""
        found = []
        with contextlib.suppress(OSError):
            for item in os.scandir(self.folder):
                with contextlib.suppress(OSError):
                    stat = item.stat()
                    if item.name.endswith(_SUFFIX):
                        found.append((Path(item.path), stat.st_size, stat.st_mtime))
                    elif item.name.endswith(".part") and stat.st_mtime < time.time() - 3600:
                        Path(item.path).unlink()
        return found

    def entries(self) -> list[CacheEntry]:
        """What there is, most recently used first."""
        entries = []
        for path, size, used in self._files():
            with contextlib.suppress(OSError):
                header = _header(path.read_bytes())
                label = str(header["label"]) if header else "(damaged)"
                entries.append(CacheEntry(path.stem, label, size, used))
        return sorted(entries, key=lambda entry: -entry.last_used)

    @property
    def total_bytes(self) -> int:
        """Size of all kernels."""
        return sum(size for _, size, _ in self._files())

    def clear(self) -> int:
        """Remove all kernels; returns how many there were."""
        count = 0
        for path, _, _ in self._files():
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
                count += 1
        return count

    def _warn(self, what: str) -> None:
        if not DiskCache._warned:
            DiskCache._warned = True
            warnings.warn(
                f"dynlib's disk cache: {what}. Kernels are compiled anew; results are the same.",
                CacheWarning,
                stacklevel=2,
            )


def _encode(kernel: ObjectCode, label: str) -> bytes:
    header = {
        "sha256": hashlib.sha256(kernel.code).hexdigest(),
        "symbol": kernel.symbol,
        "externals": list(kernel.externals),
        "label": label,
    }
    return _MAGIC + json.dumps(header).encode() + b"\n" + kernel.code


def _header(data: bytes) -> dict[str, Any] | None:
    line, newline, _ = data.partition(b"\n")
    if not newline or not line.startswith(_MAGIC):
        return None
    try:
        header = json.loads(line.removeprefix(_MAGIC))
    except (ValueError, RecursionError):
        return None
    return header if isinstance(header, dict) and "label" in header else None


def _decode(data: bytes) -> ObjectCode | None:
    header = _header(data)
    code = data.partition(b"\n")[2]
    if header is None or hashlib.sha256(code).hexdigest() != header.get("sha256"):
        return None
    externals, symbol = header.get("externals"), header.get("symbol")
    if not isinstance(externals, list) or not isinstance(symbol, str):
        return None
    return ObjectCode(code, symbol, tuple(str(name) for name in externals))
