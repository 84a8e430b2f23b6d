"""The one door to Numba: generated text goes in, object code comes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dynlib.compiler.jit.native import ObjectCode, emit_object
from dynlib.compiler.jit.undisturbed import undisturbed
from dynlib.errors import JITUnavailableError

__all__ = ["compile_entry"]

_OPTIONS: dict[str, Any] = {
    "error_model": "numpy",
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "_nrt": False,  # nothing is allocated, so nothing is counted
}


def compile_entry(
    namespace: dict[str, Any], functions: Mapping[str, bool], entry: str, dtype: str
) -> ObjectCode:
    """Compile the functions of an executed module and return the code of `entry`.

    Parameters
    ----------
    namespace
        Globals of the module.  The functions in it are replaced by their compiled forms.
    functions
        Names of the functions, and whether each is always inlined.
    entry
        The one to be called from outside, ``int64 entry(int64)``.
    dtype
        Type of the states, which the primitive ``real`` or ``integer`` converts to.

    Raises
    ------
    JITUnavailableError
        If Numba cannot be imported.
    """
    try:
        with undisturbed():
            import numba

            from dynlib.compiler.jit.front_end import front_end_only, load_numba
            from dynlib.compiler.jit.primitives import primitives

            load_numba()
    except ImportError as error:
        msg = f"compilation needs Numba, which cannot be imported: {error}; jit=False works without"
        raise JITUnavailableError(msg) from error
    namespace.update(primitives(_used(namespace, functions), dtype))
    for name, inline in functions.items():
        namespace[name] = numba.njit(forceinline=inline, **_OPTIONS)(namespace[name])
    signature = (numba.types.int64,)
    compiled = namespace[entry]
    with front_end_only() as raw:
        compiled.compile(signature)
        symbol = compiled.overloads[signature].fndesc.llvm_func_name
        assembly = compiled.inspect_llvm(signature)
    return emit_object(assembly, symbol, optimize=raw)


def _used(namespace: Mapping[str, Any], functions: Iterable[str]) -> set[str]:
    """Global names that the functions refer to."""
    return {name for function in functions for name in namespace[function].__code__.co_names}
