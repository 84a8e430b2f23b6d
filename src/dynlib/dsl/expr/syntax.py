"""What the parser makes of a text: names not yet resolved, every piece with its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Syntax:
    """A piece of an expression and the characters it covers."""

    start: int
    end: int

    def parts(self) -> tuple[Syntax, ...]:
        """Return the pieces directly inside this one, in the order of the text."""
        return ()


@dataclass(slots=True)
class Literal(Syntax):
    """A number, or True or False."""

    value: float | int | bool


@dataclass(slots=True)
class Word(Syntax):
    """A name."""

    name: str


@dataclass(slots=True)
class Unary(Syntax):
    """``-a`` or ``not a``."""

    op: str
    operand: Syntax

    def parts(self) -> tuple[Syntax, ...]:
        """Return the pieces directly inside this one."""
        return (self.operand,)


@dataclass(slots=True)
class Binary(Syntax):
    """``a + b`` and its kin, ``and`` and ``or`` too."""

    op: str
    left: Syntax
    right: Syntax

    def parts(self) -> tuple[Syntax, ...]:
        """Return the pieces directly inside this one."""
        return (self.left, self.right)


@dataclass(slots=True)
class Comparison(Syntax):
    """``a < b <= c``: one operand more than operators."""

    ops: list[str]
    operands: list[Syntax]

    def parts(self) -> tuple[Syntax, ...]:
        """Return the pieces directly inside this one."""
        return tuple(self.operands)


@dataclass(slots=True)
class Conditional(Syntax):
    """``yes if test else no``."""

    yes: Syntax
    test: Syntax
    no: Syntax

    def parts(self) -> tuple[Syntax, ...]:
        """Return the pieces directly inside this one."""
        return (self.yes, self.test, self.no)


@dataclass(slots=True)
class Call(Syntax):
    """``name(args)``; ``name_end`` is where the name ends."""

    name: str
    args: list[Syntax]
    name_end: int

    def parts(self) -> tuple[Syntax, ...]:
        """Return the pieces directly inside this one."""
        return tuple(self.args)


@dataclass(slots=True)
class Loop(Syntax):
    """``sum(body for var in range(lower, upper) if where)``; ``lower`` None means 0."""

    op: str
    var: Word
    lower: Syntax | None
    upper: Syntax
    body: Syntax
    where: Syntax | None

    def bounds(self) -> tuple[Syntax, ...]:
        """Return the pieces outside of the loop variable's reach."""
        return (self.upper,) if self.lower is None else (self.lower, self.upper)

    def inside(self) -> tuple[Syntax, ...]:
        """Return the pieces in which the loop variable means something."""
        return (self.body,) if self.where is None else (self.body, self.where)

    def parts(self) -> tuple[Syntax, ...]:
        """Return the pieces directly inside this one."""
        return (*self.inside(), *self.bounds())


@dataclass(slots=True)
class Parsed:
    """A parsed expression.

    Attributes
    ----------
    text : str
        What was parsed; the places of errors are offsets into it.
    root : Syntax
    names : dict of str to (int, int)
        Names used as values, loop variables left out, with the place of their first use.  A lag
        counts as a use of the lag function, not of the state.
    calls : dict of str to (int, int)
        Names of functions called, with the place of their first use.
    """

    text: str
    root: Syntax
    names: dict[str, tuple[int, int]] = field(init=False)
    calls: dict[str, tuple[int, int]] = field(init=False)

    def __post_init__(self) -> None:
        self.names, self.calls = {}, {}
        for piece, bound in _walk(self.root):
            if isinstance(piece, Word) and piece.name not in bound:
                self.names.setdefault(piece.name, (piece.start, piece.end))
            elif isinstance(piece, Call):
                self.calls.setdefault(piece.name, (piece.start, piece.name_end))
            elif isinstance(piece, Loop):
                self.calls.setdefault(piece.op, (piece.start, piece.start + len(piece.op)))


def _walk(root: Syntax) -> Iterator[tuple[Syntax, frozenset[str]]]:
    """Yield every piece with the loop variables that are bound where it stands."""
    stack: list[tuple[Syntax, frozenset[str]]] = [(root, frozenset())]
    while stack:
        piece, bound = stack.pop()
        yield piece, bound
        if isinstance(piece, Loop):
            inner = bound | {piece.var.name}
            stack += [(part, bound) for part in reversed(piece.bounds())]
            stack += [(part, inner) for part in reversed(piece.inside())]
        else:
            stack += [(part, bound) for part in reversed(piece.parts())]
