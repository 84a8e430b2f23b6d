"""Functions that a text calls and somebody else compiles: users' hooks.

They follow Numba's calling convention, ``int32 f(result *, exception **, arguments…)``, where
anything but 0 says that the function has raised.  A tuple is given item by item, an array as its
address and its extents.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from dynlib.compiler.llvm.expressions import Callee, Expressions
from dynlib.compiler.llvm.values import (
    Array,
    Group,
    Number,
    Shape,
    Value,
    flat_kinds,
    rebuilt,
    shape_of,
)

__all__ = ["Foreign", "Foreigners", "call_foreign"]


@dataclass(frozen=True)
class Foreign:
    """A compiled function: its symbol, and the shape of its result; None if that is of no use."""

    symbol: str
    result: Shape | None


class Foreigners(Protocol):
    """Who compiles them."""

    def __contains__(self, name: str, /) -> bool:
        """Whether a name is that of such a function."""

    def function(self, name: str, shapes: tuple[Shape, ...]) -> Foreign:
        """The function for arguments of these shapes."""


def call_foreign(foreigners: Foreigners, name: str) -> Callee:
    """A call that leaves the kernel at once where the function raises."""

    def call(body: Expressions, args: Sequence[Value]) -> Value | None:
        blocks = body.blocks
        function = foreigners.function(name, tuple(shape_of(arg) for arg in args))
        given = [part for arg in args for part in _parts(arg)]
        heads = ", ".join(["ptr", "ptr", *(kind for kind, _ in given)])
        symbol = f'@"{function.symbol}"'
        body.scope.declare(symbol, f"i32 {symbol}({heads})")
        kinds = list(flat_kinds(function.result or "i64"))
        whole = "{ " + ", ".join(kinds) + " }"
        place, exception = blocks.room(whole), blocks.room("ptr")
        texts = ", ".join([f"ptr {place}", f"ptr {exception}", *(f"{k} {t}" for k, t in given)])
        code = blocks.new(f"call i32 {symbol}({texts})")
        blocks.leave_if(blocks.new(f"icmp ne i32 {code}, 0"))
        if function.result is None:
            return None
        found = blocks.new(f"load {whole}, ptr {place}")
        items = (blocks.new(f"extractvalue {whole} {found}, {i}") for i in range(len(kinds)))
        return rebuilt(function.result, items)

    return call


def _parts(value: Value) -> Iterator[tuple[str, str]]:
    """Types and texts of what is given for a value."""
    if isinstance(value, Number):
        yield value.kind, value.text
    elif isinstance(value, Group):
        for item in value.items:
            yield from _parts(item)
    elif isinstance(value, Array):
        yield "ptr", value.pointer
        yield from (("i64", str(extent)) for extent in value.extents)
