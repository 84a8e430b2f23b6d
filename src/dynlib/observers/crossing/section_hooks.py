"""What is done at the hits of a section: count them, keep what is to be recorded."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

__all__ = [
    "corner_OBS",
    "end_OBS",
    "extremum_OBS",
    "goes_OBS",
    "hit_OBS",
    "jumped_OBS",
    "leaving_OBS",
    "met_OBS",
    "peak_OBS",
    "resting_OBS",
    "turn_OBS",
    "unturned_OBS",
]


def hit_OBS(t, analysis_ws, analysis_out, lane):
    analysis_out[OUT, lane] += 1.0
    if analysis_out[OUT, lane] == 1.0:
        analysis_out[OUT + 1, lane] = t
    analysis_out[OUT + 2, lane] = t


def met_OBS(
    t, rising, step, u, lane, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    hit_OBS(t, analysis_ws, analysis_out, lane)
    if TRACED:
        values = recorded_OBS(t, step, u, t, u, params, runtime_ws, lane)
        push_trace(t, values, TRACE, lane, trace_buf, trace_count, traces)


def extremum_OBS(
    t, rising, step, u, lane, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    value = value_OBS(t, step, u, t, u, params, runtime_ws, lane)
    peak_OBS(t, value, rising, lane, analysis_ws, analysis_out, trace_buf, trace_count, traces)


def resting_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    """Of a flow with events: where it begins, and that it has gone nowhere yet."""
    u = load_rows(y_curr, 0, N, lane)
    analysis_ws[REACHED, lane] = value_OBS(t, step, u, t, u, params, runtime_ws, lane)
    analysis_ws[GOES, lane] = 0.0


def goes_OBS(change, before):
    """1 up, -1 down, `before` where nothing changes."""
    return select(change > 0.0, 1.0, select(change < 0.0, -1.0, before))


def corner_OBS(t, change, value, lane, analysis_ws, analysis_out, trace_buf, trace_count, traces):
    """Where an event makes the expression go on by `change`, it may have turned at `value`."""
    before = analysis_ws[GOES, lane]
    after = goes_OBS(change, before)
    analysis_ws[GOES, lane] = after
    if before * after < 0.0:
        found = True
        if FALLING:
            found = after < 0.0
        if RISING:
            found = after > 0.0
        if found:
            peak_OBS(
                t, value, after > 0.0, lane,
                analysis_ws, analysis_out, trace_buf, trace_count, traces,
            )  # fmt: skip


def jumped_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    """After a step: what events made of its end."""
    u = load_rows(y_curr, 0, N, lane)
    value = value_OBS(t, step, u, t, u, params, runtime_ws, lane)
    before = analysis_ws[REACHED, lane]
    change = value - before
    if abs_(change) > 1e-12 * (abs_(value) + abs_(before)):  # times are rounded
        corner_OBS(
            t, change, before, lane, analysis_ws, analysis_out, trace_buf, trace_count, traces
        )
    analysis_ws[REACHED, lane] = value


def leaving_OBS(
    lane, t, h, step, u, v, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    """For each piece of a step: what events made of its start; where it is at its end."""
    value = value_OBS(t, step, u, t, u, params, runtime_ws, lane)
    before = analysis_ws[REACHED, lane]
    change = value - before
    if abs_(change) > 1e-12 * (abs_(value) + abs_(before)):
        corner_OBS(
            t, change, before, lane, analysis_ws, analysis_out, trace_buf, trace_count, traces
        )
    rate = height_OBS(t, step, u, t, u, params, runtime_ws, lane) * h
    corner_OBS(t, rate, value, lane, analysis_ws, analysis_out, trace_buf, trace_count, traces)
    rate = height_OBS(t + h, step + 1, v, t, u, params, runtime_ws, lane) * h
    analysis_ws[GOES, lane] = goes_OBS(rate, 0.0)
    analysis_ws[REACHED, lane] = value_OBS(t + h, step + 1, v, t, u, params, runtime_ws, lane)


def unturned_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    u = load_rows(y_curr, 0, N, lane)
    analysis_ws[BEFORE, lane] = value_OBS(t, step, u, t, u, params, runtime_ws, lane)
    analysis_ws[EARLIER, lane] = nan


def turn_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    """Of a map, whose iterate before this one may lie above or below both its neighbours."""
    u = load_rows(y_curr, 0, N, lane)
    value = analysis_ws[BEFORE, lane]
    earlier = analysis_ws[EARLIER, lane]
    now = value_OBS(t, step, u, t, u, params, runtime_ws, lane)
    analysis_ws[EARLIER, lane] = value
    analysis_ws[BEFORE, lane] = now
    highest = (value > earlier) & (value >= now)
    lowest = (value < earlier) & (value <= now)
    found = highest | lowest
    if FALLING:
        found = highest
    if RISING:
        found = lowest
    if found:
        at = t - 1.0
        peak_OBS(at, value, lowest, lane, analysis_ws, analysis_out, trace_buf, trace_count, traces)


def peak_OBS(t, value, rising, lane, analysis_ws, analysis_out, trace_buf, trace_count, traces):
    hit_OBS(t, analysis_ws, analysis_out, lane)
    first = analysis_out[OUT, lane] == 1.0
    if first or value < analysis_out[OUT + 4, lane]:
        analysis_out[OUT + 4, lane] = value
    if first or value > analysis_out[OUT + 5, lane]:
        analysis_out[OUT + 5, lane] = value
    if TRACED:
        row = (value,)
        if BOTH:
            row = (value, select(rising, -1.0, 1.0))
        push_trace(t, row, TRACE, lane, trace_buf, trace_count, traces)


def end_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    spans = analysis_out[OUT, lane] - 1.0
    span = analysis_out[OUT + 2, lane] - analysis_out[OUT + 1, lane]
    analysis_out[OUT + 3, lane] = select(spans > 0.0, abs_(span) / spans, nan)
