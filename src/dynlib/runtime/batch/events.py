"""The events of a batch: as those of a run, with the number of the run beside the time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.runtime.batch.table import EventLog
from dynlib.runtime.event_log import Event, MergedEvents
from dynlib.runtime.naming import ByName, unknown_name

__all__ = ["BatchEvent", "BatchEvents", "MergedBatchEvents"]


class BatchEvent(Event):
    """The firings of one event in all runs, run after run.

    Attributes
    ----------
    run : array of int, shape (n,)
        Index of the run; ``event["run"]`` is the same.
    name, t, step, columns
        As of the event of a single run.
    """

    def __init__(
        self, name: str, rows: EventLog, t: NDArray[Any], columns: tuple[str, ...]
    ) -> None:
        super().__init__(name, t, rows.step, columns, rows.log[:, : len(columns)])
        self.run = rows.run

    def __getitem__(self, column: str) -> NDArray[Any]:
        if column == "run" and column not in self.columns:
            return self.run
        return super().__getitem__(column)

    def counts(self, n_runs: int) -> NDArray[np.int64]:
        """How often it fired in each of `n_runs` runs, shape (n_runs,)."""
        return np.bincount(self.run, minlength=n_runs)


class MergedBatchEvents(MergedEvents):
    """All firings of all runs: run after run, each in the order in which they happened.

    Attributes
    ----------
    run, t, step : array, shape (n,)
    names : array of str, shape (n,)
    """

    def __init__(
        self,
        run: NDArray[np.int64],
        t: NDArray[Any],
        step: NDArray[np.int64],
        names: NDArray[np.str_],
    ) -> None:
        super().__init__(t, step, names)
        self.run = run


class BatchEvents(ByName[BatchEvent]):
    """Events of a batch by name; every event of the model is there, fired or not.

    Parameters
    ----------
    columns : mapping
        Log columns of each event, in declared order.
    log : EventLog
    is_map : bool
        Whether times are iterations.

    Attributes
    ----------
    log : EventLog
        All of it, as it is.
    """

    def __init__(
        self, columns: Mapping[str, tuple[str, ...]], log: EventLog, *, is_map: bool
    ) -> None:
        self._columns = columns
        self.log = log
        self._t = log.t.astype(np.int64) if is_map else log.t
        self._events: dict[str, BatchEvent] = {}

    def __getitem__(self, name: str) -> BatchEvent:
        if name not in self._columns:
            raise unknown_name("event", name, self._columns)
        if name not in self._events:
            fired = self.log.id == list(self._columns).index(name)
            self._events[name] = BatchEvent(
                name, self.log.part(fired), self._t[fired], self._columns[name]
            )
        return self._events[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    @cached_property
    def merged(self) -> MergedBatchEvents:
        """All firings, run after run."""
        names = np.array(list(self._columns), dtype=np.str_)
        return MergedBatchEvents(self.log.run, self._t, self.log.step, names[self.log.id])

    def of_run(self, index: int) -> EventLog:
        """The log of one run."""
        first, last = np.searchsorted(self.log.run, [index, index + 1])
        return self.log.part(slice(first, last))

    def __repr__(self) -> str:
        fired = ", ".join(f"{name}: {len(self[name])}" for name in self)
        return f"<events {fired or '(the model has none)'}>"
