"""May this run take the fast path?  If not, why not, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynlib.compiler.model import CompiledModel
from dynlib.errors import OptionError
from dynlib.observers.kit.trace_plans import EveryStep
from dynlib.runtime.fastpath.recording_plans import FinalState, RecordingPlan
from dynlib.runtime.run_options import RunOptions
from dynlib.wording import argument

__all__ = ["LANES", "check_capability", "refusal"]

LANES = (1, 2, 4, 8, 16, 32, 64)


def refusal(
    model: CompiledModel, options: RunOptions, plan: RecordingPlan, observers: Sequence[Any] = ()
) -> str | None:
    """Why a run cannot take the fast path; None if it can.

    What the fast path takes it computes exactly as `Sim.run` does, to the last bit.

    Parameters
    ----------
    model : CompiledModel
    options : RunOptions
        The run, checked.
    plan : RecordingPlan
        What it keeps, if it is not sampled at given times.
    observers : sequence
        What observes it.
    """
    for observer in observers:
        plan_of_trace = observer.bind(model.spec, model.stepper).trace
        if (
            model.stepper.adaptive
            and plan_of_trace.width
            and isinstance(plan_of_trace.plan, EveryStep)
        ):
            return (
                f"stepper {model.stepper.name!r} chooses its steps, so nobody knows how many rows "
                f"the trace of {observer.label!r} will have. Give it trace=Tail(n) or Hits(n)."
            )
    if not model.stepper.adaptive or options.t_eval is not None:
        return None
    name = model.stepper.name
    if not isinstance(plan, FinalState):
        return (
            f"stepper {name!r} chooses the steps of each run by itself, so "
            f"{argument('plan', plan)} would mean other times in every run. Give the times, "
            f"{argument('t_eval', ...)}, or {argument('plan', FinalState())}."
        )
    if options.transient and not observers:
        return (
            f"stepper {name!r} ends a step where the transient ends, which is of use only where "
            f"something is recorded after it. Give {argument('t_eval', ...)}, or leave transient "
            "out."
        )
    return None


def check_capability(
    model: CompiledModel, options: RunOptions, plan: RecordingPlan, observers: Sequence[Any] = ()
) -> None:
    """Raise what `refusal` says.

    Raises
    ------
    OptionError
        With the reason.
    """
    reason = refusal(model, options, plan, observers)
    if reason is not None:
        raise OptionError(f"this run cannot take the fast path: {reason}")
