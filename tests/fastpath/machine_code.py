"""Reading machine code: the block of a kernel in which most of the vector arithmetic is done."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dynlib import build
from dynlib.compiler.inspection import fast_path_code, ordinary_code
from dynlib.compiler.jit.native import ObjectCode, machine_code
from dynlib.observers import ObserverModule
from dynlib.observers.kit.combined import combine

LANES = 32
_LABEL = re.compile(r"([.\w]+):")
_ARITHMETIC = re.compile(r"v(?:add|sub|mul|div|sqrt|fn?m(?:add|sub)\d+)([ps])[ds]\t")
_WIDE = re.compile(r"%[yz]mm")


@dataclass(frozen=True)
class Block:
    """Instructions that follow each other in any case: between two labels or jumps."""

    instructions: tuple[str, ...]

    @property
    def wide(self) -> int:
        """Arithmetic on vectors of 256 or 512 bits."""
        return sum(self._packed(line) and bool(_WIDE.search(line)) for line in self.instructions)

    @property
    def packed(self) -> int:
        """Arithmetic on vectors, those of 128 bits too."""
        return sum(map(self._packed, self.instructions))

    @property
    def narrow(self) -> int:
        """Arithmetic on single numbers, or on vectors of 128 bits."""
        found = (_ARITHMETIC.match(line) for line in self.instructions)
        return sum(match is not None for match in found) - self.wide

    @property
    def calls(self) -> int:
        """Calls of functions."""
        return sum(line.startswith("call") for line in self.instructions)

    @staticmethod
    def _packed(line: str) -> bool:
        match = _ARITHMETIC.match(line)
        return match is not None and match[1] == "p"


@dataclass(frozen=True)
class Kernel:
    """The library functions that it needs, and its machine code in blocks."""

    externals: tuple[str, ...]
    blocks: tuple[Block, ...]

    @property
    def hot(self) -> Block:
        """The block with most wide arithmetic."""
        return max(self.blocks, key=lambda block: block.wide)


def kernel(
    model: str,
    stepper: str | None = None,
    *,
    lanes: int = LANES,
    dtype: str | None = None,
    observers: Sequence[ObserverModule] = (),
) -> Kernel:
    """Compile the batch kernel of a model, no parameter varied but the first."""
    built = build(model, stepper=stepper, dtype=dtype, disk_cache=False)
    varied = (0,) if built.spec.params else ()
    analysis = combine(observers, built.spec, built.stepper) if observers else None
    code = fast_path_code(built, lanes=lanes, varied=varied, analysis=analysis)
    return _kernel(code)


def single(model: str, stepper: str) -> Kernel:
    """Compile the kernel of a model's single runs."""
    return _kernel(ordinary_code(build(model, stepper=stepper, disk_cache=False)))


def _kernel(code: ObjectCode) -> Kernel:
    return Kernel(code.externals, tuple(_blocks(machine_code(code))))


def _blocks(text: str) -> Iterator[Block]:
    lines: list[str] = []
    for line in text.splitlines():
        if _LABEL.match(line):
            yield Block(tuple(lines))
            lines = []
        elif line.startswith("\t") and not line.startswith("\t."):
            lines.append(line.strip())
            if line.startswith("\tj"):
                yield Block(tuple(lines))
                lines = []
    yield Block(tuple(lines))
