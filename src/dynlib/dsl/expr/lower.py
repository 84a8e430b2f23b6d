"""Bring expressions into the form that code is written from.

Powers with small integer exponents become products (``x**6`` is the square of ``x**2`` times
itself, so that ``x**2`` beside it costs nothing), and ``b*a`` becomes ``a*b`` where that occurs
too: addition and multiplication of two operands commute without any change of rounding.

Written with other operations are the sign (two comparisons), ``int`` of a real (NaN where 64 bits
do not hold it), ``copysign`` (where a NaN counts as positive: processors make either), and the
extreme of many (that of the first two, then of this and the third, and so on).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from dynlib.dsl.expr.nodes import ONE, Apply, Node, Num, postorder
from dynlib.dsl.expr.simplify import build
from dynlib.dsl.expr.substitute import rebuild

_LARGEST_PRODUCT = 32
_ARGUMENTS = 32  # of min and max that are written in one line

Pair = tuple[str, frozenset[Node]]


def lower(outputs: Sequence[Node]) -> list[Node]:
    """Return the outputs, simplified and ready to be written as code."""
    done: dict[Node, Node] = {}
    pairs: dict[Pair, Node] = {}
    for node in postorder(outputs):
        made = rebuild(node, [done[child] for child in node.children])
        if isinstance(made, Apply):
            if made.op == "pow":
                made = _power(*made.children)
            elif made.op == "sign":
                made = _sign(made.children[0])
            elif made.op == "copysign":
                made = _copysign(*made.children)
            elif made.op == "whole":
                made = _whole(made.children[0])
            elif made.op in ("min", "max") and len(made.children) > _ARGUMENTS:
                made = _step_by_step(made)
            elif made.op in ("add", "mul"):
                made = pairs.setdefault((made.op, frozenset(made.children)), made)
        done[node] = made
    return [done[output] for output in outputs]


def _sign(x: Node) -> Node:
    zero, one, minus = (Num(v) if x.kind == "int" else Num(float(v)) for v in (0, 1, -1))
    return build(
        "select", build("gt", x, zero), one, build("select", build("lt", x, zero), minus, x)
    )


def _step_by_step(node: Apply) -> Apply:
    """Return the extreme of many as extremes of two, in the same order."""
    first, second, *others = node.children
    found = Apply(node.op, (first, second))
    for other in others:
        found = Apply(node.op, (found, other))
    return found


def _copysign(a: Node, b: Node) -> Node:
    signed = Apply("copysign", (a, b))
    if isinstance(b, Num):
        return signed
    return build("select", build("ne", b, b), build("abs", a), signed)


def _whole(x: Node) -> Node:
    fits = build("lt", build("abs", x), Num(2.0**63))
    return build("select", fits, build("cast_real", build("cast_int", x)), Num(math.nan))


def _power(base: Node, exponent: Node) -> Node:
    if not (isinstance(exponent, Num) and isinstance(exponent.value, int)):
        return Apply("pow", (base, exponent))
    k = exponent.value
    if base.kind == "int":
        return _product(base, k) if 0 < k <= _LARGEST_PRODUCT else Apply("pow", (base, exponent))
    if abs(k) > _LARGEST_PRODUCT:
        return Apply("pow", (base, Num(float(k))))
    return _product(base, k) if k > 0 else build("div", ONE, _product(base, -k))


def _product(base: Node, k: int) -> Node:
    """Return ``base**k`` for positive ``k``, by squaring."""
    square, result = base, None
    while True:
        if k % 2:
            result = square if result is None else build("mul", result, square)
        k //= 2
        if not k:
            assert result is not None
            return result
        square = build("mul", square, square)
