"""The model's functions as text: straight-line code over tuples of the states."""

from __future__ import annotations

from collections.abc import Sequence

from dynlib.compiler.codegen.layout import Layout
from dynlib.compiler.codegen.rhs_parts import parts_of
from dynlib.compiler.length import check_length, code_limit
from dynlib.dsl.expr import emit, free_nodes
from dynlib.dsl.expr.nodes import (
    Iteration,
    Lag,
    Node,
    Param,
    Previous,
    PreviousTime,
    State,
    Time,
)
from dynlib.steppers.text import Scalar, function, group, names, unpack

__all__ = ["EXAMINE", "ModelText"]

EXAMINE = "t, step, u, tp, up, p, ws, lane"  # a condition looks at the step from (tp, up) to (t, u)
_MODEL = "t, step, u, p, ws, lane"


class ModelText:
    """Writes functions that evaluate expressions of one model.

    Parameters
    ----------
    layout
        Where things lie.
    varied
        None: `p` is the matrix of all parameters.  Otherwise `p` is the pair of a matrix that
        holds these parameters, which differ from lane to lane, and the tuple of all of them,
        from which the others are read.
    """

    def __init__(self, layout: Layout, varied: tuple[int, ...] | None = None) -> None:
        self.layout = layout
        self.varied = varied
        self.dtype = layout.spec.dtype
        self.real = Scalar(self.dtype)
        self._most, self._written = code_limit(), 0

    # -- pieces -------------------------------------------------------------------------------

    def leaf(self, node: Node) -> str:
        """How a state, parameter, time or lag is read."""
        match node:
            case State():
                return f"u{node.index}"
            case Previous():
                return f"up{node.index}"
            case Param():
                return self.kept(self._param(node.index))
            case Lag():
                start, depth = self.layout.rings[node.index]
                return self.kept(f"ws[{start} + (step - {node.k}) % {depth}, lane]")
            case Time():
                return self.real.cast("t")
            case PreviousTime():
                return self.real.cast("tp")
            case Iteration():
                return "step"
        msg = f"no way to read {node!r}"
        raise AssertionError(msg)

    def place(self, target: Node) -> str:
        """Where an action puts the value of a state or parameter."""
        return self._param(target.index) if isinstance(target, Param) else self.leaf(target)

    def kept(self, value: str) -> str:
        """A value as the arrays keep it: int32 models compute with 64 bits and keep 32."""
        return f"integer({value})" if self.dtype == "int32" else value

    def _param(self, index: int) -> str:
        if self.varied is None:
            return f"p[{index}, lane]"
        if index in self.varied:
            return f"p[0][{self.varied.index(index)}, lane]"
        return f"p[1][{index}]"

    def prologue(self, nodes: Sequence[Node]) -> list[str]:
        """Lines that take the state tuples apart, where `nodes` refer to them."""
        free = free_nodes(nodes)
        lines = []
        if any(isinstance(leaf, State) for leaf in free):
            lines.append(unpack(names("u", self.layout.states), "u"))
        if any(isinstance(leaf, Previous) for leaf in free):
            lines.append(unpack(names("up", self.layout.states), "up"))
        return lines

    def evaluate(self, nodes: Sequence[Node], prefix: str = "v") -> tuple[list[str], list[str]]:
        """Statements that compute `nodes`, and an expression for each of them."""
        row = self.layout.heed
        heed = "" if row is None else f"heard(ws, {row}, lane)"
        emitted = emit(list(nodes), self.leaf, prefix=prefix, indent=0, dtype=self.dtype, heed=heed)
        self._written += len(emitted.lines) + len(nodes)
        check_length(self._written, self._most, whole=False)
        return list(emitted.lines), list(emitted.results)

    def seen_time(self, nodes: Sequence[Node]) -> list[str]:
        """Lines that keep the time of a flow's expressions within the stretch up to a switch."""
        if not (self.layout.switches and Time() in free_nodes(nodes)):
            return []
        first = self.layout.switch + 1
        low, high = (f"float(ws[{row}, lane])" for row in (first, first + 1))
        return [f"t = min_(max_(t, {low}), {high})"]

    def expressions(self, name: str, args: str, nodes: Sequence[Node]) -> str:
        """A function that returns the tuple of `nodes`."""
        lines, results = self.evaluate(nodes)
        return function(name, args, [*self.prologue(nodes), *lines, f"return {group(results)}"])

    def picked(self, nodes: Sequence[Node]) -> list[str]:
        """The same, but for the states alone that `nodes` refer to."""
        free = free_nodes(nodes)
        lines = []
        for kind, name in ((State, "u"), (Previous, "up")):
            used = sorted({leaf.index for leaf in free if isinstance(leaf, kind)})
            lines += [f"{name}{i} = {name}[{i}]" for i in used]
        return lines

    def single(self, name: str, args: str, node: Node, *, picked: bool = False) -> str:
        """A function that returns one expression; only `picked` states are taken from the tuple."""
        lines, results = self.evaluate([node])
        before = self.picked([node]) if picked else self.prologue([node])
        return function(name, args, [*before, *lines, f"return {results[0]}"])

    # -- functions ----------------------------------------------------------------------------

    def rhs(self) -> str:
        """The right-hand side: derivatives of an ODE, next values of a map."""
        equations = self.layout.spec.equations
        parts = parts_of(equations)
        if len(parts) == 1:
            return self._derivatives("rhs", equations, self.prologue(equations))
        texts = [
            self._derivatives(f"rhs_{k}", part, self.picked(part)) for k, part in enumerate(parts)
        ]
        whole = " + ".join(f"rhs_{k}({_MODEL})" for k, _ in enumerate(parts))
        return "\n".join([*texts, function("rhs", _MODEL, [f"return {whole}"])])

    def _derivatives(self, name: str, equations: Sequence[Node], taken: Sequence[str]) -> str:
        """A function of some of the equations; lines before take the state apart."""
        lines, results = self.evaluate(equations)
        values = group(self.kept(result) for result in results)
        before = [*self.seen_time(equations), *taken]
        return function(name, _MODEL, [*before, *lines, f"return {values}"])

    def start_lags(self) -> str:
        """Before the start, every lag is the initial state."""
        lines = [unpack(names("u", self.layout.states), "u")]
        for state, (start, depth) in self.layout.rings.items():
            lines += [f"ws[{row}, lane] = u{state}" for row in range(start, start + depth)]
        return function("start_lags", "ws, u, lane", lines)

    def record(self) -> str:
        """Write one row: all states, or the selected states and aux."""
        lines = [
            "if count[Count.SELECTED_STATES] < 0:",
            "    store_row(rec_y, row, u)",
            "else:",
            "    store_rows(y, 0, lane, u)",
            "    for j in range(count[Count.SELECTED_STATES]):",
            "        rec_y[row, j] = y[sel_y[j], lane]",
        ]
        given = "t, step, u, p, ws, rec_aux, sel_aux, count, lane"
        args = "row, t, step, u, y, p, ws, rec_y, rec_aux, sel_y, sel_aux, count, lane"
        aux = [spec.expr for spec in self.layout.spec.aux]
        if not aux:
            return function("record", args, lines)
        lines += ["if count[Count.SELECTED_AUX] > 0:", f"    record_aux(row, {given})"]
        return "\n".join([self._record_aux(aux, f"row, {given}"), function("record", args, lines)])

    def _record_aux(self, aux: Sequence[Node], args: str) -> str:
        """Write the selected aux of one row."""
        given = EXAMINE if self.layout.aux_looks_back else _MODEL
        lines = ["tp, up = step_start(ws, lane)"] if self.layout.aux_looks_back else []
        lines += [
            f"values = in_memory(aux({given}))",
            "for j in range(count[Count.SELECTED_AUX]):",
            "    rec_aux[row, j] = values[sel_aux[j]]",
        ]
        return "\n".join([self.expressions("aux", given, aux), function("record_aux", args, lines)])

    def push_lags(self) -> str:
        """Enter the state of the current step into the rings."""
        lines = [unpack(names("u", self.layout.states), "u")]
        for state, (start, depth) in self.layout.rings.items():
            lines.append(f"ws[{start} + step % {depth}, lane] = u{state}")
        return function("push_lags", "ws, step, u, lane", lines)

    def past(self, name: str, first: int) -> str:
        """Keep a state and its time in the rows from `first` on, and look them up."""
        rows = [f"ws[{first + i}, lane]" for i in range(self.layout.states + 1)]
        u = names("u", self.layout.states)
        lines = [unpack(u, "u"), *(f"{row} = {x}" for row, x in zip(rows, [*u, "t"], strict=True))]
        found = [f"return {rows[-1]}, {group(rows[:-1])}"]
        return "\n".join(
            [
                function(f"push_{name}", "ws, t, u, lane", lines),
                function(name, "ws, lane", found),
            ]
        )

    def stop(self) -> str:
        """The stop condition."""
        assert self.layout.spec.stop is not None
        return self.single("stop_condition", EXAMINE, self.layout.spec.stop.cond)
