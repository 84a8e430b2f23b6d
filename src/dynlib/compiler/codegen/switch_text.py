"""Switches of a right-hand side with time, as text: steps of an adaptive method end on them.

A run goes from switch to switch.  `plan_switch` looks for the next one, which the run loop treats
like the end of the run; after it the method starts afresh, with the step size that it has.  The
instant of a switch is known up to rounding, and conditions differ in whether they hold at the
instant itself.  So within a step the right-hand side does not see the time closer to a switch than
that: a step that ends there sees what was before, one that begins there what comes after.

Times are looked for in the direction of the run: `way` is -1 where it goes backwards.
"""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

import inspect
import re

from dynlib.compiler.codegen.model_text import ModelText
from dynlib.steppers.text import function

__all__ = ["SwitchText"]

_ROUNDINGS = 8.0  # that a level may be off, and a time


class SwitchText:
    """Writes `plan_switch` for one model.

    Parameters
    ----------
    text
        The model.
    """

    def __init__(self, text: ModelText) -> None:
        self.text = text

    def emit(self) -> str:
        """All functions that a run loop with switches calls."""
        words = {
            "SWITCH": str(self.text.layout.switch),
            "TINY": "1e-37" if self.text.real.single else "1e-300",
            "ROUNDING": repr(_ROUNDINGS * (2.0**-23 if self.text.real.single else 2.0**-52)),
        }
        helpers = (note_switch, plan_switch, next_switch, switched)
        texts = [inspect.getsource(helper) for helper in helpers]
        texts = [
            re.sub(r"\b(SWITCH|ROUNDING|TINY)\b", lambda m: words[m[1]], each) for each in texts
        ]
        return "\n".join([texts[0], self._scan(), *texts[1:]])

    def _scan(self) -> str:
        """Go through all levels at the time `t`."""
        switches = self.text.layout.switches
        nodes = [part for each in switches for part in (each.level, each.slope, each.size)]
        lines, results = self.text.evaluate(nodes)
        lines += ["ahead = inf", "end = inf"]
        for i, each in enumerate(switches):
            given = ", ".join(f"float({part})" for part in results[3 * i : 3 * i + 3])
            call = f"note_switch({given}, {int(each.whole)}, t, way, last, ahead, end)"
            lines.append(f"last, ahead, end = {call}")
        lines.append("return last, ahead, end")
        return function("scan_switches", "t, way, last, p, ws, lane", lines)


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
    """What of the stepper is void: after a step that ended on a switch, its memory."""
    return select((fresh == 0) & (t == float(ws[SWITCH, lane])), 3, fresh)
