"""Switches of a right-hand side with time, as text: steps of an adaptive method end on them.

A run goes from switch to switch.  `plan_switch` looks for the next one, which the run loop treats
like the end of the run; after it the method starts afresh, as after an event, since the step size
that suited what was before says nothing about what comes.  The instant of a switch is known up to
rounding, and conditions differ in whether they hold at the instant itself.  So within a step the
right-hand side does not see the time closer to a switch than that: a step that ends there sees what
was before, one that begins there what comes after.
"""

from __future__ import annotations

import inspect
import re

from dynlib.compiler.codegen.model_text import ModelText
from dynlib.compiler.codegen.switching import SWITCH_HELPERS
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
        texts = [inspect.getsource(helper) for helper in SWITCH_HELPERS]
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
