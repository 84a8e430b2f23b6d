"""What the tests of observers share: hooks that look at everything, and bitwise comparison."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dynlib.observers import (
    EveryStep,
    ObserverModule,
    ObserverResult,
    TraceSpec,
    lyapunov_max,
    lyapunov_spectrum,
)
from dynlib.plans import Tail

HOOK = (
    "lane, t, dt, step, y_curr, y_prev, params, runtime_ws, analysis_ws, analysis_out, trace_buf, "
    "trace_count, trace_cap, trace_stride"
)


def before(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws, analysis_ws, analysis_out, trace_buf,
    trace_count, trace_cap, trace_stride,
):  # fmt: skip
    analysis_ws[0, lane] += y_curr[0, lane] * dt
    analysis_ws[2, lane] = step


def after(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws, analysis_ws, analysis_out, trace_buf,
    trace_count, trace_cap, trace_stride,
):  # fmt: skip
    analysis_ws[1, lane] += (y_curr[0, lane] - y_prev[0, lane]) * params[0, lane] + t
    analysis_out[0, lane] = max(analysis_out[0, lane], y_curr[0, lane])
    analysis_out[1, lane] = analysis_ws[0, lane] + 3 * analysis_ws[1, lane]
    analysis_out[2, lane] = step - analysis_ws[2, lane]
    if step % trace_stride == 0 and trace_count[0, lane] < trace_cap:
        row = trace_count[0, lane]
        trace_buf[row * 2, lane] = y_curr[0, lane] - y_prev[0, lane]
        trace_buf[row * 2 + 1, lane] = analysis_ws[1, lane]
        trace_count[0, lane] = row + 1


def counts(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws, analysis_ws, analysis_out, trace_buf,
    trace_count, trace_cap, trace_stride,
):  # fmt: skip
    analysis_out[0, lane] += 1


def watcher(plan: Any = None, name: str = "watcher") -> ObserverModule:
    """An observer whose results depend on every step, and on all that a hook is given."""
    return ObserverModule(
        "watcher",
        workspace_size=3,
        outputs=["largest", "sums", "last_step"],
        trace=TraceSpec(("change", "sum"), plan) if plan is not None else TraceSpec(),
        pre_step=before,
        post_step=after,
        initial_outputs=[-np.inf, 0.0, 0.0],
        initial_workspace=[0.1, 0.2, 0.0],
        name=name,
    )


def counter(name: str = "counter") -> ObserverModule:
    """The number of steps."""
    return ObserverModule("counter", outputs=["steps"], post_step=counts, name=name)


def several(*, adaptive: bool = False, tangents: bool = True) -> list[ObserverModule]:
    """Observers with and without traces, of users and of dynlib."""
    found = [watcher(Tail(4, 3) if adaptive else EveryStep(3)), counter()]
    if tangents:
        found.insert(1, lyapunov_spectrum(renorm_every=2, trace=Tail(3, 4)))
        trace = Tail(1000, 6) if adaptive else EveryStep(6)
        found.append(lyapunov_max(renorm_every=3, trace=trace))
    return found


def unlike_results(
    one: Mapping[str, ObserverResult], other: Mapping[str, ObserverResult]
) -> list[str]:
    """What differs, to the last bit, between what observers found twice."""
    if list(one) != list(other):
        return [f"observers {list(one)} and {list(other)}"]
    found = []
    for name, here in one.items():
        there = other[name]
        if (type(here), here.columns, list(here)) != (type(there), there.columns, list(there)):
            found.append(f"{name}: {here!r} and {there!r}")
            continue
        pairs = {output: (here.arrays[output], there.arrays[output]) for output in here}
        pairs["trace"] = (here.trace, there.trace)
        pairs["trace_time"] = (here.trace_time, there.trace_time)
        found += [
            f"{name}.{what}: {first!r} and {second!r}"
            for what, (first, second) in pairs.items()
            if np.shape(first) != np.shape(second) or not np.array_equal(bits(first), bits(second))
        ]
    return found


def bits(values: Any) -> Any:
    """Numbers as integers, so that NaN is NaN and 0 is not -0."""
    array = np.array(values, dtype=np.float64)
    array[np.isnan(array)] = np.nan
    return array.view(np.int64) if array.ndim else array.reshape(1).view(np.int64)
