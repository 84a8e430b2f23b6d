"""What kernels call that is one instruction, or a few: the twins of `dynlib.abi.primitives`."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from dynlib.compiler.llvm.blocks import Blocks, unified
from dynlib.compiler.llvm.expressions import Callee, Expressions
from dynlib.compiler.llvm.long_tuples import LOOP_FROM, WIDTH, address, kept_of, packs_of
from dynlib.compiler.llvm.operations import absolute, compared, selected, truth
from dynlib.compiler.llvm.values import (
    Array,
    Group,
    Number,
    Untranslatable,
    Value,
    flat,
    is_pack,
    number,
    pack_size,
    shape_of,
)

__all__ = ["CALLED", "casts", "intrinsic"]

_SUFFIX = {"double": "f64", "float": "f32"}
_BITS = {"double": "i64", "float": "i32", "i64": "double", "i32": "float"}
_OF_ONE = ("rint", "floor", "ceil", "trunc", "fabs", "sqrt")


def _suffix(kind: str) -> str:
    """How LLVM marks its functions of a type."""
    return f"v{pack_size(kind)}f64" if is_pack(kind) else _SUFFIX[kind]


def intrinsic(body: Expressions, name: str, args: Sequence[Number]) -> Number:
    """A function of LLVM's own, in the precision of its arguments."""
    packs = [arg.kind for arg in args if is_pack(arg.kind)]
    kind = "float" if all(arg.kind == "float" for arg in args) else "double"
    kind = packs[0] if packs else kind
    texts = [body.blocks.cast(arg, kind).text for arg in args]
    full = f"@llvm.{name}.{_suffix(kind)}"
    body.scope.declare(full, f"{kind} {full}({', '.join([kind] * len(args))})")
    given = ", ".join(f"{kind} {text}" for text in texts)
    return Number(kind, body.blocks.new(f"call {kind} {full}({given})"))


def _intrinsic(name: str) -> Callee:
    def call(body: Expressions, args: Sequence[Value]) -> Number:
        return intrinsic(body, name, [body.as_number(arg) for arg in args])

    return call


def _select(body: Expressions, args: Sequence[Value]) -> Number:
    condition, a, b = (body.as_number(arg) for arg in args)
    return selected(body.blocks, condition, a, b)


def _reinterpreted(body: Expressions, args: Sequence[Value]) -> Number:
    (x,) = args
    value = body.as_number(x)
    kind = _BITS[value.kind]
    return Number(kind, body.blocks.new(f"bitcast {value.kind} {value.text} to {kind}"))


def _remainder(body: Expressions, args: Sequence[Value]) -> Number:
    """C's ``fmod``."""
    a, b = (body.as_number(arg) for arg in args)
    kind = unified(unified(a.kind, "float" if a.kind == "float" else "double") or "", b.kind)
    kind = kind if kind in _SUFFIX else "double"
    assert isinstance(kind, str)
    x, y = body.blocks.cast(a, kind), body.blocks.cast(b, kind)
    return Number(kind, body.blocks.new(f"frem {kind} {x.text}, {y.text}"))


def _to(kind: str) -> Callee:
    def convert(body: Expressions, args: Sequence[Value]) -> Number:
        (x,) = args
        value = body.as_number(x)
        if kind == "i1":
            return truth(body.blocks, value)
        if value.known is not None and kind in ("i64", "double"):
            return number(int(value.known) if kind == "i64" else float(value.known))
        return body.blocks.cast(value, kind)

    return convert


def _abs(body: Expressions, args: Sequence[Value]) -> Number:
    (x,) = args
    value = body.as_number(x)
    if value.kind in _SUFFIX or is_pack(value.kind):
        return intrinsic(body, "fabs", [value])
    return absolute(body.blocks, value)


def _extreme(op: ast.cmpop) -> Callee:
    """Python's ``min`` and ``max``: an argument gives way to a later one that is beyond it."""

    def extreme(body: Expressions, args: Sequence[Value]) -> Number:
        best, *others = (body.as_number(arg) for arg in args)
        for other in others:
            best = selected(body.blocks, compared(body.blocks, op, other, best), other, best)
        return best

    return extreme


def _choose(body: Expressions, args: Sequence[Value]) -> Group:
    condition, a, b = args
    if not isinstance(a, Group) or not isinstance(b, Group):
        raise Untranslatable("a choice between anything but tuples")
    test = body.as_number(condition)
    pairs = zip(a.items, b.items, strict=True)
    chosen = [selected(body.blocks, test, body.as_number(x), body.as_number(y)) for x, y in pairs]
    return Group(tuple(chosen))


def _all_finite(body: Expressions, args: Sequence[Value]) -> Number:
    """``x - x`` is 0 unless x is infinite or NaN."""
    if body.blocks.side_by_side and kept_of(shape_of(args[0])) is not None:
        assert isinstance(args[0], Group)
        return _many_finite(body.blocks, args[0])
    total = None
    for kind, text in flat(args[0]):
        if kind in _SUFFIX:
            gone = body.blocks.new(f"fsub {kind} {text}, {text}")
            total = gone if total is None else body.blocks.new(f"fadd {kind} {total}, {gone}")
            last = kind
    if total is None:
        return number(True)
    return Number("i1", body.blocks.new(f"fcmp oeq {last} {total}, 0.0"))


def _all_finite_in_memory(blocks: Blocks, pointer: str, first: int, n: int) -> Number:
    """The same of doubles that lie one after the other."""
    room = blocks.room(f"<{WIDTH} x double>")
    blocks.do(f"store <{WIDTH} x double> zeroinitializer, ptr {room}")
    start = blocks.new(f"getelementptr inbounds double, ptr {pointer}, i64 {first}")

    def add(i: str, kind: str) -> None:
        place = blocks.new(f"getelementptr inbounds double, ptr {start}, i64 {i}")
        item = blocks.new(f"load {kind}, ptr {place}, align 8")
        gone = blocks.new(f"fsub {kind} {item}, {item}")
        before = blocks.new(f"load {kind}, ptr {room}")
        total = blocks.new(f"fadd {kind} {before}, {gone}")
        blocks.do(f"store {kind} {total}, ptr {room}")

    with blocks.counted(n - n % WIDTH, WIDTH) as i:
        add(i, f"<{WIDTH} x double>")
    for rest in range(n - n % WIDTH, n):
        add(str(rest), "double")
    packs = Number(f"<{WIDTH} x double>", blocks.new(f"load <{WIDTH} x double>, ptr {room}"))
    return _none_is_left(blocks, {packs.kind: packs.text})


def _many_finite(blocks: Blocks, values: Group) -> Number:
    """The same for many, in packs; it does not matter in which order they are added up."""
    n = len(values.items)
    where = address(blocks, values, 0, n) if n >= LOOP_FROM else None
    if where is not None:
        return _all_finite_in_memory(blocks, *where, n)
    totals: dict[str, str] = {}
    for item in packs_of(blocks, values):
        gone = blocks.new(f"fsub {item.kind} {item.text}, {item.text}")
        before = totals.get(item.kind)
        totals[item.kind] = gone
        if before is not None:
            totals[item.kind] = blocks.new(f"fadd {item.kind} {before}, {gone}")
    return _none_is_left(blocks, totals)


def _none_is_left(blocks: Blocks, totals: dict[str, str]) -> Number:
    """Whether the sum of numbers and packs is 0."""
    total = totals.pop("double", "0.0")
    for kind, text in totals.items():
        for i in range(pack_size(kind)):
            one = blocks.new(f"extractelement {kind} {text}, i32 {i}")
            total = blocks.new(f"fadd double {total}, {one}")
    return Number("i1", blocks.new(f"fcmp oeq double {total}, 0.0"))


def _count_if(body: Expressions, args: Sequence[Value]) -> Number:
    total, condition = (body.as_number(arg) for arg in args)
    one, zero = (body.blocks.cast(number(n), total.kind) for n in (1, 0))
    more = selected(body.blocks, condition, one, zero)
    word = "fadd" if total.kind in _SUFFIX else "add"
    return Number(total.kind, body.blocks.new(f"{word} {total.kind} {total.text}, {more.text}"))


def _add_stray(body: Expressions, args: Sequence[Value]) -> Number:
    total = body.as_number(args[0])
    if total.kind not in _SUFFIX:
        return total
    for kind, text in flat(args[1]):
        total = intrinsic(body, "fma", [Number(kind, text), number(0.0, total.kind), total])
    return total


def _length(body: Expressions, args: Sequence[Value]) -> Number:
    (array,) = args
    if isinstance(array, Group):
        return number(len(array.items))
    if not isinstance(array, Array):
        raise Untranslatable("the length of a number")
    extent = array.extents[0]
    return number(extent) if isinstance(extent, int) else Number("i64", extent)


CALLED: dict[str, Callee] = {
    **{name: _intrinsic(name) for name in (*_OF_ONE, "fma", "copysign")},
    "round_": _intrinsic("rint"),
    "select": _select,
    "float_to_bits": _reinterpreted,
    "bits_to_float": _reinterpreted,
    "remainder": _remainder,
    "choose": _choose,
    "all_finite": _all_finite,
    "count_if": _count_if,
    "add_stray": _add_stray,
    "boolean": _to("i1"),
    "bool": _to("i1"),
    "int": _to("i64"),
    "float": _to("double"),
    "abs": _abs,
    "min": _extreme(ast.Lt()),
    "max": _extreme(ast.Gt()),
    "len": _length,
}
"""Every primitive but those of rows and arrays, and those that depend on the type of the states."""


def casts(dtype: str) -> dict[str, Callee]:
    """Conversions to the type of the states."""
    return {
        "real": _to("float" if dtype == "float32" else "double"),
        "integer": _to("i32" if dtype == "int32" else "i64"),
    }
