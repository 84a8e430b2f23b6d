"""The same events as text where there are many: what is alike in all of them is written once.

With few events all is written out for each, in place where it is called, which is fast.  For a
hundred that makes a very long text.  So here each event has a number, by which a condition is
found (`cond_at`), and one text looks for the crossings of all that are alike.  Each step looks at
all conditions in one go, without a branch for each; only where one has changed the pass follows
that takes events in their order.  States are then in memory, of which an action writes a few.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from dynlib.compiler.codegen import locate
from dynlib.compiler.codegen.crossing_text import EARLY_POINTS, INSTANT
from dynlib.compiler.codegen.event_text import FIRE, PASS, EventText
from dynlib.compiler.codegen.folding import Folding
from dynlib.compiler.codegen.layout import Layout
from dynlib.compiler.codegen.model_text import EXAMINE, ModelText
from dynlib.compiler.codegen.printed import text_of
from dynlib.compiler.codegen.tangent_layout import TangentLayout
from dynlib.compiler.codegen.templates import template_of
from dynlib.compiler.sizes import MANY as LONG
from dynlib.compiler.source import Calls
from dynlib.dsl.expr.nodes import Param
from dynlib.dsl.spec import EventSpec
from dynlib.steppers.text import function, group

__all__ = ["ManyEvents", "event_text_of", "many_events"]

MANY = 10  # watched conditions from which on this pays; or states, of which tuples are long
_CROSSING = "t, h, step, u, u_new, d, jumped, p, ws, lane"


def many_events(layout: Layout, tangents: TangentLayout | None = None) -> bool:
    """Whether events are written in this way."""
    plain = layout.spec.dtype in ("float64", "int64")  # whose numbers are the same in memory
    many = len(layout.watched) >= MANY or (layout.watched and layout.states > LONG)
    return bool(many) and plain and tangents is None


def event_text_of(text: ModelText, tangents: TangentLayout | None) -> EventText:
    """Who writes the events of a model."""
    if many_events(text.layout, tangents):
        return ManyEvents(text)
    return EventText(text, tangents)


class _OfGiven(Folding):
    """Makes the functions of one event those of the event whose number they are given first."""

    def __init__(self, values: Mapping[str, Any], names: Mapping[str, str]) -> None:
        super().__init__(values)
        self.names = names

    def function(self, node: ast.FunctionDef, name: str = "") -> ast.FunctionDef:
        made = super().function(node, name or self.names[node.name])
        taken = [ast.arg("event"), *made.args.args]
        args = ast.arguments([], taken, kwonlyargs=[], kw_defaults=[], defaults=[])
        return ast.FunctionDef(made.name, args, made.body, [])

    def replaced(self, node: ast.AST) -> ast.AST | None:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name = self.names.get(node.func.id)
            if name is not None:
                given = [ast.Name("event", ast.Load()), *self.arguments(node.args)]
                return ast.Call(ast.Name(name, ast.Load()), given, [])
        return super().replaced(node)


class ManyEvents(EventText):
    """Writes the functions of many events."""

    def calls(self) -> dict[str, Calls]:
        """How its functions are called."""
        located = self._located()
        inlined = {f"cond_{e}" for e in range(len(self.watched))}
        inlined |= {f"level_{e}" for e in located}
        inlined |= {"any_crossing", "apart", "interpolate"}
        inlined |= {name for phase in ("start", "end") for name in _of_phase(phase)}
        apart = {"init_events", "first_crossing", "located_events", "followed_events", "inside"}
        apart |= {"cond_at", "level_at", "crowded", "dense", "take_start_events", "take_end_events"}
        apart.add("fire_at")
        inlined |= {f"fire_{e}" for e in range(len(self.events))}
        for kind in range(len(self._kinds())):
            apart |= {f"crossing_{kind}", f"refine_{kind}"}
        return dict.fromkeys(inlined, Calls.INLINED) | dict.fromkeys(apart, Calls.APART)

    # -- one event ----------------------------------------------------------------------------

    def _condition(self, e: int, event: EventSpec) -> str:
        text = self.text.single(f"cond_{e}", EXAMINE, event.cond, picked=True)
        if self.layout.located(event) and event.level is not None:
            text += "\n" + self.text.single(f"level_{e}", EXAMINE, event.level, picked=True)
        return text

    def _taken_apart(self, event: EventSpec) -> tuple[list[str], list[str]]:
        """The lines that an action begins and ends with: it changes states in memory."""
        targets = [a.target for a in event.actions if not isinstance(a.target, Param)]
        nodes = [column.expr for column in event.log]
        nodes += [*(action.expr for action in event.actions), *targets]
        changed = dict.fromkeys(self.text.leaf(target) for target in targets)
        return self.text.picked(nodes), [f"u[{name[1:]}] = {name}" for name in changed]

    def _acting(self, e: int, given: str) -> str:
        return f"fire_{e}({given})"

    def _by_numbers(self) -> list[str]:
        """The functions that look at, or let act, an event whose number is given."""
        conds = self._dispatched("cond", range(len(self.watched)), EXAMINE, "return {}")
        if not self.events:
            return [conds]
        return [conds, self._dispatched("fire", range(len(self.events)), FIRE, "{}")]

    def _each(self, events: Sequence[int], lines: Callable[[int], list[str]]) -> list[str]:
        """The lines of all these events, of those in a row that are alike as a loop."""
        found: list[str] = []
        numbered = {e: self._by_number(e, lines(e)) for e in events}
        for (text, _), row in groupby(events, lambda e: (numbered[e], events.index(e) - e)):
            first, *more = row
            found.append(f"for e in range({first}, {first + len(more) + 1}):")
            found += [f"    {line}" for line in text]
        return found

    def _by_number(self, e: int, lines: Sequence[str]) -> list[str]:
        """The lines of an event `e` for that whose number is given."""
        words = {
            f"cond_{e}(": "cond_at(e, ",
            f"fire_{e}(": "fire_at(e, ",
            f"ws[{self.layout.truth(e)}, lane]": f"ws[{self.layout.truth(0)} + e, lane]",
        }
        if e < len(self.events):
            words[f"ws[{self.layout.held(e)}, lane]"] = f"ws[{self.layout.held(0)} + e, lane]"
        found = re.compile("|".join(rf"(?<!\w){re.escape(word)}" for word in words))
        return [found.sub(lambda match: words[match[0]], line) for line in lines]

    # -- passes -------------------------------------------------------------------------------

    def _pass(self, name: str, events: Sequence[int], *, at_grid: bool) -> str:
        lines = ["u = as_array(u)", *self._pass_lines(name, events, at_grid=at_grid)]
        lines.append(f"return load_values(u, {self.layout.states}), event_row, touched")
        if not at_grid:
            return function(name, PASS, lines)
        look, take = f"{name}_due", f"take_{name}"
        hot = [
            "touched = False",
            f"if {look}({EXAMINE}):",
            f"    u, event_row, touched = {take}({PASS})",
            "return u, event_row, touched",
        ]
        looks = function(look, EXAMINE, self._due(name, events))
        return "\n".join([function(take, PASS, lines), looks, function(name, PASS, hot)])

    def _due(self, name: str, events: Sequence[int]) -> list[str]:
        """Whether the pass has anything to do, told without branches."""
        lines = [*self._looked(name, events), "due = False"]
        for e in events:
            seen, _, was = self._examined(e, name)
            lines += [f"holds = cond_{e}({seen})", f"due = due | (holds != ({self._was(e)}))"]
            if self.events[e].direction is None:
                lines.append("due = due | holds")
            if was != self._was(e):
                lines.append(f"due = due | (holds != {was})")
            if self._once(e) and name == "end_events":
                lines.append(f"due = due | (ws[{self.layout.held(e)}, lane] != 0)")
        return [*lines, "return due"]

    # -- crossings ----------------------------------------------------------------------------

    def _kind(self, e: int) -> tuple[bool, str | None, bool]:
        """What sets apart how crossings of a condition are looked for."""
        event = self.watched[e]
        return event.level is not None, event.direction, self._passing(e)

    def _kinds(self) -> list[tuple[bool, str | None, bool]]:
        return list(dict.fromkeys(map(self._kind, self._located())))

    def _stretches(self, located: Sequence[int]) -> Iterator[tuple[int, int, int]]:
        """Conditions in a row that are alike: the first, the first after them, their kind."""
        kinds = self._kinds()
        for key, found in groupby(located, lambda e: (self._kind(e), located.index(e) - e)):
            events = list(found)
            yield events[0], events[-1] + 1, kinds.index(key[0])

    def _location(self, located: Sequence[int]) -> list[str]:
        levels = [e for e in located if self.watched[e].level is not None]
        parts = [self._dispatched("level", levels, EXAMINE, "return float({})")] if levels else []
        for kind in self._kinds():
            first = next(e for e in located if self._kind(e) == kind)
            parts.append(self._search(first, kind))
        return [*parts, self._any_crossing(located), self._first_crossing(located)]

    def _dispatched(self, what: str, events: Sequence[int], args: str, made: str) -> str:
        """The function of an event whose number is given."""

        def lines(events: Sequence[int]) -> list[str]:
            if len(events) == 1:
                return [made.format(f"{what}_{events[0]}({args})")]
            half = len(events) // 2
            ways = lines(events[:half]), lines(events[half:])
            yes, no = ([f"    {line}" for line in way] for way in ways)
            return [f"if event < {events[half]}:", *yes, "else:", *no]

        return function(f"{what}_at", f"event, {args}", lines(events))

    def _search(self, e: int, kind: tuple[bool, str | None, bool]) -> str:
        """How crossings of a kind are looked for."""
        number = self._kinds().index(kind)
        words = {**self._search_words(e), "TRUTH": f"{self.layout.truth(0)} + event"}
        names = {"crossing_EVENT": f"crossing_{number}", "refine_EVENT": f"refine_{number}"}
        folding = _OfGiven(words, names | {"cond_EVENT": "cond_at", "level_EVENT": "level_at"})
        return text_of(folding.function(template_of(each).node) for each in locate.SEARCH)

    def _any_crossing(self, located: Sequence[int]) -> str:
        lines = ["found = False"]
        if self.layout.any_passing:
            lines.append("push_look_start(ws, tp, up, lane)")
        for e in located:
            lines += [
                *self._begin(e, self._began(e)),
                f"was = {self._was(e)}",
                f"holds = cond_{e}({EXAMINE})",
                f"found = found | ({self._changed(e)})",
            ]
        return function("any_crossing", EXAMINE, [*lines, "return found"])

    def _changed(self, e: int) -> str:
        match self.watched[e].direction:
            case "falling":
                return "was & not_(holds)"
            case "either":
                return "holds != was"
        return "holds & not_(was)"

    def _first_crossing(self, located: Sequence[int]) -> str:
        count, truth = len(self.watched), self.layout.truth(0)
        stretches = list(self._stretches(located))
        lines = [f"thetas = as_array({group(['2.0'] * count)})"]
        lines += [line for e in located for line in self._begin(e, self._began(e, "t, u"))]
        lines += self._scan(located)
        for first, end, kind in stretches:
            lines += [
                f"for e in range({first}, {end}):",
                "    if changed[e] != 0.0:",
                f"        thetas[e] = crossing_{kind}(e, {_CROSSING})",
            ]
        lines += ["theta = 2.0", f"for e in range({count}):", "    theta = min_(theta, thetas[e])"]
        if self.layout.any_passing:
            lines += self._place_before()
        lines += ["if theta > 1.0:", "    return theta"]
        lines += [
            f"instant = min_(theta + {INSTANT} * resolution(t, h), 1.0)",
            f"for e in range({count}):",
            "    if thetas[e] <= instant:",
            "        theta = max_(theta, thetas[e])",
            "v = inside(theta, h, u, u_new, d)",
            "whole = instant == 1.0",
        ]
        for first, end, _ in stretches:
            past = "tl, ul" if self._passing(first) else "t, u"
            lines += [
                f"for e in range({first}, {end}):",
                "    if thetas[e] <= theta:",
                f"        there = cond_at(e, t + theta * h, step, v, {past}, p, ws, lane)",
                f"        ws[{truth} + e, lane] = not_(there)",
                f"        ends = cond_at(e, t + h, step, u_new, {past}, p, ws, lane)",
                "        whole = whole and ends == there",
            ]
        lines.append("if whole:")
        for first, end, _ in stretches:
            if first < len(self.events) and self.events[first].direction is None:
                end = min(end, len(self.events))
                lines.append(f"    for e in range({first}, {end}):")
                lines.append(f"        ws[{self.layout.held(0)} + e, lane] *= thetas[e] > theta")
        lines += ["    theta = 2.0", "return theta"]
        return function("first_crossing", _CROSSING, lines)

    def _scan(self, located: Sequence[int]) -> list[str]:
        """Which conditions change in the step; what `crossing_EVENT` looks at, for all at once."""
        points = self._places()["SCAN_POINTS"]
        lines = [f"was_{e} = {self._was(e)}" for e in located]
        lines += [f"changed = as_array({group(['0.0'] * len(self.watched))})"]
        lines += ["left = 0.0", "first = 0", "if jumped:", f"    first = -{EARLY_POINTS}"]
        if self.layout.any_passing:
            lines.append("w = u")
        inner = [f"right = (j + 1) / {points}"]
        inner += ["if j < 0:", f"    right = inverse_power(-j) / {points}"]
        inner.append("v = inside(right, h, u, u_new, d)")
        for e in located:
            past = "t + left * h, w" if self._passing(e) else "t, u"
            inner += [
                f"holds = cond_{e}(t + right * h, step, v, {past}, p, ws, lane)",
                f"changed[{e}] = select(holds != was_{e}, 1.0, changed[{e}])",
            ]
            if self._passing(e):
                now = "t + right * h, step, v, t + right * h, v, p, ws, lane"
                inner.append(f"was_{e} = cond_{e}({now})")
        if self.layout.any_passing:
            inner.append("w = v")
        inner.append("left = right")
        return [*lines, f"for j in range(first, {points}):", *(f"    {line}" for line in inner)]


def _of_phase(phase: str) -> tuple[str, str]:
    return f"{phase}_events", f"{phase}_events_due"
