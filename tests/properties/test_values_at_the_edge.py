"""Functions of the language at zeros, infinities, NaN and the ends of the range.

Single run, lanes and plain Python agree: in the sign of zeros, in what is infinite and what NaN.
"""

import itertools
import math

import numpy as np
import pytest

from dynlib import setup

UNARY = (
    *("sqrt", "cbrt", "exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "asin"),
    *("acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc", "floor"),
    *("ceil", "trunc", "round", "abs", "sign", "heaviside", "relu", "int", "float", "bool"),
)
EXPRESSIONS = [
    *(f"{name}(a)" for name in UNARY),
    *(f"{name}(a, b)" for name in ("atan2", "hypot", "copysign", "min", "max")),
    *("a + b", "a - b", "a*b", "a/b", "a//b", "a % b", "a**b", "a**2", "a**-1", "a**0.5"),
    *("copysign(1, a*b)", "copysign(a*b, b)", "copysign(1, a/b)", "copysign(1, -a)"),
    *("copysign(1, a*0*b - b*a*b*0)", "copysign(0, log(a))", "clip(a, b, 1)"),
    *("int(a) + 1", "int(a)*2", "int(a)//2", "int(a) % 3", "abs(int(a))", "int(a*b)"),
    *("1 if int(a) > 3 else 0", "sum(a for j in range(int(b) if abs(b) < 5 else 1))"),
]
VALUES = (0.0, -0.0, 1.0, -1.0, 2.5, -0.5, math.inf, -math.inf, 5e-324, -1e308, 1e19, 2.0**63)
NAMES = [f"e{i}" for i in range(len(EXPRESSIONS))]


def document(dtype: str) -> str:
    aux = "".join(f'{n} = "{text}"\n' for n, text in zip(NAMES, EXPRESSIONS, strict=True))
    return (
        f'[model]\ntype = "map"\ndtype = "{dtype}"\n[states]\nx = 0.0\n[params]\na = 1.0\nb = 1.0\n'
        f'[equations.rhs]\nx = "x"\n[aux]\n{aux}'
    )


def same(x: float, y: float, ulps: int) -> bool:
    if math.isnan(x) or math.isnan(y):
        return math.isnan(x) and math.isnan(y)
    if not (x and y and math.isfinite(x) and math.isfinite(y)):
        return x == y and math.copysign(1, x) == math.copysign(1, y)
    return abs(x - y) <= ulps * math.ulp(x)


def test_single_lanes_and_plain_python_agree() -> None:
    pairs = list(itertools.product(VALUES, VALUES))
    compiled, plain = (setup(document("float64"), jit=jit) for jit in (True, False))
    a, b = np.array(pairs).T
    lanes = compiled.batch(params={"a": a, "b": b}, N=0, record_vars=[f"aux.{n}" for n in NAMES])
    for i, (one, other) in enumerate(pairs):
        given = {"params": {"a": one, "b": other}, "N": 0}
        runs = [s.run(**given, record_vars=[f"aux.{n}" for n in NAMES]) for s in (compiled, plain)]
        for name, text in zip(NAMES, EXPRESSIONS, strict=True):
            single, slow = (float(run[f"aux.{name}"][0]) for run in runs)
            lane = float(lanes[f"aux.{name}"][i].ravel()[0])
            where = f"{text} at a = {one}, b = {other}"
            assert same(single, lane, 0), f"{where}: {single} alone, {lane} in a lane"
            assert same(single, slow, 4), f"{where}: {single} compiled, {slow} plain"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("int(1/x)", math.nan),
        ("int(-1/x)", math.nan),
        ("int(0/x)", math.nan),
        ("int(1e19 + x)", math.nan),
        ("int(-1e18 + x)", -1e18),
        ("int(-0.5 + x)", 0.0),
        ("copysign(2, 0/x)", 2.0),
        ("copysign(-2, log(x - 1))", 2.0),
        ("int(1e999)", math.nan),
        ("copysign(-2, 1e999 - 1e999)", 2.0),
    ],
)
def test_what_the_documents_promise(text: str, expected: float) -> None:
    model = (
        f'[model]\ntype = "map"\n[states]\nx = 0.0\n[equations.rhs]\nx = "x"\n[aux]\nv = "{text}"\n'
    )
    found = setup(model, jit=False).run(N=0, record_vars=["aux.v"])["aux.v"][0]
    assert same(found, expected, 0)
