"""The runs of `Sim.flow`: side by side in lanes, or where they are few one after the other.

Either way a run has the bits of `Sim.run`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.status import Status
from dynlib.compiler.model import CompiledModel
from dynlib.observers.kit.combined import combine
from dynlib.observers.tangent.flow_tangents import FlowTangents
from dynlib.runtime.batch.inputs import Column
from dynlib.runtime.batch.work import compute
from dynlib.runtime.fastpath.request import BatchRequest, Spans
from dynlib.runtime.flow.inputs import FlowPlan, Starts
from dynlib.runtime.flow.result import Flow
from dynlib.runtime.flow.vectors import Vectors, overgrown
from dynlib.runtime.observation import Observation
from dynlib.runtime.session import Session
from dynlib.runtime.wrapper import RunRequest, run_with_wrapper

__all__ = ["FlowRuns"]

Array = NDArray[Any]
_SIDE_BY_SIDE = 8  # runs from which on lanes are worth their preparation
_FEW = 50  # components: with more, lanes take seconds to compile


@dataclass
class _Ends:
    """What comes of all runs; each is put to its own place."""

    y: Array
    status: NDArray[np.int64]
    t: NDArray[np.float64]
    steps: NDArray[np.int64]
    tangents: Array | None

    @classmethod
    def of(cls, starts: Starts) -> _Ends:
        """Ends of runs that have no length: where they start."""
        runs = len(starts.y)
        return cls(
            y=starts.y.copy(),
            status=np.full(runs, int(Status.DONE)),
            t=starts.t0.astype(np.float64),
            steps=np.zeros(runs, dtype=np.int64),
            tangents=None if starts.tangents is None else starts.tangents.copy(),
        )

    @property
    def states(self) -> Array:
        """States, with NaN, or 0 of integers, where a run failed."""
        y = self.y.copy()
        y[self.status != Status.DONE] = np.nan if y.dtype.kind == "f" else 0
        return y


class FlowRuns:
    """Computes flows of one model; any number of threads may call.

    Parameters
    ----------
    model : CompiledModel
    """

    def __init__(self, model: CompiledModel) -> None:
        self.model = model
        self._idle: list[Session] = []  # of single runs, which are expensive to make

    def __call__(self, starts: Starts, plan: FlowPlan) -> tuple[Flow, Array, NDArray[np.bool_]]:
        """The flow; states that its runs came to, failed or not; in which of them vectors overgrew.

        Raises
        ------
        KeyboardInterrupt
        """
        vectors = None if starts.tangents is None else Vectors.of(starts.tangents)
        carried = vectors is not None and vectors.columns.shape[-1] > 0
        starts = replace(starts, tangents=vectors.columns if vectors and carried else None)
        ends = self._ends(starts, plan)
        lost = np.zeros(len(ends.y), dtype=np.bool_)
        tangents = None
        if vectors is not None:
            tangents = vectors.columns if ends.tangents is None else ends.tangents
            lost = overgrown(self.model, tangents) & (ends.status == Status.DONE)
            tangents = vectors.back(tangents).astype(self.model.dtype, copy=False)
            tangents[lost | (ends.status != Status.DONE)] = np.nan
            tangents = tangents.reshape(*starts.shape, *tangents.shape[1:])
        y, shape = ends.states, starts.shape
        flow = Flow(
            y.reshape(*shape, y.shape[-1]),
            tangents,
            ends.status.reshape(shape),
            ends.t.reshape(shape),
            ends.steps.reshape(shape),
        )
        return flow, ends.y, lost

    def _ends(self, starts: Starts, plan: FlowPlan) -> _Ends:
        ends = _Ends.of(starts)
        usable = _usable(starts)
        ends.status[~usable] = Status.NAN_DETECTED
        for runs in _groups(starts, usable & (starts.end != starts.t0), self.model):
            if len(runs) >= _least(starts):
                self._side_by_side(runs, starts, plan, ends)
            else:
                self._one_by_one(runs, starts, plan, ends)
        return ends

    # -- one after the other ----------------------------------------------------------------------

    def _one_by_one(self, runs: Array, starts: Starts, plan: FlowPlan, ends: _Ends) -> None:
        try:
            session = self._idle.pop()
        except IndexError:
            session = Session(self.model)
        request = RunRequest(
            t_end=None, dt=None, record=False, max_steps=plan.max_steps, options=plan.options
        )
        observation = self._observation(starts)
        if observation is not None:
            request = request._replace(observation=observation)
        end_of = "n_end" if self.model.spec.is_map else "t_end"
        for run in runs.tolist():
            t0, end = starts.t0[run].item(), starts.end[run].item()
            request = request._replace(**{end_of: end, "dt": _signed(plan.dt, t0, end)})
            if observation is not None and starts.tangents is not None:
                _begin(observation, starts.tangents[run])
            machine = session.start(starts.y[run], starts.params(run), t0, plan.options)
            raw = run_with_wrapper(self.model, machine, request)
            if raw.status is Status.USER_BREAK:
                raise KeyboardInterrupt
            ends.y[run] = machine.y[:, 0]
            ends.status[run] = raw.status
            ends.t[run] = raw.t_final
            ends.steps[run] = raw.stats.steps
            if observation is not None and ends.tangents is not None:
                vectors = observation.outputs[:, 0]
                ends.tangents[run] = vectors.reshape(ends.tangents.shape[:0:-1]).T
        self._idle.append(session)

    def _observation(self, starts: Starts) -> Observation | None:
        if starts.tangents is None:
            return None
        observer = FlowTangents(starts.tangents.shape[-1])
        return Observation.begin(combine((observer,), self.model.spec, self.model.stepper))

    # -- side by side -----------------------------------------------------------------------------

    def _side_by_side(self, runs: Array, starts: Starts, plan: FlowPlan, ends: _Ends) -> None:
        own = _own_spans(starts, runs)
        if own:  # the longest first: neighbours end together, and no long one is left at the end
            lengths = np.abs(starts.end[runs] - starts.t0[runs])
            runs = runs[np.argsort(-lengths, kind="stable")]
        first = int(runs[0])
        t0, end = starts.t0[first].item(), starts.end[first].item()
        is_map = self.model.spec.is_map
        vectors = observers = None
        if starts.tangents is not None:
            n, k = starts.tangents.shape[1:]
            vectors = starts.tangents[runs].transpose(2, 1, 0).reshape(n * k, len(runs))
            observers = (FlowTangents(k),)
        raw = compute(
            self.model,
            BatchRequest(
                n_runs=len(runs),
                y0=tuple(np.ascontiguousarray(column) for column in starts.y[runs].T),
                p=_columns(starts.p, runs),
                t_end=None if is_map else end,
                n_end=end - t0 if is_map else None,
                t0=t0,
                dt=_signed(plan.dt, t0, end),
                max_steps=plan.max_steps,
                options=plan.options,
                observers=observers or (),
                tangents=vectors,
                spans=Spans(starts.t0[runs], starts.end[runs]) if own else None,
                workers=plan.workers,
            ),
        )
        if (raw.status == Status.USER_BREAK).any():
            raise KeyboardInterrupt
        ends.y[runs] = raw.y_final.T
        ends.status[runs] = raw.status
        ends.t[runs] = raw.t_final
        ends.steps[runs] = raw.steps
        if ends.tangents is not None:
            n, k = ends.tangents.shape[1:]
            ends.tangents[runs] = raw.outputs.reshape(k, n, len(runs)).transpose(2, 1, 0)


def _begin(observation: Observation, tangents: Array) -> None:
    """Let observers begin with these vectors."""
    combined = observation.combined
    observation.workspace[:, 0] = combined.first[: combined.workspace]
    observation.workspace[: tangents.size, 0] = tangents.T.ravel()
    observation.started = False


def _least(starts: Starts) -> int:
    """Runs from which on they go side by side."""
    n: int = starts.y.shape[-1]
    components: int = n if starts.tangents is None else n * (1 + starts.tangents.shape[-1])
    return _SIDE_BY_SIDE * max(1, -(-components // _FEW))


def _signed(dt: float | None, t0: float, end: float) -> float | None:
    return -dt if dt is not None and end < t0 else dt


def _usable(starts: Starts) -> NDArray[np.bool_]:
    """Which runs start from numbers: from finite states, and no parameter is NaN."""
    if starts.y.dtype.kind != "f":
        return np.ones(len(starts.y), dtype=np.bool_)
    found = np.isfinite(starts.y).all(axis=-1) & ~np.isnan(starts.p).any(axis=-1)
    return np.asarray(found)


def _groups(starts: Starts, wanted: NDArray[np.bool_], model: CompiledModel) -> Iterator[Array]:
    """Runs that may go side by side: those in one direction, of a map from one iteration on."""
    runs = np.flatnonzero(wanted)
    kinds = starts.t0[runs] if model.spec.is_map else starts.end[runs] > starts.t0[runs]
    for kind in np.unique(kinds):
        yield runs[kinds == kind]


def _own_spans(starts: Starts, runs: Array) -> bool:
    """Whether these runs do not all begin at one time and end at one."""
    t0, end = starts.t0[runs], starts.end[runs]
    return bool((t0 != t0[0]).any() or (end != end[0]).any())


def _columns(p: Array, runs: Array) -> tuple[Column, ...]:
    """Parameters as a batch takes them: those that are the same in all runs as numbers.

    Whether they are is asked of all runs of the flow, so that its groups share one kernel.
    """
    if p.ndim == 1:
        return tuple(p.tolist())
    varied = (p != p[0]).any(axis=0)
    return tuple(
        np.ascontiguousarray(column[runs]) if differs else column[0].item()
        for column, differs in zip(p.T, varied, strict=True)
    )
