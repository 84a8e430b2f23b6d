"""Numba as a front end only: types and LLVM assembly, no optimisation, no machine code.

Numba optimises and translates every function for itself, and what it calls along with it, so
a chain of n functions is optimised n times.  We want the whole module optimised once, and its
machine code as a file.  So while a runner is compiled, the back end of Numba's code libraries
stands still.  Nothing compiled meanwhile is ever called through Numba.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from numba.core import codegen
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target

__all__ = ["front_end_only", "load_numba"]


def load_numba() -> None:
    """Load what Numba would import at the first compilation, so that it can be done in one go."""
    _load_arrays()
    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()


def _load_arrays() -> None:
    """Load Numba's array mathematics without SciPy's linear algebra, if it is not loaded yet.

    Numba asks once whether there is a BLAS by importing ``scipy.linalg``, which takes a good
    part of a small model's compile time.  Where SciPy is installed the answer is yes, and
    whoever calls a linear algebra function imports it then.
    """
    name = "numba.np.arraymath"
    if name in sys.modules or find_spec("scipy") is None:
        return
    linalg: Any = import_module("numba.np.linalg")
    ensure_blas = getattr(linalg, "ensure_blas", None)
    if ensure_blas is None:
        return
    linalg.ensure_blas = _nothing
    try:
        arrays: Any = import_module(name)
        arrays.ensure_blas = ensure_blas
    finally:
        linalg.ensure_blas = ensure_blas


def _nothing(*args: Any, **kwargs: Any) -> None:
    return None


def _no_address(library: Any, name: str) -> int:
    library._ensure_finalized()  # which links in what the function calls
    return 0


_STILL = (
    ("CPUCodeLibrary", "_optimize_functions", None),
    ("CPUCodeLibrary", "_optimize_final_module", _nothing),
    ("JITCodeLibrary", "_finalize_specific", _nothing),
    ("JITCodeLibrary", "get_pointer_to_function", _no_address),
    ("JITCPUCodegen", "set_env", _nothing),
)


def _set_layout(library: Any, module: Any) -> None:
    """What is left of `_optimize_functions`: the data layout, which optimisers rely on."""
    module.data_layout = library._codegen._data_layout


@contextmanager
def front_end_only() -> Iterator[bool]:
    """Hold Numba's back end still; yields whether this version of Numba allows it.

    The global compiler lock is held meanwhile, so no other thread compiles.
    """
    with global_compiler_lock:
        places = [(getattr(codegen, cls, None), name, new) for cls, name, new in _STILL]
        if not all(hasattr(cls, name) for cls, name, _ in places):
            yield False
            return
        saved = [(cls, name, cls.__dict__.get(name)) for cls, name, _ in places]
        try:
            for cls, name, new in places:
                setattr(cls, name, new or _set_layout)
            yield True
        finally:
            for cls, name, old in saved:
                if old is None:
                    delattr(cls, name)
                else:
                    setattr(cls, name, old)
