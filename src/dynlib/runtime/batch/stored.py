"""A batch that lies in a store, as it is read."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlib.errors import FileError
from dynlib.runtime.batch.export import labels, variables
from dynlib.runtime.batch.files import frame_of
from dynlib.runtime.batch.frame import BatchFrame
from dynlib.runtime.batch.layout import EVENTS, PARTS, Base, chunks_of, parts_of, read_base, zarr
from dynlib.runtime.batch.marks import Marks, checked_bytes, damages
from dynlib.runtime.batch.table import BatchStats, Effort, EventLog, RunArrays, stats_of
from dynlib.runtime.files import from_bytes
from dynlib.runtime.observed import packed
from dynlib.runtime.schema import array, check_events, within
from dynlib.runtime.seal import reading

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["EVENTS_FORMAT", "StoreTable", "events_key", "marks_of", "open_store", "store_problems"]

Array = NDArray[Any]
EVENTS_FORMAT = "dynlib events"


def events_key(index: int) -> str:
    """The file of the events of a part."""
    return f"{EVENTS}/{index}.npz"


def marks_of(path: Path, frame: BatchFrame, base: Base) -> Marks:
    """The marks of a store."""
    parts = parts_of(tuple(frame.inputs.dims.values()), base.runs_of_a_part)

    def keys(index: int) -> frozenset[str]:
        first, _ = parts[index]
        return chunks_of(frame, base.runs_of_a_part, first) | {events_key(index)}

    return Marks(path, PARTS, base.identity, keys)


class StoreTable:
    """A batch that lies in a store: read when it is asked for, never all at once.

    It is what the store was when it was opened: parts that come later are not seen.  Every file is
    compared with its check sum when it is read.

    Parameters
    ----------
    path : Path
    frame : BatchFrame
    base : Base
        What the store has from the beginning.

    Raises
    ------
    FileError
        If the mark of a part is damaged.
    """

    def __init__(self, path: Path, frame: BatchFrame, base: Base) -> None:
        from dynlib.runtime.batch.chunks import ChunkStore  # for which Zarr is needed

        self._path, self._frame = path, frame
        self._parts = parts_of(tuple(frame.inputs.dims.values()), base.runs_of_a_part)
        marks = marks_of(path, frame, base)
        found = {index: marks.read(index) for index in range(len(self._parts))}
        self._marks = {index: mark for index, mark in found.items() if mark is not None}
        sums = dict(base.sums)
        for mark in self._marks.values():
            sums |= mark.sums
        self._chunks = ChunkStore(path, sums)
        self._root = zarr().open_group(self._chunks, mode="r", use_consolidated=False)
        self._places = {(v.kind, v.column): v for v in variables(frame)}

    @property
    def effort(self) -> Effort:
        """What all parts took, one after the other, also in earlier calls; by which means."""
        last = next(reversed(self._marks.values()), None)
        means = (1, 1) if last is None else (last.lanes, last.threads)
        return Effort(sum(mark.seconds for mark in self._marks.values()), *means)

    def _read(self, kind: str, column: int = 0) -> Array:
        variable = self._places[kind, column]
        values: Array = self._root[variable.name][...]
        n_runs = self._frame.inputs.n_runs
        return values.reshape((n_runs, *variable.tail_shape))

    @property
    def status(self) -> NDArray[np.int64]:
        """How each run ended, shape (n_runs,)."""
        return self._read("status")

    @property
    def t_final(self) -> NDArray[np.float64]:
        """When each run ended, shape (n_runs,)."""
        return self._read("t_final")

    @property
    def final_dt(self) -> NDArray[np.float64]:
        """With which step each run would go on, shape (n_runs,)."""
        return self._read("final_dt")

    @property
    def steps(self) -> NDArray[np.int64]:
        """Committed steps of each run, shape (n_runs,)."""
        return self._read("steps")

    @property
    def rejected(self) -> NDArray[np.int64]:
        """Rejected steps of each run, shape (n_runs,)."""
        return self._read("rejected")

    @property
    def rows(self) -> NDArray[np.int64]:
        """Recorded rows of each run, shape (n_runs,)."""
        return self._read("rows")

    def final(self, index: int) -> Array:
        """Final values of a state, shape (n_runs,)."""
        return self._read("final", index)

    def param(self, index: int) -> Array:
        """Final values of a parameter that events change, shape (n_runs,)."""
        return self._read("param", index)

    def tally(self, index: int) -> Array:
        """Failures of the last attempts (0), or what the method counts, shape (n_runs,)."""
        return self._read("tally", index)

    def record(self, kind: str, column: int) -> Array:
        """Recorded values of a state or aux variable, shape (n_runs, rows)."""
        return self._read(kind, column)

    def run(self, index: int) -> RunArrays:
        """One run; no other is read."""
        place = np.unravel_index(index, tuple(self._frame.inputs.dims.values()))
        origin, selection = self._frame.origin, self._frame.selection
        dtype = np.dtype(origin.dtype)
        rows = int(self._one("rows", 0, place))
        final = [self._one("final", i, place) for i in range(len(origin.states))]
        y = [self._one("y", i, place)[:rows] for i in range(len(selection.states))]
        aux = [self._one("aux", i, place)[:rows] for i in range(len(selection.aux))]
        p = {i: self._one("param", i, place).item() for i in self._frame.changing_params}
        columns = range(len(self._frame.costs.columns))
        tally = tuple(int(self._one("tally", i, place)) for i in columns)
        sides = _side(y, rows, dtype), _side(aux, rows)
        return RunArrays(np.array(final, dtype=dtype), p, *sides, tally=tally)

    def _one(self, kind: str, column: int, place: tuple[Any, ...]) -> Any:
        return self._root[self._places[kind, column].name][place]

    def events(self) -> EventLog:
        """All events."""
        width = max(map(len, self._frame.origin.events.values()), default=0)
        ints = np.zeros(0, dtype=np.int64)
        logs = [EventLog(ints, np.zeros(0), ints, ints, np.zeros((0, width)))]
        logs += [self._events_of(i) for i, mark in self._marks.items() if mark.sums[events_key(i)]]
        return EventLog(*(np.concatenate(column) for column in zip(*logs, strict=True)))

    def _events_of(self, index: int) -> EventLog:
        """The events of a part that has some."""
        key, (first, last) = events_key(index), self._parts[index]
        content = checked_bytes(self._path, key, self._marks[index].sums[key])
        with reading(self._path / key, "log of events"):
            columns, _ = from_bytes(BytesIO(content), EVENTS_FORMAT, sealed=True)
            check_events(columns, self._frame.origin.as_dict())
            within("run", array(columns, "run", np.int64, columns["t"].shape), first, last - 1)
            return EventLog(**columns)

    def observed(self, run: int | None = None) -> tuple[Array, Array, Array]:
        """What observers left in all runs, or in one."""
        frame = self._frame
        n = frame.inputs.n_runs if run is None else 1

        def column(index: int) -> Array:
            if run is None:
                return self._read("observed", index)
            place = np.unravel_index(run, tuple(frame.inputs.dims.values()))
            return np.asarray(self._one("observed", index, place))[np.newaxis]

        return packed(frame.observed, n, column)

    def opened(self) -> xr.Dataset:
        """The store as `xarray.open_zarr` reads it."""
        import xarray

        dataset: xr.Dataset = xarray.open_zarr(self._chunks, chunks=None)
        return dataset.assign_coords(labels(self._frame))


def open_store(path: Path) -> tuple[BatchFrame, StoreTable, BatchStats]:
    """A store as it is, finished or not.

    Raises
    ------
    FileError
        If it is no batch, or damaged.
    """
    zarr()
    base = read_base(path)
    with reading(path, "batch that dynlib has written"):
        frame = frame_of(base.arrays, base.meta)
        table = StoreTable(path, frame, base)
        return frame, table, stats_of(table, frame.costs, table.effort)


def store_problems(path: Path) -> list[FileError]:
    """All that is wrong with a store; every byte of it is read."""
    zarr()
    try:
        base = read_base(path)
        with reading(path, "batch that dynlib has written"):
            frame = frame_of(base.arrays, base.meta)
    except FileError as error:
        return [error]
    found = list(damages(path, base.sums))
    marks = marks_of(path, frame, base)
    for index in range(len(parts_of(tuple(frame.inputs.dims.values()), base.runs_of_a_part))):
        try:
            mark = marks.read(index)
        except FileError as error:
            found.append(error)
        else:
            found += damages(path, mark.sums) if mark is not None else ()
    return found


def _side(columns: list[Array], rows: int, dtype: Any = np.float64) -> Array:
    """Columns side by side, (rows, columns)."""
    return np.stack(columns, axis=1) if columns else np.empty((rows, 0), dtype=dtype)
