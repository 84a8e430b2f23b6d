"""Calls that may stand behind a branch in a loop without keeping it from being vectorised.

LLVM's loop vectoriser refuses a loop with a call, unless the call has a masked vector form; if none
has the width it wants, it calls lane by lane, behind branches.  So the call names a form too wide
ever to be wanted.  ``cold`` keeps the calls out of the loop's straight path.  Where a version of
LLVM should not see it so, the loop stays scalar and the results stay the same.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["call_apart", "never_called"]

_WIDTH = 64  # lanes of the vector form that nobody wants
_WIDE = "dynlib_apart_wide"


def call_apart(function: str, argument: str) -> str:
    """A call of ``double function(double)``, which has no side effects."""
    variant = f"_ZGV_LLVM_M{_WIDTH}v_{function}({_WIDE})"
    return (
        f"call double @{function}(double {argument}) cold noinline nounwind willreturn "
        f'memory(none) "vector-function-abi-variant"="{variant}"'
    )


def never_called(others: Sequence[str] = ()) -> str:
    """The vector form, and others, kept from being dropped before the vectoriser looks."""
    wide, mask = f"<{_WIDTH} x double>", f"<{_WIDTH} x i1>"
    names = [_WIDE, *others]
    kept = ", ".join(f"ptr @{name}" for name in names)
    return (
        f"define internal {wide} @{_WIDE}({wide} %x, {mask} %m) {{\n  ret {wide} %x\n}}\n\n"
        f"@llvm.compiler.used = appending global [{len(names)} x ptr] [{kept}], "
        'section "llvm.metadata"'
    )
