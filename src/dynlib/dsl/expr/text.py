"""Write an expression in the model language."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from dynlib.dsl.expr.errors import ExprError
from dynlib.dsl.expr.limits import MAX_PRINTED
from dynlib.dsl.expr.nodes import (
    TRUE,
    Apply,
    Iteration,
    Lag,
    LoopVar,
    Name,
    Node,
    Num,
    Param,
    Previous,
    PreviousTime,
    Reduce,
    State,
    Time,
    postorder,
)
from dynlib.dsl.expr.ops import OPS

_TERNARY, _OR, _AND, _NOT, _COMPARE, _SUM, _MINUS, _PRODUCT, _UNARY, _POWER, _ATOM = range(1, 12)
_STRENGTH = {
    "or": _OR,
    "and": _AND,
    **dict.fromkeys(("lt", "le", "gt", "ge", "eq", "ne"), _COMPARE),
    **dict.fromkeys(("add", "sub"), _SUM),
    **dict.fromkeys(("mul", "div", "floordiv", "mod"), _PRODUCT),
}
_TIGHT = ("mul", "div", "floordiv", "pow")
_LARGEST_WHOLE = 1e15
_LEAST = -(2**63)


def to_text(node: Node, names: Mapping[Node, str] | None = None) -> str:
    """Return ``node`` as text of the model language.

    Reading the text back gives the same node, up to the kind of the whole:
    ``coerce(bind(parse_expression(text), scope), node.kind) is node``.  There are two exceptions:
    values at the start of a step (from ``cross_up`` and its kin), which have no spelling, are shown
    as ``previous(x)``; and a loop variable that means something else inside its loop is renamed.

    Parameters
    ----------
    node : Node
    names : mapping of Node to str, optional
        Nodes to be shown by a name, such as aux variables.

    Returns
    -------
    str

    Raises
    ------
    ExprError
        If the text would be too long: what is shared in the tree has to be repeated in it.

    Examples
    --------
    >>> from dynlib.dsl.expr import Scope, bind, parse_expression
    >>> to_text(bind(parse_expression("-(x^2)/(2.0*x)"), Scope(states=("x",))))
    '-x**2/(2*x)'
    """
    check_size(node, names or {})
    return _Printer(node, names or {}).whole(node)


def check_size(root: Node, names: Mapping[Node, str]) -> None:
    """Raise ExprError if ``root``, written out as a tree, is too large to be shown."""
    sizes: dict[Node, int] = {}
    for node in postorder([root], names):
        inside = 0 if node in names else sum(sizes[child] for child in node.children)
        sizes[node] = 1 + inside
    if sizes[root] > MAX_PRINTED:
        raise ExprError(
            f"written out, this expression has more than {MAX_PRINTED} operations",
            hint="show its parts instead",
        )


def loop_names(nodes: Sequence[Node], names: Mapping[Node, str]) -> dict[LoopVar, str]:
    """Return a name for every loop variable, its own unless that means something else inside.

    Outer loops, whose numbers are greater, choose first.
    """
    inside: dict[LoopVar, set[Node]] = {}
    for node in nodes:
        if isinstance(node, Reduce):
            parts = postorder([node.body, node.condition], names)
            inside.setdefault(node.var, set()).update(parts)
    chosen: dict[LoopVar, str] = {}
    for var in sorted(inside, key=lambda var: -var.uid):
        used = {names.get(each) or _name(each, chosen) for each in inside[var] if each is not var}
        name, number = var.name, 2
        while name in used:
            name, number = f"{var.name}_{number}", number + 1
        chosen[var] = name
    return chosen


def _name(node: Node, loops: Mapping[LoopVar, str]) -> str:
    """Return the name that a node goes by, if it is a name."""
    if isinstance(node, LoopVar):
        return loops.get(node, "")
    return "" if node.children or isinstance(node, Num) else _leaf(node)


class _Printer:
    def __init__(self, root: Node, names: Mapping[Node, str]) -> None:
        order = postorder([root], names)
        self.loops = loop_names(order, names)
        self.texts: dict[Node, tuple[str, int]] = {}
        for node in order:
            named = names.get(node)
            self.texts[node] = self.write(node) if named is None else (named, _ATOM)

    def whole(self, root: Node) -> str:
        return _number(root, True)[0] if isinstance(root, Num) else self.texts[root][0]

    def write(self, node: Node) -> tuple[str, int]:
        if isinstance(node, Apply):
            return self.operation(node)
        if isinstance(node, Reduce):
            return self.reduction(node), _ATOM
        if isinstance(node, Num):
            return _number(node, False)
        return (self.loops[node] if isinstance(node, LoopVar) else _leaf(node)), _ATOM

    def operation(self, node: Apply) -> tuple[str, int]:
        op, args = node.op, node.children
        if op == "select":
            yes, no = self.operands(args[1:], _OR, _TERNARY)
            return f"{yes} if {self.text(args[0], _OR)} else {no}", _TERNARY
        if op == "pow":
            base, exponent = self.operands(args, _ATOM, _UNARY)
            return f"{base}**{exponent}", _POWER
        if op == "not":
            return f"not {self.text(args[0], _NOT)}", _NOT
        if op == "neg":
            return self.negative(args[0])
        if op in _STRENGTH:
            own = _STRENGTH[op]
            # comparisons side by side would be a chain; all others group from the left
            left, right = self.operands(args, own + (own == _COMPARE), own + 1)
            space = "" if op in _TIGHT else " "
            # "x % y*3" would look like another thing than it is, so % gets brackets in products
            return f"{left}{space}{OPS[op].symbol}{space}{right}", _MINUS if op == "mod" else own
        return self.call(node), _ATOM

    def negative(self, inner: Node) -> tuple[str, int]:
        first, split = inner, False
        while isinstance(first, Apply) and first.op in ("mul", "div"):
            split |= first.op == "mul" and isinstance(first.children[1], Num)
            first = first.children[0]
        # -a//b*c is (-a)//b*c, and a literal takes the sign into itself
        split |= isinstance(first, Num) or (isinstance(first, Apply) and first.op == "floordiv")
        if first is not inner and not split and _clearly_real(first):
            return f"-{self.text(inner, _PRODUCT)}", _MINUS  # -a*b is -(a*b)
        return f"-{self.text(inner, _UNARY)}", _UNARY

    def call(self, node: Apply) -> str:
        op, args = node.op, node.children
        if op in ("cast_real", "cast_int", "whole"):
            return f"{'float' if op == 'cast_real' else 'int'}({self.text(args[0], 0)})"
        if OPS[op].rule == "real":
            texts = [self.loose(arg, 0) for arg in args]
        else:
            texts = self.operands(args, *[0] * len(args))
        return f"{op}({', '.join(texts)})"

    def reduction(self, node: Reduce) -> str:
        bounds = [self.bound(node.lower), self.bound(node.upper)]
        where = "" if node.condition is TRUE else f" if {self.text(node.condition, _OR)}"
        body = self.text(node.body, 0)
        return f"{node.op}({body} for {self.loops[node.var]} in range({', '.join(bounds)}){where})"

    def bound(self, node: Node) -> str:
        cut = isinstance(node, Apply) and node.op == "cast_int"
        return self.text(node.children[0] if cut else node, 0)

    # --- operands ---

    def text(self, node: Node, strength: int) -> str:
        text, own = self.texts[node]
        return text if own >= strength else f"({text})"

    def loose(self, node: Node, strength: int) -> str:
        """Return the text of a real operand whose kind is clear from the others."""
        if isinstance(node, Num):
            text, own = _number(node, True)
            return text if own >= strength else f"({text})"
        if isinstance(node, Apply) and node.op == "cast_real" and node.children[0].kind == "int":
            return self.text(node.children[0], strength)
        return self.text(node, strength)

    def operands(self, args: Sequence[Node], *strengths: int) -> list[str]:
        """Return the texts of operands that the language brings to a common kind.

        One real among them makes the others real; so these need neither ``float()`` nor ``.0``.
        """
        clear = [i for i, arg in enumerate(args) if _clearly_real(arg)]
        whole = [i for i, arg in enumerate(args) if isinstance(arg, Num)]
        solid = (clear or whole or [0])[0]
        return [
            self.text(arg, strength) if i == solid and not clear else self.loose(arg, strength)
            for i, (arg, strength) in enumerate(zip(args, strengths, strict=True))
        ]


def _clearly_real(node: Node) -> bool:
    """Tell whether the text of ``node`` is real however it is written."""
    if isinstance(node, Num):
        return node.kind == "real" and not _whole(node.value)
    return node.kind == "real" and not (isinstance(node, Apply) and node.op == "cast_real")


def _whole(value: float) -> bool:
    return abs(value) < _LARGEST_WHOLE and value == int(value) and str(value) != "-0.0"


def _number(node: Num, loose: bool) -> tuple[str, int]:
    """Return the text of a literal; ``loose`` allows 2 for 2.0."""
    value = node.value
    if isinstance(value, float):
        if math.isnan(value):
            return "(1e999 - 1e999)", _ATOM
        if math.isinf(value):
            return ("1e999", _ATOM) if value > 0 else ("-1e999", _UNARY)
        text = str(int(value)) if loose and _whole(value) else repr(value)
    elif node.kind == "int" and value == _LEAST:
        return f"({_LEAST + 1} - 1)", _ATOM
    else:
        text = repr(value)
    return text, _UNARY if text.startswith("-") else _ATOM


def _leaf(node: Node) -> str:
    if isinstance(node, Lag):
        return f"lag_{node.name}({'' if node.k == 1 else node.k})"
    if isinstance(node, Previous):
        return f"previous({node.name})"
    if isinstance(node, PreviousTime):
        return "previous(t)"
    if isinstance(node, Iteration):
        return "n"
    if isinstance(node, Time):
        return "t"
    assert isinstance(node, State | Param | Name)
    return node.name
