"""The source of a kernel: what is handed from those who write texts to those who compile them.

It lies below both: `compiler.codegen` makes it, an engine (`compiler.engine`) makes a runner of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

__all__ = ["Calls", "KernelSource"]


class Calls(StrEnum):
    """How a function is called; each is what LLVM has to be told of it."""

    INLINED = "alwaysinline"  # of the hot path
    FREE = ""  # as the compiler likes
    APART = "noinline"  # once in some steps: its caller is left the registers
    SELDOM = "cold noinline"  # so nothing of it is done ahead in each step


@dataclass(frozen=True)
class KernelSource:
    """Text of a kernel, the functions in it, and how they are called.

    `leading` are numbers that the runner takes before its arrays; the last `packed` arrays it
    takes as one tuple.  `alike` says that like operations are worth looking for, to make vectors.
    """

    text: str
    functions: Mapping[str, Calls]
    runner: str
    leading: tuple[int, ...] = ()
    packed: int = 0
    entry: str = "entry"
    alike: bool = False

    @property
    def single(self) -> bool:
        """Whether it is a single run, the one lane of its arrays."""
        return bool(self.leading)

    @cached_property
    def digest(self) -> str:
        """Hash of the content."""
        content = f"{self.text}\n{sorted(self.functions.items())}\n{self.runner} {self.entry}"
        content += " alike" if self.alike else ""
        return hashlib.sha256(content.encode()).hexdigest()
