"""Variational stepping for every stepper: the method, applied to states and tangent vectors.

The states x and some tangent vectors v are one extended state, whose right-hand side is
``(f(x), J(x) v)``.  A stepper writes its text for any number of components, so the text for the
extended state is the stepper's own, under other names; what it would say about the states is
dropped, because they are stepped as they always are.  So the trajectory of an observed run has
the bits of an unobserved one, and the tangent vectors are those of the method's own step map,
differentiated exactly; but where the steps of an adaptive stepper do not suit them, see
`dynlib.compiler.codegen.tangent_refinement`.

Vectors in packs (`dynlib.compiler.llvm.tangent_simd`) are stepped by the text of one vector.

Parker, Chua, Practical Numerical Algorithms for Chaotic Systems (1989), chapter 3.
"""

from __future__ import annotations

import re

from dynlib.compiler.codegen.model_text import ModelText
from dynlib.compiler.codegen.specialize import without
from dynlib.compiler.codegen.stepper_text import StepperText, attempt_line, outcome
from dynlib.compiler.codegen.tangent_layout import TangentLayout
from dynlib.compiler.codegen.tangent_refinement import LESSER, TangentRefinement
from dynlib.dsl.expr.nodes import Node, Num
from dynlib.steppers.control import CONTROL_FUNCTIONS
from dynlib.steppers.text import chain, function, group, names, unpack

__all__ = ["STEP_ARGS", "TangentText"]

_DROPPED = ("error_norm", "first_step", *(f.__name__ for f in CONTROL_FUNCTIONS))
STEP_ARGS = "t, h, step, u, m, p, ws, analysis_ws, lane"
SETTLE_ARGS = f"options, {STEP_ARGS}"
_PACKS_ARGS = "t, h, step, u, v, m, p, ws, lane"


class TangentText:
    """Writes the functions that step tangent vectors.

    Parameters
    ----------
    text
        The model.
    tangents
        How many there are, and where they lie.
    hooks
        For each observer that has some, its hook *within*, or ``""``.
    precise
        Whether they are wanted as accurately as the states.
    """

    def __init__(
        self,
        text: ModelText,
        tangents: TangentLayout,
        hooks: tuple[str, ...],
        *,
        precise: bool = False,
    ) -> None:
        self.text = text
        self.tangents = tangents
        self.n = tangents.n
        self.jacobian = text.layout.spec.jacobian
        self.refinement = None
        if tangents.refined:
            dtype = text.layout.spec.dtype
            self.refinement = TangentRefinement(
                tangents, hooks, dtype, STEP_ARGS, SETTLE_ARGS, precise=precise
            )

    def emit(self, step: str = "runner_variational_step") -> str:
        """All functions that a run loop with tangent vectors calls; `step` names the step."""
        located = self.text.layout.any_located
        parts = [self._jacobian(), self._rhs(), self._stepper()]
        if self.tangents.in_packs:
            return "\n".join([*parts, self._step_of_packs(step), *self._linear()])
        parts += [self._group(), self._step(step), self._commit(), *self._linear()]
        if self.tangents.group_memory:
            parts.append(self._restart())
        if located and self.refinement is None:
            parts += self._cut()
        if self.refinement is not None:
            parts.append(self.refinement.group_lines(self._load(), self._store_all()))
            parts.append(self.refinement.emit(cut=located))
        elif not self.tangents.in_place:
            commit = ["commit_tangents(analysis_ws, lane)"]
            parts.append(function("settle_tangents", SETTLE_ARGS, commit))
        return "\n".join(parts)

    # -- the extended system ------------------------------------------------------------------

    @property
    def _columns(self) -> int:
        """Vectors of an extended state: those of a group; of packs, all look like one."""
        return 1 if self.tangents.in_packs else self.tangents.size

    def _changing(self) -> list[tuple[int, int]]:
        """Entries of the Jacobian that are no constants."""
        return [
            (i, j)
            for i, row in enumerate(self.jacobian)
            for j, entry in enumerate(row)
            if not isinstance(entry, Num)
        ]

    def _jacobian(self) -> str:
        entries: list[Node] = [self.jacobian[i][j] for i, j in self._changing()]
        if not entries:
            entries = [Num(0.0)]
        lines, results = self.text.evaluate(entries)
        before = [*self.text.seen_time(entries), *self.text.prologue(entries)]
        results = [f"return {group(results)}"]
        return function("jacobian_entries", "t, step, u, p, ws, lane", [*before, *lines, *results])

    def _rhs(self) -> str:
        n, real = self.n, self.text.real
        changing = {place: f"j{k}" for k, place in enumerate(self._changing())}
        columns = [[f"v{c}_{i}" for i in range(n)] for c in range(self._columns)]
        lines = [
            unpack([*names("x", n), *(v for column in columns for v in column)], "u"),
            f"x = {group(names('x', n))}",
            unpack(names("f", n), "rhs(t, step, x, p, ws, lane)"),
        ]
        if changing:
            entries = unpack(list(changing.values()), "jacobian_entries(t, step, x, p, ws, lane)")
            lines.append(entries)
        results = []
        for c, column in enumerate(columns):
            for i, row in enumerate(self.jacobian):
                terms = []
                for j, entry in enumerate(row):
                    if isinstance(entry, Num) and not entry.value:
                        continue
                    factor = changing.get((i, j)) or real(float(_number(entry)))
                    terms.append((factor, column[j]))
                before, total = chain(f"r{c}_{i}", terms) if terms else ([], real(0.0))
                lines += before
                results.append(total)
        lines.append(f"return {group([*names('f', n), *results])}")
        return function("rhs_tangent", "t, step, u, p, ws, lane", lines)

    def _stepper(self) -> str:
        writer = StepperText(self.text, self.text.real, self._columns)
        text = without(writer.emit(), _DROPPED)
        if self.tangents.refined:
            text = f"{text}\n{writer.vector_error()}"
        if self.tangents.refined or not self.text.layout.any_located:
            text = without(text, ("dense", "interpolate"))
        own = "|".join(["rhs", *re.findall(r"^def (\w+)\(", text, re.MULTILINE)])
        text = re.sub(rf"\b({own})\b", r"\1_tangent", text)
        return "\n".join([*writer.beside(), text])

    # -- between workspace and extended state -------------------------------------------------

    def _load(self, memory: bool = True) -> list[str]:
        """Lines that make the extended state `ue` and memory `me` of group `g`."""
        layout, n = self.tangents, self.n
        first = "analysis_ws" if layout.groups == 1 else f"analysis_ws[g * {layout.group_rows}:]"
        lines = [
            unpack(names("u", n), "u"),
            unpack(
                names("v", layout.group_rows), f"load_rows({first}, 0, {layout.group_rows}, lane)"
            ),
        ]
        vectors = [self.text.real.cast(v) for v in names("v", layout.group_rows)]
        lines.append(f"ue = {group([*names('u', n), *vectors])}")
        if not (memory and any(layout.stepper.memory)):
            return [*lines, "me = m"] if memory else lines
        return lines + self._load_memory()

    def _load_memory(self) -> list[str]:
        layout, n = self.tangents, self.n
        count, numbers = layout.stepper.memory
        rows = layout.group_memory
        lines = []
        if rows:
            start = f"{layout.memory} + g * {rows}" if layout.groups > 1 else f"{layout.memory}"
            lines.append(
                unpack(names("w", rows), f"load_rows(analysis_ws[{start}:], 0, {rows}, lane)")
            )
        items = []
        for vector in range(count):
            items += [f"m[{vector * n + i}]" for i in range(n)]
            own = range(vector * layout.group_rows, (vector + 1) * layout.group_rows)
            items += [self.text.real.cast(f"w{i}") for i in own]
        items += [f"m[{count * n + i}]" for i in range(numbers)]
        return [*lines, f"me = {group(items)}"]

    def _store(self, values: str, into: str) -> str:
        """A line that stores the tangent part of the extended state `values`."""
        layout, n = self.tangents, self.n
        items = group(f"{values}[{i}]" for i in range(n, n + layout.group_rows))
        rows = f"{into}[g * {layout.group_rows}:]" if layout.groups > 1 else into
        return f"store_rows({rows}, 0, lane, {items})"

    def _store_memory(self, values: str, into: str) -> str:
        """The same for the memory."""
        layout, n = self.tangents, self.n
        whole = n + layout.group_rows
        items = [
            f"{values}[{vector * whole + n + i}]"
            for vector in range(layout.stepper.memory[0])
            for i in range(layout.group_rows)
        ]
        start = f"{layout.memory} + g * {layout.group_memory}"
        start = start if layout.groups > 1 else f"{layout.memory}"
        return f"store_rows({into}[{start}:], 0, lane, {group(items)})"

    def _store_all(self) -> list[str]:
        """Lines that leave ``un`` and ``mn``, the extended state and memory, in the rows `into`."""
        lines = [self._store("un", "into")]
        if self.tangents.group_memory:
            lines.append(self._store_memory("mn", "into"))
        return lines

    # -- functions ----------------------------------------------------------------------------

    def _attempt(self) -> list[str]:
        return [*self._load(), "un, ke = attempt_tangent(t, h, step, ue, me, p, ws, lane)"]

    def _group(self) -> str:
        """Step one group, and put the outcome into the rows `into`."""
        layout = self.tangents
        lines = self._attempt()
        if layout.group_memory:
            lines.append("mn = next_memory_tangent(me, ke)")
        lines += self._store_all()
        if layout.refined:
            lines.append("rough, fine = vector_error_tangent(h, ue, un, ke, lane)")
            error = f"max_(rough, {LESSER!r} * fine)"
            lines.append(f"analysis_ws[{layout.errors} + g, lane] = {error}")
        return function("tangent_group", f"g, into, {STEP_ARGS}", lines)

    def _groups(self, call: str) -> list[str]:
        if self.tangents.groups == 1:
            return [call.replace("(g, ", "(0, ")]
        return [f"for g in range({self.tangents.groups}):", f"    {call}"]

    def _step(self, name: str) -> str:
        in_place = self.tangents.in_place
        into = "analysis_ws" if in_place else f"analysis_ws[{self.tangents.pending}:]"
        # The state first: what the vectors' step says about it is known before they are stored.
        stepper = self.tangents.stepper
        lines = [attempt_line(stepper)]
        lines += self._groups(f"tangent_group(g, {into}, {STEP_ARGS})")
        return function(name, STEP_ARGS, [*lines, f"return {outcome(stepper)}"])

    def _step_of_packs(self, name: str) -> str:
        """A step of the states, and of the packs `v`, which have the vectors' text."""
        n = self.n
        lines = [
            "u_new, k = attempt(t, h, step, u, m, p, ws, lane)",
            unpack(names("u", n), "u"),
            unpack(names("v", n), "v"),
            f"ue = {group([*names('u', n), *names('v', n)])}",
            "un, ke = attempt_tangent(t, h, step, ue, m, p, ws, lane)",
            f"return u_new, k, {group(f'un[{i}]' for i in range(n, 2 * n))}",
        ]
        return function(name, _PACKS_ARGS, lines)

    def _commit(self) -> str:
        """Take over what an attempt left."""
        rows = self.tangents.pending
        pending = f"analysis_ws[{rows}:]"
        if rows <= _MOST_AT_ONCE:
            lines = [f"store_rows(analysis_ws, 0, lane, load_rows({pending}, 0, {rows}, lane))"]
        else:
            lines = [
                f"for i in range({rows}):",
                f"    analysis_ws[i, lane] = analysis_ws[{rows} + i, lane]",
            ]
        return function("commit_tangents", "analysis_ws, lane", lines)

    def _linear(self) -> list[str]:
        """What observers do to vectors: with vector j goes what the stepper remembers of it."""
        layout, n = self.tangents, self.n
        vectors = layout.stepper.memory[0]
        within = f"j // {layout.size} * {layout.group_memory} + j % {layout.size} * {n}"
        other = within.replace("j ", "i ")
        texts = []
        for name, args, change in (
            ("scale_tangent", "j, factor", "{} = {} * factor"),
            ("subtract_tangent", "j, i, factor", "{} = fma(-factor, {}, {})"),
        ):
            places = [(f"j * {n}", f"i * {n}")] + [
                (f"{layout.memory + v * layout.group_rows} + {within}",
                 f"{layout.memory + v * layout.group_rows} + {other}")
                for v in range(vectors)
            ]  # fmt: skip
            lines = []
            for own, theirs in places:
                lines.append(f"for s in range({n}):")
                here = f"analysis_ws[{own} + s, lane]"
                there = f"analysis_ws[{theirs} + s, lane]"
                operands = (here, here) if "scale" in name else (here, there, here)
                lines.append(f"    {change.format(*operands)}")
            if layout.chained:
                here, there = (f"analysis_ws[{layout.shift} + {v}, lane]" for v in "ji")
                operands = (here, here) if "scale" in name else (here, there, here)
                lines.append(change.format(*operands))
            texts.append(function(name, f"{args}, analysis_ws, lane", lines))
        return texts

    def _restart(self) -> str:
        """Forget what the stepper remembers of the tangent vectors."""
        lines = [
            *self._load(memory=False),
            "me = restart_tangent(t, step, ue, p, ws, lane)",
            self._store_memory("me", "analysis_ws"),
        ]
        args = "t, step, u, p, ws, analysis_ws, lane"
        return "\n".join(
            [
                function("restart_group", f"g, {args}", lines),
                function("restart_tangents", args, self._groups(f"restart_group(g, {args})")),
            ]
        )

    def _cut(self) -> list[str]:
        """Bring the tangent vectors to the fraction theta of a step that an event cuts."""
        lines = [
            *self._attempt(),
            "if theta < 1.0:",
            "    de = dense_tangent(t, h, step, ue, un, ke, p, ws, lane)",
            "    un = interpolate_tangent(theta, h, ue, un, de)",
            self._store("un", "analysis_ws"),
        ]
        calls = self._groups(f"cut_group(g, theta, {STEP_ARGS})")
        return [
            function("cut_group", f"g, theta, {STEP_ARGS}", lines),
            function("cut_tangents", f"theta, {SETTLE_ARGS}", calls),
        ]


_MOST_AT_ONCE = 64  # rows that are moved without a loop


def _number(entry: Node) -> float:
    assert isinstance(entry, Num)
    return entry.value
