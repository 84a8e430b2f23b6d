"""The model's events as text: conditions, actions, and the passes that take them in order.

A pass goes through the events in declared order; each one sees what those before it did.  The
truth of every condition is remembered in the workspace, so that a crossing is seen once.  A stop
condition that is located is one more condition, after those of the events, without an event.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial

from dynlib.compiler.codegen import locate
from dynlib.compiler.codegen.crossing_text import CrossingText
from dynlib.compiler.codegen.crowd import crowd_text
from dynlib.compiler.codegen.layout import compares_ends, looks_back
from dynlib.compiler.codegen.model_text import EXAMINE, ModelText
from dynlib.compiler.codegen.specialize import put
from dynlib.compiler.codegen.tangent_events import TangentEvents
from dynlib.compiler.codegen.tangent_layout import TangentLayout
from dynlib.compiler.source import Calls
from dynlib.dsl.expr.nodes import Param
from dynlib.dsl.spec import EventSpec
from dynlib.steppers.text import function, group, names, unpack

__all__ = ["EventText"]

_LOG = "event_row, evt_t, evt_step, evt_id, evt_log, lane"
FIRE = f"{EXAMINE.removesuffix(', lane')}, {_LOG}"
PASS = f"{FIRE}, analysis_ws"
_FLOWING = ("located_events", "end_events")  # passes in which the flow may have crossed something


class EventText(CrossingText):
    """Writes the functions of a model's events, and what they do to tangent vectors, if any."""

    def __init__(self, text: ModelText, tangents: TangentLayout | None = None) -> None:
        super().__init__(text)
        self.tangents = None if tangents is None else TangentEvents(text, tangents)

    def emit(self) -> str:
        """All functions that a run loop with these events calls."""
        parts = [self._condition(e, event) for e, event in enumerate(self.watched)]
        parts += [self._fire(e, event) for e, event in enumerate(self.events)]
        if self.tangents is not None:
            acting = ((e, event) for e, event in enumerate(self.events) if event.actions)
            parts += [self.tangents.emit(e, event) for e, event in acting]
        parts += self._by_numbers()
        parts.append(self._init())
        start = self._starting()
        end = self._phase("end", "both")
        if start:
            parts.append(self._pass("start_events", start, at_grid=True))
        if end:
            parts.append(self._pass("end_events", end, at_grid=True))
        located = self._located()
        if located:
            parts += [inspect.getsource(f) for f in locate.LOCATE_HELPERS]
            if self.layout.any_passing:
                parts.append(put(inspect.getsource(locate.place_before), self._places()))
            parts += self._location(located)
            events = [e for e in located if e < len(self.events)]
            parts.append(self._pass("located_events", events, at_grid=False))
            parts.append(crowd_text(self.layout, located))
        if self.follows:
            parts.append(self._pass("followed_events", self._followers(), at_grid=False))
        if self.layout.stop_located:
            parts += self._stop(len(self.events))
        return "\n".join(parts)

    def calls(self) -> dict[str, Calls]:
        """How its functions are called, as far as it matters."""
        hot = {"any_crossing", *(f"cond_{e}" for e in range(len(self.watched)))}
        return dict.fromkeys(hot, Calls.INLINED)

    def numbers(self) -> dict[str, float]:
        """Numbers that the run loop needs, by the words that stand for them in its text."""
        located = [event for event in self.events if self.layout.located(event)]
        starting, ending = self._starting(), self._phase("end", "both")
        # What one turn of the loop may enter in the log.
        return {"EVENT_ROOM": len(starting) + len(located) + len(ending)}

    def _followers(self) -> list[int]:
        return [e for e in range(len(self.events)) if self._passing(e)]

    @property
    def follows(self) -> bool:
        """Whether an action, where it cuts a step of a fixed grid, may be what crosses something.

        An adaptive step ends there, and is looked at as a whole.
        """
        acting = any(event.actions for event in self.events)
        return acting and bool(self._followers()) and not self.layout.stepper.adaptive

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

    # -- one event ----------------------------------------------------------------------------

    def _condition(self, e: int, event: EventSpec) -> str:
        if e == len(self.events):
            text = function(f"cond_{e}", EXAMINE, [f"return stop_condition({EXAMINE})"])
        else:
            text = self.text.single(f"cond_{e}", EXAMINE, event.cond)
        if self.layout.located(event) and event.level is not None:
            text += "\n" + self.text.single(f"level_{e}", EXAMINE, event.level)
        return text

    def _fire(self, e: int, event: EventSpec) -> str:
        """Enter the event in the log, then act; returns the state."""
        logged = [column.expr for column in event.log]
        lines, last = self._taken_apart(event)
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
        return function(f"fire_{e}", FIRE, [*lines, *last])

    def _by_numbers(self) -> list[str]:
        """Functions of any event, whose number they are given; here each has its own."""
        return []

    def _taken_apart(self, event: EventSpec) -> tuple[list[str], list[str]]:
        """The lines that `fire_EVENT` begins and ends with."""
        exprs = [column.expr for column in event.log] + [action.expr for action in event.actions]
        lines = self.text.prologue(exprs)
        acts_on_state = any(not isinstance(a.target, Param) for a in event.actions)
        if acts_on_state and not any(line.endswith(" = u") for line in lines):
            lines.insert(0, unpack(names("u", self.layout.states), "u"))
        state = group(names("u", self.layout.states)) if acts_on_state else "u"
        return lines, [f"return {state}"]

    def _acting(self, e: int, given: str) -> str:
        """The line with which an event acts."""
        return f"u = fire_{e}({given})"

    def _stop(self, e: int) -> list[str]:
        """Whether the run ends: where a step is cut, if that is what happened; at its end."""
        looked = [f"holds = cond_{e}({self._seen(e)})", f"ws[{self.layout.truth(e)}, lane] = holds"]
        if self._passing(e):
            looked.insert(0, "tl, ul = look_start(ws, lane)")
        here = [f"was = {self._was(e)}", *looked, "return holds and not was"]
        return [
            function("stop_here", EXAMINE, here),
            function("stop_at_end", EXAMINE, [*looked, "return holds"]),
        ]

    # -- passes -------------------------------------------------------------------------------

    def _init(self) -> str:
        lines = self._each(range(len(self.watched)), self._begun)
        return function("init_events", "t, step, u, p, ws, lane", lines)

    def _begun(self, e: int) -> list[str]:
        """What is remembered of an event when a run begins."""
        began = f"cond_{e}(t, step, u, t, u, p, ws, lane)"
        lines = [f"ws[{self.layout.truth(e)}, lane] = {began}"]
        if e < len(self.events):
            lines.append(f"ws[{self.layout.held(e)}, lane] = 0")
        return lines

    def _pass(self, name: str, events: Sequence[int], *, at_grid: bool) -> str:
        """Take the events that are due, in order.

        At a grid point an event without direction is due whenever it holds, unless it was
        located within this very step and has held since; where a step is cut, only events whose
        condition has just changed are due.
        """
        lines = self._pass_lines(name, events, at_grid=at_grid)
        return function(name, PASS, [*lines, "return u, event_row, touched"])

    def _looked(self, name: str, events: Sequence[int]) -> list[str]:
        """Lines that fetch what conditions compare with."""
        lines = []
        if self._whole(name):
            lines.append("ts, us = step_start(ws, lane)")
        if any(self._passing(e) for e in events):
            lines.append("tl, ul = look_start(ws, lane)")
        return lines

    def _whole(self, name: str) -> bool:
        """Whether a pass looks back to the start of the whole step."""
        return self.layout.looks_back and name == "end_events"

    def _once(self, e: int) -> bool:
        return self.layout.located(self.events[e]) and self.events[e].direction is None

    def _examined(self, e: int, name: str) -> tuple[str, str, str]:
        """What a condition looks at in a pass, what its action is given, what it was before."""
        seen, given, was = self._seen(e), FIRE, self._was(e)
        if not self.layout.located(self.events[e]):
            start = "ts, us" if self._whole(name) else "tp, up"
            seen, given = (text.replace("tp, up", start) for text in (seen, given))
            if self._momentary(e):
                was = self._began(e, start)
        return seen, given, was

    def _pass_lines(self, name: str, events: Sequence[int], *, at_grid: bool) -> list[str]:
        lines = ["touched = False", *self._looked(name, events)]
        lines += self._crossed_by_flow(events, name)
        return lines + self._each(events, partial(self._taken, name=name, at_grid=at_grid))

    def _each(self, events: Sequence[int], lines: Callable[[int], list[str]]) -> list[str]:
        """The lines of all these events."""
        return [line for e in events for line in lines(e)]

    def _taken(self, e: int, name: str, *, at_grid: bool) -> list[str]:
        """Take one event, if it is due."""
        event, truth, held = self.events[e], self.layout.truth(e), self.layout.held(e)
        seen, given, was = self._examined(e, name)
        lines = [f"holds = cond_{e}({seen})"]
        due = self._wanted(e, "holds", was, changed_only=not at_grid)
        once = self._once(e)
        if once and at_grid and name == "end_events":
            due = f"{due} and ws[{held}, lane] == 0"
        fire = [self._acting(e, given), "event_row += 1"]
        lines += [f"if {due}:", *(f"    {line}" for line in self._carry(e, seen, name, fire))]
        if event.actions:
            # What a whole step was like is not changed by what happens after it; and an
            # adaptive step that ends here is asked once more what was crossed in it.
            past = compares_ends(event.cond) or (self._momentary(e) and not at_grid)
            now = seen if past else "t, step, u, t, u, p, ws, lane"
            lines += ["    touched = True", f"    holds = cond_{e}({now})"]
        if once and not at_grid:
            lines += [f"    ws[{held}, lane] = holds"]
        lines.append(f"ws[{truth}, lane] = holds")
        if once and at_grid and name == "end_events":
            lines.append(f"ws[{held}, lane] = 0")
        return lines

    def _carry(self, e: int, seen: str, name: str, fire: list[str]) -> list[str]:
        """The lines `fire`, among those that carry tangent vectors across.

        A crossing at the very end of a step, which leaves the step whole, is one all the same.
        """
        if self.tangents is None or not self.events[e].actions:
            return fire
        before = f"carried = before_{e}({seen}, analysis_ws)"
        jump = f"jump_{e}({seen}, analysis_ws)"
        after = f"after_{e}(t, step, u, p, ws, lane, analysis_ws, carried)"
        if self.layout.chained:
            return self._carry_in_chain(e, seen, name, [before, *fire, after])
        if name in ("located_events", "followed_events"):
            return [before, *fire, after]
        if name == "start_events" or not self.layout.located(self.events[e]):
            return [jump, *fire]
        crossed = [f"crossed = holds != ({self._was(e)})", "carried = u"]
        crossed += ["if crossed:", f"    {before}", "else:", f"    {jump}"]
        return [*crossed, *fire, "if crossed:", f"    {after}"]

    def _crossed_by_flow(self, events: Sequence[int], name: str) -> list[str]:
        """Lines that tell, before any event of a pass acts, what has changed without an action."""
        if self.tangents is None or not self.layout.chained or name not in _FLOWING:
            return []
        instant = self.tangents.tangents.instant
        lines = [f"first = analysis_ws[{instant}, lane] != t"]
        for e in events:
            if self.events[e].actions and self.layout.located(self.events[e]):
                changed = f"cond_{e}({self._seen(e)}) != ({self._was(e)})"
                lines.append(f"flowed_{e} = first and {changed}")
        return lines

    def _carry_in_chain(self, e: int, seen: str, name: str, lines: list[str]) -> list[str]:
        """The same where one event may bring another one about.

        What the flow crosses is carried by its own level.  What an action brings about comes at
        the instant of that action, sooner or later for neighbours by as much; and so does all that
        comes at the end of an adaptive step, which ends at that instant for neighbours as well.
        """
        located = self.layout.located(self.events[e])
        before, *rest = lines
        shared = before.replace(f"before_{e}(", f"share_{e}(")
        if name in _FLOWING and located:
            by_flow = f"flowed_{e} and holds != ({self._was(e)})"
            choice = ["carried = u", f"if {by_flow}:", f"    {before}", "else:", f"    {shared}"]
            return [*choice, *rest]
        if located or self.layout.stepper.adaptive:
            return [shared, *rest]
        return [f"jump_{e}({seen}, analysis_ws)", *rest[:-1]]
