"""Random expressions: as trees, as text, and as text beside its SymPy twin."""

import math
import struct

import sympy
from hypothesis import strategies as st

from dynlib.dsl.expr import Apply, LoopVar, Num, Param, Reduce, Scope, State, Time, parse_expression
from dynlib.dsl.expr.nodes import TRUE
from dynlib.dsl.expr.scope import Function

SCOPE = Scope(
    kind="ode",
    states=("x", "y", "z"),
    params=("a", "b"),
    constants={"K": 2.5, "N": 3},
    functions={
        "f": Function(("u",), parse_expression("u*x + a")),
        "g": Function(("u", "j"), parse_expression("sum(u*i + j for i in range(0, 3)) - f(u)")),
    },
    lags=True,
    edges=True,
)
INTEGERS = Scope(kind="map", states=("x", "y", "z"), params=("a", "b"), integer=True)

X, Y, Z = (State(i, name) for i, name in enumerate("xyz"))
A, B = (Param(i, name) for i, name in enumerate("ab"))
LEAVES = (X, Y, Z, A, B, Time())

SPECIAL = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 5e-324, 1.7e308, 0.5, -2.5, 3.0]
reals = st.one_of(st.sampled_from(SPECIAL), st.floats())
ints = st.one_of(st.sampled_from([0, 1, -1, 2, 7, 2**63 - 1, -(2**63)]), st.integers(-9, 9))
tame = st.floats(-4.0, 4.0).map(lambda v: round(v, 3) + 0.0)


def same(a: object, b: object) -> bool:
    """Tell whether two results are equal to the last bit; one NaN is as good as another."""
    if isinstance(a, float) and isinstance(b, float):
        return (math.isnan(a) and math.isnan(b)) or struct.pack("d", a) == struct.pack("d", b)
    return type(a) is type(b) and a == b


# --- trees, not simplified ------------------------------------------------------------------------

_REAL_CALLS = ["sqrt", "exp", "log", "sin", "tanh", "floor", "ceil", "round", "atan", "cbrt"]
_ARITH = ["add", "sub", "mul", "floordiv", "mod", "min", "max"]
_COMPARE = ["lt", "le", "gt", "ge", "eq", "ne"]


@st.composite
def trees(draw: st.DrawFn, kind: str = "real", depth: int = 4, loops: int = 0):
    """Draw a tree of well-typed operations exactly as they come; ``loops`` are open around it."""
    if depth == 0 or kind == "exponent" or draw(st.integers(0, 8)) == 0:
        return draw(_leaf(kind, loops))
    if kind != "bool" and loops < 2 and draw(st.integers(0, 9)) == 0:
        return draw(_loop(kind, depth - 1, loops))
    op, kinds = draw(_operations(kind))
    return Apply(op, tuple(draw(trees(k, depth - 1, loops)) for k in kinds))


def _operations(kind: str):
    """Return a strategy for operations with results of a kind, each with the kinds it takes."""
    if kind == "bool":
        compared = st.tuples(st.sampled_from(_COMPARE), st.sampled_from(["real", "int"]))
        logical = [("and", "bool bool"), ("or", "bool bool"), ("not", "bool")]
        chosen = st.one_of(
            compared.map(lambda pair: (pair[0], f"{pair[1]} {pair[1]}")),
            st.sampled_from([*logical, ("select", "bool bool bool")]),
        )
    else:
        rest = [("neg", kind), ("abs", kind), ("sign", kind), ("select", f"bool {kind} {kind}")]
        rest += [(f"cast_{kind}", k) for k in ("real", "int", "bool") if k != kind]
        rest += [("max", f"{kind} {kind} {kind}"), ("pow", f"{kind} exponent")]
        if kind == "real":
            rest += [("div", "real real"), *((name, "real") for name in _REAL_CALLS)]
        arithmetic = st.sampled_from(_ARITH).map(lambda op: (op, f"{kind} {kind}"))
        chosen = st.one_of(arithmetic, st.sampled_from(rest))
    return chosen.map(lambda pair: (pair[0], pair[1].split()))


@st.composite
def _loop(draw: st.DrawFn, kind: str, depth: int, loops: int):
    from dynlib.dsl.expr.substitute import renamed

    var = LoopVar(-1 - loops, f"j{loops}")  # free, until the tree around it numbers it
    body = draw(trees(kind, depth, loops + 1))
    where = draw(st.one_of(st.just(TRUE), trees("bool", depth, loops + 1)))
    first = draw(st.integers(-2, 3))
    last = Num(first + draw(st.integers(-1, 4)))
    number = 1 + max(body.height, where.height)
    bound = LoopVar(number, var.name)
    body, where = renamed([body, where], var, bound)
    return Reduce(draw(st.sampled_from(["sum", "prod"])), bound, Num(first), last, body, where)


def _leaf(kind: str, loops: int):
    if kind == "real":
        return st.one_of(st.sampled_from(LEAVES), reals.map(Num))
    if kind == "int":
        open_loops = [st.just(LoopVar(-1 - i, f"j{i}")) for i in range(loops)]
        return st.one_of(ints.map(Num), *open_loops)
    if kind == "exponent":
        return st.integers(0, 4).map(Num)
    return st.booleans().map(Num)


# --- text ---------------------------------------------------------------------------------------


@st.composite
def texts(draw: st.DrawFn, kind: str = "real", depth: int = 4, loops: tuple[str, ...] = ()):
    """Draw text of the model language, for `SCOPE`."""
    inner = texts("real", depth - 1, loops)
    if depth == 0:
        number = st.one_of(
            st.integers(0, 12).map(str), st.floats(0, 1e3, allow_subnormal=False).map(repr)
        )
        names = ["x", "y", "z", "a", "b", "K", "N", "t", "pi", "e", "lag_x()", "lag_y(2)", *loops]
        value = draw(st.one_of(number, st.sampled_from(names)))
        return value if kind == "real" else f"({value} > 0)"
    if kind == "bool":
        form = draw(st.sampled_from(["{} < {}", "{} <= {} < {}", "{} == {}", "{} != {}"]))
        forms = ["not ({})", "({}) and ({})", "({}) or ({})", "cross_up({}, {})", "increasing({})"]
        form = draw(st.one_of(st.just(form), st.sampled_from(forms)))
        logic = "not" in form or "and" in form or "or (" in form
        part = texts("bool", depth - 1, loops) if logic else inner
        if "cr" in form and loops:
            form = "in_interval({}, {}, {})"
        return form.format(*(draw(part) for _ in range(form.count("{}"))))
    kind_of = draw(st.sampled_from(["op", "op", "call", "other", "loop"]))
    if kind_of == "op":
        op = draw(st.sampled_from(["+", "-", "*", "/", "//", "%"]))
        form = draw(st.sampled_from(["({}) %s ({})", "{} %s {}", "-{} %s {}"])) % op.replace(
            "%", "%%"
        )
        form = form.replace("%%", "%")
        return form.format(draw(inner), draw(inner))
    if kind_of == "call":
        forms = ["sin({})", "exp({})", "math.sqrt({})", "min({}, {})", "max({}, {}, {})"]
        forms += ["abs({})", "clip({}, -1, 1)", "relu({})", "f({})", "g({}, {})", "({})**2"]
        forms += ["({})^-1", "2**(0.1*({}))", "int({})", "float({})", "hypot({}, {})", "round({})"]
        form = draw(st.sampled_from(forms))
        return form.format(*(draw(inner) for _ in range(form.count("{}"))))
    if kind_of == "loop" and len(loops) < 2:
        name = draw(st.sampled_from(["i", "j", "x"]))
        body = draw(texts("real", depth - 1, (*loops, name)))
        where = draw(st.one_of(st.none(), texts("bool", depth - 1, (*loops, name))))
        op = draw(st.sampled_from(["sum", "prod"]))
        upper = draw(st.sampled_from(["4", "N", "int(b)", "N - 1", *loops]))
        condition = f" if ({where})" if where else ""
        return f"{op}({body} for {name} in range(0, {upper}){condition})"
    test = draw(texts("bool", depth - 1, loops))
    return f"({draw(inner)} if {test} else {draw(inner)})"


# --- text beside SymPy ----------------------------------------------------------------------------

_SYMBOLS = {name: sympy.Symbol(name, real=True) for name in "xyzab"}

_TWINS = [
    ("({}) + ({})", lambda u, v: u + v),
    ("({}) - ({})", lambda u, v: u - v),
    ("({}) * ({})", lambda u, v: u * v),
    ("({}) / ({})", lambda u, v: u / v),
    ("({})**2", lambda u: u**2),
    ("({})**-3", lambda u: u**-3),
    ("-({})", lambda u: -u),
    ("({})**({})", lambda u, v: u**v),
    ("({})**1.5", lambda u: u ** sympy.Rational(3, 2)),
    ("2**({})", lambda u: 2**u),
    ("sin({})", sympy.sin),
    ("cos({})", sympy.cos),
    ("tan({})", sympy.tan),
    ("asin({})", sympy.asin),
    ("acos({})", sympy.acos),
    ("atan({})", sympy.atan),
    ("sinh({})", sympy.sinh),
    ("cosh({})", sympy.cosh),
    ("tanh({})", sympy.tanh),
    ("asinh({})", sympy.asinh),
    ("acosh({})", sympy.acosh),
    ("atanh({})", sympy.atanh),
    ("exp({})", sympy.exp),
    ("expm1({})", lambda u: sympy.exp(u) - 1),
    ("log({})", sympy.log),
    ("log1p({})", lambda u: sympy.log(1 + u)),
    ("log2({})", lambda u: sympy.log(u) / sympy.log(2)),
    ("log10({})", lambda u: sympy.log(u) / sympy.log(10)),
    ("sqrt({})", sympy.sqrt),
    ("cbrt(exp({}))", lambda u: sympy.exp(u / 3)),
    ("erf({})", sympy.erf),
    ("erfc({})", sympy.erfc),
    ("hypot({}, {})", lambda u, v: sympy.sqrt(u**2 + v**2)),
    ("atan2({}, exp({}))", lambda u, v: sympy.atan(u / sympy.exp(v))),
]


@st.composite
def twins(draw: st.DrawFn, depth: int = 3):
    """Draw the same smooth expression as text of the language and as a SymPy expression."""
    if depth == 0 or draw(st.integers(0, 5)) == 0:
        name = draw(st.sampled_from(["x", "y", "a", "x", "number"]))
        if name == "number":
            value = draw(st.integers(1, 9))
            return str(value), sympy.Integer(value)
        return name, _SYMBOLS[name]
    form, twin = draw(st.sampled_from(_TWINS))
    parts = [draw(twins(depth - 1)) for _ in range(form.count("{}"))]
    return form.format(*(text for text, _ in parts)), twin(*(symbol for _, symbol in parts))


def symbol(name: str) -> sympy.Symbol:
    return _SYMBOLS[name]
