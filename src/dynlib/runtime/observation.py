"""The observers of a run while it runs: their arrays, room for their traces, their results."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.slots import UNBOUNDED, Trace
from dynlib.errors import OptionError
from dynlib.observers.kit.combined import ROOM, CombinedObserver
from dynlib.observers.kit.layout import ObservedLayout
from dynlib.observers.kit.result import ObserverResult
from dynlib.observers.kit.trace_plans import capacity
from dynlib.runtime.naming import ByName, unknown_name
from dynlib.runtime.run_options import RunOptions
from dynlib.runtime.saved import checked_observed
from dynlib.runtime.seal import reading
from dynlib.wording import argument

__all__ = [
    "Observation",
    "Observers",
    "StoredObservation",
    "build_observer_metadata",
    "check_transient",
]

Floats = NDArray[np.float64]


@dataclass(slots=True)
class Observation:
    """What observers have between two steps; part of a session.

    Attributes
    ----------
    combined
        The observers, bound to model and stepper.
    workspace, outputs
        Their rows, shapes (n_rows, 1).
    buffer, counts, table
        Traces: buffer (n_rows, 1), rows written (n_traces, 1), layout (n_traces, len(Trace)).
    started
        Whether it is known at which step they start.
    most
        Rows that each trace may have.
    """

    combined: CombinedObserver
    workspace: Floats
    outputs: Floats
    buffer: Floats
    counts: NDArray[np.int64]
    table: NDArray[np.int64]
    started: bool = False

    most: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    ARRAYS: ClassVar[tuple[str, ...]] = ("workspace", "outputs", "buffer", "counts", "table")

    @classmethod
    def begin(cls, combined: CombinedObserver) -> Observation:
        """Observers that have seen nothing yet."""
        table, rows = combined.trace_table(None)
        first = combined.first[:, np.newaxis]
        return cls(
            combined,
            first[: combined.workspace].copy(),
            first[combined.workspace :].copy(),
            np.zeros((rows, 1)),
            np.zeros((combined.n_traces, 1), dtype=np.int64),
            table,
        )

    def expect(self, steps: int | None) -> None:
        """Say how many steps the observers will have seen at the end of the run, if it is known.

        A trace that a user's hook writes by steps then has room for as many rows as on the fast
        path, where everything is allocated beforehand.
        """
        parts = [part for part in self.combined.parts if part.trace.width]
        self.most = np.full(len(parts), UNBOUNDED)
        for j, part in enumerate(parts):
            plan = part.trace.plan
            if plan.most is not None:
                self.most[j] = plan.most
            elif plan.last is None and part.hooks and steps is not None:
                self.most[j] = capacity(plan, steps)[2]
            if plan.last is None:
                room = self.table[j, Trace.CAP] - ROOM
                self.table[j, Trace.LIMIT] = min(room, self.most[j])

    def copy(self) -> Observation:
        """An independent copy."""
        arrays = {name: getattr(self, name).copy() for name in self.ARRAYS}
        return Observation(self.combined, **arrays, started=self.started)

    def saved(self) -> dict[str, NDArray[Any]]:
        """Copies of what a hook may spoil; rows of a trace count only once they are counted."""
        moved = bool((self.table[:, Trace.KEEP] > 0).any())  # to the front, now and then
        names = [name for name in self.ARRAYS if name != "buffer" or moved]
        return {name: getattr(self, name).copy() for name in names}

    def put_back(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """Be again what was saved; the arrays stay the same ones."""
        for name, values in saved.items():
            getattr(self, name)[...] = values

    def stored(self) -> StoredObservation:
        """The same as plain arrays, for a file."""
        arrays = {name: getattr(self, name) for name in self.ARRAYS}
        return StoredObservation(_digest(self.combined), arrays, self.started)

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by the names that the runner has for them."""
        return {
            "analysis_ws": self.workspace,
            "analysis_out": self.outputs,
            "trace_buf": self.buffer,
            "trace_count": self.counts,
            "traces": self.table,
        }

    def make_room(self) -> bool:
        """Double every trace that is full; False if one of them may not grow."""
        full = self.counts[:, 0] > self.table[:, Trace.LIMIT]
        if (full & (self.table[:, Trace.LIMIT] >= self.most)).any():
            return False
        table = self.table.copy()
        table[full, Trace.CAP] *= 2
        table[full, Trace.LIMIT] = np.minimum(table[full, Trace.CAP] - ROOM, self.most[full])
        sizes = table[:, Trace.CAP] * (table[:, Trace.WIDTH] + 1)
        table[:, Trace.OFFSET] = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        buffer = np.zeros((int(sizes.sum()), 1))
        for j, (values, times) in enumerate(self._rows(trimmed=False)):
            first, cap, width = table[j, [Trace.OFFSET, Trace.CAP, Trace.WIDTH]]
            buffer[first : first + values.size, 0] = values.ravel()
            buffer[first + cap * width : first + cap * width + times.size, 0] = times
        self.table, self.buffer = table, buffer
        return True

    def numbers(self, *, began: bool) -> tuple[ObservedLayout, Floats, list[tuple[Floats, Floats]]]:
        """Copies of what the observers have found, as `build_observer_metadata` takes it.

        It is nothing if the run ended before they `began`.
        """
        if not began:
            return Observation.begin(self.combined).numbers(began=True)
        layout = ObservedLayout.of(self.combined, None)
        traces = [(values.copy(), times.copy()) for values, times in self._rows(trimmed=True)]
        return layout, self.outputs[:, 0].copy(), traces

    def _rows(self, *, trimmed: bool) -> list[tuple[Floats, Floats]]:
        """Values and times of each trace; `trimmed`: only the rows that its plan wants."""
        found = []
        for row, count in zip(self.table, self.counts[:, 0], strict=True):
            first, cap, width, keep = row[[Trace.OFFSET, Trace.CAP, Trace.WIDTH, Trace.KEEP]]
            n = min(count, cap)
            values = self.buffer[first : first + n * width, 0].reshape(n, width)
            times = self.buffer[first + cap * width : first + cap * width + n, 0]
            if trimmed and keep:
                values, times = values[-keep:], times[-keep:]
            elif trimmed and row[Trace.LIMIT] < n:
                values, times = values[: row[Trace.LIMIT]], times[: row[Trace.LIMIT]]
            found.append((values, times))
        return found


@dataclass(frozen=True)
class StoredObservation:
    """What observers had when a snapshot was written; their code is not in it.

    Attributes
    ----------
    signature
        Of the observers that it belongs to.
    arrays
        By the names `Observation.ARRAYS`.
    started
        As in `Observation`.
    source
        The file.
    """

    signature: str
    arrays: Mapping[str, NDArray[Any]]
    started: bool
    source: str = ""

    def copy(self) -> StoredObservation:
        """Itself: nobody changes it."""
        return self

    def stored(self) -> StoredObservation:
        """Itself."""
        return self

    def taken_up(self, combined: CombinedObserver) -> Observation | None:
        """The observation, going on with these observers; None if they are others.

        Raises
        ------
        FileError
            If the arrays are none that these observers can have.
        """
        if _digest(combined) != self.signature:
            return None
        with reading(Path(self.source), "dynlib snapshot"):
            arrays = checked_observed(self.arrays, combined)
        return Observation(combined, **arrays, started=self.started)


def _digest(combined: CombinedObserver) -> str:
    """Hash of the code and sizes of observers."""
    return hashlib.sha256(combined.signature().encode()).hexdigest()


class Observers(ByName[ObserverResult]):
    """Results of observers by name; a wrong name gets an error message."""

    def __init__(self, results: Mapping[str, ObserverResult]) -> None:
        self._results = results

    def __getitem__(self, name: str) -> ObserverResult:
        if name not in self._results:
            raise unknown_name("observer", name, self._results)
        return self._results[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self._results.values())) or "<no observers>"


def check_transient(options: RunOptions, *, adaptive: bool) -> None:
    """Refuse to observe a run all of which is transient, or whose steps it would change.

    Raises
    ------
    OptionError
    """
    span = abs(options.end - options.t0)
    if options.transient and options.transient >= span:
        raise OptionError(
            f"transient = {options.transient:g} is the whole run, and nothing is left for "
            "observers to see. Make the run longer, or the transient shorter."
        )
    if adaptive and options.transient and options.t_eval is not None:
        raise OptionError(
            "an adaptive stepper ends a step where observers start, and with "
            f"{argument('t_eval')} it would end none there without them: the observers would "
            "change the run. Leave transient out, or run the transient first and go on with "
            "resume=True."
        )


def build_observer_metadata(
    layout: ObservedLayout,
    outputs: Floats,
    traces: Floats | list[tuple[Floats, Floats]],
    rows: NDArray[np.int64] | None = None,
    *,
    ok: NDArray[np.bool_] | None = None,
    alone: bool = False,
) -> dict[str, ObserverResult]:
    """What observers found, by name: the one place where numbers of any runner become results.

    Parameters
    ----------
    layout
        What the numbers mean.
    outputs, traces
        As a fast-path runner leaves them, shapes (output_rows, n_runs), (n_runs, trace_size).  Of
        an ordinary run: its outputs, and values and times of each trace.
    rows
        Rows of each trace of each run, shape (n_traces, n_runs); None: it is an ordinary run.
    ok
        Which runs of a batch did not fail; all by default.
    alone
        Whether the batch is a single run, whose results have no axis over runs.
    """
    if not layout.members:
        return {}
    if rows is None:
        assert isinstance(traces, list)
        return layout.of_run(outputs, traces)
    assert not isinstance(traces, list)
    found = layout.of_batch(outputs, traces, rows, ok)
    return {name: each.of_run(0) for name, each in found.items()} if alone else found
