"""The functions of a module, each translated for the shapes that it is called with."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count, repeat
from typing import Any

from dynlib.compiler.length import check_length, code_limit
from dynlib.compiler.llvm.blocks import Blocks, unified
from dynlib.compiler.llvm.by_memory import (
    NOWHERE,
    is_apart,
    kept_in,
    kept_shape,
    load_used,
    note_kinds,
    stored,
)
from dynlib.compiler.llvm.cold_call import never_called
from dynlib.compiler.llvm.expressions import Scope
from dynlib.compiler.llvm.functions import Body
from dynlib.compiler.llvm.grouped import grouped
from dynlib.compiler.llvm.long_tuples import COPY
from dynlib.compiler.llvm.memory_access import ROWS
from dynlib.compiler.llvm.primitives import CALLED, casts
from dynlib.compiler.llvm.record_transpose import TILES
from dynlib.compiler.llvm.tangent_simd import with_packs
from dynlib.compiler.llvm.values import (
    Array,
    Group,
    InMemory,
    Number,
    Shape,
    Untranslatable,
    Value,
    flat,
    flat_kinds,
    number,
    rebuilt,
    shape_of,
)
from dynlib.compiler.llvm.vector_forms import NOTES, vector_forms
from dynlib.compiler.sizes import SHARE_FROM

__all__ = ["Assembly", "Made", "ManyElementary"]


class ManyElementary(Exception):
    """Elementary functions put in place make a module so long that they should be called."""


@dataclass(frozen=True)
class Made:
    """A translated function: its name and what it returns.

    One that `fails` returns whether it has failed, and then what it would return otherwise.
    Long tuples of the result go to memory of the caller.
    """

    name: str
    result: Shape | None
    fails: bool


class Assembly:
    """A module of LLVM assembly while it is written: what all of its functions share.

    Attributes
    ----------
    shares
        Whether elementary functions are called; otherwise they are put in place, up to a length.
        With `groups` several calls become one for a vector.  `copies` of the right-hand side would
        be put in place if it were not called itself.
    elementary
        Those that are called: names, and how many numbers each takes.
    """

    def __init__(
        self,
        dtype: str,
        most: int = 0,
        *,
        shares: bool = False,
        groups: bool = False,
        copies: int = 1,
    ) -> None:
        self.dtype = dtype
        self.shares = shares
        self._groups = groups
        self._copies = copies
        self._side_by_side = groups and dtype == "float64"
        self.elementary: dict[str, int] = {}
        self.one_end: dict[ast.FunctionDef, bool] = {}  # functions that return nowhere else
        self._in_place = 0
        self.most = most or code_limit()
        self._values = 0
        self.called = with_packs({**CALLED, **ROWS, **TILES, **casts(dtype)})
        self.parts: list[str] = []
        self.declared: dict[str, str] = {}
        self._made: dict[tuple[int, tuple[Shape, ...]], Made] = {}
        self._begun: set[tuple[int, tuple[Shape, ...]]] = set()
        self._constants: dict[int, Array] = {}
        self._structures: dict[str, str] = {}

    def text(self) -> str:
        """The module in LLVM assembly."""
        parts, names = list(self.parts), []
        for i, (name, takes) in enumerate(self.elementary.items()):
            forms, texts = vector_forms(name, takes, NOTES * i)
            names += forms
            parts += texts
        declared = dict(self.declared)
        if names:
            declared["apart"] = never_called(names)
        types = [f"{name} = type {kinds}" for kinds, name in self._structures.items()]
        return "\n\n".join([*types, *parts, *declared.values()]) + "\n"

    def elementary_in_place(self, names: int) -> None:
        """Note that so many names were written for an elementary function put in place."""
        self._in_place += names * self._copies
        if self._in_place > SHARE_FROM:
            raise ManyElementary

    def kind(self, shape: Shape | None) -> str:
        """The LLVM type of a function's result.

        That of a tuple has a name: written out, it would be as long as the tuple on every line
        that puts in or takes out a number.
        """
        if shape is None:
            return "void"
        if isinstance(shape, str):
            return shape
        numbers = ", ".join(flat_kinds(shape, kept=False))
        if not numbers:
            return "void"
        kinds = "{ " + numbers + " }"
        return self._structures.setdefault(kinds, f"%structure{len(self._structures)}")

    def check(self, blocks: Blocks) -> None:
        """Stop where what has been written so far is far too long; the text is counted later.

        Names are counted; not each instruction has one.
        """
        check_length(self._values + blocks.count, self.most, whole=False)

    def constant_array(self, values: Any) -> Array:
        """An array of integers that never changes."""
        if id(values) not in self._constants:
            name = f"@constants{len(self._constants)}"
            items = ", ".join(f"i64 {int(value)}" for value in values)
            self.parts.append(f"{name} = internal constant [{len(values)} x i64] [{items}]")
            self._constants[id(values)] = Array("i64", name, (len(values),))
        return self._constants[id(values)]

    def function(
        self, scope: Scope, node: ast.FunctionDef, shapes: tuple[Shape, ...], attributes: str
    ) -> Made:
        """A function for arguments of these shapes."""
        key = (id(node), shapes)
        if key not in self._made:
            names = [arg.arg for arg in node.args.args]
            if len(names) != len(shapes):
                raise Untranslatable(f"{node.name} with {len(shapes)} arguments")
            if key in self._begun:
                raise Untranslatable(f"{node.name}, which calls itself")
            self._begun.add(key)
            name = f"{node.name}.{len(self._begun)}"
            kinds = [kind for shape in shapes for kind in flat_kinds(shape)]
            texts = iter([f"%a{i}" for i in range(len(kinds))])
            given = {n: rebuilt(shape, texts) for n, shape in zip(names, shapes, strict=True)}
            body = Body(scope, given, Blocks(side_by_side=self._side_by_side))
            note_kinds(body.blocks, given.values())
            body.body(node.body)
            self.check(body.blocks)
            self._values += body.blocks.count
            fails = any(block.fails for block in body.blocks.all)
            result = _finish(self, body, fails=fails, by_memory=is_apart(attributes))
            load_used(body.blocks)
            if body.blocks.copies:
                self.declared[COPY] = f"declare void @{COPY}(ptr, ptr, i64, i1)"
            if self._groups and self.elementary:
                for block in body.blocks.all:
                    block.lines = grouped(block.lines, self.elementary)
            places = [_parameter(kind, f"%a{i}", given) for i, kind in enumerate(kinds)]
            places += [f"ptr noalias %r{i}" for i, _ in enumerate(kept_in(result))]
            head = ", ".join(places)
            blocks = "\n".join(block.text() for block in body.blocks.all)
            self.parts.append(
                f"define internal {self.kind(result)} @{name}({head}) {attributes} {{\n{blocks}\n}}"
            )
            self._made[key] = Made(name, result, fails)
        return self._made[key]


def _parameter(kind: str, text: str, given: Mapping[str, Value]) -> str:
    """A parameter of a function; that named `place` overlaps with no other array."""
    place = given.get("place")
    alone = isinstance(place, Array) and place.pointer == text
    alone = alone or any(isinstance(v, InMemory) and v.pointer == text for v in given.values())
    return f"{kind} noalias {text}" if alone else f"{kind} {text}"


def _finish(assembly: Assembly, body: Body, *, fails: bool, by_memory: bool) -> Shape | None:
    """Write all returns, of what the results have in common; returns the shape of that."""
    shape = _common(body)
    if fails:
        shape = ("i1",) if shape is None else ("i1", shape)
    kept = kept_shape(shape) if by_memory and shape is not None else shape
    for block, value in body.returned:
        body.blocks.current = block
        if fails:
            value = Group((number(False), value) if value is not None else (number(False),))
        if value is not None and shape is not None:
            value = body.blocks.convert(value, shape)
        block.end = "  ret void" if value is None else _return(assembly, body.blocks, value, kept)
    for block in body.blocks.all:
        if block.fails:
            body.blocks.current = block
            block.end = _return(assembly, body.blocks, _failed(kept), kept)
        block.end = block.end or "  unreachable"
    return kept


def _failed(shape: Shape | None) -> Value:
    """What a function returns that has failed."""
    assert isinstance(shape, tuple)
    return Group((number(True), *(rebuilt(part, repeat(NOWHERE)) for part in shape[1:])))


def _common(body: Body) -> Shape | None:
    """The shape that holds whatever is returned; None if that is nothing."""
    values = [value for _, value in body.returned]
    shape: Shape | None = None
    if values and all(value is not None for value in values):
        shape = shape_of(values[0])  # type: ignore[arg-type]
        for value in values[1:]:
            shape = unified(shape, shape_of(value))  # type: ignore[arg-type]
            if shape is None:
                raise Untranslatable("a function that returns values of different kinds")
    elif any(value is not None for value in values):
        raise Untranslatable("a function that does not return a value on every path")
    return shape


def _return(assembly: Assembly, blocks: Blocks, value: Value, kept: Shape | None) -> str:
    """The end of a function that returns a value, converted already, as such a shape."""
    assert kept is not None
    if isinstance(value, Number):
        return f"  ret {value.kind} {value.text}"
    kind, whole = assembly.kind(kept), "poison"
    left = stored(blocks, value, kept, map("%r{}".format, count()))
    for i, (part, text) in enumerate(item for piece in left for item in flat(piece)):
        whole = blocks.new(f"insertvalue {kind} {whole}, {part} {text}, {i}")
    return "  ret void" if kind == "void" else f"  ret {kind} {whole}"
