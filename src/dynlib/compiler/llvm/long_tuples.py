"""Tuples of more numbers than there are registers: in memory, and eight numbers at a time.

Hundreds of numbers of which each is a value of its own take LLVM long, all the more where paths
meet.  So such a tuple lies in memory of the function, one number after the other, and moves as
vectors of the processor.  An item has a name, ``address.place`` or ``vector.place``, which stands
for an instruction that `dynlib.compiler.llvm.by_memory.load_used` writes where it is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dynlib.compiler.llvm.values import (
    Group,
    InMemory,
    Kept,
    Number,
    Shape,
    Value,
    flat,
    in_memory,
    is_pack,
    pack_of,
)
from dynlib.compiler.sizes import MANY

if TYPE_CHECKING:
    from dynlib.compiler.llvm.blocks import Block, Blocks

__all__ = [
    "COPY",
    "ITEM",
    "LOOP_FROM",
    "WIDTH",
    "address",
    "fetch",
    "kept_of",
    "load_pack",
    "loaded",
    "lying",
    "met",
    "move",
    "pack",
    "packed",
    "packs_of",
    "store",
]

LOOP_FROM = 128  # numbers of a tuple that is computed, and copied, in loops
COPY = "llvm.memcpy.p0.p0.i64"
WIDTH = 8  # numbers of a pack
ITEM = re.compile(r"(%[avr]\d+)\.(\d+)\b(?!\.)")  # a number of a tuple in memory, or of a pack
_PACK = pack_of(WIDTH)
_SIZES = {"double": 8, "float": 4, "i64": 8, "i32": 4}


def kept_of(shape: Shape) -> Kept | None:
    """How a tuple of this shape lies in memory, if it is a long one of numbers."""
    if not isinstance(shape, tuple) or len(shape) <= MANY:
        return None
    kinds = set(shape) if all(isinstance(part, str) for part in shape) else {""}
    if "double" in kinds and kinds <= {"double", "i64", "i1"}:
        return Kept("double", len(shape))
    kind = shape[0]
    return Kept(kind, len(shape)) if len(kinds) == 1 and kind in _SIZES else None


def lying(blocks: Blocks, kept: Kept, pointer: str) -> InMemory:
    """The tuple that lies at an address."""
    blocks.kinds[pointer] = kept.kind
    return in_memory(kept, pointer)


def packed(blocks: Blocks, packs: Sequence[Number]) -> list[Number]:
    """The numbers of packs, and numbers as they are."""
    found = []
    for item in packs:
        if is_pack(item.kind):
            blocks.kinds[item.text] = item.kind
            found += [Number("double", f"{item.text}.{i}") for i in range(WIDTH)]
        else:
            found.append(item)
    return found


def pack(blocks: Blocks, items: Sequence[Number]) -> Number:
    """Some numbers as a pack."""
    run = _run(blocks, items)
    if run is not None:
        return run
    if all(item == items[0] for item in items):
        return blocks.cast(items[0], _PACK)
    whole = "poison"
    for i, item in enumerate(items):
        one = blocks.cast(item, "double").text
        whole = blocks.new(f"insertelement {_PACK} {whole}, double {one}, i32 {i}")
    return Number(_PACK, whole)


def _run(blocks: Blocks, items: Sequence[Number]) -> Number | None:
    """The pack that these numbers are, or that is loaded as such."""
    found = [ITEM.fullmatch(item.text) for item in items]
    first = found[0]
    if len(items) != WIDTH or first is None:
        return None
    base, place = first[1], int(first[2])
    if any(f is None or f[1] != base or int(f[2]) != place + i for i, f in enumerate(found)):
        return None
    if is_pack(blocks.kinds[base]):
        return Number(_PACK, base)
    if blocks.kinds[base] != "double":
        return None
    return load_pack(blocks, base, place)


def load_pack(blocks: Blocks, pointer: str, place: int) -> Number:
    """Doubles that lie one after the other."""
    address = blocks.new(f"getelementptr inbounds double, ptr {pointer}, i64 {place}")
    return Number(_PACK, blocks.new(f"load {_PACK}, ptr {address}, align 8"))


def loaded(blocks: Blocks, pointer: str, n: int) -> Group:
    """Doubles that lie one after the other, as they are now."""
    packs = n - n % WIDTH
    found = packed(blocks, [load_pack(blocks, pointer, i) for i in range(0, packs, WIDTH)])
    for i in range(packs, n):
        place = blocks.new(f"getelementptr inbounds double, ptr {pointer}, i64 {i}")
        found.append(Number("double", blocks.new(f"load double, ptr {place}")))
    return Group(tuple(found))


def packs_of(blocks: Blocks, values: Group) -> list[Number]:
    """The numbers of a tuple: packs as far as they are, or may be loaded as such."""
    return [item for _, item in _pieces(blocks, values, "double")]


def _pieces(blocks: Blocks, values: Group, kind: str) -> Iterator[tuple[int, Number]]:
    """The numbers of a tuple as they are stored: their places, packs of them or single ones."""
    items = [Number(kind, text) for kind, text in flat(values)]
    i = 0
    while i < len(items):
        run = _run(blocks, items[i : i + WIDTH]) if blocks.side_by_side else None
        yield i, blocks.cast(_taken(blocks, items[i]), kind) if run is None else run
        i += 1 if run is None else WIDTH


def _taken(blocks: Blocks, item: Number) -> Number:
    """A number, now and not where it is used."""
    found = ITEM.fullmatch(item.text)
    if found is None:
        return item
    lines = fetch(blocks, found)
    blocks.current.lines += lines
    return Number(item.kind, lines[-1].split()[0])


def fetch(blocks: Blocks, found: re.Match[str]) -> list[str]:
    """The instructions that fetch an item; the last one names it."""
    base, place = found[1], found[2]
    kind, name = blocks.kinds[base], blocks.fresh()
    if is_pack(kind):
        return [f"  {name} = extractelement {kind} {base}, i32 {place}"]
    address = blocks.fresh()
    return [
        f"  {address} = getelementptr inbounds {kind}, ptr {base}, i64 {place}",
        f"  {name} = load {kind}, ptr {address}",
    ]


def address(blocks: Blocks, value: Value, first: int, n: int) -> tuple[str, int] | None:
    """Where n items of a tuple lie one after the other, doubles in memory: a base, and how far."""
    if not isinstance(value, Group):
        return None
    if isinstance(value, InMemory):
        return (value.pointer, first) if blocks.kinds[value.pointer] == "double" else None
    some = value.items[first : first + n]
    found = [ITEM.fullmatch(item.text) if isinstance(item, Number) else None for item in some]
    start = found[0]
    if start is None or blocks.kinds[start[1]] != "double":
        return None
    base, place = start[1], int(start[2])
    if all(f is not None and f[1] == base and int(f[2]) == place + i for i, f in enumerate(found)):
        return base, place
    return None


def _copy(blocks: Blocks, pointer: str, source: str, kept: Kept) -> str:
    """The instruction that copies a tuple."""
    blocks.copies = True
    size = kept.count * _SIZES[kept.kind]
    return f"  call void @{COPY}(ptr {pointer}, ptr {source}, i64 {size}, i1 false)"


def store(blocks: Blocks, values: Group, kind: str, pointer: str) -> None:
    """Put the numbers of a tuple one after the other, from an address on."""
    if _copied(blocks, values, kind):
        assert isinstance(values, InMemory)
        kept = Kept(kind, len(values.items))
        blocks.current.lines.append(_copy(blocks, pointer, values.pointer, kept))
        return
    for first, part in _stretches(blocks, values, kind):
        if isinstance(part, Group):
            for place, item in _pieces(blocks, part, kind):
                blocks.current.lines += _put(blocks, item, kind, pointer, first + place)
        else:
            base, start, n = part
            to, source = (
                blocks.new(f"getelementptr inbounds {kind}, ptr {where}, i64 {place}")
                for where, place in ((pointer, first), (base, start))
            )
            blocks.current.lines.append(_copy(blocks, to, source, Kept(kind, n)))


def _stretches(
    blocks: Blocks, values: Group, kind: str
) -> Iterator[tuple[int, Group | tuple[str, int, int]]]:
    """A tuple in stretches, each with its first place.

    A long one of memory is given as where it lies and how many numbers it has.
    """
    items = values.items
    if not blocks.side_by_side or len(items) < LOOP_FROM:
        yield 0, values
        return
    first = i = 0
    while i < len(items):
        base, start, n = _run_of_memory(blocks, items, i, kind)
        if n >= LOOP_FROM:
            if i > first:
                yield first, Group(items[first:i])
            yield i, (base, start, n)
            first = i + n
        i += n
    if first < len(items):
        yield first, Group(items[first:])


def _run_of_memory(
    blocks: Blocks, items: Sequence[Value], first: int, kind: str
) -> tuple[str, int, int]:
    """From an item on, how many lie one after the other in memory, and where; 1 if none does."""
    found = _place(blocks, items[first], kind)
    if found is None:
        return "", 0, 1
    base, start = found
    n = 1
    while first + n < len(items) and _place(blocks, items[first + n], kind) == (base, start + n):
        n += 1
    return base, start, n


def _place(blocks: Blocks, item: Value, kind: str) -> tuple[str, int] | None:
    """Where in memory an item of a tuple of this kind lies."""
    found = ITEM.fullmatch(item.text) if isinstance(item, Number) else None
    if found is None or blocks.kinds[found[1]] != kind:
        return None
    return found[1], int(found[2])


def _copied(blocks: Blocks, values: Group, kind: str) -> bool:
    """Whether a tuple is so long that it is copied as a whole."""
    long = blocks.side_by_side and len(values.items) >= LOOP_FROM
    return long and isinstance(values, InMemory) and blocks.kinds[values.pointer] == kind


def _put(blocks: Blocks, item: Number, kind: str, pointer: str, place: int) -> list[str]:
    address = blocks.fresh()
    return [
        f"  {address} = getelementptr inbounds {kind}, ptr {pointer}, i64 {place}",
        f"  store {item.kind} {item.text}, ptr {address}, align {_SIZES[kind]}",
    ]


def move(blocks: Blocks, block: Block, values: Sequence[tuple[Group, Kept, str]]) -> None:
    """Put long tuples at these addresses when a block is left, all of them at once."""
    here, blocks.current = blocks.current, block
    changed = {pointer for _, _, pointer in values}
    parts, copies = [], []
    for value, kept, pointer in values:
        if isinstance(value, InMemory) and value.pointer == pointer:
            continue
        alone = not (isinstance(value, InMemory) and value.pointer in changed)
        if alone and _copied(blocks, value, kept.kind):
            assert isinstance(value, InMemory)
            copies.append(_copy(blocks, pointer, value.pointer, kept))
        else:
            parts.append((list(_pieces(blocks, value, kept.kind)), kept.kind, pointer))
    block.moves += copies
    for pieces, kind, pointer in parts:
        for place, item in pieces:
            block.moves += _put(blocks, item, kind, pointer, place)
    blocks.current = here


def met(blocks: Blocks, kept: Kept, ways: Sequence[tuple[Block, Value]]) -> Group:
    """A long tuple that each path leaves at one place."""
    room = blocks.room(f"[{kept.count} x {kept.kind}]")
    for block, value in ways:
        assert isinstance(value, Group)
        if value.items[0] != Number(kept.kind, "undef"):
            move(blocks, block, [(value, kept, room)])
    return lying(blocks, kept, room)
