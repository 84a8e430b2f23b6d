"""The text of a kernel's syntax tree: what `ast.unparse` gives, in a fifth of the time.

Kernels use little of Python.  What else there is, in a text that somebody registered, is left to
`ast.unparse`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from functools import partial

__all__ = ["text_of"]

_TUPLE, _YIELD, _TEST, _OR, _AND, _NOT, _CMP, _BOR, _BXOR, _BAND, _SHIFT, _ARITH = range(12)
_TERM, _FACTOR, _POWER, _AWAIT, _ATOM = range(12, 17)

_BINARY: dict[type[ast.operator], tuple[str, int]] = {
    ast.Add: ("+", _ARITH),
    ast.Sub: ("-", _ARITH),
    ast.Mult: ("*", _TERM),
    ast.Div: ("/", _TERM),
    ast.FloorDiv: ("//", _TERM),
    ast.Mod: ("%", _TERM),
    ast.LShift: ("<<", _SHIFT),
    ast.RShift: (">>", _SHIFT),
    ast.BitOr: ("|", _BOR),
    ast.BitXor: ("^", _BXOR),
    ast.BitAnd: ("&", _BAND),
    ast.Pow: ("**", _POWER),
}
_UNARY: dict[type[ast.unaryop], tuple[str, int]] = {
    ast.USub: ("-", _FACTOR),
    ast.UAdd: ("+", _FACTOR),
    ast.Invert: ("~", _FACTOR),
    ast.Not: ("not ", _NOT),
}
_COMPARED: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


class _Foreign(Exception):
    """Something that kernels do not use."""


def text_of(functions: Iterable[ast.stmt]) -> str:
    """The text of these functions, with a line between them and one end of line after all."""
    texts = []
    for function in functions:
        try:
            texts.append("\n".join(_statement(function, "")))
        except _Foreign:
            texts.append(ast.unparse(ast.fix_missing_locations(function)))
    return "\n\n".join(texts) + "\n"


# -- statements -----------------------------------------------------------------------------------


def _statement(node: ast.stmt, indent: str) -> Iterator[str]:
    """The lines of a statement."""
    simple = _SIMPLE.get(type(node))
    if simple is not None:
        yield indent + simple(node)
        return
    if isinstance(node, ast.If):
        yield from _branches(node, indent)
        return
    if isinstance(node, ast.While) and not node.orelse:
        head = f"while {_text(node.test)}:"
    elif isinstance(node, ast.For) and not node.orelse:
        head = f"for {_text(node.target, _TUPLE)} in {_text(node.iter)}:"
    elif isinstance(node, ast.FunctionDef) and not (node.decorator_list or node.returns):
        head = f"def {node.name}({_parameters(node.args)}):"
    else:
        raise _Foreign
    yield indent + head
    yield from _block(node.body, indent)


def _block(body: list[ast.stmt], indent: str) -> Iterator[str]:
    if _is_text(body[0]):  # a docstring
        raise _Foreign
    for statement in body:
        yield from _statement(statement, indent + "    ")


def _is_text(node: ast.stmt) -> bool:
    constant = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return constant and isinstance(node.value.value, str)  # type: ignore[attr-defined]


def _branches(node: ast.If, indent: str) -> Iterator[str]:
    word = "if"
    while True:
        yield f"{indent}{word} {_text(node.test)}:"
        yield from _block(node.body, indent)
        if len(node.orelse) != 1 or not isinstance(node.orelse[0], ast.If):
            break
        node, word = node.orelse[0], "elif"
    if node.orelse:
        yield f"{indent}else:"
        yield from _block(node.orelse, indent)


def _parameters(args: ast.arguments) -> str:
    if args.posonlyargs or args.kwonlyargs or args.vararg or args.kwarg:
        raise _Foreign
    names = [arg.arg for arg in args.args]
    if any(arg.annotation for arg in args.args):
        raise _Foreign
    first = len(names) - len(args.defaults)
    for i, default in enumerate(args.defaults, first):
        names[i] += f"={_text(default)}"
    return ", ".join(names)


def _assign(node: ast.Assign) -> str:
    targets = " = ".join(_text(target, _TUPLE) for target in node.targets)
    return f"{targets} = {_text(node.value)}"


def _augmented(node: ast.AugAssign) -> str:
    return f"{_text(node.target)} {_BINARY[type(node.op)][0]}= {_text(node.value)}"


def _return(node: ast.Return) -> str:
    return "return" if node.value is None else f"return {_text(node.value)}"


_SIMPLE: dict[type[ast.stmt], Callable[..., str]] = {
    ast.Assign: _assign,
    ast.AugAssign: _augmented,
    ast.Return: _return,
    ast.Expr: lambda node: _text(node.value, _YIELD),
    ast.Pass: lambda node: "pass",
    ast.Break: lambda node: "break",
    ast.Continue: lambda node: "continue",
}

# -- expressions ----------------------------------------------------------------------------------


def _text(node: ast.expr, outer: int = _TEST) -> str:
    """The text of an expression that stands where operators bind as `outer` does."""
    if isinstance(node, ast.Name):
        return node.id
    writer = _WRITERS.get(type(node))
    if writer is None:
        raise _Foreign
    text, binds = writer(node)
    return f"({text})" if outer > binds else text


def _constant(node: ast.Constant) -> tuple[str, int]:
    if not (node.value is None or isinstance(node.value, bool | int | float)):
        raise _Foreign
    return repr(node.value).replace("inf", "1e309"), _ATOM


def _binary(node: ast.BinOp) -> tuple[str, int]:
    if type(node.op) not in _BINARY:
        raise _Foreign
    sign, binds = _BINARY[type(node.op)]
    left, right = (binds, binds + 1) if sign != "**" else (binds + 1, binds)
    return f"{_text(node.left, left)} {sign} {_text(node.right, right)}", binds


def _unary(node: ast.UnaryOp) -> tuple[str, int]:
    sign, binds = _UNARY[type(node.op)]
    return sign + _text(node.operand, binds), binds


def _boolean(node: ast.BoolOp) -> tuple[str, int]:
    word, binds = ("and", _AND) if isinstance(node.op, ast.And) else ("or", _OR)
    # Each operand stands as if it had to bind closer than the one before.
    parts = [_text(value, binds + 1 + i) for i, value in enumerate(node.values)]
    return f" {word} ".join(parts), binds


def _compare(node: ast.Compare) -> tuple[str, int]:
    parts = [_text(node.left, _CMP + 1)]
    for op, value in zip(node.ops, node.comparators, strict=True):
        if type(op) not in _COMPARED:
            raise _Foreign
        parts.append(f"{_COMPARED[type(op)]} {_text(value, _CMP + 1)}")
    return " ".join(parts), _CMP


def _call(node: ast.Call) -> tuple[str, int]:
    if node.keywords:
        raise _Foreign
    return f"{_text(node.func, _ATOM)}({', '.join(map(_text, node.args))})", _ATOM


def _subscript(node: ast.Subscript) -> tuple[str, int]:
    where = node.slice
    several = isinstance(where, ast.Tuple) and where.elts
    inside = _items(where.elts) if several else _text(where)  # type: ignore[attr-defined]
    return f"{_text(node.value, _ATOM)}[{inside}]", _ATOM


def _items(items: list[ast.expr]) -> str:
    comma = "," if len(items) == 1 else ""
    return ", ".join(map(_text, items)) + comma


def _slice(node: ast.Slice) -> tuple[str, int]:
    ends = [_text(end) if end is not None else "" for end in (node.lower, node.upper)]
    step = "" if node.step is None else f":{_text(node.step)}"
    return ":".join(ends) + step, _ATOM


def _tuple(node: ast.Tuple) -> tuple[str, int]:
    return (_items(node.elts), _TUPLE) if node.elts else ("()", _ATOM)


def _attribute(node: ast.Attribute) -> tuple[str, int]:
    if isinstance(node.value, ast.Constant):
        raise _Foreign
    return f"{_text(node.value, _ATOM)}.{node.attr}", _ATOM


def _choice(node: ast.IfExp) -> tuple[str, int]:
    inner = partial(_text, outer=_TEST + 1)
    return f"{inner(node.body)} if {inner(node.test)} else {_text(node.orelse)}", _TEST


_WRITERS: dict[type[ast.expr], Callable[..., tuple[str, int]]] = {
    ast.Constant: _constant,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
    ast.Compare: _compare,
    ast.Call: _call,
    ast.Subscript: _subscript,
    ast.Slice: _slice,
    ast.Tuple: _tuple,
    ast.Attribute: _attribute,
    ast.IfExp: _choice,
}
