"""Expressions: names, operators, items of tuples and arrays, calls."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from dynlib.compiler.llvm.blocks import Blocks, Path, unified
from dynlib.compiler.llvm.components import components
from dynlib.compiler.llvm.operations import binary, compared, negated, selected, truth, unlike
from dynlib.compiler.llvm.values import (
    Array,
    Group,
    Number,
    Untranslatable,
    Value,
    number,
    shape_of,
)
from dynlib.compiler.syntax import walk

__all__ = ["Callee", "Expressions", "Scope"]

Callee = Callable[["Expressions", Sequence[Value]], Value | None]


class Scope(Protocol):
    """What a function's text finds around it."""

    def constant(self, name: str) -> Value | None:
        """A global that is a value."""

    def callee(self, name: str) -> Callee:
        """A global that is called."""

    def declare(self, name: str, signature: str) -> None:
        """Note that a function of LLVM's own is used, ``kind name(kinds)``."""


class Expressions:
    """Translates expressions, given what the names mean here."""

    def __init__(
        self, scope: Scope, names: Mapping[str, Value], blocks: Blocks | None = None
    ) -> None:
        self.scope = scope
        self.names = dict(names)
        self.blocks = blocks or Blocks()

    def value(self, node: ast.expr) -> Value:
        """The value of an expression."""
        found = self.evaluate(node)
        if found is None:
            raise Untranslatable("a call that returns nothing, where a value is needed")
        return found

    def number(self, node: ast.expr) -> Number:
        """The value of an expression that is a number."""
        return self.as_number(self.value(node))

    def as_number(self, value: Value) -> Number:
        """A value that is a number."""
        if not isinstance(value, Number):
            raise Untranslatable(f"a {type(value).__name__} where a number is needed")
        return value

    def evaluate(self, node: ast.expr) -> Value | None:
        """The value of an expression, or None of a call that returns nothing."""
        kind = type(node).__name__
        method: Callable[[ast.expr], Value | None] | None = getattr(self, f"_{kind.lower()}", None)
        if method is None:
            raise Untranslatable(f"the expression {kind}")
        return method(node)

    def _name(self, node: ast.Name) -> Value:
        found = self.names.get(node.id)
        if found is None:
            found = self.scope.constant(node.id)
        if found is None:
            raise Untranslatable(f"the name {node.id}, which may have no value")
        return found

    def _constant(self, node: ast.Constant) -> Number:
        if not isinstance(node.value, bool | int | float):
            raise Untranslatable(f"the constant {node.value!r}")
        return number(node.value)

    def _tuple(self, node: ast.Tuple) -> Group:
        return Group(tuple(self.value(item) for item in node.elts))

    # -- operators --------------------------------------------------------------------------------

    def _binop(self, node: ast.BinOp) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(node.op, ast.Add) and isinstance(left, Group) and isinstance(right, Group):
            return Group(left.items + right.items)
        return binary(self.blocks, node.op, self.as_number(left), self.as_number(right))

    def _compare(self, node: ast.Compare) -> Number:
        if len(node.ops) > 1:
            raise Untranslatable("a chain of comparisons")
        left, right = self.number(node.left), self.number(node.comparators[0])
        return compared(self.blocks, node.ops[0], left, right)

    def _unaryop(self, node: ast.UnaryOp) -> Number:
        operand = self.number(node.operand)
        if isinstance(node.op, ast.USub):
            return negated(self.blocks, operand)
        if isinstance(node.op, ast.Not):
            return unlike(self.blocks, operand)
        raise Untranslatable(f"the operator {type(node.op).__name__}")

    # -- what may not be needed -------------------------------------------------------------------

    def _boolop(self, node: ast.BoolOp) -> Number:
        """``and`` and ``or``; operands without calls and items are evaluated in any case."""
        any_of = isinstance(node.op, ast.Or)
        first, *others = node.values
        result = truth(self.blocks, self.number(first))
        for operand in others:
            if result.known is not None:
                if result.known == any_of:
                    return result
                result = truth(self.blocks, self.number(operand))
            elif _harmless(operand):
                other = truth(self.blocks, self.number(operand))
                word = "or" if any_of else "and"
                text = self.blocks.new(f"{word} i1 {result.text}, {other.text}")
                result = Number("i1", text)
            else:
                result = self._if_needed(any_of, result, operand)
        return result

    def _if_needed(self, any_of: bool, first: Number, node: ast.expr) -> Number:
        blocks = self.blocks
        more, after = blocks.block("more"), blocks.block("known")
        ways = (after, more) if any_of else (more, after)
        left = blocks.branch(first, *ways)
        blocks.start(more)
        second = truth(blocks, self.number(node))
        came = blocks.goto(after)
        met = blocks.choose(after, "i1", [(left, number(any_of)), (came, second)])
        blocks.start(after)
        return self.as_number(met)

    def _ifexp(self, node: ast.IfExp) -> Value:
        condition = truth(self.blocks, self.number(node.test))
        if condition.known is not None:
            return self.value(node.body if condition.known else node.orelse)
        if _harmless(node.body) and _harmless(node.orelse):
            a, b = self.number(node.body), self.number(node.orelse)
            return selected(self.blocks, condition, a, b)
        blocks = self.blocks
        yes, no, after = (blocks.block(label) for label in ("yes", "no", "after"))
        blocks.branch(condition, yes, no)
        paths = []
        for block, part in ((yes, node.body), (no, node.orelse)):
            blocks.start(block)
            value = self.value(part)
            paths.append(Path(blocks.goto(after), {"": value}))
        shape = unified(*(shape_of(path.names[""]) for path in paths))
        if shape is None:
            raise Untranslatable("two kinds of value in one expression")
        met = blocks.choose(after, shape, [(path.block, path.names[""]) for path in paths])
        blocks.start(after)
        return met

    # -- arrays -----------------------------------------------------------------------------------

    def _subscript(self, node: ast.Subscript) -> Value:
        whole = self.value(node.value)
        if isinstance(whole, Group):
            index = self.number(node.slice).known
            if not isinstance(index, int):
                raise Untranslatable("an item of a tuple whose place is not known beforehand")
            return whole.items[index]
        found = self.item(whole, node.slice)
        if isinstance(found, Array) and not found.extents:
            return self.load(found)
        return found

    def item(self, whole: Value, index: ast.expr) -> Value:
        """A part of an array; one item is an array without extents."""
        if not isinstance(whole, Array):
            raise Untranslatable("an item of what is neither a tuple nor an array")
        if isinstance(index, ast.Slice):
            return self._slice(whole, index)
        nodes = index.elts if isinstance(index, ast.Tuple) else [index]
        return self.at(whole, [self.number(node) for node in nodes])

    def at(self, whole: Array, indices: Sequence[Number]) -> Array:
        """The part of an array at its first indices, none of which counts from the end."""
        if len(indices) > len(whole.extents):
            raise Untranslatable("too many indices")
        for index in indices:
            if index.known is not None and index.known < 0:
                raise Untranslatable("an index that counts from the end")
        place = self.blocks.cast(indices[0], "i64").text
        for i, extent in enumerate(whole.extents[1:]):
            place = self.times(place, extent)
            if i + 1 < len(indices):
                place = self.plus(place, self.blocks.cast(indices[i + 1], "i64").text)
        return Array(whole.kind, self.address(whole, place), whole.extents[len(indices) :])

    def address(self, whole: Array, place: str) -> str:
        """The address of a number of an array, counted from its first."""
        if place == "0":
            return whole.pointer
        return self.blocks.new(
            f"getelementptr inbounds {whole.kind}, ptr {whole.pointer}, i64 {place}"
        )

    def times(self, a: str, b: int | str) -> str:
        """A product of extents or indices."""
        if a in ("0", "1") or str(b) == "1":
            return "0" if a == "0" else str(b) if a == "1" else a
        if isinstance(b, int) and a.isdigit():
            return str(int(a) * b)
        return self.blocks.new(f"mul nsw i64 {a}, {b}")

    def plus(self, a: str, b: str) -> str:
        """A sum of indices."""
        if a == "0" or b == "0":
            return b if a == "0" else a
        if a.isdigit() and b.isdigit():
            return str(int(a) + int(b))
        return self.blocks.new(f"add nsw i64 {a}, {b}")

    def _slice(self, whole: Array, node: ast.Slice) -> Array:
        """Rows of an array, from one on; none beyond its end."""
        first = number(0) if node.lower is None else self.number(node.lower)
        start = self.at(whole, [first])
        last: int | str = whole.extents[0]
        if node.upper is not None:
            end = self.number(node.upper)
            if end.known is not None and end.known < 0:
                raise Untranslatable("a slice whose end counts from the end")
            known = isinstance(end.known, int)
            last = int(end.known or 0) if known else self.blocks.cast(end, "i64").text
        if node.step is not None:
            raise Untranslatable("a slice with a step")
        if isinstance(last, int) and isinstance(first.known, int):
            rows: int | str = max(last - first.known, 0)
        else:
            rows = self.blocks.new(f"sub i64 {last}, {self.blocks.cast(first, 'i64').text}")
        return Array(whole.kind, start.pointer, (rows, *whole.extents[1:]))

    def load(self, place: Array) -> Number:
        """The number at an address."""
        return Number(place.kind, self.blocks.new(f"load {place.kind}, ptr {place.pointer}"))

    def store(self, value: Number, place: Array) -> None:
        """Put a number there, as what the array holds."""
        text = self.blocks.cast(value, place.kind).text
        self.blocks.do(f"store {place.kind} {text}, ptr {place.pointer}")

    # -- calls ------------------------------------------------------------------------------------

    def _call(self, node: ast.Call) -> Value | None:
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise Untranslatable("a call of anything but a name, or with keywords")
        if node.func.id == "tuple":
            return components(self, node)
        return self.scope.callee(node.func.id)(self, [self.value(arg) for arg in node.args])


def _harmless(node: ast.expr) -> bool:
    """Whether evaluating an expression that is not needed neither costs much nor reads memory."""
    return not any(
        isinstance(part, ast.Call | ast.Subscript)
        or (isinstance(part, ast.BinOp) and isinstance(part.op, ast.FloorDiv | ast.Mod))
        for part in walk(node)
    )
