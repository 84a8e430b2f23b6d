"""What is known of a model's exponents beforehand, to hold a computed spectrum against."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynlib.dsl.expr import build, evaluate_all, free_nodes
from dynlib.dsl.expr.nodes import Iteration, Node, Num, Param, State, Time
from dynlib.dsl.spec import ModelSpec

__all__ = ["is_autonomous", "is_symplectic", "log_volume_rate"]

_LARGEST_DETERMINANT = 4
_POINTS = 3
_ROUNDING = 1e-9  # of the largest entry


def is_autonomous(spec: ModelSpec) -> bool:
    """Whether no equation of the model knows the time."""
    leaves = free_nodes(spec.equations)
    return not any(isinstance(leaf, Time | Iteration) for leaf in leaves)


def log_volume_rate(spec: ModelSpec) -> Node | None:
    """The rate at which volumes grow: the divergence of a flow, ``log |det J|`` of a map.

    None for maps of more than four states, whose determinant would be long.
    """
    jacobian = spec.jacobian
    if not spec.is_map:
        total: Node = Num(0.0)
        for i, row in enumerate(jacobian):
            total = build("add", total, row[i])
        return total
    if len(jacobian) > _LARGEST_DETERMINANT:
        return None
    return build("log", build("abs", _determinant(jacobian)))


def _determinant(rows: tuple[tuple[Node, ...], ...]) -> Node:
    """Laplace's expansion along the first row."""
    if len(rows) == 1:
        return rows[0][0]
    total: Node = Num(0.0)
    for j, entry in enumerate(rows[0]):
        minor = tuple(row[:j] + row[j + 1 :] for row in rows[1:])
        term = build("mul", entry, _determinant(minor))
        total = build("add" if j % 2 == 0 else "sub", total, term)
    return total


def is_symplectic(spec: ModelSpec) -> bool:
    """Whether the Jacobian is that of a Hamiltonian flow, or of a symplectic map.

    It is looked at in a few points, with the states in the order q, p or in pairs (q, p).
    """
    n = len(spec.states)
    if n % 2 or spec.events:
        return False
    half = n // 2
    orders = {
        tuple(range(n)),
        tuple(2 * i for i in range(half)) + tuple(2 * i + 1 for i in range(half)),
    }
    for point in range(_POINTS):
        matrix = _matrix(spec, point)
        orders = {order for order in orders if _preserves(matrix, order, spec.is_map)}
        if not orders:
            return False  # as of most systems; the other points are not needed
    return True


def _matrix(spec: ModelSpec, point: int) -> NDArray[np.float64]:
    """The Jacobian at some point near the initial state."""
    env: dict[Node, float] = {Time(): 0.31 * point, Iteration(): point}
    for i, (node, value) in enumerate(zip(spec.state_nodes, spec.state_values, strict=True)):
        assert isinstance(node, State)
        env[node] = value + 0.1 * (point + 1) * (1 + i % 3)
    for param, value in zip(spec.param_nodes, spec.param_values, strict=True):
        assert isinstance(param, Param)
        env[param] = value
    entries = [entry for row in spec.jacobian for entry in row]
    matrix = np.fromiter(evaluate_all(entries, env), np.float64, len(entries))
    return matrix.reshape(len(spec.states), -1)


def _preserves(jacobian: NDArray[np.float64], order: tuple[int, ...], is_map: bool) -> bool:
    """``J' W + W J = 0`` of a flow, ``J' W J = W`` of a map, W the symplectic form."""
    n = len(order)
    half = n // 2
    a = jacobian[np.ix_(order, order)]
    turned = np.concatenate([a[half:], -a[:half]])  # W J
    if is_map:
        with np.errstate(all="ignore"):
            rest = a.T @ turned
        rest[range(half), range(half, n)] -= 1.0
        rest[range(half, n), range(half)] += 1.0
    else:
        with np.errstate(all="ignore"):
            rest = turned - turned.T  # J' W is -(W J)'
    scale = max(1.0, float(np.max(np.abs(a)))) ** 2
    return bool(np.all(np.abs(rest) <= _ROUNDING * scale))
