"""A batch on disk: a Zarr store that is filled part by part, and can be taken up again.

Every run has its place in the store, and every part a mark that is set when all of its numbers
are in place (`dynlib.runtime.batch.marks`).  So a batch that was killed goes on with the parts that
have no mark; what it had half written is written again, to the same place.  A part whose files do
not fit its mark is computed again.  Several processes share the parts among them
(`dynlib.runtime.batch.claims`).

The arrays at the top have the dimensions of the batch and ``time``, with labels, as
`xarray.open_zarr` reads them.  The folder ``dynlib`` holds the description by which the store is
recognised, the marks, the events part by part, and the claims of those who are at work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from dynlib.errors import FileError, OptionError
from dynlib.runtime.batch.claims import Claims
from dynlib.runtime.batch.export import filled
from dynlib.runtime.batch.frame import BatchFrame
from dynlib.runtime.batch.layout import (
    CLAIMS,
    Base,
    create,
    mend,
    parts_of,
    recognise,
    region,
    zarr,
)
from dynlib.runtime.batch.marks import Mark, damages
from dynlib.runtime.batch.stored import EVENTS_FORMAT, StoreTable, events_key, marks_of
from dynlib.runtime.batch.table import Table
from dynlib.runtime.files import write_arrays
from dynlib.runtime.interrupt import Interrupt
from dynlib.runtime.seal import digest
from dynlib.wording import argument

__all__ = ["Store"]


class Store:
    """A store that is being filled.

    Parameters
    ----------
    path : Path
    frame : BatchFrame
        What the store holds.
    base : Base
        What it has from the beginning.
    means : tuple of int
        Lanes and threads with which parts are computed.
    """

    def __init__(self, path: Path, frame: BatchFrame, base: Base, means: tuple[int, int]) -> None:
        self._path, self._frame, self._base, self._means = path, frame, base, means
        self._parts = parts_of(tuple(frame.inputs.dims.values()), base.runs_of_a_part)
        self._places = {part[0]: index for index, part in enumerate(self._parts)}
        self._marks = marks_of(path, frame, base)
        self._claims = Claims(path / CLAIMS)
        self._ready: set[int] = set()
        self._last = perf_counter()
        self._chunks: Any = None
        self._root: Any = None

    @classmethod
    def open(
        cls, path: Path, frame: BatchFrame, runs_of_a_part: int, means: tuple[int, int]
    ) -> Store:
        """The store at `path`, made if there is none, and mended if it is damaged.

        Raises
        ------
        OptionError
            If what is there belongs to another batch; it says what differs.  If nothing can be
            written there.
        """
        if not path.parent.is_dir():
            raise OptionError(f"{argument('out', str(path))}: there is no folder {path.parent}.")
        zarr()
        try:
            with _room():
                if not path.exists():
                    create(path, frame, runs_of_a_part)
                base = mend(path, frame, runs_of_a_part)
        except OSError as error:
            raise OptionError(
                f"{argument('out', str(path))}: no store can be made in {path.parent} "
                f"({error.strerror or error})."
            ) from error
        recognise(base, path, frame)
        return cls(path, frame, base, means)

    def missing(self, interrupt: Interrupt | None = None) -> list[tuple[int, int]]:
        """First run, and run after the last, of the parts that are not there, or are damaged.

        After Ctrl-C no further part is looked at.
        """
        found = []
        for index, part in enumerate(self._parts):
            if interrupt is not None and interrupt.seen:
                break
            if not self._is_ready(index):
                found.append(part)
        return found

    def _is_ready(self, index: int) -> bool:
        """Whether a part is there; the files of one are looked at once in each call."""
        if index not in self._ready:
            try:
                mark = self._marks.read(index)
            except FileError:
                return False
            if mark is None or next(damages(self._path, mark.sums), None) is not None:
                return False
            self._ready.add(index)
        return True

    def claimed(self) -> Iterator[tuple[int, int]]:
        """The missing parts that no other process is at work on, each claimed when it comes."""
        parts = self.missing()
        self._last = perf_counter()
        for first, last in parts:
            index = self._places[first]
            with self._writing():
                if not self._claims.take(index):
                    continue
            if self._is_ready(index):  # another process was just done with it
                self._claims.free(index)
                continue
            yield first, last

    def put(self, first: int, table: Table) -> None:
        """Write a part; it counts once all of it is written.

        A part that another process has put there meanwhile stays.
        """
        index = self._places[first]
        if not self._is_ready(index):
            with self._writing():
                sums = self._put_chunks(first, table) | self._put_events(index, first, table)
                now = perf_counter()
                self._marks.write(index, Mark(sums, now - self._last, *self._means))
            self._last = now
            self._ready.add(index)
        self._claims.free(index)

    def _put_chunks(self, first: int, table: Table) -> dict[str, str]:
        """Write the columns of a part; returns check sums."""
        from dynlib.runtime.batch.chunks import ChunkStore  # for which Zarr is needed

        if self._root is None:
            self._chunks = ChunkStore(self._path, self._base.sums, read_only=False)
            self._root = zarr().open_group(self._chunks, mode="r+", use_consolidated=False)
        self._chunks.written = {}
        place = region(tuple(self._frame.inputs.dims.values()), first, first + len(table.status))
        block = tuple(part.stop - part.start for part in place)
        for variable, values in filled(self._frame, table):
            tail = variable.tail_shape
            placed = values.reshape((*block, *tail))
            self._root[variable.name][(*place, *(slice(None) for _ in tail))] = placed
        written: dict[str, str] = self._chunks.written
        return written

    def _put_events(self, index: int, first: int, table: Table) -> dict[str, str]:
        """Write the events of a part; returns their check sum."""
        log = table.events()
        key = events_key(index)
        place = self._path / key
        if not len(log.run):
            return {key: ""}
        place.parent.mkdir(exist_ok=True)
        columns = log._replace(run=log.run + first)._asdict()
        write_arrays(place, columns, {"format": EVENTS_FORMAT, "part": index})
        return {key: digest(place.read_bytes())}

    def close(self) -> None:
        """Leave the parts that were claimed, and not done, to others."""
        self._claims.close()
        self._claims.sweep(self._ready)

    def table(self) -> StoreTable:
        """What is in the store."""
        return StoreTable(self._path, self._frame, self._base)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Say what could not be written."""
        try:
            with _room():
                yield
        except OSError as error:
            place = f": {error.filename2}" if error.filename2 else ""
            raise OptionError(
                f"{argument('out', str(self._path))}: cannot be written "
                f"({error.strerror or error}{place}). What is there is kept; the same call goes on "
                "with the other parts."
            ) from error


@contextmanager
def _room() -> Iterator[None]:
    """Zarr has no MemoryError: where memory ends, a compressor or a thread cannot be made."""
    try:
        yield
    except RuntimeError as error:
        raise MemoryError(f"a store could not be written ({error})") from error
