"""What is known of a model's exponents beforehand, to hold a computed spectrum against."""

from __future__ import annotations

from dynlib.dsl.expr import build, evaluate, free_nodes
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
    matrices = [_matrix(spec, point) for point in range(_POINTS)]
    return any(all(_preserves(m, order, spec.is_map) for m in matrices) for order in orders)


def _matrix(spec: ModelSpec, point: int) -> list[list[float]]:
    """The Jacobian at some point near the initial state."""
    env: dict[Node, float] = {Time(): 0.31 * point, Iteration(): point}
    for i, (node, value) in enumerate(zip(spec.state_nodes, spec.state_values, strict=True)):
        assert isinstance(node, State)
        env[node] = value + 0.1 * (point + 1) * (1 + i % 3)
    for param, value in zip(spec.param_nodes, spec.param_values, strict=True):
        assert isinstance(param, Param)
        env[param] = value
    return [[float(evaluate(entry, env)) for entry in row] for row in spec.jacobian]


def _preserves(jacobian: list[list[float]], order: tuple[int, ...], is_map: bool) -> bool:
    """``J' W + W J = 0`` of a flow, ``J' W J = W`` of a map, W the symplectic form."""
    n = len(order)
    half = n // 2
    a = [[jacobian[i][j] for j in order] for i in order]
    form = [[float(j == i + half) - float(i == j + half) for j in range(n)] for i in range(n)]
    wj = _product(form, a)
    transposed = [list(column) for column in zip(*a, strict=True)]
    left = _product(transposed, wj) if is_map else _product(transposed, form)
    scale = max(1.0, max(abs(x) for row in a for x in row)) ** 2
    rest = [
        abs(left[i][j] - form[i][j] if is_map else left[i][j] + wj[i][j])
        for i in range(n)
        for j in range(n)
    ]
    return all(x <= _ROUNDING * scale for x in rest)


def _product(a: list[list[float]], b: list[list[float]]) -> list[list[float]]:
    return [
        [sum(x * y for x, y in zip(row, column, strict=True)) for column in zip(*b, strict=True)]
        for row in a
    ]
