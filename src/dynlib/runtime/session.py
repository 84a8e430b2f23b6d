"""The session behind a `Sim`: initial values, and the run in progress.

A session holds two points.  The *initial* one is where the next fresh run starts; `assign` and
presets write it, and a run never changes it.  The *machine* is where the last run stands, down
to the memory of its stepper; only `resume=True` goes on from there.  Values that are assigned
while a machine exists are put into it too, as a jump: an assignment means "from now on".
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.run_state import RunState
from dynlib.abi.slots import CLOCK, COUNT
from dynlib.compiler.model import CompiledModel
from dynlib.errors import DynlibWarning, OptionError
from dynlib.observers.kit.combined import CombinedObserver, combine
from dynlib.observers.kit.metadata import describe
from dynlib.observers.kit.module import ObserverModule
from dynlib.runtime.concerns import of_the_caller
from dynlib.runtime.naming import unknown_name
from dynlib.runtime.observation import Observation, StoredObservation, check_transient
from dynlib.runtime.plan import Plan
from dynlib.runtime.progress import TerminalLine
from dynlib.runtime.run_options import RunOptions
from dynlib.runtime.segments import Segment
from dynlib.runtime.starting import Start, followed, names_given
from dynlib.runtime.trace_room import check_rows, check_traces, check_workspaces
from dynlib.runtime.validate import PARAMETER, overlay, vector
from dynlib.runtime.wrapper import run_with_wrapper

__all__ = ["Session", "SessionState"]

_NEW = 2  # of the slot FRESH: nothing has been done yet


@dataclass(slots=True)
class SessionState:
    """All that a snapshot must keep.

    Attributes
    ----------
    y, p
        Initial values and parameters of the next fresh run, shapes (n_states,), (n_params,).
    machine
        The run in progress, None before the first.
    options
        Stepper options of the run in progress.
    jumped
        Whether values were assigned to the machine since it last ran.
    segments
        What the run in progress has recorded, one segment for each call of `run`.
    observation
        The observers of the run in progress and what they have, if the last call had any.
    given
        States whose initial value was assigned: those of others may follow the parameters.
    """

    y: NDArray[Any]
    p: NDArray[Any]
    machine: RunState | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    jumped: bool = False
    segments: tuple[Segment, ...] = ()
    observation: Observation | StoredObservation | None = None
    given: frozenset[str] = frozenset()

    def copy(self) -> SessionState:
        """An independent copy; segments are never changed, so they are shared."""
        machine = None if self.machine is None else self.machine.copy()
        observation = None if self.observation is None else self.observation.copy()
        return replace(
            self, y=self.y.copy(), p=self.p.copy(), machine=machine, observation=observation
        )


class Session:
    """Initial values and run in progress of one compiled model.

    Parameters
    ----------
    model : CompiledModel
    """

    def __init__(self, model: CompiledModel) -> None:
        self.model = model
        self.snapshots: dict[str, SessionState] = {}
        self.state = self._declared()
        # The start of a run, kept because making one takes longer than a short run; that of a
        # model with lags depends on the values too.
        self._start: RunState | None = None
        self._lagged, self._is_map = any(model.spec.lags), model.spec.is_map

    def _declared(self) -> SessionState:
        spec, dtype = self.model.spec, self.model.dtype
        y, p = np.array(spec.state_values, dtype=dtype), np.array(spec.param_values, dtype=dtype)
        given = frozenset(spec.starts) - frozenset(spec.following)
        return SessionState(followed(spec, y, p, given), p, given=given)

    # --- values ---------------------------------------------------------------------------------

    def assign(self, values: Mapping[str, Any]) -> None:
        """Set states and parameters by name; all of them, or none if one is wrong."""
        spec, state = self.model.spec, self.state
        states = {name: value for name, value in values.items() if name in spec.states}
        params = {name: value for name, value in values.items() if name in spec.params}
        for name in values:
            if name not in states and name not in params:
                raise unknown_name("state or parameter", name, (*spec.states, *spec.params))
        y = overlay("state", states, state.y, spec.states)
        p = overlay("parameter", params, state.p, spec.params)
        given = state.given | states.keys()
        if params and spec.starts:
            y = followed(spec, y, p, given)
        state.y, state.p, state.given = y, p, given
        if state.machine is not None and values:
            for name in states:
                index = spec.states.index(name)
                state.machine.y[index, 0] = y[index]
            for name in params:
                index = spec.params.index(name)
                state.machine.p[index, 0] = p[index]
            self.model.mark_jump(state.machine)
            state.jumped = True

    def put(self, argument: str, what: str, given: Any) -> None:
        """Set the states, or the parameters, that a dict or a full vector gives."""
        spec, state = self.model.spec, self.state
        names, held = (spec.params, state.p) if what == PARAMETER else (spec.states, state.y)
        found = dict(zip(names, vector(argument, what, given, held, names).tolist(), strict=True))
        self.assign({name: found[name] for name in names if name in names_given(given, names)})

    # --- runs -----------------------------------------------------------------------------------

    def start(
        self, y: NDArray[Any], p: NDArray[Any], t0: float, options: Mapping[str, Any]
    ) -> RunState:
        """Drop the run in progress and begin a fresh one at these values."""
        state, source = self.state, self._start
        if source is None or source.clock[CLOCK.T] != t0 or self._lagged:
            source = self._start = self.model.new_state(y, p, t0)
        if state.machine is None:
            state.machine = source.copy()
        machine = state.machine
        # Refilled, not replaced: the runner's call is bound to these arrays.
        machine.clock[:] = source.clock
        machine.count[:] = source.count
        machine.memory[:] = source.memory
        machine.workspace[:] = source.workspace
        machine.y[:, 0] = y
        machine.p[:, 0] = p
        state.options, state.jumped, state.segments = options, False, ()
        state.observation = None
        return machine

    def combined(self, plan: Plan, observers: Sequence[ObserverModule]) -> CombinedObserver | None:
        """The observers bound to the model, and compiled; asked before anything is changed.

        Raises
        ------
        ObserverError
            If one of them cannot observe this model, or its hooks cannot be compiled.
        OptionError
            If what they ask for would not fit into memory.
        """
        if not observers:
            return None
        model, request = self.model, plan.request
        check_transient(plan.options, adaptive=model.stepper.adaptive)
        check_workspaces(observers)
        combined = combine(observers, model.spec, model.stepper)
        check_rows(combined)
        # A resumed run takes no more steps than one from the start.
        check_traces(combined, _steps_ahead(model, plan, plan.options.t0, request.dt))
        sampled = request.samples is not None
        model.runner(sampled=sampled, analysis=combined, progress=request.progress)
        return combined

    def observe(self, combined: CombinedObserver | None) -> Observation | None:
        """The observation of the next run: that of the run in progress, if it has these observers.

        Others start anew.  What the ones before had is given up then, so a warning says so.
        """
        state = self.state
        if combined is None:
            state.observation = None
            return None
        going_on = state.observation
        if isinstance(going_on, StoredObservation):
            going_on = going_on.taken_up(combined)
        same = going_on is not None and (
            going_on.combined is combined or going_on.combined.signature() == combined.signature()
        )
        if not same:
            if state.observation is not None:
                warnings.warn(_others(state.observation), DynlibWarning, stacklevel=of_the_caller())
            going_on = Observation.begin(combined)
        state.observation = going_on
        return going_on

    @property
    def values(self) -> Start:
        """What a run starts from, unless it is told otherwise."""
        state = self.state
        return Start(self.model.spec, state.y, state.p, state.given)

    @property
    def running(self) -> bool:
        """Whether there is a run to go on with."""
        return self.state.machine is not None

    @property
    def position(self) -> float:
        """Time where the session stands; for a map the iteration index, an int."""
        machine = self.state.machine
        if machine is None:
            return self.model.spec.sim.t0
        return int(machine.count[COUNT.STEP]) if self._is_map else float(machine.clock[CLOCK.T])

    @property
    def direction(self) -> int:
        """-1 while a flow is integrated backwards, else 1."""
        machine = self.state.machine
        return -1 if machine is not None and machine.clock[CLOCK.DT] < 0 else 1

    @property
    def current(self) -> NDArray[Any]:
        """The state vector where the session stands."""
        machine = self.state.machine
        return self.state.y if machine is None else machine.y[:, 0]

    def rows_due_in(self, options: RunOptions) -> int:
        """Steps until a resumed run records its first row.

        A run that goes on recording as before keeps the rhythm of the run before it, so that
        both together have the rows of one.  Anything else starts a rhythm of its own.
        """
        machine = self.state.machine
        if machine is None or self.state.jumped or options.transient:
            return 0
        count = machine.count
        due = int(count[COUNT.NEXT_RECORD] - count[COUNT.STEP])
        return due if due >= 0 and count[COUNT.STRIDE] == options.record_interval else 0

    def advance(self, plan: Plan, name: str, combined: CombinedObserver | None = None) -> None:
        """Let the machine run on as planned and keep what it records as a segment.

        Raises
        ------
        OptionError
            If a hook of an observer raises, or memory is too small for the record.
        """
        state = self.state
        machine = state.machine
        assert machine is not None
        state.options = plan.options.stepper_options
        count, y, p = machine.count, machine.y[:, 0], machine.p[:, 0]
        start_t, start_y, start_p = self.position, y.copy(), p.copy()
        start_step, fresh = int(count[COUNT.STEP]), bool(count[COUNT.FRESH] == _NEW)
        progress, request = plan.request.progress, plan.request
        observation = self.observe(combined)
        observed_by: tuple[Mapping[str, Any], ...] = ()
        if observation is not None:
            observation.expect(self._steps_observed(plan, observation))
            request = request._replace(observation=observation)
            observed_by = describe(observation.combined, request.transient)
        try:
            raw = run_with_wrapper(self.model, machine, request)
        finally:
            if isinstance(progress, TerminalLine):
                progress.close()
        segment = Segment(
            name, plan.options, plan.selection, raw, start_t, start_y, start_p,
            self.position, int(count[COUNT.STEP]), y.copy(), p.copy(),
            state.jumped, start_step, fresh, observed_by,
        )  # fmt: skip
        state.segments = (*state.segments, segment)
        state.jumped = False
        if raw.error is not None:
            told = f"{raw.error} {self._left(start_step)}"
            raise type(raw.error)(told) from raw.error.__cause__

    def _steps_observed(self, plan: Plan, observation: Observation) -> int | None:
        """Steps that observers will have seen at the end of a run, if they are known."""
        assert self.state.machine is not None
        clock, count = self.state.machine.clock, self.state.machine.count
        dt = plan.request.dt or float(clock[CLOCK.DT])
        ahead = _steps_ahead(self.model, plan, self.position, dt)
        if ahead is None or not observation.started or plan.request.transient:
            return ahead
        return ahead + int(count[COUNT.STEP] - count[COUNT.OBSERVED_FROM])

    def _left(self, start_step: int) -> str:
        """Where a run that was broken off left the session: at a pause, or some steps before."""
        assert self.state.machine is not None
        if self.state.machine.count[COUNT.STEP] == start_step:
            return "Nothing that this run computed is kept: the session stands where the run began."
        where = f"{'n' if self.model.spec.is_map else 't'} = {self.position:g}"
        return (
            f"What was computed up to {where}, a pause before that, is in sim.results(); the "
            "session stands there."
        )

    # --- snapshots ------------------------------------------------------------------------------

    def snapshot(self, name: str) -> None:
        """Keep a copy of everything under a name; an older one of that name is replaced."""
        if not isinstance(name, str) or not name:
            raise OptionError(f"a snapshot needs a name, found {name!r}.")
        self.snapshots[name] = self.state.copy()

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the session to a file."""
        from dynlib.runtime.snapshots import write_snapshot  # few sessions have files

        write_snapshot(path, self.state, self.model)

    def read(self, path: str | os.PathLike[str]) -> None:
        """Be the session in a file, if it is one of this model."""
        from dynlib.runtime.snapshots import read_snapshot

        self.state = read_snapshot(path, self.model)

    def reset(self, name: str | None = None) -> None:
        """Return to a snapshot, or to the model's own values."""
        if name is None:
            self.state = self._declared()
            return
        if name not in self.snapshots:
            raise unknown_name("snapshot", name, self.snapshots)
        self.state = self.snapshots[name].copy()


def _others(before: Observation | StoredObservation) -> str:
    """What a resumed run says whose observers are not those of the run that it goes on with."""
    where = "the run in progress"
    if isinstance(before, StoredObservation):
        where = f"the snapshot {before.source}"
    return (
        f"resume=True with other observers than {where} has: these start anew, and see only what "
        "is run from here on. Observers go on if all of them are given again, in the same order "
        "and with the same arguments, and if hooks of your own have the same code. A snapshot "
        "also keeps to the version of dynlib that wrote it, where an observer has changed."
    )


def _steps_ahead(model: CompiledModel, plan: Plan, start: float, dt: float | None) -> int | None:
    """Steps of a run from `start`, if they are known beforehand."""
    request = plan.request
    if request.n_end is not None:
        return max(0, request.n_end - int(start))
    if model.stepper.adaptive or not dt or request.t_end is None:
        return None
    return int(abs(request.t_end - start) / abs(dt)) + 2
