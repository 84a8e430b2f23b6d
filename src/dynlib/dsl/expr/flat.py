"""Copy expressions to other processes: a graph as a flat list.

Pickle follows references by recursion and would not survive a deep expression; a list of records,
each naming the positions of its children, is as long as the graph has nodes.
"""

from __future__ import annotations

import copyreg
from collections.abc import Callable
from typing import Any

from dynlib.dsl.expr.nodes import (
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

Record = tuple[str, tuple[Any, ...], tuple[int, ...]]

_FIELDS: dict[type[Node], tuple[str, ...]] = {
    Num: ("value",),
    Name: ("name", "span"),
    State: ("index", "name", "kind"),
    Param: ("index", "name", "kind"),
    Previous: ("index", "name", "kind"),
    Lag: ("index", "name", "k", "kind"),
    Time: (),
    PreviousTime: (),
    Iteration: (),
    LoopVar: ("uid", "name"),
}
_LEAVES: dict[str, Callable[..., Node]] = {cls.__name__: cls for cls in _FIELDS}


def flatten(root: Node) -> tuple[Record, ...]:
    """Return the nodes of the graph, children first, as (type, fields, positions of children)."""
    order = postorder([root])
    place = {node: i for i, node in enumerate(order)}
    return tuple(
        (type(node).__name__, _fields(node), tuple(place[child] for child in node.children))
        for node in order
    )


def _fields(node: Node) -> tuple[Any, ...]:
    if isinstance(node, Apply):
        return (node.op,)
    if isinstance(node, Reduce):
        return (node.op, node.var.uid, node.var.name)
    return tuple(getattr(node, name) for name in _FIELDS[type(node)])


def restore(records: tuple[Record, ...]) -> Node:
    """Return the expression that `flatten` was given; it is the same object in one process."""
    nodes: list[Node] = []
    for name, fields, places in records:
        children = tuple(nodes[place] for place in places)
        if name == "Apply":
            nodes.append(Apply(fields[0], children))
        elif name == "Reduce":
            op, uid, variable = fields
            nodes.append(Reduce(op, LoopVar(uid, variable), *children))
        else:
            nodes.append(_LEAVES[name](*fields))
    return nodes[-1]


def _reduce(node: Node) -> tuple[Any, ...]:
    return restore, (flatten(node),)


for _cls in (Apply, Reduce, *_FIELDS):
    copyreg.pickle(_cls, _reduce)
