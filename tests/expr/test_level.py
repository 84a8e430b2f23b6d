"""Level functions are positive exactly where their condition is strictly true."""

import math

import pytest
from expr.strategies import LEAVES, SCOPE, X, tame, texts
from hypothesis import assume, given
from hypothesis import strategies as st

from dynlib.dsl.expr import (
    Lag,
    Node,
    Previous,
    PreviousTime,
    Scope,
    bind,
    evaluate,
    free_nodes,
    level_function,
    parse_expression,
    to_text,
)


def bound(text: str, scope: Scope = SCOPE) -> Node:
    return bind(parse_expression(text), scope)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("x > 1", "x - 1"),
        ("x >= 1", "x - 1"),
        ("x < y", "y - x"),
        ("x > 0", "x"),
        ("x < 0", "0 - x"),
        ("0 < x < 1", "min(x, 1 - x)"),
        ("x > 1 or y > 1", "max(x - 1, y - 1)"),
        ("not x > 1", "-(x - 1)"),
        ("x > 1 and a > 0", "min(x - 1, 1e999 if a > 0 else -1e999)"),
        ("x > 1 and a == 0", "min(x - 1, 1e999 if a == 0 else -1e999)"),
        ("t > 5", "t - 5"),
        ("int(x) > 2", "int(x) - 2"),
        ("cross_up(x, 1)", "min(1e999 if previous(x) <= 1 else -1e999, x - 1)"),
        ("lag_x() > 1", "1e999 if lag_x() > 1 else -1e999"),
    ],
)
def test_form(text: str, level: str) -> None:
    assert to_text(level_function(bound(text))) == level


@pytest.mark.parametrize(
    "text",
    ["x == 1", "x != 1", "changed(x)", "x > 1 and x != 2", "x > 0 if y > 0 else x < 0", "bool(x)"],
)
def test_some_conditions_have_none(text: str) -> None:
    assert level_function(bound(text)) is None


@given(texts("bool"), st.fixed_dictionaries(dict.fromkeys(LEAVES, tame)), tame)
def test_the_sign_tells_the_truth(text: str, env, other: float) -> None:
    cond = bound(text)
    level = level_function(cond)
    assume(level is not None)
    for leaf in free_nodes([cond, level]):
        if isinstance(leaf, Lag | Previous | PreviousTime):
            env[leaf] = other
    value = evaluate(level, env)
    assume(not math.isnan(value))  # a comparison with NaN, or inf - inf
    if value > 0:
        assert evaluate(cond, env) is True
    elif value < 0:
        assert evaluate(cond, env) is False


def test_a_root_is_where_the_condition_turns() -> None:
    level = level_function(bound("x > 1 and not x > 2"))
    signs = [evaluate(level, {X: x}) > 0 for x in (0.9, 1.0, 1.1, 1.9, 2.0, 2.1)]
    assert signs == [False, False, True, True, False, False]
