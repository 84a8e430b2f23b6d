"""Traces of observers: room for rows, and writing them.  Templates, like the run loop."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.slots import Trace

__all__ = ["push_trace", "trace_room"]


def trace_room(step, first, lane, trace_buf, trace_count, traces):
    """Whether every trace has room for what a step may bring.

    Where only the last rows are wanted, they move to the front.  What was written before
    observers started is forgotten.
    """
    room = True
    for j in range(N_TRACES):
        count = trace_count[j, lane]
        if count > traces[j, Trace.LIMIT]:
            keep = traces[j, Trace.KEEP]
            if step < first:
                trace_count[j, lane] = 0
            elif keep > 0:
                width = traces[j, Trace.WIDTH]
                values = traces[j, Trace.OFFSET]
                times = values + traces[j, Trace.CAP] * width
                gone = count - keep
                for i in range(keep * width):
                    trace_buf[values + i, lane] = trace_buf[values + gone * width + i, lane]
                for i in range(keep):
                    trace_buf[times + i, lane] = trace_buf[times + gone + i, lane]
                trace_count[j, lane] = keep
            else:
                room = False
    return room


def push_trace(t, values, j, lane, trace_buf, trace_count, traces):
    """Add a row to trace `j`; rows beyond its capacity are only counted."""
    row = trace_count[j, lane]
    if row < traces[j, Trace.CAP]:
        first = traces[j, Trace.OFFSET]
        width = traces[j, Trace.WIDTH]
        store_rows(trace_buf[first + row * width :], 0, lane, values)
        trace_buf[first + traces[j, Trace.CAP] * width + row, lane] = t
    trace_count[j, lane] = row + 1
