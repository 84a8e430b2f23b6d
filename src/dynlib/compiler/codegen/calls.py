"""How the functions of a module are called: into the caller's code, or out of it."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Calls"]


class Calls(StrEnum):
    """How a function is called; each is what LLVM has to be told of it."""

    INLINED = "alwaysinline"  # of the hot path
    FREE = ""  # as the compiler likes
    APART = "noinline"  # once in some steps: its caller is left the registers
    SELDOM = "cold noinline"  # so nothing of it is done ahead in each step
