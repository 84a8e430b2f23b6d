"""Simplifying changes no bit of any result."""

import math

import pytest
from expr.running import plain
from expr.strategies import LEAVES, SCOPE, A, X, Y, reals, same, trees
from hypothesis import example, given
from hypothesis import strategies as st

from dynlib.dsl.expr import (
    Apply,
    Num,
    apply,
    bind,
    build,
    evaluate,
    free_nodes,
    parse_expression,
    postorder,
    simplify,
    substitute,
)

values = st.fixed_dictionaries(dict.fromkeys(LEAVES, reals))


@given(trees(), values)
@example(Apply("add", (X, Num(0.0))), dict.fromkeys(LEAVES, -0.0))
@example(Apply("sub", (Num(0.0), X)), dict.fromkeys(LEAVES, 0.0))
@example(Apply("mul", (Num(0.0), X)), dict.fromkeys(LEAVES, math.inf))
@example(Apply("not", (Apply("lt", (X, Y)),)), dict.fromkeys(LEAVES, math.nan))
def test_no_value_changes(node, env) -> None:
    assert same(evaluate(simplify(node), env), evaluate(node, env))


@given(trees("bool"), values)
def test_no_truth_changes(node, env) -> None:
    assert evaluate(simplify(node), env) is evaluate(node, env)


@given(trees("int"), values)
def test_no_integer_changes(node, env) -> None:
    assert evaluate(simplify(node), env) == evaluate(node, env)


@given(trees())
def test_simplifying_twice_is_simplifying_once(node) -> None:
    assert simplify(simplify(node)) is simplify(node)


@given(trees())
def test_nothing_is_left_to_work_out(node) -> None:
    for each in postorder([simplify(node)]):
        assert not isinstance(each, Apply) or any(not isinstance(c, Num) for c in each.args)


@pytest.mark.parametrize(
    ("text", "simple"),
    [
        ("x*1", "x"),
        ("1*x", "x"),
        ("x/1", "x"),
        ("x - 0", "x"),
        ("x**1", "x"),
        ("x**0", "1.0"),
        ("--x", "x"),
        ("-x*-y", "x*y"),
        ("a - -x", "a + x"),
        ("a + -2*x*y", "a - 2*x*y"),
        ("-1*x", "-x"),
        ("-(1.5*x/y)", "-1.5*x/y"),
        ("x if 1 < 2 else 1/0", "x"),
        ("x if x > 0 else x", "x"),
        ("not not x > 0", "x > 0"),
        ("not x == y", "x != y"),
        ("abs(-x)", "abs(x)"),
        ("floor(ceil(x))", "ceil(x)"),
        ("max(x, x)", "x"),
        ("sum(x for j in range(3, 3))", "0.0"),
        ("prod(x for j in range(3) if False)", "1.0"),
        ("int(7/2)*x", "3*x"),
    ],
)
def test_exact_identities_are_used(text: str, simple: str) -> None:
    assert bind(parse_expression(text), SCOPE) is bind(parse_expression(simple), SCOPE)


@pytest.mark.parametrize("text", ["0*x", "x + 0", "x - x", "x/x", "0/x", "0 - x", "x*0.5*2"])
def test_what_a_special_value_would_change_is_left_alone(text: str) -> None:
    assert bind(parse_expression(text), SCOPE) is not bind(parse_expression("x"), SCOPE)
    assert isinstance(bind(parse_expression(text), SCOPE), Apply)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1/0", math.inf),
        ("-1/0", -math.inf),
        ("0/0", math.nan),
        ("log(-1)", math.nan),
        ("0**-1", math.inf),
        ("exp(1000)", math.inf),
        ("7 // 0", 0),
        ("7.0 // 0", math.inf),
        ("7 % 0", 0),
        ("(-8)**(1/3)", math.nan),
        ("-7 // 2", -4),
        ("-7 % 3", 2),
        ("7.5 % -2", -0.5),
        ("round(2.5)", 2.0),
        ("2**10", 1024),
        ("2**100", 2.0**100),
        ("9223372036854775807 + 1", 2.0**63),
        ("10**1000", math.inf),
    ],
)
def test_literals_follow_numpy(text: str, value: float) -> None:
    node = bind(parse_expression(text), SCOPE)
    assert isinstance(node, Num)
    assert same(node.value, value)


def test_integer_literals_of_integer_models_wrap() -> None:
    largest = Num(2**63 - 1)
    assert apply("add", [largest, Num(1)], integer=True) is Num(-(2**63))
    assert build("neg", Num(-(2**63))) is Num(-(2**63))


@given(trees(), values)
def test_substituting_and_evaluating_commute(node, env) -> None:
    node = simplify(node)
    whole = substitute(node, {leaf: Num(value) for leaf, value in env.items()})
    assert not free_nodes(whole)
    assert same(evaluate(whole), evaluate(node, env))


def test_substituting_never_captures_a_loop_variable() -> None:
    # The replacement has a loop of its own, numbered like the one it is put into.
    outer = bind(parse_expression("sum(x*j for j in range(1, 4))"), SCOPE)
    inner = bind(parse_expression("sum(a + j for j in range(1, 3))"), SCOPE)
    both = substitute(outer, {X: inner})
    assert evaluate(both, {A: 10.0}) == (2 * 10.0 + 3) * 6
    assert plain([both], {A: 10.0}) == [(2 * 10.0 + 3) * 6]
    assert both.var.uid > both.body.height
