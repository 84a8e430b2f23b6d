"""`Sim.flow` from its arguments to its result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from dynlib.runtime.fastpath.processors import cores
from dynlib.runtime.flow.inputs import flow_plan, read_starts
from dynlib.runtime.flow.result import Flow, flow_failure, too_much_growth
from dynlib.runtime.flow.runs import FlowRuns
from dynlib.runtime.flow.vectors import MOST_GROWTH
from dynlib.runtime.origin import Origin
from dynlib.runtime.validate import integer, one_of

__all__ = ["FlowRuns", "flow"]

Array = NDArray[Any]


def flow(
    origin: Origin,
    runs: FlowRuns,
    base: Array,
    given: Mapping[str, Any],
    call: Mapping[str, Any],
    means: tuple[Any, Any],
    stepper_options: Mapping[str, Any],
) -> Array | tuple[Array, Array] | Flow:
    """Run a flow as `Sim.flow` describes it.

    Parameters
    ----------
    origin
        Of the model.
    runs
        What computes its flows.
    base
        The session's parameters.
    given
        The arguments ``y``, ``T``, ``t0``, ``params`` and ``tangents``.
    call
        The arguments ``dt`` and ``max_steps``.
    means
        The arguments ``workers`` and ``on_failure``.
    stepper_options
        Options of the stepper.
    """
    workers, on_failure = means
    one_of("on_failure", on_failure, ("raise", "return"))
    if workers is None:
        threads = cores()
    else:
        threads = integer("workers (threads; None: one for each core)", workers, least=1)
    starts = read_starts(runs.model, base, **given)
    plan = flow_plan(runs.model, starts, call, stepper_options, threads)
    found, reached, lost = runs(starts, plan)
    if on_failure == "return":
        return found
    if not found.ok.all():
        raise flow_failure(origin, found, reached)
    if lost.any():
        raise too_much_growth(origin, MOST_GROWTH[runs.model.spec.dtype], found, lost)
    return found.y if found.tangents is None else (found.y, found.tangents)
