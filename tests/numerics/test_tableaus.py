"""Coefficients satisfy the order conditions, in rational arithmetic where they are rational."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Sequence
from fractions import Fraction
from itertools import zip_longest
from types import ModuleType
from typing import Any

import pytest
from numerics.rooted_trees import density, size, stage_weights, trees, weight

from dynlib.steppers import registry
from dynlib.steppers.tableau import ButcherTableau
from dynlib.steppers.tableaus import bs23, dop853, fixed, rk45, tsit5


class _Exact(ast.NodeTransformer):
    """Numbers as fractions: what the source says, not what doubles make of it."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if isinstance(node.value, bool | str) or node.value is None:
            return node
        call = ast.Call(ast.Name("Fraction", ast.Load()), [ast.Constant(str(node.value))], [])
        return ast.copy_location(call, node)


def exact_tableaus(module: ModuleType) -> dict[str, ButcherTableau]:
    """The tableaus of a module, computed again in fractions."""
    tree = _Exact().visit(ast.parse(inspect.getsource(module)))
    # Not the subscript of `_B[:-1]`: an index stays a number.
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript):
            node.slice = ast.Slice(None, ast.UnaryOp(ast.USub(), ast.Constant(1)))
    namespace: dict[str, Any] = {"Fraction": Fraction}
    exec(compile(ast.fix_missing_locations(tree), module.__name__, "exec"), namespace)
    found = {k: v for k, v in namespace.items() if isinstance(v, ButcherTableau)}
    assert found
    return found


TABLEAUS = {
    name: tableau
    for module in (fixed, bs23, rk45, tsit5, dop853)
    for name, tableau in exact_tableaus(module).items()
}
RATIONAL = ("EULER", "HEUN", "MIDPOINT", "RK4", "BS23", "RK45")

# Tsitouras and Hairer give 16 digits of irrational coefficients: every condition holds to a few
# units in the last place of the terms in its sum, the largest of which are about 20 and 40.
PUBLISHED = Fraction(1, 10**13)


def allowed(name: str) -> Fraction:
    return Fraction(0) if name in RATIONAL else PUBLISHED


def misses(a: Sequence[Any], b: Sequence[Any], order: int) -> Fraction:
    """Worst violation of the conditions of this order."""
    found = (abs(weight(t, a, b) - Fraction(1, density(t))) for t in trees(order))
    return max(Fraction(miss) for miss in found)


def test_numbers_of_trees_are_known() -> None:
    # Cayley; HNW I, table II.2.1
    assert [len(trees(n)) for n in range(1, 10)] == [1, 1, 2, 4, 9, 20, 48, 115, 286]
    assert all(size(t) == n for n in range(1, 10) for t in trees(n))
    # the tall and the bushy tree of order 5
    assert density((((((),),),),)) == 120
    assert density(((), (), (), ())) == 5


def test_the_registry_holds_these_numbers() -> None:
    for name, exact in TABLEAUS.items():
        stepper = registry.get({"MIDPOINT": "rk2"}.get(name, name.lower()))
        rounded = stepper.tableau  # type: ignore[attr-defined]
        assert rounded.order == exact.order
        # Each literal, or quotient of literals, is rounded once or twice.
        for got, want in zip(rounded.b, exact.b, strict=True):
            assert got == pytest.approx(float(want), rel=4e-16, abs=1e-17)
        for got_row, want_row in zip(rounded.a, exact.a, strict=True):
            for got, want in zip(got_row, want_row, strict=True):
                assert got == pytest.approx(float(want), rel=4e-16)


@pytest.mark.parametrize("name", TABLEAUS)
def test_rows_sum_to_the_nodes(name: str) -> None:
    tableau = TABLEAUS[name]
    nodes, rows = tableau.c, tableau.a
    if tableau.continuation:
        nodes, rows = nodes + tableau.continuation.c, rows + tableau.continuation.a
    for node, row in zip(nodes, rows, strict=True):
        assert abs(sum(row, Fraction(0)) - Fraction(node)) <= allowed(name)


def has_order(name: str, b: Sequence[Any], p: int) -> None:
    """Weights satisfy all conditions up to order `p`, and not those of the next."""
    for order in range(1, p + 1):
        assert misses(TABLEAUS[name].a, b, order) <= allowed(name), f"order {order}"
    # 1e-6 is far above what rounding could fake, and below every real violation.
    assert misses(TABLEAUS[name].a, b, p + 1) > Fraction(1, 10**6)


@pytest.mark.parametrize("name", TABLEAUS)
def test_order_is_as_declared(name: str) -> None:
    has_order(name, TABLEAUS[name].b, int(TABLEAUS[name].order))


def embedded(tableau: ButcherTableau, error: Sequence[Any]) -> list[Any]:
    return [b - e for b, e in zip(tableau.b, error, strict=True)]


@pytest.mark.parametrize("name", [n for n, t in TABLEAUS.items() if t.b_error and not t.b_coarse])
def test_embedded_order_is_as_declared(name: str) -> None:
    tableau = TABLEAUS[name]
    has_order(name, embedded(tableau, tableau.b_error), int(tableau.embedded_order))


def test_two_error_estimates_make_one_of_the_declared_order() -> None:
    """``e**2 / sqrt(e**2 + e'**2/100)`` goes like h**6 squared over h**4."""
    tableau = TABLEAUS["DOP853"]
    has_order("DOP853", embedded(tableau, tableau.b_error), 5)
    has_order("DOP853", embedded(tableau, tableau.b_coarse), 3)
    assert tableau.embedded_order + 1 == 2 * (5 + 1) - (3 + 1)


@pytest.mark.parametrize("name", TABLEAUS)
def test_last_stage_is_the_first_of_the_next_step_where_said(name: str) -> None:
    tableau = TABLEAUS[name]
    same = list(tableau.a[-1]) == list(tableau.b[:-1]) and tableau.c[-1] == 1
    assert tableau.fsal == same == (name in ("BS23", "RK45", "TSIT5", "DOP853"))


# --- dense output: weights are polynomials of theta, given as lists of coefficients ---


def polynomial_misses(a: Sequence[Any], weights: Sequence[Sequence[Any]], order: int) -> Fraction:
    """Worst violation of sum_i b_i(theta) psi_i = theta**order / density, per coefficient."""
    degree = max(len(row) for row in weights)
    worst = Fraction(0)
    for tree in trees(order):
        at_stages = stage_weights(tree, a)
        for power in range(1, max(degree, order) + 1):
            column = [row[power - 1] if power <= len(row) else Fraction(0) for row in weights]
            got = sum((w * s for w, s in zip(column, at_stages, strict=True)), Fraction(0))
            want = Fraction(1, density(tree)) if power == order else Fraction(0)
            worst = max(worst, abs(got - want))
    return worst


def hermite(tableau: ButcherTableau) -> tuple[list[Any], list[list[Any]]]:
    """Stages and weights of the cubic through both ends of a step, with the slopes there."""
    rows = [[*row] for row in tableau.a]
    b = list(tableau.b)
    if not tableau.fsal:
        rows.append(b)
        b = [*b, Fraction(0)]
    # u + s*(u_new - u) + h*theta*(1-theta)**2*f_first - h*theta**2*(1-theta)*f_last
    # with s = 3 theta**2 - 2 theta**3
    weights = [[Fraction(0), 3 * Fraction(w), -2 * Fraction(w)] for w in b]
    first = [Fraction(1), Fraction(-2), Fraction(1)]
    last = [Fraction(0), Fraction(-1), Fraction(1)]
    weights[0] = [x + y for x, y in zip(weights[0], first, strict=True)]
    weights[-1] = [x + y for x, y in zip(weights[-1], last, strict=True)]
    return rows, weights


def continuation(tableau: ButcherTableau) -> tuple[list[Any], list[list[Any]]]:
    """All stages of a method with a continuation, and their weights in the interpolant.

    Weights of the state at theta, over h, from the nested form: ``theta*(r1 + rest*(r2 + ...))``.
    """
    further = tableau.continuation
    assert further
    stages = len(tableau.c) + len(further.c)
    b = [*map(Fraction, tableau.b), *[Fraction(0)] * len(further.c)]
    first, last = ([Fraction(s == at) for s in range(stages)] for at in (0, len(tableau.c) - 1))
    second = [f - w for f, w in zip(first, b, strict=True)]
    third = [w - g - r for w, g, r in zip(b, last, second, strict=True)]
    terms = [b, second, third, *further.d]
    weights: list[list[Any]] = [[] for _ in range(stages)]
    for place, term in reversed(list(enumerate(terms))):
        for row, x in zip(weights, term, strict=True):
            row[:] = added([Fraction(x)], row)
            shifted = [Fraction(0), *row]  # times theta
            row[:] = shifted if place % 2 == 0 else added(row, [-x for x in shifted])
    assert all(row[0] == 0 for row in weights)
    return [*tableau.a, *further.a], [row[1:] for row in weights]


def added(one: list[Any], other: list[Any]) -> list[Any]:
    return [x + y for x, y in zip_longest(one, other, fillvalue=Fraction(0))]


def interpolant(tableau: ButcherTableau) -> tuple[Sequence[Any], Sequence[Sequence[Any]]]:
    return continuation(tableau) if tableau.continuation else (tableau.a, tableau.dense)


OWN = [name for name, tableau in TABLEAUS.items() if tableau.dense or tableau.continuation]


@pytest.mark.parametrize(("name", "order"), [("RK45", 4), ("TSIT5", 4), ("DOP853", 7)])
def test_own_interpolants_have_their_order(name: str, order: int) -> None:
    a, weights = interpolant(TABLEAUS[name])
    for q in range(1, order + 1):
        # Coefficients have 16 digits; Tsitouras' are up to 88, Hairer's up to 550: 1e-13 each.
        assert polynomial_misses(a, weights, q) <= 10 * allowed(name), f"order {q}"
    assert polynomial_misses(a, weights, order + 1) > Fraction(1, 10**6)


@pytest.mark.parametrize("name", [n for n in TABLEAUS if n not in OWN])
def test_hermite_interpolants_have_order_three_or_that_of_the_method(name: str) -> None:
    tableau = TABLEAUS[name]
    rows, weights = hermite(tableau)
    for q in range(1, min(3, int(tableau.order)) + 1):
        assert polynomial_misses(rows, weights, q) == 0, f"order {q}"


@pytest.mark.parametrize("name", OWN)
def test_own_interpolants_are_smooth_at_the_ends_of_steps(name: str) -> None:
    tableau = TABLEAUS[name]
    _, weights = interpolant(tableau)
    last = len(tableau.c) - 1  # stages after it serve the interpolant alone
    for i, row in enumerate(weights):
        ends = tableau.b[i] if i <= last else 0
        assert abs(sum(row) - ends) <= allowed(name)  # it ends at the step
        assert row[0] == (i == 0)  # its slope is the first stage
        slope = sum(k * x for k, x in enumerate(row, start=1))  # and at the end the last stage
        assert abs(slope - (i == last)) <= allowed(name)


@pytest.mark.parametrize("name", ["ab2", "ab3"])
def test_adams_bashforth_integrates_polynomials_exactly(name: str) -> None:
    stepper = registry.get(name)
    b = [Fraction(x).limit_denominator(1000) for x in stepper.b]  # type: ignore[attr-defined]
    assert [float(x) for x in b] == list(stepper.b)  # type: ignore[attr-defined]
    for q in range(stepper.order):
        assert sum(w * Fraction(-j) ** q for j, w in enumerate(b)) == Fraction(1, q + 1)
    q = stepper.order
    assert sum(w * Fraction(-j) ** q for j, w in enumerate(b)) != Fraction(1, q + 1)
