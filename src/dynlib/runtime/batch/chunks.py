"""The files of a Zarr store, each with its check sum.

Imported only where there is Zarr.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from pathlib import Path
from typing import Any

from zarr.storage import LocalStore, WrapperStore

from dynlib.runtime.batch.marks import checked_bytes
from dynlib.runtime.files import in_one_move
from dynlib.runtime.seal import digest

__all__ = ["ChunkStore"]


class ChunkStore(WrapperStore[LocalStore]):
    """A folder of which nothing is read but files with known check sums.

    Whatever else lies there, as of a part that was half written, is as if it were not there.
    Files are written in one move, and their check sums noted in `written`.

    Parameters
    ----------
    path : Path
        The store.
    sums : mapping
        Check sum of each file that is there, by its key.
    read_only : bool
        Whether nothing is to be written.
    """

    def __init__(self, path: Path, sums: Mapping[str, str], *, read_only: bool = True) -> None:
        super().__init__(LocalStore(path, read_only=read_only))
        self._path, self._sums = path, sums
        self.written: dict[str, str] = {}

    def with_read_only(self, read_only: bool = False) -> ChunkStore:
        """The same store, to be read or to be written."""
        return ChunkStore(self._path, self._sums, read_only=read_only)

    async def get(self, key: str, prototype: Any, byte_range: Any = None) -> Any:
        """A file, checked; None if there is none."""
        expected = self._sums.get(key)
        if not expected:
            return None
        assert byte_range is None, "parts of chunks are never asked for"
        return prototype.buffer.from_bytes(checked_bytes(self._path, key, expected))

    async def get_partial_values(
        self, prototype: Any, key_ranges: Iterable[tuple[str, Any]]
    ) -> list[Any]:
        """Several files."""
        return [await self.get(key, prototype, part) for key, part in key_ranges]

    async def _get_many(
        self, requests: Iterable[tuple[str, Any, Any]]
    ) -> AsyncGenerator[tuple[str, Any], None]:
        for key, prototype, part in requests:
            yield key, await self.get(key, prototype, part)

    async def exists(self, key: str) -> bool:
        """Whether there is such a file."""
        return bool(self._sums.get(key))

    async def set(self, key: str, value: Any) -> None:
        """Write a file."""
        content = value.to_bytes()
        place = self._path / key
        place.parent.mkdir(parents=True, exist_ok=True)
        with in_one_move(place) as new:
            new.write_bytes(content)
        self.written[key] = digest(content)

    async def delete(self, key: str) -> None:
        """Note that a chunk has nothing but the numbers of an empty store."""
        (self._path / key).unlink(missing_ok=True)
        self.written[key] = ""
