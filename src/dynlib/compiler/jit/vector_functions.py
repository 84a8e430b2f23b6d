"""The vector mathematics, compiled: the only place where it meets Numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

from dynlib.compiler.jit import intrinsics
from dynlib.compiler.jit.apart import apart
from dynlib.compiler.vecmath import PRIMITIVES, compiled

__all__ = ["vector_functions"]


def vector_functions(**options: Any) -> dict[str, Callable[..., Any]]:
    """Lazily compiled forms of every function of the vector mathematics.

    Parameters
    ----------
    **options
        Options of ``numba.njit`` besides ``forceinline`` and ``error_model``.

    Returns
    -------
    dict
        Functions of float64 scalars, to be called from compiled code.  Each call makes new ones.

    Examples
    --------
    >>> from numba import njit
    >>> exp = vector_functions()["exp"]
    >>> njit(lambda x: exp(x))(0.0)
    1.0
    """
    flags: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, **options}
    compile_function = njit(forceinline=True, error_model="numpy", **flags)
    primitives = {name: getattr(intrinsics, name) for name in PRIMITIVES}
    return compiled(compile_function, primitives, apart)
