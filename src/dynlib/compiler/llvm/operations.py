"""Python's operators on numbers, with the types and values that NumPy gives them.

What is known beforehand is computed beforehand.  Nothing here lets LLVM change a rounding.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from dynlib.compiler.llvm.blocks import Blocks, unified
from dynlib.compiler.llvm.values import Number, Untranslatable, is_pack, number, pack_size

__all__ = ["absolute", "binary", "compared", "negated", "selected", "truth", "unlike"]

_SYMBOLS: dict[type, tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("add", operator.add),
    ast.Sub: ("sub", operator.sub),
    ast.Mult: ("mul", operator.mul),
    ast.Div: ("div", operator.truediv),
    ast.FloorDiv: ("floordiv", operator.floordiv),
    ast.Mod: ("mod", operator.mod),
    ast.Pow: ("pow", operator.pow),
    ast.LShift: ("shl", operator.lshift),
    ast.RShift: ("ashr", operator.rshift),
    ast.BitAnd: ("and", operator.and_),
    ast.BitOr: ("or", operator.or_),
    ast.BitXor: ("xor", operator.xor),
}
_COMPARISONS: dict[type, tuple[str, str]] = {  # of integers, of reals
    ast.Lt: ("slt", "olt"),
    ast.LtE: ("sle", "ole"),
    ast.Gt: ("sgt", "ogt"),
    ast.GtE: ("sge", "oge"),
    ast.Eq: ("eq", "oeq"),
    ast.NotEq: ("ne", "une"),
}
_REAL = ("double", "float")
_BITWISE = ("and", "or", "xor")


def _real(kind: str) -> bool:
    return kind in _REAL or is_pack(kind)


def _wide(kind: str) -> str:
    """The type in which numbers of this one are computed with."""
    return kind if _real(kind) else "i64"


def binary(blocks: Blocks, op: ast.operator, a: Number, b: Number) -> Number:
    """``a op b``."""
    word, evaluate = _SYMBOLS[type(op)]
    if a.known is not None and b.known is not None:
        try:
            return number(evaluate(a.known, b.known))
        except (ArithmeticError, ValueError):
            pass
    if word in _BITWISE and a.kind == b.kind == "i1":
        return Number("i1", blocks.new(f"{word} i1 {a.text}, {b.text}"))
    common = unified(_wide(a.kind), _wide(b.kind))
    assert isinstance(common, str)
    if word == "div":
        common = common if _real(common) else "double"
    x, y = blocks.cast(a, common), blocks.cast(b, common)
    if _real(common):
        return _of_reals(blocks, word, x, y)
    if word in ("floordiv", "mod"):
        return _whole(blocks, word, x, y)
    if word == "pow":
        raise Untranslatable("a power of integers")
    return Number("i64", blocks.new(f"{word} i64 {x.text}, {y.text}"))


def _of_reals(blocks: Blocks, word: str, x: Number, y: Number) -> Number:
    words = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
    if word not in words:
        raise Untranslatable(f"{word} of reals as an operator")
    return Number(x.kind, blocks.new(f"{words[word]} {x.kind} {x.text}, {y.text}"))


def _whole(blocks: Blocks, word: str, x: Number, y: Number) -> Number:
    """Floor division or its rest, of integers; 0 by a divisor that is 0."""
    safe = y
    if y.known is None:
        none = blocks.new(f"icmp eq i64 {y.text}, 0")
        safe = Number("i64", blocks.new(f"select i1 {none}, i64 1, i64 {y.text}"))
    rest = blocks.new(f"srem i64 {x.text}, {safe.text}")
    differ = blocks.new(f"xor i64 {rest}, {safe.text}")
    below = blocks.new(f"icmp slt i64 {differ}, 0")
    some = blocks.new(f"icmp ne i64 {rest}, 0")
    off = blocks.new(f"and i1 {below}, {some}")
    if word == "mod":
        up = blocks.new(f"add i64 {rest}, {safe.text}")
        result = blocks.new(f"select i1 {off}, i64 {up}, i64 {rest}")
    else:
        cut = blocks.new(f"sdiv i64 {x.text}, {safe.text}")
        down = blocks.new(f"sub i64 {cut}, 1")
        result = blocks.new(f"select i1 {off}, i64 {down}, i64 {cut}")
    if y.known is None:
        result = blocks.new(f"select i1 {none}, i64 0, i64 {result}")
    return Number("i64", result)


def compared(blocks: Blocks, op: ast.cmpop, a: Number, b: Number) -> Number:
    """``a op b``, a truth value."""
    if type(op) not in _COMPARISONS:
        raise Untranslatable(f"the comparison {type(op).__name__}")
    of_integers, of_reals = _COMPARISONS[type(op)]
    common = "i1" if a.kind == b.kind == "i1" else unified(_wide(a.kind), _wide(b.kind))
    assert isinstance(common, str)
    if is_pack(common):
        if not blocks.componentwise:
            raise Untranslatable("a comparison of packs")
        x, y = blocks.cast(a, common), blocks.cast(b, common)
        kind = f"<{pack_size(common)} x i1>"
        return Number(kind, blocks.new(f"fcmp {of_reals} {common} {x.text}, {y.text}"))
    if common == "i1" and of_integers not in ("eq", "ne"):
        common = "i64"
    x, y = blocks.cast(a, common), blocks.cast(b, common)
    test = f"fcmp {of_reals}" if common in _REAL else f"icmp {of_integers}"
    return Number("i1", blocks.new(f"{test} {common} {x.text}, {y.text}"))


def negated(blocks: Blocks, a: Number) -> Number:
    """``-a``."""
    if a.known is not None:
        return number(-a.known)
    if _real(a.kind):
        return Number(a.kind, blocks.new(f"fneg {a.kind} {a.text}"))
    return Number("i64", blocks.new(f"sub i64 0, {blocks.cast(a, 'i64').text}"))


def truth(blocks: Blocks, a: Number) -> Number:
    """Whether a number is not 0."""
    return number(bool(a.known)) if a.known is not None else blocks.cast(a, "i1")


def unlike(blocks: Blocks, a: Number) -> Number:
    """``not a``."""
    holds = truth(blocks, a)
    if holds.known is not None:
        return number(not holds.known)
    return Number("i1", blocks.new(f"xor i1 {holds.text}, true"))


def selected(blocks: Blocks, condition: Number, a: Number, b: Number) -> Number:
    """``a`` where `condition`, else ``b``, without a branch."""
    common = unified(a.kind, b.kind)
    assert isinstance(common, str)
    x, y = blocks.cast(a, common), blocks.cast(b, common)
    packs = blocks.componentwise and is_pack(condition.kind)
    test = condition if packs else truth(blocks, condition)
    ways = f"{common} {x.text}, {common} {y.text}"
    return Number(common, blocks.new(f"select {test.kind} {test.text}, {ways}"))


def absolute(blocks: Blocks, a: Number) -> Number:
    """``abs(a)`` of an integer."""
    x = blocks.cast(a, "i64")
    below = Number("i1", blocks.new(f"icmp slt i64 {x.text}, 0"))
    return selected(blocks, below, negated(blocks, x), x)
