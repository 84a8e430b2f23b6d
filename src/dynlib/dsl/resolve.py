"""Resolve the expressions of a model: functions, aux and equations."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dynlib.dsl.binding import bind_piece, parse_piece, read, report
from dynlib.dsl.blocks import Piece, Statement
from dynlib.dsl.expr import (
    ExprError,
    Function,
    Kind,
    Lag,
    Node,
    Parsed,
    Previous,
    PreviousTime,
    Scope,
    check_function,
    coerce,
    parse_expression,
    postorder,
)
from dynlib.dsl.issues import Issues
from dynlib.dsl.parse import unknown_state
from dynlib.dsl.raw import RawModel

_SHOWN = 12  # names of a circle


@dataclass(eq=False)
class Resolver:
    """Turns expressions of one model into trees, and gathers what is wrong with them.

    Parameters
    ----------
    model : RawModel
    scope : Scope
        States, params and constants; functions and aux are added by `resolve_functions` and
        `resolve_aux`.
    issues : list of Issue
        Grows.
    """

    model: RawModel
    scope: Scope
    issues: Issues

    def extend(self, **parts: Any) -> None:
        """Add names to the scope."""
        self.scope = replace(self.scope, **parts)

    @property
    def number(self) -> Kind:
        """The kind of states and params."""
        return "int" if self.scope.integer else "real"

    def condition(self, piece: Piece) -> Node | None:
        """Return the tree of a condition."""
        return read(piece, self.scope, "bool", self.issues)

    def amount(self, piece: Piece) -> Node | None:
        """Return the tree of something to show: a real, or an int where the model has ints."""
        node = read(piece, self.scope, None, self.issues)
        return self.shown(node) if node is not None else None

    def shown(self, node: Node) -> Node:
        """Return something to show as a number; what is real in a model of integers stays so."""
        real = self.scope.integer and node.kind == "real"
        return node if real else coerce(node, self.number)

    def next_value(self, piece: Piece, scope: Scope | None = None) -> Node | None:
        """Return the tree of a value that a state or param takes."""
        node = read(piece, scope or self.scope, None, self.issues)
        if node is not None and self.scope.integer and node.kind == "real":
            dtype = self.model.head.get("dtype")
            message = f"the expression is real, but the model has dtype {dtype}"
            hint = 'Use //, floor(..), round(..) or int(..), or set dtype = "float64".'
            self.issues.append(piece.issue(message, hint))
            return None
        return coerce(node, self.number) if node is not None else None


def resolve_functions(resolver: Resolver) -> None:
    """Parse and check the functions, and make them known to the expressions that follow."""
    raw, issues = resolver.model.functions, resolver.issues
    parsed = {name: parse_piece(each.body, issues) for name, each in raw.items()}
    good = {name: each for name, each in parsed.items() if each is not None}
    broken = set(raw) - set(good)
    for circle in circles({name: each.calls for name, each in good.items()}):
        _report_circle(circle, "function", good, [raw[name].body for name in circle], issues)
        broken |= set(circle)
    known = {name: Function(raw[name].args, good[name]) for name in good if name not in broken}
    resolver.extend(functions=known, poisoned=resolver.scope.poisoned | broken)
    # Aux are bound later, so they count as known here; the bodies of functions that are called are
    # looked at on their own.
    nothing = parse_expression("0")
    stubs = {name: Function(each.args, nothing) for name, each in known.items()}
    lenient = replace(
        resolver.scope,
        functions=stubs,
        poisoned=resolver.scope.poisoned | set(resolver.model.aux),
    )
    for name, function in known.items():
        try:
            check_function(function, lenient, issues.work.spend)
        except ExprError as error:
            report(raw[name].body, error, issues)
            broken.add(name)
    known = {name: each for name, each in known.items() if name not in broken}
    resolver.extend(functions=known, poisoned=resolver.scope.poisoned | broken)


def resolve_aux(resolver: Resolver) -> dict[str, Node]:
    """Return the trees of the aux variables, each bound after those that it uses."""
    raw, issues = resolver.model.aux, resolver.issues
    parsed = {name: parse_piece(piece, issues) for name, piece in raw.items()}
    good = {name: each for name, each in parsed.items() if each is not None}
    functions, spend = resolver.scope.functions, issues.work.spend
    uses = {name: _reach(each, functions, spend) for name, each in good.items()}
    broken = set(raw) - set(good)
    for circle in circles(uses):
        _report_circle(circle, "aux", good, [raw[name] for name in circle], issues)
        broken |= set(circle)
    bound: dict[str, Node] = {}
    poisoned = {*resolver.scope.poisoned, *broken}
    scope = replace(resolver.scope, aux=bound, poisoned=poisoned)
    for name in (name for level in _levels(uses, broken) for name in level):
        node = bind_piece(raw[name], good[name], scope, None, issues)
        if node is None:
            broken.add(name)
            poisoned.add(name)
        else:
            bound[name] = node
            scope.declare(name, node)
    ordered = {name: bound[name] for name in raw if name in bound}
    resolver.extend(aux=ordered, poisoned=resolver.scope.poisoned | broken)
    return ordered


def _reach(
    parsed: Parsed, functions: Mapping[str, Function], spend: Callable[[int], None]
) -> set[str]:
    """Return the names that an expression uses, those inside of called functions too."""
    names, waiting, seen = set(parsed.names), list(parsed.calls), set[str]()
    while waiting:
        function = functions.get(call := waiting.pop())
        if function is not None and call not in seen:
            seen.add(call)
            spend(1 + len(function.body.names) + len(function.body.calls))
            names |= set(function.body.names) - set(function.args)
            waiting += function.body.calls
    return names


def circles(uses: Mapping[str, Iterable[str]]) -> Iterator[list[str]]:
    """Yield the cycles of a graph of names, each once, ``["a", "b"]`` for a -> b -> a."""
    state: dict[str, int] = {}  # 1 while its successors are looked at, 2 when done
    for root in uses:
        path: list[str] = []
        stack = [(root, iter(sorted(uses[root])))] if root not in state else []
        while stack:
            name, successors = stack[-1]
            if state.get(name) is None:
                state[name] = 1
                path.append(name)
            following = next((each for each in successors if each in uses), None)
            if following is None:
                state[name] = 2
                path.pop()
                stack.pop()
            elif state.get(following) == 1:
                yield path[path.index(following) :]
            elif following not in state:
                stack.append((following, iter(sorted(uses[following]))))


def _report_circle(
    circle: list[str],
    what: str,
    parsed: Mapping[str, Parsed],
    pieces: list[Piece],
    issues: Issues,
) -> None:
    first, following = circle[0], circle[1 % len(circle)]
    shown = " -> ".join([*circle, first])
    if len(circle) > _SHOWN:
        shown = f"{' -> '.join(circle[:_SHOWN])} -> ... -> {first}"
    place = parsed[first].names.get(following) or parsed[first].calls.get(following)
    if what == "function":
        message, hint = (
            f"the function {first!r} calls itself: {shown}",
            ("Functions are inlined, so they cannot be recursive."),
        )
    else:
        message, hint = f"{what} {first!r} depends on itself: {shown}", "Break the circle."
    start, end = place or (0, len(pieces[0].text))
    issues.append(pieces[0].issue(message, hint, start, end))


def _levels(uses: Mapping[str, set[str]], broken: set[str]) -> list[list[str]]:
    """Return groups of names, each using names of earlier groups only; there are no cycles."""
    users: dict[str, list[str]] = {name: [] for name in uses}
    waiting: dict[str, int] = {}
    for name in uses:
        needs = [each for each in uses[name] if each in uses and each not in broken]
        waiting[name] = len(needs)
        for each in needs:
            users[each].append(name)
    level = [name for name in uses if not waiting[name] and name not in broken]
    levels = []
    while level:
        levels.append(level)
        following = []
        for user in (user for name in level for user in users[name]):
            waiting[user] -= 1
            if not waiting[user] and user not in broken:
                following.append(user)
        level = following
    return levels


def resolve_equations(resolver: Resolver) -> tuple[Node, ...]:
    """Return one tree for each state, in their order; a missing equation is noted."""
    scope = replace(resolver.scope, edges=False)
    return _equations(resolver, resolver.model.equations.rhs, scope, "")


def resolve_inverse(resolver: Resolver) -> tuple[Node, ...] | None:
    """Return the trees of the inverse map, if there is one."""
    equations = resolver.model.equations.inverse
    if equations is None:
        return None
    scope = replace(resolver.scope, edges=False, lags=False)
    return _equations(resolver, equations, scope, "inverse ")


def _equations(
    resolver: Resolver, equations: Mapping[str, Statement], scope: Scope, what: str
) -> tuple[Node, ...]:
    states, issues = resolver.model.states, resolver.issues
    read_ones: list[tuple[Piece, Node]] = []
    for name, statement in equations.items():
        if name not in states:
            issues.append(statement.target.issue(*unknown_state(name, states)))
    for name, entry in states.items():
        if name not in equations:
            table = "[equations.inverse.rhs]" if what else "[equations.rhs]"
            message = f"the state {name!r} has no {what}equation"
            issues.append(entry.key_issue(message, f'Add {name} = "..." under {table}.'))
            continue
        piece = equations[name].value
        node = resolver.next_value(piece, scope)
        if node is not None:
            read_ones.append((piece, node))
    check_leaves(read_ones, scope, issues)
    return tuple(node for _, node in read_ones)


def check_leaves(found: Sequence[tuple[Piece, Node]], scope: Scope, issues: Issues) -> None:
    """Refuse what came in by way of an aux and has no meaning in an equation."""
    if _strangers([node for _, node in found], scope):  # looked for in all at once: most have none
        for piece, node in found:
            _check_leaves(piece, node, scope, issues)


def _strangers(nodes: Sequence[Node], scope: Scope) -> list[Node]:
    kinds = (Previous, PreviousTime) if scope.lags else (Previous, PreviousTime, Lag)
    return [each for each in postorder(nodes) if isinstance(each, kinds)]


def _check_leaves(piece: Piece, node: Node, scope: Scope, issues: Issues) -> None:
    order = postorder([node])
    issues.work.spend(len(order))
    leaves = [each for each in order if not each.children]
    if any(isinstance(each, Previous | PreviousTime) for each in leaves):
        message = "an equation cannot look back at the start of the step"
        hint = "An aux used here does (cross_up and its kin); use it in events and stop only."
        issues.append(piece.issue(message, hint))
    if not scope.lags and any(isinstance(each, Lag) for each in leaves):
        message = "an inverse map cannot look back at earlier steps"
        issues.append(piece.issue(message, "An aux used here does (lag_x and its kin)."))
