"""Coefficients satisfy the order conditions, in rational arithmetic where they are rational."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Sequence
from fractions import Fraction
from types import ModuleType
from typing import Any

import pytest
from numerics.rooted_trees import density, size, trees, weight

from dynlib.steppers import registry
from dynlib.steppers.tableau import ButcherTableau
from dynlib.steppers.tableaus import bs23, fixed, rk45, tsit5

HIGHEST = 6  # one more than the highest declared order, to see that it is not higher


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
    for module in (fixed, bs23, rk45, tsit5)
    for name, tableau in exact_tableaus(module).items()
}
RATIONAL = ("EULER", "HEUN", "MIDPOINT", "RK4", "BS23", "RK45")

# Tsitouras gives 16 digits of irrational coefficients: every condition holds to a few units in
# the last place of the terms in its sum, the largest of which are about 20.
PUBLISHED = Fraction(1, 10**13)


def allowed(name: str) -> Fraction:
    return Fraction(0) if name in RATIONAL else PUBLISHED


def misses(a: Sequence[Any], b: Sequence[Any], order: int) -> Fraction:
    """Worst violation of the conditions of this order."""
    found = (abs(weight(t, a, b) - Fraction(1, density(t))) for t in trees(order))
    return max(Fraction(miss) for miss in found)


def test_numbers_of_trees_are_known() -> None:
    # Cayley; HNW I, table II.2.1
    assert [len(trees(n)) for n in range(1, 8)] == [1, 1, 2, 4, 9, 20, 48]
    assert all(size(t) == n for n in range(1, 8) for t in trees(n))
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
    for node, row in zip(tableau.c, tableau.a, strict=True):
        assert abs(sum(row, Fraction(0)) - Fraction(node)) <= allowed(name)


@pytest.mark.parametrize("name", TABLEAUS)
def test_order_is_as_declared(name: str) -> None:
    tableau = TABLEAUS[name]
    p = int(tableau.order)
    for order in range(1, p + 1):
        assert misses(tableau.a, tableau.b, order) <= allowed(name), f"order {order}"
    # Not more: 1e-6 is far above what rounding could fake, and below every real violation.
    assert misses(tableau.a, tableau.b, p + 1) > Fraction(1, 10**6)


@pytest.mark.parametrize("name", [n for n, t in TABLEAUS.items() if t.b_error])
def test_embedded_order_is_as_declared(name: str) -> None:
    tableau = TABLEAUS[name]
    embedded = [b - e for b, e in zip(tableau.b, tableau.b_error, strict=True)]
    p = int(tableau.embedded_order)
    for order in range(1, p + 1):
        assert misses(tableau.a, embedded, order) <= allowed(name), f"order {order}"
    assert misses(tableau.a, embedded, p + 1) > Fraction(1, 10**6)


@pytest.mark.parametrize("name", TABLEAUS)
def test_last_stage_is_the_first_of_the_next_step_where_said(name: str) -> None:
    tableau = TABLEAUS[name]
    same = list(tableau.a[-1]) == list(tableau.b[:-1]) and tableau.c[-1] == 1
    assert tableau.fsal == same == (name in ("BS23", "RK45", "TSIT5"))


# --- dense output: weights are polynomials of theta, given as lists of coefficients ---


def polynomial_misses(a: Sequence[Any], weights: Sequence[Sequence[Any]], order: int) -> Fraction:
    """Worst violation of sum_i b_i(theta) psi_i = theta**order / density, per coefficient."""
    degree = max(len(row) for row in weights)
    worst = Fraction(0)
    for tree in trees(order):
        for power in range(1, max(degree, order) + 1):
            column = [row[power - 1] if power <= len(row) else Fraction(0) for row in weights]
            want = Fraction(1, density(tree)) if power == order else Fraction(0)
            worst = max(worst, abs(Fraction(weight(tree, a, column)) - want))
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


@pytest.mark.parametrize(("name", "order"), [("RK45", 4), ("TSIT5", 4)])
def test_own_interpolants_have_their_order(name: str, order: int) -> None:
    tableau = TABLEAUS[name]
    for q in range(1, order + 1):
        # Tsitouras' coefficients of the interpolant are up to 88 and have 16 digits: 1e-14 each.
        assert polynomial_misses(tableau.a, tableau.dense, q) <= 10 * allowed(name), f"order {q}"
    assert polynomial_misses(tableau.a, tableau.dense, order + 1) > Fraction(1, 10**6)


@pytest.mark.parametrize("name", [n for n, t in TABLEAUS.items() if not t.dense])
def test_hermite_interpolants_have_order_three_or_that_of_the_method(name: str) -> None:
    tableau = TABLEAUS[name]
    rows, weights = hermite(tableau)
    for q in range(1, min(3, int(tableau.order)) + 1):
        assert polynomial_misses(rows, weights, q) == 0, f"order {q}"


@pytest.mark.parametrize("name", [n for n, t in TABLEAUS.items() if t.dense])
def test_own_interpolants_are_smooth_at_the_ends_of_steps(name: str) -> None:
    tableau = TABLEAUS[name]
    slopes_at_1 = [sum(k * x for k, x in enumerate(row, start=1)) for row in tableau.dense]
    stages = len(tableau.dense)
    for i, row in enumerate(tableau.dense):
        assert abs(sum(row) - tableau.b[i]) <= allowed(name)  # it ends at the step
        assert row[0] == (1 if i == 0 else 0)  # its slope is the first stage
        want = 1 if i == stages - 1 else 0  # and at the end the last stage
        assert abs(slopes_at_1[i] - want) <= allowed(name)


@pytest.mark.parametrize("name", ["ab2", "ab3"])
def test_adams_bashforth_integrates_polynomials_exactly(name: str) -> None:
    stepper = registry.get(name)
    b = [Fraction(x).limit_denominator(1000) for x in stepper.b]  # type: ignore[attr-defined]
    assert [float(x) for x in b] == list(stepper.b)  # type: ignore[attr-defined]
    for q in range(stepper.order):
        assert sum(w * Fraction(-j) ** q for j, w in enumerate(b)) == Fraction(1, q + 1)
    q = stepper.order
    assert sum(w * Fraction(-j) ** q for j, w in enumerate(b)) != Fraction(1, q + 1)
