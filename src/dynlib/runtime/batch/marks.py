"""Marks of a store: that all of a part is in place, with the check sum of each of its files.

The mark of a part is written last, in one move.  A part without a mark is not there, whatever
lies in the store; one whose files do not fit its mark is damaged.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dynlib.errors import FileError
from dynlib.runtime.files import read_arrays, write_arrays
from dynlib.runtime.schema import field
from dynlib.runtime.seal import digest, open_regular, reading

__all__ = ["AGAIN", "Mark", "Marks", "checked_bytes", "damages"]

AGAIN = "The batch call that made the store, if it is made again, computes damaged parts again."
_FORMAT = "dynlib part"


@dataclass(frozen=True)
class Mark:
    """What is known about a part that is in place.

    Attributes
    ----------
    sums
        Length and check sum of each file, by its place in the store; empty where there is none,
        because all numbers of a chunk are those of an empty store.
    seconds
        What the part took.
    lanes, threads
        By what means it was computed.
    """

    sums: Mapping[str, str]
    seconds: float
    lanes: int
    threads: int


class Marks:
    """The marks of one store.

    Parameters
    ----------
    path : Path
        The store.
    folder : str
        Where its marks lie, in the store.
    batch : str
        By what marks of this store are known.
    keys : callable
        The files of a part.
    """

    def __init__(
        self, path: Path, folder: str, batch: str, keys: Callable[[int], Collection[str]]
    ) -> None:
        self._path, self._folder, self._batch, self._keys = path, path / folder, batch, keys

    def place(self, index: int) -> Path:
        """The file of a mark."""
        return self._folder / f"{index}.npz"

    def write(self, index: int, mark: Mark) -> None:
        """Mark a part as done."""
        self._folder.mkdir(exist_ok=True)
        meta = {"format": _FORMAT, "part": index, "batch": self._batch, **vars(mark)}
        write_arrays(self.place(index), {}, meta)

    def read(self, index: int) -> Mark | None:
        """The mark of a part; None if it has none.

        Raises
        ------
        FileError
            If it is damaged.
        """
        place = self.place(index)
        if not place.exists() and not place.is_symlink():
            return None
        try:
            with reading(place, "mark of a part"):
                _, meta = read_arrays(place, "mark of a part", _FORMAT)
                if (meta["part"], meta["batch"]) != (index, self._batch):
                    raise ValueError("it is the mark of another part")
                for name, kind in (("lanes", int), ("threads", int), ("sums", dict)):
                    field(meta, name, kind)
                if meta["sums"].keys() != self._keys(index):
                    raise ValueError("it names other files than those of the part")
                seconds = float(field(meta, "seconds", int, float))
                return Mark(meta["sums"], seconds, meta["lanes"], meta["threads"])
        except FileError as error:
            part = place.relative_to(self._path).as_posix()
            raise FileError(self._path, error.found, AGAIN, part) from error


def checked_bytes(path: Path, key: str, expected: str) -> bytes:
    """A file of a store, if its check sum is the one that is expected.

    Raises
    ------
    FileError
        Otherwise.
    """
    try:
        with reading(path, "part of a store"), open_regular(path / key) as source:
            length = int(expected.partition(":")[0])
            content = source.read(length + 1)  # one more tells that it has grown
    except FileError as error:
        raise FileError(path, error.found, AGAIN, key) from error
    if digest(content) != expected:
        raise FileError(path, "damaged: its check sum does not fit", AGAIN, key)
    return content


def damages(path: Path, sums: Mapping[str, str]) -> Iterator[FileError]:
    """What is wrong with files of a store that have these check sums."""
    for key, expected in sums.items():
        if expected:
            try:
                checked_bytes(path, key, expected)
            except FileError as error:
                yield error
