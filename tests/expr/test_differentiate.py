"""Derivatives, against SymPy to many digits, against difference quotients, and by their form."""

import math
from itertools import pairwise

import mpmath
import pytest
import sympy
from expr.strategies import SCOPE, A, B, X, Y, Z, symbol, tame, twins
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from dynlib.dsl.expr import (
    Lag,
    Node,
    Num,
    Scope,
    State,
    Time,
    bind,
    differentiate,
    evaluate,
    jacobian,
    jvp,
    parse_expression,
    postorder,
    to_text,
)
from dynlib.dsl.expr.ops import FUNCTIONS


def bound(text: str, scope: Scope = SCOPE) -> Node:
    return bind(parse_expression(text), scope)


_PLAIN = (
    *("sqrt", "cbrt", "exp", "expm1", "log", "log1p", "log10", "sin", "cos", "tan", "asin", "acos"),
    *("atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc", "atan2", "hypot"),
)
_FUNCTIONS = {
    **{name: getattr(mpmath, name) for name in _PLAIN},
    "log2": lambda u: mpmath.log(u, 2),
    "add": lambda u, v: u + v,
    "sub": lambda u, v: u - v,
    "mul": lambda u, v: u * v,
    "div": lambda u, v: u / v,
    "neg": lambda u: -u,
    "pow": lambda u, v: u**v,
    "ne": lambda u, v: u != v,
    "select": lambda when, u, v: u if when else v,
}


def precise(node: Node, env: dict[Node, mpmath.mpf]) -> mpmath.mpf:
    """Return the value of a smooth expression, to the precision that mpmath is set to."""
    values = dict(env)
    for each in postorder([node]):
        if isinstance(each, Num):
            values[each] = mpmath.mpf(each.value)
        elif each.children:
            values[each] = _FUNCTIONS[each.op](*(values[child] for child in each.children))
            if isinstance(values[each], mpmath.mpc):
                raise ValueError("not real")
    return values[node]


@given(twins(), tame, tame, tame, st.sampled_from([(X, "x"), (Y, "y"), (A, "a")]))
@example(("(x)**(y)", symbol("x") ** symbol("y")), 1.5, -2.25, 1.0, (Y, "y"))
def test_sympy_agrees(pair, x: float, y: float, a: float, wrt) -> None:
    text, twin = pair
    leaf, name = wrt
    env = {X: x, Y: y, A: a}
    numbers = {symbol("x"): x, symbol("y"): y, symbol("a"): a}
    with mpmath.workdps(60):
        exact = {name: sympy.Rational(value) for name, value in numbers.items()}
        try:
            ours = precise(
                differentiate(bound(text), leaf), {k: mpmath.mpf(v) for k, v in env.items()}
            )
            theirs = sympy.diff(twin, symbol(name)).subs(exact).evalf(60)
            theirs = mpmath.mpmathify(theirs)
        except (ArithmeticError, ValueError, TypeError):
            assume(False)  # a pole, or beyond all numbers
        assume(mpmath.isfinite(ours) and mpmath.isfinite(theirs) and theirs == theirs.real)
        assume(abs(theirs) < 1e30)
        # Literals such as log(2) and 2/sqrt(pi) are doubles, and folded constants are rounded:
        # some 1e-16 each, multiplied by how steep the rest is.
        assert abs(ours - theirs) <= 1e-12 * (1 + abs(theirs)), (text, env)


_SMOOTH = sorted(set(_FUNCTIONS) & set(FUNCTIONS))


@pytest.mark.parametrize("name", _SMOOTH)
def test_the_rule_of_each_function(name: str) -> None:
    two = name in ("atan2", "hypot")
    node = bound(f"{name}(x, y)" if two else f"{name}(x)")
    with mpmath.workdps(40):
        for x in (1.375,) if name == "acosh" else (0.25, 0.8125):
            point = {X: mpmath.mpf(x), Y: mpmath.mpf(0.5)}
            for leaf in (X, Y) if two else (X,):
                theirs = mpmath.diff(
                    lambda v, leaf=leaf, point=point: precise(node, {**point, leaf: v}), point[leaf]
                )
                # literals such as log(2) are doubles
                ours = precise(differentiate(node, leaf), point)
                assert abs(ours - theirs) < 1e-15 * abs(theirs)


@pytest.mark.parametrize("text", ["x**y", "x**-3", "x**2.5", "2**x", "y/x", "x/y", "x/x", "x*x"])
def test_the_rule_of_each_operator(text: str) -> None:
    node = bound(text)
    with mpmath.workdps(40):
        point = {X: mpmath.mpf(1.375), Y: mpmath.mpf(-0.5)}
        theirs = mpmath.diff(lambda v: precise(node, {**point, X: v}), point[X])
        assert abs(precise(differentiate(node, X), point) - theirs) < 1e-15 * (1 + abs(theirs))


@pytest.mark.parametrize(
    ("text", "derivative"),
    [
        # as one would write them
        ("a*(y - x)", "-a"),
        ("x*(b - z) - y", "b - z"),
        ("x**2", "2*x"),
        ("x**3", "3*x**2"),
        ("3*x**3", "9*x**2"),
        ("x**2/2", "x"),
        ("x**4/4", "x**3"),
        ("1/x", "-1/x**2"),
        ("x/(K + x)", "(1 - x/(2.5 + x))/(2.5 + x)"),
        ("sqrt(x)", "1/(2*sqrt(x))"),
        ("exp(-x)", "-exp(-x)"),
        ("exp(-x**2/2)", "-exp(-x**2/2)*x"),
        ("log(x)", "1/x"),
        ("sin(2*x)", "2*cos(2*x)"),
        ("x**a", "a*x**(a - 1)"),
        # the term of j = 0 is constant, also at x = 0, where 0*x**-1 is not a number
        ("sum(x**j for j in range(a))", "sum(j*x**(j - 1.0) if j != 0 else 0 for j in range(a))"),
        ("a**x", "a**x*log(a)"),
        ("x*y*a", "y*a"),
        ("y + a", "0"),
        ("0*x", "0"),
        # piece by piece
        ("abs(x)", "sign(x)"),
        ("sign(x)", "0"),
        ("x if y > 0 else x**2", "1 if y > 0 else 2*x"),
        ("x if x > 0 else y", "1.0 if x > 0 else 0"),
        ("min(x, y)", "1.0 if x <= y else 0"),
        ("max(x**2, y)", "2*x if x**2 >= y else 0"),
        ("relu(x)", "1.0 if x >= 0 else 0"),
        ("float(x > 0)*x", "float(x > 0)"),
        ("float(int(x))*y", "0"),
        # jumps are constant between themselves
        ("floor(x) + ceil(x) + trunc(x) + round(x)", "0"),
        ("x // y", "0"),
        ("x % y", "1"),
        ("y % x", "-(y // x)"),
        ("x*floor(x)", "floor(x)"),
        # loops
        ("sum(x**2*j for j in range(3))", "sum(2*x*j for j in range(3))"),
        ("sum(j for j in range(0, int(x)))*y", "0"),
        ("sum(x for j in range(3) if x > j)", "sum(1.0 for j in range(3) if x > j)"),
    ],
)
def test_form(text: str, derivative: str) -> None:
    assert differentiate(bound(text), X) is bound_as_real(derivative)


def test_products_have_one_factor_replaced() -> None:
    found = to_text(differentiate(bound("prod(x**2 + i for i in range(3))"), X))
    others = "prod(x**2 + i_2 for i_2 in range(0, 3) if i_2 != i)"
    assert found == f"sum(2*x*{others} for i in range(0, 3))"


def bound_as_real(text: str) -> Node:
    node = bound(text)
    return node if node.kind == "real" else bound(f"float({text})")


def test_the_jacobian_of_lorenz_prints_as_one_would_write_it() -> None:
    scope = Scope(states=("x", "y", "z"), params=("sigma", "rho", "beta"))
    texts = ["sigma*(y - x)", "x*(rho - z) - y", "x*y - beta*z"]
    rows = jacobian([bound(text, scope) for text in texts], (X, Y, Z))
    assert [[to_text(entry) for entry in row] for row in rows] == [
        ["-sigma", "sigma", "0"],
        ["rho - z", "-1", "-x"],
        ["y", "x", "-beta"],
    ]


_ROUGH = [
    "sum(sin(x*j)*y**j for j in range(1, 5))",
    "prod(x**2 + j*y for j in range(1, 5))",
    "prod(x + j for j in range(0, 5) if j != 2)",
    "sum(prod(x + i*j*y for i in range(1, j)) for j in range(1, 5))",
    "prod(sum(x*i + j*y for i in range(0, 3)) for j in range(1, 4) if j % 2 == 1)",
    "prod(prod(x + i + j*y for i in range(1, 3)) for j in range(1, 3))",
    "sum(sum(sum(x**i*y**j*k for k in range(1, 3)) for j in range(0, 3)) for i in range(0, 3))",
    "x*y if x > y else x - y",
    "min(x*y, x + y, 2.5)*max(x, y**2, 1)",
    "abs(x - y)*abs(y)",
    "(3*x) % (y**2 + 1) + x // (y**2 + 1)",
    "copysign(x**2, y) + copysign(x, x*y)",
    "hypot(x, y) + atan2(y, x)",
    "clip(x*y, -1, 1) + relu(x)*relu(-y)",
    "cbrt(x*y + 40) + sign(x)*y",
    "floor(x)*y**2 + round(y)*x",
    "prod(x for j in range(2, 2)) + sum(y*x for j in range(0, 1))",
    "f(x*y) + g(x, y)",
    "(x - y if x > 0 else 1/x) if y > 0 else prod(x - j*y for j in range(1, 4))",
]


@pytest.mark.parametrize("text", _ROUGH)
@settings(max_examples=25)
@given(x=tame, y=tame)
def test_difference_quotients_agree_between_the_kinks(text: str, x: float, y: float) -> None:
    node, h = bound(text), 1e-5
    env = {X: x, Y: y, A: 0.7, B: 1.3}
    for leaf in (X, Y):
        around = [evaluate(node, {**env, leaf: env[leaf] + step * h}) for step in (-2, -1, 0, 1, 2)]
        scale = 1 + max(map(abs, around))
        assume(all(map(math.isfinite, around)))
        # A kink or a jump lies within the stencil if its steps differ by more than those of a
        # smooth curve do (curvature here is below 1e4).
        rises = [b - a for a, b in pairwise(around)]
        assume(max(rises) - min(rises) <= 1e-4 * max(map(abs, rises)) + 1e-9 * scale)
        slope = (around[0] - 8 * around[1] + 8 * around[3] - around[4]) / (12 * h)
        found = evaluate(differentiate(node, leaf), env)
        # rounding: eps*scale/h = 2e-11*scale; truncation: h**4 times the fifth derivative;
        # and half of what a kink that passed as smooth can make
        assert found == pytest.approx(slope, rel=1e-4, abs=1e-4 * scale)


def test_a_product_with_a_zero_factor_has_the_right_derivative() -> None:
    node = differentiate(bound("prod(x - j for j in range(0, 4))"), X)
    assert evaluate(node, {X: 2.0}) == 2.0 * 1.0 * (-1.0)


@given(st.sampled_from(_ROUGH), tame, tame, tame, tame)
def test_jvp_is_jacobian_times_vector(text: str, x: float, y: float, u: float, v: float) -> None:
    exprs = [bound(text), bound("x*y + a"), bound("b")]
    env = {X: x, Y: y, A: 0.7, B: 1.3, Z: u, Time(): v}
    products = [evaluate(each, env) for each in jvp(exprs, (X, Y), (Z, Time()))]
    for row, product in zip(jacobian(exprs, (X, Y)), products, strict=True):
        dx, dy = (evaluate(entry, env) for entry in row)
        if math.isfinite(dx) and math.isfinite(dy):
            # a dozen roundings in each of the two ways
            assert product == pytest.approx(dx * u + dy * v, rel=1e-12, abs=1e-9)


def test_leaves_are_told_apart() -> None:
    node = bound("x*lag_x(1)*t*a")
    assert differentiate(node, Lag(0, "x", 1)) is bound("x*t*a")
    assert differentiate(node, Time()) is bound("x*lag_x(1)*a")
    assert differentiate(node, A) is bound("x*lag_x(1)*t")
    assert differentiate(node, Y) is Num(0.0)


def test_integers_have_no_derivative() -> None:
    with pytest.raises(ValueError, match="integer"):
        differentiate(bound("x"), State(0, "x", "int"))


def test_the_jacobian_of_many_states_is_fast_and_sparse() -> None:
    import time

    n = 120
    names = tuple(f"x{i}" for i in range(n))
    scope = Scope(states=names, params=("F",))
    exprs = [
        bound(f"(x{(i + 1) % n} - x{(i - 2) % n})*x{(i - 1) % n} - x{i} + F", scope)
        for i in range(n)
    ]
    start = time.process_time()
    rows = jacobian(exprs, [State(i, name) for i, name in enumerate(names)])
    assert time.process_time() - start < 2.0  # one pass for each state over all would take minutes
    assert sum(entry is not Num(0.0) for row in rows for entry in row) == 4 * n


def test_derivatives_of_derivatives() -> None:
    node = bound("sin(x)*exp(2*x)")
    third = node
    for _ in range(3):
        third = differentiate(third, X)
    x = 0.3
    # (D^3 sin e^2x): by hand, e^2x*(11 cos x + 2 sin x)
    assert evaluate(third, {X: x}) == pytest.approx(
        math.exp(2 * x) * (11 * math.cos(x) + 2 * math.sin(x)), rel=1e-14
    )


@pytest.mark.parametrize("m", [1.0, 2.0, 3.0, 4.0])
@pytest.mark.parametrize("text", ["x**a", "x**a/(1 + x**a)", "1/(1 + x**a)"])
def test_powers_at_zero(text: str, m: float) -> None:
    """Of a whole exponent that is a parameter all derivatives exist at 0, by base and exponent."""
    expr, values = bound(text), {X: 0.0, A: m}
    x = sympy.Symbol("x")
    wanted = sympy.sympify(text, {"x": x, "a": int(m)})
    for _ in range(4):
        assert evaluate(expr, values) == pytest.approx(float(wanted.subs(x, 0)), abs=1e-14)
        expr, wanted = differentiate(expr, X), sympy.diff(wanted, x)
    assert evaluate(differentiate(bound(text), A), values) == 0
