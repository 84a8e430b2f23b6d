"""Arrays and their description in one ``.npz`` file: written whole or not at all, and sealed."""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from dynlib.errors import OptionError
from dynlib.runtime.memory import available_memory, readable_size
from dynlib.runtime.seal import LENGTH, is_sealed, open_regular, reading, seal

__all__ = [
    "SEALED",
    "check_memory",
    "from_bytes",
    "hidden",
    "in_one_move",
    "read_arrays",
    "replace_file",
    "to_bytes",
    "write_arrays",
]

_META = "description"
SEALED = "sealed"  # in the description: that the file had a check sum when it was written
_SUFFIX = ".npy"
_KINDS = "biuf"  # of numbers; what else an array may hold is never loaded
_TRIFLE = 32 << 20  # bytes; to ask the system what is free takes longer than to read so many
Arrays = dict[str, NDArray[Any]]


# --- writing --------------------------------------------------------------------------------------


def hidden(path: Path) -> Path:
    """A name beside `path` that nobody has: what a killed writer leaves lies under such a name."""
    return path.with_name(f".{path.name}.{os.urandom(8).hex()}")


@contextmanager
def in_one_move(path: Path) -> Iterator[Path]:
    """A file to write to, which becomes `path` at the end; after an error, nothing is left."""
    new = hidden(path)
    try:
        yield new
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a new file beside `path`, then put it there in one move.

    Whoever reads `path` meanwhile, or is killed while writing, finds the old file or the new one.
    Where `path` is a link, the file that it points to is replaced.

    Raises
    ------
    OptionError
        If the file cannot be written.
    """
    target = _place(path)
    try:
        with in_one_move(target) as new:
            write(new)
    except OSError as error:
        raise OptionError(f"{path}: cannot be written ({error.strerror or error}).") from error


def _place(path: Path) -> Path:
    """Where a file of this name is put.

    Raises
    ------
    OptionError
        If no file can be there.
    """
    try:
        if "\0" in str(path):
            raise OptionError(f"{str(path)!r:.200}: no file has a zero byte in its name.")
        target = path.resolve() if path.is_symlink() else path
        if not target.parent.is_dir():
            raise OptionError(f"{path}: there is no folder {target.parent}.")
        if target.is_dir():
            raise OptionError(f"{path}: this is a folder. Name a file in it.")
        if target.exists() and not stat.S_ISREG(target.stat().st_mode):
            raise OptionError(f"{path}: this is a device or a pipe. Name a file.")
    except (OSError, RuntimeError, ValueError) as error:  # a link to itself, a name too long
        if isinstance(error, OptionError):
            raise
        why = getattr(error, "strerror", None) or error
        raise OptionError(f"{str(path)!r:.200}: cannot be written ({why}).") from error
    return target


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> None:
    """Write arrays and a description to `path`."""

    def write(new: Path) -> None:
        with new.open("wb") as file:
            _pack(file, arrays, {**meta, SEALED: True}, comment=bytes(LENGTH))
        seal(new, reserved=True)

    replace_file(path, write)


def to_bytes(arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> bytes:
    """Arrays and a description (plain data) as the content of an ``.npz``, without a check sum.

    Where ``meta`` has `SEALED`, the content is to lie in a file that gets a check sum as a whole.
    """
    buffer = BytesIO()
    _pack(buffer, arrays, meta)
    return buffer.getvalue()


def _pack(
    target: IO[bytes],
    arrays: Mapping[str, NDArray[Any]],
    meta: Mapping[str, Any],
    comment: bytes = b"",
) -> None:
    """Write what `np.load` reads, array by array: they are never in memory a second time."""
    text = np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)
    with ZipFile(target, "w") as archive:
        archive.comment = comment
        for name, values in {**arrays, _META: text}.items():
            with archive.open(f"{name}{_SUFFIX}", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(values), allow_pickle=False)


# --- reading --------------------------------------------------------------------------------------


def read_arrays(path: Path, what: str, *formats: str) -> tuple[Arrays, dict[str, Any]]:
    """Read what `write_arrays` wrote.

    Parameters
    ----------
    path
        The file.
    what
        What it should be, for messages.
    formats
        What its description may call itself.

    Returns
    -------
    tuple
        Arrays and description; `SEALED` in it says whether a check sum was compared.

    Raises
    ------
    FileError
        If the file cannot be read, or holds something else.
    """
    with reading(path, what), open_regular(path) as source:
        sealed = is_sealed(source)
        arrays, meta = from_bytes(source, *formats, sealed=sealed)
        return arrays, {**meta, SEALED: sealed}


def from_bytes(
    source: IO[bytes], *formats: str, sealed: bool = True
) -> tuple[Arrays, dict[str, Any]]:
    """What `to_bytes` packed.

    Nothing is executed, and nothing is made before the sizes that the archive declares are known
    to fit into the bytes that are there: members are neither pickles nor compressed.

    Parameters
    ----------
    source
        The archive.
    formats
        What the description may call itself.
    sealed
        Whether it is known to be whole: by a check sum that fits, of itself or of the file around.

    Raises
    ------
    Exception
        Of any kind, if this is something else; see `dynlib.runtime.seal.reading`.
    """
    source.seek(0)
    if source.read(2) != b"PK":
        raise ValueError("it is no archive of arrays")
    with ZipFile(source) as archive:
        members = _members(archive, source)
        meta = json.loads(_array(archive, members.pop(_META)).tobytes())
        if meta["format"] not in formats:
            raise ValueError(f"it calls itself {meta['format']!r}")
        if meta.pop(SEALED, False) and not sealed:
            raise ValueError("its check sum is gone: it was cut, or another program wrote to it")
        return {name: _array(archive, member) for name, member in members.items()}, meta


def _members(archive: ZipFile, source: IO[bytes]) -> dict[str, ZipInfo]:
    """The arrays of an archive by name, if all of them lie in its bytes as they are."""
    infos = archive.infolist()
    size = source.seek(0, os.SEEK_END)
    declared = sum(info.file_size for info in infos)
    packed = [info.filename for info in infos if info.compress_type != ZIP_STORED]
    if packed:
        raise ValueError(f"{packed[0]} in it is compressed, as dynlib never does")
    if declared > size:
        raise ValueError(
            f"it declares {readable_size(declared)} of arrays, and has {readable_size(size)}"
        )
    members = {info.filename.removesuffix(_SUFFIX): info for info in infos}
    if len(members) < len(infos) or not all(i.filename.endswith(_SUFFIX) for i in infos):
        raise ValueError("names in it are no names of arrays, or stand there twice")
    check_memory(declared)
    return members


def check_memory(needed: int) -> None:
    """Refuse what would not fit into memory.

    Raises
    ------
    MemoryError
        With both sizes.
    """
    free = available_memory() if needed > _TRIFLE else None
    if free is not None and needed > free:
        raise MemoryError(f"{readable_size(needed)} are needed, {readable_size(free)} are free")


def _array(archive: ZipFile, member: ZipInfo) -> NDArray[Any]:
    """An array of numbers."""
    with archive.open(member) as stream:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise ValueError(f"{member.filename} in it is no array of numbers")
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
        if dtype.kind not in _KINDS or dtype.shape:
            raise ValueError(f"{member.filename} in it holds {dtype}, not numbers; no pickles here")
        if stream.tell() + math.prod(shape) * dtype.itemsize != member.file_size:
            raise ValueError(f"{member.filename} in it declares the shape {shape}, and has another")
        stream.seek(0)
        values: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
        if stream.read(1):  # the check sum of the member is compared at its very end
            raise ValueError(f"{member.filename} in it is longer than its shape")
    return values.astype(values.dtype.newbyteorder("="), copy=False)
