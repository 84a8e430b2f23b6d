"""The derivative of each operation.

A rule gets the operation and the derivatives of its operands, and returns the derivative of the
result.  The exact simplifications of `simplify` are joined by those of calculus: a derivative that
is 0 stays 0 whatever it is multiplied by, and vanishes from sums.

Derivatives are piecewise: ``abs``, ``min``, ``max``, ``sign`` and conditionals are differentiated
branch by branch, and what jumps (``floor``, ``//``, ``sign``, ...) is constant between its jumps.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from dynlib.dsl.expr.nodes import ONE, ZERO, Apply, Node, Num, Param
from dynlib.dsl.expr.ops import OPS
from dynlib.dsl.expr.simplify import build

Rule = Callable[..., Node]


def add(a: Node, b: Node) -> Node:
    """Return ``a + b``."""
    if a is ZERO:
        return b
    return a if b is ZERO else build("add", a, b)


def sub(a: Node, b: Node) -> Node:
    """Return ``a - b``."""
    if b is ZERO:
        return a
    return neg(b) if a is ZERO else build("sub", a, b)


def neg(a: Node) -> Node:
    """Return ``-a``; 0 has no sign."""
    return ZERO if a is ZERO else build("neg", a)


def mul(a: Node, b: Node) -> Node:
    """Return ``a*b``, which is 0 where either is; literal factors are joined, and come first."""
    if a is ZERO or b is ZERO:
        return ZERO
    if isinstance(b, Num) or (_coefficient(a) is None and _coefficient(b) is not None):
        a, b = b, a
    outer, inner = _coefficient(a), _coefficient(b)
    if inner is None or outer is None or isinstance(b, Num):
        return build("mul", a, b)
    factor = build("mul", outer, inner)
    rest = b.children[1]
    return build("mul", factor if isinstance(a, Num) else build("mul", factor, a.children[1]), rest)


def _coefficient(node: Node) -> Num | None:
    """Return ``c`` if ``node`` is a literal ``c``, or ``c*x``."""
    if isinstance(node, Apply) and node.op == "mul":
        node = node.children[0]
    return node if isinstance(node, Num) else None


def div(a: Node, b: Node) -> Node:
    """Return ``a/b``, which is 0 where ``a`` is; ``2*x/2`` is ``x``."""
    if a is ZERO:
        return ZERO
    factor = _coefficient(a)
    if isinstance(b, Num) and factor is not None and a is not factor and b.value != 0:
        ratio = build("div", factor, b)
        if build("mul", ratio, b) is factor:
            return build("mul", ratio, a.children[1])
    return build("div", a, b)


def select(c: Node, a: Node, b: Node) -> Node:
    """Return ``a if c else b``."""
    return build("select", c, a, b)


def _number(value: float) -> Node:
    return Num(value)


def _square(a: Node) -> Node:
    return build("pow", a, Num(2))


def _product(node: Apply, da: Node, db: Node) -> Node:
    a, b = node.children
    return add(mul(da, b), mul(a, db))


def _quotient(node: Apply, da: Node, db: Node) -> Node:
    a, b = node.children
    if db is ZERO:
        return div(da, b)
    if da is ZERO:
        return neg(div(mul(a, db), _square(b)))
    return div(sub(da, mul(node, db)), b)


def _modulo(node: Apply, da: Node, db: Node) -> Node:
    a, b = node.children
    return sub(da, mul(build("floordiv", a, b), db))


def _power(node: Apply, da: Node, db: Node) -> Node:
    a, b = node.children
    if b.kind == "int":
        assert isinstance(b, Num)
        lowered = build("pow", a, Num(int(b.value) - 1))
        return mul(mul(_number(float(b.value)), lowered), da)
    base: Node = ZERO
    if da is not ZERO:
        lowered = mul(b, build("pow", a, build("sub", b, ONE)))
        # The constant term of a power series, or a derivative of a**m for a whole m: there a**-1,
        # which may be infinite, does not count.
        if b.free or isinstance(b, Apply):
            lowered = select(_is_not_zero(b), lowered, ZERO)
        base = mul(lowered, da)
    if db is ZERO:
        return base
    grown = mul(node, build("log", a))
    if not isinstance(a, Num | Param):  # 0**b stays 0, whatever b > 0 is
        grown = select(build("ne", node, ZERO), grown, ZERO)
    return add(base, mul(grown, db))


def _is_not_zero(b: Node) -> Node:
    whole = b.children[0] if isinstance(b, Apply) and b.op == "cast_real" else b
    return build("ne", whole, Num(0) if whole.kind == "int" else ZERO)


def _extreme(sooner: str) -> Rule:
    """Return the rule for min or max: the derivative of the operand that comes first."""

    def rule(node: Apply, *tangents: Node) -> Node:
        best, tangent = node.children[0], tangents[0]
        for other, other_tangent in zip(node.children[1:], tangents[1:], strict=True):
            tangent = select(build(sooner, best, other), tangent, other_tangent)
            best = build(node.op, best, other)
        return tangent

    return rule


def _hypot(node: Apply, da: Node, db: Node) -> Node:
    a, b = node.children
    return div(add(mul(a, da), mul(b, db)), node)


def _atan2(node: Apply, dy: Node, dx: Node) -> Node:
    y, x = node.children
    return div(sub(mul(x, dy), mul(y, dx)), build("add", _square(x), _square(y)))


def _copysign(node: Apply, da: Node, db: Node) -> Node:
    a, b = node.children
    return mul(mul(build("copysign", ONE, b), build("copysign", ONE, a)), da)


def _chain(outer: Callable[[Node, Node], Node]) -> Rule:
    """Return the rule for a function whose derivative is ``outer(its argument, the function)``."""

    def rule(node: Apply, da: Node) -> Node:
        return mul(outer(node.children[0], node), da)

    return rule


def _over(denominator: Callable[[Node, Node], Node]) -> Rule:
    """Return the rule for a function whose derivative is 1 over that."""

    def rule(node: Apply, da: Node) -> Node:
        return div(da, denominator(node.children[0], node))

    return rule


def _call(name: str) -> Callable[[Node], Node]:
    return lambda a: build(name, a)


_sin, _cos, _sinh, _cosh, _exp, _sqrt = map(_call, ("sin", "cos", "sinh", "cosh", "exp", "sqrt"))
_TWO_OVER_ROOT_PI = _number(2.0 / math.sqrt(math.pi))


def _bell(a: Node, f: Node) -> Node:
    return mul(_TWO_OVER_ROOT_PI, _exp(neg(_square(a))))


RULES: dict[str, Rule] = {
    "add": lambda node, da, db: add(da, db),
    "sub": lambda node, da, db: sub(da, db),
    "neg": lambda node, da: neg(da),
    "mul": _product,
    "div": _quotient,
    "mod": _modulo,
    "pow": _power,
    "select": lambda node, dc, da, db: select(node.children[0], da, db),
    "abs": _chain(lambda a, f: build("sign", a)),
    "min": _extreme("le"),
    "max": _extreme("ge"),
    "copysign": _copysign,
    "hypot": _hypot,
    "atan2": _atan2,
    "sqrt": _over(lambda a, f: mul(_number(2.0), f)),
    "cbrt": _over(lambda a, f: mul(_number(3.0), _square(f))),
    "exp": _chain(lambda a, f: f),
    "expm1": _chain(lambda a, f: _exp(a)),
    "log": _over(lambda a, f: a),
    "log1p": _over(lambda a, f: build("add", ONE, a)),
    "log2": _over(lambda a, f: mul(_number(math.log(2.0)), a)),
    "log10": _over(lambda a, f: mul(_number(math.log(10.0)), a)),
    "sin": _chain(lambda a, f: _cos(a)),
    "cos": _chain(lambda a, f: neg(_sin(a))),
    "tan": _chain(lambda a, f: build("add", ONE, _square(f))),
    "asin": _over(lambda a, f: _sqrt(build("sub", ONE, _square(a)))),
    "acos": _over(lambda a, f: neg(_sqrt(build("sub", ONE, _square(a))))),
    "atan": _over(lambda a, f: build("add", ONE, _square(a))),
    "sinh": _chain(lambda a, f: _cosh(a)),
    "cosh": _chain(lambda a, f: _sinh(a)),
    "tanh": _chain(lambda a, f: build("sub", ONE, _square(f))),
    "asinh": _over(lambda a, f: _sqrt(build("add", _square(a), ONE))),
    "acosh": _over(lambda a, f: _sqrt(build("sub", _square(a), ONE))),
    "atanh": _over(lambda a, f: build("sub", ONE, _square(a))),
    "erf": _chain(_bell),
    "erfc": _chain(lambda a, f: neg(_bell(a, f))),
}

PIECEWISE_CONSTANT = frozenset(
    {
        *("lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "cast_real", "cast_int", "whole"),
        *("floordiv", "floor", "ceil", "trunc", "round", "sign"),
    }
)
"""Operations whose derivative is 0: they are constant between their jumps, or of integers."""

assert RULES.keys() | PIECEWISE_CONSTANT == OPS.keys()  # a rule that is forgotten would be a 0
