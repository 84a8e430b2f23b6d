"""What events do to tangent vectors: the saltation matrix, from the model's own expressions.

At an instant that the state itself decides, two neighbouring trajectories jump at different
times.  With the action ``x -> g(t, x)``, the level ``h(t, x)`` whose zero is the event, and the
flow f before and F after it (which differ too where the action changes parameters), a tangent
vector becomes

    v+ = Dg v + (F - Dg f - g_t) (h_x v) / (h_x f + h_t)

Where the instant does not depend on the state (events at ends of steps, events of maps), the
second term is missing.  An event that the action of another one brings about comes at the instant
of that one: its factor ``(h_x v) / (h_x f + h_t)`` is that of the other one, by which neighbours
come later, and f is the flow in between.

Aizerman, Gantmakher, Q. J. Mech. Appl. Math. 11 (1958) 59; Müller, Chaos, Solitons & Fractals 5
(1995) 1671.
"""

from __future__ import annotations

from collections.abc import Sequence

from dynlib.compiler.codegen.model_text import EXAMINE, ModelText
from dynlib.compiler.codegen.tangent_layout import TangentLayout
from dynlib.dsl.expr import jvp, substitute
from dynlib.dsl.expr.nodes import Node, Num, Param, State, Time
from dynlib.dsl.spec import Action, EventSpec
from dynlib.steppers.text import function, group, names, unpack

__all__ = ["TangentEvents", "blind_param"]


def blind_param(event: EventSpec, states: Sequence[State]) -> str | None:
    """A parameter that the event sets by the state, along which no tangent vector can go.

    Tangent vectors have no components along parameters.
    """
    for action in event.actions:
        if isinstance(action.target, Param):
            directions = [Num(1.0)] * (len(states) + 1)
            (slope,) = jvp([action.expr], [*states, Time()], directions)
            if not (isinstance(slope, Num) and not slope.value):
                return action.target.name
    return None


class TangentEvents:
    """Writes, for each event that acts, what happens to tangent vectors before and after it."""

    def __init__(self, text: ModelText, tangents: TangentLayout) -> None:
        self.text = text
        self.tangents = tangents
        spec = text.layout.spec
        self.n = tangents.n
        self.states = spec.state_nodes
        # Leaves for the tangent vector, a tangent of time, and parameters on the way.
        self.along = tuple(
            State(self.n + i, f"d_{s.name}", "real") for i, s in enumerate(self.states)
        )
        self.tau = State(2 * self.n, "d_t", "real")

    def emit(self, e: int, event: EventSpec) -> str:
        """The functions of one event."""
        parts = [self._action(e, event.actions), self._map(e)]
        if self.text.layout.located(event):
            assert event.level is not None
            parts += [self._slope(e, event.level), self._before(e)]
        if self.tangents.chained:
            parts.append(self._share(e))
        if self.tangents.chained or self.text.layout.located(event):
            parts.append(self._after(e))
        return "\n".join(parts)

    def _leaves(self) -> str:
        """A line that names the components of a tangent vector v."""
        return unpack([f"u{self.n + i}" for i in range(self.n)], "v")

    def _along(self, node: Node) -> Node:
        """The derivative of an expression along (v, tau)."""
        (slope,) = jvp([node], [*self.states, Time()], [*self.along, self.tau])
        return slope

    def _action(self, e: int, actions: Sequence[Action]) -> str:
        """``Dg v + g_t tau``: the actions line by line, with derivatives."""
        n = self.n
        lines = [unpack(names("u", n), "u"), unpack(names("up", n), "up"), self._leaves()]
        lines.append(f"u{2 * n} = tau")
        kept: dict[Node, Node] = {}
        for j, action in enumerate(actions):
            expr = substitute(action.expr, kept) if kept else action.expr
            if isinstance(action.target, Param):
                local = State(2 * n + 1 + action.target.index, action.target.name, "real")
                statements, results = self.text.evaluate([expr], f"a{j}_")
                lines += [*statements, f"u{local.index} = {results[0]}"]
                kept[action.target] = local
                continue
            statements, results = self.text.evaluate([expr, self._along(expr)], f"a{j}_")
            i = action.target.index
            lines += [*statements, f"new, along = {results[0]}, {results[1]}"]
            lines += [f"u{i} = new", f"u{n + i} = along"]
        lines.append(f"return {group(f'u{n + i}' for i in range(n))}")
        return function(f"act_along_{e}", f"{EXAMINE}, v, tau", lines)

    def _slope(self, e: int, level: Node) -> str:
        """``h_x v + h_t tau``."""
        n = self.n
        lines = [unpack(names("u", n), "u"), unpack(names("up", n), "up"), self._leaves()]
        lines.append(f"u{2 * n} = tau")
        statements, results = self.text.evaluate([self._along(level)])
        lines += [*statements, f"return {results[0]}"]
        return function(f"level_along_{e}", f"{EXAMINE}, v, tau", lines)

    def _vector(self) -> list[str]:
        """Lines that load vector j."""
        n = self.n
        loaded = [self.text.real.cast(x) for x in names("v", n)]
        row = f"analysis_ws[j * {n}:]"
        return [
            f"for j in range({self.tangents.vectors}):",
            "    " + unpack(names("v", n), f"load_rows({row}, 0, {n}, lane)"),
            f"    v = {group(loaded)}",
        ]

    def _map(self, e: int) -> str:
        """A jump at an instant of its own."""
        zero = self.text.real(0.0)
        lines = [
            *self._vector(),
            *([f"    analysis_ws[{self._shift} + j, lane] = 0.0"] if self.tangents.chained else []),
            f"    store_rows(analysis_ws[j * {self.n}:], 0, lane, "
            f"act_along_{e}({EXAMINE}, v, {zero}))",
            *self._now(),
        ]
        return function(f"jump_{e}", f"{EXAMINE}, analysis_ws", lines)

    def _before(self, e: int) -> str:
        """The first part of a saltation; returns ``Dg f + g_t``.

        The factors ``(h_x v) / (h_x f + h_t)`` wait in rows of their own: `_shift`.
        """
        n, real = self.n, self.text.real
        one, zero = real(1.0), real(0.0)
        lines = [
            "f = rhs(t, step, u, p, ws, lane)",
            f"speed = level_along_{e}({EXAMINE}, f, {one})",
            *self._vector(),
            f"    analysis_ws[{self._shift} + j, lane] = "
            f"level_along_{e}({EXAMINE}, v, {zero}) / speed",
            f"    store_rows(analysis_ws[j * {n}:], 0, lane, act_along_{e}({EXAMINE}, v, {zero}))",
            *self._now(),
            f"return act_along_{e}({EXAMINE}, f, {one})",
        ]
        return function(f"before_{e}", f"{EXAMINE}, analysis_ws", lines)

    def _share(self, e: int) -> str:
        """The first part where another event has decided about the instant, if any has.

        The factors are those of that event; of an instant that no state decides they are 0.
        """
        one, zero = self.text.real(1.0), self.text.real(0.0)
        shift = f"analysis_ws[{self._shift} + j, lane]"
        lines = [
            "f = rhs(t, step, u, p, ws, lane)",
            f"later = analysis_ws[{self.tangents.instant}, lane] == t",
            *self._vector(),
            f"    {shift} = select(later, {shift}, 0.0)",
            f"    store_rows(analysis_ws[j * {self.n}:], 0, lane, "
            f"act_along_{e}({EXAMINE}, v, {zero}))",
            *self._now(),
            f"return act_along_{e}({EXAMINE}, f, {one})",
        ]
        return function(f"share_{e}", f"{EXAMINE}, analysis_ws", lines)

    @property
    def _shift(self) -> int:
        """First row of the factors."""
        return self.tangents.shift if self.tangents.chained else self.tangents.pending

    def _now(self) -> list[str]:
        """A line that remembers the instant, where other events may share it."""
        instant = self.tangents.instant
        return [f"analysis_ws[{instant}, lane] = t"] if self.tangents.chained else []

    def _after(self, e: int) -> str:
        """The second part, once the event has acted; `carried` is what `before_e` returned."""
        n = self.n
        lines = [
            unpack(names("f", n), "rhs(t, step, u, p, ws, lane)"),
            unpack(names("g", n), "carried"),
            f"for j in range({self.tangents.vectors}):",
            f"    factor = analysis_ws[{self._shift} + j, lane]",
        ]
        for i in range(n):
            place = f"analysis_ws[j * {n} + {i}, lane]"
            lines.append(f"    {place} = fma(f{i} - g{i}, factor, {place})")
        return function(f"after_{e}", "t, step, u, p, ws, lane, analysis_ws, carried", lines)
