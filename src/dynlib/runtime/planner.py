"""From the arguments of a run to a checked request for the wrapper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynlib.compiler.model import CompiledModel
from dynlib.errors import OptionError
from dynlib.runtime.plan import Plan
from dynlib.runtime.progress import Progress, progress_of
from dynlib.runtime.recording import Selection, check_room
from dynlib.runtime.run_options import (
    RunOptions,
    check_stepper_options,
    merge,
    model_defaults,
    step_limit,
)
from dynlib.runtime.session import Session
from dynlib.runtime.wrapper import RunRequest

__all__ = ["Planner", "refuse_start"]

_KEPT = 32


class Planner:
    """Makes plans for the runs of one model.

    A loop over parameters calls `run` with the same few numbers again and again: plans of fresh
    runs are kept by those numbers, because checking them takes longer than a short run.

    Parameters
    ----------
    model : CompiledModel

    Raises
    ------
    StepperOptionError
        If ``[sim]`` holds an option that its stepper does not have.
    """

    def __init__(self, model: CompiledModel) -> None:
        self._model = model
        self._defaults, self._stepper_defaults = model_defaults(model)
        self._aux = tuple(aux.name for aux in model.spec.aux)
        self._kept: dict[tuple[Any, ...], Plan] = {}

    def fresh(
        self, call: Mapping[str, Any], stepper_options: Mapping[str, Any], progress: Any
    ) -> Plan:
        """The plan of a run from the start."""
        show = progress_of(progress)
        key = (*call.values(), show)
        try:
            kept = None if stepper_options else self._kept.get(key)
        except TypeError:  # an array or a list, whose content may change
            return self._fresh(call, stepper_options, show)
        if kept is not None:
            return kept
        plan = self._fresh(call, stepper_options, show)
        if not stepper_options:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[key] = plan
        return plan

    def _fresh(
        self, call: Mapping[str, Any], stepper_options: Mapping[str, Any], show: Progress | None
    ) -> Plan:
        check_stepper_options(stepper_options, self._model)
        merged = merge(call, self._defaults)
        merged["stepper_options"] = merge(stepper_options, self._stepper_defaults)
        return self._plan(RunOptions.checked(merged, self._model), show, skip=0)

    def resumed(
        self,
        call: Mapping[str, Any],
        stepper_options: Mapping[str, Any],
        progress: Any,
        session: Session,
    ) -> Plan:
        """The plan of a run that goes on from where the session stands."""
        check_stepper_options(stepper_options, self._model)
        # The step, too, is what the session has, unless the call gives one.
        defaults = {name: value for name, value in self._defaults.items() if name != "dt"}
        merged = merge(call, {"t0": session.position}, defaults)
        merged["stepper_options"] = merge(
            stepper_options, session.state.options, self._stepper_defaults
        )
        options = RunOptions.checked(merged, self._model)
        self._check_beyond(options, session)
        return self._plan(options, progress_of(progress), skip=session.rows_due_in(options))

    def _check_beyond(self, options: RunOptions, session: Session) -> None:
        if (options.end - options.t0) * session.direction > 0:
            return
        if self._model.spec.is_map:
            raise OptionError(
                f"the session stands at iteration {options.t0} and this run would do nothing: "
                "give N, the number of further iterations."
            )
        raise OptionError(
            f"T = {options.end:g} must lie beyond where the session stands, t = {options.t0:g}. "
            "To start from the initial values leave resume=True out."
        )

    def _plan(self, options: RunOptions, show: Progress | None, *, skip: int) -> Plan:
        spec, stepper = self._model.spec, self._model.stepper
        # The wrapper checks them too, but by then the run before is gone.
        stepper.options(options.stepper_options, len(spec.states))
        selection = Selection.of(options.record_vars, spec.states, self._aux)
        states, aux = selection.request(spec.states, self._aux)
        if options.record and options.t_eval is None and not stepper.adaptive:
            length = abs(options.end - options.t0) - options.transient
            step = 1.0 if spec.is_map else (options.dt or spec.sim.dt)
            check_room(length / step / options.record_interval, len(selection.names))
        backwards = options.dt is not None and options.end < options.t0
        request = RunRequest(
            t_end=None if spec.is_map else options.end,
            n_end=int(options.end) if spec.is_map else None,
            dt=-options.dt if backwards and options.dt is not None else options.dt,
            record=options.record,
            stride=options.record_interval,
            states=states,
            aux=aux,
            samples=options.t_eval,
            transient=options.transient,
            max_steps=step_limit(options, self._model),
            options=options.stepper_options,
            progress=show,
            skip=skip,
        )
        return Plan(options, selection, request)


def refuse_start(**given: Any) -> None:
    """Refuse what belongs to the start of a run where one goes on."""
    for name, value in given.items():
        if value is not None:
            raise OptionError(
                f"{name} belongs to the start of a run, and resume=True goes on with one. To "
                "change states or parameters on the way call assign(), then resume."
            )
