"""Where the conditions of a model's events change, as text.

A condition is looked at where a step ends, or in several places of it; what changes there is
located (`dynlib.compiler.codegen.locate`), and the step cut where something changes first.
"""

from __future__ import annotations

from collections.abc import Sequence

from dynlib.compiler.codegen import locate
from dynlib.compiler.codegen.layout import Layout, compares_ends, looks_back
from dynlib.compiler.codegen.model_text import EXAMINE, ModelText
from dynlib.compiler.codegen.templates import template_of
from dynlib.steppers.text import function

__all__ = ["EARLY_POINTS", "INSTANT", "SCAN_POINTS", "CrossingText"]

SCAN_POINTS = 8  # places at which an adaptive step is looked at
EARLY_POINTS = 60  # more of them after a jump, each twice as far from the start as the one before
INSTANT = 8.0  # resolutions: crossings closer together than this are one instant


class CrossingText:
    """Writes the functions that look for what changes in a step."""

    def __init__(self, text: ModelText) -> None:
        self.text = text
        self.layout: Layout = text.layout
        self.events = self.layout.spec.events
        self.watched = self.layout.watched

    def _located(self) -> list[int]:
        return [e for e, event in enumerate(self.watched) if self.layout.located(event)]

    def _passing(self, e: int) -> bool:
        return self.layout.passing(self.watched[e])

    def _momentary(self, e: int) -> bool:
        """Whether the condition compares with the start of the step, where it is thus not met.

        Whether a whole step was an ``increasing(x)`` one is remembered; that ``x`` has crossed a
        threshold is over when the next step begins.
        """
        cond = self.watched[e].cond
        return looks_back(cond) and not compares_ends(cond)

    def _places(self) -> dict[str, str]:
        points = SCAN_POINTS if self.layout.stepper.adaptive else 1
        return {"SCAN_POINTS": str(points), "EARLY_POINTS": str(EARLY_POINTS)}

    def _location(self, located: Sequence[int]) -> list[str]:
        """The functions that look for crossings."""
        texts = [self._locate(e) for e in located]
        return [*texts, self._any_crossing(located), self._first_crossing(located)]

    def _search_words(self, e: int) -> dict[str, object]:
        """What is filled into the templates of the search for crossings."""
        event, passing = self.watched[e], self._passing(e)
        return {
            **self._places(),
            "LEVEL": event.level is not None,
            "RISING": event.direction in (None, "rising"),
            "FALLING": event.direction == "falling",
            "PASSING": passing,
            "T": "tp" if passing else "t",
            "U": "up" if passing else "u",
        }

    def _locate(self, e: int) -> str:
        words = {**self._search_words(e), "TRUTH": self.layout.truth(e)}
        return "\n".join(template_of(each).text(words, str(e)) for each in locate.SEARCH)

    def _was(self, e: int) -> str:
        """What the condition was when it was last looked at."""
        return f"ws[{self.layout.truth(e)}, lane] != 0"

    def _seen(self, e: int) -> str:
        """What a condition looks at at the end of a step or a piece of it."""
        return EXAMINE.replace("tp, up", "tl, ul") if self._passing(e) else EXAMINE

    def _began(self, e: int, start: str = "tp, up") -> str:
        """What the condition is at the start of a step, before it has a past."""
        t, u = start.split(", ")
        return f"cond_{e}({t}, step, {u}, {t}, {u}, p, ws, lane)"

    def _wanted(self, e: int, holds: str, was: str, *, changed_only: bool) -> str:
        """Whether the event is to be taken now that its condition is `holds` and was `was`."""
        match self.watched[e].direction:
            case "rising":
                return f"{holds} and not ({was})"
            case "falling":
                return f"{was} and not {holds}"
            case "either":
                return f"{holds} != ({was})"
        return f"{holds} and not ({was})" if changed_only else holds

    def _any_crossing(self, events: Sequence[int]) -> str:
        lines = ["found = False"]
        if self.layout.any_passing:
            lines.append("push_look_start(ws, tp, up, lane)")
        for e in events:
            wanted = self._wanted(e, "holds", self._was(e), changed_only=True)
            lines += self._begin(e, self._began(e))
            lines += [f"holds = cond_{e}({EXAMINE})", f"found = found or ({wanted})"]
        return function("any_crossing", EXAMINE, [*lines, "return found"])

    def _begin(self, e: int, began: str) -> list[str]:
        """The line with which a new step forgets that something was crossed in the last one."""
        return [f"ws[{self.layout.truth(e)}, lane] = {began}"] if self._momentary(e) else []

    def _first_crossing(self, events: Sequence[int]) -> str:
        """Where the step is to be cut; what changes there is remembered as not changed yet.

        Crossings at one instant, as far as it can be located, are taken together.  At the instant
        of the step's end, the step is left whole.
        """
        args = "t, h, step, u, u_new, d, jumped, p, ws, lane"
        lines = []
        for e in events:
            lines += [*self._begin(e, self._began(e, "t, u")), f"theta_{e} = crossing_{e}({args})"]
        lines.append(f"theta = theta_{events[0]}")
        lines += [f"theta = min_(theta, theta_{e})" for e in events[1:]]
        if self.layout.any_passing:
            lines += self._place_before()
        lines += ["if theta > 1.0:", "    return theta"]
        lines.append(f"instant = min_(theta + {INSTANT} * resolution(t, h), 1.0)")
        if len(events) > 1:
            for e in events:
                lines += [f"if theta_{e} <= instant:", f"    theta = max_(theta, theta_{e})"]
        lines += ["v = inside(theta, h, u, u_new, d)", "whole = instant == 1.0"]
        for e in events:
            past = "tl, ul" if self._passing(e) else "t, u"
            there = f"cond_{e}(t + theta * h, step, v, {past}, p, ws, lane)"
            end = f"cond_{e}(t + h, step, u_new, {past}, p, ws, lane)"
            lines += [
                f"if theta_{e} <= theta:",
                f"    there = {there}",
                f"    ws[{self.layout.truth(e)}, lane] = not_(there)",
                f"    whole = whole and {end} == there",
            ]
        lines += ["if whole:"]
        lines += [
            f"    ws[{self.layout.held(e)}, lane] *= theta_{e} > theta"
            for e in events
            if e < len(self.events) and self.events[e].direction is None
        ]
        lines += ["    theta = 2.0", "return theta"]
        return function("first_crossing", args, lines)

    def _place_before(self) -> list[str]:
        """Lines that keep the place before the crossing, from where what passes is looked at."""
        return [
            "left = place_before(min_(theta, 1.0), jumped)",
            "tl = t + left * h",
            "ul = inside(left, h, u, u_new, d)",
            "push_look_start(ws, tl, ul, lane)",
        ]
