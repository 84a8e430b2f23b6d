"""An observer that shows tangent vectors, and matrices made of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib import setup
from dynlib.dsl.spec import ModelSpec
from dynlib.observers import ObserverModule, TraceSpec
from dynlib.observers.kit.part import HookText, Part
from dynlib.steppers.base import Stepper

LOOK = """
def look_OBS(lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
             analysis_ws, analysis_out, trace_buf, trace_count, traces):
    rows = load_rows(analysis_ws[TAN:], 0, SIZE, lane)
    push_trace(t, rows, TRACE, lane, trace_buf, trace_count, traces)
"""


class Tangents(ObserverModule):
    """Traces the columns of the derivative of the flow, or of the iterated map, every step."""

    key = "tangents"

    def signature(self) -> str:
        return LOOK

    def bind(self, spec: ModelSpec, stepper: Stepper) -> Part:
        n = len(spec.states)
        names = tuple(f"d{i}/d{j}" for j in range(n) for i in range(n))
        return Part(
            tangents=tuple(tuple(float(i == j) for i in range(n)) for j in range(n)),
            trace=TraceSpec(names),
            texts=(HookText("every", LOOK, 1),),
            words={"SIZE": n * n},
        )


def derivatives(model: Any, stepper: str | None = None, *, jit: bool = False, **run: Any) -> Any:
    """The result of a run, and the derivative of each state it went through by the first."""
    res = setup(model, stepper=stepper, jit=jit).run(observers=[Tangents()], **run)
    trace = res.observers["tangents"].trace
    n = round(trace.shape[1] ** 0.5)
    return res, trace.reshape(-1, n, n).transpose(0, 2, 1)


def differences(model: Any, stepper: str | None = None, *, ic: dict[str, float], **run: Any) -> Any:
    """The derivative of the last state by the first, by central differences."""
    sim = setup(model, stepper=stepper, jit=False)
    names = list(sim.state)
    columns: list[NDArray[np.float64]] = []
    for name in names:
        eps = 1e-6 * max(1.0, abs(ic[name]))
        ends = []
        for sign in (1, -1):
            res = sim.run(ic={**ic, name: ic[name] + sign * eps}, **run)
            ends.append(np.array([res.final[other] for other in names]))
        columns.append((ends[0] - ends[1]) / (2 * eps))
    return np.array(columns).T
