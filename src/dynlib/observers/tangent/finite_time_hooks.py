"""Hooks of finite-time exponents.  Templates: words in capitals stand for numbers and rows.

Growth is kept as in `lyapunov_hooks`, from which the orthonormalisation comes.
"""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

__all__ = ["end_OBS", "every_OBS", "start_OBS", "within_OBS"]


def start_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    orthonormalise_OBS(lane, analysis_ws)
    revive_OBS(lane, analysis_ws)
    for i in range(SIZE):
        analysis_ws[WS + i, lane] = 0.0
    for j in range(K):
        analysis_ws[CUR + j, lane] = 1.0
        analysis_ws[LEAST + j, lane] = inf
        analysis_ws[MOST + j, lane] = -inf
    analysis_ws[BEGAN, lane] = t


def within_OBS(lane, t, analysis_ws):
    orthonormalise_OBS(lane, analysis_ws)
    if analysis_ws[FLAWED, lane] != 0.0:
        if SORTED:
            zeros_last_OBS(lane, analysis_ws)
        revive_OBS(lane, analysis_ws)


def every_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    """Close a window that is long enough; means and variances as Welford's.

    A window in which a vector became zero has the exponent -inf, and so has the mean.
    """
    within_OBS(lane, t, analysis_ws)
    span = abs_(t - analysis_ws[BEGAN, lane])
    if span >= WINDOW:
        count = analysis_ws[COUNT, lane] + 1.0
        analysis_ws[COUNT, lane] = count
        analysis_ws[BEGAN, lane] = t
        for j in range(K):
            rate = growth_OBS(j, lane, analysis_ws) / span
            analysis_ws[CUR + j, lane] = 1.0
            analysis_ws[POWER + j, lane] = 0.0
            analysis_ws[RATES + j, lane] = rate
            change = rate - analysis_ws[MEAN + j, lane]
            mean = analysis_ws[MEAN + j, lane] + change / count
            if min_(rate, analysis_ws[MEAN + j, lane]) == -inf:
                mean = -inf
            analysis_ws[MEAN + j, lane] = mean
            analysis_ws[SQUARES + j, lane] += change * (rate - mean)
            analysis_ws[LEAST + j, lane] = min_(analysis_ws[LEAST + j, lane], rate)
            analysis_ws[MOST + j, lane] = max_(analysis_ws[MOST + j, lane], rate)
        rates = load_rows(analysis_ws[RATES:], 0, K, lane)
        push_trace(t, rates, TRACE, lane, trace_buf, trace_count, traces)


def end_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    count = analysis_ws[COUNT, lane]
    some = count > 0.0
    for j in range(K):
        analysis_out[OUT + j, lane] = select(some, analysis_ws[MEAN + j, lane], nan)
        variance = analysis_ws[SQUARES + j, lane] / select(count > 1.0, count - 1.0, 1.0)
        analysis_out[OUT + K + j, lane] = select(count > 1.0, sqrt(variance), nan)
        analysis_out[OUT + 2 * K + j, lane] = select(some, analysis_ws[LEAST + j, lane], nan)
        analysis_out[OUT + 3 * K + j, lane] = select(some, analysis_ws[MOST + j, lane], nan)
    analysis_out[OUT + 4 * K, lane] = count
