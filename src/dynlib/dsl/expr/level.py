"""Real functions that are positive where a condition holds, to find the instant it changes."""

from __future__ import annotations

import math

from dynlib.dsl.expr.nodes import Apply, Iteration, Node, Num, State, Time, postorder
from dynlib.dsl.expr.simplify import build
from dynlib.dsl.expr.typed import coerce

_GREATER, _LESS = ("gt", "ge"), ("lt", "le")


def level_function(cond: Node) -> Node | None:
    """Return a real expression that is positive exactly where ``cond`` is strictly true.

    ``a > b`` and ``a >= b`` give ``a - b``; ``and`` is the least of two levels, ``or`` the
    greatest, ``not`` the negative.  A part that cannot change within a step (it depends on nothing
    but parameters, lags and values at the start of the step) is plus or minus infinity.

    Parameters
    ----------
    cond : Node
        Of kind bool.

    Returns
    -------
    Node or None
        None if there is no such expression, as for ``==`` and conditionals.

    Examples
    --------
    >>> from dynlib.dsl.expr import Scope, bind, parse_expression, to_text
    >>> cond = bind(parse_expression("x > 1 and y < 2"), Scope(states=("x", "y")))
    >>> to_text(level_function(cond))
    'min(x - 1, 2 - y)'
    """
    levels: dict[Node, Node | None] = {}
    changing: set[Node] = set()
    for node in postorder([cond]):
        if isinstance(node, State | Time | Iteration) or not changing.isdisjoint(node.children):
            changing.add(node)
        if node.kind == "bool":
            inner = [levels.get(child) for child in node.children]
            levels[node] = _level(node, inner) if node in changing else _constant(node)
    return levels.get(cond)


def _constant(node: Node) -> Node:
    return build("select", node, Num(math.inf), Num(-math.inf))


def _level(node: Node, inner: list[Node | None]) -> Node | None:
    if not isinstance(node, Apply):
        return None
    if node.op in (*_GREATER, *_LESS):
        a, b = (coerce(child, "real") for child in node.children)
        return build("sub", a, b) if node.op in _GREATER else build("sub", b, a)
    if node.op not in ("and", "or", "not"):
        return None
    known = [each for each in inner if each is not None]
    if len(known) < len(inner):
        return None
    if node.op == "not":
        return build("neg", known[0])
    return build("min" if node.op == "and" else "max", *known)
