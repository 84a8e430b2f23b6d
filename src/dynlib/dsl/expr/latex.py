"""Write an expression as LaTeX."""

from __future__ import annotations

import math
import re

from dynlib.dsl.expr.nodes import (
    TRUE,
    Apply,
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
    State,
    Time,
    postorder,
)
from dynlib.dsl.expr.simplify import build
from dynlib.dsl.expr.text import check_size, loop_names

_GREEK = frozenset(
    {
        *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"),
        *("lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi"),
        *("psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon"),
        *("Phi", "Psi", "Omega"),
    }
)
_COMPARE, _SUM, _TERM, _PRODUCT, _POWER, _ATOM = range(3, 9)
_SYMBOLS = {
    "or": (r" \lor ", 1),
    "and": (r" \land ", 2),
    "lt": (" < ", _COMPARE),
    "le": (r" \le ", _COMPARE),
    "gt": (" > ", _COMPARE),
    "ge": (r" \ge ", _COMPARE),
    "eq": (" = ", _COMPARE),
    "ne": (r" \ne ", _COMPARE),
    "add": (" + ", _SUM),
    "sub": (" - ", _SUM),
    "mod": (r" \bmod ", _SUM),
}
_AS_THEY_ARE = ("sin", "cos", "tan", "sinh", "cosh", "tanh", "min", "max", "exp")
_FUNCTIONS = {
    **{name: rf"\{name}" for name in _AS_THEY_ARE},
    "log": r"\ln",
    "log2": r"\log_{2}",
    "log10": r"\log_{10}",
    "asin": r"\arcsin",
    "acos": r"\arccos",
    "atan": r"\arctan",
    "sign": r"\operatorname{sgn}",
}
_FENCES = {
    "abs": (r"\left|", r"\right|"),
    "floor": (r"\left\lfloor ", r" \right\rfloor"),
    "ceil": (r"\left\lceil ", r" \right\rceil"),
    "sqrt": (r"\sqrt{", "}"),
    "cbrt": (r"\sqrt[3]{", "}"),
}
_WORD = re.compile(r"([^\W\d_]+)(\d*)(?:_+(\w+))?")


def to_latex(node: Node) -> str:
    r"""Return ``node`` as LaTeX, for mathematics mode.

    Parameters
    ----------
    node : Node

    Returns
    -------
    str

    Raises
    ------
    ExprError
        If it would be too long: what is shared in the tree has to be repeated.

    Examples
    --------
    >>> from dynlib.dsl.expr import Scope, bind, parse_expression
    >>> scope = Scope(states=("x_1", "y"), params=("sigma",))
    >>> print(to_latex(bind(parse_expression("sigma*(y - x_1)/2"), scope)))
    \frac{\sigma \left(y - x_{1}\right)}{2}
    """
    check_size(node, {})
    return _Printer(node).texts[node][0]


def latex_name(name: str) -> str:
    r"""Return a name of the model as LaTeX: Greek letters by name, subscripts after ``_``.

    Examples
    --------
    >>> print(latex_name("theta_dot"), latex_name("x1"), latex_name("V_Na"), latex_name("rate"))
    \theta_{\mathrm{dot}} x_{1} V_{\mathrm{Na}} \mathrm{rate}
    """
    found = _WORD.fullmatch(name)
    if found is None:
        return rf"\mathrm{{{_escaped(name)}}}"
    stem, digits, rest = found.groups()
    below = ", ".join(_letter(part) for part in (digits, *(rest or "").split("_")) if part)
    return _letter(stem) + (f"_{{{below}}}" if below else "")


def _letter(word: str) -> str:
    if word in _GREEK:
        return "\\" + word
    return word if len(word) == 1 or word.isdigit() else rf"\mathrm{{{_escaped(word)}}}"


def _escaped(word: str) -> str:
    return word.replace("_", r"\_")


class _Printer:
    def __init__(self, root: Node) -> None:
        order = postorder([root])
        self.loops = loop_names(order, {})
        self.texts: dict[Node, tuple[str, int]] = {}
        for node in order:
            self.texts[node] = self.write(node)

    def write(self, node: Node) -> tuple[str, int]:
        if isinstance(node, Num):
            return _number(node)
        if isinstance(node, Reduce):
            return self.reduction(node), _TERM
        if isinstance(node, Apply):
            return self.operation(node)
        return (latex_name(self.loops[node]) if isinstance(node, LoopVar) else _leaf(node)), _ATOM

    def text(self, node: Node, strength: int = 0) -> str:
        text, own = self.texts[node]
        return text if own >= strength else rf"\left({text}\right)"

    def operation(self, node: Apply) -> tuple[str, int]:
        op, args = node.op, node.children
        if op in _SYMBOLS:
            symbol, own = _SYMBOLS[op]
            left = self.text(args[0], own + (own == _COMPARE))
            return left + symbol + self.text(args[1], own + 1), own
        if op in _FENCES:
            left, right = _FENCES[op]
            return left + self.text(args[0]) + right, _ATOM
        special = _SPECIAL.get(op)
        return special(self, node) if special is not None else (self.call(node), _ATOM)

    def product(self, node: Apply) -> tuple[str, int]:
        left, right = node.children
        a, b = self.text(left, _PRODUCT), self.text(right, _PRODUCT + 1)
        dot = r" \cdot " if b[:1].isdigit() else " "
        return a + dot + b, _PRODUCT

    def quotient(self, node: Apply) -> tuple[str, int]:
        a, b = (self.text(arg) for arg in node.children)
        return rf"\frac{{{a}}}{{{b}}}", _POWER

    def floor_quotient(self, node: Apply) -> tuple[str, int]:
        return rf"\left\lfloor {self.quotient(node)[0]} \right\rfloor", _ATOM

    def power(self, node: Apply) -> tuple[str, int]:
        base, exponent = node.children
        if isinstance(exponent, Num) and exponent.kind == "int" and exponent.value < 0:
            below = build("pow", base, Num(-exponent.value))
            text = self.text(base) if below is base else self.raised(base, str(-exponent.value))
            return rf"\frac{{1}}{{{text}}}", _POWER
        return self.raised(base, self.text(exponent)), _POWER

    def raised(self, base: Node, exponent: str) -> str:
        return f"{self.text(base, _ATOM)}^{{{exponent}}}"

    def negative(self, node: Apply) -> tuple[str, int]:
        return f"-{self.text(node.children[0], _PRODUCT)}", _SUM

    def negation(self, node: Apply) -> tuple[str, int]:
        return rf"\lnot {self.text(node.children[0], _ATOM)}", _COMPARE

    def cast(self, node: Apply) -> tuple[str, int]:
        inner = node.children[0]
        if inner.kind == "bool":
            return rf"\left[{self.text(inner)}\right]", _ATOM  # 1 where it holds (Iverson)
        return self.texts[inner] if node.op == "cast_real" else (self.call(node), _ATOM)

    def cases(self, node: Apply) -> tuple[str, int]:
        test, yes, no = (self.text(arg) for arg in node.children)
        lines = rf"{yes} & \text{{if }} {test} \\ {no} & \text{{otherwise}}"
        return rf"\begin{{cases}} {lines} \end{{cases}}", _TERM

    def call(self, node: Apply) -> str:
        if node.op == "exp" and self.texts[node.children[0]][0].count("frac") == 0:
            return f"e^{{{self.text(node.children[0])}}}"
        name = _FUNCTIONS.get(node.op)
        if name is None:
            word = "int" if node.op in ("cast_int", "whole") else node.op
            name = rf"\operatorname{{{word}}}"
        inside = ", ".join(self.text(arg) for arg in node.children)
        return rf"{name}\left({inside}\right)"

    def reduction(self, node: Reduce) -> str:
        sign = r"\sum" if node.op == "sum" else r"\prod"
        below = f"{latex_name(self.loops[node.var])}={self.bound(node.lower)}"
        if node.condition is not TRUE:
            below = rf"\substack{{{below} \\ {self.text(node.condition)}}}"
        last = build("sub", node.upper, Num(1))
        above = _number(last)[0] if isinstance(last, Num) else f"{self.bound(node.upper)} - 1"
        return f"{sign}_{{{below}}}^{{{above}}} {self.text(node.body, _TERM)}"

    def bound(self, node: Node) -> str:
        cut = isinstance(node, Apply) and node.op == "cast_int"
        return self.text(node.children[0] if cut else node, _SUM)


_SPECIAL = {
    "mul": _Printer.product,
    "div": _Printer.quotient,
    "floordiv": _Printer.floor_quotient,
    "pow": _Printer.power,
    "neg": _Printer.negative,
    "not": _Printer.negation,
    "select": _Printer.cases,
    "cast_real": _Printer.cast,
    "cast_int": _Printer.cast,
}


def _number(node: Num) -> tuple[str, int]:
    value = node.value
    if isinstance(value, bool):
        return rf"\mathrm{{{str(value).lower()}}}", _ATOM
    if isinstance(value, float) and not math.isfinite(value):
        text = r"\mathrm{NaN}" if math.isnan(value) else r"\infty"
        return (f"-{text}", _SUM) if value < 0 else (text, _ATOM)
    if abs(value) == math.pi:
        text = r"\pi" if value > 0 else r"-\pi"
    elif value == math.e:
        text = "e"
    else:
        text = str(int(value)) if abs(value) < 1e15 and value == int(value) else repr(value)
        mantissa, _, exponent = text.partition("e")
        if exponent:
            times = "" if mantissa == "1" else rf"{mantissa} \cdot "
            return rf"{times}10^{{{int(exponent)}}}", _PRODUCT
    return text, _SUM if text.startswith("-") else _ATOM


def _leaf(node: Node) -> str:
    if isinstance(node, Lag):
        return rf"{latex_name(node.name)}^{{(-{node.k})}}"
    if isinstance(node, Previous):
        return rf"{latex_name(node.name)}^{{-}}"
    if isinstance(node, PreviousTime):
        return "t^{-}"
    if isinstance(node, Iteration):
        return "n"
    if isinstance(node, Time):
        return "t"
    assert isinstance(node, State | Param | Name)
    return latex_name(node.name)
