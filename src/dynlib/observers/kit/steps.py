"""The steps of a flow, one by one: what each was computed from, for the solution inside of it."""

from __future__ import annotations

from dynlib.abi.hooks import INSIDE_ARGS, PLACE_ARGS, SEES_ARGS
from dynlib.compiler.codegen.dense_text import StepRow
from dynlib.compiler.codegen.layout import Layout
from dynlib.dsl.spec import ModelSpec
from dynlib.observers.crossing.crossing import refuse_without_dense_output
from dynlib.observers.kit.module import ObserverModule
from dynlib.observers.kit.part import HookText, Part, TraceSpec
from dynlib.steppers.base import Stepper
from dynlib.steppers.text import function, group

__all__ = ["StepsObserver"]


class StepsObserver(ObserverModule):
    """Traces a `StepRow` for each step, and for each piece of a step that events cut.

    The time of a row is that at which the step begins.  It is dynlib's own means, no observer for
    users.
    """

    def __init__(self) -> None:
        super().__init__("steps")

    def signature(self) -> str:
        """All that the hooks are made of follows from the model and the stepper."""
        return "steps"

    def validate_stepper(self, stepper: Stepper, spec: ModelSpec) -> None:
        """Refuse steppers that know nothing between two steps."""
        refuse_without_dense_output(self.label, stepper, spec)

    def bind(self, spec: ModelSpec, stepper: Stepper) -> Part:
        """A trace with a row for each piece."""
        row = StepRow(Layout(spec, stepper))
        texts = [HookText("inside", _inside(row)), HookText("sees", _SEES)]
        if row.starts:
            texts += [HookText("start", _arrive(row)), HookText("post", _arrive(row))]
        return Part(
            trace=TraceSpec(tuple(f"c{i}" for i in range(row.width))),
            workspace=row.layout.states + 1 if row.starts else 0,
            texts=tuple(texts),
        )


_SEES = function("sees_OBS", SEES_ARGS, ["return True"])


def _inside(row: StepRow) -> str:
    """Keep what the step is computed from.

    What was there when the step before ended is no longer there where this is the rest of a step
    that was cut: then its time is another.
    """
    n, lines = row.layout.states, []
    values = ["h", "float(step)", *(f"float(u[{i}])" for i in range(n))]
    values += [f"float(m[{i}])" for i in range(row.layout.memory)]
    values += [f"float(runtime_ws[{i}, lane])" for i in row.workspace]
    values += [f"float(params[{i}, lane])" for i in row.params]
    if row.starts:
        lines.append(f"whole = analysis_ws[WS + {n}, lane] == t")
        for i in range(n):
            values.append(f"select(whole, analysis_ws[WS + {i}, lane], float(u[{i}]))")
    push = f"push_trace(t, {group(values)}, TRACE, lane, trace_buf, trace_count, traces)"
    return function("inside_OBS", INSIDE_ARGS, [*lines, push])


def _arrive(row: StepRow) -> str:
    """Keep state and time where a step may begin, before events act there."""
    n = row.layout.states
    lines = [f"u = load_rows(y_curr, 0, {n}, lane)"]
    values = group([*(f"float(u[{i}])" for i in range(n)), "t"])
    lines.append(f"store_rows(analysis_ws[WS:], 0, lane, {values})")
    return function("arrive_OBS", PLACE_ARGS, lines)
