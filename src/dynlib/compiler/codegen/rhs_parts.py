"""A right-hand side of hundreds of equations falls into parts, each a function.

LLVM takes more than in proportion to the length of straight-line code.
"""

from __future__ import annotations

from collections.abc import Sequence

from dynlib.dsl.expr.nodes import Apply, Node, postorder

__all__ = ["parts_of"]

_OPERATIONS = 500  # of a part, some
_STEP = 16  # equations by which a part grows: whole vectors of the processor
_TWICE = 1.05  # what is shared by parts is computed in each; at most so much in all


def parts_of(equations: Sequence[Node]) -> list[Sequence[Node]]:
    """The equations in parts; one if they are few, or have too much in common."""
    whole = _operations(equations)
    if whole <= 2 * _OPERATIONS or len(equations) <= 4 * _STEP:
        return [equations]
    parts: list[list[Node]] = [[]]
    lengths = [0]
    for i in range(0, len(equations), _STEP):
        some = list(equations[i : i + _STEP])
        length = _operations(some)
        if lengths[-1] and lengths[-1] + length > _OPERATIONS:
            parts.append([])
            lengths.append(0)
        parts[-1] += some
        lengths[-1] += length
    if len(parts) == 1 or sum(lengths) > _TWICE * whole + _OPERATIONS:
        return [equations]
    return list(parts)


def _operations(nodes: Sequence[Node]) -> int:
    """Operations of expressions, those in common counted once."""
    return sum(isinstance(node, Apply) for node in postorder(nodes))
