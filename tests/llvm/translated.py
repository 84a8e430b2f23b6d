"""Functions of the language of kernels, as Python and translated."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dynlib.abi.primitives import plain_namespace
from dynlib.compiler.jit.native import emit_object, load
from dynlib.compiler.llvm.translate import SYMBOL, translate

SIZE = 8  # numbers in each array of a function


def text_of(*functions: Callable[..., Any]) -> str:
    """Their text."""
    return "\n\n".join(textwrap.dedent(inspect.getsource(function)) for function in functions)


def by_python(text: str, name: str, reals: Any, wholes: Any) -> None:
    """Call a function ``name(reals, wholes)`` as Python."""
    namespace = plain_namespace()
    exec(text, namespace)
    with np.errstate(all="ignore"):
        namespace[name](reals, wholes)


def translation(text: str, name: str) -> str:
    """LLVM assembly of a module that calls ``name(reals, wholes)``."""
    entry = (
        "def entry(table):\n"
        f"    reals = view1_float64(table, {SIZE})\n"
        f"    wholes = view1_int64(table + 16, {SIZE})\n"
        f"    {name}(reals, wholes)\n"
        "    return 0\n"
    )
    return translate(f"{text}\n\n{entry}", {}, "entry", "float64")


def compiled(text: str, name: str) -> Callable[[Any, Any], None]:
    """The function, compiled."""
    kernel = load(emit_object(translation(text, name), SYMBOL))

    def call(reals: Any, wholes: Any) -> None:
        words = [word for a in (reals, wholes) for word in (a.ctypes.data, a.size)]
        table = np.array(words, dtype=np.int64)
        assert kernel(table.ctypes.data) == 0

    return call


def arrays(reals: Sequence[float], wholes: Sequence[int]) -> tuple[Any, Any]:
    """New arrays with these numbers first."""
    x, k = np.zeros(SIZE), np.zeros(SIZE, dtype=np.int64)
    x[: len(reals)] = reals
    k[: len(wholes)] = wholes
    return x, k
