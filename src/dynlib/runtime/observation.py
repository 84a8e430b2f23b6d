"""The observers of a run while it runs: their arrays, room for their traces, their results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.slots import Trace
from dynlib.errors import ObserverError
from dynlib.observers.combined import CombinedObserver
from dynlib.observers.layout import ObservedLayout
from dynlib.observers.result import ObserverResult
from dynlib.runtime.naming import ByName, unknown_name

__all__ = ["Observation", "Observers", "build_observer_metadata"]

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
    """

    combined: CombinedObserver
    workspace: Floats
    outputs: Floats
    buffer: Floats
    counts: NDArray[np.int64]
    table: NDArray[np.int64]
    started: bool = False

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

    def copy(self) -> Observation:
        """An independent copy."""
        arrays = {name: getattr(self, name).copy() for name in self.ARRAYS}
        return Observation(self.combined, **arrays, started=self.started)

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
        specs = [part.trace for part in self.combined.parts if part.trace.width]
        if any(spec.plan.most is not None for spec, out in zip(specs, full, strict=True) if out):
            return False
        table = self.table.copy()
        grown = self.table[full]
        table[full, Trace.CAP] += grown[:, Trace.CAP]
        table[full, Trace.LIMIT] += grown[:, Trace.CAP]
        sizes = table[:, Trace.CAP] * (table[:, Trace.WIDTH] + 1)
        table[:, Trace.OFFSET] = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        buffer = np.zeros((int(sizes.sum()), 1))
        for j, (values, times) in enumerate(self._rows(trimmed=False)):
            first, cap, width = table[j, [Trace.OFFSET, Trace.CAP, Trace.WIDTH]]
            buffer[first : first + values.size, 0] = values.ravel()
            buffer[first + cap * width : first + cap * width + times.size, 0] = times
        self.table, self.buffer = table, buffer
        return True

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

    @property
    def full(self) -> str:
        """Name of the observer whose trace is full."""
        traced = [
            o
            for o, p in zip(self.combined.observers, self.combined.parts, strict=True)
            if p.trace.width
        ]
        for observer, row, count in zip(traced, self.table, self.counts[:, 0], strict=True):
            if count > row[Trace.LIMIT]:
                return observer.label
        return ""

    def blame(self, error: Exception) -> ObserverError:
        """A letter about a hook that raised."""
        own = [
            o.label
            for o, p in zip(self.combined.observers, self.combined.parts, strict=True)
            if p.hooks
        ]
        whose = f"observer {own[0]!r}" if len(own) == 1 else f"one of the observers {own}"
        return ObserverError(
            f"a hook of {whose} raised {type(error).__name__}: {error}. The run was given up; "
            "to see where, run it with jit=False, which executes hooks as plain Python."
        )


class Observers(ByName[ObserverResult]):
    """Results of observers by name; a wrong name gets a letter."""

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


def build_observer_metadata(observation: Observation | None) -> dict[str, ObserverResult]:
    """What the observers of a run found, by name."""
    if observation is None:
        return {}
    layout = ObservedLayout.of(observation.combined, None)
    traces = [(values.copy(), times.copy()) for values, times in observation._rows(trimmed=True)]
    return layout.of_run(observation.outputs[:, 0].copy(), traces)
