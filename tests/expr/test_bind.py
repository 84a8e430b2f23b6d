"""What names mean: kinds, hygiene, macros, lags, and error messages that help."""

import time

import pytest
from expr.strategies import INTEGERS, SCOPE, A, X, Y, texts
from hypothesis import given

from dynlib.dsl.expr import (
    Apply,
    ExprError,
    Function,
    Iteration,
    Lag,
    LoopVar,
    Name,
    Node,
    Num,
    Param,
    Previous,
    PreviousTime,
    Reduce,
    Scope,
    State,
    Time,
    apply,
    bind,
    check_function,
    coerce,
    evaluate,
    free_nodes,
    parse_expression,
    postorder,
)
from dynlib.dsl.expr.ops import OPS


def bound(text: str, scope: Scope = SCOPE) -> Node:
    return bind(parse_expression(text), scope)


def problems(text: str, scope: Scope = SCOPE) -> list[tuple[str, str, str]]:
    """Return (the characters pointed at, message, hint) of all problems."""
    with pytest.raises(ExprError) as caught:
        bound(text, scope)
    return [(text[e.start : e.end], e.message, e.hint) for e in caught.value.errors]


_ALLOWED = (Num, State, Param, Time, Iteration, Lag, Previous, PreviousTime, LoopVar, Apply, Reduce)


@given(texts(depth=5), texts("bool"))
def test_the_bound_tree_is_typed_and_has_few_node_types(text: str, condition: str) -> None:
    for node in postorder([bound(text), bound(condition)]):
        assert isinstance(node, _ALLOWED)
        if isinstance(node, Apply):
            _check_kinds(node)
        elif isinstance(node, Reduce):
            assert node.lower.kind == node.upper.kind == "int"
            assert node.condition.kind == "bool"


def _check_kinds(node: Apply) -> None:
    rule, kinds = OPS[node.op].rule, [arg.kind for arg in node.args]
    if rule == "power":
        assert kinds[1] == kinds[0] or (kinds == ["real", "int"] and isinstance(node.args[1], Num))
        kinds = kinds[:1]
    if rule == "select":
        assert kinds.pop(0) == "bool"
    assert len(set(kinds)) == 1
    if rule in ("real", "logic"):
        assert kinds[0] == ("real" if rule == "real" else "bool")
    if rule in ("arith", "power"):
        assert kinds[0] != "bool"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1", "int"),
        ("1.0", "real"),
        ("True", "bool"),
        ("x", "real"),
        ("x > 1", "bool"),
        ("x and y", "bool"),
        ("not x", "bool"),
        ("1/2", "real"),
        ("7//2", "int"),
        ("int(x)", "real"),
        ("int(x) + 1", "real"),
        ("int(x)*2", "real"),
        ("float(1)", "real"),
        ("bool(x)", "bool"),
        ("floor(x)", "real"),
        ("floor(int(x))", "real"),
        ("(x > 1) + (y > 1)", "int"),
        ("1 if x > 0 else 2", "int"),
        ("1 if x > 0 else 2.0", "real"),
        ("x > 0 if y > 0 else x < 0", "bool"),
        ("sum(j for j in range(3))", "int"),
        ("sum(x > j for j in range(3))", "int"),
        ("sum(j*j for j in range(a))", "real"),
        ("prod(j for j in range(a))", "real"),
        ("min(1, 2)", "int"),
        ("min(1, x)", "real"),
    ],
)
def test_kinds(text: str, kind: str) -> None:
    assert bound(text).kind == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("x", "int"),
        ("x*y + 3", "int"),
        ("x**2", "int"),
        ("x**y", "int"),
        ("x/2", "real"),
        ("x // 2 if x % 2 == 0 else 3*x + 1", "int"),
        ("floor(x/2)", "int"),
        ("round(sqrt(x))", "int"),
        ("int(sqrt(x))", "int"),
        ("sqrt(x)", "real"),
        ("step(x)", "int"),
        ("clip(x, 0, 9)", "int"),
        ("abs(x)", "int"),
        ("n", "int"),
        ("t", "real"),
        ("prod(j for j in range(1, x))", "int"),
        ("0.5*x", "real"),
    ],
)
def test_kinds_in_integer_models(text: str, kind: str) -> None:
    assert bound(text, INTEGERS).kind == kind


# --- functions --------------------------------------------------------------------------------


def _functions(**texts: str) -> Scope:
    made = {}
    for name, text in texts.items():
        args, _, body = text.partition(":")
        made[name] = Function(tuple(args.split()), parse_expression(body))
    return Scope(states=("x", "y"), params=("a",), functions=made)


def test_arguments_shadow_the_names_of_the_model() -> None:
    scope = _functions(f="a x: a - x")
    assert bound("f(x, a)", scope) is bound("x - a", scope)


def test_names_of_the_caller_are_not_captured() -> None:
    # The j of the function is not the j of the caller, and its x is the state.
    scope = _functions(f="u: sum(u*j + x for j in range(0, 3))")
    found = bound("sum(f(j) for j in range(1, 3))", scope)
    # sum over u = 1, 2 of u*(0 + 1 + 2) + 3*x
    assert evaluate(found, {State(0, "x"): 10.0}) == (1 + 2) * 3 + 2 * 30


def test_a_functions_body_does_not_see_the_callers_loop() -> None:
    scope = _functions(f="u: u*j")
    assert "unknown name 'j'" in problems("sum(f(j) for j in range(3))", scope)[0][1]


def test_loop_variables_shadow_states_inside_only() -> None:
    found = bound("x + sum(x for x in range(0, 4))")
    assert evaluate(found, {X: 0.5}) == 6.5


def test_functions_call_functions() -> None:
    scope = _functions(f="u: u**2", g="u v: f(u) + f(v) - f(a)")
    assert bound("g(x, f(y))", scope) is bound("x**2 + (y**2)**2 - a**2", scope)


def test_inlining_shares_and_does_not_explode() -> None:
    bodies = {f"f{i}": f"u: f{i - 1}(u) + f{i - 1}(u)*u" for i in range(1, 60)}
    scope = _functions(f0="u: u + 1", **bodies)
    start = time.process_time()
    node = bound("f59(x)", scope)
    assert len(postorder([node])) < 200
    assert time.process_time() - start < 1.0


def test_inlining_that_explodes_is_refused_soon() -> None:
    bodies = {f"f{i}": f"u: f{i - 1}(u + {i}) + f{i - 1}(u*{i + 1})" for i in range(1, 40)}
    scope = _functions(f0="u: u + 1", **bodies)
    start = time.process_time()
    ((_, message, hint),) = problems("x + f39(x)", scope)
    assert "too long" in message
    assert "[aux]" in hint
    assert time.process_time() - start < 5.0


@pytest.mark.parametrize(
    ("scope", "circle"),
    [
        (_functions(f="u: f(u)"), "f -> f"),
        (_functions(f="u: g(u)", g="u: x + h(u)", h="u: f(u)"), "f -> g -> h -> f"),
    ],
)
def test_recursion_is_refused_with_the_circle(scope: Scope, circle: str) -> None:
    ((where, message, _),) = problems("1 + f(x)", scope)
    assert where == "f(x)"
    assert circle in message


def test_functions_that_call_each_other_very_deep_are_refused() -> None:
    bodies = {f"f{i}": f"u: f{i - 1}(u)" for i in range(1, 100)}
    assert "deep" in problems("f99(x)", _functions(f0="u: u", **bodies))[0][1]


def test_errors_in_a_function_are_told_at_the_call_and_in_its_own_text() -> None:
    scope = _functions(f="u: u + xx*q")
    found = problems("2*f(x)", scope)
    assert [where for where, *_ in found] == ["f(x)", "f(x)"]
    assert found[0][1] == "in function 'f': unknown name 'xx'"
    with pytest.raises(ExprError) as caught:
        check_function(scope.functions["f"], scope)
    assert [(e.start, e.end) for e in caught.value.errors] == [(5, 7), (8, 9)]


def test_aux_are_inlined_by_reference() -> None:
    energy = bound("x**2 + y**2")
    found = bound("E/2 + E", Scope(states=("x", "y"), aux={"E": energy}))
    assert energy in postorder([found])


# --- macros -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("macro", "meaning"),
    [
        ("heaviside(x)", "float(x >= 0)"),
        ("step(x - a)", "float(x - a >= 0)"),
        ("relu(x)", "max(x, 0)"),
        ("clip(x, a, b)", "min(max(x, a), b)"),
        ("approx(x, y, 0.1)", "abs(x - y) <= 0.1"),
        ("in_interval(x, a, b)", "a <= x and x <= b"),
        ("lag_x()", "lag_x(1)"),
        ("math.exp(x)", "exp(x)"),
    ],
)
def test_shorthands(macro: str, meaning: str) -> None:
    assert bound(macro) is bound(meaning)


_STEPS = [-1.0, 0.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("macro", "law"),
    [
        ("cross_up(x, 1)", lambda old, new: old <= 1 < new),
        ("cross_down(x, 1)", lambda old, new: old >= 1 > new),
        ("cross_either(x, 1)", lambda old, new: old <= 1 < new or old >= 1 > new),
        ("changed(x)", lambda old, new: old != new),
        ("increasing(x)", lambda old, new: new > old),
        ("decreasing(x)", lambda old, new: new < old),
        ("in_interval(x, 0, 2)", lambda old, new: 0 <= new <= 2),
        ("enters_interval(x, 0, 2)", lambda old, new: not 0 <= old <= 2 and 0 <= new <= 2),
        ("leaves_interval(x, 0, 2)", lambda old, new: 0 <= old <= 2 and not 0 <= new <= 2),
    ],
)
def test_edges_compare_now_with_the_start_of_the_step(macro: str, law) -> None:
    node = bound(macro)
    for old in _STEPS:
        for new in _STEPS:
            assert evaluate(node, {Previous(0, "x"): old, X: new}) is law(old, new)


def test_edges_look_through_functions_and_aux_and_time() -> None:
    scope = Scope(
        states=("x", "y"),
        functions={"f": Function(("u",), parse_expression("u*y + t + lag_x(2)"))},
        aux={"E": bound("x*y", Scope(states=("x", "y")))},
        lags=True,
        edges=True,
    )
    leaves = set(free_nodes(bound("cross_up(E + f(x), t)", scope)))
    old = {Previous(0, "x"), Previous(1, "y"), PreviousTime(), Lag(0, "x", 3)}
    assert leaves == {State(0, "x"), State(1, "y"), Time(), Lag(0, "x", 2), *old}


def test_the_iteration_index_was_one_less() -> None:
    scope = Scope(kind="map", states=("x",), edges=True)
    node = bound("cross_up(n, 5)", scope)
    assert [evaluate(node, {Iteration(): k}) for k in (5, 6, 7)] == [False, True, False]


def test_n_may_be_declared() -> None:
    assert bound("n", Scope(kind="map", states=("n",))) == State(0, "n")
    assert bound("n", Scope(kind="map", states=("x",))) == Iteration()
    assert problems("n", Scope(kind="ode", states=("x",)))[0][1] == "unknown name 'n'"


def test_pi_and_e_may_be_shadowed() -> None:
    assert bound("e", Scope(params=("e",))) == Param(0, "e")
    assert bound("pi", Scope(constants={"pi": 3})) == Num(3)
    assert evaluate(bound("cos(pi) + log(e)")) == 0.0


# --- error messages -------------------------------------------------------------------------


def test_all_problems_are_told_at_once_in_order() -> None:
    found = problems("xx + sin() + foo(1) + lag_x(0) + yy")
    assert [where for where, *_ in found] == ["xx", "sin()", "foo", "0", "yy"]


@pytest.mark.parametrize(
    ("text", "where", "message", "hint"),
    [
        ("x + yy", "yy", "unknown name 'yy'", "Did you mean 'y'?"),
        ("x + yy", "yy", "unknown name 'yy'", "known: x, y, z, a, b"),
        ("X", "X", "unknown name 'X'", "Did you mean 'x'?"),
        ("time", "time", "unknown name 'time'", "The time is t."),
        ("piecewise(x)", "piecewise", "unknown function", "a if condition else b"),
        ("pulse(x)", "pulse", "unknown function", "1 if start <= t < end else 0"),
        ("sinn(x)", "sinn", "unknown function 'sinn'", "Did you mean 'sin'?"),
        ("ln(x)", "ln", "unknown function 'ln'", "log"),
        ("arctan2(x, y)", "arctan2", "unknown function", "atan2"),
        ("pow(x, 2)", "pow", "unknown function", "x**y"),
        ("open(x)", "open", "unknown function 'open'", ""),
        ("__import__(x)", "__import__", "unknown function", ""),
        ("sin", "sin", "is a function", "sin(...)"),
        ("lag_x*2", "lag_x", "is a function", "lag_x()"),
        ("x(2)", "x", "is a state, not a function", "*"),
        ("a(2)", "a", "is a parameter, not a function", "*"),
        ("range(3)", "range", "only stands in", "sum("),
        ("sum()", "sum", "needs 'for", ""),
        ("sin()", "sin()", "takes 1 argument, not 0", ""),
        ("atan2(x)", "atan2(x)", "takes 2 arguments, not 1", ""),
        ("min(x)", "min(x)", "takes at least 2 arguments, not 1", ""),
        ("clip(x, 1)", "clip(x, 1)", "takes 3 arguments, not 2", ""),
        ("log(x, 2)", "log(x, 2)", "takes 1 argument, not 2", "log(x)/log(b)"),
        ("f(x, y)", "f(x, y)", "takes 1 argument, not 2", ""),
        ("g(x)", "g(x)", "takes 2 arguments, not 1", ""),
        ("lag_x(0)", "0", "from 1 to 1000, not 0", "x itself"),
        ("lag_x(-1)", "-1", "from 1 to 1000, not -1", ""),
        ("lag_x(1001)", "1001", "not 1001", ""),
        ("lag_x(1.5)", "1.5", "whole number", ""),
        ("lag_x(a)", "a", "whole number", "written as a number"),
        ("lag_x(1, 2)", "lag_x(1, 2)", "takes 1 argument", ""),
        ("lag_a(1)", "lag_a", "not a state", ""),
        ("lag_q(1)", "lag_q", "no known state", ""),
        ("x**1001", "1001", "beyond 1000", "exp("),
        ("x**-(10**6)", "-(10**6", "beyond 1000", ""),
        ("sum(x for j in range(10**6))", "10**6", "1000000 members", ""),
        ("sum(x for j in range(0, 200000))", "0, 200000", "at most 100000", ""),
    ],
)
def test_complaints(text: str, where: str, message: str, hint: str) -> None:
    ((found, told, advice),) = problems(text)
    assert found == where
    assert message in told
    assert hint in advice


def test_sums_within_sums_are_bounded_together() -> None:
    nest = "sum(sum(x for i in range(0, 2000)) for j in range(0, 2000))"
    assert "4000000 terms" in problems(nest)[0][1]
    deep = "sum(" * 9 + "x" + " for j in range(a))" * 9
    assert "8 deep" in problems(deep)[0][1]


def test_lags_and_edges_only_where_they_mean_something() -> None:
    bare = Scope(states=("x",))
    assert "no meaning here" in problems("lag_x(1)", bare)[0][1]
    assert "only known in events" in problems("cross_up(x, 1)", bare)[0][1]
    assert bound("in_interval(x, 0, 1)", bare).kind == "bool"


@pytest.mark.parametrize(
    ("text", "message"),
    [("x", "a state"), ("a", "a parameter"), ("E", "an aux"), ("t", "the time")],
)
def test_numbers_that_are_needed_at_once_cannot_use_variables(text: str, message: str) -> None:
    scope = Scope(kind="numeric", states=("x",), params=("a",), aux={"E": X}, constants={"K": 2.0})
    ((where, told, hint),) = problems(f"K*{text}", scope)
    assert where == text
    assert message in told
    assert "[constants]" in hint
    assert bound("2*K**3 - pi/pi", scope) == Num(15.0)


def test_names_with_an_error_of_their_own_are_passed_over() -> None:
    scope = Scope(states=("x",), poisoned=frozenset({"E", "f"}))
    assert isinstance(bound("E", scope), Name)
    assert [where for where, *_ in problems("E + f(x) + q", scope)] == ["q"]


def test_unicode_names_are_normalised_as_python_does() -> None:
    assert bound("ﬁx + α", Scope(states=("fix",), params=("α",))) is apply(
        "add", [State(0, "fix"), Param(0, "α")]
    )


def test_coerce() -> None:
    assert coerce(Num(2), "real") is Num(2.0)
    assert coerce(Num(2.7), "int") is Num(2)
    assert coerce(X, "bool") is Apply("ne", (X, Num(0.0)))
    assert coerce(coerce(Y, "int"), "int").kind == "int"
    assert coerce(Num(True), "real") is Num(1.0)
    assert coerce(A, "real") is A
