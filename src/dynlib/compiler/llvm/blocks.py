"""Instructions in basic blocks, and how values meet where paths do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import repeat

from dynlib.compiler.llvm.long_tuples import kept_of, met
from dynlib.compiler.llvm.values import (
    Group,
    Number,
    Shape,
    Untranslatable,
    Value,
    is_pack,
    number,
    pack_size,
    rebuilt,
    shape_of,
)

__all__ = ["Block", "Blocks", "Names", "Path", "unified"]

_RANK = {"i1": 0, "i32": 1, "i64": 2, "float": 3, "double": 4}

Names = Mapping[str, Value]


@dataclass
class Block:
    """A label, what is chosen on entry, instructions, and where they lead: it `fails` if out.

    Last of the instructions, `moves` put long tuples where the next block looks for them.
    """

    label: str
    choices: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    moves: list[str] = field(default_factory=list)
    end: str = ""
    fails: bool = False

    def text(self) -> str:
        """The block in LLVM assembly."""
        return "\n".join([f"{self.label}:", *self.choices, *self.lines, *self.moves, self.end])


@dataclass
class Path:
    """A way on: the block that it comes from and what the names mean there."""

    block: Block
    names: Names


class Blocks:
    """The body of a function while it is written; instructions go to the `current` block.

    Attributes
    ----------
    kinds
        Types of the numbers that tuples in memory have, by their addresses, and of packs.
    side_by_side
        Whether numbers of long tuples are computed with in packs.
    componentwise
        Whether what is being written is done with each number of a pack alone, comparisons too.
    copies
        Whether some memory is copied.
    """

    def __init__(self, *, side_by_side: bool = False) -> None:
        self.side_by_side = side_by_side
        self.componentwise = False
        self.copies = False
        self._count = 0
        self._rooms: dict[tuple[str, int], str] = {}
        self.kinds: dict[str, str] = {}
        self.all: list[Block] = []
        self.current = self.start("start")

    @property
    def count(self) -> int:
        """How many names there are."""
        return self._count

    def fresh(self) -> str:
        """A new name."""
        self._count += 1
        return f"%v{self._count}"

    def block(self, label: str) -> Block:
        """A new block, to be started later."""
        self._count += 1
        return Block(f"{label}{self._count}")

    def start(self, block: Block | str) -> Block:
        """Go on in a block."""
        if isinstance(block, str):
            block = self.block(block)
        self.all.append(block)
        self.current = block
        return block

    def new(self, instruction: str) -> str:
        """Append an instruction; returns the name of its result."""
        name = self.fresh()
        self.current.lines.append(f"  {name} = {instruction}")
        return name

    def do(self, instruction: str) -> None:
        """Append an instruction without a result."""
        self.current.lines.append(f"  {instruction}")

    def goto(self, target: Block) -> Block:
        """End the current block; returns it."""
        left = self.current
        left.end = f"  br label %{target.label}"
        return left

    def branch(self, condition: Number, yes: Block, no: Block) -> Block:
        """End the current block in two ways; returns it."""
        left = self.current
        left.end = f"  br i1 {condition.text}, label %{yes.label}, label %{no.label}"
        return left

    def room(self, kind: str) -> str:
        """The address of memory for a value, there as long as the function runs."""
        name = self.fresh()
        self.all[0].choices.append(f"  {name} = alloca {kind}")
        return name

    def shared_room(self, kind: str, number: int) -> str:
        """The same for values that nobody needs after the next call; a number for each of them."""
        if (kind, number) not in self._rooms:
            self._rooms[kind, number] = self.room(kind)
        return self._rooms[kind, number]

    @contextmanager
    def counted(self, end: int, step: int) -> Iterator[str]:
        """A loop whose body has no branches: the name of what counts from 0 up to `end`."""
        top, after = self.block("each"), self.block("after")
        before = self.goto(top)
        self.start(top)
        i = self.fresh()
        yield i
        more = self.new(f"add nuw nsw i64 {i}, {step}")
        again = self.new(f"icmp ult i64 {more}, {end}")
        left = self.branch(Number("i1", again), top, after)
        top.choices.append(f"  {i} = phi i64 [ 0, %{before.label} ], [ {more}, %{left.label} ]")
        self.start(after)

    def leave_if(self, failed: str) -> None:
        """Leave the function, and all that called it, where something has failed."""
        on, gone = self.block("on"), self.block("failed")
        gone.fails = True
        self.branch(Number("i1", failed), gone, on)
        self.start(gone)
        self.start(on)

    # -- numbers ----------------------------------------------------------------------------------

    def cast(self, value: Number, kind: str) -> Number:
        """A number as another type."""
        if value.kind == kind:
            return value
        if is_pack(value.kind):
            raise Untranslatable("a pack where a number is needed")
        if is_pack(kind):
            return self._spread(value, kind)
        word = _conversion(value.kind, kind)
        if kind == "i1":
            test = "fcmp une" if word == "fcmp" else "icmp ne"
            zero = "0.0" if word == "fcmp" else "0"
            return Number("i1", self.new(f"{test} {value.kind} {value.text}, {zero}"))
        return Number(kind, self.new(f"{word} {value.kind} {value.text} to {kind}"))

    def _spread(self, value: Number, kind: str) -> Number:
        """A pack that holds a number everywhere."""
        if value.known is not None:
            item = f"double {number(float(value.known)).text}"
            return Number(kind, f"<{', '.join([item] * pack_size(kind))}>")
        one = self.cast(value, "double").text
        first = self.new(f"insertelement {kind} poison, double {one}, i32 0")
        places = f"{kind.replace('double', 'i32')} zeroinitializer"
        return Number(kind, self.new(f"shufflevector {kind} {first}, {kind} poison, {places}"))

    def convert(self, value: Value, shape: Shape) -> Value:
        """A value as one of another shape, number by number."""
        if shape_of(value) == shape:
            return value
        if isinstance(value, Number) and isinstance(shape, str):
            return self.cast(value, shape)
        if isinstance(value, Group) and isinstance(shape, tuple):
            pairs = zip(value.items, shape, strict=True)
            return Group(tuple(self.convert(item, part) for item, part in pairs))
        raise Untranslatable(f"a value of shape {shape_of(value)} where {shape} is needed")

    # -- where paths meet -------------------------------------------------------------------------

    def meet(self, target: Block, paths: Sequence[Path], *, certain: bool = False) -> Names:
        """What names mean in `target`, which all paths lead to.

        A name without a value on some path means anything there, which is for the text to know;
        with `certain` it has no value after.
        """
        if len(paths) == 1:
            return dict(paths[0].names)
        names = {}
        for name in dict.fromkeys(name for path in paths for name in path.names):
            ways = [(path.block, path.names.get(name)) for path in paths]
            if certain and any(value is None for _, value in ways):
                continue
            met = self._meet(target, ways)
            if met is not None:
                names[name] = met
        return names

    def _meet(self, target: Block, ways: Sequence[tuple[Block, Value | None]]) -> Value | None:
        """One value; None if it means things of different kinds."""
        first, *others = [value for _, value in ways if value is not None]
        if len(others) + 1 == len(ways) and all(value == first for value in others):
            return first
        shape: Shape | None = shape_of(first)
        for value in others:
            shape = None if shape is None else unified(shape, shape_of(value))
        if shape is None or not _of_numbers(shape):
            return None
        anything = rebuilt(shape, repeat("undef"))
        return self.choose(target, shape, [(block, value or anything) for block, value in ways])

    def choose(self, target: Block, shape: Shape, ways: Sequence[tuple[Block, Value]]) -> Value:
        """A value of this shape, depending on the block that `target` is reached from."""
        kept = kept_of(shape) if self.side_by_side else None
        if kept is not None:
            return met(self, kept, ways)
        if isinstance(shape, tuple):
            parts = [
                self.choose(
                    target, part, [(b, v.items[i]) for b, v in ways if isinstance(v, Group)]
                )
                for i, part in enumerate(shape)
            ]
            return Group(tuple(parts))
        if not isinstance(shape, str):
            raise Untranslatable("an array that depends on the path")
        texts = []
        for block, value in ways:
            assert isinstance(value, Number)
            texts.append(f"[ {self.cast_in(block, value, shape)}, %{block.label} ]")
        name = self.fresh()
        target.choices.append(f"  {name} = phi {shape} {', '.join(texts)}")
        return Number(shape, name)

    def cast_in(self, block: Block, value: Number, kind: str) -> str:
        """Text of a number as another type, converted at the end of a block that is left."""
        here, self.current = self.current, block
        text = self.cast(value, kind).text
        self.current = here
        return text


def _of_numbers(shape: Shape) -> bool:
    """Whether a value of this shape is made of numbers alone, which paths can choose between."""
    if isinstance(shape, tuple):
        return all(map(_of_numbers, shape))
    return isinstance(shape, str)


def _conversion(source: str, target: str) -> str:
    """The instruction that converts between LLVM types."""
    real = source in ("float", "double")
    if target == "i1":
        return "fcmp" if real else "icmp"
    if target in ("float", "double"):
        if not real:
            return "uitofp" if source == "i1" else "sitofp"
        return "fpext" if target == "double" else "fptrunc"
    if real:
        return "fptosi"
    if _RANK[source] > _RANK[target]:
        return "trunc"
    return "zext" if source == "i1" else "sext"


def unified(a: Shape, b: Shape) -> Shape | None:
    """The shape that holds values of both; None if there is none."""
    if a == b:
        return a
    if isinstance(a, str) and isinstance(b, str):
        if is_pack(a) or is_pack(b):
            return a if is_pack(a) else b
        if "float" in (a, b) and "i1" not in (a, b):
            return "double"  # as NumPy has it for a float32 and any other number
        return a if _RANK[a] >= _RANK[b] else b
    if isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
        items = [unified(x, y) for x, y in zip(a, b, strict=True)]
        return None if any(item is None for item in items) else tuple(items)
    return None
