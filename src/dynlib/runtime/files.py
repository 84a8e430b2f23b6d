"""Arrays and their description in one ``.npz`` file: written whole or not at all."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from dynlib.errors import OptionError

__all__ = [
    "DAMAGE",
    "META",
    "from_bytes",
    "read_arrays",
    "replace_file",
    "to_bytes",
    "write_arrays",
]

META = "description"
# What NumPy, zipfile and json raise for files that are cut, overwritten or of another kind.
DAMAGE = (
    OSError,
    EOFError,
    KeyError,
    TypeError,
    AttributeError,
    RuntimeError,
    MemoryError,
    BadZipFile,
    zlib.error,
)
Arrays = dict[str, NDArray[Any]]


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a new file beside `path`, then put it there in one move.

    Whoever reads `path` meanwhile, or is killed while writing, finds the old file or the new one.

    Raises
    ------
    OptionError
        If the file cannot be written.
    """
    if not path.parent.is_dir():
        raise OptionError(f"{path}: there is no folder {path.parent}.")
    if path.is_dir():
        raise OptionError(f"{path}: this is a folder. Name a file in it.")
    new = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    try:
        write(new)
        os.replace(new, path)
    except OSError as error:
        raise OptionError(f"{path}: cannot be written ({error.strerror or error}).") from error
    finally:
        new.unlink(missing_ok=True)


def to_bytes(arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> bytes:
    """Arrays and a description (plain data) as the content of an ``.npz`` file."""
    buffer = BytesIO()
    text = np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)
    everything: Any = {**arrays, META: text}
    np.savez(buffer, **everything)
    return buffer.getvalue()


def from_bytes(source: IO[bytes], format_name: str) -> tuple[Arrays, dict[str, Any]]:
    """What `to_bytes` packed; pickled objects are never loaded.

    Raises
    ------
    ValueError
        If this is something else.
    """
    if source.read(2) != b"PK":
        raise ValueError("it is no archive of arrays")
    source.seek(0)
    try:
        with np.load(source, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        meta = json.loads(arrays.pop(META).tobytes())
        found = meta["format"]
    except DAMAGE as error:
        raise ValueError(str(error)) from error
    if found != format_name:
        raise ValueError(f"it calls itself {found!r}")
    return arrays, meta


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> None:
    """Write arrays and a description to `path`."""
    content = to_bytes(arrays, meta)
    replace_file(path, lambda new: new.write_bytes(content))


def read_arrays(path: Path, what: str, format_name: str) -> tuple[Arrays, dict[str, Any]]:
    """Read what `write_arrays` wrote.

    Raises
    ------
    OptionError
        If the file cannot be read, or its description does not call itself `format_name`.
    """
    try:
        with path.open("rb") as source:
            return from_bytes(source, format_name)
    except FileNotFoundError as error:
        raise OptionError(f"{path}: there is no such file.") from error
    except (OSError, ValueError) as error:
        raise OptionError(f"{path}: not a {what}, or damaged ({error}).") from error
