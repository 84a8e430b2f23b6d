"""A whole text: parsed, translated from its entry on, and put together."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from dynlib.compiler.llvm.module import Module
from dynlib.compiler.llvm.scopes import Text
from dynlib.compiler.llvm.values import Untranslatable

__all__ = ["SYMBOL", "translate"]

SYMBOL = "dynlib_kernel"
"""Name of the entry point."""


def translate(text: str, inline: Mapping[str, bool], entry: str, dtype: str) -> str:
    """LLVM assembly of a generated text.

    Parameters
    ----------
    text
        The module.
    inline
        Its functions, and whether each is always inlined.
    entry
        The one that is called from outside, with the address of the table of arrays.
    dtype
        Type of the states.

    Returns
    -------
    str
        A module whose function `SYMBOL` follows Numba's calling convention, as
        `dynlib.compiler.jit.native.ObjectCode` describes it.

    Raises
    ------
    Untranslatable
        If the text uses more of Python than kernels are made of.
    """
    tree = ast.parse(text)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    module = Module(dtype)
    scope = Text(module, functions, inline)
    name, shape = module.function(scope, functions[entry], ("i64",), "")
    if shape != "i64":
        raise Untranslatable(f"an entry point that returns {shape}")
    module.parts.append(
        f"define i32 @{SYMBOL}(ptr %result, ptr %exception, i64 %table) {{\n"
        f"  %status = call i64 @{name}(i64 %table)\n"
        "  store i64 %status, ptr %result\n"
        "  ret i32 0\n"
        "}"
    )
    return module.text()
