"""Decide in what order code computes things, what gets a name, and which products are fused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dynlib.dsl.expr.nodes import Apply, Node, Reduce


@dataclass(frozen=True, slots=True)
class Schedule:
    """What to compute in one block of code.

    Attributes
    ----------
    order : list of Node
        Operations and loops, each after what it needs.
    named : set of Node
        Those that are needed more than once.
    fusions : dict of Node to Node
        For a sum or difference, the operand that is a product and joins it in one ``fma``.
    fused_products : set of Node
        Those products.
    """

    order: list[Node]
    named: set[Node]
    fusions: dict[Node, Node]
    fused_products: set[Node]


def schedule(outputs: Sequence[Node], uid: int) -> Schedule:
    """Return the plan for the block of the loop variable ``uid``; 0 is the whole.

    Nodes belong to the innermost loop whose variable occurs in them.  As inner loops have smaller
    numbers, that is the least number that is free in them.
    """
    order: list[Node] = []
    uses: Counter[Node] = Counter(outputs)
    seen: set[Node] = set()
    stack = [output for output in reversed(outputs) if _belongs(output, uid)]
    needs: dict[Node, list[Node]] = {}
    while stack:
        node = stack[-1]
        if node in seen:
            stack.pop()
            continue
        if node not in needs:
            needs[node] = [child for child in _needs(node) if _belongs(child, uid)]
        waiting = [child for child in needs[node] if child not in seen]
        if waiting:
            stack.extend(reversed(waiting))
        else:
            seen.add(node)
            order.append(stack.pop())
            uses.update(needs[node])
            if isinstance(node, Reduce):  # what a loop needs is needed at every turn
                uses.update(child for child in _invariants(node) if _belongs(child, uid))
    named = {node for node in order if uses[node] > 1}
    fusions = _fusions(order, uses, set(outputs))
    return Schedule(order, named, fusions, set(fusions.values()))


def _belongs(node: Node, uid: int) -> bool:
    return bool(node.children) and min(node.free, default=0) == uid


def _needs(node: Node) -> list[Node]:
    """Return what has to be known before the code of ``node`` can be written."""
    if isinstance(node, Reduce):
        return [node.lower, node.upper, *_invariants(node)]
    return list(node.children)


def _invariants(loop: Reduce) -> Iterator[Node]:
    """Yield the largest parts of a loop's body that no loop from here inwards changes."""
    seen: set[Node] = set()
    stack = [loop.condition, loop.body]
    while stack:
        node = stack.pop()
        if node in seen or not node.children:
            continue
        seen.add(node)
        if min(node.free, default=loop.var.uid + 1) > loop.var.uid:
            yield node
        else:
            stack.extend(reversed(node.children))


def _fusions(order: list[Node], uses: Counter[Node], outputs: set[Node]) -> dict[Node, Node]:
    """Return, for each sum of reals with a product that only it needs, that product."""
    found: dict[Node, Node] = {}
    for node in order:
        if not (isinstance(node, Apply) and node.op in ("add", "sub") and node.kind == "real"):
            continue
        left, right = node.children
        # a*b + c*d is fma(a, b, c*d), and a*b - c*d is fma(-c, d, a*b)
        for each in (left, right) if node.op == "add" else (right, left):
            product = isinstance(each, Apply) and each.op == "mul"
            if product and uses[each] == 1 and each not in outputs:
                found[node] = each
                break
    return found
