"""The primitives of the kernel language that touch arrays, for Numba: rows, tiles, views."""

# mypy: disable-error-code="no-untyped-call,untyped-decorator"

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import float32, float64, int32, int64
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np.arrayobj import load_item, make_array, populate_array, store_item

__all__ = ["ARRAYS"]

Lower = Callable[[Any, Any, Any, Sequence[Any]], Any]


# -- tuples as arrays -----------------------------------------------------------------------------


def _held(values: Any, kind: Any) -> tuple[Any, Lower]:
    """Typing and code of a tuple as an array of numbers of this type."""
    made = types.Array(kind, 1, "C")

    def lower(context: Any, builder: Any, _: Any, args: Sequence[Any]) -> Any:
        item_type = context.get_data_type(kind)
        room = cgutils.alloca_once(builder, ir.ArrayType(item_type, len(values)))
        for i, given in enumerate(values.types):
            item = context.cast(builder, builder.extract_value(args[0], i), given, kind)
            builder.store(item, cgutils.gep_inbounds(builder, room, 0, i))
        array = make_array(made)(context, builder)
        size = context.get_abi_sizeof(item_type)
        populate_array(
            array,
            data=builder.bitcast(room, item_type.as_pointer()),
            shape=[context.get_constant(types.intp, len(values))],
            strides=[context.get_constant(types.intp, size)],
            itemsize=context.get_constant(types.intp, size),
            meminfo=None,
        )
        return array._getvalue()

    return made(values), lower


@intrinsic
def in_memory(_: Any, values: Any) -> Any:
    """A tuple of which items can be taken whose place is not known beforehand."""
    return _held(values, types.float64)


@intrinsic
def as_array(_: Any, values: Any) -> Any:
    """A tuple of which items can be exchanged."""
    return _held(values, types.unliteral(values.types[0]))


# -- rows of arrays -------------------------------------------------------------------------------


def _place(context: Any, builder: Any, kind: Any, array: Any, indices: Sequence[Any]) -> Any:
    whole = make_array(kind)(context, builder, array)
    return cgutils.get_item_pointer(context, builder, kind, whole, list(indices))


def _plus(builder: Any, start: Any, i: int) -> Any:
    return builder.add(start, ir.Constant(start.type, i))


def _loaded(array: Any, n: Any, given: Sequence[Any], first: int, lane: int | None) -> Any:
    """Typing and code of a tuple of n items; arguments number `first` and `lane` say which."""
    if not isinstance(n, types.IntegerLiteral):
        return None
    count = n.literal_value
    result = types.UniTuple(array.dtype, count)

    def lower(context: Any, builder: Any, _: Any, args: Sequence[Any]) -> Any:
        start = args[first] if first else ir.Constant(ir.IntType(64), 0)
        rest = [] if lane is None else [args[lane]]
        places = [
            _place(context, builder, array, args[0], [_plus(builder, start, i), *rest])
            for i in range(count)
        ]
        items = [load_item(context, builder, array, place) for place in places]
        return context.make_tuple(builder, result, items)

    return result(*given), lower


@intrinsic(prefer_literal=True)
def load_rows(_: Any, array: Any, start: Any, n: Any, lane: Any) -> Any:
    """``(array[start, lane], …)``, n items."""
    return _loaded(array, n, (array, types.intp, n, types.intp), 1, 3)


@intrinsic(prefer_literal=True)
def load_values(_: Any, array: Any, n: Any) -> Any:
    """``(array[0], …)``, n items."""
    return _loaded(array, n, (array, n), 0, None)


def _store(array: Any, values: Any, where: Callable[..., list[Any]]) -> Lower:
    def lower(context: Any, builder: Any, _: Any, args: Sequence[Any]) -> Any:
        for i, kind in enumerate(values.types):
            item = context.cast(builder, builder.extract_value(args[-1], i), kind, array.dtype)
            place = _place(context, builder, array, args[0], where(builder, args, i))
            store_item(context, builder, array, item, place)
        return context.get_dummy_value()

    return lower


@intrinsic
def store_rows(_: Any, array: Any, start: Any, lane: Any, values: Any) -> Any:
    """``array[start, lane], … = values``."""
    lower = _store(array, values, lambda builder, args, i: [_plus(builder, args[1], i), args[2]])
    return types.void(array, types.intp, types.intp, values), lower


@intrinsic
def store_row(_: Any, array: Any, row: Any, values: Any) -> Any:
    """``array[row, 0], array[row, 1], … = values``."""
    lower = _store(array, values, lambda _b, args, i: [args[1], ir.Constant(args[1].type, i)])
    return types.void(array, types.intp, values), lower


# -- what other threads see -----------------------------------------------------------------------


@intrinsic
def take_number(_: Any, queue: Any) -> Any:
    """The number that is next; no other thread gets it too."""

    def lower(context: Any, builder: Any, _: Any, args: Sequence[Any]) -> Any:
        one = ir.Constant(ir.IntType(64), 1)
        place = _place(context, builder, queue, args[0], [ir.Constant(one.type, 0)])
        return builder.atomic_rmw("add", place, one, "monotonic")

    return types.int64(queue), lower


@intrinsic
def heard(_: Any, array: Any, row: Any, lane: Any) -> Any:
    """Whether another thread has put a number other than 0 there, even while this loop runs."""

    def lower(context: Any, builder: Any, _: Any, args: Sequence[Any]) -> Any:
        bits = ir.IntType(array.dtype.bitwidth)
        place = _place(context, builder, array, args[0], args[1:])
        there = builder.bitcast(place, bits.as_pointer())
        found = builder.load_atomic(there, "monotonic", array.dtype.bitwidth // 8)
        return builder.icmp_unsigned("!=", found, ir.Constant(bits, 0))

    return types.boolean(array, types.intp, types.intp), lower


@intrinsic
def settle_memory(_: Any) -> Any:
    """Wait until what was written is where others see it."""

    def lower(context: Any, builder: Any, _s: Any, _a: Sequence[Any]) -> Any:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), lower


# -- views of the table ---------------------------------------------------------------------------


def _view(kind: Any, dimensions: int) -> Any:
    """``view2_float64(table, 3, 0)``: an array whose address stands first, its extents after it."""
    made = types.Array(kind, dimensions, "C")

    def view(_: Any, table: Any, *extents: Any) -> Any:
        given = extents[0] if len(extents) == 1 and isinstance(extents[0], tuple) else extents

        def lower(context: Any, builder: Any, signature: Any, args: Sequence[Any]) -> Any:
            word = ir.IntType(64)
            start = builder.inttoptr(args[0], word.as_pointer())
            item_type = context.get_data_type(kind)
            shape = []
            for i, extent in enumerate(given):
                if extent.literal_value:
                    shape.append(ir.Constant(word, extent.literal_value))
                else:
                    shape.append(builder.load(cgutils.gep_inbounds(builder, start, i + 1)))
            size = ir.Constant(word, context.get_abi_sizeof(item_type))
            strides = [size]
            for extent in reversed(shape[1:]):
                strides.insert(0, builder.mul(strides[0], extent))
            array = make_array(made)(context, builder)
            data = builder.inttoptr(builder.load(start), item_type.as_pointer())
            populate_array(
                array, data=data, shape=shape, strides=strides, itemsize=size, meminfo=None
            )
            return array._getvalue()

        return made(types.int64, *given), lower

    heads = {1: lambda c, t, a: view(c, t, a), 2: lambda c, t, a, b: view(c, t, a, b)}
    heads[3] = lambda c, t, a, b, d: view(c, t, a, b, d)
    return intrinsic(prefer_literal=True)(heads[dimensions])


# -- rows of all lanes ----------------------------------------------------------------------------


def copy_row(tile: Any, lanes: int, k: int, y: Any, j: int) -> None:
    """``tile[k] = y[j]`` of all lanes."""
    for lane in range(lanes):
        tile[k, lane] = y[j, lane]


def write_tile(
    tile: Any, lanes: int, n: int, run: Any, records: Any, row: int, stream: int
) -> None:
    """``tile[k, lane]``, k < n, go to the record of ``run[lane]``, from `row` on, for all lanes."""
    columns = records.shape[2]
    for lane in range(lanes):
        if run[lane] >= 0:
            for k in range(n):
                records[run[lane], row + k // columns, k % columns] = tile[k, lane]


ARRAYS: dict[str, Any] = {
    "in_memory": in_memory,
    "as_array": as_array,
    "load_rows": load_rows,
    "load_values": load_values,
    "store_rows": store_rows,
    "store_row": store_row,
    "take_number": take_number,
    "heard": heard,
    "settle_memory": settle_memory,
    **{
        f"view{n}_{kind}": _view(kind, n)
        for kind in (float64, float32, int64, int32)
        for n in (1, 2, 3)
    },
}
"""What is made of instructions, by the names that a text calls."""
