"""The operators and functions of the expression tree, as data.

Every operation is one row of `OPS`; what differs between operations is in the row, and the
passes (typing, printing, evaluation) read it from there.
"""

from __future__ import annotations

import keyword
from dataclasses import dataclass
from typing import Literal

Kind = Literal["real", "int", "bool"]

Rule = Literal["arith", "real", "power", "compare", "logic", "select", "cast"]
"""How operands and result relate in kind.

``arith``    operands of one kind, int or real, which is that of the result
``real``     real operands, real result
``power``    arith, but the exponent of a real base may be an int literal
``compare``  operands of one kind, bool result
``logic``    bool operands, bool result
``select``   a bool, then two operands of the kind of the result
``cast``     any operand; the name tells the result
"""


@dataclass(frozen=True, slots=True)
class Op:
    """One operation.

    Parameters
    ----------
    name : str
        Its name in `Apply.op`.
    rule : str
        How the kinds of operands and result relate.
    least, most : int, int or None
        Number of operands; None means any number.
    symbol : str
        The infix or prefix operator of the language, if it has one.
    call : str
        The primitive that generated code calls for it; empty for what Python writes as operator.
    int_call : str
        The same for int operands, where it differs.
    """

    name: str
    rule: Rule
    least: int
    most: int | None
    symbol: str = ""
    call: str = ""
    int_call: str = ""


_INFIX = [
    Op("add", "arith", 2, 2, "+"),
    Op("sub", "arith", 2, 2, "-"),
    Op("mul", "arith", 2, 2, "*"),
    Op("div", "real", 2, 2, "/", "div"),
    Op("floordiv", "arith", 2, 2, "//", "floordiv", "ifloordiv"),
    Op("mod", "arith", 2, 2, "%", "mod", "imod"),
    Op("pow", "power", 2, 2, "**", "pow", "ipow"),
    Op("neg", "arith", 1, 1, "-"),
    Op("lt", "compare", 2, 2, "<"),
    Op("le", "compare", 2, 2, "<="),
    Op("gt", "compare", 2, 2, ">"),
    Op("ge", "compare", 2, 2, ">="),
    Op("eq", "compare", 2, 2, "=="),
    Op("ne", "compare", 2, 2, "!="),
    Op("and", "logic", 2, 2, "and"),
    Op("or", "logic", 2, 2, "or"),
    Op("not", "logic", 1, 1, "not", "not_"),
    Op("select", "select", 3, 3, "if", "select"),
]

_UNARY_REAL = (
    *("sqrt", "cbrt", "exp", "expm1", "log", "log1p", "log2", "log10"),
    *("sin", "cos", "tan", "asin", "acos", "atan"),
    *("sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
    *("erf", "erfc", "floor", "ceil", "trunc"),
)

_CALLED = [
    *(Op(name, "real", 1, 1, "", name) for name in _UNARY_REAL),
    Op("round", "real", 1, 1, "", "round_"),
    Op("atan2", "real", 2, 2, "", "atan2"),
    Op("hypot", "real", 2, 2, "", "hypot"),
    Op("copysign", "real", 2, 2, "", "copysign"),
    Op("abs", "arith", 1, 1, "", "abs_", "abs_"),
    Op("sign", "arith", 1, 1, "", "sign", "sign"),
    Op("min", "arith", 2, None, "", "min_", "min_"),
    Op("max", "arith", 2, None, "", "max_", "max_"),
    Op("cast_real", "cast", 1, 1, "", "real", "real"),
    Op("cast_int", "cast", 1, 1, "", "integer", "integer"),
]

_WHOLE = Op("whole", "real", 1, 1, "int")  # written with others, see `lower`

OPS: dict[str, Op] = {op.name: op for op in [*_INFIX, *_CALLED, _WHOLE]}

FUNCTIONS: dict[str, str] = {op.name: op.name for op in _CALLED if not op.name.startswith("cast_")}
"""Functions that a model may call, by the name it calls them, and the operation each is."""

CASTS: dict[str, Kind] = {"float": "real", "int": "int", "bool": "bool"}

ROUNDING = frozenset({"floor", "ceil", "trunc", "round"})
"""Functions that leave an int as it is, and that give an int in integer models."""

SCALAR_MACROS: dict[str, int] = {"heaviside": 1, "step": 1, "relu": 1, "clip": 3, "approx": 3}
"""Functions that are shorthand for others, and how many arguments they take."""

EDGE_MACROS: dict[str, int] = {
    "cross_up": 2,
    "cross_down": 2,
    "cross_either": 2,
    "changed": 1,
    "in_interval": 3,
    "enters_interval": 3,
    "leaves_interval": 3,
    "increasing": 1,
    "decreasing": 1,
}
"""Conditions for events, aux and stop, and how many arguments they take."""

INSTANTS = frozenset(EDGE_MACROS) - {"changed", "in_interval", "increasing", "decreasing"}
"""Those that hold where something is crossed, and nowhere else."""

REDUCTIONS = ("sum", "prod")

FUNCTION_NAMES = frozenset({*FUNCTIONS, *CASTS, *SCALAR_MACROS, *EDGE_MACROS, *REDUCTIONS, "range"})
"""Names that mean a function; a model cannot declare them."""

KEYWORDS = frozenset({"if", "else", "and", "or", "not", "for", "in", "True", "False"})

FOREIGN_WORDS = frozenset(keyword.kwlist) - KEYWORDS
"""Words of Python that have no meaning here; a model cannot declare them either."""

RESERVED_NAMES = FUNCTION_NAMES | KEYWORDS | FOREIGN_WORDS | {"math"}

_BY_NAME: dict[str, Kind] = {"cast_real": "real", "cast_int": "int"}


def result_kind(op: str, kinds: tuple[Kind, ...]) -> Kind:
    """Return the kind of the result of ``op`` for operands of these kinds."""
    rule = OPS[op].rule
    if rule in ("arith", "power"):
        return kinds[0]
    if rule == "real":
        return "real"
    if rule == "select":
        return kinds[1]
    if rule == "cast":
        return _BY_NAME[op]
    return "bool"
