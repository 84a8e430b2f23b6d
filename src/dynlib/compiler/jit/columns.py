"""Moving whole columns and rows between arrays and tuples in one instruction of the front end.

Numba spends about half a millisecond on every operation it types; a state that is loaded and
stored item by item makes up a good part of a small model's compile time.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils
from numba.core import types as numba_types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

__all__ = ["COLUMNS"]

types: Any = numba_types


def _pointers(context: Any, builder: Any, array_type: Any, array: Any, places: Any) -> Any:
    """Addresses of items, `places` giving their indices."""
    view = make_array(array_type)(context, builder, value=array)
    shape = cgutils.unpack_tuple(builder, view.shape)
    strides = cgutils.unpack_tuple(builder, view.strides)
    return [
        cgutils.get_item_pointer2(
            context, builder, view.data, shape, strides, array_type.layout, place, False
        )
        for place in places
    ]


def _word(value: int) -> Any:
    return ir.Constant(ir.IntType(64), value)


def _load(context: Any, builder: Any, array_type: Any, array: Any, places: Any, result: Any) -> Any:
    pointers = _pointers(context, builder, array_type, array, places)
    return cgutils.pack_array(builder, [builder.load(pointer) for pointer in pointers])


def _store(
    context: Any, builder: Any, array_type: Any, array: Any, places: Any, values: Any, kinds: Any
) -> None:
    pointers = _pointers(context, builder, array_type, array, places)
    for i, (pointer, kind) in enumerate(zip(pointers, kinds, strict=True)):
        value = context.cast(builder, builder.extract_value(values, i), kind, array_type.dtype)
        builder.store(value, pointer)


@intrinsic(prefer_literal=True)
def load_rows(typingctx: Any, array: Any, start: Any, n: Any, lane: Any) -> Any:
    """``(array[start, lane], …)``, n items; `start` and `n` are literal."""
    first, count = start.literal_value, n.literal_value
    result = types.UniTuple(array.dtype, count)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        places = [(_word(first + i), args[3]) for i in range(count)]
        return _load(context, builder, signature.args[0], args[0], places, result)

    return result(array, start, n, types.int64), codegen


@intrinsic(prefer_literal=True)
def store_rows(typingctx: Any, array: Any, start: Any, lane: Any, values: Any) -> Any:
    """``array[start, lane], … = values``; `start` is literal."""
    first = start.literal_value

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        places = [(_word(first + i), args[2]) for i in range(len(values))]
        _store(context, builder, signature.args[0], args[0], places, args[3], list(values))
        return context.get_dummy_value()

    return types.void(array, start, types.int64, values), codegen


@intrinsic(prefer_literal=True)
def load_values(typingctx: Any, array: Any, n: Any) -> Any:
    """``(array[0], …)``, n items of a vector; `n` is literal."""
    count = n.literal_value
    result = types.UniTuple(array.dtype, count)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        places = [(_word(i),) for i in range(count)]
        return _load(context, builder, signature.args[0], args[0], places, result)

    return result(array, n), codegen


@intrinsic
def store_row(typingctx: Any, array: Any, row: Any, values: Any) -> Any:
    """``array[row, 0], array[row, 1], … = values``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        places = [(args[1], _word(i)) for i in range(len(values))]
        _store(context, builder, signature.args[0], args[0], places, args[2], list(values))
        return context.get_dummy_value()

    return types.void(array, types.int64, values), codegen


@intrinsic
def choose(typingctx: Any, condition: Any, a: Any, b: Any) -> Any:
    """``a`` where `condition`, else ``b``, for tuples, item by item and without a branch."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        chosen = [
            builder.select(
                args[0], builder.extract_value(args[1], i), builder.extract_value(args[2], i)
            )
            for i in range(len(a))
        ]
        return cgutils.pack_array(builder, chosen)

    return a(types.boolean, a, a), codegen


@intrinsic
def all_finite(typingctx: Any, values: Any) -> Any:
    """Whether no item of a tuple is infinite or NaN; integers always are finite."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        total = None
        for i, kind in enumerate(values):
            if isinstance(kind, types.Float):
                item = builder.extract_value(args[0], i)
                gone = builder.fsub(item, item)  # 0 unless infinite or NaN
                total = gone if total is None else builder.fadd(total, gone)
        if total is None:
            return ir.Constant(ir.IntType(1), 1)
        return builder.fcmp_ordered("==", total, ir.Constant(total.type, 0.0))

    return types.boolean(values), codegen


@intrinsic
def count_if(typingctx: Any, total: Any, condition: Any) -> Any:
    """``total + 1`` where `condition`; masked stores, of a choice, are slow on some processors."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        add = builder.fadd if isinstance(total, types.Float) else builder.add
        kind = args[0].type
        return add(args[0], builder.select(args[1], ir.Constant(kind, 1), ir.Constant(kind, 0)))

    return total(total, types.boolean), codegen


@intrinsic
def add_stray(typingctx: Any, total: Any, values: Any) -> Any:
    """`total`, or NaN if an item of a tuple is infinite or NaN."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        result = args[0]
        if isinstance(total, types.Float):
            kind = result.type
            fma = builder.module.declare_intrinsic(
                "llvm.fma", (kind,), ir.FunctionType(kind, [kind] * 3)
            )
            for i in range(len(values)):
                item = builder.extract_value(args[1], i)
                result = builder.call(fma, (item, ir.Constant(kind, 0.0), result))
        return result

    return total(total, values), codegen


COLUMNS: dict[str, Any] = {
    "load_rows": load_rows,
    "store_rows": store_rows,
    "load_values": load_values,
    "store_row": store_row,
    "choose": choose,
    "all_finite": all_finite,
    "count_if": count_if,
    "add_stray": add_stray,
}
