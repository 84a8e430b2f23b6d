"""Moving rows, columns and tiles between arrays and tuples, and the views of the entry point."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from dynlib.compiler.llvm.expressions import Callee, Expressions
from dynlib.compiler.llvm.long_tuples import loaded, lying, store
from dynlib.compiler.llvm.operations import compared
from dynlib.compiler.llvm.values import Array, Group, Kept, Number, Untranslatable, Value, number
from dynlib.compiler.sizes import MANY

__all__ = ["KINDS", "ROWS", "array_of", "items_of", "known_of"]

KINDS = {"float64": "double", "float32": "float", "int64": "i64", "int32": "i32"}
"""LLVM's names of the types that arrays hold."""


def known_of(body: Expressions, value: Value) -> int:
    """An integer that is known beforehand."""
    known = body.as_number(value).known
    if not isinstance(known, int):
        raise Untranslatable("a number of rows that is not known beforehand")
    return known


def array_of(value: Value) -> Array:
    """A value that is an array."""
    if not isinstance(value, Array):
        raise Untranslatable("an array is needed")
    return value


def _places(body: Expressions, array: Array, places: Iterable[Sequence[Number]]) -> list[Array]:
    return [body.at(array, place) for place in places]


def _load_rows(body: Expressions, args: Sequence[Value]) -> Group:
    """``(array[start, lane], …)``, n items."""
    array, start, n, lane = args
    first = known_of(body, start)
    if _in_row(body, array_of(array), known_of(body, n)):
        place = body.at(array_of(array), [number(first), body.as_number(lane)])
        return loaded(body.blocks, place.pointer, known_of(body, n))
    rows = [[number(first + i), body.as_number(lane)] for i in range(known_of(body, n))]
    return Group(tuple(map(body.load, _places(body, array_of(array), rows))))


def _store_rows(body: Expressions, args: Sequence[Value]) -> None:
    """``array[start, lane], … = values``."""
    array, start, lane, values = args
    first = known_of(body, start)
    if _in_row(body, array_of(array), len(items_of(values))):
        place = body.at(array_of(array), [number(first), body.as_number(lane)])
        store(body.blocks, Group(tuple(items_of(values))), "double", place.pointer)
        return
    for i, value in enumerate(items_of(values)):
        place = body.at(array_of(array), [number(first + i), body.as_number(lane)])
        body.store(body.as_number(value), place)


def _in_row(body: Expressions, array: Array, n: int) -> bool:
    """Whether so many numbers of one lane lie one after the other, and are many."""
    return _moved_in_packs(body, array, n) and array.extents[1:] == (1,)


def _moved_in_packs(body: Expressions, array: Array, n: int) -> bool:
    return body.blocks.side_by_side and n > MANY and array.kind == "double"


def _take_number(body: Expressions, args: Sequence[Value]) -> Number:
    """``array[0]``, to which 1 is added in the same moment, whatever other threads do."""
    (array,) = args
    pointer = array_of(array).pointer
    return Number("i64", body.blocks.new(f"atomicrmw add ptr {pointer}, i64 1 monotonic"))


def _heard(body: Expressions, args: Sequence[Value]) -> Number:
    """``array[row, lane] != 0``, read anew each time: another thread may write it meanwhile."""
    array, row, lane = args
    place = body.at(array_of(array), [body.as_number(row), body.as_number(lane)])
    found = body.blocks.new(f"load volatile {place.kind}, ptr {place.pointer}")
    return compared(body.blocks, ast.NotEq(), Number(place.kind, found), number(0))


def _load_values(body: Expressions, args: Sequence[Value]) -> Group:
    """``(array[0], …)``, n items."""
    array, n = args
    if _moved_in_packs(body, array_of(array), known_of(body, n)):
        return loaded(body.blocks, array_of(array).pointer, known_of(body, n))
    places = [[number(i)] for i in range(known_of(body, n))]
    return Group(tuple(map(body.load, _places(body, array_of(array), places))))


def _in_memory(body: Expressions, args: Sequence[Value]) -> Array:
    """The doubles of a tuple as an array, of which an item can be taken when the text runs.

    Branches to each of them would be many, and each path would have to keep all names.
    """
    values = items_of(args[0])
    array = Array("double", body.blocks.room(f"[{len(values)} x double]"), (len(values),))
    store(body.blocks, Group(tuple(values)), array.kind, array.pointer)
    return array


def _room(body: Expressions, args: Sequence[Value]) -> Array:
    """An array of so many doubles, with nothing in it yet."""
    n = known_of(body, args[0])
    return Array("double", body.blocks.room(f"[{n} x double]"), (n,))


def _lying_in(body: Expressions, args: Sequence[Value]) -> Group:
    """Items of such an array, which stay as they are: each is loaded where it is used."""
    array, first, n = array_of(args[0]), known_of(body, args[1]), known_of(body, args[2])
    place = body.blocks.new(f"getelementptr inbounds double, ptr {array.pointer}, i64 {first}")
    return lying(body.blocks, Kept("double", n), place)


def _as_array(body: Expressions, args: Sequence[Value]) -> Array:
    """A tuple of numbers of one type as an array of its own."""
    values = items_of(args[0])
    kinds = {body.as_number(value).kind for value in values}
    if len(kinds) != 1:
        raise Untranslatable("an array of numbers of several types")
    (kind,) = kinds
    array = Array(kind, body.blocks.room(f"[{len(values)} x {kind}]"), (len(values),))
    store(body.blocks, Group(tuple(values)), kind, array.pointer)
    return array


def _store_row(body: Expressions, args: Sequence[Value]) -> None:
    """``array[row, 0], array[row, 1], … = values``."""
    array, row, values = args
    if _moved_in_packs(body, array_of(array), len(items_of(values))):
        place = body.at(array_of(array), [body.as_number(row)])
        store(body.blocks, Group(tuple(items_of(values))), "double", place.pointer)
        return
    for i, value in enumerate(items_of(values)):
        place = body.at(array_of(array), [body.as_number(row), number(i)])
        body.store(body.as_number(value), place)


def items_of(values: Value) -> Sequence[Value]:
    """The items of a tuple."""
    if not isinstance(values, Group):
        raise Untranslatable("a tuple is needed")
    return values.items


def _view(kind: str, ndim: int) -> Callee:
    """An array whose address stands first in a stretch of the table, its extents after it."""

    def view(body: Expressions, args: Sequence[Value]) -> Array:
        table, *extents = args
        if len(extents) != ndim:
            raise Untranslatable(f"a view of {ndim} dimensions with {len(extents)} extents")
        address = body.as_number(table)
        start = body.blocks.new(f"inttoptr i64 {address.text} to ptr")
        pointer = body.blocks.new(f"load ptr, ptr {start}")
        table_of_words = Array("i64", start, (ndim + 1,))
        found: list[int | str] = []
        for i, extent in enumerate(extents):
            known = known_of(body, extent)
            word = body.load(body.at(table_of_words, [number(i + 1)])) if not known else None
            found.append(word.text if word else known)
        return Array(kind, pointer, tuple(found))

    return view


ROWS: dict[str, Callee] = {
    "load_rows": _load_rows,
    "store_rows": _store_rows,
    "load_values": _load_values,
    "take_number": _take_number,
    "heard": _heard,
    "in_memory": _in_memory,
    "room": _room,
    "lying_in": _lying_in,
    "as_array": _as_array,
    "store_row": _store_row,
    **{
        f"view{ndim}_{name}": _view(kind, ndim)
        for name, kind in KINDS.items()
        for ndim in (1, 2, 3)
    },
}
"""The primitives of rows and arrays."""
