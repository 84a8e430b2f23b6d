"""What the runs of a batch record: from a plan to steps and times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.compiler.model import CompiledModel
from dynlib.errors import OptionError
from dynlib.runtime.fastpath.recording_plans import FinalState, RecordingPlan, Stride, checked_plan
from dynlib.runtime.fastpath.request import PlannedRecord
from dynlib.runtime.horizon import fixed_horizon
from dynlib.runtime.recording import Selection
from dynlib.runtime.run_options import RunOptions
from dynlib.wording import argument

__all__ = ["Recording", "chosen_plan", "recording"]


@dataclass(frozen=True)
class Recording:
    """The record of every run of a batch.

    Attributes
    ----------
    times
        Makes `t`.
    selection
        Names of the columns.
    planned, samples
        The plan and the steps that it is for, or times: by these the executor allocates.
    from_final
        Whether the one row is the final state, which is there anyway.
    options
        A run by `Sim.run` with these options records these very rows, but for the end of a run
        that ends early, which `FinalState` alone records.
    plan
        The plan that the user chose; None: the times are given.
    """

    times: Callable[[], NDArray[Any]]
    selection: Selection
    planned: PlannedRecord
    samples: NDArray[np.float64] | None
    from_final: bool
    options: RunOptions
    plan: RecordingPlan | None = None

    @property
    def label(self) -> str:
        """What is recorded as the user wrote it, for reprs."""
        return "t_eval" if self.plan is None else repr(self.plan)

    @property
    def rows(self) -> int:
        """How many there are."""
        return self.planned.capacity if self.samples is None else len(self.samples)

    @property
    def at_steps(self) -> PlannedRecord:
        """What the runner itself is to record: nothing if the one row is the final state."""
        return PlannedRecord() if self.from_final else self.planned

    @cached_property
    def t(self) -> NDArray[Any]:
        """Times of the rows, shape (rows,); iterations of a map, as integers.

        Made when they are first asked for: there may be more of them than memory holds.
        """
        return self.times()

    def end_states(self, model: CompiledModel) -> tuple[int, ...] | None:
        """Where the one row is the final state: the states in it."""
        if not self.from_final:
            return None
        places = {name: index for index, name in enumerate(model.spec.states)}
        return tuple(places[name] for name in self.selection.states)

    def row_bytes(self, model: CompiledModel) -> int:
        """Bytes that one row of one run takes in the record."""
        if self.from_final:
            return 0
        return len(self.selection.states) * model.dtype.itemsize + 8 * len(self.selection.aux)


def chosen_plan(plan: Any, options: RunOptions, model: CompiledModel) -> RecordingPlan:
    """The plan of a run: as given, or every step, as `Sim.run` records; or the end.

    Raises
    ------
    OptionError
        If it is no plan, or there is `t_eval` too.
    """
    if plan is None:
        end_only = model.stepper.adaptive or not options.record
        return FinalState() if end_only else Stride(1)
    found = checked_plan(plan)
    if options.t_eval is not None:
        both = f"{argument('t_eval')} and {argument('plan', found)}"
        raise OptionError(f"{both} both say what to record: give one of them.")
    return found


def recording(model: CompiledModel, options: RunOptions, plan: RecordingPlan) -> Recording:
    """What a checked run records by a plan that fits it."""
    spec = model.spec
    selection = Selection.of(options.record_vars, spec.states, tuple(a.name for a in spec.aux))
    if options.t_eval is not None:
        times = options.t_eval.astype(np.int64) if spec.is_map else options.t_eval
        return Recording(lambda: times, selection, PlannedRecord(), options.t_eval, False, options)
    if model.stepper.adaptive:
        return _end_of_adaptive(options, selection, plan)
    return _on_grid(model, options, selection, plan)


def _end_of_adaptive(options: RunOptions, selection: Selection, plan: RecordingPlan) -> Recording:
    end = np.array([options.end])
    single = replace(options, record=True, transient=abs(options.end - options.t0))
    samples = end if selection.aux else None
    return Recording(
        *(lambda: end, selection, PlannedRecord(plan), samples, not selection.aux, single),
        plan,
    )


def _on_grid(
    model: CompiledModel, options: RunOptions, selection: Selection, plan: RecordingPlan
) -> Recording:
    """Rows of a map or a fixed grid, where every step is known beforehand."""
    is_map = model.spec.is_map
    dt = 1.0 if is_map else signed_dt(options)
    last = _steps(options, dt, is_map=is_map)
    skipped = options.transient if is_map else _ceil(options.transient / abs(dt))
    start = int(options.t0) if is_map else 0
    record = PlannedRecord(plan, last - int(skipped), start + int(skipped))
    rows, first, stride = record.capacity, record.first, record.stride

    def times() -> NDArray[Any]:
        steps: NDArray[Any] = np.arange(rows, dtype=np.int64 if is_map else np.float64)
        steps *= stride  # in place: there may be very many
        steps += first
        if is_map:
            return steps
        ends = bool(rows) and steps[-1] == last
        steps *= dt
        steps += options.t0
        if ends:
            steps[-1] = options.end
        return steps

    from_final = isinstance(plan, FinalState) and not selection.aux
    single = replace(
        options,
        record=True,
        record_interval=stride,
        transient=_until(first - start, last, dt, options, is_map=is_map),
    )
    return Recording(times, selection, record, None, from_final, single, plan)


def signed_dt(options: RunOptions) -> float:
    """The step of a fixed grid, below 0 where the run goes backwards."""
    assert options.dt is not None
    return -options.dt if options.end < options.t0 else options.dt


def _steps(options: RunOptions, dt: float, *, is_map: bool) -> int:
    if is_map:
        return int(options.end - options.t0)
    return fixed_horizon(options.t0, 0, dt, options.t0, options.end).step


def _until(first: int, last: int, dt: float, options: RunOptions, *, is_map: bool) -> float:
    """The transient after which recording starts at step `first`."""
    if is_map:
        return first
    return abs(options.end - options.t0) if first == last else first * abs(dt)


def _ceil(steps: float) -> int:
    """Whole steps, as the ordinary run counts them in a transient."""
    return int(-((-steps + 1e-9) // 1))
