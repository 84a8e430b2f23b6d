"""Laws of the nodes: one object for one expression, and no depth is too deep."""

import copy
import gc
import pickle
import threading

import pytest
from expr.strategies import SCOPE, X, Y, texts, trees
from hypothesis import given

from dynlib.dsl.expr import (
    Apply,
    Lag,
    Num,
    Param,
    Scope,
    State,
    Time,
    bind,
    differentiate,
    emit,
    evaluate,
    flatten,
    level_function,
    parse_expression,
    postorder,
    simplify,
    substitute,
)
from dynlib.dsl.expr import nodes as nodes_module
from dynlib.dsl.expr.flat import restore


def bound(text: str, scope: Scope = SCOPE):
    return bind(parse_expression(text), scope)


@given(texts())
def test_the_same_text_gives_the_same_object(text: str) -> None:
    assert bound(text) is bound(text)


def test_equal_leaves_are_one_object_and_unequal_ones_are_not() -> None:
    assert State(0, "x") is State(0, "x")
    assert Time() is Time()
    assert Num(float("nan")) is Num(float("nan"))
    different = [Num(0), Num(0.0), Num(-0.0), Num(False), State(0, "x"), Param(0, "x")]
    different += [State(1, "x"), State(0, "y"), State(0, "x", "int"), Lag(0, "x", 1)]
    assert len(set(different)) == len(different)


def test_loop_variables_do_not_distinguish_loops_but_by_name() -> None:
    # One numbering for all: the second is the first with another place in the text.
    inner = "sum(j*x for j in range(0, 4))"
    assert bound(f"sum({inner} + j for j in range(0, 3))") is bound(
        f"sum(({inner}) + (j) for j in range(3))"
    )


@given(trees())
def test_copies_and_pickles_are_the_same_object(node) -> None:
    assert copy.copy(node) is node
    assert copy.deepcopy(node) is node
    assert pickle.loads(pickle.dumps(node)) is node
    assert restore(flatten(node)) is node


def test_nodes_cannot_be_changed() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        X.name = "y"


def test_nodes_that_nobody_holds_are_forgotten() -> None:
    gc.collect()  # what earlier tests left
    before = len(nodes_module._known)
    node = Apply("add", (X, Num(123456.789)))
    assert len(nodes_module._known) == before + 2
    del node
    gc.collect()
    assert len(nodes_module._known) == before


def test_threads_agree_about_the_object() -> None:
    found, barrier = [], threading.Barrier(8)

    def build() -> None:
        barrier.wait()
        node = X
        for i in range(300):
            node = Apply("add", (node, Num(float(i))))
        found.append(node)

    workers = [threading.Thread(target=build) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(set(found)) == 1


def _deep(links: int):
    """Return what a long chain of aux gives: each uses the one before it twice."""
    node = bound("x")
    for i in range(links):
        scope = Scope(states=("x",), aux={"before": node})
        node = bound(f"sin(before)*before + {i % 7} - x/before", scope)
    return node


def test_no_pass_minds_a_chain_of_500_aux() -> None:
    node = _deep(500)
    assert len(postorder([node])) > 2000
    assert simplify(node) is node
    assert pickle.loads(pickle.dumps(node)) is node
    derivative = differentiate(node, X)
    assert differentiate(derivative, X) is not None
    out = emit([node, derivative], lambda leaf: leaf.name)
    assert len(out.lines) < 5 * len(postorder([node, derivative]))
    compile("\n".join(["def f(x):", *out.lines, f"    return {out.results[1]}"]), "deep", "exec")
    assert substitute(node, {X: Y}) is substitute(node, {X: Y})
    assert isinstance(evaluate(node, {X: 0.3}), float)
    assert level_function(bound("before > 1", Scope(aux={"before": node}))) is not None
    assert len(repr(node)) < 10_000


def test_a_very_deep_expression_is_destroyed_without_harm() -> None:
    node = X
    for i in range(100_000):
        node = Apply("add", (node, Num(float(i % 3))))
    del node
    gc.collect()


@given(trees(depth=5))
def test_loops_carry_numbers_greater_than_those_inside(node) -> None:
    for each in postorder([simplify(node)]):
        if hasattr(each, "var"):
            assert each.var.uid > max(each.body.height, each.condition.height)
    assert not simplify(node).free
