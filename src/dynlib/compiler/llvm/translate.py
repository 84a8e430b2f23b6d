"""A whole text: parsed, translated from its entry on, and put together."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from dynlib.compiler.length import check_length
from dynlib.compiler.llvm.assembly import Assembly, Made, ManyElementary
from dynlib.compiler.llvm.by_memory import is_apart
from dynlib.compiler.llvm.external import Foreigners
from dynlib.compiler.llvm.long_bodies import in_parts
from dynlib.compiler.llvm.scopes import OUT_OF_LINE, Text
from dynlib.compiler.llvm.values import Untranslatable
from dynlib.compiler.source import Calls
from dynlib.compiler.syntax import parse

__all__ = ["SYMBOL", "translate"]

SYMBOL = "dynlib_kernel"
"""Name of the entry point."""


def translate(
    text: str,
    calls: Mapping[str, str],
    entry: str,
    dtype: str,
    foreigners: Foreigners | None = None,
    *,
    single: bool = False,
) -> str:
    """LLVM assembly of a generated text.

    Parameters
    ----------
    text
        The module.
    calls
        Its functions, and how each is called: attributes of LLVM.
    entry
        The one that is called from outside, with the address of the table of arrays.
    dtype
        Type of the states.
    foreigners
        Who compiles the hooks that the text calls; their modules have to be linked in.
    single
        Whether it is a single run, without lanes to fill vectors with.

    Returns
    -------
    str
        A module whose function `SYMBOL` follows Numba's calling convention, as
        `dynlib.compiler.jit.native.ObjectCode` describes it.

    Raises
    ------
    Untranslatable
        If the text uses more of Python than kernels are made of.
    UncompilableHook
        Of `foreigners`.
    TooLargeError
        If it has more instructions than the limit allows.
    """
    tree = parse(text)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}

    calls = {**calls, **dict.fromkeys(OUT_OF_LINE, Calls.APART)}
    if dtype == "float64":
        functions, calls = in_parts(functions, calls, inlined=single)

    # What is in place at each call counts as often as it would be there.
    apart = is_apart(calls.get("rhs", Calls.FREE))
    copies = len(re.findall(r"(?<!def )\brhs\(", text)) if apart else 1

    def translated(*, shares: bool) -> Assembly:
        assembly = Assembly(dtype, shares=shares, groups=single, copies=copies)
        scope = Text(assembly, functions, calls, foreigners)
        made = assembly.function(scope, functions[entry], ("i64",), "")
        assembly.parts.append(_outermost(made, assembly.kind(made.result)))
        return assembly

    try:
        whole = translated(shares=False)
    except ManyElementary:
        whole = translated(shares=True)
    text = whole.text()
    check_length(text.count("\n"), whole.most)
    return text


def _outermost(made: Made, kind: str) -> str:
    """The function `SYMBOL`; what it returns is not 0 if a hook has raised."""
    call, code = [f"%status = call i64 @{made.name}(i64 %table)"], "0"
    if made.fails:
        call = [
            f"%all = call {kind} @{made.name}(i64 %table)",
            f"%status = extractvalue {kind} %all, 1",
            f"%failed = extractvalue {kind} %all, 0",
            "%code = zext i1 %failed to i32",
        ]
        code = "%code"
    if made.result != (("i1", "i64") if made.fails else "i64"):
        raise Untranslatable(f"an entry point that returns {made.result}")
    lines = [*call, "store i64 %status, ptr %result", f"ret i32 {code}"]
    body = "\n".join(f"  {line}" for line in lines)
    return f"define i32 @{SYMBOL}(ptr %result, ptr %exception, i64 %table) {{\n{body}\n}}"
