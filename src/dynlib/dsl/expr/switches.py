"""Where time alone makes an expression jump or bend: the comparisons and steps of time in it.

An adaptive stepper sees a right-hand side in a few places of each step.  What switches with time
(``7 <= t % 24 <= 8``, ``heaviside(t - 3)``, ``abs(t - 1)``) may switch on and off between them.
Where the switching times can be computed, steps are made to end on them
(`dynlib.compiler.codegen.switch_text`); the others are listed, so that the user can be told.

A *level* is a real expression of time and parameters.  Something switches where a level passes
zero, or a whole number (``floor``, ``%``).  The times can be computed if the level is affine in t
between other switches: then its value and slope tell when that is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dynlib.dsl.expr.differentiate import differentiate
from dynlib.dsl.expr.nodes import Apply, LoopVar, Node, Num, Param, Reduce, Time, postorder
from dynlib.dsl.expr.simplify import build
from dynlib.dsl.expr.substitute import substitute
from dynlib.dsl.expr.typed import coerce

__all__ = ["Switch", "TimeSwitches", "time_switches"]

_COMPARISONS = frozenset({"lt", "le", "gt", "ge", "eq", "ne"})
_PER_LEVEL = frozenset({"floor", "ceil", "trunc", "cast_int", "whole"})
_LONGEST_LOOP = 64  # turns of a sum or product that are looked at one by one
_MOST = 256  # switches; a model with more of them is told so as if they could not be computed

_CONSTANT, _STEP, _AFFINE = 0, 1, 2  # between switches: no function of t, constant, affine


@dataclass(frozen=True)
class Switch:
    """Something switches where `level` passes zero, or with `whole` any whole number.

    `slope` is its derivative by time; `size` bounds the numbers that it is computed from, which
    tells how well the switching time is known.
    """

    level: Node
    slope: Node
    size: Node
    whole: bool


@dataclass(frozen=True)
class TimeSwitches:
    """The switches whose times can be computed, and the operations whose times cannot."""

    known: tuple[Switch, ...] = ()
    unknown: tuple[Node, ...] = ()


def time_switches(roots: Iterable[Node]) -> TimeSwitches:
    """Return what switches with time in the expressions.

    Examples
    --------
    >>> from dynlib.dsl.expr import Scope, bind, parse_expression, to_text
    >>> node = bind(parse_expression("1 if t % 24 > on else sin(t)"), Scope(params=("on",)))
    >>> [to_text(switch.level) for switch in time_switches([node]).known]
    ['t/24', 't % 24 - on']
    """
    known: dict[tuple[Node, bool], Switch] = {}
    unknown: dict[Node, None] = {}
    shapes = _Shapes()
    for node in _unrolled(roots, shapes, unknown):
        for level, whole in _levels(node):
            shape = shapes.of(level)
            if shape is None or len(known) >= _MOST:
                # A bend alone, as of ``abs(sin(t))``, is nothing that a step could miss.
                unknown.update({} if node.op == "abs" else {node: None})
            elif shape == _AFFINE and (level, whole) not in known:
                slope = differentiate(level, Time())
                known[level, whole] = Switch(level, slope, _size(level, shapes), whole)
    return TimeSwitches(tuple(known.values()), tuple(unknown))


def _unrolled(roots: Iterable[Node], shapes: _Shapes, unknown: dict[Node, None]) -> Iterator[Apply]:
    """Return the operations that may switch with time, those in loops turn by turn."""
    waiting, seen = list(roots), set[Node]()
    while waiting:
        root = waiting.pop()
        for node in postorder([root]):
            if node in seen:
                continue
            seen.add(node)
            if isinstance(node, Reduce):
                inside = [each for each in postorder(node.children[2:]) if shapes.switching(each)]
                of_turn = [each for each in inside if node.var.uid in each.free]
                turns = _turns(node)
                if of_turn and (turns is None or len(seen) > 100 * _MOST):
                    unknown[root if node.free else node] = None
                elif of_turn and turns is not None:
                    waiting += [
                        substitute(each, {node.var: Num(turn)})
                        for turn in turns
                        for each in node.children[2:]
                    ]
            elif isinstance(node, Apply) and shapes.switching(node) and not node.free:
                yield node


def _turns(node: Reduce) -> range | None:
    """The values of a loop variable, if they are known and few."""
    if not (isinstance(node.lower, Num) and isinstance(node.upper, Num)):
        return None
    turns = range(int(node.lower.value), int(node.upper.value))
    return turns if len(turns) <= _LONGEST_LOOP else None


def _levels(node: Apply) -> Iterator[tuple[Node, bool]]:
    """Return the levels at which an operation switches."""
    op, args = node.op, [coerce(child, "real") for child in node.children]
    if op in _COMPARISONS:
        yield build("sub", args[0], args[1]), False
    elif op in ("abs", "sign"):
        yield args[0], False
    elif op in ("copysign", "atan2"):
        yield from ((arg, False) for arg in args)
    elif op in ("min", "max"):
        least = args[0]
        for arg in args[1:]:
            yield build("sub", least, arg), False
            least = build(op, least, arg)
    elif op in _PER_LEVEL:
        yield args[0], True
    elif op == "round":
        yield build("add", args[0], Num(0.5)), True
    else:
        yield build("div", args[0], args[1]), True


_SWITCHING = _COMPARISONS | _PER_LEVEL | {
    *("abs", "sign", "copysign", "atan2", "min", "max", "round", "mod", "floordiv")
}  # fmt: skip


class _Shapes:
    """What expressions are as functions of time; None: none of these, or of the states too."""

    def __init__(self) -> None:
        self._known: dict[Node, int | None] = {}
        self._pure: dict[Node, bool | None] = {}

    def timed(self, node: Node) -> bool:
        """Whether an expression is one of time and parameters alone, with time in it."""
        self._look(node)
        return self._pure[node] is True

    def switching(self, node: Node) -> bool:
        """Whether an operation switches with time, if with anything."""
        if not isinstance(node, Apply) or node.op not in _SWITCHING:
            return False
        counted = node.op not in _COMPARISONS or node.children[0].kind != "bool"
        return counted and self.timed(node)

    def of(self, node: Node) -> int | None:
        """The shape of an expression that is `timed`."""
        self._look(node)
        return self._known[node]

    def _look(self, root: Node) -> None:
        for node in postorder([root], self._known):
            if node not in self._known:
                self._pure[node] = self._purity(node)
                self._known[node] = self._shape(node) if self._pure[node] is not None else None

    def _purity(self, node: Node) -> bool | None:
        """True with time, False without; None with states."""
        if not node.children:
            if isinstance(node, Num | Param | LoopVar):
                return False
            return True if isinstance(node, Time) else None
        inner = [self._pure[child] for child in node.children]
        return None if None in inner else any(inner)

    def _shape(self, node: Node) -> int | None:
        if not node.children:
            return _AFFINE if isinstance(node, Time) else _CONSTANT
        inner = [self._known[child] for child in node.children]
        if all(each is not None and each < _AFFINE for each in inner):
            return max(each for each in inner if each is not None)
        if not isinstance(node, Apply) or None in inner:
            return None
        return _shape_of_affine(node.op, [each for each in inner if each is not None])


def _shape_of_affine(op: str, inner: list[int]) -> int | None:
    """The shape of an operation, some operands of which are affine."""
    if op in ("add", "sub", "neg", "abs", "min", "max", "cast_real"):
        return _AFFINE
    if op == "mul":
        return _AFFINE if min(inner) < _AFFINE else None
    if op in ("div", "mod"):
        return _AFFINE if inner[1] < _AFFINE else None
    if op == "floordiv":
        return _STEP if inner[1] < _AFFINE else None
    if op in ("select", "copysign"):
        return _AFFINE
    return _STEP if op in _COMPARISONS | _PER_LEVEL | {"sign", "round"} else None


def _size(node: Node, shapes: _Shapes) -> Node:
    """Return what bounds the numbers that a level is computed from."""
    done: dict[Node, Node] = {}
    for each in postorder([node]):
        done[each] = _size_of(each, [done[child] for child in each.children], shapes)
    return done[node]


def _size_of(node: Node, inner: list[Node], shapes: _Shapes) -> Node:
    plain = build("abs", coerce(node, "real"))
    if not isinstance(node, Apply) or shapes.of(node) != _AFFINE:
        return plain
    if node.op in ("add", "sub", "min", "max", "mod"):
        total = inner[0]
        for more in inner[1:]:
            total = build("add", total, more)
        return total
    if node.op == "mul":
        return build("mul", *inner)
    if node.op == "div":
        return build("div", inner[0], build("abs", node.children[1]))
    if node.op == "select":
        return build("select", node.children[0], *inner[1:])
    return inner[0] if node.op in ("neg", "abs", "copysign", "cast_real") else plain
