"""Resolve the names of a parsed expression and give it the few node types of the tree.

Functions are inlined *hygienically*: a function's argument is bound to the expression it is
called with, in a table of its own, so no name of the caller can be captured.  The same call with
the same arguments is inlined once.  Binding does not recurse on Python's stack (see `recursion`),
so neither long sums nor functions that call functions can exhaust it.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any

from dynlib.dsl.expr import diagnostics, macros
from dynlib.dsl.expr.errors import ExprError
from dynlib.dsl.expr.fold import fits, to_real
from dynlib.dsl.expr.limits import (
    MAX_CALLS,
    MAX_ERRORS,
    MAX_EXPONENT,
    MAX_INLINING,
    MAX_LOOPS,
    MAX_RANGE,
    MAX_TURNS,
)
from dynlib.dsl.expr.nodes import TRUE, Name, Node, Num, Reduce, fresh_variable, postorder
from dynlib.dsl.expr.ops import CASTS, EDGE_MACROS, FUNCTIONS, OPS, SCALAR_MACROS
from dynlib.dsl.expr.recursion import trampoline
from dynlib.dsl.expr.scope import Function, Scope
from dynlib.dsl.expr.substitute import Without, reduction
from dynlib.dsl.expr.syntax import (
    Binary,
    Call,
    Comparison,
    Conditional,
    Literal,
    Loop,
    Parsed,
    Syntax,
    Unary,
    Word,
)
from dynlib.dsl.expr.typed import apply, coerce, literal_exponent, whole

Task = Generator[Any, Node, Node]

BROKEN = Name("broken")
"""Stands for what could not be bound, so that the rest can be looked at."""

_PIECE = 8  # units of work for each piece of syntax


@dataclass(frozen=True, slots=True)
class _Place:
    """Where binding is: the names known there, and the calls that led there."""

    own: dict[str, Node]  # arguments and loop variables; all else is in the scope's table
    path: tuple[str, ...] = ()
    call: Call | None = None  # the outermost call, in the text of the expression


def bind(parsed: Parsed, scope: Scope, spend: Callable[[int], None] | None = None) -> Node:
    """Return the expression with all names resolved, functions inlined, types made explicit.

    Parameters
    ----------
    parsed : Parsed
        From `parse_expression`.
    scope : Scope
        What the names stand for.
    spend : callable, optional
        Is told the units of work before they are done, and may raise.

    Returns
    -------
    Node
        Simplified; made of `Num`, `State`, `Param`, `Time`, `Iteration`, `Lag`, `Previous`,
        `PreviousTime`, `LoopVar`, `Apply` and `Reduce` only.  Its kind is that of the expression;
        see `coerce`.

    Raises
    ------
    ExprError
        The first problem, with all others in its ``errors``.
    """
    binder = _Binder(scope, spend)
    return binder.whole(parsed.root, {})


def check_function(
    function: Function, scope: Scope, spend: Callable[[int], None] | None = None
) -> None:
    """Raise what is wrong with the body of a function, whether it is called or not.

    Raises
    ------
    ExprError
        With places in the text of the body.
    """
    binder = _Binder(scope, spend)
    values: dict[str, Node] = {name: Name(name) for name in function.args}
    binder.whole(function.body.root, values)


class _Binder:
    def __init__(self, scope: Scope, spend: Callable[[int], None] | None) -> None:
        self.scope = scope
        self.spend = spend or _nothing
        self.errors: list[ExprError] = []
        self.inlined: dict[tuple[str, tuple[Node, ...]], Node] = {}
        self.visited = 0

    def whole(self, root: Syntax, own: dict[str, Node]) -> Node:
        """Return what an expression stands for, or raise what is wrong with it."""
        task = self.bind(root, _Place(own))
        node = task if isinstance(task, Node) else trampoline(task)
        self.raise_errors()
        return node

    def raise_errors(self) -> None:
        if self.errors:
            first, *more = sorted(self.errors, key=lambda error: (error.start, error.end))
            first.more = tuple(more)
            raise first

    def refuse(self, place: _Place, error: ExprError) -> Node:
        """Note a problem; one inside a function is laid at the call."""
        self.spend(len(self.scope.table))  # among which likely slips were looked for
        if place.call is not None:
            message = f"in function {place.path[-1]!r}: {error.message}"
            error = ExprError(message, place.call.start, place.call.end, error.hint)
        if all((error.message, error.start) != (e.message, e.start) for e in self.errors):
            self.errors.append(error)
        if len(self.errors) >= MAX_ERRORS:
            self.raise_errors()
        return BROKEN

    def known(self, place: _Place) -> Mapping[str, Node]:
        """Return everything that is a value where binding is, for messages."""
        return ChainMap(place.own, self.scope.table)

    def bind(self, piece: Syntax, place: _Place) -> Task | Node:
        """Return the task that binds a piece, or what a name or a number stands for."""
        self.spend(_PIECE)
        if place.path:
            self.visited += 1
            if self.visited > MAX_INLINING:
                return self.give_up(place)
        return _BINDERS[type(piece)](self, piece, place)

    def give_up(self, place: _Place) -> Node:
        assert place.call is not None
        raise ExprError(
            "inlining the functions makes this expression too long",
            place.call.start,
            place.call.end,
            "use [aux] for what is needed more than once",
        )

    def literal(self, piece: Literal, place: _Place) -> Node:
        if isinstance(piece.value, float) or fits(piece.value):
            return Num(piece.value)
        if self.scope.integer:
            return self.refuse(place, diagnostics.large_number(piece))
        return Num(to_real(piece.value))

    def word(self, piece: Word, place: _Place) -> Node:
        found = place.own.get(piece.name) or self.scope.table.get(piece.name)
        if found is not None:
            return found
        if piece.name in self.scope.poisoned:
            return BROKEN
        return self.refuse(place, diagnostics.unknown_name(piece, self.scope, self.known(place)))

    def unary(self, piece: Unary, place: _Place) -> Task:
        operand = yield self.bind(piece.operand, place)
        if piece.op == "pos":
            return operand
        return apply(piece.op, [operand], integer=self.scope.integer)

    def binary(self, piece: Binary, place: _Place) -> Task:
        left = yield self.bind(piece.left, place)
        right = yield self.bind(piece.right, place)
        if piece.op == "pow" and abs(literal_exponent(right) or 0) > MAX_EXPONENT:
            error = diagnostics.large_exponent(piece)
            return self.refuse(place, error)
        if self.scope.kind == "numeric" and _divides_by_zero(piece.op, left, right):
            return self.refuse(place, diagnostics.zero_divisor(piece))
        return apply(piece.op, [left, right], integer=self.scope.integer)

    def comparison(self, piece: Comparison, place: _Place) -> Task:
        result: Node = TRUE
        left = yield self.bind(piece.operands[0], place)
        for op, operand in zip(piece.ops, piece.operands[1:], strict=True):
            right = yield self.bind(operand, place)
            result = apply("and", [result, apply(op, [left, right])])
            left = right
        return result

    def conditional(self, piece: Conditional, place: _Place) -> Task:
        test = yield self.bind(piece.test, place)
        yes = yield self.bind(piece.yes, place)
        no = yield self.bind(piece.no, place)
        return apply("select", [test, yes, no])

    # --- calls ---

    def call(self, piece: Call, place: _Place) -> Task:
        args: list[Node] = []
        for arg in piece.args:
            bound = yield self.bind(arg, place)
            args.append(bound)
        function = self.scope.functions.get(piece.name)
        if function is not None:
            return (yield self.inline(piece, function, args, place))
        if piece.name in self.scope.poisoned:
            return BROKEN
        return self.builtin(piece, args, place)

    def inline(self, piece: Call, function: Function, args: list[Node], place: _Place) -> Task:
        name = piece.name
        error = diagnostics.argument_count(piece, len(function.args), len(function.args))
        if error is not None:
            return self.refuse(place, error)
        if name in place.path or len(place.path) >= MAX_CALLS:
            return self.refuse(place, diagnostics.recursion(piece, place.path))
        key = (name, tuple(args))
        if key not in self.inlined:
            given = dict(zip(function.args, args, strict=True))
            inside = _Place(given, (*place.path, name), place.call or piece)
            self.inlined[key] = yield self.bind(function.body.root, inside)
        return self.inlined[key]

    def builtin(self, piece: Call, args: list[Node], place: _Place) -> Node:
        """Return a call of a function of the language."""
        name = piece.name
        if name.startswith("lag_") and name not in place.own and name not in self.scope.table:
            return self.lag(piece, args, place)
        least, most = _arity(name)
        if least == 0:
            unknown = diagnostics.unknown_function(piece, self.scope, self.known(place))
            return self.refuse(place, unknown)
        error = diagnostics.argument_count(piece, least, most)
        if error is not None:
            return self.refuse(place, error)
        integer = self.scope.integer
        if name == "int" and not integer:
            return whole(args[0])
        if name in CASTS:
            return coerce(args[0], CASTS[name])
        if name in SCALAR_MACROS:
            return macros.scalar(name, args, integer=integer)
        if name in EDGE_MACROS:
            if not self.scope.edges and name != "in_interval":
                return self.refuse(place, diagnostics.edge_forbidden(piece))
            self.spend(4 * len(postorder(args)))  # of which twins at the start of the step are made
            return macros.edge(name, args, integer=integer)
        return apply(FUNCTIONS[name], args, integer=integer)

    def lag(self, piece: Call, args: list[Node], place: _Place) -> Node:
        scope = self.scope
        error = diagnostics.bad_lag(piece, args, scope, self.known(place))
        if error is not None:
            return self.refuse(place, error)
        k = args[0].value if args and isinstance(args[0], Num) else 1
        state = piece.name.removeprefix("lag_")
        return macros.lag(scope.state_index[state], state, int(k), scope.number_kind)

    # --- loops ---

    def loop(self, piece: Loop, place: _Place) -> Task:
        lower: Node = Num(0)
        if piece.lower is not None:
            lower = self.bound(piece.lower, (yield self.bind(piece.lower, place)), place)
        upper = self.bound(piece.upper, (yield self.bind(piece.upper, place)), place)
        var = fresh_variable(piece.var.name)
        inner = _Place({**place.own, piece.var.name: var}, place.path, place.call)
        body = yield self.bind(piece.body, inner)
        where: Node = TRUE
        if piece.where is not None:
            where = coerce((yield self.bind(piece.where, inner)), "bool")
        if body.kind != "real":
            body = coerce(body, "int" if self.scope.integer or piece.op == "sum" else "real")
        self.spend(4 * len(postorder([body, where], Without(var))))
        node = reduction(piece.op, var, lower, upper, body, where)
        error = _loop_error(piece, lower, upper, node)
        return node if error is None else self.refuse(place, error)

    def bound(self, piece: Syntax, node: Node, place: _Place) -> Node:
        """Return a bound of a range as an int; a parameter is cut, but not a literal."""
        if isinstance(node, Num) and isinstance(node.value, float) and not node.value.is_integer():
            return self.refuse(place, diagnostics.fraction_in_range(piece, node.value))
        return coerce(node, "int")


class _Loopless:
    """All expressions without loops."""

    def __contains__(self, node: object) -> bool:
        return isinstance(node, Node) and not node.height


def _nothing(units: int) -> None:
    """Count no work."""


def _arity(name: str) -> tuple[int, int | None]:
    """Return the least and greatest number of arguments of a function of the language."""
    if name in FUNCTIONS:
        op = OPS[FUNCTIONS[name]]
        return op.least, op.most
    count = 1 if name in CASTS else SCALAR_MACROS.get(name, EDGE_MACROS.get(name, 0))
    return count, count


def _divides_by_zero(op: str, left: Node, right: Node) -> bool:
    """Tell whether a whole number is divided by zero, which gives 0, as with NumPy.

    No constant means that; an equation may have such a quotient where it is not selected.
    """
    whole = left.kind == right.kind == "int" and op in ("floordiv", "mod")
    return whole and isinstance(right, Num) and right.value == 0


def _loop_error(piece: Loop, lower: Node, upper: Node, node: Node) -> ExprError | None:
    """Return the error about a loop that turns too often or lies too deep."""
    turns = _turns(lower, upper)
    if turns > MAX_RANGE:
        return diagnostics.long_range(piece, turns)
    if _most_turns(node) > MAX_TURNS:
        return ExprError(
            f"these sums within sums have {_most_turns(node)} terms; at most {MAX_TURNS} allowed",
            piece.start,
            piece.end,
        )
    if _depth(node) > MAX_LOOPS:
        message = f"sums may be nested {MAX_LOOPS} deep"
        return ExprError(message, piece.start, piece.end)
    return None


def _turns(lower: Node, upper: Node) -> int:
    """Return how often a loop turns, if both bounds are literals, else 1."""
    if isinstance(lower, Num) and isinstance(upper, Num):
        return max(0, int(upper.value) - int(lower.value))
    return 1


def _most_turns(root: Node) -> int:
    """Return how often the innermost body of nested loops is worked out at most."""
    return _weigh(root, lambda node, inner: inner * max(1, _turns(node.lower, node.upper)), 1)


def _depth(root: Node) -> int:
    return _weigh(root, lambda node, inner: inner + 1, 0)


def _weigh(root: Node, weight: Callable[[Reduce, int], int], least: int) -> int:
    """Return the greatest weight of a nest of loops, worked out from the inside."""
    if not root.height:
        return least
    done: dict[Node, int] = {}
    for node in postorder([root], _Loopless()):
        inner = max((done.get(child, least) for child in node.children), default=least)
        done[node] = weight(node, inner) if isinstance(node, Reduce) else inner
    return done[root]


_BINDERS: dict[type[Syntax], Callable[[_Binder, Any, _Place], Task | Node]] = {
    Literal: _Binder.literal,
    Word: _Binder.word,
    Unary: _Binder.unary,
    Binary: _Binder.binary,
    Comparison: _Binder.comparison,
    Conditional: _Binder.conditional,
    Call: _Binder.call,
    Loop: _Binder.loop,
}
