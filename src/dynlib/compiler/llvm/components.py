"""``tuple(fma(w, k[i], u[i]) for i in range(n))``: one expression for all items of tuples.

In single runs eight items are computed at once, as a pack (`dynlib.compiler.llvm.long_tuples`);
in lanes, where the runs side by side fill vectors, one after the other.  The operations on each
item, and so its bits, are the same.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING

from dynlib.compiler.llvm.long_tuples import (
    LOOP_FROM,
    WIDTH,
    address,
    load_pack,
    lying,
    pack,
    packed,
)
from dynlib.compiler.llvm.values import Array, Group, Kept, Number, Untranslatable, Value, number

if TYPE_CHECKING:
    from dynlib.compiler.llvm.expressions import Expressions

__all__ = ["components"]


def components(body: Expressions, node: ast.Call) -> Group:
    """The tuple of the values of an expression for each i of a range."""
    name, n, expression = _parts(node)
    items = _Items(body, name)
    expression = items.visit(deepcopy(expression))
    if isinstance(expression, ast.Name) and expression.id in items.found:
        whole, first = items.found[expression.id]
        if isinstance(whole, Group):
            return Group(whole.items[first : first + n])
    bases = items.bases(n) if body.blocks.side_by_side and n >= LOOP_FROM else None
    if bases is not None:
        return _in_loop(body, bases, expression, n)
    names, before = dict(body.names), body.blocks.componentwise
    body.blocks.componentwise = True
    results: list[Number] = []
    whole_packs = n - n % WIDTH if body.blocks.side_by_side and items.doubles(n) else 0
    for i in (*range(0, whole_packs, WIDTH), *range(whole_packs, n)):
        width = WIDTH if i < whole_packs else 1
        for word, (whole, first) in items.found.items():
            body.names[word] = _item(body, whole, first + i, width)
        results += _several(body, body.number(expression), width)
    body.names, body.blocks.componentwise = names, before
    return Group(tuple(results))


def _in_loop(
    body: Expressions, bases: Mapping[str, tuple[str, int]], expression: ast.expr, n: int
) -> Group:
    """The same in a loop, of items that lie in memory, where the results go too."""
    blocks, names = body.blocks, dict(body.names)
    room = blocks.room(f"[{n} x double]")

    def result(i: str, width: int) -> None:
        for word, (pointer, first) in bases.items():
            start = blocks.new(f"getelementptr inbounds double, ptr {pointer}, i64 {first}")
            place = blocks.new(f"getelementptr inbounds double, ptr {start}, i64 {i}")
            kind = f"<{width} x double>" if width > 1 else "double"
            body.names[word] = Number(kind, blocks.new(f"load {kind}, ptr {place}, align 8"))
        found = blocks.cast(body.number(expression), kind)
        place = blocks.new(f"getelementptr inbounds double, ptr {room}, i64 {i}")
        blocks.do(f"store {kind} {found.text}, ptr {place}, align 8")

    blocks.componentwise = True
    with blocks.counted(n - n % WIDTH, WIDTH) as i:
        result(i, WIDTH)
    for rest in range(n - n % WIDTH, n):
        result(str(rest), 1)
    body.names, blocks.componentwise = names, False
    return lying(blocks, Kept("double", n), room)


def _several(body: Expressions, found: Number, width: int) -> Sequence[Number]:
    """The results for several items at once."""
    if width == 1:
        return [found]
    return packed(body.blocks, [body.blocks.cast(found, f"<{width} x double>")])


def _parts(node: ast.Call) -> tuple[str, int, ast.expr]:
    """The name, how many there are, and the expression."""
    match node.args:
        case [
            ast.GeneratorExp(
                expression,
                [
                    ast.comprehension(
                        ast.Name(name), ast.Call(ast.Name("range"), [ast.Constant(int(n))]), []
                    )
                ],
            )
        ]:
            return name, n, expression
    raise Untranslatable("a tuple of anything but an expression for a range")


class _Items(ast.NodeTransformer):
    """Puts names in the place of items at `i`, or some places after it."""

    def __init__(self, body: Expressions, name: str) -> None:
        self._body, self._name = body, name
        self.found: dict[str, tuple[Value, int]] = {}

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        first = self._first(node.slice)
        if first is None:
            return node
        word = f" {ast.unparse(node)}"
        if word not in self.found:
            self.found[word] = self._body.value(node.value), first
        return ast.Name(word, ast.Load())

    def _first(self, place: ast.expr) -> int | None:
        match place:
            case ast.Name(name) if name == self._name:
                return 0
            case ast.BinOp(ast.Name(name), ast.Add(), ast.Constant(int(first))):
                return first if name == self._name else None
        return None

    def bases(self, n: int) -> dict[str, tuple[str, int]] | None:
        """Where all items lie, if they are doubles one after the other: an address, and how far."""
        found = {}
        for word, (whole, first) in self.found.items():
            if isinstance(whole, Array):
                base = (whole.pointer, first) if whole.kind == "double" else None
            else:
                base = address(self._body.blocks, whole, first, n)
            if base is None or (isinstance(whole, Array) and len(whole.extents) != 1):
                return None
            found[word] = base
        return found

    def doubles(self, n: int) -> bool:
        """Whether all items may be computed with as doubles."""
        return all(
            whole.kind == "double"
            if isinstance(whole, Array)
            else isinstance(whole, Group)
            and all(
                isinstance(item, Number) and item.kind in ("double", "i64", "i1")
                for item in whole.items[first : first + n]
            )
            for whole, first in self.found.values()
        )


def _item(body: Expressions, whole: Value, place: int, width: int) -> Value:
    """An item of a tuple or an array, or several as a pack."""
    if isinstance(whole, Array):
        if len(whole.extents) != 1:
            raise Untranslatable("rows of an array as items")
        if width == 1:
            return body.load(body.at(whole, [number(place)]))
        return load_pack(body.blocks, whole.pointer, place)
    if not isinstance(whole, Group):
        raise Untranslatable("items of a number")
    if width == 1:
        return whole.items[place]
    items = [body.as_number(item) for item in whole.items[place : place + width]]
    return pack(body.blocks, items)
