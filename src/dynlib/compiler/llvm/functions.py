"""One function: its statements, and the paths through them.

Names are values, not places: where paths meet, a name with different values on them becomes a
choice (a *phi*).  A loop begins with choices for all names that it changes; should it turn out
that one of them changes its type on the way round, the loop is translated once more.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from dynlib.abi.phases import tick
from dynlib.compiler.llvm.blocks import Block, Blocks, Names, Path, unified
from dynlib.compiler.llvm.expressions import Expressions
from dynlib.compiler.llvm.long_tuples import kept_of, lying, move
from dynlib.compiler.llvm.operations import binary, truth
from dynlib.compiler.llvm.values import (
    Array,
    Group,
    InMemory,
    Kept,
    Number,
    Shape,
    Untranslatable,
    Value,
    flat,
    number,
    shape_of,
)
from dynlib.compiler.syntax import walk

__all__ = ["Body"]


@dataclass
class _Loop:
    """Where ``break`` and ``continue`` of the innermost loop lead, and who went there."""

    after: Block
    again: Block
    left: list[Path] = field(default_factory=list)
    repeated: list[Path] = field(default_factory=list)


class Body(Expressions):
    """Translates the body of one function for arguments of given shapes."""

    def body(self, statements: Sequence[ast.stmt]) -> None:
        """All statements; a path that comes to the end returns nothing."""
        self._loops: list[_Loop] = []
        self.returned: list[tuple[Block, Value | None]] = []
        if self.run(statements):
            self.returned.append((self.blocks.current, None))

    def run(self, statements: Sequence[ast.stmt]) -> bool:
        """Translate statements in order; tells whether their end is reached."""
        tick()
        for statement in statements:
            method: Callable[[ast.stmt], bool] | None = getattr(
                self, f"_{type(statement).__name__.lower()}", None
            )
            if method is None:
                raise Untranslatable(f"the statement {type(statement).__name__}")
            if not method(statement):
                return False
        return True

    # -- simple statements ------------------------------------------------------------------------

    def _pass(self, node: ast.Pass) -> bool:
        return True

    def _expr(self, node: ast.Expr) -> bool:
        if not isinstance(node.value, ast.Constant):
            self.evaluate(node.value)
        return True

    def _assign(self, node: ast.Assign) -> bool:
        value = self.value(node.value)
        for target in node.targets:
            self._bind(target, value)
        return True

    def _augassign(self, node: ast.AugAssign) -> bool:
        result = binary(self.blocks, node.op, self.number(node.target), self.number(node.value))
        self._bind(node.target, result)
        return True

    def _bind(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self.names[target.id] = value
        elif isinstance(target, ast.Tuple):
            if not isinstance(value, Group) or len(value.items) != len(target.elts):
                raise Untranslatable(f"taking apart what is no tuple of {len(target.elts)}")
            for part, item in zip(target.elts, value.items, strict=True):
                self._bind(part, item)
        elif isinstance(target, ast.Subscript):
            place = self.item(self.value(target.value), target.slice)
            if not isinstance(place, Array) or place.extents or not isinstance(value, Number):
                raise Untranslatable("an assignment to more than one item of an array")
            self.store(value, place)
        else:
            raise Untranslatable(f"an assignment to {type(target).__name__}")

    def _return(self, node: ast.Return) -> bool:
        value = None if node.value is None else self.value(node.value)
        self.returned.append((self.blocks.current, value))
        return False

    def _break(self, node: ast.Break) -> bool:
        loop = self._loops[-1]
        loop.left.append(Path(self.blocks.goto(loop.after), dict(self.names)))
        return False

    def _continue(self, node: ast.Continue) -> bool:
        loop = self._loops[-1]
        loop.repeated.append(Path(self.blocks.goto(loop.again), dict(self.names)))
        return False

    # -- branches ---------------------------------------------------------------------------------

    def _if(self, node: ast.If) -> bool:
        condition = truth(self.blocks, self.number(node.test))
        if condition.known is not None:
            return self.run(node.body if condition.known else node.orelse)
        yes, no, after = (self.blocks.block(label) for label in ("yes", "no", "after"))
        self.blocks.branch(condition, yes, no)
        before = dict(self.names)
        paths = []
        for block, statements in ((yes, node.body), (no, node.orelse)):
            self.blocks.start(block)
            self.names = dict(before)
            if self.run(statements):
                paths.append(Path(self.blocks.goto(after), self.names))
        if not paths:
            return False
        self.names = dict(self.blocks.meet(after, paths))
        self.blocks.start(after)
        return True

    # -- loops ------------------------------------------------------------------------------------

    def _while(self, node: ast.While) -> bool:
        def head(body: Block, after: Block) -> Path | None:
            condition = truth(self.blocks, self.number(node.test))
            if condition.known is True:
                self.blocks.goto(body)
                return None
            return Path(self.blocks.branch(condition, body, after), dict(self.names))

        return self._loop(node, head, lambda: None)

    def _for(self, node: ast.For) -> bool:
        if not isinstance(node.target, ast.Name) or node.orelse:
            raise Untranslatable("this kind of for")
        first, last, step = self._range(node.iter)
        hidden = f" {node.target.id}"  # what the text does with the name changes no iteration
        name = node.target.id
        self.names[hidden] = first

        def head(body: Block, after: Block) -> Path:
            here = self.names[hidden]
            assert isinstance(here, Number)
            test = "slt" if step > 0 else "sgt"
            found = self.blocks.new(f"icmp {test} i64 {here.text}, {last.text}")
            path = Path(self.blocks.branch(Number("i1", found), body, after), dict(self.names))
            self.names[name] = here
            return path

        def advance() -> None:
            here = self.names[hidden]
            assert isinstance(here, Number)
            self.names[hidden] = Number("i64", self.blocks.new(f"add nsw i64 {here.text}, {step}"))

        reached = self._loop(node, head, advance, hidden)
        self.names.pop(hidden, None)
        return reached

    def _range(self, node: ast.expr) -> tuple[Number, Number, int]:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            raise Untranslatable("a for over anything but a range")
        if node.func.id != "range" or node.keywords:
            raise Untranslatable("a for over anything but a range")
        ends = [self.blocks.cast(self.number(arg), "i64") for arg in node.args]
        if len(ends) == 1:
            ends.insert(0, number(0))
        step = ends[2].known if len(ends) == 3 else 1
        if not isinstance(step, int) or step == 0:
            raise Untranslatable("a range whose step is not known beforehand")
        return ends[0], ends[1], step

    def _loop(
        self,
        node: ast.While | ast.For,
        head: Callable[[Block, Block], Path | None],
        advance: Callable[[], None],
        hidden: str = "",
    ) -> bool:
        """A loop: `head` decides whether to go on, `advance` comes between two turns."""
        before = dict(self.names)
        changed = [name for name in sorted({*_assigned(node.body), hidden}) if name in before]
        if isinstance(node, ast.For) and isinstance(node.target, ast.Name):
            changed = [name for name in changed if name != node.target.id]
            before.pop(node.target.id, None)
        shapes = {name: shape_of(before[name]) for name in changed}
        start, count, returned = self.blocks.current, len(self.blocks.all), len(self.returned)
        length = len(start.lines)
        while True:
            found = self._turn(node, head, advance, before, shapes)
            if found is not None:
                return found
            del self.blocks.all[count:], start.lines[length:], self.returned[returned:]
            self.blocks.current, self.names = start, dict(before)

    def _turn(
        self,
        node: ast.While | ast.For,
        head: Callable[[Block, Block], Path | None],
        advance: Callable[[], None],
        before: dict[str, Value],
        shapes: dict[str, Shape],
    ) -> bool | None:
        """Translate a loop; None if `shapes` had to be widened and it is to be done again."""
        blocks = self.blocks
        top, body, again, after = (blocks.block(s) for s in ("loop", "body", "again", "after"))
        entered = Path(blocks.goto(top), before)
        blocks.start(top)
        names = {name: _placeholder(blocks, shape) for name, shape in shapes.items()}
        self.names = {**before, **names}
        loop = _Loop(after, again)
        self._loops.append(loop)
        done = head(body, after)
        blocks.start(body)
        if self.run(node.body):
            loop.repeated.append(Path(blocks.goto(again), dict(self.names)))
        self._loops.pop()
        ways = [entered]
        if loop.repeated:
            self.names = dict(blocks.meet(again, loop.repeated))
            blocks.start(again)
            advance()
            ways.append(Path(blocks.goto(top), dict(self.names)))
        if not self._fits(shapes, ways):
            return None
        for name, shape in shapes.items():
            if not isinstance(names[name], InMemory):
                values = [(way.block, way.names[name]) for way in ways]
                _fill(blocks, top, names[name], shape, values)
        for way in ways:
            move(blocks, way.block, list(_long(names, way.names)))
        paths = [*([done] if done is not None else []), *loop.left]
        if not paths:
            return False
        self.names = dict(blocks.meet(after, paths, certain=True))
        blocks.start(after)
        return True

    def _fits(self, shapes: dict[str, Shape], ways: Sequence[Path]) -> bool:
        """Whether the names keep their shapes on the way round; widens those that do not."""
        fits = True
        for name in list(shapes):
            value = ways[-1].names.get(name)
            wider = unified(shapes[name], shape_of(value)) if value is not None else None
            if wider is None:
                del shapes[name]
                ways[0].names.pop(name)  # type: ignore[attr-defined]
                fits = False
            elif wider != shapes[name]:
                shapes[name] = wider
                fits = False
        return fits


def _assigned(statements: Sequence[ast.stmt]) -> Iterator[str]:
    """Names that get a value somewhere in the statements."""
    for statement in statements:
        for node in walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id


def _placeholder(blocks: Blocks, shape: Shape) -> Value:
    """A value of this shape whose choices are written later."""
    if isinstance(shape, str):
        return Number(shape, blocks.fresh())
    kept = kept_of(shape) if blocks.side_by_side else None
    if kept is not None:
        return lying(blocks, kept, blocks.room(f"[{kept.count} x {kept.kind}]"))
    if isinstance(shape, tuple):
        return Group(tuple(_placeholder(blocks, part) for part in shape))
    raise Untranslatable("an array that changes in a loop")


def _long(places: Names, found: Names) -> Iterator[tuple[Group, Kept, str]]:
    """The long tuples among some names: what they are, and where they are to lie."""
    for name, place in places.items():
        value = found[name]
        if isinstance(place, InMemory) and isinstance(value, Group):
            ((kind, _), *_) = flat(place)
            yield value, Kept(kind, len(place.items)), place.pointer


def _fill(
    blocks: Blocks, top: Block, place: Value, shape: Shape, ways: Sequence[tuple[Block, Value]]
) -> None:
    """Write the choices of a placeholder."""
    converted = [
        [text for _, text in _flat_in(blocks, block, value, shape)] for block, value in ways
    ]
    for i, (kind, name) in enumerate(flat(place)):
        options = [
            f"[ {texts[i]}, %{block.label} ]"
            for (block, _), texts in zip(ways, converted, strict=True)
        ]
        top.choices.append(f"  {name} = phi {kind} {', '.join(options)}")


def _flat_in(blocks: Blocks, block: Block, value: Value, shape: Shape) -> list[tuple[str, str]]:
    here, blocks.current = blocks.current, block
    found = list(flat(blocks.convert(value, shape)))
    blocks.current = here
    return found
