"""Hooks that do what none should."""

from typing import Any


def far_too_many(
    lane: Any, t: Any, dt: Any, step: Any, y_curr: Any, y_prev: Any, params: Any, runtime_ws: Any,
    analysis_ws: Any, analysis_out: Any, trace_buf: Any, trace_count: Any, trace_cap: Any,
    trace_stride: Any,
) -> None:  # fmt: skip
    """Count a billion rows."""
    trace_count[0, lane] = 10**9
