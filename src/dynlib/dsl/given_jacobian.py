"""Check a Jacobian that the document gives against the derived one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import isfinite
from random import Random

from dynlib.dsl import expr
from dynlib.dsl.binding import read
from dynlib.dsl.blocks import Piece, formula
from dynlib.dsl.check import describe
from dynlib.dsl.document import Item
from dynlib.dsl.expr import (
    ExprError,
    Iteration,
    Lag,
    Node,
    Num,
    Time,
    derivation_work,
    evaluate,
    free_nodes,
    postorder,
)
from dynlib.dsl.issues import Issues
from dynlib.dsl.resolve import Resolver, check_leaves
from dynlib.dsl.schema import is_number
from dynlib.dsl.spec import ModelSpec
from dynlib.errors import Issue

_POINTS = 8
_ENTRY = 3  # units of work for an entry
_NUMBER = 4  # more of them for one that is a number
_RELATIVE = 1e-6  # two ways to write one formula differ by rounding, a wrong one by far more
_ABSOLUTE = 1e-12  # of the greatest entry at the point: entries that cancel are rounding only


@dataclass(frozen=True)
class GivenJacobian:
    """The entries that a document gives, by row and column: as written, and bound."""

    pieces: dict[tuple[int, int], Piece]
    nodes: dict[tuple[int, int], Node]


def resolve_jacobian(resolver: Resolver) -> GivenJacobian | None:
    """Return the Jacobian that the document gives, if it does; what is wrong in it is noted."""
    item, issues = resolver.model.equations.jacobian, resolver.issues
    if item is None:
        return None
    if resolver.scope.integer:
        message = "a map of integers has no Jacobian"
        issues.append(item.issue(message, "Remove [equations.jacobian]."))
        return None
    pieces = _pieces(item, len(resolver.model.states), issues)
    scope = replace(resolver.scope, edges=False)
    nodes = {}
    for place, piece in pieces.items():
        value = piece.item.value
        if isinstance(value, str):
            node = read(piece, scope, "real", issues)
        else:
            issues.work.spend(_NUMBER)
            node = Num(float(value))
        if node is not None:
            nodes[place] = node
    check_leaves([(pieces[place], node) for place, node in nodes.items()], scope, issues)
    return GivenJacobian(pieces, nodes)


def check_jacobian(given: GivenJacobian, spec: ModelSpec, issues: Issues) -> None:
    """Note every entry of a given Jacobian that differs from the derived one.

    Both are worked out at points around the initial values.  At kinks a correct entry may differ
    from the derived one, so only entries that differ at most of the points are wrong.
    """
    issues.work.spend(derivation_work(spec.equations, spec.state_nodes))
    doubtful = {
        place: node
        for place, node in given.nodes.items()
        if node is not spec.jacobian[place[0]][place[1]]
    }
    for (i, j), wrong in _compare(doubtful, spec, issues).items():
        if wrong:
            issues.append(_issue(given.pieces[i, j], spec, i, j))


def _pieces(item: Item, n: int, issues: Issues) -> dict[tuple[int, int], Piece]:
    """Return the entries by row and column, if there are n times n of them."""
    rows = item.value
    if len(rows) != n:
        message = f"the Jacobian has {len(rows)} rows for {n} states"
        issues.append(item.issue(message, "Write a list of rows, one for each state."))
        return {}
    issues.work.spend(_ENTRY * n * n)
    pieces = {}
    for i, row in enumerate(rows):
        if not isinstance(row.value, tuple) or len(row.value) != n:
            found = f"{len(row.value)} entries" if isinstance(row.value, tuple) else describe(row)
            message = f"row {i} of the Jacobian: expected {n} entries, found {found}"
            issues.append(row.issue(message, "Write one entry for each state."))
            continue
        for j, entry in enumerate(row):
            if isinstance(entry.value, str) or (is_number(entry.value) and _finite(entry.value)):
                pieces[i, j] = formula(entry)
            else:
                message = f"expected an expression or a number, found {describe(entry)}"
                issues.append(entry.issue(message))
    return pieces


def _finite(value: float) -> bool:
    try:
        return isfinite(value)
    except OverflowError:
        return False


def _compare(
    given: dict[tuple[int, int], Node], spec: ModelSpec, issues: Issues
) -> dict[tuple[int, int], bool]:
    """Tell for each entry whether it differs from the derived one at most points."""
    votes = {place: [0, 0] for place in given}
    spend = issues.work.spend
    for (i, j), node in given.items():
        spend(_POINTS * len(postorder([node, spec.jacobian[i][j]])))
    for point in _points(spec, [*given.values(), *spec.equations]):
        pairs = {
            (i, j): (_value(node, point, spend), _value(spec.jacobian[i][j], point, spend))
            for (i, j), node in given.items()
        }
        scale = max((abs(b) for _, b in pairs.values() if isfinite(b)), default=0.0)
        for place, (a, b) in pairs.items():
            if isfinite(b):
                slack = _RELATIVE * max(abs(a), abs(b)) + _ABSOLUTE * scale
                votes[place][0 if isfinite(a) and abs(a - b) <= slack else 1] += 1
    return {place: bad > good for place, (good, bad) in votes.items()}


def _value(node: Node, point: dict[Node, float], spend: Callable[[int], None]) -> float:
    try:
        return float(evaluate(node, {leaf: point[leaf] for leaf in free_nodes(node)}, spend))
    except (ExprError, OverflowError):  # sums too long to be worked out here
        return float("nan")


def _points(spec: ModelSpec, nodes: list[Node]) -> Iterator[dict[Node, float]]:
    """Yield values for every leaf: near the initial values, some with the parameters as given."""
    random = Random(0)  # the same points in every run
    kinds = (Lag, Time, Iteration)
    leaves = {leaf for leaf in free_nodes(nodes) if isinstance(leaf, kinds)}
    others = sorted(leaves, key=repr)
    for turn in range(_POINTS):
        point: dict[Node, float] = {}
        for node, value in zip(spec.state_nodes, spec.state_values, strict=True):
            point[node] = value + random.uniform(-1, 1) * max(1.0, abs(value))
        for param, value in zip(spec.param_nodes, spec.param_values, strict=True):
            varied = value * random.uniform(0.5, 1.5) if value else random.uniform(-1, 1)
            point[param] = varied if turn % 4 and isfinite(value) else value
        for leaf in others:
            point[leaf] = random.randrange(9) if leaf.kind == "int" else random.uniform(0, 2)
        yield point


def _issue(piece: Piece, spec: ModelSpec, i: int, j: int) -> Issue:
    derived = expr.to_text(spec.jacobian[i][j])
    row, column = spec.states[i], spec.states[j]
    what = f"d({row}')/d({column})" if not spec.is_map else f"d(next {row})/d({column})"
    message = f"wrong entry in row {i} ({row}), column {j} ({column}): {what}"
    return piece.issue(message, f"given:   {piece.text}\nderived: {derived}")
