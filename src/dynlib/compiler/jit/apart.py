"""Calls that may stand behind a branch in a loop without keeping it from being vectorised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types as numba_types
from numba.extending import intrinsic

__all__ = ["apart"]

types: Any = numba_types

_DOUBLE = ir.DoubleType()
_WIDTH = 64  # lanes of the vector form that nobody wants
_WIDE = "dynlib_apart_wide"


def apart(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a compiled function of one float64 callable out of line, without side effects.

    LLVM's loop vectoriser refuses a loop with a call, unless the call has a masked vector form; if
    none has the width it wants, it calls lane by lane, behind branches.  So the call names a form
    too wide ever to be wanted.  ``cold`` keeps the calls out of the loop's straight path.  Where a
    version of LLVM should not see it so, the loop stays scalar and the results stay the same.

    Parameters
    ----------
    function
        A Numba dispatcher, ``float64(float64)``.
    """
    name = f"dynlib_{function.__name__}"
    attributes = (
        "cold",
        "noinline",
        "nounwind",
        "readnone",
        "willreturn",
        f'"vector-function-abi-variant"="_ZGV_LLVM_M{_WIDTH}v_{name}({_WIDE})"',
    )

    def implementation(x: float) -> Any:
        return function(x)

    def typed(typingctx: Any, x: Any) -> Any:
        signature = types.float64(types.float64)

        def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
            _never_called(builder.module)
            target = _out_of_line(context, builder.module, name, implementation, signature)
            call = builder.call(target, values)
            for attribute in attributes:
                set.add(call.attributes, attribute)  # llvmlite's own add() knows only a few
            return call

        return signature, codegen

    typed.__name__ = function.__name__
    made: Callable[..., Any] = intrinsic(typed)
    return made


def _out_of_line(
    context: Any, module: ir.Module, name: str, implementation: Callable[..., Any], signature: Any
) -> Any:
    """The function ``double name(double)`` of the module, made on first use."""
    if name in module.globals:
        return module.globals[name]
    function = ir.Function(module, ir.FunctionType(_DOUBLE, [_DOUBLE]), name)
    function.linkage = "linkonce_odr"
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block())
    result = context.compile_subroutine(builder, implementation, signature)
    _, value = context.call_internal_no_propagate(builder, result.fndesc, signature, function.args)
    builder.ret(value)
    return function


def _never_called(module: ir.Module) -> None:
    """Define the vector form, and keep it from being dropped before the vectoriser looks."""
    if _WIDE in module.globals:
        return
    wide = ir.VectorType(_DOUBLE, _WIDTH)
    mask = ir.VectorType(ir.IntType(1), _WIDTH)
    function = ir.Function(module, ir.FunctionType(wide, [wide, mask]), _WIDE)
    function.linkage = "linkonce_odr"
    ir.IRBuilder(function.append_basic_block()).ret(function.args[0])
    pointer = ir.IntType(8).as_pointer()
    array = ir.ArrayType(pointer, 1)
    used = ir.GlobalVariable(module, array, "llvm.compiler.used")
    used.linkage = "appending"
    used.section = "llvm.metadata"
    used.initializer = ir.Constant(array, [function.bitcast(pointer)])
