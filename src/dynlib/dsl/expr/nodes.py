"""The nodes of the expression tree.

Nodes are immutable and *hash-consed*: building the same expression twice gives the same object.
So ``is`` compares whole expressions, a node is a dictionary key at the price of a pointer, and an
expression is a directed acyclic graph in which everything that occurs twice is stored once.

Every node knows its `kind` (``real``, ``int`` or ``bool``), its `children`, the loop variables
that are `free` in it, and the `height` of the loops inside it.

A loop (`Reduce`) binds a variable whose number is greater than that of every loop inside its own
body.  Equal loops are therefore equal nodes, whatever names their variables were given, and no
inner loop can capture the variable of an outer one; `reduction` keeps it so.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from itertools import count
from threading import Lock
from typing import Any, Self
from weakref import WeakValueDictionary

from dynlib.abi.forks import whole_after_fork
from dynlib.dsl.expr.ops import Kind, result_kind

_known: WeakValueDictionary[tuple[Any, ...], Any] = WeakValueDictionary()
_lock = whole_after_fork(Lock(), level=2)
_set = object.__setattr__
_NOTHING: frozenset[int] = frozenset()


class Node:
    """An expression.

    Attributes
    ----------
    kind : {"real", "int", "bool"}
    children : tuple of Node
        The nodes that this one is computed from.
    free : frozenset of int
        Numbers of the loop variables that occur without the loop that binds them.
    height : int
        The greatest number of a loop variable bound inside; 0 without loops.
    """

    __slots__ = ("__weakref__", "children", "free", "height", "kind")

    kind: Kind
    children: tuple[Node, ...]
    free: frozenset[int]
    height: int

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"expressions are immutable; {name!r} cannot be set")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __repr__(self) -> str:
        return _describe(self, 3)


def _intern(cls: type[Node], key: tuple[Any, ...], fields: tuple[tuple[str, object], ...]) -> Any:
    """Return the node of this key, making and remembering it if it is new."""
    node = object.__new__(cls)
    for name, value in fields:
        _set(node, name, value)
    with _lock:
        return _known.setdefault(key, node)


def _leaf(kind: Kind, free: frozenset[int] = _NOTHING) -> tuple[tuple[str, object], ...]:
    return (("kind", kind), ("children", ()), ("free", free), ("height", 0))


class Num(Node):
    """A literal: a float (kind real), an int or a bool."""

    __slots__ = ("value",)
    value: float | int | bool

    def __new__(cls, value: float | int | bool) -> Num:
        """Return the literal."""
        # The representation tells 1 from 1.0 and True, 0.0 from -0.0, and nan from everything.
        key = ("num", repr(value))
        found: Num | None = _known.get(key)
        if found is not None:
            return found
        kind: Kind = "real"
        if isinstance(value, bool):
            kind = "bool"
        elif isinstance(value, int):
            kind = "int"
        made: Num = _intern(cls, key, (("value", value), *_leaf(kind)))
        return made


class Name(Node):
    """A name that could not be resolved; it only stands in for something after an error."""

    __slots__ = ("name", "span")
    name: str
    span: tuple[int, int]

    def __new__(cls, name: str, span: tuple[int, int] = (0, 0)) -> Name:
        """Return the stand-in."""
        made: Name = _intern(
            cls, ("name", name, span), (("name", name), ("span", span), *_leaf("real"))
        )
        return made


class _Indexed(Node):
    __slots__ = ("index", "name")
    index: int
    name: str

    def __new__(cls, index: int, name: str, kind: Kind = "real") -> Self:
        key = (cls.__name__, index, name, kind)
        made: Self | None = _known.get(key)
        if made is None:
            made = _intern(cls, key, (("index", index), ("name", name), *_leaf(kind)))
        return made


class State(_Indexed):
    """The current value of a state."""

    __slots__ = ()


class Param(_Indexed):
    """A parameter."""

    __slots__ = ()


class Previous(_Indexed):
    """A state at the start of the step under examination."""

    __slots__ = ()


class Lag(Node):
    """A state as it was ``k`` committed steps back, ``k`` at least 1."""

    __slots__ = ("index", "k", "name")
    index: int
    name: str
    k: int

    def __new__(cls, index: int, name: str, k: int, kind: Kind = "real") -> Lag:
        """Return the lagged state."""
        fields = (("index", index), ("name", name), ("k", k), *_leaf(kind))
        made: Lag = _intern(cls, ("lag", index, name, k, kind), fields)
        return made


class _Singleton(Node):
    __slots__ = ()
    _kind: Kind = "real"

    def __new__(cls) -> Self:
        key = (cls.__name__,)
        made: Self | None = _known.get(key)
        return _intern(cls, key, _leaf(cls._kind)) if made is None else made


class Time(_Singleton):
    """Time, or the iteration index of a map as a real number."""

    __slots__ = ()


class PreviousTime(_Singleton):
    """Time at the start of the step under examination."""

    __slots__ = ()


class Iteration(_Singleton):
    """The iteration index of a map."""

    __slots__ = ()
    _kind: Kind = "int"


class LoopVar(Node):
    """The variable of a `Reduce`; negative numbers are not yet bound by one."""

    __slots__ = ("name", "uid")
    uid: int
    name: str

    def __new__(cls, uid: int, name: str) -> LoopVar:
        """Return the loop variable."""
        fields = (("uid", uid), ("name", name), *_leaf("int", frozenset((uid,))))
        made: LoopVar = _intern(cls, ("var", uid, name), fields)
        return made


class Apply(Node):
    """An operation, a key of `OPS`, applied to operands."""

    __slots__ = ("op",)
    op: str

    def __new__(cls, op: str, args: tuple[Node, ...]) -> Apply:
        """Return the operation, as it is; `build` simplifies."""
        key = (op, args)
        found: Apply | None = _known.get(key)
        if found is not None:
            return found
        free, height = _NOTHING, 0
        for arg in args:
            if arg.free:
                free = free | arg.free
            if arg.height > height:
                height = arg.height
        kind = result_kind(op, tuple(arg.kind for arg in args))
        made: Apply = _intern(
            cls,
            key,
            (("op", op), ("kind", kind), ("children", args), ("free", free), ("height", height)),
        )
        return made

    @property
    def args(self) -> tuple[Node, ...]:
        """The operands."""
        return self.children


class Reduce(Node):
    """A sum or product of ``body`` for ``var`` in ``range(lower, upper)`` where ``condition``.

    Build it with `reduction`, which numbers the variable.
    """

    __slots__ = ("op", "var")
    op: str
    var: LoopVar

    def __new__(
        cls, op: str, var: LoopVar, lower: Node, upper: Node, body: Node, condition: Node
    ) -> Reduce:
        """Return the loop, as it is; `reduction` numbers and simplifies."""
        inner = (body.free | condition.free) - {var.uid}
        fields = (
            ("op", op),
            ("var", var),
            ("kind", body.kind),
            ("children", (lower, upper, body, condition)),
            ("free", inner | lower.free | upper.free),
            ("height", max(var.uid, lower.height, upper.height)),
        )
        made: Reduce = _intern(cls, (op, var, lower, upper, body, condition), fields)
        return made

    @property
    def lower(self) -> Node:
        """The first value of the variable."""
        return self.children[0]

    @property
    def upper(self) -> Node:
        """The value before which it ends."""
        return self.children[1]

    @property
    def body(self) -> Node:
        """What is added or multiplied."""
        return self.children[2]

    @property
    def condition(self) -> Node:
        """For which values it is; `TRUE` for all."""
        return self.children[3]


ZERO, ONE, TRUE, FALSE = Num(0.0), Num(1.0), Num(True), Num(False)

_fresh = count(-1, -1)


def fresh_variable(name: str) -> LoopVar:
    """Return a loop variable that occurs nowhere yet."""
    return LoopVar(next(_fresh), name)


def postorder(roots: Iterable[Node], ends: Container[Node] = ()) -> list[Node]:
    """Return every node of the graph once, each after the nodes it is computed from.

    What lies below the nodes in ``ends`` is left out, unless something else needs it.
    """
    order: list[Node] = []
    seen: set[Node] = set()
    stack = list(roots)[::-1]
    while stack:
        node = stack[-1]
        if node in seen:
            stack.pop()
            continue
        waiting = [child for child in node.children if child not in seen]
        if waiting and node not in ends:
            stack.extend(reversed(waiting))
        else:
            seen.add(node)
            order.append(stack.pop())
    return order


def _describe(node: Node, depth: int) -> str:
    if not node.children:
        names = (name for cls in type(node).__mro__ for name in getattr(cls, "__slots__", ()))
        hidden = set(Node.__slots__)
        parts = sorted(f"{name}={getattr(node, name)!r}" for name in names if name not in hidden)
        return f"{type(node).__name__}({', '.join(parts)})"
    head = node.op if isinstance(node, Apply | Reduce) else type(node).__name__
    if depth == 0:
        return f"{head}(...)"
    return f"{head}({', '.join(_describe(child, depth - 1) for child in node.children)})"
