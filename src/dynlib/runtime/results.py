"""What a run returns: arrays under their names."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlib.abi.status import Status
from dynlib.dsl import ModelSpec
from dynlib.errors import OptionError, UnknownNameError
from dynlib.runtime.costs import RunStats
from dynlib.runtime.event_log import Events
from dynlib.runtime.failure import explain, failure
from dynlib.runtime.naming import ByName, NamedValues, unknown_name, unlike
from dynlib.runtime.observation import Observers
from dynlib.runtime.origin import Origin, receipt
from dynlib.runtime.plot_hook import plotter
from dynlib.runtime.segments import Segment
from dynlib.runtime.summary import summary
from dynlib.runtime.validate import shown

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["Results", "Segments"]

Array = NDArray[Any]


class Results:
    """A trajectory with its names, events and history.

    ``res["x"]`` is the record of a state or a recorded aux variable, shape (n_rec,);
    ``res["x", "z"]`` has shape (n_rec, 2); ``res["x":"z"]`` takes all columns from x to z, and
    ``res[:]`` all that were recorded.  ``res[100:200]``, ``res[-1]`` and ``res[res.t > 50]`` take
    rows of all columns.  As with a table of pandas, ``len(res)`` counts rows, and iteration goes
    over the names.

    A session that was continued with ``resume=True`` is one result; `segments` holds its pieces.

    Examples
    --------
    >>> from dynlib import setup
    >>> res = setup("builtin://ode/expdecay", jit=False).run(T=1.0, dt=0.25)
    >>> res.t.tolist(), res["x"].shape, res.ok
    ([0.0, 0.25, 0.5, 0.75, 1.0], (5,), True)
    """

    def __init__(
        self, origin: Origin, segments: Sequence[Segment], earlier: Sequence[Segment] = ()
    ) -> None:
        self._origin = origin
        self._segments = tuple(segments)
        self._earlier = tuple(earlier)
        self._last = self._segments[-1]

    # --- the record -----------------------------------------------------------------------------

    @cached_property
    def t(self) -> Array:
        """Times of the rows, shape (n_rec,); for a map iteration indices, as integers."""
        *earlier, last = self._segments
        t = _joined([*map(_times_on_the_way, earlier), last.raw.t])
        return t.astype(np.int64) if self._origin.is_map else t

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Recorded variables; of a continued session those that every segment recorded."""
        first, *later = (segment.selection.names for segment in self._segments)
        return tuple(name for name in first if all(name in names for names in later))

    def __getitem__(self, key: str | tuple[str, ...] | list[str] | slice | int | Array) -> Array:
        if isinstance(key, str):
            return self._column(key)
        if isinstance(key, tuple | list):
            return self._columns([self._checked(name) for name in key])
        if isinstance(key, slice):
            return self._slice(key)
        try:
            rows: Array = self[:][operator.index(key) if np.ndim(key) == 0 else np.asarray(key)]
        except (TypeError, IndexError) as error:
            raise OptionError(
                f"res[...] takes names ({', '.join(self.names)}), slices and rows "
                f"({len(self)} of them), found {shown(key)}."
            ) from error
        return rows

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.names)

    def __len__(self) -> int:
        return sum(len(segment.raw.t) for segment in self._segments)

    def _checked(self, name: Any) -> str:
        if not isinstance(name, str):
            raise OptionError(
                f"res[..., ...] takes names ({', '.join(self.names)}), found {shown(name)}."
            )
        return name

    def _column(self, name: str) -> Array:
        parts = []
        for segment in self._segments:
            place = segment.selection.columns.get(name)
            if place is None:
                raise self._unrecorded(name)
            array, index = place
            parts.append((segment.raw.y if array == "y" else segment.raw.aux)[:, index])
        return _joined(parts)

    def _columns(self, names: list[str]) -> Array:
        columns = [self._column(name) for name in names]
        return np.stack(columns, axis=1) if columns else np.empty((len(self), 0))

    def _slice(self, key: slice) -> Array:
        ends = (key.start, key.stop)
        if not any(isinstance(end, str) for end in ends):
            return self._columns(list(self.names))[key]
        first, last = (None if end is None else self._place(end) for end in ends)
        chosen = self.names[first : None if last is None else last + 1 : key.step]
        return self._columns(list(chosen))

    def _place(self, name: object) -> int:
        """Index of a variable among `names`; ``aux.E`` is the aux variable E."""
        bare = name.removeprefix("aux.") if isinstance(name, str) else name
        for each in (name, bare if bare in self._origin.aux else name):
            if each in self.names:
                return self.names.index(str(each))
        raise self._unrecorded(name)

    def _unrecorded(self, name: object) -> UnknownNameError:
        spec_aux = tuple(f"aux.{each}" for each in self._origin.aux)
        if name in self._origin.states or name in (*self._origin.aux, *spec_aux):
            having = [s.name for s in self._segments if name in s.selection.columns]
            where = f" Only these segments did: {', '.join(having)}." if having else ""
            return UnknownNameError(
                f"{name!r} was not recorded: name it in record_vars=[...] of run().{where} "
                f"Recorded: {', '.join(self.names) or 'nothing'}."
            )
        if name == self.time_name:
            return UnknownNameError(f"the times of the rows are in .t, not in [{name!r}].")
        return unknown_name("variable", name, self.names)

    def at(self, t: ArrayLike) -> Array:
        """States at any times of a run of a flow, by the dense output of its stepper.

        These are the numbers that ``run(t_eval=...)`` records at these times, to the last bit,
        whatever this run recorded.  Where an event acts it is the value after its action; where an
        event acts at the start of a step (``phase = "start"``), the one before, as in the record.
        The first call repeats the run once, and keeps for each step what it was computed from:
        some numbers for each state.  From then on each time costs one step.

        Parameters
        ----------
        t : float or array
            Times of the run, in any order; with an adaptive stepper from the end of the transient
            on, if there is one.

        Returns
        -------
        array, shape ``(*t.shape, n_states)``
            The states in their order in the model, of its type.

        Raises
        ------
        OptionError
            For a time outside of the run or NaN; for a map; for a run that went on from a snapshot
            file; and where the repetition ends elsewhere, as that of a result from a file may
            that another version of dynlib computed.

        Examples
        --------
        >>> from dynlib import setup
        >>> res = setup("builtin://ode/expdecay", jit=False).run(T=1.0, dt=0.25)
        >>> res.at([0.1, 0.35]).shape
        (2, 1)
        """
        return self._dense(t)

    @cached_property
    def _dense(self) -> Callable[[ArrayLike], Array]:
        # A run that is not asked does without what this needs.
        output = import_module("dynlib.runtime.dense").DenseOutput
        made: Callable[[ArrayLike], Array] = output(self._origin, self._earlier, self._segments)
        return made

    # --- the end --------------------------------------------------------------------------------

    @cached_property
    def final(self) -> NamedValues:
        """States where the run ended, by name; there whether or not anything was recorded."""
        return NamedValues(self._origin.states, self._last.y, "state")

    @cached_property
    def final_params(self) -> NamedValues:
        """Parameters where the run ended (events may change them), by name."""
        return NamedValues(self._origin.params, self._last.p, "parameter")

    @property
    def t_final(self) -> float | int:
        """Time (iteration) at which the run ended."""
        t = self._last.raw.t_final
        return int(t) if self._origin.is_map else t

    @property
    def final_dt(self) -> float | int:
        """Step with which the run would go on: of an adaptive stepper the next one to try.

        On a fixed grid it is that of the grid, below 0 where the run goes backwards; of a map 1.
        """
        return 1 if self._origin.is_map else self._last.raw.final_dt

    @property
    def status(self) -> Status:
        """How the last run ended."""
        return self._last.raw.status

    @property
    def ok(self) -> bool:
        """Whether it ended as asked: at its end, or at the stop condition of the model."""
        return self.status.ok

    @property
    def message(self) -> str:
        """How the last run ended, in words."""
        return explain(self._origin, self._last)

    @property
    def stats(self) -> RunStats:
        """Steps, rejected attempts, evaluations of the right-hand side, seconds, counters."""
        parts = [segment.raw.stats for segment in self._segments]
        return RunStats(
            steps=sum(part.steps for part in parts),
            rejected=sum(part.rejected for part in parts),
            evaluations=sum(part.evaluations for part in parts),
            seconds=sum(part.seconds for part in parts),
            counters={
                name: sum(part.counters.get(name, 0) for part in parts)
                for name in dict.fromkeys(name for part in parts for name in part.counters)
            },
        )

    def raise_for_status(self) -> Results:
        """Return the result itself if it is `ok`.

        Raises
        ------
        RunFailed
            With status, time, step, state and this result.
        """
        if not self.ok:
            raise failure(self._origin, self._last, self, self.final)
        return self

    # --- more than states -----------------------------------------------------------------------

    @cached_property
    def events(self) -> Events:
        """Firings by event: ``res.events["spike"].t``; ``res.events.merged`` has all in order."""
        logs = [(s.raw.evt_t, s.raw.evt_step, s.raw.evt_id, s.raw.evt_log) for s in self._segments]
        return Events(self._origin.events, logs, self._origin.is_map)

    @cached_property
    def observers(self) -> Observers:
        """What observers found, by name; of a continued session, the observers of its last run."""
        return Observers(self._last.raw.observers)

    @property
    def segments(self) -> Segments:
        """The pieces of a continued session, by tag or index; each is a result of its own."""
        return Segments(self._origin, self._segments, self._earlier)

    @property
    def spec(self) -> ModelSpec:
        """The model; read again from the receipt where the result comes from a file."""
        return self._origin.spec

    @property
    def model_name(self) -> str:
        """Name of the model."""
        return self._origin.name

    @property
    def is_map(self) -> bool:
        """Whether the model is a map, so that `t` counts iterations."""
        return self._origin.is_map

    @property
    def time_name(self) -> str:
        """What the times are called in tables and pictures: ``t``, of a map ``n``.

        Where a state or another variable of a map has that name, they are ``iteration``.
        """
        if not self.is_map:
            return "t"
        names = (*self._origin.states, *self._origin.aux)
        return unlike(["iteration"], names)[0] if "n" in names else "n"

    @property
    def receipt(self) -> dict[str, Any]:
        """All that is needed to compute this again, as plain data; see `dynlib.rerun`."""
        return receipt(self._origin, self._segments)

    @property
    def plot(self) -> Any:
        """Pictures: ``res.plot()``, ``res.plot.phase("x", "z")``; see `dynlib.plot`."""
        return plotter(self)

    # --- elsewhere ------------------------------------------------------------------------------

    def to_xarray(self) -> xr.Dataset:
        """An `xarray.Dataset`: dimension ``time``, one variable for each name, receipt in attrs."""
        from dynlib.runtime.export import to_xarray  # here and below: what few runs need

        return to_xarray(self)

    def to_pandas(self) -> pd.DataFrame:
        """A `pandas.DataFrame`: one column for each name, indexed by time."""
        from dynlib.runtime.export import to_pandas

        return to_pandas(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write to ``.npz`` or ``.nc`` (both read by `dynlib.load_results`), or ``.csv``.

        Raises
        ------
        OptionError
            For another suffix.
        MissingExtraError
            If a package that the format needs is not installed.
        """
        from dynlib.runtime.results_io import save

        save(self, self._origin, self._segments, path)

    def __repr__(self) -> str:
        return summary(self, self._origin, self._segments)


class Segments(ByName[Results]):
    """Pieces of a session by name, or by their index."""

    def __init__(
        self, origin: Origin, segments: tuple[Segment, ...], earlier: tuple[Segment, ...] = ()
    ) -> None:
        self._origin, self._segments, self._earlier = origin, segments, earlier

    def __getitem__(self, key: str | int) -> Results:
        names = list(self)
        if isinstance(key, int):
            if not -len(names) <= key < len(names):
                raise unknown_name("segment", key, names)
            place = key % len(names)
            own = self._segments[place : place + 1]
            return Results(self._origin, own, (*self._earlier, *self._segments[:place]))
        if key not in names:
            raise unknown_name("segment", key, names)
        return self[names.index(key)]

    def __iter__(self) -> Iterator[str]:
        return (segment.name for segment in self._segments)

    def __len__(self) -> int:
        return len(self._segments)

    def __repr__(self) -> str:
        spans = (f"{s.name}: {s.start_t:g} to {s.raw.t_final:g}" for s in self._segments)
        return f"<segments {', '.join(spans)}>"


def _joined(parts: Sequence[Array]) -> Array:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _times_on_the_way(segment: Segment) -> Array:
    """Times of a segment that was continued, with the grid's own time for its end.

    A run to T ends at T exactly; where a longer run passes by, it has ``t0 + k*dt``.
    """
    t = segment.raw.t
    if t.size and t[-1] == segment.raw.t_final != segment.t:
        t = t.copy()
        t[-1] = segment.t
    return t
