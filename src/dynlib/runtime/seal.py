"""Files with a check sum at their end, and what reading a damaged one is answered with.

The last bytes of a sealed file are the sum of all that stands before them.  An ``.npz`` has them as
the comment of its archive, an ``.nc`` behind its last byte, where readers of HDF5 do not look.  So
a file is known to be whole before any library interprets a byte of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import IO

from dynlib.abi import regular
from dynlib.errors import DynlibError, FileError

__all__ = ["LENGTH", "digest", "is_sealed", "open_regular", "reading", "seal"]

_MARK = b"dynlib sum 1 "
_SUM_BYTES = 16
_CHUNK = 1 << 20
LENGTH = len(_MARK) + _SUM_BYTES
"""Bytes of a seal."""

_AGAIN = "Take another copy of the file, or compute it again."


def digest(content: bytes) -> str:
    """Length and check sum of some bytes, as text.

    Examples
    --------
    >>> digest(b"abc")
    '3:cf4ab791c62b8d2b2109c90275287816'
    """
    return f"{len(content)}:{blake2b(content, digest_size=_SUM_BYTES).hexdigest()}"


def seal(path: Path, *, reserved: bool = False) -> None:
    """Put the check sum at the end of a file; over its last `LENGTH` bytes if they are reserved."""
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END) - (LENGTH if reserved else 0)
        total = _sum(file, size)
        file.seek(size)
        file.write(_MARK + total)


def is_sealed(source: IO[bytes]) -> bool:
    """Whether the file ends with a check sum, which is then known to be right.

    Raises
    ------
    ValueError
        If it is wrong.
    """
    size = source.seek(0, os.SEEK_END) - LENGTH
    if size < 0:
        return False
    source.seek(size)
    end = source.read(LENGTH)
    if not end.startswith(_MARK):
        return False
    if _sum(source, size) != end[len(_MARK) :]:
        raise ValueError("its check sum does not fit: bytes were changed after it was saved")
    return True


def _sum(file: IO[bytes], size: int) -> bytes:
    """The check sum of the first `size` bytes."""
    total = blake2b(digest_size=_SUM_BYTES)
    file.seek(0)
    while size and (chunk := file.read(min(size, _CHUNK))):
        total.update(chunk)
        size -= len(chunk)
    return total.digest()


def open_regular(path: Path) -> IO[bytes]:
    """A file, or what a link points to, opened for reading; never something that would block.

    Raises
    ------
    FileError
        If it is no regular file.
    OSError
        If it cannot be opened.
    """
    try:
        return os.fdopen(regular.open_regular(path), "rb")
    except regular.NotRegular as error:
        raise FileError(path, str(error), "Name a file.") from None


@contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Whatever goes wrong while `path` is read as `what` ends as a `FileError`.

    The libraries below raise errors of every kind for damaged files, so all kinds are answered.
    """
    try:
        yield
    except DynlibError:
        raise
    except FileNotFoundError as error:
        raise FileError(path, "there is no such file") from error
    except PermissionError as error:
        raise FileError(path, f"cannot be opened ({error.strerror})") from error
    except MemoryError as error:
        more = f" ({error})" if str(error) else ""
        raise FileError(path, f"there is not enough memory to read it{more}") from error
    except Exception as error:
        found = f"{type(error).__name__}: {error}" if isinstance(error, KeyError) else str(error)
        said = " ".join(found.split()) or type(error).__name__
        raise FileError(path, f"not a {what}, or damaged ({said})", _AGAIN) from error
