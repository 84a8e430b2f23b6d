"""What a batch is asked for, and what it brings, in the fast path's terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlib.compiler.codegen.runner_variants import Variant
from dynlib.observers.kit.module import ObserverModule
from dynlib.runtime.fastpath.recording_plans import RecordingPlan

__all__ = ["BatchRequest", "PlannedRecord", "RawBatch", "Spans"]

Column = float | NDArray[Any]


@dataclass(frozen=True, slots=True)
class PlannedRecord:
    """What a plan keeps of each run; all rooms for records are allocated by its `capacity`.

    Attributes
    ----------
    plan
        The plan; None: nothing is recorded at steps.
    steps, skipped
        Steps of the recorded part of a run, and of what is before it.
    """

    plan: RecordingPlan | None = None
    steps: int = 0
    skipped: int = 0

    @property
    def capacity(self) -> int:
        """Rows of one run."""
        return 0 if self.plan is None else self.plan.capacity(self.steps)

    @property
    def first(self) -> int:
        """Step of the first row."""
        return self.skipped + (0 if self.plan is None else self.plan.window(self.steps).first)

    @property
    def stride(self) -> int:
        """Steps from one row to the next."""
        return 1 if self.plan is None else self.plan.window(self.steps).stride


class Spans(NamedTuple):
    """For each run where it begins and ends: times, or iterations of a map."""

    t0: NDArray[Any]
    end: NDArray[Any]


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """Many runs of one model.

    Attributes
    ----------
    n_runs
        How many.
    y0, p
        For each state and each parameter one number, or one for each run.
    t_end, n_end
        Where to stop: a time (ODE) or a number of iterations (map).
    t0, dt
        Start; step of a fixed grid, or first step of adaptive runs (None: found for each run).
    record, samples
        What to record: at steps, or at times.
    states, aux
        Indices of what is recorded; `states` None: all of them.
    max_steps
        Steps after which a run is given up; None: no limit.
    options
        Options of the stepper.
    observers, transient
        Who observes the runs, from where on: a time, or a number of steps.
    tangents
        Where `FlowTangents` observes: the vectors of each run, shape (n_states * k, n_runs).
    spans
        Where each run begins and ends, if they differ; `t0`, `t_end` and `n_end` say it then of one
        of them.  A map's runs all begin at `t0`.
    workers, lanes
        Threads; runs side by side in a block (None: as the machine likes it).
    progress
        Called with the fraction done, now and then, once a batch takes longer than a second.
    variant
        A further runner that was registered, instead of FASTPATH or FASTPATH_ANALYSIS.
    """

    n_runs: int
    y0: tuple[Column, ...]
    p: tuple[Column, ...]
    t_end: float | None = None
    n_end: int | None = None
    t0: float = 0.0
    dt: float | None = None
    record: PlannedRecord = field(default_factory=PlannedRecord)
    samples: NDArray[np.float64] | None = None
    states: tuple[int, ...] | None = None
    aux: tuple[int, ...] = ()
    max_steps: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    observers: tuple[ObserverModule, ...] = ()
    transient: float = 0
    tangents: NDArray[np.float64] | None = None
    spans: Spans | None = None
    workers: int = 1
    lanes: int | None = None
    progress: Callable[[float, str], None] | None = None
    variant: Variant | None = None


@dataclass(slots=True)
class RawBatch:
    """What a batch brought, still without names.

    Attributes
    ----------
    y_final, t_final, final_dt
        Final states, shape (n_states, n_runs), times, and the steps with which the runs would go
        on (NaN in runs that never ended).
    p_final
        Parameters that events change, at the end, by index; shape (n_runs,) each.
    status, steps, rejected
        For each run: how it ended (`USER_BREAK` if it never did), committed and rejected steps.
    rec_t, rec_y, rec_aux, rows
        Times of the rows, shared by all runs; states (n_runs, rows, n_selected); aux; for each
        run how many of its rows are valid (what follows is NaN, or 0 for integers; undefined in
        runs that never ended).
    evt_run, evt_t, evt_step, evt_id, evt_log
        The event log, run after run.
    outputs, traces, trace_rows
        What observers found: outputs (n_outputs, n_runs); traces, flat (n_runs, size); for each
        trace and run how many of its rows are valid.
    tallies
        For each run the failure of its last attempt, and what the method counts,
        (`dynlib.runtime.costs.Costs.columns`, n_runs); of most methods it has no rows.
    seconds, lanes, workers
        How long it took, and in how many lanes and threads.
    """

    y_final: NDArray[Any]
    t_final: NDArray[np.float64]
    final_dt: NDArray[np.float64]
    status: NDArray[np.int64]
    steps: NDArray[np.int64]
    rejected: NDArray[np.int64]
    rows: NDArray[np.int64]
    rec_t: NDArray[np.float64]
    rec_y: NDArray[Any]
    rec_aux: NDArray[np.float64]
    evt_run: NDArray[np.int64]
    evt_t: NDArray[np.float64]
    evt_step: NDArray[np.int64]
    evt_id: NDArray[np.int64]
    evt_log: NDArray[np.float64]
    outputs: NDArray[np.float64]
    traces: NDArray[np.float64]
    trace_rows: NDArray[np.int64]
    tallies: NDArray[np.int64]
    p_final: dict[int, NDArray[Any]] = field(default_factory=dict)
    seconds: float = 0.0
    lanes: int = 1
    workers: int = 1
