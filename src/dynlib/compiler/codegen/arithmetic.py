"""Whether a stepper's text does nothing with numbers but arithmetic."""

from __future__ import annotations

import ast
from functools import cache

from dynlib.compiler.syntax import parse
from dynlib.steppers.base import Stepper
from dynlib.steppers.problem import Problem
from dynlib.steppers.registry import is_own
from dynlib.steppers.text import Scalar

__all__ = ["is_arithmetic"]

_ALLOWED = (
    *(ast.FunctionDef, ast.arguments, ast.arg, ast.Assign, ast.Return, ast.Expr),
    *(ast.Name, ast.Constant, ast.Tuple, ast.Call, ast.expr_context),
    *(ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.UnaryOp, ast.USub),
)
_CALLED = frozenset({"rhs", "fma", "sqrt", "copysign"})


@cache
def is_arithmetic(stepper: Stepper) -> bool:
    """Whether a step takes and makes its numbers by arithmetic alone, each by itself.

    Then several vectors may be stepped by the text of one, as packs.  Branches, loops, comparisons
    and calls of other functions are none of arithmetic; where a text has them for other reasons,
    its vectors are stepped one by one, with the same bits; and so if it is somebody else's.
    """
    if stepper.needs or stepper.noted or not is_own(stepper):
        return False
    tree = parse(stepper.emit(Problem(2, Scalar("float64"))))
    steps = [node for node in tree.body if getattr(node, "name", "") == "attempt"]
    return bool(steps) and all(_allowed(node) for node in ast.walk(steps[0]))


def _allowed(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in _CALLED and not node.keywords
    if isinstance(node, ast.Subscript):  # an item of a tuple
        return isinstance(node.slice, ast.Constant)
    return isinstance(node, _ALLOWED)
