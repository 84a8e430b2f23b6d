"""What the names of a text mean that are neither its arguments nor its variables."""

from __future__ import annotations

import ast
import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import count
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from dynlib.compiler.llvm import library
from dynlib.compiler.llvm.assembly import Assembly, Made
from dynlib.compiler.llvm.by_memory import given, is_apart, kept_in, note_kinds
from dynlib.compiler.llvm.cold_call import call_apart, never_called
from dynlib.compiler.llvm.expressions import Callee, Expressions
from dynlib.compiler.llvm.external import Foreigners, call_foreign
from dynlib.compiler.llvm.inlining import has_one_end, put_in_place
from dynlib.compiler.llvm.values import (
    Group,
    Kept,
    Number,
    Shape,
    Untranslatable,
    Value,
    leaves,
    number,
    rebuilt,
)
from dynlib.compiler.llvm.vector_forms import PURE, named_forms
from dynlib.compiler.source import Calls
from dynlib.compiler.syntax import parse
from dynlib.compiler.vecmath import RARE, VECMATH

__all__ = ["OUT_OF_LINE", "Text"]

OUT_OF_LINE = ("ipow", "write_tile", "wide_point")
"""Functions that are called, whatever their texts say."""


class _Globals(ABC):
    """Globals that the functions of one text refer to."""

    def __init__(self, assembly: Assembly) -> None:
        self.assembly = assembly

    @abstractmethod
    def constant(self, name: str) -> Value | None:
        """A global that is a value."""

    @abstractmethod
    def callee(self, name: str) -> Callee:
        """A global that is called."""

    def declare(self, name: str, signature: str) -> None:
        """Note that a function of LLVM's own is used."""
        self.assembly.declared[name] = f"declare {signature}"

    def call(self, node: ast.FunctionDef, attributes: str, scope: _Globals) -> Callee:
        """A call of a function."""
        known = self.assembly.one_end
        if node not in known:
            known[node] = has_one_end(node)
        in_place = known[node] and attributes == Calls.INLINED
        apart = is_apart(attributes)

        def call(body: Expressions, args: Sequence[Value]) -> Value | None:
            if in_place:
                self.assembly.check(body.blocks)
                return put_in_place(body, scope, node, args)
            shapes, texts = given(body.blocks, args, by_memory=apart)
            made = self.assembly.function(scope, node, shapes, attributes)
            rooms = [body.blocks.room(f"[{k.count} x {k.kind}]") for k in kept_in(made.result)]
            texts += [("ptr", room) for room in rooms]
            call = f"@{made.name}({', '.join(f'{kind} {text}' for kind, text in texts)})"
            kind = self.assembly.kind(made.result)
            if kind == "void":
                body.blocks.do(f"call void {call}")
                result = ""
            else:
                result = body.blocks.new(f"call {kind} {call}")
            return _result(body, made, kind, result, rooms)

        return call


def _result(
    body: Expressions, made: Made, kind: str, text: str, rooms: Sequence[str]
) -> Value | None:
    """What a function has returned, if it has not failed."""
    shape = made.result
    if shape is None:
        return None
    if isinstance(shape, str):
        return Number(shape, text)
    value = rebuilt(shape, _parts(body, shape, kind, text, iter(rooms)))
    note_kinds(body.blocks, [value])
    if not made.fails:
        return value
    assert isinstance(value, Group)
    failed, *found = value.items
    body.blocks.leave_if(body.as_number(failed).text)
    return found[0] if found else None


def _parts(
    body: Expressions, shape: Shape, kind: str, text: str, rooms: Iterator[str]
) -> Iterator[str]:
    """The numbers that a call has returned, and the addresses of tuples that it has stored."""
    numbers = count()
    for part in leaves(shape):
        if isinstance(part, Kept):
            yield next(rooms)
        else:
            yield body.blocks.new(f"extractvalue {kind} {text}, {next(numbers)}")


class Text(_Globals):
    """Globals of the generated text: its own functions, hooks, primitives, mathematics."""

    def __init__(
        self,
        assembly: Assembly,
        functions: Mapping[str, ast.FunctionDef],
        calls: Mapping[str, str],
        foreigners: Foreigners | None = None,
    ) -> None:
        super().__init__(assembly)
        self._functions, self._calls, self._foreigners = functions, calls, foreigners

    def constant(self, name: str) -> Value | None:
        """``inf`` and ``nan``."""
        return number(float(name)) if name in ("inf", "nan") else None

    def callee(self, name: str) -> Callee:
        """A function of the text, a hook, a primitive, or one of mathematics."""
        if name in self._functions:
            attributes = self._calls.get(name, "")
            return self.call(self._functions[name], attributes, self)
        if self._foreigners is not None and name in self._foreigners:
            return call_foreign(self._foreigners, name)
        if name in self.assembly.called:
            return self.assembly.called[name]
        if name in library.__all__:
            attributes = Calls.APART if name in OUT_OF_LINE else Calls.INLINED
            return self.call(_parsed(library)[name], attributes, self)
        if name in VECMATH:
            function = _Source(self.assembly, VECMATH[name]).elementary(VECMATH[name])
            return _rounded(function) if self.assembly.dtype == "float32" else function
        raise Untranslatable(f"a call of {name}")


class _Source(_Globals):
    """Globals of a module of the vector mathematics."""

    def __init__(self, assembly: Assembly, function: Any) -> None:
        super().__init__(assembly)
        self._globals = function.__globals__

    def constant(self, name: str) -> Value | None:
        """A number, a tuple of numbers, or an array of integers."""
        return self._value(self._globals.get(name))

    def _value(self, found: Any) -> Value | None:
        if isinstance(found, bool | int | float):
            return number(found)
        if isinstance(found, tuple):
            return Group(tuple(number(item) for item in found))
        if isinstance(found, np.ndarray):
            return self.assembly.constant_array(found)
        return None

    def callee(self, name: str) -> Callee:
        """A function of the vector mathematics, or one of its primitives."""
        if name in self.assembly.called:
            return self.assembly.called[name]
        found = self._globals.get(name)
        if not isinstance(found, FunctionType):
            raise Untranslatable(f"a call of {name}")
        return self.callee_of(found)

    def callee_of(self, function: Any) -> Callee:
        """A call of one of them."""
        node = _parsed(inspect.getmodule(function))[function.__name__]
        scope = _Source(self.assembly, function)
        if function in RARE:
            return self._apart(scope, node)
        return self.call(node, Calls.INLINED, scope)

    def elementary(self, function: Any) -> Callee:
        """A call of an elementary function, by the text of a model."""
        put = self.callee_of(function)
        node = _parsed(inspect.getmodule(function))[function.__name__]

        def call(body: Expressions, args: Sequence[Value]) -> Value | None:
            if self.assembly.shares:
                return self._shared(node, body, args)
            before = body.blocks.count
            found = put(body, args)
            self.assembly.elementary_in_place(body.blocks.count - before)
            return found

        return call

    def _shared(self, node: ast.FunctionDef, body: Expressions, args: Sequence[Value]) -> Number:
        """The number that a function returns which is called, or of which a vector form is."""
        given = [body.blocks.cast(body.as_number(arg), "double").text for arg in args]
        shapes, attributes = ("double",) * len(given), f"noinline {PURE}"
        name = self.assembly.function(self, node, shapes, attributes).name
        self.assembly.elementary[name] = len(given)
        operands = ", ".join(f"double {x}" for x in given)
        forms = named_forms(name, len(given))
        return Number("double", body.blocks.new(f"call double @{name}({operands}) {PURE} {forms}"))

    def _apart(self, scope: _Globals, node: ast.FunctionDef) -> Callee:
        def call(body: Expressions, args: Sequence[Value]) -> Number:
            (x,) = (body.blocks.cast(body.as_number(arg), "double") for arg in args)
            name = self.assembly.function(scope, node, ("double",), Calls.SELDOM).name
            self.assembly.declared.setdefault("apart", never_called())
            return Number("double", body.blocks.new(call_apart(name, x.text)))

        return call


def _rounded(function: Callee) -> Callee:
    """A function of float32, computed in double precision."""

    def call(body: Expressions, args: Sequence[Value]) -> Number:
        wide = [body.blocks.cast(body.as_number(arg), "double") for arg in args]
        result = function(body, wide)
        assert isinstance(result, Number)
        return body.blocks.cast(result, "float")

    return call


@cache
def _parsed(module: ModuleType) -> Mapping[str, ast.FunctionDef]:
    """The functions of a Python module."""
    tree = parse(inspect.getsource(module))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
