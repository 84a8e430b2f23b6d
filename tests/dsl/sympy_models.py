"""The equations of a model as SymPy sees them: read anew, without our parser or tree."""

import ast
from typing import Any

import sympy

from dynlib.dsl import ModelSpec


class Jump(sympy.Function):
    """The floor, constant between its jumps."""

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return sympy.Integer(0)


class _ForSymPy(ast.NodeTransformer):
    """Write what Python would decide at once as functions that SymPy can keep."""

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        return _call("Choice", node.test, node.body, node.orelse)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        names = {ast.Mod: "Rest", ast.FloorDiv: "Whole"}
        name = names.get(type(node.op))
        return _call(name, node.left, node.right) if name else node


def _call(name: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(args), [])


def read(text: str, names: dict[str, Any]) -> Any:
    tree = ast.parse(text.replace("^", "**").strip(), mode="eval")
    code = compile(ast.fix_missing_locations(_ForSymPy().visit(tree)), "<text>", "eval")
    return eval(code, names)


def names_of(spec: ModelSpec) -> dict[str, Any]:
    """Return what names mean to SymPy: written anew, without our parser or tree."""
    known: dict[str, Any] = {
        name: getattr(sympy, name)
        for name in ["sin", "cos", "exp", "tanh", "cosh", "sqrt", "log", "pi", "atan2"]
    }
    known |= {
        "abs": sympy.Abs,
        "min": sympy.Min,
        "max": sympy.Max,
        "e": sympy.E,
        "hypot": lambda u, v: sympy.sqrt(u**2 + v**2),
        "expm1": lambda u: sympy.exp(u) - 1,
        "Choice": lambda test, yes, no: sympy.Piecewise((yes, test), (no, True)),
        "Rest": lambda a, b: a - b * Jump(a / b),
        "Whole": lambda a, b: Jump(a / b),
        "sum": sum,
        "range": range,
    }
    known |= {name: sympy.Symbol(name, real=True) for name in (*spec.states, *spec.params, "t")}
    known |= spec.constants
    for name, function in spec.functions.items():
        known[name] = _function(function.args, function.expr, known)
    waiting = {aux.name: aux.text for aux in spec.aux}
    while waiting:
        for name, text in list(waiting.items()):
            used = {
                each.id for each in ast.walk(ast.parse(text.strip())) if isinstance(each, ast.Name)
            }
            if not used & set(waiting):
                known[name] = read(waiting.pop(name), known)
    return known


def _function(args: tuple[str, ...], text: str, known: dict[str, Any]) -> Any:
    return lambda *values: read(text, {**known, **dict(zip(args, values, strict=True))})
