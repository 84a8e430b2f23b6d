"""Array views on raw addresses, for the entry point of a compiled runner."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types as numba_types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

__all__ = ["VIEWS"]

types: Any = numba_types


def _build(context: Any, builder: Any, array_type: Any, address: Any, shape: list[Any]) -> Any:
    array = make_array(array_type)(context, builder)
    item = context.get_data_type(array_type.dtype)
    word = context.get_value_type(types.intp)
    size = ir.Constant(word, context.get_abi_sizeof(item))
    strides: list[Any] = []
    stride = size
    for extent in reversed(shape):
        strides.insert(0, stride)
        stride = builder.mul(stride, extent)
    populate_array(
        array,
        data=builder.inttoptr(address, item.as_pointer()),
        shape=shape,
        strides=strides,
        itemsize=size,
        meminfo=None,
    )
    return array._getvalue()


def _view(dtype: Any, ndim: int) -> Any:
    array_type = types.Array(dtype, ndim, "C")

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _build(context, builder, array_type, args[0], list(args[1:]))

    if ndim == 1:

        @intrinsic
        def view1(typingctx: Any, address: Any, n: Any) -> Any:
            """A vector of `n` items at an address."""
            return array_type(types.int64, types.int64), codegen

        return view1

    if ndim == 2:

        @intrinsic
        def view2(typingctx: Any, address: Any, n: Any, m: Any) -> Any:
            """An n-by-m matrix at an address."""
            return array_type(types.int64, types.int64, types.int64), codegen

        return view2

    @intrinsic
    def view3(typingctx: Any, address: Any, n: Any, m: Any, k: Any) -> Any:
        """An array of three dimensions at an address."""
        return array_type(types.int64, types.int64, types.int64, types.int64), codegen

    return view3


VIEWS: dict[str, Any] = {
    f"view{ndim}_{name}": _view(getattr(types, name), ndim)
    for name in ("float64", "float32", "int64", "int32")
    for ndim in (1, 2, 3)
}
