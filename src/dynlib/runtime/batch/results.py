"""What a batch returns: the runs side by side, under the names of the model."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.status import Status
from dynlib.dsl import ModelSpec
from dynlib.errors import OptionError, RunFailed, UnknownNameError
from dynlib.runtime.batch import export, files
from dynlib.runtime.batch.events import BatchEvents
from dynlib.runtime.batch.failure import batch_failure
from dynlib.runtime.batch.frame import BatchFrame, RunEnd
from dynlib.runtime.batch.summary import batch_summary
from dynlib.runtime.batch.table import BatchStats, Table
from dynlib.runtime.naming import ByName, unknown_name
from dynlib.runtime.observation import Observers, build_observer_metadata
from dynlib.runtime.plot_hook import batch_plotter
from dynlib.runtime.results import Results
from dynlib.runtime.validate import shown

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["BatchResults", "FinalValues"]

Array = NDArray[Any]


class BatchResults:
    """Many runs of one model, with their names, events and starts.

    ``res["x"]`` is the record of a state or a recorded aux variable, shape (n_runs, n_rec);
    ``res["x", "z"]`` has shape (n_runs, n_rec, 2).  ``res[17]`` is one run, a `Results`; so is
    ``res[3, 5]``, by its place on a grid.  Rows that a run did not get to are NaN (0 in a model
    of integers); `status` says why.

    Examples
    --------
    >>> from dynlib import setup
    >>> sim = setup("builtin://map/logistic", jit=False)
    >>> res = sim.batch(params={"r": [2.5, 3.2, 3.9]}, N=100)
    >>> res["x"].shape, res.final["x"].shape, res.ok.all()
    ((3, 101), (3,), np.True_)
    """

    def __init__(self, frame: BatchFrame, table: Table, stats: BatchStats) -> None:
        self._frame, self._table, self._stats = frame, table, stats

    # --- the runs -------------------------------------------------------------------------------

    def __len__(self) -> int:
        return self._frame.inputs.n_runs

    def __iter__(self) -> Iterator[Results]:
        return (self._run(index) for index in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return self._column(key)
        if isinstance(key, int | np.integer):
            return self._run(int(key))
        if isinstance(key, tuple | list) and key:
            if all(isinstance(each, str) for each in key):
                return np.stack([self._column(name) for name in key], axis=-1)
            if all(isinstance(each, int | np.integer) for each in key):
                return self._run(self._flat(tuple(map(int, key))))
        raise OptionError(
            f"res[...] takes names ({', '.join(self.names)}) or the index of a run, found "
            f"{shown(key)}."
        )

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.names)

    def _column(self, name: str) -> Array:
        place = self._frame.selection.columns.get(name)
        if place is None:
            raise self._unrecorded(name)
        return self._table.record(*place)

    def _unrecorded(self, name: str) -> Exception:
        origin = self._frame.origin
        if name in origin.states or name.removeprefix("aux.") in origin.aux:
            final = f" Its last values are in final[{name!r}]." if name in origin.states else ""
            return UnknownNameError(
                f"{name!r} was not recorded: name it in record_vars=[...].{final} "
                f"Recorded: {', '.join(self.names) or 'nothing'}."
            )
        return unknown_name("variable", name, self.names)

    def _flat(self, place: tuple[int, ...]) -> int:
        shape = self.shape
        if len(place) != len(shape):
            raise OptionError(f"res{list(place)}: the batch has the dimensions {self.dims}.")
        for each, length in zip(place, shape, strict=True):
            if not -length <= each < length:
                raise OptionError(f"res{list(place)}: there is no such run; shape {shape}.")
        wrapped = [each % length for each, length in zip(place, shape, strict=True)]
        return int(np.ravel_multi_index(wrapped, shape))

    def _run(self, index: int) -> Results:
        if not -len(self) <= index < len(self):
            raise OptionError(f"there is no run {index}: the batch has {len(self)} runs.")
        index %= len(self)
        frame, table = self._frame, self._table
        steps, rejected = int(table.steps[index]), int(table.rejected[index])
        end = RunEnd(
            status=Status(int(table.status[index])),
            t=float(table.t_final[index]),
            dt=float(table.final_dt[index]),
            steps=steps,
            rejected=rejected,
            seconds=self._stats.seconds / len(self),
        )
        found = build_observer_metadata(frame.observed, *table.observed(index), alone=True)
        arrays = table.run(index)._replace(observers=found)
        segment = frame.segment(index, arrays, self.events.of_run(index), end)
        return Results(frame.origin, [segment])

    # --- the record -----------------------------------------------------------------------------

    @property
    def t(self) -> Array:
        """Times of the rows, shape (n_rec,), the same for all runs; iterations of a map."""
        return self._frame.t

    @property
    def names(self) -> tuple[str, ...]:
        """Recorded variables."""
        return self._frame.selection.names

    @property
    def rows(self) -> NDArray[np.int64]:
        """For each run how many of the rows it got to, shape (n_runs,)."""
        return self._table.rows

    @property
    def dims(self) -> dict[str, int]:
        """Dimensions of the batch and their lengths: those of the grid, or ``run``.

        ``res.final["x"].reshape(res.shape)`` lies on the grid.
        """
        return self._frame.inputs.dims

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the dimensions."""
        return tuple(self.dims.values())

    @property
    def axes(self) -> dict[str, Array]:
        """Values along the axes of the grid, by name; empty if the batch is no grid."""
        return dict(self._frame.inputs.axes)

    @property
    def ic(self) -> Mapping[str, Any]:
        """Initial states by name: one number where all runs share it, else shape (n_runs,)."""
        return dict(zip(self._frame.origin.states, self._frame.inputs.y0, strict=True))

    @property
    def params(self) -> Mapping[str, Any]:
        """Parameters by name: one number where all runs share it, else shape (n_runs,)."""
        return dict(zip(self._frame.origin.params, self._frame.inputs.p, strict=True))

    # --- the end --------------------------------------------------------------------------------

    @cached_property
    def final(self) -> FinalValues:
        """States where the runs ended, by name, shape (n_runs,) each."""
        return FinalValues(self._frame.origin.states, self._table)

    @property
    def final_params(self) -> Mapping[str, Any]:
        """Parameters where the runs ended (events may change them), as in `params`."""
        names, table = self._frame.origin.params, self._table
        changed = {names[i]: table.param(i) for i in self._frame.changing_params}
        return {**self.params, **changed}

    @property
    def t_final(self) -> Array:
        """Times (iterations) at which the runs ended, shape (n_runs,)."""
        t = self._table.t_final
        return t.astype(np.int64) if self.is_map else t

    @property
    def final_dt(self) -> Array:
        """Steps with which the runs would go on, shape (n_runs,); of a map 1.

        NaN in runs that were interrupted, or come from a file that does not say.
        """
        if self.is_map:
            return np.ones(len(self), dtype=np.int64)
        return self._table.final_dt

    @property
    def status(self) -> NDArray[np.int64]:
        """How the runs ended, as numbers of `Status`, shape (n_runs,)."""
        return self._table.status

    @property
    def ok(self) -> NDArray[np.bool_]:
        """Whether they ended as asked: at the end, or at the stop condition; shape (n_runs,)."""
        status = self.status
        return np.asarray((status == Status.DONE) | (status == Status.EARLY_EXIT))

    @property
    def stats(self) -> BatchStats:
        """Runs, steps, rejected attempts, evaluations, seconds, lanes, threads."""
        return self._stats

    def raise_for_status(self) -> BatchResults:
        """Return the result itself if all runs are `ok`.

        Raises
        ------
        RunFailed
            About the first run that is not; the whole batch is in its `results`.
        """
        failed = self._failure()
        if failed is not None:
            raise failed
        return self

    def _failure(self) -> RunFailed | None:
        bad = np.flatnonzero(~self.ok)
        return batch_failure(self, self[int(bad[0])], bad) if bad.size else None

    # --- more than states -----------------------------------------------------------------------

    @cached_property
    def events(self) -> BatchEvents:
        """Firings by event: ``res.events["spike"].run`` and ``.t``; ``.merged`` has all."""
        origin = self._frame.origin
        return BatchEvents(origin.events, self._table.events(), is_map=origin.is_map)

    @cached_property
    def observers(self) -> Observers:
        """What observers found, by name; every output has a first axis over the runs."""
        layout = self._frame.observed
        return Observers(build_observer_metadata(layout, *self._table.observed(), ok=self.ok))

    @property
    def spec(self) -> ModelSpec:
        """The model; read again from its text where the result comes from a file."""
        return self._frame.origin.spec

    @property
    def model_name(self) -> str:
        """Name of the model."""
        return self._frame.origin.name

    @property
    def is_map(self) -> bool:
        """Whether the model is a map, so that `t` counts iterations."""
        return self._frame.origin.is_map

    @property
    def plot(self) -> Any:
        """Pictures: ``res.plot("x")`` draws the end of the runs over the grid."""
        return batch_plotter(self)

    # --- elsewhere ------------------------------------------------------------------------------

    def to_xarray(self) -> xr.Dataset:
        """An `xarray.Dataset` over the grid's dimensions (or ``run``) and ``time``.

        It holds what was recorded, and ``final_x``, ``t_final``, ``final_dt``, ``status``,
        ``steps`` of each run.  A variable whose name is taken by a dimension has a ``_`` behind it.
        """
        opened = self._table.opened()
        return export.to_xarray(self._frame, self._table) if opened is None else opened

    def to_pandas(self) -> pd.DataFrame:
        """A `pandas.DataFrame` with one row for each run: its start, its end, its status."""
        return export.to_pandas(self._frame, self._table)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write to ``.npz`` or ``.nc``; `dynlib.load_results` reads both.

        Raises
        ------
        OptionError
            For another suffix.
        MissingExtraError
            If a package that the format needs is not installed.
        """
        files.save(self._frame, self._table, self._stats, path)

    def __repr__(self) -> str:
        return batch_summary(self, self._frame)


class FinalValues(ByName[Array]):
    """States at the end of all runs, by name."""

    def __init__(self, names: tuple[str, ...], table: Table) -> None:
        self._names, self._table = names, table

    def __getitem__(self, name: str) -> Array:
        if name not in self._names:
            raise unknown_name("state", name, self._names)
        return self._table.final(self._names.index(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"<final values of {', '.join(self._names)}>"
