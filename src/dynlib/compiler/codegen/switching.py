"""Finding the next switch with time: what `dynlib.compiler.codegen.switch_text` makes text of.

Times are looked for in the direction of the run: `way` is -1 where it goes backwards.  The words
in capitals are numbers that are put in.
"""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

__all__ = ["SWITCH_HELPERS", "next_switch", "note_switch", "plan_switch", "switched"]


def note_switch(level, slope, size, whole, t, way, last, ahead, end):
    """Take into account where one level, looked at from `t`, passes zero or a whole number.

    `last` is up to where switches that are indistinguishable from `t` may reach, `ahead` the next
    one, `end` from where on it, or another one near it, may be felt.
    """
    d = slope * way
    noise = max_(ROUNDING * size, TINY)
    target = 0.0
    if whole == 1:
        low = floor(level - 0.5 * noise) + 1.0
        high = ceil(level + 0.5 * noise) - 1.0
        target = select(d > 0.0, low, high)
    distance = (target - level) / d
    blur = noise / abs_(d) + ROUNDING * (abs_(t) + abs_(distance))
    there = way * t + distance
    if distance > -0.5 * blur and blur < inf:
        if distance <= blur:
            last = max_(last, there + blur)
        else:
            ahead = min_(ahead, there)
            end = min_(end, there - blur)
    return last, ahead, end


def plan_switch(t, t_end, p, ws, lane):
    """Keep the next switch after `t`, and the stretch of time that steps up to it may see.

    Switches that come faster than time is resolved are noise, and not looked for.
    """
    way = copysign(1.0, t_end - t)
    last = way * t
    ahead = inf
    end = inf
    settled = False
    for _ in range(4):
        if not settled:
            start = last
            last, ahead, end = scan_switches(way * start, way, start, p, ws, lane)
            settled = last == start
    if not settled:
        ahead = inf
        end = inf
    ws[SWITCH, lane] = way * ahead
    ws[SWITCH + 1, lane] = min_(way * last, way * end)
    ws[SWITCH + 2, lane] = max_(way * last, way * end)


def next_switch(fresh, t, t_end, p, ws, lane):
    """Plan, where a run begins or goes on afresh."""
    if fresh != 0:
        plan_switch(t, t_end, p, ws, lane)


def switched(t, fresh, ws, lane):
    """What of the stepper is void: after a step that ended on a switch, memory and step size."""
    return select((fresh == 0) & (t == float(ws[SWITCH, lane])), 1, fresh)


SWITCH_HELPERS = (note_switch, plan_switch, next_switch, switched)
