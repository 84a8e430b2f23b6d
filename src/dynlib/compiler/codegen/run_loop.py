"""The run loop: the one function from which all ordinary runners are made.

`specialize` folds the flags (names in capitals that stand alone in an `if`) out of this text, for
a `RunnerVariant`, then for a model.  The rest is compiled with the model's functions as globals.
Three rules (docs/design.md) keep it short: one exit, room before effects, pieces of steps.
"""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.slots import Clock, Count
from dynlib.abi.status import Status

__all__ = ["run_loop"]


def run_loop(
    lane, clock, count, y, y_prev, p, mem, ws, options, tolerances,
    rec_t, rec_y, rec_aux, sel_y, sel_aux, samples,
    evt_t, evt_step, evt_id, evt_log,
    analysis_ws, analysis_out, trace_buf, trace_count, traces,
):  # fmt: skip
    status = Status.OK
    u = load_rows(y, 0, N_STATES, lane)
    m = 0.0
    if MEMORY:
        m = load_rows(mem, 0, N_MEMORY, lane)
    clock_out, count_out = clock, count
    clock = load_values(clock, N_CLOCK)
    count = load_values(count, N_COUNT)
    t = clock[Clock.T]
    dt = clock[Clock.DT]
    t_end = clock[Clock.T_END]
    step = count[Count.STEP]
    row = count[Count.ROW]
    event_row = count[Count.EVENT_ROW]
    next_record = count[Count.NEXT_RECORD]
    sample = count[Count.SAMPLE]
    budget = count[Count.BUDGET]
    accepted = count[Count.ACCEPTED]
    fresh = count[Count.FRESH]
    cuts = count[Count.CUTS]
    started = count[Count.STARTED]
    stopped = count[Count.STOPPED]
    if ANALYSIS:
        observed_from = count[Count.OBSERVED_FROM]
    if EVENTS:
        if fresh == 2:
            init_events(t, step, u, p, ws, lane)
    if LOOKS_BACK:
        if fresh == 2:
            push_step_start(ws, t, u, lane)
    if ADAPTIVE:
        rejected = count[Count.REJECTED]
        last = clock[Clock.ERROR]
        retry = count[Count.RETRY]
        if SWITCHES:
            next_switch(fresh, t, t_end, p, ws, lane)
        if dt == 0.0:
            dt = first_step(t, t_end, step, u, p, ws, options, tolerances, lane)
        dt = within_bounds(t, dt, options)

    if LOCATED:
        jumped = False
    if PACKS:
        tangents = load_packs(analysis_ws, N_STATES, N_TANGENTS, lane)

    while True:
        if ANALYSIS:
            if step == observed_from and cuts == 0:
                store_rows(y, 0, lane, u)
                if PREVIOUS:
                    store_rows(y_prev, 0, lane, u)
                if PACKS:
                    store_packs(analysis_ws, N_TANGENTS, lane, tangents)
                ANALYSIS_START(lane, t, dt, step, y, y_prev, p, ws,
                    analysis_ws, analysis_out, trace_buf, trace_count, traces)  # fmt: skip
                if PACKS:
                    tangents = load_packs(analysis_ws, N_STATES, N_TANGENTS, lane)
                observed_from = step - 1
        if TRACES:
            if not trace_room(step, observed_from, lane, trace_buf, trace_count, traces):
                status = Status.TRACE_OVERFLOW
                break
        if cuts == 0:
            if SAMPLED:
                while sample < count[Count.SAMPLES] and samples[sample] == t:
                    rec_t[row] = t
                    record(row, t, step, u, y, p, ws, rec_y, rec_aux, sel_y, sel_aux, count, lane)
                    row += 1
                    sample += 1
            else:
                if step == next_record:
                    if row >= count[Count.ROWS]:
                        status = Status.GROW_REC
                        break
                    rec_t[row] = t
                    record(row, t, step, u, y, p, ws, rec_y, rec_aux, sel_y, sel_aux, count, lane)
                    row += 1
                    next_record += count[Count.STRIDE]
            if STOPS:
                if stopped == 1:
                    status = Status.EARLY_EXIT
                    break
            if ADAPTIVE:
                done = (t_end - t) * copysign(1.0, dt) <= 0.0
            else:
                done = step >= count[Count.STEP_END]
            if done:
                status = Status.DONE
                break
            if step >= count[Count.STEP_LIMIT]:
                status = Status.MAX_STEPS
                break
        if PIECEMEAL:
            if accepted >= count[Count.PIECE_LIMIT]:
                status = Status.MAX_STEPS
                break
        if budget <= 0:
            break
        budget -= 1
        if EVENTS:
            if event_row + EVENT_ROOM > count[Count.EVENT_ROWS]:
                status = Status.GROW_EVT
                break
        if cuts == 0 and started != step:
            if STARTS:
                t_old = t
                u_old = u
                if LOOKS_BACK:
                    t_old, u_old = step_start(ws, lane)
            if STOP_START:
                if stopped == 0 and stop_condition(t, step, u, t_old, u_old, p, ws, lane):
                    stopped = 1
                    status = Status.EARLY_EXIT
                    break
                stopped = 0
            started = step
            if START_EVENTS:
                u, event_row, touched = start_events(
                    t, step, u, t_old, u_old, p, ws, event_row,
                    evt_t, evt_step, evt_id, evt_log, lane, analysis_ws)  # fmt: skip
                if touched:
                    fresh = 1
                    if not all_finite(u):
                        status = Status.NAN_DETECTED
                        break
            if LAGS:
                push_lags(ws, step, u, lane)
            if LOOKS_BACK:
                push_step_start(ws, t, u, lane)
            if ANALYSIS:
                if PRE_HOOK:
                    if DISCRETE:
                        dt = 1.0
                    store_rows(y, 0, lane, u)
                    ANALYSIS_PRE(lane, t, dt, step, y, y_prev, p, ws,
                        analysis_ws, analysis_out, trace_buf, trace_count, traces)  # fmt: skip
                if PREVIOUS:
                    store_rows(y_prev, 0, lane, u)

        if DISCRETE:
            h = 1.0
            t_next = step + 1.0
        elif ADAPTIVE:
            if SWITCHES:
                next_switch(fresh, t, t_end, p, ws, lane)
            if fresh == 1:
                last = 0.0
                dt = shorter(dt, first_step(t, t_end, step, u, p, ws, options, tolerances, lane))
            if uneven(t, dt, options):
                dt = within_bounds(t, dt, options)
            goal = t_end
            if SWITCHES:
                goal = nearer(t, t_end, float(ws[SWITCH, lane]))
            if reaches(t, dt, goal):  # not chosen from both: nothing waits for a branch
                h, t_next = goal - t, goal
            else:
                h, t_next = dt, t + dt
        else:
            h = dt
            t_next = clock[Clock.ORIGIN] + (step + 1) * dt
            if step + 1 == count[Count.STEP_END]:
                h = clock[Clock.DT_LAST]
                t_next = t_end
            if LOCATED:
                if cuts > 0:
                    h = t_next - t
            if MULTISTEP:
                if h != dt:
                    fresh = 1
        if fresh != 0:
            if LOCATED:
                jumped = True
            if MEMORY:
                m = restart(t, step, u, p, ws, lane)
                if VARIATIONAL:
                    restart_tangents(t, step, u, p, ws, analysis_ws, lane)
            fresh = 0
        if PACKS:
            u_new, k, tangents = runner_variational_step(t, h, step, u, tangents, m, p, ws, lane)
        elif OWN_STEP:
            u_new, k = runner_variational_step(t, h, step, u, m, p, ws, analysis_ws, lane)
        else:
            u_new, k = attempt(t, h, step, u, m, p, ws, lane)
        if ADAPTIVE:
            error = error_norm(h, u, u_new, k, options, tolerances, lane)
            if not error <= 1.0:
                rejected += 1
                dt = h * step_factor(error_level(error), False, last, retry, options)
                retry = 1
                if given_up(t, h, options):
                    dt = h
                    status = Status.STEPFAIL
                    break
                continue
        if not all_finite(u_new):
            status = Status.NAN_DETECTED
            break
        theta = 2.0
        if LOCATED:
            if ADAPTIVE:
                look = True
            else:
                look = jumped or any_crossing(t_next, step + 1, u_new, t, u, p, ws, lane)
            if look:
                d = dense(t, h, step, u, u_new, k, p, ws, lane)
                theta = first_crossing(t, h, step + 1, u, u_new, d, jumped, p, ws, lane)
            jumped = False
        cut = theta <= 1.0
        if cut:
            t_next = t + theta * h
        if PIECES:
            length = h
            v = u_new
            if LOCATED:
                if cut:
                    length = theta * h
                    v = inside(theta, h, u, u_new, d)
        if ALONG_HOOK:
            ANALYSIS_ALONG(lane, t, length, step, u, v, p, ws, analysis_ws, analysis_out)
        if PIECE_HOOK:
            ANALYSIS_PIECE(lane, t, length, step, u, v, p, ws,
                analysis_ws, analysis_out, trace_buf, trace_count, traces)  # fmt: skip
        if INSIDE_HOOK:
            if ADAPTIVE:
                seen = True
            else:
                seen = cut or ANALYSIS_SEES(t, t_next, h, step, u, u_new, p, ws, lane)
            if seen:
                d = dense(t, h, step, u, u_new, k, p, ws, lane)
                ANALYSIS_INSIDE(lane, t, t_next, h, min_(theta, 1.0), step, u, u_new, d, m, p, ws,
                    analysis_ws, analysis_out, trace_buf, trace_count, traces)  # fmt: skip
        if SAMPLED:
            way = copysign(1.0, h)
            if sample < count[Count.SAMPLES] and (t_next - samples[sample]) * way > 0.0:
                d = dense(t, h, step, u, u_new, k, p, ws, lane)
                while sample < count[Count.SAMPLES] and (t_next - samples[sample]) * way > 0.0:
                    ts = samples[sample]
                    us = interpolate((ts - t) / h, h, u, u_new, d)
                    rec_t[row] = ts
                    record(row, ts, step + 1, us, y, p, ws,
                        rec_y, rec_aux, sel_y, sel_aux, count, lane)  # fmt: skip
                    row += 1
                    sample += 1
        if ADAPTIVE:
            level = error_level(error)
            factor = step_factor(level, True, last, retry, options)
            dt = next_step_size(h, dt, factor, options)
            last = last_level(level)
            retry = 0
        u_old = u
        t_old = t
        accepted += 1
        t = t_next
        if LOCATED:
            if cut:
                u = inside(theta, h, u_old, u_new, d)
                v = inside(0.5 * theta, h, u_old, u_new, d)
                zeno = crowded(t, theta, cuts, u_old, v, u, ws, lane)
                if VARIATIONAL:
                    cut_tangents(theta, options, t_old, h, step, u_old, m, p, ws, analysis_ws, lane)
                u, event_row, touched = located_events(
                    t, step + 1, u, t_old, u_old, p, ws, event_row,
                    evt_t, evt_step, evt_id, evt_log, lane, analysis_ws)  # fmt: skip
                if FOLLOWED:
                    u, event_row, _more = followed_events(
                        t, step + 1, u, t_old, u_old, p, ws, event_row,
                        evt_t, evt_step, evt_id, evt_log, lane, analysis_ws)  # fmt: skip
                fresh = 1
                if touched and not all_finite(u):
                    status = Status.NAN_DETECTED
                    break
                if STOP_LOCATED:
                    if stop_here(t, step + 1, u, t_old, u_old, p, ws, lane):
                        stopped = 1
                        zeno = False
                if zeno:
                    status = Status.ZENO
                    break
                if PIECEMEAL:
                    if stopped != 1:
                        cuts += 1
                        continue
            else:
                u = u_new
                if PENDING:
                    if ADAPTIVE:
                        settle_tangents(options, t_old, h, step, u_old, m, p, ws, analysis_ws, lane)
                    else:
                        commit_tangents(analysis_ws, lane)
                if MEMORY:
                    m = next_memory(m, k)
        else:
            u = u_new
            if PENDING:
                if ADAPTIVE:
                    settle_tangents(options, t_old, h, step, u_old, m, p, ws, analysis_ws, lane)
                else:
                    commit_tangents(analysis_ws, lane)
            if MEMORY:
                m = next_memory(m, k)
        if MULTISTEP:
            if h != dt:
                fresh = 1
        if ADJUSTED:
            fresh = 1
        if SWITCHES:
            fresh = switched(t, fresh, ws, lane)
        step += 1
        cuts = 0
        if END_EVENTS:
            u, event_row, touched = end_events(
                t, step, u, t_old, u_old, p, ws, event_row,
                evt_t, evt_step, evt_id, evt_log, lane, analysis_ws)  # fmt: skip
            if touched:
                fresh = 1
                if not all_finite(u):
                    status = Status.NAN_DETECTED
                    break
        if STOP_LOCATED:
            if stop_at_end(t, step, u, t_old, u_old, p, ws, lane):
                stopped = 1
        if LOOKS_BACK:
            t_old, u_old = step_start(ws, lane)
        if STOP_END:
            if stop_condition(t, step, u, t_old, u_old, p, ws, lane):
                stopped = 1
        if POST_HOOK:
            store_rows(y, 0, lane, u)
            ANALYSIS_POST(lane, t, h, step, y, y_prev, p, ws,
                analysis_ws, analysis_out, trace_buf, trace_count, traces)  # fmt: skip
        if EVERY_HOOK:
            if step % EVERY == 0:
                store_rows(y, 0, lane, u)
                if PACKS:
                    store_packs(analysis_ws, N_TANGENTS, lane, tangents)
                ANALYSIS_EVERY(lane, t, h, step, y, y_prev, p, ws,
                    analysis_ws, analysis_out, trace_buf, trace_count, traces)  # fmt: skip
                if PACKS:
                    tangents = load_packs(analysis_ws, N_STATES, N_TANGENTS, lane)
        if OBSERVERS_STOP:
            wanted = analysis_ws[STOP_ROW, lane] != 0.0 and step > observed_from
            if wanted and stopped == 0:
                stopped = 1

    if LOCATED:
        if jumped:
            fresh = -1
    store_rows(y, 0, lane, u)
    if PACKS:
        store_packs(analysis_ws, N_TANGENTS, lane, tangents)
    if END_HOOK:
        if step > observed_from:
            ANALYSIS_END(lane, t, dt, step, y, y_prev, p, ws,
                analysis_ws, analysis_out, trace_buf, trace_count, traces)  # fmt: skip
    if MEMORY:
        store_rows(mem, 0, lane, m)
    clock_out[Clock.T] = t
    clock_out[Clock.DT] = dt
    if ADAPTIVE:
        clock_out[Clock.ERROR] = last
        count_out[Count.REJECTED] = rejected
        count_out[Count.RETRY] = retry
    count_out[Count.STEP] = step
    count_out[Count.ROW] = row
    count_out[Count.EVENT_ROW] = event_row
    count_out[Count.NEXT_RECORD] = next_record
    count_out[Count.SAMPLE] = sample
    count_out[Count.BUDGET] = budget
    count_out[Count.ACCEPTED] = accepted
    count_out[Count.FRESH] = fresh
    count_out[Count.CUTS] = cuts
    count_out[Count.STARTED] = started
    count_out[Count.STOPPED] = stopped
    if ANALYSIS:
        count_out[Count.OBSERVED_FROM] = observed_from
    return status
