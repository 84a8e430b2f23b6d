"""Hooks of `stroboscopic`.  The row NEXT holds the number of the next flash."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

__all__ = ["inside_OBS", "post_OBS", "sees_OBS", "slack_OBS", "start_OBS"]


def slack_OBS(t, period):
    """Times as close as this are one time."""
    return 1e-12 * max_(abs_(t), period)


def start_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    u = load_rows(y_curr, 0, N, lane)
    period, phase = times_OBS(t, step, u, t, u, params, runtime_ws, lane)
    slack = slack_OBS(t, period)
    analysis_ws[NEXT, lane] = floor((t + slack - phase) / period) + 1.0
    if dt < 0.0:
        analysis_ws[NEXT, lane] = ceil((t - slack - phase) / period) - 1.0


def sees_OBS(t, t_end, h, step, u, v, params, runtime_ws, lane):
    period, phase = times_OBS(t, step, u, t, u, params, runtime_ws, lane)
    slack = 2.0 * max_(slack_OBS(t, period), slack_OBS(t + h, period))
    first = min_(t, t + h) - slack
    last = max_(t, t + h) + slack
    return floor((first - phase) / period) != floor((last - phase) / period)


def inside_OBS(
    lane, t, t_end, h, end, step, u, v, d, m, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    """Take steps of the method itself to the flashes within this one."""
    period, phase = times_OBS(t, step, u, t, u, params, runtime_ws, lane)
    sign = select(h < 0.0, -1.0, 1.0)
    slack = slack_OBS(t + h, period)
    limit = t + end * h + sign * slack
    memory = m
    if MULTISTEP:
        memory = restart(t, step, u, params, runtime_ws, lane)
    if period > 0.0:
        for _ in range(16):
            time = phase + analysis_ws[NEXT, lane] * period
            if (time - limit) * sign > 0.0:
                break
            theta = min_(max_((time - t) / h, 0.0), end)
            w = v
            if abs_(time - (t + h)) > slack:
                w, _k = attempt(t, theta * h, step, u, memory, params, runtime_ws, lane)
            met_OBS(
                time, True, step, w, lane, params, runtime_ws,
                analysis_ws, analysis_out, trace_buf, trace_count, traces,
            )  # fmt: skip
            analysis_ws[NEXT, lane] += sign
        time = phase + analysis_ws[NEXT, lane] * period
        if (time - limit) * sign <= 0.0:
            left_out = floor((limit - time) * sign / period) + 1.0
            analysis_out[OUT + 4, lane] += left_out
            analysis_ws[NEXT, lane] += sign * left_out


def post_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    if (step - PHASE) % PERIOD == 0:
        u = load_rows(y_curr, 0, N, lane)
        met_OBS(
            t, True, step, u, lane, params, runtime_ws,
            analysis_ws, analysis_out, trace_buf, trace_count, traces,
        )  # fmt: skip
