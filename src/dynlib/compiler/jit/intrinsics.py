"""Single instructions that Numba has no name for, as functions that compiled code may call.

Each one becomes one LLVM instruction or intrinsic, so a loop that calls it still vectorises and
the scalar and the vectorised form of a kernel round alike.  ``float64`` and ``float32`` are
accepted; integers are converted to ``float64``; mixed widths are widened.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types as numba_types
from numba.extending import intrinsic

__all__ = [
    "bits_to_float",
    "ceil",
    "copysign",
    "fabs",
    "float_to_bits",
    "floor",
    "fma",
    "remainder",
    "rint",
    "select",
    "sqrt",
    "take_number",
    "trunc",
]

types: Any = numba_types  # Numba's own annotations are partial

_BITS = {types.float64: types.int64, types.float32: types.int32}
_FLOATS = {integer: real for real, integer in _BITS.items()}


def _real_type(args: tuple[Any, ...]) -> Any:
    """Return the float type in which an operation on ``args`` is done, or None if there is none."""
    found = types.float32
    for arg in args:
        if not isinstance(arg, types.Float | types.Integer | types.Boolean):
            return None
        if arg != types.float32:
            found = types.float64
    return found


def _emit(context: Any, builder: Any, signature: Any, args: Any, name: str) -> Any:
    """Emit the LLVM intrinsic ``name`` overloaded on the result type of ``signature``."""
    target = context.get_value_type(signature.return_type)
    kind = ir.FunctionType(target, [target] * len(args))
    function = builder.module.declare_intrinsic(name, (target,), kind)
    return builder.call(function, args)


def _same_type_intrinsic(typingctx: Any, name: str, args: tuple[Any, ...]) -> Any:
    """Type and code of an LLVM intrinsic whose arguments and result share one float type."""
    real = _real_type(args)
    if real is None:
        return None
    signature = real(*[real] * len(args))

    def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        return _emit(context, builder, sig, values, name)

    return signature, codegen


def _unary(name: str, doc: str) -> Callable[..., Any]:
    """Make a one-argument intrinsic for the LLVM intrinsic ``name``."""

    def typed(typingctx: Any, x: Any) -> Any:
        return _same_type_intrinsic(typingctx, name, (x,))

    typed.__name__ = name.rpartition(".")[2]
    typed.__doc__ = doc
    made: Callable[..., Any] = intrinsic(typed)
    return made


rint = _unary("llvm.rint", "Nearest integer as a float, ties to even.")
floor = _unary("llvm.floor", "Largest integer not above x, as a float.")
ceil = _unary("llvm.ceil", "Smallest integer not below x, as a float.")
trunc = _unary("llvm.trunc", "x without its fraction, as a float.")
fabs = _unary("llvm.fabs", "|x|, the sign bit cleared (also of NaN).")
sqrt = _unary("llvm.sqrt", "Correctly rounded square root; NaN below zero.")


@intrinsic
def fma(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """``a*b + c`` with a single rounding."""
    return _same_type_intrinsic(typingctx, "llvm.fma", (a, b, c))


@intrinsic
def copysign(typingctx: Any, magnitude: Any, sign: Any) -> Any:
    """``|magnitude|`` with the sign bit of ``sign``."""
    return _same_type_intrinsic(typingctx, "llvm.copysign", (magnitude, sign))


@intrinsic
def remainder(typingctx: Any, a: Any, b: Any) -> Any:
    """C's ``fmod``."""
    real = _real_type((a, b))
    if real is None:
        return None

    def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        return builder.frem(*values)

    return real(real, real), codegen


@intrinsic
def select(typingctx: Any, condition: Any, a: Any, b: Any) -> Any:
    """``a`` where ``condition`` is true, else ``b``; both are evaluated, nothing is branched on."""
    if not isinstance(condition, types.Boolean | types.Integer):
        return None
    chosen = typingctx.unify_types(types.unliteral(a), types.unliteral(b))
    if not isinstance(chosen, types.Float | types.Integer | types.Boolean):
        return None

    def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        return builder.select(*values)

    return chosen(types.boolean, chosen, chosen), codegen


@intrinsic
def take_number(typingctx: Any, queue: Any) -> Any:
    """``queue[0]``, to which 1 is added in the same moment, whatever other threads do."""
    if not isinstance(queue, types.Array):
        return None

    def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        array = context.make_array(sig.args[0])(context, builder, values[0])
        one = context.get_constant(types.int64, 1)
        return builder.atomic_rmw("add", array.data, one, "monotonic")

    return types.int64(queue), codegen


@intrinsic
def float_to_bits(typingctx: Any, x: Any) -> Any:
    """The bits of a float64 as int64 (of a float32 as int32)."""
    if types.unliteral(x) not in _BITS:
        return None
    return _bitcast(x, _BITS[x])


@intrinsic
def bits_to_float(typingctx: Any, i: Any) -> Any:
    """The float64 whose bits are the int64 ``i`` (float32 from int32)."""
    integer = types.unliteral(i)
    if integer not in _FLOATS:
        return None
    return _bitcast(integer, _FLOATS[integer])


def _bitcast(source: Any, target: Any) -> Any:
    def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        return builder.bitcast(values[0], context.get_value_type(sig.return_type))

    return target(source), codegen
