"""Functions of the language that are shorthand for others.

Edges compare the value now with the value at the start of the step under examination.  Being at
the threshold at the start counts as not having crossed it: ``cross_up(x, c)`` holds where ``x``
was at or below ``c`` and is above it now.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dynlib.dsl.expr.nodes import Iteration, Lag, Node, Num, Previous, PreviousTime, State, Time
from dynlib.dsl.expr.ops import Kind
from dynlib.dsl.expr.simplify import build
from dynlib.dsl.expr.substitute import free_nodes, substitute
from dynlib.dsl.expr.typed import apply, coerce


def lag(index: int, name: str, k: int, kind: Kind) -> Node:
    """Return the state as it was ``k`` steps back."""
    return Lag(index, name, k, kind)


def scalar(name: str, args: Sequence[Node], *, integer: bool) -> Node:
    """Return what ``heaviside``, ``step``, ``relu``, ``clip`` or ``approx`` stands for."""

    def op(name: str, *operands: Node) -> Node:
        return apply(name, operands, integer=integer)

    if name in ("heaviside", "step"):  # 1 at 0
        reached = op("ge", args[0], Num(0))
        return coerce(reached, "int" if integer else "real")
    if name == "relu":
        return op("max", args[0], Num(0))
    if name == "clip":
        x, low, high = args
        return op("min", op("max", x, low), high)
    x, y, tolerance = args
    return op("le", op("abs", op("sub", x, y)), tolerance)


def before(node: Node) -> Node:
    """Return the value of ``node`` at the start of the step under examination."""
    earlier: dict[Node, Node] = {}
    for leaf in free_nodes(node):
        if isinstance(leaf, State):
            earlier[leaf] = Previous(leaf.index, leaf.name, leaf.kind)
        elif isinstance(leaf, Lag):
            earlier[leaf] = Lag(leaf.index, leaf.name, leaf.k + 1, leaf.kind)
        elif isinstance(leaf, Time):
            earlier[leaf] = PreviousTime()
        elif isinstance(leaf, Iteration):
            earlier[leaf] = build("sub", leaf, Num(1))
    return substitute(node, earlier)


_THEN_NOW = {
    # name: comparison with the threshold at the start of the step, and now
    "cross_up": ("le", "gt"),
    "cross_down": ("ge", "lt"),
}
_CHANGE = {"changed": "ne", "increasing": "gt", "decreasing": "lt"}


def edge(name: str, args: Sequence[Node], *, integer: bool) -> Node:
    """Return the condition that an edge macro stands for."""

    def op(name: str, *operands: Node) -> Node:
        return apply(name, operands, integer=integer)

    if name in _CHANGE:
        return op(_CHANGE[name], args[0], before(args[0]))
    if name == "cross_either":
        return op("or", *(edge(each, args, integer=integer) for each in _THEN_NOW))
    if name in _THEN_NOW:
        then, now = _THEN_NOW[name]
        x, threshold = args
        return op("and", op(then, before(x), before(threshold)), op(now, x, threshold))
    return _interval(name, args, op)


def _interval(name: str, args: Sequence[Node], op: Callable[..., Node]) -> Node:
    def inside(x: Node, low: Node, high: Node) -> Node:
        return op("and", op("le", low, x), op("le", x, high))

    def outside(x: Node, low: Node, high: Node) -> Node:
        return op("or", op("lt", x, low), op("gt", x, high))

    earlier = [before(arg) for arg in args]
    if name == "in_interval":
        return inside(*args)
    if name == "enters_interval":
        return op("and", outside(*earlier), inside(*args))
    return op("and", inside(*earlier), outside(*args))
