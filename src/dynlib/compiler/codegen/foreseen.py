"""The least that the code of a kernel can be, told before any of it is written.

Writing the text of a huge kernel and translating it takes long too, and what is far beyond the
limit should be refused at once.  Only what is written for certain is counted here, so nothing is
refused that the whole count (`dynlib.compiler.llvm.translate`) would let pass.
"""

from __future__ import annotations

import re

from dynlib.compiler.codegen.program import Program
from dynlib.compiler.codegen.tangent_layout import TangentLayout
from dynlib.compiler.length import check_length, code_limit
from dynlib.dsl.expr.nodes import Num

__all__ = ["check_foreseen", "least_length"]

_LOCATED = 300  # instructions that look for one condition within steps; it takes 357 or more


def check_foreseen(program: Program) -> None:
    """Refuse a program whose compiled code is bound to be too long.

    Raises
    ------
    TooLargeError
    """
    check_length(least_length(program), code_limit(), whole=False)


def least_length(program: Program) -> int:
    """Instructions that a compiled runner of a program has at least."""
    located = sum(map(program.layout.located, program.layout.watched))
    products = 0 if program.tangents is None else _products(program, program.tangents)
    return _LOCATED * located + products


def _products(program: Program, tangents: TangentLayout) -> int:
    """Multiplications of Jacobians by tangent vectors: the right-hand side is put in each place."""
    entries = sum(
        not isinstance(entry, Num) or bool(entry.value)
        for row in program.spec.jacobian
        for entry in row
    )
    columns = 1 if tangents.in_packs else tangents.size
    return _calls(program.stepper_text) * columns * entries


def _calls(text: str) -> int:
    """How often the right-hand side is called where a step is attempted, and where it restarts."""
    functions = re.split(r"^(?=def )", text, flags=re.MULTILINE)
    used = [each for each in functions if each.startswith(("def attempt(", "def restart("))]
    return sum(len(re.findall(r"\brhs\(", each)) for each in used)
