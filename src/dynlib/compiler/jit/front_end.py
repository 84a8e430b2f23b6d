"""Numba as a front end only: types and LLVM assembly, no optimisation, no machine code.

Numba optimises and translates every function for itself, and what it calls along with it, so
a chain of n functions is optimised n times.  We want the whole module optimised once, and its
machine code as a file.  So while a runner is compiled, the back end of Numba's code libraries
stands still.  Nothing compiled meanwhile is ever called through Numba.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import codegen
from numba.core.compiler_lock import global_compiler_lock

__all__ = ["front_end_only"]


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
