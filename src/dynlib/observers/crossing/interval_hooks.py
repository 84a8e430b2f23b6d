"""What is done at the events of `intervals`, and at a first passage."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

__all__ = [
    "already_OBS",
    "begun_OBS",
    "event_OBS",
    "intervals_end_OBS",
    "passage_OBS",
    "passed_OBS",
]


def event_OBS(
    t, rising, step, u, lane, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    """Count; add the interval to mean and scatter (Welford, Technometrics 4 (1962) 419)."""
    count = analysis_out[OUT, lane] + 1.0
    gap = abs_(t - analysis_out[OUT + 2, lane])
    analysis_out[OUT, lane] = count
    analysis_out[OUT + 2, lane] = t
    if count == 1.0:
        analysis_out[OUT + 1, lane] = t
        analysis_ws[TRAIN, lane] = 1.0
    else:
        analysis_out[OUT + 3, lane] = gap
        off = gap - analysis_ws[MEAN, lane]
        analysis_ws[MEAN, lane] += off / (count - 1.0)
        analysis_ws[SCATTER, lane] += off * (gap - analysis_ws[MEAN, lane])
        analysis_ws[TOTAL, lane] += gap
        if int(count) % 2 == 1:  # two intervals make the shortest batch
            fill_OBS(count - 1.0, lane, analysis_ws, analysis_out)
        if BURSTS:
            if gap > BURST_GAP:
                analysis_ws[TRAIN, lane] = 1.0
            else:
                analysis_ws[TRAIN, lane] += 1.0
                analysis_ws[WITHIN, lane] += 1.0
                if analysis_ws[TRAIN, lane] == 2.0:
                    analysis_ws[WITHIN, lane] += 1.0
                    analysis_out[OUT + 8, lane] += 1.0
    if TRACED:
        push_trace(t, (analysis_out[OUT + 3, lane],), TRACE, lane, trace_buf, trace_count, traces)


def intervals_end_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    n = analysis_out[OUT, lane] - 1.0
    mean = select(n > 0.0, analysis_ws[MEAN, lane], nan)
    sd = nan
    if n > 1.0:
        sd = sqrt(max_(analysis_ws[SCATTER, lane], 0.0) / (n - 1.0))
    analysis_out[OUT + 4, lane] = mean
    analysis_out[OUT + 5, lane] = sd
    analysis_out[OUT + 6, lane] = sd / mean
    analysis_out[OUT + 7, lane] = error_OBS(0, 0.0, lane, analysis_ws)
    if BURSTS:
        bursts = analysis_out[OUT + 8, lane]
        analysis_out[OUT + 9, lane] = select(bursts > 0.0, analysis_ws[WITHIN, lane] / bursts, nan)


def passage_OBS(
    t, rising, step, u, lane, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    if analysis_ws[DONE_ROW, lane] == 0.0:
        analysis_ws[DONE_ROW, lane] = 1.0
        analysis_out[OUT, lane] = t


def passed_OBS(t, step, u, params, runtime_ws, lane, analysis_ws, analysis_out):
    """The condition may hold at an instant to which no crossing led."""
    holds = holds_OBS(t, step, u, t, u, params, runtime_ws, lane)[0]
    first = holds & (analysis_ws[DONE_ROW, lane] == 0.0)
    analysis_out[OUT, lane] = select(first, t, analysis_out[OUT, lane])
    analysis_ws[DONE_ROW, lane] = select(first, 1.0, analysis_ws[DONE_ROW, lane])


def already_OBS(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    """At the start; after the action of an event, or an iteration."""
    u = load_rows(y_curr, 0, N, lane)
    passed_OBS(t, step, u, params, runtime_ws, lane, analysis_ws, analysis_out)


def begun_OBS(lane, t, h, step, u, v, params, runtime_ws, analysis_ws, analysis_out):
    """Where a piece of a step begins: events act there too."""
    passed_OBS(t, step, u, params, runtime_ws, lane, analysis_ws, analysis_out)
