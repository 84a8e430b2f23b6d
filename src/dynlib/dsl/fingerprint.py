"""Digests of expressions that do not depend on process, platform or order of creation."""

from hashlib import sha256
from typing import Any

from dynlib.dsl.expr import (
    Apply,
    Lag,
    LoopVar,
    Node,
    Num,
    Param,
    Previous,
    Reduce,
    State,
    postorder,
)


def fingerprint(parts: Any) -> str:
    """Return the SHA-256 of nested tuples of strings, numbers, None and expressions.

    Shared subexpressions are digested once, so the cost grows with the graph and not with the
    text that it stands for.

    Examples
    --------
    >>> fingerprint(("a", 1)) == fingerprint(("a", 1.0))
    False
    """
    return _digest(parts, {}).hex()


def _digest(part: Any, known: dict[Node, bytes]) -> bytes:
    if isinstance(part, Node):
        for node in postorder([part], known):
            if node not in known:
                known[node] = _node_digest(node, known)
        return known[part]
    if isinstance(part, tuple):
        return sha256(b"(" + b"".join(_digest(each, known) for each in part)).digest()
    return sha256(f"{type(part).__name__} {part!r}".encode()).digest()


def _node_digest(node: Node, known: dict[Node, bytes]) -> bytes:
    head = f"{type(node).__name__} {node.kind} {_own_part(node)}"
    return sha256(head.encode() + b"\0" + b"".join(known[each] for each in node.children)).digest()


def _own_part(node: Node) -> str:
    """Return what a node holds beside its children."""
    match node:
        case Num():
            return repr(node.value)
        case Lag():
            return f"{node.index} {node.name} {node.k}"
        case State() | Param() | Previous():
            return f"{node.index} {node.name}"
        case LoopVar():
            return str(node.uid)
        case Reduce():
            return f"{node.op} {node.var.uid}"
        case Apply():
            return node.op
    return ""
