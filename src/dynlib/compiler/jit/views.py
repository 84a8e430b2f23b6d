"""Array views on raw addresses, for the entry point of a compiled runner."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types as numba_types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

__all__ = ["VIEWS"]

types: Any = numba_types


def _word(value: int) -> Any:
    return ir.Constant(ir.IntType(64), value)


def _build(context: Any, builder: Any, array_type: Any, table: Any, extents: list[int]) -> Any:
    """The array whose address stands first in a stretch of the table, its extents after it."""
    words = builder.inttoptr(table, ir.IntType(64).as_pointer())

    def entry(i: int) -> Any:
        return builder.load(builder.gep(words, [_word(i)]))

    array = make_array(array_type)(context, builder)
    item = context.get_data_type(array_type.dtype)
    size = _word(context.get_abi_sizeof(item))
    shape = [_word(n) if n else entry(i + 1) for i, n in enumerate(extents)]
    strides: list[Any] = []
    stride = size
    for extent in reversed(shape):
        strides.insert(0, stride)
        stride = builder.mul(stride, extent)
    populate_array(
        array,
        data=builder.inttoptr(entry(0), item.as_pointer()),
        shape=shape,
        strides=strides,
        itemsize=size,
        meminfo=None,
    )
    return array._getvalue()


def _view(dtype: Any, ndim: int) -> Any:
    array_type = types.Array(dtype, ndim, "C")

    def typed(extents: tuple[Any, ...], table: Any) -> Any:
        known = [extent.literal_value for extent in extents]

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return _build(context, builder, array_type, args[0], known)

        return array_type(types.int64, *extents), codegen

    if ndim == 1:

        @intrinsic(prefer_literal=True)
        def view1(typingctx: Any, table: Any, n: Any) -> Any:
            """A vector; extents are literal, 0 says that the table has them."""
            return typed((n,), table)

        return view1
    if ndim == 2:

        @intrinsic(prefer_literal=True)
        def view2(typingctx: Any, table: Any, n: Any, m: Any) -> Any:
            """A matrix."""
            return typed((n, m), table)

        return view2

    @intrinsic(prefer_literal=True)
    def view3(typingctx: Any, table: Any, n: Any, m: Any, k: Any) -> Any:
        """An array of three dimensions."""
        return typed((n, m, k), table)

    return view3


VIEWS: dict[str, Any] = {
    f"view{ndim}_{name}": _view(getattr(types, name), ndim)
    for name in ("float64", "float32", "int64", "int32")
    for ndim in (1, 2, 3)
}
