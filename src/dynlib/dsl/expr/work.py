"""How many operations an expression takes: loops count as often as they turn."""

from __future__ import annotations

import math
from collections.abc import Iterable

from dynlib.dsl.expr.nodes import Node, Num, Reduce, postorder

__all__ = ["operations"]


def operations(roots: Iterable[Node]) -> float:
    """Return how many operations it takes to evaluate the expressions once.

    The number is infinite where a loop has a bound that is not a literal: how often it turns is
    known when the model runs, not before.

    Examples
    --------
    >>> from dynlib.dsl.expr import Scope, bind, parse_expression
    >>> scope = Scope(states=("x",), params=("n",))
    >>> operations([bind(parse_expression("sum(x**j for j in range(100))"), scope)])
    201.0
    >>> operations([bind(parse_expression("sum(x**j for j in range(n))"), scope)])
    inf
    """
    nodes = postorder(roots)
    turns = {node.var.uid: _turns(node) for node in nodes if isinstance(node, Reduce)}
    # What does not depend on the variable of a loop is worked out before the loop.
    return float(
        sum(math.prod(turns.get(uid, 1.0) for uid in node.free) for node in nodes if node.children)
    )


def _turns(loop: Reduce) -> float:
    if isinstance(loop.lower, Num) and isinstance(loop.upper, Num):
        return max(1.0, float(loop.upper.value) - float(loop.lower.value))
    return math.inf
