"""Calls of functions whose body is put in their place while it is translated.

LLVM could do that, but would first have to make one value of all that a function returns and take
it apart again, which takes it a time that grows with more than the square of the number of states.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from dynlib.compiler.llvm.expressions import Expressions, Scope
from dynlib.compiler.llvm.functions import Body
from dynlib.compiler.llvm.values import Number, Untranslatable, Value

__all__ = ["has_one_end", "put_in_place"]


def has_one_end(node: ast.FunctionDef) -> bool:
    """Whether a function returns nowhere but at its end."""
    returns = list(_returns(node.body))
    return not returns or (len(returns) == 1 and node.body[-1] is returns[0])


def _returns(statements: Sequence[ast.stmt]) -> Iterator[ast.Return]:
    for statement in statements:
        if isinstance(statement, ast.Return):
            yield statement
        for name in ("body", "orelse"):
            yield from _returns(getattr(statement, name, ()))


def put_in_place(
    caller: Expressions, scope: Scope, node: ast.FunctionDef, args: Sequence[Value]
) -> Value | None:
    """Translate the body of a function that has one end where it is called; returns its result."""
    names = [arg.arg for arg in node.args.args]
    if len(names) != len(args):
        raise Untranslatable(f"{node.name} with {len(args)} arguments")
    given = {name: _unknown(arg) for name, arg in zip(names, args, strict=True)}
    body = Body(scope, given, caller.blocks)
    body.body(node.body)
    ((_, result),) = body.returned
    return result


def _unknown(value: Value) -> Value:
    """An argument as the function sees it, which is translated for its type, not for its value."""
    return Number(value.kind, value.text) if isinstance(value, Number) else value
