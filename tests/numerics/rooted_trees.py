"""Rooted trees: an order condition of Runge-Kutta methods for each (Butcher; HNW I, II.2).

A tree is the sorted tuple of the subtrees at its root, so ``()`` is the tree of one node.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from itertools import combinations_with_replacement
from math import prod
from typing import Any

Tree = tuple[Any, ...]


@cache
def trees(order: int) -> tuple[Tree, ...]:
    """All rooted trees with this many nodes."""
    if order == 1:
        return ((),)
    return tuple(sorted({tuple(sorted(forest)) for forest in _forests(order - 1, order - 1)}))


def _forests(nodes: int, largest: int) -> list[tuple[Tree, ...]]:
    """Multisets of trees with so many nodes in all, none with more than `largest`."""
    if nodes == 0:
        return [()]
    found = []
    for size in range(min(nodes, largest), 0, -1):
        for count in range(1, nodes // size + 1):
            for chosen in combinations_with_replacement(trees(size), count):
                rest = _forests(nodes - size * count, size - 1) if size > 1 else []
                if nodes == size * count:
                    rest = [()]
                found += [chosen + other for other in rest]
    return found


def size(tree: Tree) -> int:
    """Number of nodes."""
    return 1 + sum(map(size, tree))


def density(tree: Tree) -> int:
    """Product of the sizes of all subtrees, the tree itself included."""
    return size(tree) * prod(map(density, tree))


def stage_weights(tree: Tree, a: Sequence[Sequence[Any]]) -> list[Any]:
    """What the tree's children contribute at each stage."""
    stages = len(a)
    weights: list[Any] = [Fraction(1)] * stages
    for child in tree:
        inner = stage_weights(child, a)
        for i in range(stages):
            weights[i] *= sum((a[i][j] * inner[j] for j in range(len(a[i]))), Fraction(0))
    return weights


def weight(tree: Tree, a: Sequence[Sequence[Any]], b: Sequence[Any]) -> Any:
    """The elementary weight; the order condition says that it is one over the density."""
    return sum((w * s for w, s in zip(b, stage_weights(tree, a), strict=True)), Fraction(0))
