"""Packs: one number of each of several vectors, computed with as one vector of the processor.

A pack has room for 2, 4 or 8 numbers; what is not needed of it is 0 at first.  Arithmetic goes
number by number, so each has the bits that it would have alone.  Whatever else a text does with
packs is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dynlib.compiler.llvm.expressions import Callee, Expressions
from dynlib.compiler.llvm.memory_access import array_of, items_of, known_of
from dynlib.compiler.llvm.values import (
    Array,
    Group,
    Number,
    Untranslatable,
    Value,
    flat,
    is_pack,
    number,
    pack_of,
)

__all__ = ["with_packs"]

_NUMBER_BY_NUMBER = ("fma", "sqrt", "fabs", "copysign", "select", "choose")


def with_packs(called: Mapping[str, Callee]) -> dict[str, Callee]:
    """These primitives and those of packs; few of them take packs."""
    others = {
        name: callee if name in _NUMBER_BY_NUMBER else _of_numbers(name, callee)
        for name, callee in called.items()
    }
    return {**others, "load_packs": _load_packs, "store_packs": _store_packs}


def _of_numbers(name: str, callee: Callee) -> Callee:
    """A primitive that refuses packs, but some where all is done with each component."""

    def call(body: Expressions, args: Sequence[Value]) -> Value | None:
        allowed = name == "abs" and body.blocks.componentwise
        if not allowed and any(is_pack(kind) for arg in args for kind, _ in flat(arg)):
            raise Untranslatable("a pack as an argument")
        return callee(body, args)

    return call


def _place(body: Expressions, array: Value, row: int, lane: Value) -> Array:
    return body.at(array_of(array), [number(row), body.as_number(lane)])


def _load_packs(body: Expressions, args: Sequence[Value]) -> Group:
    """``load_packs(array, n, k, lane)``: k vectors of length n, one after the other, as n packs."""
    array, length, vectors, lane = args
    n, k = known_of(body, length), known_of(body, vectors)
    kind = pack_of(k)
    packs = []
    for s in range(n):
        numbers = [body.load(_place(body, array, j * n + s, lane)) for j in range(k)]
        text = numbers[0].text if k == 1 else "zeroinitializer"
        if k > 1:
            for j, x in enumerate(numbers):
                text = body.blocks.new(f"insertelement {kind} {text}, double {x.text}, i32 {j}")
        packs.append(Number(kind, text))
    return Group(tuple(packs))


def _store_packs(body: Expressions, args: Sequence[Value]) -> None:
    """``store_packs(array, k, lane, packs)``: the way back."""
    array, vectors, lane, values = args
    k, items = known_of(body, vectors), items_of(values)
    kind = pack_of(k)
    for s, item in enumerate(items):
        whole = body.blocks.cast(body.as_number(item), kind)
        for j in range(k):
            one = whole
            if k > 1:
                text = body.blocks.new(f"extractelement {kind} {whole.text}, i32 {j}")
                one = Number("double", text)
            body.store(one, _place(body, array, j * len(items) + s, lane))
