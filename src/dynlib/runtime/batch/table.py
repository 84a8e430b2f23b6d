"""Where the numbers of a batch lie: in memory here, on disk in `dynlib.runtime.batch.store`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.status import Status
from dynlib.observers.kit.result import ObserverResult
from dynlib.runtime.costs import Costs
from dynlib.runtime.fastpath.outcome import blank_unfinished
from dynlib.runtime.fastpath.request import RawBatch

__all__ = [
    "BatchStats",
    "Effort",
    "EventLog",
    "MemoryTable",
    "RunArrays",
    "Table",
    "end_row",
    "stats_of",
]

Array = NDArray[Any]


class EventLog(NamedTuple):
    """Events of all runs, run after run: number of the run, time, step, event, logged values."""

    run: NDArray[np.int64]
    t: NDArray[np.float64]
    step: NDArray[np.int64]
    id: NDArray[np.int64]
    log: NDArray[np.float64]

    def part(self, rows: Any) -> EventLog:
        """Some rows: a mask or a slice of them."""
        return EventLog(
            self.run[rows], self.t[rows], self.step[rows], self.id[rows], self.log[rows]
        )


class RunArrays(NamedTuple):
    """One run: its final state, parameters that events changed, record, observers.

    `tally` is the failure of its last attempt, and what the method counts; empty for most.
    """

    y_final: Array
    p_final: Mapping[int, float | int]
    y: Array
    aux: Array
    observers: Mapping[str, ObserverResult] = MappingProxyType({})
    tally: tuple[int, ...] = ()


class Effort(NamedTuple):
    """What a batch took: seconds; lanes of a block, threads of a process, processes."""

    seconds: float
    lanes: int
    threads: int
    workers: int = 1


@dataclass(frozen=True, slots=True)
class BatchStats:
    """Cost of a batch.

    Attributes
    ----------
    runs, steps, rejected, evaluations
        Runs that ended; committed and rejected steps and evaluations of the right-hand side,
        all runs together.  Parts of steps that events cut count as one step, in evaluations too.
    seconds
        Of computing.
    lanes, threads, workers
        Runs side by side in a block; threads in each process; processes, 1 without an executor.
    counters
        What the method counts besides, by name, all runs together.
    """

    runs: int
    steps: int
    rejected: int
    evaluations: int
    seconds: float
    lanes: int
    threads: int
    workers: int = 1
    counters: Mapping[str, int] = field(default_factory=dict)

    @property
    def steps_per_second(self) -> float:
        """Committed steps of all runs in a second."""
        return self.steps / self.seconds if self.seconds else 0.0

    @property
    def runs_per_second(self) -> float:
        """Runs in a second."""
        return self.runs / self.seconds if self.seconds else 0.0


class Table(Protocol):
    """The numbers of a batch, column by column."""

    @property
    def status(self) -> NDArray[np.int64]:
        """How each run ended, shape (n_runs,)."""

    @property
    def t_final(self) -> NDArray[np.float64]:
        """When each run ended, shape (n_runs,)."""

    @property
    def final_dt(self) -> NDArray[np.float64]:
        """With which step each run would go on, shape (n_runs,)."""

    @property
    def steps(self) -> NDArray[np.int64]:
        """Committed steps of each run, shape (n_runs,)."""

    @property
    def rejected(self) -> NDArray[np.int64]:
        """Rejected steps of each run, shape (n_runs,)."""

    @property
    def rows(self) -> NDArray[np.int64]:
        """Recorded rows of each run, shape (n_runs,)."""

    def final(self, index: int) -> Array:
        """Final values of a state, shape (n_runs,)."""

    def param(self, index: int) -> Array:
        """Final values of a parameter that events change, shape (n_runs,)."""

    def record(self, kind: str, column: int) -> Array:
        """Recorded values of a state (``"y"``) or aux variable, shape (n_runs, rows)."""

    def run(self, index: int) -> RunArrays:
        """One run."""

    def tally(self, index: int) -> Array:
        """Failures of the last attempts (0), or what the method counts, shape (n_runs,)."""

    def events(self) -> EventLog:
        """All events."""

    def observed(self, run: int | None = None) -> tuple[Array, Array, Array]:
        """Outputs (n_outputs, n_runs), traces (n_runs, size), rows of traces (n_traces, n_runs).

        Of all runs, or as of a batch of one of them.
        """

    def opened(self) -> Any:
        """An `xarray.Dataset` that reads from where the numbers lie; None if that is memory."""


def stats_of(table: Table, costs: Costs, effort: Effort) -> BatchStats:
    """The cost of a batch."""
    steps, rejected = int(table.steps.sum()), int(table.rejected.sum())
    counts = [int(table.tally(1 + i).sum()) for i in range(len(costs.counters))]
    evaluations, counters = costs.evaluated(steps + rejected, counts)
    return BatchStats(
        runs=int(np.count_nonzero(table.status != Status.USER_BREAK)),
        steps=steps,
        rejected=rejected,
        evaluations=evaluations,
        seconds=effort.seconds,
        lanes=effort.lanes,
        threads=effort.threads,
        workers=effort.workers,
        counters=counters,
    )


class MemoryTable:
    """A batch in memory.

    Parameters
    ----------
    raw : RawBatch
    states : tuple of int, optional
        Where the record is nothing but the final state: the columns of that row.  A run that
        failed, or was interrupted, has none.
    """

    def __init__(self, raw: RawBatch, states: tuple[int, ...] | None = None) -> None:
        self._raw = raw
        self._states = states
        self.status, self.t_final, self.final_dt = raw.status, raw.t_final, raw.final_dt
        self.steps, self.rejected = raw.steps, raw.rejected
        self.rows = raw.rows
        self._blank = False
        if states is not None:
            ended = (raw.status == Status.DONE) | (raw.status == Status.EARLY_EXIT)
            self.rows = ended.astype(np.int64)

    def final(self, index: int) -> Array:
        """Final values of a state, shape (n_runs,)."""
        values: Array = self._raw.y_final[index]
        return values

    def param(self, index: int) -> Array:
        """Final values of a parameter that events change, shape (n_runs,)."""
        values: Array = self._raw.p_final[index]
        return values

    def tally(self, index: int) -> Array:
        """Failures of the last attempts (0), or what the method counts, shape (n_runs,)."""
        values: Array = self._raw.tallies[index]
        return values

    def record(self, kind: str, column: int) -> Array:
        """Recorded values of a state or aux variable, shape (n_runs, rows)."""
        if self._states is not None:
            return end_row(self._raw.y_final[self._states[column]], self.rows)
        if not self._blank:
            blank_unfinished(self._raw)
            self._blank = True
        record = self._raw.rec_y if kind == "y" else self._raw.rec_aux
        values: Array = record[:, :, column]
        return values

    def run(self, index: int) -> RunArrays:
        """One run."""
        raw, rows = self._raw, int(self.rows[index])
        y_final = raw.y_final[:, index]
        p_final = {place: values[index].item() for place, values in raw.p_final.items()}
        tally = tuple(raw.tallies[:, index].tolist())
        if self._states is not None:
            y = y_final[list(self._states)][np.newaxis][:rows]
            return RunArrays(y_final, p_final, y, np.empty((rows, 0)), tally=tally)
        aux = raw.rec_aux[index, :rows]
        return RunArrays(y_final, p_final, raw.rec_y[index, :rows], aux, tally=tally)

    def events(self) -> EventLog:
        """All events."""
        raw = self._raw
        return EventLog(raw.evt_run, raw.evt_t, raw.evt_step, raw.evt_id, raw.evt_log)

    def observed(self, run: int | None = None) -> tuple[Array, Array, Array]:
        """What observers left in all runs, or in one."""
        raw, runs = self._raw, slice(None) if run is None else slice(run, run + 1)
        return raw.outputs[:, runs], raw.traces[runs], raw.trace_rows[:, runs]

    def opened(self) -> None:
        """The numbers lie in memory."""


def end_row(final: Array, rows: NDArray[np.int64]) -> Array:
    """A record of one row that is the final state; NaN (0 for integers) where there is no row."""
    if rows.all():
        return final[:, np.newaxis]
    nothing = np.nan if final.dtype.kind == "f" else 0
    return np.where(rows > 0, final, final.dtype.type(nothing))[:, np.newaxis]
