"""Fold compile-time flags out of a template function.

A template is an ordinary function whose flags stand alone in ``if FLAG:``, ``elif FLAG:`` or
``if not FLAG:``.  `specialize` drops the dead arms and puts numbers for the slots and statuses,
so that what reaches the compiler is as short as if it had been written by hand.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

from dynlib.abi.lane_args import Lane, LaneClock, LaneCount, Obs
from dynlib.abi.slots import Clock, Count, Trace
from dynlib.abi.status import Status
from dynlib.compiler.syntax import parse

__all__ = ["fold", "put", "specialize", "without"]

_ENUMS: Mapping[str, Any] = {
    enum.__name__: enum for enum in (Clock, Count, Trace, Status, Lane, LaneClock, LaneCount, Obs)
}


class _Fold(ast.NodeTransformer):
    def __init__(self, flags: Mapping[str, bool]) -> None:
        self.flags = flags

    def _known(self, test: ast.expr) -> bool | None:
        if isinstance(test, ast.Name):
            return self.flags.get(test.id)
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            inner = self._known(test.operand)
            return None if inner is None else not inner
        return None

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        if ast.get_docstring(node) is not None:
            del node.body[0]  # it describes the template
        self.generic_visit(node)
        return node

    def visit_If(self, node: ast.If) -> ast.stmt | list[ast.stmt]:
        known = self._known(node.test)
        if known is not None:
            return [
                line for stmt in (node.body if known else node.orelse) for line in self._each(stmt)
            ]
        self.generic_visit(node)
        node.body = node.body or [ast.Pass()]
        return node

    def _each(self, stmt: ast.stmt) -> list[ast.stmt]:
        folded = self.visit(stmt)
        return folded if isinstance(folded, list) else [folded]

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if node.id in self.flags:
            msg = f"flag {node.id} used outside of an `if` in a template"
            raise AssertionError(msg)
        return node


class _Numbers(ast.NodeTransformer):
    """`Clock.T` -> `0`: the compiler sees numbers, the template reads names."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if isinstance(node.value, ast.Name) and node.value.id in _ENUMS:
            member = _ENUMS[node.value.id][node.attr]
            return ast.Constant(int(member))
        self.generic_visit(node)
        return node


def _function(tree: ast.Module) -> ast.FunctionDef:
    return next(node for node in tree.body if isinstance(node, ast.FunctionDef))


def specialize(template: Callable[..., Any], name: str, flags: Mapping[str, bool]) -> str:
    """Text of `template` under the name `name`, with `flags` folded.

    Raises
    ------
    AssertionError
        If a folded flag is left anywhere else than in an ``if``.
    """
    function = _function(parse(textwrap.dedent(inspect.getsource(template))))
    function.name = name
    return fold(ast.unparse(function), flags)


def fold(source: str, flags: Mapping[str, bool], *, numbers: bool = False) -> str:
    """Fold `flags` in a text of functions; with `numbers`, the slots' names as well."""
    tree = parse(source)
    folded: ast.AST = _Fold(flags).visit(tree)
    if numbers:
        folded = _Numbers().visit(folded)
    return ast.unparse(ast.fix_missing_locations(folded)) + "\n"


def without(source: str, names: tuple[str, ...]) -> str:
    """The text without the functions of these names."""
    tree = parse(source)
    tree.body = [
        node for node in tree.body if not (isinstance(node, ast.FunctionDef) and node.name in names)
    ]
    return ast.unparse(tree) + "\n"


def put(source: str, words: Mapping[str, object]) -> str:
    """The text with numbers in the place of words in capitals, also within names."""
    found = "|".join(words)
    return re.sub(rf"(?<![A-Z])({found})\b", lambda m: str(words[m[1]]), source)
