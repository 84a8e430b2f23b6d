"""Compiled kernels on disk, by the hash of everything they are made of.

One file holds one kernel (`kernel_file`).  Files are written beside their place and moved into it,
so any number of processes may share a folder.  A file is never changed; what cannot be read, is not
as it was written, or could have been written by others (`private_folder`), counts as not there.
Nothing that happens to the folder can fail a run: the kernel is compiled again, and one warning
says why.
"""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dynlib.compiler.jit.kernel_file import SUFFIX, decode, encode, label_of, secret_of
from dynlib.compiler.jit.native import ObjectCode
from dynlib.compiler.jit.private_folder import NotPrivate, PrivateFolder, opened
from dynlib.errors import CacheWarning

__all__ = ["CacheEntry", "DiskCache"]

LIMIT = 256 * 2**20
_LARGEST = 256 * 2**20
_PART = ".part"
_HOUR = 3600
_ATTEMPTS = 20  # to write a kernel where others clear the folder again and again
_DAMAGED = "(damaged)"


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

    def load(self, key: str) -> ObjectCode | None:
        """The kernel of this key, if it is there and sound."""
        try:
            with opened(self.folder) as folder:
                data = folder.read(key + SUFFIX, _LARGEST)
                with contextlib.suppress(FileNotFoundError):  # the secret was lost
                    kernel = decode(key, data, secret_of(folder))
                    if kernel is not None:
                        folder.touch(key + SUFFIX)
                        return kernel
        except FileNotFoundError:
            return None
        except OSError as error:
            self._warn(f"cannot read {self._path(key)}: {error}", refused=error)
            return None
        self.discard(key, "the file is damaged, or was written elsewhere")
        return None

    def discard(self, key: str, reason: str) -> None:
        """Drop a kernel that cannot be used."""
        self._warn(f"{self._path(key)} cannot be used ({reason})")
        with contextlib.suppress(OSError), opened(self.folder) as folder:
            folder.remove(key + SUFFIX)

    def store(self, key: str, kernel: ObjectCode, label: str) -> None:
        """Keep a kernel, and make room if there is too little."""
        for left in reversed(range(_ATTEMPTS)):
            try:
                with opened(self.folder, make=True) as folder:
                    secret = secret_of(folder, make=True)
                    folder.write(key + SUFFIX, encode(key, kernel, label, secret))
                    self._evict(folder)
                return
            except FileNotFoundError as error:  # somebody clears the folder at this moment
                if not left:
                    self._warn(f"cannot write to {self.folder}: {error}")
            except OSError as error:
                self._warn(f"cannot write to {self.folder}: {error}", refused=error)
                return

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{SUFFIX}"

    def _evict(self, folder: PrivateFolder) -> None:
        files, soon = _kernels(folder), time.time() + _HOUR
        total = sum(size for _, size, _ in files)
        if total <= self.limit:
            return
        # What was used in the future was used under a clock that was wrong, and never since.
        for name, size, _ in sorted(files, key=lambda f: f[2] if f[2] < soon else 0.0)[:-1]:
            with contextlib.suppress(OSError):
                folder.remove(name)
            total -= size
            if total <= 0.8 * self.limit:
                break

    def entries(self) -> list[CacheEntry]:
        """What there is, most recently used first.

        Raises
        ------
        NotPrivate
            If the folder is not used, since others could have written what is in it.
        """
        entries = []
        with _looked_into(self.folder) as folder:
            if folder is None:
                return []
            for name, size, used in _kernels(folder):
                label = _label(folder, name)
                entries.append(CacheEntry(name.removesuffix(SUFFIX), label, size, used))
        return sorted(entries, key=lambda entry: -entry.last_used)

    @property
    def total_bytes(self) -> int:
        """Size of all kernels."""
        with _looked_into(self.folder) as folder:
            return sum(size for _, size, _ in _kernels(folder)) if folder is not None else 0

    def clear(self) -> int:
        """Remove all kernels, and what is left of others; returns how many kernels there were.

        Raises
        ------
        OSError
            If they cannot be removed.
        """
        count = 0
        with _looked_into(self.folder) as folder:
            if folder is None:
                return 0
            for name, _, _ in list(folder.files()):
                if name.endswith((SUFFIX, _PART)) and folder.remove(name):
                    count += name.endswith(SUFFIX)
        return count

    def _warn(self, what: str, *, refused: OSError | None = None) -> None:
        if DiskCache._warned:
            return
        DiskCache._warned = True
        hint = ""
        if isinstance(refused, NotPrivate):
            hint = " Code is loaded only from what nobody else can write to."
        warnings.warn(
            f"dynlib's disk cache: {what}.{hint} Kernels are compiled anew; results are the same.",
            CacheWarning,
            stacklevel=2,
        )


@contextmanager
def _looked_into(path: Path) -> Iterator[PrivateFolder | None]:
    """The folder of the kernels, or None if there is none."""
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(opened(path))
        except FileNotFoundError:
            folder = None
        yield folder


def _kernels(folder: PrivateFolder) -> list[tuple[str, int, float]]:
    """Name, size and last use of kernels; leftovers of writers that died long ago go."""
    found, now = [], time.time()
    for name, size, used in folder.files():
        if name.endswith(SUFFIX):
            found.append((name, size, used))
        elif name.endswith(_PART) and abs(now - used) > _HOUR:
            with contextlib.suppress(OSError):
                folder.remove(name)
    return found


def _label(folder: PrivateFolder, name: str) -> str:
    try:
        return label_of(folder.read(name, _LARGEST), secret_of(folder)) or _DAMAGED
    except NotPrivate:
        return "(not used: others could have written it)"
    except OSError:
        return _DAMAGED
