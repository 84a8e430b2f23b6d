"""Whether a step passes without any event, as text for all lanes of a block alike."""

from __future__ import annotations

from collections.abc import Sequence

from dynlib.compiler.codegen.crossing_text import SCAN_POINTS
from dynlib.compiler.codegen.event_text import EventText
from dynlib.compiler.codegen.layout import looks_back
from dynlib.compiler.codegen.model_text import EXAMINE
from dynlib.steppers.text import function

__all__ = ["QuietText"]


class QuietText(EventText):
    """The events of a model, as the vector loop looks at them: without branches or effects."""

    def emit_quiet(self) -> str:
        """Whether a step passes without any event, for all lanes of a block alike."""
        lines = ["noisy = False"]
        for e, event in enumerate(self.watched):
            back = looks_back(event.cond)
            if back and event.phase == "start":  # about the step before, which nobody keeps here
                lines.append("noisy = True")
                continue
            if e == len(self.events):  # a stop that held before has ended the run
                lines.append(f"noisy = noisy | cond_{e}({EXAMINE})")
                continue
            lines.append(f"was = {self._began(e) if self._momentary(e) else self._was(e)}")
            looks = []
            if event.phase in ("end", "both"):
                looks.append(f"cond_{e}({EXAMINE})")
            if event.phase in ("start", "both") and not back:
                looks.append(f"cond_{e}(tp, step - 1, up, tp, up, p, ws, lane)")
            for look in looks:
                lines += [f"holds = {look}", "noisy = noisy | (holds != was)"]
                if event.direction is None:
                    lines.append("noisy = noisy | holds")
        texts = [function("quiet", EXAMINE, [*lines, "return not_(noisy)"])]
        if self._located() and self.layout.stepper.adaptive:
            texts.append(self._quiet_inside(self._located()))
        return "\n".join(texts)

    def _quiet_inside(self, located: Sequence[int]) -> str:
        lasting = [e for e in located if not self._passing(e)]
        passing = [e for e in located if self._passing(e)]
        lines = ["noisy = False"]
        lines += [f"was_{e} = {self._was(e)}" for e in lasting if e < len(self.events)]
        if passing:
            lines += ["tl = t", "ul = u"]
        for j in range(1, SCAN_POINTS + bool(passing)):
            lines += [f"theta = {j / SCAN_POINTS!r}", "v = interpolate(theta, h, u, u_new, d)"]
            if j == SCAN_POINTS:
                lines[-1] = "v = u_new"
            for e in lasting if j < SCAN_POINTS else ():
                holds = f"cond_{e}(t + theta * h, step, v, t, u, p, ws, lane)"
                stop = e == len(self.events)
                lines.append(f"noisy = noisy | {holds if stop else f'({holds} != was_{e})'}")
            for e in passing:
                holds = f"cond_{e}(t + theta * h, step, v, tl, ul, p, ws, lane)"
                began = f"cond_{e}(tl, step, ul, tl, ul, p, ws, lane)"
                lines.append(f"noisy = noisy | ({holds} != {began})")
            if passing:
                lines += ["tl = t + theta * h", "ul = v"]
        args = "t, h, step, u, u_new, d, p, ws, lane"
        return function("quiet_inside", args, [*lines, "return not_(noisy)"])
