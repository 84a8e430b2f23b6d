"""`Sim`: a model, the values a run starts from, and where the last run stands."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from dynlib.abi.status import Status
from dynlib.compiler.model import CompiledModel
from dynlib.dsl import ModelSpec
from dynlib.dsl.spec import Preset
from dynlib.errors import OptionError
from dynlib.observers.kit.validation import checked_observers
from dynlib.runtime.concerns import Concerns
from dynlib.runtime.many_runs import ManyRuns
from dynlib.runtime.naming import EditableValues, NamedValues, refuse_attribute
from dynlib.runtime.origin import Origin
from dynlib.runtime.plan import Plan
from dynlib.runtime.planner import Planner, refuse_start
from dynlib.runtime.presets import Presets
from dynlib.runtime.results import Results
from dynlib.runtime.segments import segment_name
from dynlib.runtime.session import Session
from dynlib.runtime.starting import Start
from dynlib.runtime.turn import Turn, in_turns
from dynlib.runtime.validate import PARAMETER, flag, one_of, shown

if TYPE_CHECKING:
    from dynlib.compiler.equations import Equations

__all__ = ["Sim"]

_FIRST = segment_name(None)

Values = Mapping[str, float] | ArrayLike


# `state` and `params` as they are read: vectors that are replaced as a whole, never changed.
@in_turns("spec", "state", "params", "copy", "equations")
class Sim(ManyRuns):
    """A session on one model, made by `setup`.

    It holds the initial values (`state`, `params`) and, after a run, the point where it stands
    (`current`, `t`).  `run` starts from the former, ``run(resume=True)`` goes on from the latter.
    It does one thing at a time: other threads wait, a call within a call is a `SessionBusyError`.

    Parameters
    ----------
    model : CompiledModel
        A model and its stepper, from `dynlib.build`; it stays in the attribute `model`.
    """

    def __init__(self, model: CompiledModel) -> None:
        if not isinstance(model, CompiledModel):
            raise OptionError(f"Sim takes what build() returns, found {shown(model)}: use setup().")
        self.model = model
        spec = model.spec
        self._session = session = Session(model)
        self._planner = Planner(model)
        self._concerns = Concerns(model)
        self._flows: Any = None
        self._origin = Origin.of(model)
        self._presets = Presets(spec)
        self._turn = turn = Turn()
        put = turn.of(session.assign)
        self._state = EditableValues(spec.states, lambda: session.state.y, put, "state")
        self._equations: Equations | None = None
        self._params = EditableValues(spec.params, lambda: session.state.p, put, "parameter")

    def copy(self) -> Sim:
        """Another session that stands where this one does, on the same compiled model."""
        return copy(self)

    def __reduce__(self) -> tuple[Any, ...]:
        kept = (self._session.state.copy(), dict(self._session.snapshots), dict(self._presets))
        return type(self), (self.model,), kept

    def __setstate__(self, kept: tuple[Any, ...]) -> None:
        self._session.state, self._session.snapshots, presets = kept
        for name, preset in presets.items():
            self._presets.add(name, preset, overwrite=True)

    @property
    def spec(self) -> ModelSpec:
        """The model."""
        return self.model.spec

    @property
    def state(self) -> EditableValues:
        """Initial values of the next fresh run; ``sim.state["x"] = 1`` changes one."""
        return self._state

    @state.setter
    def state(self, values: Values) -> None:
        self._session.put("state", "state", values)

    @property
    def params(self) -> EditableValues:
        """Parameters of the next fresh run; ``sim.params["rho"] = 28`` changes one."""
        return self._params

    @params.setter
    def params(self, values: Values) -> None:
        self._session.put("params", PARAMETER, values)

    @property
    def equations(self) -> Equations:
        """The model's functions, compiled, at the session's parameters."""
        if self._equations is None:
            session = self._session
            self._equations = self.model.equations.following(lambda: session.state.p)
        return self._equations

    def __setattr__(self, name: str, value: Any) -> None:
        if "model" in self.__dict__ and not hasattr(type(self), name):
            refuse_attribute(name, self.spec)
        super().__setattr__(name, value)

    @property
    def current(self) -> NamedValues:
        """States where the session stands: the end of the last run, or the initial values."""
        return NamedValues(self.spec.states, self._session.current.copy(), "state")

    @property
    def t(self) -> float:
        """Time (iteration of a map) where the session stands."""
        return self._session.position

    # --- runs -----------------------------------------------------------------------------------

    def run(
        self, T: float | None = None, *, N: int | None = None, t0: float | None = None,
        dt: float | None = None, ic: Values | None = None, params: Values | None = None,
        record: bool | None = None, record_interval: int = 1,
        record_vars: Sequence[str] | None = None, t_eval: ArrayLike | None = None,
        transient: float = 0, observers: Sequence[Any] = (), max_steps: int | None = None,
        resume: bool = False, tag: str | None = None, progress: Any = None,
        on_failure: str = "raise", **stepper_options: Any,
    ) -> Results:  # fmt: skip
        """Compute a trajectory.

        What is not given is taken from ``[sim]``; nothing given is remembered for a fresh run.

        - ``T``, ``t0``: end and start time of a flow; T before t0 integrates backwards.
        - ``N``: iterations of a map, from index ``t0`` on.
        - ``dt``: step; of an adaptive stepper the first to try, which it else finds itself.
        - ``ic``, ``params``: dicts or full vectors of values, for this run only.
        - ``record=False`` keeps only events and the final state.
        - ``record_interval``: record every k-th step.
        - ``record_vars``: what to record, ``["x", "aux.E"]``; all states by default.
        - ``t_eval``: times to record at instead, by the stepper's dense output.
        - ``transient``: first part (time, iterations) of the run that is not recorded.
        - ``observers``: what observes the run.
        - ``max_steps``: steps after which the run fails; with adaptive steppers a million.
        - ``resume=True`` goes on where the session stands, with its step and options.
        - ``tag``: name of this segment of the session.
        - ``progress``: True, False, a function; by default a line on a terminal after a second.
        - ``on_failure="return"`` returns the partial result of a failed run.
        - ``**stepper_options``: such as ``rtol`` and ``atol``.

        Returns
        -------
        Results
            Of the whole session, if resumed; what there is and ``ok == False`` after Ctrl-C.

        Raises
        ------
        RunFailed, OptionError, UnknownNameError, UnknownOptionError
        """
        call = {
            "T": T, "N": N, "t0": t0, "dt": dt, "record": record, "t_eval": t_eval,
            "record_interval": record_interval, "record_vars": record_vars,
            "transient": transient, "max_steps": max_steps,
        }  # fmt: skip
        # What is usual needs no check: a short run takes no longer than some of them.
        if not (isinstance(on_failure, str) and on_failure == "raise"):
            one_of("on_failure", on_failure, ("raise", "return"))
        none = isinstance(observers, tuple) and not observers
        watching = () if none else checked_observers(observers)
        session = self._session
        if resume is not False and flag("resume", resume) and session.running:
            refuse_start(ic=ic, params=params, t0=t0)
            plan = self._planner.resumed(call, stepper_options, progress, session)
            name = segment_name(tag, session.state.segments)
            combined = session.combined(plan, watching)
        else:
            plan = self._planner.fresh(call, stepper_options, progress)
            name = _FIRST if tag is None else segment_name(tag)
            combined = session.combined(plan, watching)
            self._start(plan, ic, params)
        if self._concerns.pending:
            self._concerns.tell(stepper_options)
        session.advance(plan, name, combined)
        return self._outcome(on_failure)

    def _start(self, plan: Plan, ic: Values | None, params: Values | None) -> None:
        """Put the session to the start of a fresh run."""
        y, p = self._session.state.y, self._session.state.p
        if ic is not None or params is not None:
            y, p = self._session.values.of_run(ic, params)
        self._session.start(y, p, plan.options.t0, plan.options.stepper_options)

    def _outcome(self, on_failure: str) -> Results:
        """The result of the last run, or the error that carries it."""
        results = self._results()
        if on_failure == "raise" and results.status is not Status.USER_BREAK:
            results.raise_for_status()
        return results

    def _values(self) -> Start:
        """What a run of its own starts from, unless it is told otherwise."""
        with self._turn.lock:
            return self._session.values

    def results(self) -> Results:
        """The result of the last run (of the whole session, if it was resumed).

        Raises
        ------
        OptionError
            If nothing has been run yet.
        """
        return self._results()

    def _results(self) -> Results:
        if segments := self._session.state.segments:
            return Results(self._origin, segments)
        raise OptionError("there are no results yet: call run() first.")

    # --- values ---------------------------------------------------------------------------------

    def assign(self, values: Mapping[str, float] | None = None, /, **named: float) -> None:
        """Set initial values and parameters by name, for all later runs.

        A run in progress jumps to them too, so ``assign(rho=30)`` before ``run(resume=True)``
        changes rho from there on.  If one name or value is wrong, nothing changes.
        """
        given = {} if values is None else dict(values)  # rows of pandas have no truth
        self._session.assign({**given, **named})

    def reset(self, name: str | None = None) -> None:
        """Return to a snapshot, or without a name to the model's own values."""
        self._session.reset(name)

    def apply_preset(self, name: str) -> None:
        """Assign the values of a preset; what it does not name stays as it is."""
        preset = self._presets[name]
        self._session.assign({**preset.states, **preset.params})

    def add_preset(
        self,
        name: str,
        states: Mapping[str, float] | None = None,
        params: Mapping[str, float] | None = None,
        *,
        overwrite: bool = False,
    ) -> None:
        """Keep values under a name; without values, the session's initial ones."""
        if states is None and params is None:
            states, params = dict(self._state), dict(self._params)
        preset = Preset(params=dict(params or {}), states=dict(states or {}))
        self._presets.add(name, preset, overwrite=overwrite)

    def save_preset(
        self, name: str, path: str | os.PathLike[str], *, overwrite: bool = False
    ) -> None:
        """Write a preset to a TOML file, beside the presets that it holds."""
        self._presets.save(name, path, overwrite=overwrite)

    def load_preset(
        self, name: str, path: str | os.PathLike[str], *, overwrite: bool = False
    ) -> None:
        """Add a preset (``"*"``: all) from a TOML file; `apply_preset` puts it to use."""
        self._presets.load(name, path, overwrite=overwrite)

    def list_presets(self) -> list[str]:
        """Names of the presets."""
        return list(self._presets)

    # --- snapshots ------------------------------------------------------------------------------

    def snapshot(self, name: str) -> None:
        """Keep the session as it stands under a name; ``reset(name)`` brings it back."""
        self._session.snapshot(name)

    def save_snapshot(self, path: str | os.PathLike[str]) -> None:
        """Write the session as it stands to a file: the run in progress, not its record."""
        self._session.write(path)

    def load_snapshot(self, path: str | os.PathLike[str]) -> None:
        """Take up the session from a file; the next ``run(resume=True)`` goes on from there.

        Raises
        ------
        SnapshotMismatchError
            If equations, states or stepper differ; it says which.
        """
        self._session.read(path)

    def __repr__(self) -> str:
        model = self.model
        where = f"stands at {'n' if self.spec.is_map else 't'} = {self._session.position:g}"
        return f"<Sim {self.spec.name!r} ({self.spec.kind}, {model.stepper.name}): {where}>"
