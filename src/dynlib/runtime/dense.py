"""`Results.at`: the solution inside of the steps of a run.

A record has states and times, but neither the lengths of the steps, which rounded times do not
tell, nor what the stepper remembered.  So the run is repeated once, which gives the same bits, and
what each step was computed from is kept (`StepsObserver`).  From then on any number of times
costs one step each, computed once more with its interpolant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlib.abi.status import Status
from dynlib.compiler.codegen.dense_text import StepRow
from dynlib.compiler.equations.arguments import numbers
from dynlib.compiler.equations.dense import DenseSteps
from dynlib.compiler.model import CompiledModel
from dynlib.errors import OptionError
from dynlib.observers.kit.steps import StepsObserver
from dynlib.runtime.origin import Origin, inline, plain_call
from dynlib.runtime.planner import Planner
from dynlib.runtime.segments import Segment
from dynlib.runtime.session import Session
from dynlib.runtime.validate import exactly

__all__ = ["DenseOutput"]

Array = NDArray[Any]
_CUT_SHORT = (Status.USER_BREAK, Status.TRACE_OVERFLOW)  # by what a repetition does without
_EVERYTHING = {"record": False, "t_eval": None, "record_interval": 1, "record_vars": None}


class _Steps(NamedTuple):
    """The steps of a run, in the order in which they were taken, and where it ended.

    Attributes
    ----------
    t, rows
        Where each piece begins, shape (k,), and its `StepRow`, (k, width).
    p
        Parameters of each piece, (k, n_params); of all, (n_params,), if they are the same.
    ends
        For each segment its end as the user knows it, and as the clock of the runner has it.
    """

    t: Array
    rows: Array
    p: Array
    ends: tuple[tuple[float, float], ...]


class DenseOutput:
    """States at any time of a run.

    Parameters
    ----------
    origin
        Where the result comes from.
    earlier, segments
        Segments of the session before those that are asked about, and these.
    """

    def __init__(
        self, origin: Origin, earlier: Sequence[Segment], segments: Sequence[Segment]
    ) -> None:
        self._given = (origin, tuple(earlier), tuple(segments))
        self._origin, self._earlier, self._segments = self._given

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._given

    def __call__(self, t: ArrayLike) -> Array:
        """States, shape ``(*t.shape, n_states)``; see `Results.at`."""
        if self._origin.is_map:
            raise OptionError(
                f"{self._origin.name} is a map, which has nothing between its iterations: take "
                "rows of the record, res[...]."
            )
        times = numbers("t", t, np.dtype(np.float64))
        if np.isnan(times).any():
            raise OptionError("t holds NaN: give times of the run.")
        found = self._states(self._within(times.ravel()))
        return found.reshape(*times.shape, found.shape[-1])

    # -- the steps --------------------------------------------------------------------------------

    @cached_property
    def _model(self) -> CompiledModel:
        """The model; of a result from a file, put together again from its text."""
        origin = self._origin
        if origin.compiled is not None:
            return origin.compiled
        build = import_module("dynlib.compiler.build").build
        model: CompiledModel = build(
            inline(origin.facts["model"]["text"]),
            stepper=origin.stepper,
            dtype=origin.dtype,
            jit=origin.jit,
        )
        return model

    @cached_property
    def _row(self) -> StepRow:
        return StepRow(self._model.program.layout)

    @cached_property
    def _steps(self) -> _Steps:
        """All steps of the segments, from a repetition of the session."""
        model, everything = self._model, (*self._earlier, *self._segments)
        if not everything[0].fresh:
            raise OptionError(
                "this run went on from a snapshot file, which does not hold its beginning, so its "
                "steps cannot be computed again. Load the snapshot, and run it with t_eval=[...]."
            )
        if not model.stepper.dense_output:
            raise OptionError(
                f"stepper {model.stepper.name!r} has no dense output, so nothing is known between "
                "two steps: take rows of the record, res[...], or a stepper such as rk4 or tsit5."
            )
        session, planner = Session(model), Planner(model)
        times, tables, starts, ends = [], [], [], []
        for segment in everything:
            t, rows, end = self._repeated(session, planner, segment)
            times.append(t)
            tables.append(rows)
            starts.append(segment.start_p)
            ends.append((segment.raw.t_final, end))
        own = slice(len(self._earlier), None)
        t, rows = np.concatenate(times[own]), np.concatenate(tables[own])
        p = self._params(rows, [len(each) for each in tables[own]], starts[own])
        return _Steps(t, rows, p, tuple(ends[own]))

    def _repeated(
        self, session: Session, planner: Planner, segment: Segment
    ) -> tuple[Array, Array, float]:
        """Run one segment again: where its pieces begin, their rows, and the end of the last."""
        call, options = self._call(segment)
        machine = session.state.machine
        if machine is None:
            plan = planner.fresh({"t0": segment.start_t, **call}, options, None)
        else:
            if segment.jumped:
                machine.y[:, 0], machine.p[:, 0] = segment.start_y, segment.start_p
                self._model.mark_jump(machine)
            plan = planner.resumed(call, options, None, session)
        try:
            combined = session.combined(plan, (StepsObserver(),))
            if machine is None:
                start = (segment.start_y, segment.start_p, plan.options.t0)
                session.start(*start, plan.options.stepper_options)
            session.state.observation = None  # a trace of its own for each segment
            session.advance(plan, segment.name, combined)
        except OptionError as error:
            raise OptionError(
                f"res.at keeps {self._row.width + 1} numbers for each step of the run, for which "
                "there is no room in memory. Run it with t_eval=[...] for the times that you want."
            ) from error
        again = session.state.segments[-1]
        self._compare(segment, again)
        found = again.raw.observers["steps"]
        return found.trace_time, found.trace, again.t

    def _call(self, segment: Segment) -> tuple[dict[str, Any], dict[str, Any]]:
        """Arguments with which a segment takes the steps that it took: of `run`, of the stepper."""
        plain = plain_call(self._origin, segment)
        taken = self._model.stepper.option_names
        options = {name: value for name, value in plain.items() if name in taken}
        call = {name: value for name, value in plain.items() if name not in taken}
        if not self._transient_moves_steps(segment, call):
            call["transient"] = 0
        ended = segment.raw.status in _CUT_SHORT or any(s["ends_runs"] for s in segment.observers)
        if ended:
            stats = segment.raw.stats
            stepper = self._model.stepper
            attempts = stats.steps + stats.rejected
            if not any(counter.name == "evaluations" for counter in stepper.counters):
                attempts = stats.evaluations // stepper.evaluations  # pieces of steps are several
            call["max_steps"] = max(1, attempts - stats.rejected)
        return {**call, **_EVERYTHING}, options

    def _transient_moves_steps(self, segment: Segment, call: Mapping[str, Any]) -> bool:
        """Whether a step ends where the transient does, and steps before it are not seen."""
        if not self._model.stepper.adaptive:
            return False
        if call.get("transient", 0) >= abs(segment.raw.t_final - segment.start_t):
            return False  # all of it: this is how a batch records the end alone
        return call.get("t_eval") is None or bool(segment.observers)

    def _compare(self, segment: Segment, again: Segment) -> None:
        """See that the repetition is one."""
        if again.raw.status is Status.USER_BREAK:
            raise KeyboardInterrupt
        same = np.array_equal(segment.y, again.y, equal_nan=True)
        same = same and np.array_equal(segment.p, again.p, equal_nan=True)
        if not (same and segment.step == again.step):
            raise OptionError(
                f"{segment.name} does not end where it did when it is repeated, so its steps are "
                "not known: it was computed by another version of dynlib or on another kind of "
                "processor, or an observer has a step of its own, or a hook of an observer raised. "
                "Run it again, with t_eval=[...] for the times that you want."
            )

    def _params(self, rows: Array, counts: Sequence[int], starts: Sequence[Array]) -> Array:
        row = self._row
        if not row.params and all(np.array_equal(p, starts[0]) for p in starts):
            return starts[0]
        p = np.repeat(np.array(starts), counts, axis=0)
        p[:, list(row.params)] = rows[:, row.slices["p"]]
        return p

    # -- states -----------------------------------------------------------------------------------

    def _within(self, times: Array) -> Array:
        """The times, those that are an end for the user as the clock of the runner has them."""
        steps = self._steps
        first = steps.t[0] if steps.t.size else steps.ends[0][1]
        last = steps.ends[-1][0]
        # Times such as 3*0.1 lie beyond an end of 0.3 by a rounding; they mean the end.
        slack = 8 * np.finfo(np.float64).eps * max(abs(first), abs(last))
        inside = np.clip(times, min(first, last), max(first, last))
        outside = ~(np.abs(times - inside) <= slack)
        if outside.any():
            wrong, start, end = map(exactly, (times[outside][0], first, last))
            raise OptionError(f"t holds {wrong}, outside of the run: {start} to {end}.")
        for known, on_grid in steps.ends:
            inside[inside == known] = on_grid
        return inside

    def _states(self, times: Array) -> Array:
        steps, end = self._steps, self._segments[-1]
        found = np.empty((len(times), len(self._origin.states)), dtype=self._origin.dtype)
        way = 1.0 if not steps.t.size or steps.rows[0, 0] > 0 else -1.0
        # Where several pieces begin at one time, that is where the first of them does.
        at = np.searchsorted(way * steps.t, way * times, side="right") - 1
        at = np.searchsorted(way * steps.t, way * steps.t[at]) if steps.t.size else at
        final = times == steps.ends[-1][1]
        found[final] = end.y
        begins = ~final & (steps.t[at] == times) if steps.t.size else np.zeros_like(final)
        row = self._row
        arrived = row.slices["before" if row.starts else "y"]
        found[begins] = steps.rows[at[begins], arrived]
        rest = ~(final | begins)
        if rest.any():
            found[rest] = self._computed(at[rest], times[rest])
        return found

    def _computed(self, at: Array, times: Array) -> Array:
        steps, row = self._steps, self._row
        rows = steps.rows[at]
        inputs: Mapping[str, Array] = {name: rows[:, row.slices[name]] for name in "ymw"}
        clock = np.column_stack([times, steps.t[at], rows[:, row.slices["h"]], rows[:, 1]])
        return self._kernel(inputs, clock, steps.p[at] if steps.p.ndim == 2 else steps.p)

    @cached_property
    def _kernel(self) -> DenseSteps:
        model = self._model
        return DenseSteps(
            model.program.layout,
            varied=self._steps.p.ndim == 2,
            engine=model.engine,
            disk_cache=model.disk_cache,
        )
