"""Derivatives of expressions, as expressions.

Forward mode over the graph: the derivative of every node is worked out once, and shared.  The
derivatives of the operations are in `derivatives`.  Sums are differentiated term by term, products
by the sum of all products with one factor replaced; conditions, bounds of ranges and everything
that is an integer count as constant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dynlib.dsl.expr.derivatives import RULES, mul
from dynlib.dsl.expr.nodes import ONE, ZERO, Apply, Node, Reduce, fresh_variable, postorder
from dynlib.dsl.expr.simplify import build
from dynlib.dsl.expr.substitute import reduction, renamed

Row = tuple[Node, ...]


def differentiate(node: Node, wrt: Node) -> Node:
    """Return the derivative of ``node``.

    Parameters
    ----------
    node : Node
    wrt : Node
        A leaf of kind real: a `State`, `Param`, `Time`, `Lag`, ...

    Returns
    -------
    Node
        Of kind real.

    Raises
    ------
    ValueError
        If ``wrt`` is an integer: nothing can be differentiated with respect to it.

    Examples
    --------
    >>> from dynlib.dsl.expr import Scope, State, bind, parse_expression, to_text
    >>> node = bind(parse_expression("x**3"), Scope(states=("x",)))
    >>> to_text(differentiate(node, State(0, "x")))
    '3*x**2'
    """
    return jacobian([node], [wrt])[0][0]


def jacobian(exprs: Sequence[Node], wrt: Sequence[Node]) -> tuple[Row, ...]:
    """Return the derivative of every expression with respect to every leaf.

    Parameters
    ----------
    exprs : sequence of Node
    wrt : sequence of Node

    Returns
    -------
    tuple of tuple of Node
        Row ``i``, column ``j`` is the derivative of ``exprs[i]`` with respect to ``wrt[j]``.
    """
    order = postorder(exprs)
    reach = _reach(order, wrt)
    active: list[list[Node]] = [[] for _ in wrt]
    for node in order:
        for j in _places(reach[node]):
            active[j].append(node)
    tangents = [_tangents(nodes, {leaf: ONE}) for nodes, leaf in zip(active, wrt, strict=True)]
    rows = []
    for expr in exprs:
        row: list[Node] = [ZERO] * len(wrt)
        for j in _places(reach[expr]):
            row[j] = tangents[j].get(expr, ZERO)
        rows.append(tuple(row))
    return tuple(rows)


def derivation_work(exprs: Sequence[Node], wrt: Sequence[Node]) -> int:
    """Return the units of work of `jacobian`, without doing it: what depends on what, counted."""
    order = postorder(exprs)
    known = len(order) * (1 + len(wrt) // 2_000) + len(exprs) * len(wrt)
    if known > _MOST_REACH:
        return known
    reach = _reach(order, wrt)
    return known + 8 * sum(bits.bit_count() for bits in reach.values())


_MOST_REACH = 100_000_000  # units beyond which nobody asks for the exact number


def jvp(exprs: Sequence[Node], states: Sequence[Node], directions: Sequence[Node]) -> Row:
    """Return the Jacobian of the expressions times a vector, without making the Jacobian.

    Parameters
    ----------
    exprs : sequence of Node
    states : sequence of Node
        The leaves to differentiate with respect to.
    directions : sequence of Node
        The vector: one real expression for each of ``states``.

    Returns
    -------
    tuple of Node
        One for each expression.
    """
    order = postorder(exprs)
    reach = _reach(order, states)
    active = [node for node in order if reach[node]]
    tangents = _tangents(active, dict(zip(states, directions, strict=True)))
    return tuple(tangents.get(expr, ZERO) for expr in exprs)


def _reach(order: Sequence[Node], wrt: Sequence[Node]) -> dict[Node, int]:
    """Return, for each node, a bit for every leaf of ``wrt`` that it depends on."""
    for leaf in wrt:
        if leaf.kind != "real":
            raise ValueError(f"cannot differentiate with respect to an integer: {leaf!r}")
    seeds = {leaf: 1 << j for j, leaf in enumerate(wrt)}
    reach: dict[Node, int] = {}
    for node in order:
        bits = seeds.get(node, 0)
        if node.kind == "real":
            for child in node.children:
                bits |= reach[child]
        reach[node] = bits
    return reach


def _places(bits: int) -> Iterator[int]:
    """Yield the places of the bits that are set."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _tangents(active: Sequence[Node], seeds: Mapping[Node, Node]) -> dict[Node, Node]:
    """Return the derivatives of the ``active`` nodes, which come in order; others have none."""
    tangents = dict(seeds)
    for node in active:
        if isinstance(node, Reduce):
            tangents[node] = _loop(node, tangents.get(node.body, ZERO))
        elif isinstance(node, Apply):
            inner = [tangents.get(child, ZERO) for child in node.children]
            tangents[node] = RULES[node.op](node, *inner) if node.op in RULES else ZERO
    return tangents


def _loop(node: Reduce, tangent: Node) -> Node:
    if tangent is ZERO:
        return ZERO
    lower, upper, body, where = node.children
    if node.op == "sum":
        return reduction("sum", node.var, lower, upper, tangent, where)
    i = fresh_variable(node.var.name)
    apart = build("and", where, build("ne", node.var, i))
    others = reduction("prod", node.var, lower, upper, body, apart)
    term, when = renamed([tangent, where], node.var, i)
    return reduction("sum", i, lower, upper, mul(term, others), when)
