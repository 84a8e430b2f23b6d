"""Work out the value of an expression, node by node, with NumPy's arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from dynlib.dsl.expr.errors import ExprError
from dynlib.dsl.expr.fold import Value, fold
from dynlib.dsl.expr.limits import MAX_EVALUATIONS
from dynlib.dsl.expr.nodes import TRUE, Apply, Node, Num, Reduce, postorder

_STEP, _TURN = 3, 4  # units of work for an operation, and for a turn of a loop


def evaluate(
    node: Node,
    env: Mapping[Node, Any] | None = None,
    spend: Callable[[int], None] | None = None,
) -> Value:
    """Return the value of ``node``.

    Parameters
    ----------
    node : Node
    env : mapping of Node to number, optional
        Values of the leaves: states, params, time, lags.
    spend : callable, optional
        Is told the units of work before they are done, and may raise.

    Returns
    -------
    float, int or bool
        By the kind of the node.  Invalid arithmetic gives NaN or an infinity.

    Raises
    ------
    ExprError
        If sums in it are too long to be worked out here.
    KeyError
        If a leaf has no value.

    Examples
    --------
    >>> from dynlib.dsl.expr import Scope, bind, parse_expression
    >>> evaluate(bind(parse_expression("2**10 - 1/4"), Scope(kind="numeric")))
    1023.75
    """
    if isinstance(node, Num):
        return node.value
    machine = _Machine(spend)
    values = {leaf: _plain(leaf, value) for leaf, value in (env or {}).items()}
    return machine.run(node, values)


def evaluate_all(nodes: Iterable[Node], env: Mapping[Node, Any]) -> Iterator[Value]:
    """Yield the values of many expressions; what they share is worked out once.

    Raises
    ------
    ExprError, KeyError
        As `evaluate`.
    """
    values = {leaf: _plain(leaf, value) for leaf, value in env.items()}
    for node in nodes:
        yield _Machine(None).run(node, values)


def _plain(leaf: Node, value: Any) -> Value:
    if leaf.kind == "real":
        return float(value)
    return int(value) if leaf.kind == "int" else bool(value)


class _Machine:
    """Evaluates, and counts what it has done."""

    def __init__(self, spend: Callable[[int], None] | None) -> None:
        self.spend = spend
        self.steps = 0

    def run(self, root: Node, values: dict[Node, Value]) -> Value:
        """Return the value of ``root``, adding to ``values`` what is worked out on the way."""
        stack = [root]
        while stack:
            node = stack[-1]
            if node in values:
                stack.pop()
                continue
            needed = node.children[:2] if isinstance(node, Reduce) else node.children
            waiting = [child for child in needed if child not in values]
            if waiting:
                stack.extend(waiting)
                continue
            values[node] = self.value(node, values)
            stack.pop()
        return values[root]

    def value(self, node: Node, values: dict[Node, Value]) -> Value:
        self.steps += 1
        if self.spend is not None:
            self.spend(_STEP)
        if self.steps > MAX_EVALUATIONS:
            raise ExprError(
                "working this out takes too long", hint="shorten the sums and products in it"
            )
        if isinstance(node, Num):
            return node.value
        if isinstance(node, Reduce):
            return self.loop(node, values)
        if not isinstance(node, Apply):
            raise KeyError(f"no value given for {node!r}")
        return fold(node.op, [values[child] for child in node.children])

    def loop(self, node: Reduce, values: dict[Node, Value]) -> Value:
        changing = [
            each for each in postorder([node.body, node.condition]) if node.var.uid in each.free
        ]
        op, total = ("add", 0) if node.op == "sum" else ("mul", 1)
        result: Value = float(total) if node.kind == "real" else total
        inner = {each: value for each, value in values.items() if node.var.uid not in each.free}
        with np.errstate(all="ignore"):
            for turn in range(int(values[node.lower]), int(values[node.upper])):
                for each in changing:
                    inner.pop(each, None)
                inner[node.var] = turn
                if self.spend is not None:
                    self.spend(_TURN)
                if node.condition is TRUE or self.run(node.condition, inner):
                    result = fold(op, (result, self.run(node.body, inner)))
        return result
