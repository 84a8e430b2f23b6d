"""Long tuples that a called function is given, or gives back, through memory.

A call of hundreds of arguments, and a structure of hundreds of numbers that it returns, take LLVM
a time that grows with more than their number.  So the caller puts the numbers of a long tuple in
its own memory and gives the address.  Who has the address loads a number where it is used.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from dynlib.compiler.llvm.blocks import Block, Blocks
from dynlib.compiler.llvm.long_tuples import ITEM, fetch, kept_of, lying, store
from dynlib.compiler.llvm.values import Group, InMemory, Kept, Shape, Value, flat, shape_of

__all__ = [
    "NOWHERE",
    "given",
    "is_apart",
    "kept_in",
    "kept_shape",
    "load_used",
    "note_kinds",
    "stored",
]

Texts = list[tuple[str, str]]  # LLVM types and names

NOWHERE = "poison"  # the address of what a function does not return that has failed
_CHOICE = re.compile(r"\[ (%[av]\d+\.\d+), %(\w+) \]")


def is_apart(attributes: str) -> bool:
    """Whether a function stays one, which LLVM puts in no caller's code."""
    return "noinline" in attributes


def given(
    blocks: Blocks, values: Sequence[Value], *, by_memory: bool
) -> tuple[tuple[Shape, ...], Texts]:
    """The shapes and the texts with which values are passed to a function."""
    if not by_memory:
        texts = [text for value in values for text in flat(value)]
        return tuple(map(shape_of, values)), texts
    passing = _Passing(blocks)
    shapes = tuple(passing.shape(value) for value in values)
    return shapes, passing.texts


class _Passing:
    """Values on their way to a function; what is kept in memory for it may go after the call."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._taken: Counter[str] = Counter()
        self.texts: Texts = []

    def shape(self, value: Value) -> Shape:
        """The shape of a value, of which the texts are noted."""
        if not isinstance(value, Group):
            self.texts += flat(value)
            return shape_of(value)
        kept = kept_of(shape_of(value))
        if kept is None:
            return tuple([self.shape(item) for item in value.items])
        self.texts.append(("ptr", self._address(value, kept)))
        return kept

    def _address(self, value: Group, kept: Kept) -> str:
        if isinstance(value, InMemory):
            return value.pointer
        kind = f"[{kept.count} x {kept.kind}]"
        room = self._blocks.shared_room(kind, self._taken[kind])
        self._taken[kind] += 1
        store(self._blocks, value, kept.kind, room)
        return room


def kept_shape(shape: Shape) -> Shape:
    """A shape with the tuples marked that are passed through memory."""
    if not isinstance(shape, tuple):
        return shape
    return kept_of(shape) or tuple(kept_shape(part) for part in shape)


def kept_in(shape: Shape | None) -> Iterator[Kept]:
    """The long tuples of a shape, in their order."""
    if isinstance(shape, Kept):
        yield shape
    elif isinstance(shape, tuple):
        for part in shape:
            yield from kept_in(part)


def note_kinds(blocks: Blocks, values: Iterable[Value]) -> None:
    """Note of what type the numbers are that lie in memory."""
    for value in values:
        if isinstance(value, InMemory):
            ((kind, _), *_) = flat(value)
            lying(blocks, Kept(kind, len(value.items)), value.pointer)
        elif isinstance(value, Group):
            note_kinds(blocks, value.items)


def stored(blocks: Blocks, value: Value, shape: Shape, rooms: Iterator[str]) -> Iterator[Value]:
    """What is left of a result once its long tuples are in memory, in the order of `shape`."""
    if isinstance(shape, Kept):
        assert isinstance(value, Group)
        room = next(rooms)
        if not (isinstance(value, InMemory) and value.pointer == NOWHERE):
            store(blocks, value, shape.kind, room)
    elif isinstance(shape, tuple):
        assert isinstance(value, Group)
        for item, part in zip(value.items, shape, strict=True):
            yield from stored(blocks, item, part, rooms)
    else:
        yield value


def load_used(blocks: Blocks) -> None:
    """Fetch the items of long tuples that a function uses, once in each block that uses them."""
    loads = {block.label: _Loads(blocks, block) for block in blocks.all}
    for block in blocks.all:
        loads[block.label].into_lines()
    for block in blocks.all:
        block.choices = [
            _CHOICE.sub(lambda found: _chosen(loads, found), choice) for choice in block.choices
        ]
        block.end = loads[block.label].in_text(block.end)


def _chosen(loads: Mapping[str, _Loads], found: re.Match[str]) -> str:
    """A number that a path brings along, loaded at its end."""
    return f"[ {loads[found[2]].in_text(found[1])}, %{found[2]} ]"


class _Loads:
    """The loads of one block."""

    def __init__(self, blocks: Blocks, block: Block) -> None:
        self._blocks, self._block = blocks, block
        self._names: dict[str, str] = {}

    def into_lines(self) -> None:
        """Load what the lines of the block use."""
        lines, self._block.lines = self._block.lines, []
        for line in lines:
            ready = self.in_text(line)
            self._block.lines.append(ready)

    def in_text(self, text: str) -> str:
        """The text with names of what is loaded, at the end of the block as it is so far."""
        return ITEM.sub(self._name, text) if "." in text else text

    def _name(self, found: re.Match[str]) -> str:
        if found[0] not in self._names:
            lines = fetch(self._blocks, found)
            self._block.lines += lines
            self._names[found[0]] = lines[-1].split()[0]
        return self._names[found[0]]
