"""Filling in what is known: flags, words, members of enumerations."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from dynlib.abi.lane_args import Lane, LaneClock, LaneCount, Leaves, Obs, Span
from dynlib.abi.slots import Clock, Count, Fresh, Stopped, Theta, Trace
from dynlib.abi.status import Status
from dynlib.compiler.syntax import children, parse, walk

__all__ = ["ENUMERATIONS", "Folding", "Rewriting", "capitals", "flag_in"]

ENUMERATIONS: Mapping[str, Any] = {
    enum.__name__: enum
    for enum in (
        *(Clock, Count, Fresh, Stopped, Theta, Trace, Status),
        *(Lane, LaneClock, LaneCount, Leaves, Obs, Span),
    )
}
_NUMBERED = ("_OBS", "_EVENT")


class Rewriting:
    """Makes trees of trees; what does not change is shared, and nothing is changed in place."""

    def replaced(self, node: ast.AST) -> ast.AST | None:
        """What stands for an expression; None: itself, with what stands for its parts."""
        raise NotImplementedError

    def arguments(self, args: list[ast.expr]) -> list[ast.expr]:
        """The arguments of a call, or other parts of a list."""
        return [self.rewritten(arg) for arg in args]

    def rewritten(self, node: Any) -> Any:
        """The tree of an expression, or of a statement without others in it."""
        found = self.replaced(node)
        if found is not None:
            return found
        changed, parts = False, {}
        for name in node._fields:
            part = new = getattr(node, name, None)
            if isinstance(part, list):
                if part and isinstance(part[0], ast.expr):
                    new = self.arguments(part)
                    changed |= len(new) != len(part)
                    changed |= any(a is not b for a, b in zip(new, part, strict=False))
            elif isinstance(part, ast.expr):
                new = self.rewritten(part)
                changed |= new is not part
            parts[name] = new
        return type(node)(**parts) if changed else node


class Folding(Rewriting):
    """What is known of a template.

    Parameters
    ----------
    values
        Flags and words, by name: a flag is True or False, a word a number or a name.
    numbers
        Whether numbers stand for members of enumerations.
    number
        What takes the place of the last word of names such as ``seen_OBS``; empty: nothing.
    """

    def __init__(
        self, values: Mapping[str, Any], *, numbers: bool = False, number: str = ""
    ) -> None:
        self.values = values
        self.numbers = numbers
        self.number = number

    def function(self, node: ast.FunctionDef, name: str = "") -> ast.FunctionDef:
        """The function with all of it filled in, without its docstring."""
        bare = self.bare(node)
        name = name or self._numbered(node.name)
        return _definition(name, bare.args, self.block(bare.body) or [ast.Pass()])

    @staticmethod
    def bare(node: ast.FunctionDef) -> ast.FunctionDef:
        """The function without its docstring."""
        if ast.get_docstring(node, clean=False) is None:
            return node
        return _definition(node.name, node.args, node.body[1:] or [ast.Pass()])

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """The statements that are left."""
        return [line for statement in body for line in self._statement(statement)]

    def _statement(self, node: ast.stmt) -> list[ast.stmt]:
        if isinstance(node, ast.If):
            known = self._known(node.test)
            if known is not None:
                return self.block(node.body if known else node.orelse)
            body = self.block(node.body) or [ast.Pass()]
            return [ast.If(self._expression(node.test), body, self.block(node.orelse))]
        if isinstance(node, ast.While):
            body = self.block(node.body) or [ast.Pass()]
            return [ast.While(self._expression(node.test), body, self.block(node.orelse))]
        if isinstance(node, ast.For):
            body = self.block(node.body) or [ast.Pass()]
            within = self._expression(node.iter)
            return [ast.For(self._expression(node.target), within, body, self.block(node.orelse))]
        return [self._expression(node)]

    def _expression(self, node: Any) -> Any:
        return self.rewritten(node) if capitals(node) else node

    def _known(self, test: ast.expr) -> bool | None:
        flag, way = flag_in(test)
        value = self.values.get(flag)
        return value is way if isinstance(value, bool) else None

    def _numbered(self, name: str) -> str:
        """A name with the number in it."""
        if self.number and name.endswith(_NUMBERED):
            return f"{name[: name.rindex('_')]}_{self.number}"
        return name

    def replaced(self, node: ast.AST) -> ast.AST | None:
        """A number for a word, or for a member of an enumeration."""
        if isinstance(node, ast.Name):
            value = self.values.get(node.id)
            if isinstance(value, bool):
                msg = f"flag {node.id} used outside of an `if` in a template"
                raise AssertionError(msg)
            if value is not None:
                put = _value(value)
                return Folding({}, number=self.number).rewritten(put) if self.number else put
            name = self._numbered(node.id)
            return node if name == node.id else ast.Name(name, node.ctx)
        if self.numbers and isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            enumeration = ENUMERATIONS.get(node.value.id)
            if enumeration is not None:
                return _value(enumeration[node.attr].value)
        return node if isinstance(node, ast.Constant) else None


def _definition(name: str, args: ast.arguments, body: list[ast.stmt]) -> ast.FunctionDef:
    return ast.FunctionDef(name=name, args=args, body=body, decorator_list=[])


def flag_in(test: ast.expr) -> tuple[str, bool]:
    """The name that is a test, and whether it is to hold; empty if the test is no name."""
    way = True
    while isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test, way = test.operand, not way
    return (test.id if isinstance(test, ast.Name) else ""), way


def _value(value: Any) -> ast.expr:
    """The tree of a number, or of the text of an expression."""
    text = str(value)
    plain = type(value) in (int, float) and text[0].isdigit()  # not negative, nor infinite
    return ast.Constant(value) if plain else _parsed(text)


@lru_cache(4096)
def _parsed(text: str) -> ast.expr:
    statement = parse(text).body[0]
    assert isinstance(statement, ast.Expr)
    return statement.value


def capitals(node: Any) -> frozenset[str]:
    """Names in a tree that begin with a capital, or end with a word in capitals; kept with it."""
    known: frozenset[str] | None = getattr(node, "capitals", None)
    if known is None:
        if isinstance(node, _COMPOUND):
            known = _NONE.union(*map(capitals, children(node)))
        else:
            names = [part.id for part in walk(node) if isinstance(part, ast.Name)]
            known = frozenset(n for n in names if n[0].isupper() or n.endswith(_NUMBERED))
        node.capitals = known
    return known


_NONE = frozenset[str]()
_COMPOUND = (ast.FunctionDef, ast.If, ast.For, ast.While)
