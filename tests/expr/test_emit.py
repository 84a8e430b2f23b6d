"""The emitted code computes what the expression means, compiled or not, and is readable."""

import ast
import math
import re

import numpy as np
import pytest
from expr.running import compiled, plain
from expr.strategies import INTEGERS, LEAVES, SCOPE, X, Y, Z, ints, reals, same, texts, trees
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dynlib.abi.primitives import PRIMITIVES
from dynlib.dsl.expr import (
    Num,
    State,
    bind,
    coerce,
    emit,
    evaluate,
    parse_expression,
    postorder,
)
from dynlib.dsl.expr.nodes import Apply, Reduce

# Where every intermediate result is a small whole number, no order of rounding can matter.
_EXACT = {"add", "sub", "mul", "min", "max", "neg", "abs", "sign", "floordiv", "mod", "select"}
_EXACT |= {"sum", "prod"}
_EXACT |= {"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "cast_real", "floor", "round"}
whole = st.fixed_dictionaries({leaf: st.integers(-5, 5).map(float) for leaf in LEAVES})
values = st.fixed_dictionaries(dict.fromkeys(LEAVES, reals))


def bound(text: str):
    return bind(parse_expression(text), SCOPE)


def lines_of(*expressions: str) -> list[str]:
    out = emit([bound(text) for text in expressions], lambda leaf: leaf.name, indent=0)
    return [*out.lines, *out.results]


def _is_exact(node) -> bool:
    for each in postorder([node]):
        if isinstance(each, Apply) and each.op not in _EXACT:
            return False
        if isinstance(each, Num) and each.kind == "real" and not abs(each.value) <= 1e3:
            return False
    return True


@given(trees(depth=5).filter(_is_exact), whole)
def test_exact_arithmetic_gives_the_value_of_the_expression(node, env) -> None:
    expected = evaluate(node, env)
    (found,) = plain([node], env)
    small = abs(expected) < 2.0**53
    assert found == expected or not small  # -0 and 0 may be exchanged by fma(a, b, -c)


@given(st.lists(trees(depth=3), min_size=1, max_size=3), values)
def test_plain_code_never_raises(nodes, env) -> None:
    found = plain(nodes, env)
    assert len(found) == len(nodes)


@given(trees(depth=2), values)
def test_special_values_come_out_alike(node, env) -> None:
    expected = evaluate(node, env)
    (found,) = plain([node], env)
    if math.isnan(expected) or math.isinf(expected):
        # fma rounds once: what overflows in between in two steps need not in one
        assert math.isnan(found) == math.isnan(expected) or "fma" in str(emitted(node))


def emitted(node) -> list[str]:
    out = emit([node], lambda leaf: getattr(leaf, "name", "t"))
    return [*out.lines, *out.results]


@given(texts(), texts("bool"))
def test_what_is_emitted_is_python_and_calls_primitives_only(text: str, condition: str) -> None:
    nodes = [bound(text), bound(condition)]
    out = emit(nodes, lambda leaf: f"leaf[{hash(leaf) % 1000}]")
    body = "\n".join(["def f(leaf):", *out.lines, f"    return ({', '.join(out.results)},)"])
    tree = ast.parse(body)
    assert not any(isinstance(each, ast.If | ast.IfExp | ast.BoolOp) for each in ast.walk(tree))
    called = {each.func.id for each in ast.walk(tree) if isinstance(each, ast.Call)}
    assert called <= {*PRIMITIVES, "range"}


@given(texts(depth=5))
def test_length_is_linear_and_lines_are_moderate(text: str) -> None:
    node = bound(text)
    lines = emitted(node)
    size = len(postorder([node]))
    assert sum(map(len, lines)) < 120 * (size + 2)
    assert max(map(len, lines)) < 130


def test_sharing_is_not_written_twice() -> None:
    text = "x"
    node = bound(text)
    for _ in range(60):
        node = Apply("add", (Apply("mul", (node, node)), Num(1.0)))
    assert len(emitted(node)) < 70


def test_names_are_given_to_what_is_shared() -> None:
    assert lines_of("(x + y)**2 - exp(x + y)") == ["v0 = x + y", "fma(v0, v0, -exp(v0))"]
    assert lines_of("x*y", "y*x + 1") == ["v0 = x*y", "v0", "v0 + 1.0"]


def test_lorenz_looks_as_one_would_write_it() -> None:
    assert lines_of("a*(y - x)", "x*(b - z) - y", "x*y - K*z") == [
        "a*(y - x)",
        "fma(x, b - z, -y)",
        "fma(-2.5, z, x*y)",
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x*y + z", "fma(x, y, z)"),
        ("z + x*y", "fma(x, y, z)"),
        ("x*y - z", "fma(x, y, -z)"),
        ("z - x*y", "fma(-x, y, z)"),
        ("x**3", "x*(x*x)"),
        ("x**-2", "1.0/(x*x)"),
        ("x**40", "pow(x, 40.0)"),
        ("x**0.5", "pow(x, 0.5)"),
        ("-x**2", "-(x*x)"),
        ("x if x > 0 and not y < 1 else 2", "select((x > 0.0) & not_(y < 1.0), x, 2.0)"),
        ("min(x, y, 1)", "min_(min_(x, y), 1.0)"),
        ("x // 2 + y % 3", "floordiv(x, 2.0) + mod(y, 3.0)"),
        ("round(x)", "round_(x)"),
        ("1e999*x", "inf*x"),
        ("-1e999*x", "-inf*x"),
        ("x*(-2)", "x*-2.0"),
        ("x - (y - z)", "x - (y - z)"),
        ("x/(y*z)", "x/(y*z)"),
        ("x/y*z", "x/y*z"),
        ("(x > y)*2", "real(x > y)*2.0"),
        ("(x > 0) == (y > 0)", "(x > 0.0) == (y > 0.0)"),
    ],
)
def test_spelling(text: str, code: str) -> None:
    assert lines_of(text)[-1] == code


def test_powers_share_their_squares() -> None:
    assert lines_of("x**4 + x**2") == ["v0 = x*x", "fma(v0, v0, v0)"]


def test_loops_hoist_what_does_not_change() -> None:
    lines = lines_of("sum(sin(x)*j + sum(exp(y)*cos(j*z)*i for i in range(j)) for j in range(a))")
    assert lines == [
        "v0 = sin(x)",
        "v1 = exp(y)",
        "v2 = real(0.0)",
        "for v3 in range(0, integer(a)):",
        "    v4 = real(v3)",
        "    v5 = v1*cos(v4*z)",
        "    v6 = real(0.0)",
        "    for v7 in range(0, integer(v3)):",
        "        v6 = fma(v5, real(v7), v6)",
        "    v2 = v2 + fma(v0, v4, v6)",
        "v2",
    ]


def test_a_condition_of_a_loop_selects() -> None:
    assert lines_of("prod(x + j for j in range(1, 4) if j != 2)") == [
        "v0 = real(1.0)",
        "for v1 in range(1, 4):",
        "    v0 = select(integer(v1) != 2, v0*(x + real(v1)), v0)",
        "v0",
    ]


def test_single_precision_wraps_literals() -> None:
    out = emit([bound("x*0.1 + 1e999")], lambda leaf: leaf.name, dtype="float32")
    assert out.results == ["fma(x, real(0.1), real(inf))"]


def test_integer_models_stay_integer() -> None:
    node = bind(parse_expression("x // 2 if x % 2 == 0 else 3*x + 1"), INTEGERS)
    assert node.kind == "int"
    out = emit([node], lambda leaf: leaf.name)
    assert out.results == ["select(imod(x, 2) == 0, ifloordiv(x, 2), 3*x + 1)"]
    x = State(0, "x", "int")
    for value in (0, 1, 7, -7, 10, 2**62, -(2**63)):
        assert plain([node], {x: value}, "int64") == [evaluate(node, {x: value})]


@given(st.data())
def test_integers_wrap_alike(data: st.DataObject) -> None:
    node = data.draw(trees("int", depth=4))
    env = data.draw(values)
    assert plain([node], env) == [evaluate(node, env)]
    x, y, z = (State(i, name, "int") for i, name in enumerate("xyz"))
    text = data.draw(st.sampled_from(["x*y + z", "x**5 - y", "-x", "abs(x) - z*y", "x // y % z"]))
    node = bind(parse_expression(text), INTEGERS)
    env = {leaf: data.draw(ints) for leaf in (x, y, z)}
    assert plain([node], env, "int64") == [evaluate(node, env)]


# --- compiled ---------------------------------------------------------------------------------

# Their results are rounded correctly by IEEE 754, so that both ways must agree to the last bit.
_ROUNDED = {*_EXACT, "div", "pow", "sqrt", "ceil", "trunc"}


def _correctly_rounded(node) -> bool:
    return all(
        each.op in _ROUNDED and not _may_overflow(each)
        for each in postorder([node])
        if isinstance(each, Apply | Reduce)
    )


def _may_overflow(node) -> bool:
    """Tell whether integers may grow beyond 64 bits; integer models have tests of their own."""
    large = any(isinstance(c, Num) and c.kind == "int" and abs(c.value) > 9 for c in node.children)
    return large or (node.kind == "int" and node.op in ("mul", "pow", "prod"))


@settings(
    max_examples=6,
    phases=[Phase.generate],  # to shrink would mean to compile hundreds
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(
    st.lists(trees(depth=4).filter(_correctly_rounded), min_size=12, max_size=12),
    st.lists(values, min_size=20, max_size=20),
)
def test_compiled_and_plain_code_give_the_same_bits(nodes, environments) -> None:
    run = compiled(nodes, LEAVES)
    for env in environments:
        expected = plain(nodes, env)
        for node, a, b in zip(nodes, run(env), expected, strict=True):
            assert same(float(a), float(b)), "\n".join(
                [*emitted(node), str(env)[-400:], f"{a} {b}"]
            )


def test_compiled_and_plain_functions_agree() -> None:
    names = [name for name in _function_names() if name not in ("min", "max")]
    nodes = [coerce(bound(f"{name}({'x, y' if _arity(name) == 2 else 'x'})"), "real")
             for name in names]  # fmt: skip
    run = compiled(nodes, (X, Y))
    special = [0.0, -0.0, math.inf, -math.inf, math.nan]
    points = [*special, *np.linspace(-3.0, 3.0, 25).tolist(), 1e-9, 40.0, -700.0]
    for x in points:
        for y in (0.5, -2.0, *special):
            env = {X: x, Y: y}
            for name, a, b in zip(names, run(env), plain(nodes, env), strict=True):
                # two good libraries differ by 2 ulp at most, but in the tails of erfc
                close = abs(a - b) <= 4e-15 * abs(b) if math.isfinite(b) else False
                assert same(float(a), float(b)) or close or a == b, (name, x, y, a, b)


def _function_names() -> list[str]:
    from dynlib.dsl.expr.ops import FUNCTIONS

    return list(FUNCTIONS)


def _arity(name: str) -> int:
    return 2 if re.fullmatch("atan2|hypot|copysign", name) else 1


def test_loops_compile() -> None:
    node = bound("sum(x**j/(j + 1)*prod(y + i for i in range(j) if i != 2) for j in range(0, z))")
    assert any(isinstance(each, Reduce) for each in postorder([node]))
    run = compiled([node], (X, Y, Z))
    for z in (0.0, 1.0, 5.7, -3.0, math.nan):
        env = {X: 0.5, Y: 0.25, Z: z}
        (a,), (b,), c = run(env), plain([node], env), evaluate(node, env)
        assert a == pytest.approx(b, rel=1e-15)
        assert b == pytest.approx(c, rel=1e-14)  # six terms, each rounded a few times
