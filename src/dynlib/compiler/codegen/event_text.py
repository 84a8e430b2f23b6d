"""The model's events as text: conditions, actions, and the passes that take them in order.

A pass goes through the events in declared order; each one sees what those before it did.  The
truth of every condition is remembered in the workspace, so that a crossing is seen once.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence

from dynlib.compiler.codegen import locate
from dynlib.compiler.codegen.layout import Layout, compares_ends, looks_back
from dynlib.compiler.codegen.model_text import EXAMINE, ModelText
from dynlib.compiler.codegen.specialize import fold
from dynlib.compiler.codegen.tangent_events import TangentEvents
from dynlib.compiler.codegen.tangent_layout import TangentLayout
from dynlib.dsl.expr.nodes import Param
from dynlib.dsl.spec import EventSpec
from dynlib.steppers.text import function, group, names, unpack

__all__ = ["EventText"]

SCAN_POINTS = 8  # places at which an adaptive step is looked at
EARLY_POINTS = 60  # more of them after a jump, each twice as far from the start as the one before
CROWDED = 1e-9  # of the gap from which on gaps only shrink: events closer together are a crowd
INSTANT = 8.0  # resolutions: crossings closer together than this are one instant

_LOG = "event_row, evt_t, evt_step, evt_id, evt_log, lane"
_FIRE = f"{EXAMINE.removesuffix(', lane')}, {_LOG}"
_PASS = f"{_FIRE}, analysis_ws"


class EventText:
    """Writes the functions of a model's events, and what they do to tangent vectors, if any."""

    def __init__(self, text: ModelText, tangents: TangentLayout | None = None) -> None:
        self.text = text
        self.layout: Layout = text.layout
        self.events = self.layout.spec.events
        self.tangents = None if tangents is None else TangentEvents(text, tangents)

    def emit(self) -> str:
        """All functions that a run loop with these events calls."""
        parts = [self._condition(e, event) for e, event in enumerate(self.events)]
        parts += [self._fire(e, event) for e, event in enumerate(self.events)]
        if self.tangents is not None:
            acting = ((e, event) for e, event in enumerate(self.events) if event.actions)
            parts += [self.tangents.emit(e, event) for e, event in acting]
        parts.append(self._init())
        start = self._starting()
        end = self._phase("end", "both")
        located = [e for e in end if self.layout.located(self.events[e])]
        if start:
            parts.append(self._pass("start_events", start, at_grid=True))
        if end:
            parts.append(self._pass("end_events", end, at_grid=True))
        if located:
            parts += [inspect.getsource(f) for f in locate.LOCATE_HELPERS]
            parts += [self._locate(e) for e in located]
            parts += [self._any_crossing(located), self._first_crossing(located)]
            parts.append(self._pass("located_events", located, at_grid=False))
        return "\n".join(parts)

    def emit_quiet(self) -> str:
        """Whether a step passes without any event, for all lanes of a block alike."""
        lines = ["noisy = False"]
        for e, event in enumerate(self.events):
            back = looks_back(event.cond)
            if back and event.phase == "start":  # about the step before, which nobody keeps here
                lines.append("noisy = True")
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
        located = [e for e, event in enumerate(self.events) if self.layout.located(event)]
        if located and self.layout.stepper.adaptive:
            texts.append(self._quiet_inside(located))
        return "\n".join(texts)

    def _quiet_inside(self, located: Sequence[int]) -> str:
        lines = ["noisy = False"]
        for e in located:
            began = f"cond_{e}(t, step, u, t, u, p, ws, lane)"
            lines.append(f"was_{e} = {began if self._momentary(e) else self._was(e)}")
        for j in range(1, SCAN_POINTS):
            lines += [f"theta = {j / SCAN_POINTS!r}", "v = interpolate(theta, h, u, u_new, d)"]
            for e in located:
                holds = f"cond_{e}(t + theta * h, step, v, t, u, p, ws, lane)"
                lines.append(f"noisy = noisy | ({holds} != was_{e})")
        args = "t, h, step, u, u_new, d, p, ws, lane"
        return function("quiet_inside", args, [*lines, "return not_(noisy)"])

    def inlined(self) -> set[str]:
        """Functions of the hot path, always inlined."""
        return {"any_crossing", *(f"cond_{e}" for e in range(len(self.events)))}

    def numbers(self) -> dict[str, float]:
        """Numbers that the run loop needs, by the words that stand for them in its text."""
        located = [event for event in self.events if self.layout.located(event)]
        starting, ending = self._starting(), self._phase("end", "both")
        return {
            "N_EVENTS": max(1, len(self.events)),
            # What one turn of the loop may enter in the log.
            "EVENT_ROOM": max(1, len(starting) + len(located) + len(ending)),
            "CROWDED": CROWDED if self.layout.spec.dtype == "float64" else 0.0,
            "CROWD": self.layout.crowd,
            "CROWD_TIME": self.layout.crowd + 1,
            "CROWD_GAP": self.layout.crowd + 2,
            "CROWD_SCALE": self.layout.crowd + 3,
        }

    def _phase(self, *phases: str) -> list[int]:
        return [e for e, event in enumerate(self.events) if event.phase in phases]

    @property
    def starts(self) -> bool:
        """Whether something is looked at before a step."""
        return bool(self._starting())

    def _starting(self) -> list[int]:
        """Events that are looked at before a step: an edge in both phases is known by then."""
        return [
            e
            for e, event in enumerate(self.events)
            if event.phase == "start" or (event.phase == "both" and not looks_back(event.cond))
        ]

    def _momentary(self, e: int) -> bool:
        """Whether the condition compares with the start of the step, where it is thus not met.

        Whether a whole step was an ``increasing(x)`` one is remembered; that ``x`` has crossed a
        threshold is over when the next step begins.
        """
        cond = self.events[e].cond
        return looks_back(cond) and not compares_ends(cond)

    # -- one event ----------------------------------------------------------------------------

    def _condition(self, e: int, event: EventSpec) -> str:
        text = self.text.single(f"cond_{e}", EXAMINE, event.cond)
        if self.layout.located(event) and event.level is not None:
            text += "\n" + self.text.single(f"level_{e}", EXAMINE, event.level)
        return text

    def _fire(self, e: int, event: EventSpec) -> str:
        """Enter the event in the log, then act; returns the state."""
        logged = [column.expr for column in event.log]
        lines = self.text.prologue([*logged, *(a.expr for a in event.actions)])
        acts_on_state = any(not isinstance(a.target, Param) for a in event.actions)
        if acts_on_state and not any(line.endswith(" = u") for line in lines):
            lines.insert(0, unpack(names("u", self.layout.states), "u"))
        lines += [
            "evt_t[event_row] = t",
            "evt_step[event_row] = step",
            f"evt_id[event_row] = {e}",
        ]
        if logged:
            statements, results = self.text.evaluate(logged, "log")
            lines += statements
            lines += [f"evt_log[event_row, {j}] = {value}" for j, value in enumerate(results)]
        for j, action in enumerate(event.actions):
            statements, results = self.text.evaluate([action.expr], f"a{j}_")
            lines += [
                *statements,
                f"{self.text.place(action.target)} = {self.text.kept(results[0])}",
            ]
        state = group(names("u", self.layout.states)) if acts_on_state else "u"
        return function(f"fire_{e}", _FIRE, [*lines, f"return {state}"])

    def _locate(self, e: int) -> str:
        event = self.events[e]
        flags = {
            "LEVEL": event.level is not None,
            "RISING": event.direction in (None, "rising"),
            "FALLING": event.direction == "falling",
        }
        words = {
            "TRUTH": str(self.layout.truth(e)),
            "SCAN_POINTS": str(SCAN_POINTS if self.layout.stepper.adaptive else 1),
            "EARLY_POINTS": str(EARLY_POINTS),
            "EVENT": str(e),
        }
        texts = []
        for template in (locate.crossing_EVENT, locate.refine_EVENT):
            source = inspect.getsource(template)
            source = re.sub(
                r"(?<![A-Z])(TRUTH|SCAN_POINTS|EARLY_POINTS|EVENT)\b", lambda m: words[m[1]], source
            )
            texts.append(fold(source, flags))
        return "\n".join(texts)

    # -- passes -------------------------------------------------------------------------------

    def _was(self, e: int) -> str:
        """What the condition was when it was last looked at."""
        return f"ws[{self.layout.truth(e)}, lane] != 0"

    def _began(self, e: int, start: str = "tp, up") -> str:
        """What the condition is at the start of a step, before it has a past."""
        t, u = start.split(", ")
        return f"cond_{e}({t}, step, {u}, {t}, {u}, p, ws, lane)"

    def _wanted(self, e: int, holds: str, was: str, *, changed_only: bool) -> str:
        """Whether the event is to be taken now that its condition is `holds` and was `was`."""
        match self.events[e].direction:
            case "rising":
                return f"{holds} and not ({was})"
            case "falling":
                return f"{was} and not {holds}"
            case "either":
                return f"{holds} != ({was})"
        return f"{holds} and not ({was})" if changed_only else holds

    def _init(self) -> str:
        lines = []
        for e in range(len(self.events)):
            lines += [
                f"ws[{self.layout.truth(e)}, lane] = cond_{e}(t, step, u, t, u, p, ws, lane)",
                f"ws[{self.layout.held(e)}, lane] = 0",
            ]
        return function("init_events", "t, step, u, p, ws, lane", lines)

    def _pass(self, name: str, events: Iterable[int], *, at_grid: bool) -> str:
        """Take the events that are due, in order.

        At a grid point an event without direction is due whenever it holds, unless it was
        located within this very step and has held since; where a step is cut, only events whose
        condition has just changed are due.
        """
        lines = ["touched = False"]
        whole = self.layout.looks_back and name == "end_events"
        if whole:
            lines.append("ts, us = step_start(ws, lane)")
        for e in events:
            event, truth, held = self.events[e], self.layout.truth(e), self.layout.held(e)
            seen, given, was = EXAMINE, _FIRE, self._was(e)
            if whole and not self.layout.located(event):
                seen, given = (text.replace("tp, up", "ts, us") for text in (seen, given))
            if self._momentary(e) and not self.layout.located(event):
                was = self._began(e, "ts, us" if whole else "tp, up")
            lines.append(f"holds = cond_{e}({seen})")
            due = self._wanted(e, "holds", was, changed_only=not at_grid)
            once = self.layout.located(event) and event.direction is None
            if once and at_grid and name == "end_events":
                due = f"{due} and ws[{held}, lane] == 0"
            fire = [f"u = fire_{e}({given})", "event_row += 1"]
            lines += [f"if {due}:", *(f"    {line}" for line in self._carry(e, seen, name, fire))]
            if event.actions:
                # What a whole step was like is not changed by what happens after it.
                now = seen if compares_ends(event.cond) else "t, step, u, t, u, p, ws, lane"
                lines += ["    touched = True", f"    holds = cond_{e}({now})"]
            if once and not at_grid:
                lines += [f"    ws[{held}, lane] = holds"]
            lines.append(f"ws[{truth}, lane] = holds")
            if once and at_grid and name == "end_events":
                lines.append(f"ws[{held}, lane] = 0")
        lines.append("return u, event_row, touched")
        return function(name, _PASS, lines)

    def _carry(self, e: int, seen: str, name: str, fire: list[str]) -> list[str]:
        """The lines `fire`, among those that carry tangent vectors across.

        A crossing at the very end of a step, which leaves the step whole, is one all the same.
        """
        if self.tangents is None or not self.events[e].actions:
            return fire
        before = f"carried = before_{e}({seen}, analysis_ws)"
        jump = f"jump_{e}({seen}, analysis_ws)"
        after = f"after_{e}(t, step, u, p, ws, lane, analysis_ws, carried)"
        if name == "located_events":
            return [before, *fire, after]
        if name == "start_events" or not self.layout.located(self.events[e]):
            return [jump, *fire]
        crossed = [f"crossed = holds != ({self._was(e)})", "carried = u"]
        crossed += ["if crossed:", f"    {before}", "else:", f"    {jump}"]
        return [*crossed, *fire, "if crossed:", f"    {after}"]

    def _any_crossing(self, events: Sequence[int]) -> str:
        lines = ["found = False"]
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
        lines += ["if theta > 1.0:", "    return theta"]
        lines.append(f"instant = min_(theta + {INSTANT} * resolution(t, h), 1.0)")
        if len(events) > 1:
            for e in events:
                lines += [f"if theta_{e} <= instant:", f"    theta = max_(theta, theta_{e})"]
        lines += ["v = inside(theta, h, u, u_new, d)", "whole = instant == 1.0"]
        for e in events:
            there = f"cond_{e}(t + theta * h, step, v, t, u, p, ws, lane)"
            end = f"cond_{e}(t + h, step, u_new, t, u, p, ws, lane)"
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
            if self.events[e].direction is None
        ]
        lines += ["    theta = 2.0", "return theta"]
        return function("first_crossing", args, lines)
