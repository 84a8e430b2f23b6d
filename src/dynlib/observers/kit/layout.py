"""From the numbers that a runner leaves to results with names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.observers.kit.combined import CombinedObserver
from dynlib.observers.kit.result import ObserverResult
from dynlib.observers.kit.trace_plans import capacity

__all__ = ["Member", "ObservedLayout"]

Array = NDArray[Any]


@dataclass(frozen=True)
class Member:
    """One observer: what its rows mean.

    Attributes
    ----------
    name, result_type
        Name of the result, and of its class.
    outputs
        Name and size of each output, in the order of the rows; size 0 is a number.
    columns, rows
        Columns of the trace, and rows of it in what a batch gives back.
    facts
        What else the result knows.
    """

    name: str
    result_type: str
    outputs: tuple[tuple[str, int], ...]
    columns: tuple[str, ...] = ()
    rows: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def output_rows(self) -> int:
        """Rows of outputs."""
        return sum(size or 1 for _, size in self.outputs)

    @property
    def trace_size(self) -> int:
        """Numbers of a trace, times included."""
        return self.rows * (len(self.columns) + 1) if self.columns else 0


@dataclass(frozen=True)
class ObservedLayout:
    """All observers of a run or batch, as plain data that goes into files."""

    members: tuple[Member, ...] = ()

    @classmethod
    def of(cls, combined: CombinedObserver, steps: int | None) -> ObservedLayout:
        """The layout of what `combined` leaves after a run of so many steps."""
        return cls(
            tuple(
                Member(
                    name=observer.label,
                    result_type=observer.result_type.__name__,
                    outputs=tuple((output.name, output.size or 0) for output in part.outputs),
                    columns=part.trace.columns,
                    rows=capacity(part.trace.plan, steps)[2] if part.trace.width else 0,
                    facts=dict(part.facts),
                )
                for observer, part in zip(combined.observers, combined.parts, strict=True)
            )
        )

    @classmethod
    def from_list(cls, members: list[dict[str, Any]]) -> ObservedLayout:
        """The layout whose `to_list` this is."""
        return cls(
            tuple(
                Member(
                    **{
                        **member,
                        "outputs": tuple((name, size) for name, size in member["outputs"]),
                        "columns": tuple(member["columns"]),
                    }
                )
                for member in members
            )
        )

    def to_list(self) -> list[dict[str, Any]]:
        """The layout as plain data."""
        return [asdict(member) for member in self.members]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the observers."""
        return tuple(member.name for member in self.members)

    @property
    def output_rows(self) -> int:
        """Rows of outputs of all observers."""
        return sum(member.output_rows for member in self.members)

    @property
    def n_traces(self) -> int:
        """Number of traces."""
        return sum(bool(member.columns) for member in self.members)

    @property
    def trace_size(self) -> int:
        """Numbers of all traces of a run."""
        return sum(member.trace_size for member in self.members)

    # -- results ------------------------------------------------------------------------------

    def of_batch(
        self, outputs: Array, traces: Array, rows: Array, ok: Array | None = None
    ) -> dict[str, ObserverResult]:
        """Results of a batch.

        Parameters
        ----------
        outputs : array, shape (output_rows, n_runs)
        traces : array, shape (n_runs, trace_size)
        rows : array, shape (n_traces, n_runs)
            Rows that each trace of each run has.
        ok : array, shape (n_runs,), optional
            Which runs did not fail; all by default.
        """
        n = outputs.shape[1]
        results, row, place, j = {}, 0, 0, 0
        for member in self.members:
            given, row = _named(member, outputs, row)
            trace = {}
            if member.columns:
                trace = _trace(member, traces[:, place : place + member.trace_size], rows[j])
                place, j = place + member.trace_size, j + 1
            results[member.name] = _made(member, given, trace, n, ok)
        return results

    def of_run(
        self, outputs: Array, traces: list[tuple[Array, Array]]
    ) -> dict[str, ObserverResult]:
        """Results of one run, from its outputs and, for each trace, (values, times)."""
        results, row, j = {}, 0, 0
        for member in self.members:
            given, row = _named(member, outputs[:, np.newaxis], row)
            trace = {}
            if member.columns:
                trace = dict(zip(("trace", "trace_time"), traces[j], strict=True))
                j += 1
            results[member.name] = _made(member, {k: v[0] for k, v in given.items()}, trace, None)
        return results


def _made(
    member: Member,
    outputs: dict[str, Array],
    trace: dict[str, Array],
    n_runs: int | None,
    ok: Array | None = None,
) -> ObserverResult:
    kind = ObserverResult.types.get(member.result_type, ObserverResult)
    more: dict[str, Any] = {**trace, "columns": member.columns, "facts": member.facts}
    return kind(member.name, outputs, **more, n_runs=n_runs, ok=ok)


def _named(member: Member, outputs: Array, row: int) -> tuple[dict[str, Array], int]:
    """Outputs by name, each with the runs first; and the row after them."""
    found: dict[str, Array] = {}
    for name, size in member.outputs:
        found[name] = outputs[row] if not size else outputs[row : row + size].T
        row += size or 1
    return found, row


def _trace(member: Member, flat: Array, rows: Array) -> dict[str, Array]:
    """Values (n_runs, rows, columns) and times (n_runs, rows), NaN after the last row of a run."""
    n, most, width = flat.shape[0], member.rows, len(member.columns)
    values = flat[:, : most * width].reshape(n, most, width).copy()
    times = flat[:, most * width :].copy()
    beyond = np.arange(most) >= rows[:, np.newaxis]
    values[beyond] = np.nan
    times[beyond] = np.nan
    return {"trace": values, "trace_time": times}
