"""The events of a result: times and logged values, by the name of the event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlib.runtime.naming import ByName, unknown_name

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Event", "Events", "MergedEvents"]


class Event:
    """The firings of one event.

    Attributes
    ----------
    name : str
    t : array, shape (n,)
        Located times (iterations of a map).
    step : array of int, shape (n,)
        Index of the step within or at whose end the event fired.
    columns : tuple of str
        Names of the logged values; ``event["x"]`` has shape (n,).
    """

    def __init__(
        self,
        name: str,
        t: NDArray[Any],
        step: NDArray[np.int64],
        columns: tuple[str, ...],
        log: NDArray[np.float64],
    ) -> None:
        self.name, self.t, self.step, self.columns = name, t, step, columns
        self._log = log

    def __getitem__(self, column: str) -> NDArray[Any]:
        if column in self.columns:
            return self._log[:, self.columns.index(column)]
        if column in ("t", "step"):
            return self.t if column == "t" else self.step
        raise unknown_name(f"log column of event {self.name!r}:", column, self.columns)

    def __len__(self) -> int:
        return len(self.t)

    def to_pandas(self) -> pd.DataFrame:
        """A `pandas.DataFrame`: one row for each firing, indexed by its time."""
        from dynlib.runtime.export import event_table  # few runs need it

        return event_table(self)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.columns)

    def __repr__(self) -> str:
        logged = f", logs {', '.join(self.columns)}" if self.columns else ""
        return f"<event {self.name}: {len(self)} firing{'s' * (len(self) != 1)}{logged}>"


class MergedEvents:
    """All firings in the order in which they happened.

    Attributes
    ----------
    t, step : array, shape (n,)
    names : array of str, shape (n,)
    """

    def __init__(self, t: NDArray[Any], step: NDArray[np.int64], names: NDArray[np.str_]) -> None:
        self.t, self.step, self.names = t, step, names

    def __len__(self) -> int:
        return len(self.t)

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return zip(self.names.tolist(), self.t.tolist(), strict=True)

    def __repr__(self) -> str:
        return f"<{len(self)} firings of {', '.join(sorted(set(self.names.tolist()))) or 'none'}>"


class Events(ByName[Event]):
    """Events by name; every event of the model is there, fired or not.

    Parameters
    ----------
    columns : mapping
        Log columns of each event, in declared order.
    logs : sequence of tuple
        Times, steps, indices of events and logged values of each segment.
    is_map : bool
        Whether times are iterations.
    """

    def __init__(
        self,
        columns: Mapping[str, tuple[str, ...]],
        logs: Sequence[tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]],
        is_map: bool,
    ) -> None:
        self._columns = columns
        t, self._step, self._id, self._log = (
            np.concatenate(parts) if len(parts) > 1 else parts[0]
            for parts in zip(*logs, strict=True)
        )
        self._t = t.astype(np.int64) if is_map else t
        self._events: dict[str, Event] = {}

    def __getitem__(self, name: str) -> Event:
        if name not in self._columns:
            raise unknown_name("event", name, self._columns)
        if name not in self._events:
            fired = self._id == list(self._columns).index(name)
            columns = self._columns[name]
            log = self._log[fired, : len(columns)]
            self._events[name] = Event(name, self._t[fired], self._step[fired], columns, log)
        return self._events[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    @cached_property
    def merged(self) -> MergedEvents:
        """All firings in the order in which they happened."""
        names = np.array(list(self._columns), dtype=np.str_)
        return MergedEvents(self._t, self._step, names[self._id])

    def __repr__(self) -> str:
        fired = ", ".join(f"{name}: {len(self[name])}" for name in self)
        return f"<events {fired or '(the model has none)'}>"
