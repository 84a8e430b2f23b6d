"""What the runs of a batch have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.status import Status
from dynlib.observers.kit.layout import ObservedLayout
from dynlib.runtime.batch.inputs import Inputs
from dynlib.runtime.batch.table import EventLog, RunArrays
from dynlib.runtime.costs import Costs, RunStats
from dynlib.runtime.fastpath.recording_plans import FinalState
from dynlib.runtime.origin import Origin
from dynlib.runtime.recording import Selection
from dynlib.runtime.run_options import RunOptions
from dynlib.runtime.segments import Segment
from dynlib.runtime.wrapper import RawRun

__all__ = ["BatchFrame", "RunEnd"]


@dataclass(frozen=True)
class RunEnd:
    """How one run ended, and what it cost."""

    status: Status
    t: float
    dt: float
    steps: int
    rejected: int
    seconds: float


@dataclass(frozen=True)
class BatchFrame:
    """Model, starts, times and names of a batch.

    Attributes
    ----------
    origin
        Model and method.
    inputs
        What the runs start from.
    t
        Times of the rows, shared by all runs.
    selection
        Names of the recorded columns.
    call
        Options with which `Sim.run` does such a run; plain data where they come from a file.
    t0
        Where the runs start.
    plan
        What is recorded, in words.
    observed
        What observers leave.
    observers
        Who they are, as plain data; see `dynlib.observers.kit.metadata.describe`.
    costs
        What the attempts of the method cost, and how they fail.
    """

    origin: Origin
    inputs: Inputs
    t: NDArray[Any]
    selection: Selection
    call: RunOptions | Mapping[str, Any]
    t0: float
    plan: str
    observed: ObservedLayout = field(default_factory=ObservedLayout)
    observers: tuple[Mapping[str, Any], ...] = ()
    costs: Costs = field(default_factory=partial(Costs, 1))

    @cached_property
    def receipt(self) -> dict[str, Any]:
        """What was computed, as plain data; the starts of the runs stand beside it."""
        return {
            **self.origin.facts,
            "t0": int(self.t0) if self.origin.is_map else self.t0,
            "arguments": self.arguments,
            "plan": self.plan,
            "observers": list(self.observers),
            "dims": self.inputs.dims,
        }

    @cached_property
    def changing_params(self) -> tuple[int, ...]:
        """Parameters that events change."""
        return self.origin.spec.assigned_params

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments of `Sim.run` that do such a run, as plain data."""
        if isinstance(self.call, RunOptions):
            return self.call.to_dict(is_map=self.origin.is_map)
        return dict(self.call)

    def segment(self, index: int, arrays: RunArrays, log: EventLog, end: RunEnd) -> Segment:
        """One run of the batch, as `Sim.run` would have left it."""
        origin = self.origin
        start_y, start_p = self.inputs.of_run(index, np.dtype(origin.dtype))
        t = self.t[: len(arrays.y)].astype(np.float64)
        if end.status is Status.EARLY_EXIT and t.size:
            final = self.plan == repr(FinalState())  # the one row is the end, whatever its time
            if final or (t[-1] - end.t) * (t[-1] - self.t0) > 0.0:
                t[-1] = end.t  # the run stopped within the step that would have ended at t[-1]
        raw = RawRun(
            t=t,
            y=arrays.y,
            aux=arrays.aux,
            evt_t=log.t,
            evt_step=log.step,
            evt_id=log.id,
            evt_log=log.log,
            status=end.status,
            t_final=end.t,
            stats=self._stats(arrays, end),
            observers=arrays.observers,
            final_dt=end.dt,
            failure=self._failure(arrays, end),
        )
        first_step = int(self.t0) if origin.is_map else 0
        return Segment(
            name=f"run{index}",
            call=self.call,
            selection=self.selection,
            raw=raw,
            start_t=self.t0,
            start_y=start_y,
            start_p=start_p,
            t=end.t,
            step=first_step + end.steps,
            y=arrays.y_final,
            p=_changed(start_p, arrays.p_final),
            start_step=first_step,
            observers=self.observers,
        )

    def _stats(self, arrays: RunArrays, end: RunEnd) -> RunStats:
        """What one run cost."""
        attempts = end.steps + end.rejected
        evaluations, counters = self.costs.evaluated(attempts, arrays.tally[1:])
        return RunStats(end.steps, end.rejected, evaluations, end.seconds, counters)

    def _failure(self, arrays: RunArrays, end: RunEnd) -> str:
        """Why its last attempt failed."""
        if end.status is not Status.STEPFAIL or not arrays.tally:
            return ""
        return self.costs.failure(arrays.tally[0])


def _changed(values: NDArray[Any], changes: Mapping[int, float | int]) -> NDArray[Any]:
    """A copy of a vector with other values in some places."""
    result = values.copy()
    for index, value in changes.items():
        result[index] = value
    return result
