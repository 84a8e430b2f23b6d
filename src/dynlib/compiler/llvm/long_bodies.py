"""Long straight-line code falls into functions, which pass on what the next ones need.

LLVM takes more than in proportion to the length of a function.  What a function of the text
computes in thousands of operations is cut, statement by statement, into parts of some hundred;
each is a function of its own.  A number that one part computes and others read has its place in
an array that they share.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dynlib.compiler.llvm import library
from dynlib.compiler.llvm.primitives import CALLED as PRIMITIVES
from dynlib.compiler.source import Calls
from dynlib.compiler.syntax import walk
from dynlib.compiler.vecmath import VECMATH

__all__ = ["in_parts"]

_LONG = 1_200  # operations of a function that is cut,
_PART = 200  # and of each of its parts, about
_STATEMENTS = 32  # which are too few to be cut
_FEW = 16  # values that are not known to be reals, which one part may give to others

_OPERATIONS = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.Call, ast.IfExp)
_REAL = frozenset({"fma", "real", "float"})  # whose values are real, with VECMATH
_NUMBERS = frozenset({*library.__all__, *PRIMITIVES, "integer", "heard"})  # of numbers
_REAL_ARGS = frozenset({"t", "tp", "h", "theta"})  # arguments that are real numbers,
_STATES = frozenset({"u", "up", "u_new"})  # that are tuples of them,
_ARRAYS = frozenset({"p", "ws", "block"})  # or arrays
_ROOM = "of_all_parts"  # an array of the numbers that one part sets and others read


@dataclass
class _Unit:
    """A statement of the body: the names it reads and sets, and how many operations it has."""

    statement: ast.stmt
    reads: set[str] = field(default_factory=set)
    sets: set[str] = field(default_factory=set)
    setting: list[ast.Assign | ast.AugAssign | ast.For] = field(default_factory=list)
    operations: int = 0
    ends: bool = False  # the function, or may

    @classmethod
    def of(cls, statement: ast.stmt) -> _Unit:
        unit = cls(statement)
        for node in walk(statement):
            if isinstance(node, ast.Name):
                (unit.reads if isinstance(node.ctx, ast.Load) else unit.sets).add(node.id)
            elif isinstance(node, _OPERATIONS):
                unit.operations += 1
            elif isinstance(node, ast.Assign | ast.AugAssign | ast.For):
                unit.setting.append(node)
                if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                    unit.reads.add(node.target.id)
            elif isinstance(node, ast.Return):
                unit.ends = True
        turns = (node.target for node in unit.setting if isinstance(node, ast.For))
        unit.reads -= {target.id for target in turns if isinstance(target, ast.Name)}
        return unit

    @property
    def alone(self) -> bool:
        """Whether it stays in the caller: it ends the function, or sets more than numbers."""
        return self.ends or any(
            isinstance(node, ast.Assign) and not _is_number(node.value) for node in self.setting
        )

    @property
    def unpacks(self) -> str:
        """The tuple that it takes apart, if it does nothing else."""
        node = self.statement
        plain = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple)
        return node.value.id if plain and isinstance(node.value, ast.Name) else ""  # type: ignore[attr-defined]

    @property
    def certain(self) -> bool:
        """Whether what it sets is set however it is run."""
        return isinstance(self.statement, ast.Assign | ast.AugAssign)


def in_parts(
    functions: Mapping[str, ast.FunctionDef], calls: Mapping[str, str], *, inlined: bool
) -> tuple[dict[str, ast.FunctionDef], dict[str, str]]:
    """The functions, of which long ones call their parts, and how each is called.

    Parameters
    ----------
    functions
        Of the text, by name; they are left as they are.
    calls
        How some of them are called.
    inlined
        Whether those are cut too that are put in place where they are called: not where they are
        part of a loop over lanes.
    """
    found, ways = dict(functions), dict(calls)
    for name, node in functions.items():
        if (calls.get(name) == Calls.INLINED and not inlined) or "tangent" in name:
            continue  # tangent vectors come in packs
        cut = _Cut(node)
        if cut.worth:
            found[name] = cut.caller()
            found |= {part.name: part for part in cut.parts}
            ways |= {part.name: Calls.APART for part in cut.parts}
    return found, ways


class _Cut:
    """One function on its way into parts."""

    def __init__(self, node: ast.FunctionDef) -> None:
        self._node = node
        self.parts: list[ast.FunctionDef] = []
        self._places: dict[str, int] = {}  # in the room, of names that parts have set
        self._room = 0
        statements = [statement for whole in node.body for statement in _spread(whole)]
        if len(statements) <= _STATEMENTS:
            self.worth = False
            return
        self._units = [_Unit.of(statement) for statement in statements]
        self.worth = sum(unit.operations for unit in self._units) > _LONG
        if self.worth:
            self._reals = _reals(self._units)
            self._arguments = [arg.arg for arg in node.args.args]
            self._unpackings = _unpackings(self._units, self._arguments)
            self._open = _set_perhaps(self._units, self._arguments)
            self._last_read = {n: i for i, unit in enumerate(self._units) for n in unit.reads}

    def caller(self) -> ast.FunctionDef:
        """The function, with calls in the place of what went into parts."""
        body: list[ast.stmt] = []
        known = set(self._arguments)
        for first, last in self._stretches():
            units = self._units[first:last]
            much = sum(unit.operations for unit in units) > _PART // 2
            if much and not units[0].alone and self._may_end(first, last):
                body += self._part(units, known, self._given(first, last))
            else:
                body += [unit.statement for unit in units]
                for name in (name for unit in units for name in unit.sets):
                    self._places.pop(name, None)
            known.update(name for unit in units if unit.certain for name in unit.sets)
        room = ast.Call(_name("room"), [ast.Constant(self._room)], [])
        return _function(self._node.name, self._arguments, [_assign(_set(_ROOM), room), *body])

    def _stretches(self) -> Iterator[tuple[int, int]]:
        """First and last unit of what stays together."""
        first, length, due = 0, 0, _PART
        for i, unit in enumerate(self._units):
            alone = unit.alone
            if alone and i > first:
                yield first, i
                first, length, due = i, 0, _PART
            length += unit.operations
            if alone or (length >= due and self._may_end(first, i + 1)):
                yield first, i + 1
                first, length, due = i + 1, 0, _PART
            elif length >= due:
                due += _PART // 4  # to look at each place would take too long
        if first < len(self._units):
            yield first, len(self._units)

    def _may_end(self, first: int, last: int) -> bool:
        """Whether all that is needed later is set by then, and can be passed on."""
        given = self._given(first, last)
        others = [name for name in given if name not in self._reals]
        return len(others) <= _FEW and self._open.isdisjoint(given)

    def _given(self, first: int, last: int) -> list[str]:
        """What units set that is read after them."""
        units = self._units[first:last]
        names = dict.fromkeys(name for unit in units for name in sorted(unit.sets))
        return [name for name in names if self._last_read.get(name, -1) >= last]

    def _part(
        self, units: Sequence[_Unit], known: set[str], given: Sequence[str]
    ) -> list[ast.stmt]:
        """Make a part of these units; returns the statements that call it."""
        read = {name for unit in units for name in unit.reads} & known
        unpackings = {name: self._unpackings[name] for name in read if name in self._unpackings}
        plain = read - self._places.keys() - unpackings.keys()
        plain |= {unit.unpacks for unit in unpackings.values()}
        args = [*sorted(plain), _ROOM]
        before = [unit.statement for unit in {id(u): u for u in unpackings.values()}.values()]
        before += [
            _assign(_set(name), _at(self._places[name], ast.Load()))
            for name in sorted(read & self._places.keys(), key=self._places.__getitem__)
        ]
        numbers = [name for name in given if name in self._reals]
        others = [name for name in given if name not in self._reals]
        first, self._room = self._room, self._room + len(numbers)
        places = dict(zip(numbers, range(first, self._room), strict=True))
        self._places |= places
        name = f"{self._node.name}_part{len(self.parts)}"
        last = {name: unit for unit in units for name in unit.sets if name in places}
        body = list(before)
        for unit in units:
            body.append(unit.statement)  # what is stored at once needs no register until the end
            body += [
                _assign(_at(places[name], ast.Store()), _name(name))
                for name in sorted(unit.sets)
                if last.get(name) is unit
            ]
        body += [ast.Return(_tuple(others, ast.Load()))] if others else []
        self.parts.append(_function(name, args, body))
        call = ast.Call(_name(name), [_name(arg) for arg in args], [])
        found = [_assign(_tuple(others, ast.Store()), call) if others else ast.Expr(call)]
        if numbers:
            region = [_name(_ROOM), ast.Constant(first), ast.Constant(len(numbers))]
            found.append(
                _assign(_tuple(numbers, ast.Store()), ast.Call(_name("lying_in"), region, []))
            )
        return found


def _spread(statement: ast.stmt) -> Iterator[ast.stmt]:
    """A statement, before which the items of a tuple that it returns or hands on are computed."""
    match statement:
        case ast.Return(value=ast.Tuple() as whole):
            items = yield from _computed(whole)
            yield ast.Return(items)
        case ast.Expr(value=ast.Call(func=func, args=[*some, ast.Tuple() as whole])):
            items = yield from _computed(whole)
            yield ast.Expr(ast.Call(func, [*some, items], []))
        case _:
            yield statement


def _computed(whole: ast.Tuple) -> Generator[ast.stmt, None, ast.Tuple]:
    """Statements that compute the items of a tuple; returns the tuple of what they set."""
    items: list[ast.expr] = []
    for i, item in enumerate(whole.elts):
        if isinstance(item, ast.Name | ast.Constant):
            items.append(item)
        else:
            items.append(_name(f"item{i}"))
            yield _assign(ast.Name(f"item{i}", ast.Store()), item)
    return ast.Tuple(items, ast.Load())


def _unpackings(units: Sequence[_Unit], arguments: Iterable[str]) -> dict[str, _Unit]:
    """Names that are an item of a tuple, and where they are taken from it.

    That may be done again anywhere, if the tuple and all of these names are set once.
    """
    times = Counter([*arguments, *(name for unit in units for name in unit.sets)])
    again = [u for u in units if u.unpacks and all(times[n] == 1 for n in (u.unpacks, *u.sets))]
    return {name: unit for unit in again for name in unit.sets}


def _set_perhaps(units: Sequence[_Unit], arguments: Iterable[str]) -> frozenset[str]:
    """Names that are set first where it is not certain that this is run.

    A name that was set before keeps its value otherwise, so that a unit which may set it needs it.
    """
    certain = set(arguments)
    perhaps: set[str] = set()
    for unit in units:
        if unit.certain:
            certain |= unit.sets
        else:
            perhaps |= unit.sets - certain
            unit.reads |= unit.sets & certain
    return frozenset(perhaps)


def _reals(units: Sequence[_Unit]) -> frozenset[str]:
    """The names that are real numbers, whatever is done."""
    reals = {*_REAL_ARGS, *_STATES}
    others: set[str] = set()
    for node in (node for unit in units for node in unit.setting):
        if isinstance(node, ast.Assign):
            (target,) = node.targets
            if not isinstance(target, ast.Subscript):
                names = [part.id for part in walk(target) if isinstance(part, ast.Name)]
                (reals if _is_real(node.value, reals) else others).update(names)
        elif isinstance(node.target, ast.Name):
            others.add(node.target.id)
    return frozenset(reals - others - _STATES)


def _is_real(node: ast.expr, reals: set[str]) -> bool:
    """Whether an expression is certain to be a real number."""
    match node:
        case ast.Constant():
            return isinstance(node.value, float)
        case ast.Name():
            return node.id in reals
        case ast.UnaryOp(op=ast.USub()):
            return _is_real(node.operand, reals)
        case ast.Subscript(value=ast.Name(id=name)):
            return name in _STATES | _ARRAYS
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.Pow()):
            return _is_real(node.left, reals) or _is_real(node.right, reals)
        case ast.Call(func=ast.Name(id="select"), args=[_, one, other]):
            return _is_real(one, reals) and _is_real(other, reals)
        case ast.Call(func=ast.Name(id=name)):
            return name in _REAL or name in VECMATH or name == "load_rows"
    return False


def _is_number(node: ast.expr) -> bool:
    """Whether an expression is one number, as far as it shows."""
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return name in _REAL or name in VECMATH or name in _NUMBERS
        case ast.Subscript(slice=ast.Slice()) | ast.Tuple() | ast.Name():
            return False
        case ast.IfExp():
            return _is_number(node.body) and _is_number(node.orelse)
    return True


def _name(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _tuple(names: Sequence[str], context: ast.expr_context) -> ast.expr:
    return ast.Tuple([ast.Name(name, context) for name in names], context)


def _set(name: str) -> ast.expr:
    return ast.Name(name, ast.Store())


def _at(place: int, context: ast.expr_context) -> ast.expr:
    """A place of the room that the parts of a function share."""
    return ast.Subscript(_name(_ROOM), ast.Constant(place), context)


def _assign(target: ast.expr, value: ast.expr) -> ast.stmt:
    return ast.Assign([target], value)


def _function(name: str, args: Sequence[str], body: list[ast.stmt]) -> ast.FunctionDef:
    given = ast.arguments([], [ast.arg(arg) for arg in args], None, [], [], None, [])
    return ast.FunctionDef(name, given, body, [])
