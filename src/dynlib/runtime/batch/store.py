"""A batch on disk: a Zarr store that is filled part by part, and can be taken up again.

Every run has its place in the store, and every part a mark that is set when all of its numbers
are in place.  So a batch that was killed goes on with the parts that have no mark; what it had
half written is written again, to the same place.

The arrays at the top have the dimensions of the batch and ``time``, with labels, as
`xarray.open_zarr` reads them.  The group ``dynlib`` holds the marks, the starts of the runs, the
events part by part, and the description by which the store is recognised.
"""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlib.errors import OptionError
from dynlib.runtime.batch.export import filled, labels, variables
from dynlib.runtime.batch.files import frame_of
from dynlib.runtime.batch.frame import BatchFrame
from dynlib.runtime.batch.layout import (
    GROUP,
    create,
    description,
    open_root,
    parts_of,
    recognise,
    region,
)
from dynlib.runtime.batch.table import BatchStats, Effort, EventLog, RunArrays, Table, stats_of
from dynlib.runtime.observed import packed
from dynlib.steppers import registry

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Store", "StoreTable", "open_store"]

Array = NDArray[Any]
_NEWER = ("derived", "final_dt")  # kinds of variables that stores of earlier versions lack


class Store:
    """A store that is being filled.

    Parameters
    ----------
    root : zarr.Group
    path : Path
    frame : BatchFrame
        What the store holds.
    """

    def __init__(self, root: Any, path: Path, frame: BatchFrame) -> None:
        self._root, self._path, self._frame = root, path, frame
        self._own = root[GROUP]
        size = int(self._own.attrs["runs_of_a_part"])
        self._parts = parts_of(tuple(frame.inputs.dims.values()), size)
        self._places = {part[0]: index for index, part in enumerate(self._parts)}
        self._last = perf_counter()

    @classmethod
    def open(cls, path: Path, frame: BatchFrame, runs_of_a_part: int) -> Store:
        """The store at `path`, made if there is none.

        Raises
        ------
        OptionError
            If what is there belongs to another batch; it says what differs.  If nothing can be
            written there.
        """
        if not path.parent.is_dir():
            raise OptionError(f"out={str(path)!r}: there is no folder {path.parent}.")
        if not path.exists():
            try:
                create(path, frame, runs_of_a_part)
            except OSError as error:
                raise OptionError(
                    f"out={str(path)!r}: no store can be made in {path.parent} "
                    f"({error.strerror or error})."
                ) from error
        root = open_root(path, "r+")
        recognise(root, path, frame)
        return cls(root, path, frame)

    def note(self, lanes: int, threads: int) -> None:
        """Keep by what means the parts are computed, for whoever opens the store later."""
        self._own.attrs["lanes_and_threads"] = [lanes, threads]

    def missing(self) -> list[tuple[int, int]]:
        """First run, and run after the last, of the parts that are still to be done."""
        marks = self._own["done"][:]
        return [part for part, mark in zip(self._parts, marks, strict=True) if not mark]

    def put(self, first: int, table: Table) -> None:
        """Write a part; it counts once all of it is written."""
        size = len(table.status)
        shape = tuple(self._frame.inputs.dims.values())
        place = region(shape, first, first + size)
        block = tuple(part.stop - part.start for part in place)
        for variable, values in filled(self._frame, table):
            if variable.kind in _NEWER and variable.name not in self._root:
                continue  # a store that an earlier dynlib began
            tail = variable.tail_shape
            placed = values.reshape((*block, *tail))
            self._root[variable.name][(*place, *(slice(None) for _ in tail))] = placed
        index = self._places[first]
        self._put_events(index, first, table.events())
        now = perf_counter()
        self._own["seconds"][index] = now - self._last
        self._own["done"][index] = True
        self._last = now

    def _put_events(self, index: int, first: int, log: EventLog) -> None:
        if not len(log.run):
            return
        group = self._own.require_group(f"events/{index}")
        for name, values in log._replace(run=log.run + first)._asdict().items():
            group.create_array(name, data=np.ascontiguousarray(values), overwrite=True)

    def seconds(self) -> float:
        """Time that all parts took, one after the other, also in earlier calls."""
        return _seconds(self._own)

    def table(self) -> StoreTable:
        """What is in the store."""
        return StoreTable(self._root, self._path, self._frame)


class StoreTable:
    """A batch that lies in a store: read when it is asked for, never all at once.

    Parameters
    ----------
    root : zarr.Group
    path : Path
    frame : BatchFrame
    """

    def __init__(self, root: Any, path: Path, frame: BatchFrame) -> None:
        self._root, self._path, self._frame = root, path, frame
        self._places = {(v.kind, v.column): v for v in variables(frame)}

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
        if self._places["final_dt", 0].name not in self._root:
            return np.full(self._frame.inputs.n_runs, np.nan)
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
        return RunArrays(np.array(final, dtype=dtype), p, _side(y, rows, dtype), _side(aux, rows))

    def _one(self, kind: str, column: int, place: tuple[Any, ...]) -> Any:
        return self._root[self._places[kind, column].name][place]

    def events(self) -> EventLog:
        """All events."""
        own, width = (
            self._root[GROUP],
            max(map(len, self._frame.origin.events.values()), default=0),
        )
        ints = np.zeros(0, dtype=np.int64)
        logs = [EventLog(ints, np.zeros(0), ints, ints, np.zeros((0, width)))]
        for index, done in enumerate(own["done"][:]):
            if done and f"events/{index}" in own:
                group = own[f"events/{index}"]
                logs.append(EventLog(*(group[name][...] for name in EventLog._fields)))
        return EventLog(*(np.concatenate(column) for column in zip(*logs, strict=True)))

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

        dataset: xr.Dataset = xarray.open_zarr(self._path, chunks=None)
        return dataset.assign_coords(labels(self._frame))


def open_store(path: Path) -> tuple[BatchFrame, StoreTable, BatchStats]:
    """A store as it is, finished or not.

    Raises
    ------
    OptionError
        If it is no batch.
    """
    root = open_root(path, "r")
    arrays, meta = description(root, path)
    frame = frame_of(arrays, meta)
    table = StoreTable(root, path, frame)
    effort = Effort(_seconds(root[GROUP]), *root[GROUP].attrs.get("lanes_and_threads", (1, 1)))
    return frame, table, stats_of(table, registry.get(frame.origin.stepper), effort)


def _seconds(own: Any) -> float:
    return float(own["seconds"][:].sum())


def _side(columns: list[Array], rows: int, dtype: Any = np.float64) -> Array:
    """Columns side by side, (rows, columns)."""
    return np.stack(columns, axis=1) if columns else np.empty((rows, 0), dtype=dtype)
