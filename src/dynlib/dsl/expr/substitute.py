"""Rebuild expressions: put other nodes in place of some, or only simplify."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dynlib.dsl.expr.nodes import FALSE, Apply, LoopVar, Node, Num, Reduce, postorder
from dynlib.dsl.expr.simplify import build


def reduction(op: str, var: LoopVar, lower: Node, upper: Node, body: Node, where: Node) -> Node:
    """Return the sum or product, simplified, with its variable numbered as `nodes` asks.

    Parameters
    ----------
    op : {"sum", "prod"}
    var : LoopVar
        The variable, as it occurs in ``body`` and ``where``.
    lower, upper : Node
        The range, half open, of kind int.
    body, where : Node
        What is added or multiplied, and the condition under which it is.

    Returns
    -------
    Node
        A `Reduce`, or a literal if there is nothing to add.
    """
    nothing = isinstance(lower, Num) and isinstance(upper, Num) and upper.value <= lower.value
    if nothing or where is FALSE:
        value = 0 if op == "sum" else 1
        return Num(value) if body.kind == "int" else Num(float(value))
    inside = max(body.height, where.height)
    if var.uid != inside + 1:  # a fresh variable, or what is inside has changed
        others = (body.free | where.free) - {var.uid}
        clash = any(0 < other <= inside + 1 for other in others)
        number = 1 + (max(inside, *others) if clash else inside)
        canonical = LoopVar(number, var.name)
        body, where = renamed([body, where], var, canonical)
        var = canonical
    return Reduce(op, var, lower, upper, body, where)


def rebuild(node: Node, children: Sequence[Node]) -> Node:
    """Return the node of the same operation on other children, simplified."""
    if isinstance(node, Apply):
        return build(node.op, *children)
    if isinstance(node, Reduce):
        lower, upper, body, where = children
        return reduction(node.op, node.var, lower, upper, body, where)
    return node


class Without:
    """All expressions in which a loop variable does not occur unbound."""

    def __init__(self, var: LoopVar) -> None:
        self.uid = var.uid

    def __contains__(self, node: object) -> bool:
        """Tell whether the variable is missing from an expression."""
        return isinstance(node, Node) and self.uid not in node.free


def renamed(roots: Sequence[Node], old: LoopVar, new: LoopVar) -> list[Node]:
    """Return the roots with the unbound occurrences of a loop variable renamed."""
    done: dict[Node, Node] = {old: new}
    for node in postorder(roots, Without(old)):
        if old.uid not in node.free:
            done[node] = node
        elif node is not old:
            done[node] = rebuild(node, [done[child] for child in node.children])
    return [done[root] for root in roots]


def replace(roots: Sequence[Node], mapping: Mapping[Node, Node]) -> list[Node]:
    """Return the roots with every node of ``mapping`` replaced; nothing is visited twice."""
    done: dict[Node, Node] = dict(mapping)
    for node in postorder(roots):
        if node not in done:
            children = [done[child] for child in node.children]
            same = all(a is b for a, b in zip(children, node.children, strict=True))
            done[node] = node if same else rebuild(node, children)
    return [done[root] for root in roots]


def substitute(node: Node, mapping: Mapping[Node, Node]) -> Node:
    """Return ``node`` with nodes replaced, and simplified where they were.

    Parameters
    ----------
    node : Node
    mapping : Mapping of Node to Node
        What is replaced by what.  The replacements must not contain unbound loop variables.

    Examples
    --------
    >>> from dynlib.dsl.expr.nodes import State
    >>> substitute(State(0, "x"), {State(0, "x"): Num(2.0)})
    Num(value=2.0)
    """
    return replace([node], mapping)[0]


def simplify(node: Node) -> Node:
    """Return ``node`` rebuilt from its leaves by the rules of `simplify.build`."""
    done: dict[Node, Node] = {}
    for each in postorder([node]):
        done[each] = rebuild(each, [done[child] for child in each.children])
    return done[node]


def free_nodes(nodes: Node | Iterable[Node]) -> list[Node]:
    """Return the leaves that the expressions depend on, in order of occurrence.

    Literals and loop variables are not among them.

    Examples
    --------
    >>> from dynlib.dsl.expr.nodes import State
    >>> free_nodes(build("add", State(0, "x"), Num(2.0)))
    [State(index=0, name='x')]
    """
    roots = [nodes] if isinstance(nodes, Node) else nodes
    return [
        node
        for node in postorder(roots)
        if not node.children and not isinstance(node, Num | LoopVar)
    ]
