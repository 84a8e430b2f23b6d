"""Build operations, simplified where that changes no result.

The rule: a rewriting is made only if it gives the same value, to the last bit, for every operand,
infinities and NaN included.  So ``x*1``, ``x/1``, ``x - 0``, ``x**1``, ``--x``, ``a + -b``,
``select(True, a, b)`` and literals are worked out, but ``0*x`` stays (x may be infinite), so does
``x + 0`` (it turns -0 into 0), and sums are never put into another order.  The bits of a NaN,
which no operation of the language can see, are the one exception.
"""

from __future__ import annotations

from collections.abc import Callable

from dynlib.dsl.expr.fold import fold, to_real
from dynlib.dsl.expr.nodes import FALSE, TRUE, Apply, Node, Num
from dynlib.dsl.expr.ops import OPS, ROUNDING, Kind

_LEAST = -(2**63)


def build(op: str, *args: Node) -> Node:
    """Return the node for an operation on operands of the right kinds, simplified.

    Examples
    --------
    >>> build("mul", Num(1.0), Num(3.5))
    Num(value=3.5)
    """
    if all(isinstance(arg, Num) for arg in args):
        return Num(fold(op, [arg.value for arg in args if isinstance(arg, Num)]))
    rule = _RULES.get(op)
    simpler = rule(*args) if rule is not None else None
    return Apply(op, args) if simpler is None else simpler


def is_num(node: Node, value: float) -> bool:
    """Tell whether ``node`` is a literal of this value (0 is not -0)."""
    return isinstance(node, Num) and node.value == value and str(node.value)[0] == str(value)[0]


def _opened(node: Node, op: str) -> Node | None:
    """Return the operand of ``node`` if it is the unary operation ``op``."""
    return node.children[0] if isinstance(node, Apply) and node.op == op else None


def _flipped(node: Node, depth: int = 3) -> Node | None:
    """Return the node that is ``-node`` without a minus sign, if there is one."""
    if isinstance(node, Num):
        return Num(-node.value) if _LEAST < node.value < 0 else None
    if not isinstance(node, Apply) or not depth:
        return None
    if node.op in ("mul", "div"):
        first = _flipped(node.children[0], depth - 1)
        return None if first is None else build(node.op, first, node.children[1])
    return _opened(node, "neg")


def _add(a: Node, b: Node) -> Node | None:
    nothing = 0 if a.kind == "int" else -0.0
    if is_num(a, nothing):
        return b
    if is_num(b, nothing):
        return a
    if (flipped := _flipped(b)) is not None:
        return build("sub", a, flipped)
    if (flipped := _opened(a, "neg")) is not None:
        return build("sub", b, flipped)
    return None


def _sub(a: Node, b: Node) -> Node | None:
    if is_num(b, 0):
        return a
    if a.kind == "int" and is_num(a, 0):
        return build("neg", b)
    if (flipped := _flipped(b)) is not None:
        return build("add", a, flipped)
    return None


def _mul(a: Node, b: Node) -> Node | None:
    for one, other in ((a, b), (b, a)):
        if is_num(one, 1):
            return other
        if is_num(one, -1):
            return build("neg", other)
        if a.kind == "int" and is_num(one, 0):
            return one
        if isinstance(one, Num) and (opened := _opened(other, "neg")) is not None:
            return build("mul", build("neg", one), opened)
    return _signs_out("mul", a, b)


def _div(a: Node, b: Node) -> Node | None:
    if is_num(b, 1):
        return a
    if is_num(b, -1):
        return build("neg", a)
    if isinstance(a, Num) and (opened := _opened(b, "neg")) is not None:
        return build("div", build("neg", a), opened)
    return _signs_out("div", a, b)


def _signs_out(op: str, a: Node, b: Node) -> Node | None:
    """Return the product or quotient with the minus signs of its operands in front."""
    left, right = _opened(a, "neg"), _opened(b, "neg")
    if left is not None and right is not None:
        return build(op, left, right)
    if left is not None:
        return build("neg", build(op, left, b))
    if right is not None:
        return build("neg", build(op, a, right))
    return None


def _neg(a: Node) -> Node | None:
    return _opened(a, "neg") or _literal_negated(a)


def _literal_negated(a: Node, depth: int = 3) -> Node | None:
    """Return ``-a`` for a product or quotient with a literal in front, which takes the sign."""
    if not (isinstance(a, Apply) and a.op in ("mul", "div") and depth):
        return None
    first, second = a.children
    if isinstance(second, Num) and a.op == "mul":
        return build("mul", build("neg", second), first)
    sign = build("neg", first) if isinstance(first, Num) else _literal_negated(first, depth - 1)
    return None if sign is None else build(a.op, sign, second)


def _pow(a: Node, b: Node) -> Node | None:
    if is_num(b, 1):
        return a
    if is_num(b, 0) or is_num(b, -0.0) or is_num(a, 1):
        return Num(1) if a.kind == "int" else Num(1.0)
    return None


def _abs(a: Node) -> Node | None:
    if isinstance(a, Apply) and a.op == "abs":
        return a
    inner = _opened(a, "neg")
    return None if inner is None else build("abs", inner)


def _and(a: Node, b: Node) -> Node | None:
    if a is FALSE or b is FALSE:
        return FALSE
    if a is TRUE or a is b:
        return b
    return a if b is TRUE else None


def _or(a: Node, b: Node) -> Node | None:
    if a is TRUE or b is TRUE:
        return TRUE
    if a is FALSE or a is b:
        return b
    return a if b is FALSE else None


def _not(a: Node) -> Node | None:
    if isinstance(a, Apply) and a.op in ("eq", "ne"):
        return Apply("ne" if a.op == "eq" else "eq", a.children)
    return _opened(a, "not")


def _select(c: Node, a: Node, b: Node) -> Node | None:
    if a is b or c is TRUE:
        return a
    if c is FALSE:
        return b
    if (inner := _opened(c, "not")) is not None:
        return build("select", inner, b, a)
    return None


def _extreme(*args: Node) -> Node | None:
    return args[0] if all(arg is args[0] for arg in args) else None


def _rounded(a: Node) -> Node | None:
    whole = isinstance(a, Apply) and (a.op in ROUNDING or a.op == "cast_real")
    return a if whole else None


def _cast(kind: Kind) -> Callable[..., Node | None]:
    def rule(a: Node) -> Node | None:
        if a.kind == kind:
            return a
        if isinstance(a, Apply) and a.op == "select" and kind == "real":
            c, yes, no = a.children
            if isinstance(yes, Num) and isinstance(no, Num):
                return build("select", c, Num(to_real(yes.value)), Num(to_real(no.value)))
        return None

    return rule


_RULES: dict[str, Callable[..., Node | None]] = {
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "div": _div,
    "neg": _neg,
    "pow": _pow,
    "abs": _abs,
    "and": _and,
    "or": _or,
    "not": _not,
    "select": _select,
    "min": _extreme,
    "max": _extreme,
    "cast_real": _cast("real"),
    "cast_int": _cast("int"),
    **dict.fromkeys(ROUNDING, _rounded),
}

assert _RULES.keys() <= OPS.keys()
