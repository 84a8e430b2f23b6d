"""What an expression is while it is translated: numbers, tuples of values, views of arrays.

A *shape* is what is known of a value beforehand: of a number its LLVM type, of a tuple the shapes
of its items, of an array an `ArrayShape`.  A function is translated once for every combination of
shapes that it is called with.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

__all__ = [
    "Array",
    "ArrayShape",
    "Group",
    "InMemory",
    "Kept",
    "Number",
    "Shape",
    "Untranslatable",
    "Value",
    "flat",
    "flat_kinds",
    "in_memory",
    "is_pack",
    "leaves",
    "number",
    "pack_of",
    "pack_size",
    "rebuilt",
    "shape_of",
]

Constant = float | int | bool


class Untranslatable(Exception):
    """The text uses more of Python than kernels are made of: a mistake of whoever generates it.

    Attributes
    ----------
    what
        What it uses.
    """

    def __init__(self, what: str) -> None:
        super().__init__(f"a text has {what}, which the language of kernels has not")
        self.what = what


@dataclass(frozen=True, slots=True)
class Number:
    """A number: its LLVM type, how it is written, and its value if that is known."""

    kind: str
    text: str
    known: Constant | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A tuple; it exists at translation only, its items are values of their own."""

    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class InMemory(Group):
    """A tuple of numbers that lie in memory one after the other, from an address on.

    Its items are named as if they had been loaded: `by_memory.load_used` loads those that are used.
    """

    pointer: str


@dataclass(frozen=True, slots=True)
class Array:
    """A view in C order: type of the items, address of the first, extents known or computed."""

    kind: str
    pointer: str
    extents: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class ArrayShape:
    """The shape of an array; extents that are only known when it runs are None."""

    kind: str
    extents: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """How a long tuple of numbers of one type is passed: by the address of the first."""

    kind: str
    count: int


Value = Number | Group | Array
Shape = str | tuple[Any, ...] | ArrayShape | Kept


def number(value: Constant, kind: str = "") -> Number:
    """A constant.

    Examples
    --------
    >>> number(1.0).text, number(7).text, number(True).text
    ('0x3ff0000000000000', '7', 'true')
    """
    if isinstance(value, bool):
        return Number("i1", "true" if value else "false", value)
    if isinstance(value, int) and kind in ("", "i64"):
        wrapped = (value + 2**63) % 2**64 - 2**63
        return Number("i64", str(wrapped), wrapped)
    if kind == "float":
        value = struct.unpack("f", struct.pack("f", value))[0]
    bits = struct.unpack("<Q", struct.pack("<d", value))[0]
    return Number(kind or "double", f"0x{bits:016x}", float(value))


def pack_of(k: int) -> str:
    """The LLVM type of a pack, which holds one number of each of `k` vectors.

    Examples
    --------
    >>> pack_of(1), pack_of(2), pack_of(3)
    ('double', '<2 x double>', '<4 x double>')
    """
    return "double" if k == 1 else f"<{1 << (k - 1).bit_length()} x double>"


def is_pack(kind: str) -> bool:
    """Whether a type holds several numbers."""
    return kind.startswith("<")


def pack_size(kind: str) -> int:
    """How many."""
    return int(kind[1 : kind.index(" ")])


def shape_of(value: Value) -> Shape:
    """The shape of a value."""
    if isinstance(value, Number):
        return value.kind
    if isinstance(value, Group):
        return tuple(shape_of(item) for item in value.items)
    known = tuple(n if isinstance(n, int) else None for n in value.extents)
    return ArrayShape(value.kind, known)


def in_memory(kept: Kept, pointer: str) -> InMemory:
    """The tuple that lies there."""
    items = tuple(Number(kept.kind, f"{pointer}.{i}") for i in range(kept.count))
    return InMemory(items, pointer)


def flat(value: Value) -> Iterator[tuple[str, str]]:
    """LLVM types and texts of everything that a value consists of when it runs."""
    if isinstance(value, Number):
        yield value.kind, value.text
    elif isinstance(value, Group):
        for item in value.items:
            yield from flat(item)
    else:
        yield "ptr", value.pointer
        for extent in value.extents:
            if isinstance(extent, str):
                yield "i64", extent


def flat_kinds(shape: Shape, *, kept: bool = True) -> Iterator[str]:
    """The LLVM types alone; without `kept`, but those of what lies in memory."""
    if isinstance(shape, str):
        yield shape
    elif isinstance(shape, Kept):
        if kept:
            yield "ptr"
    elif isinstance(shape, ArrayShape):
        yield "ptr"
        yield from ("i64" for extent in shape.extents if extent is None)
    else:
        for item in shape:
            yield from flat_kinds(item, kept=kept)


def leaves(shape: Shape) -> Iterator[Shape]:
    """The shapes of all that is no tuple passed item by item."""
    if isinstance(shape, tuple):
        for item in shape:
            yield from leaves(item)
    else:
        yield shape


def rebuilt(shape: Shape, texts: Iterator[str]) -> Value:
    """The value of this shape that consists of these."""
    if isinstance(shape, str):
        return Number(shape, next(texts))
    if isinstance(shape, Kept):
        return in_memory(shape, next(texts))
    if isinstance(shape, ArrayShape):
        pointer = next(texts)
        extents = tuple(next(texts) if n is None else n for n in shape.extents)
        return Array(shape.kind, pointer, extents)
    return Group(tuple(rebuilt(item, texts) for item in shape))
