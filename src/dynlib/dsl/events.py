"""Events and stop conditions: what may happen during a run."""

import re
from collections.abc import Iterator

from dynlib.dsl.binding import parse_piece
from dynlib.dsl.blocks import Piece, Statement
from dynlib.dsl.expr import Node, Param, State, level_function, postorder
from dynlib.dsl.expr.ops import INSTANTS
from dynlib.dsl.expr.syntax import Binary, Call
from dynlib.dsl.issues import Issues
from dynlib.dsl.raw import RawEvent, RawStop
from dynlib.dsl.resolve import Resolver
from dynlib.dsl.spec import Action, EventSpec, LogColumn, StopSpec
from dynlib.dsl.work import Work
from dynlib.errors import Issue
from dynlib.suggest import did_you_mean

_EQUATION = re.compile(r"([^=<>!,]+?)\s*(=)\s*([^=<>!,]+)")  # with a single sign
_JOINED = re.compile(r"\b(and|or|not|if)\b")
_EACH = 60  # units of work for each event
_PLAIN = re.compile(r"[\w.]+")  # a name or a number, which needs no brackets


def resolve_events(resolver: Resolver) -> tuple[EventSpec, ...]:
    """Return the events in declared order; those with problems are noted and left out."""
    events = (_resolve_event(resolver, name, raw) for name, raw in resolver.model.events.items())
    return tuple(event for event in events if event is not None)


def resolve_stop(resolver: Resolver) -> StopSpec | None:
    """Return the stop condition, if the model has one."""
    raw = resolver.model.stop
    if raw is None:
        return None
    cond = _condition(resolver, raw.cond)
    locate = _may_locate(resolver, raw, "stop condition")
    if cond is None:
        return None
    if locate:
        resolver.issues.work.spend(3 * len(postorder([cond])))
    level = level_function(cond) if locate else None
    return StopSpec(cond, level, raw.phase, locate, raw.cond.tidy)


def _condition(resolver: Resolver, piece: Piece) -> Node | None:
    """Return the tree of a condition; of a flow, ``x = 0.5`` means the instant when it passes."""
    found = _EQUATION.fullmatch(piece.text)
    joined = _JOINED.search(piece.text)
    if found is None or joined or resolver.model.kind != "ode":
        return resolver.condition(piece)
    at = found.start(2)
    resolver.issues.append(
        piece.issue(
            "'=' assigns, and no step of a flow meets a number exactly",
            f"Write cross_either({found[1]}, {found[3]}): it holds where the number is passed.",
            at,
            at + 1,
        )
    )
    return None


def _resolve_event(resolver: Resolver, name: str, raw: RawEvent) -> EventSpec | None:
    work = resolver.issues.work
    work.spend(_EACH)
    cond = _condition(resolver, raw.cond)
    actions = [_resolve_action(resolver, each) for each in raw.actions]
    log = _resolve_log(resolver, raw)
    locate = _may_locate(resolver, raw, "event")
    if cond is None:
        return None
    if locate:
        work.spend(3 * len(postorder([cond])))
    direction = raw.direction
    if direction == "falling":
        resolver.issues.extend(_never_falls(raw, work))
    elif direction == "either" and _instant(raw, work) is not None:
        direction = "rising"  # it never becomes false: an action may only undo what was crossed
    return EventSpec(
        name=name,
        cond=cond,
        level=level_function(cond) if locate else None,
        phase=raw.phase,
        direction=direction,
        locate=locate,
        actions=tuple(action for action in actions if action is not None),
        log=log,
        tags=raw.tags,
        text=raw.cond.tidy,
    )


def _never_falls(raw: RawEvent, work: Work) -> Iterator[Issue]:
    """Return the error message about an edge whose end an event waits for, if it does."""
    entry, name = raw.item.get("direction"), _instant(raw, work)
    assert entry is not None  # raw.direction was read from it
    if name is not None:
        message = f"{name}() holds for an instant only: it never becomes false"
        yield entry.issue(message, "Leave direction out: the call itself says which change it is.")


def _instant(raw: RawEvent, work: Work) -> str | None:
    """The name of the call because of which a condition holds for an instant only, if it does.

    With ``and`` one such side is enough, with ``or`` both have to be such.
    """
    parsed = parse_piece(raw.cond, Issues(work))
    if parsed is None:
        return None
    order, stack = [], [parsed.root]
    while stack:
        node = stack.pop()
        order.append(node)
        if isinstance(node, Binary) and node.op in ("and", "or"):
            stack += [node.left, node.right]
    names: dict[int, str | None] = {}
    for node in reversed(order):  # sides before what they are sides of
        name = None
        if isinstance(node, Call) and node.name in INSTANTS:
            name = node.name
        elif isinstance(node, Binary) and node.op in ("and", "or"):
            left, right = names[id(node.left)], names[id(node.right)]
            name = (left or right) if node.op == "and" else (left and right)
        names[id(node)] = name
    return names[id(parsed.root)]


def _may_locate(resolver: Resolver, raw: RawEvent | RawStop, what: str) -> bool:
    """Tell whether a condition is located; asking for what cannot be is an error."""
    flow = resolver.model.kind == "ode"
    possible = flow and raw.phase != "start"
    wanted = raw.locate is None or bool(raw.locate.value)
    if raw.locate is not None and wanted and not possible:
        why = "a condition at the start of a step has no instant within it"
        if not flow:
            why = "a map has no time between its steps"
        message = f"the {what} cannot be located: {why}"
        resolver.issues.append(raw.locate.issue(message, "Remove locate."))
    return possible and wanted


def _resolve_action(resolver: Resolver, statement: Statement) -> Action | None:
    target = _target(resolver, statement.target)
    value = statement.value
    if parse_piece(value, resolver.issues) is None:
        return None
    if statement.op and target is not None:
        name = statement.target.text
        opening, closing = ("", "") if _PLAIN.fullmatch(value.text) else ("(", ")")
        head = f"{name} {statement.op} {opening}"
        value = Piece(f"{head}{value.text}{closing}", value.item, _shift(value.start, len(head)))
    node = resolver.next_value(value)
    if target is None or node is None:
        return None
    return Action(target, node, value.tidy)


def _shift(start: int | None, length: int) -> int | None:
    return start - length if start is not None else None


def _target(resolver: Resolver, piece: Piece) -> State | Param | None:
    """Return the state or param that an action assigns."""
    name, model = piece.text, resolver.model
    if name in model.states or name in model.params:
        node: Node = resolver.scope.table[name]
        return node if isinstance(node, State | Param) else None
    hint = "An action assigns states and params."
    for what, held in (
        ("a constant", model.constants),
        ("an aux variable", model.aux),
        ("a function", model.functions),
        ("time", ("t",)),
    ):
        if name in held:
            message = f"an action cannot assign {name!r}, which is {what}"
            if held is model.constants:
                hint = f"Declare {name!r} in [params] to change it during a run."
            resolver.issues.append(piece.issue(message, hint))
            return None
    known = [*model.states, *model.params]
    message = f"unknown state or param {name!r}"
    if not name.isidentifier():
        message = f"{name!r} is no state or param"
    hint = f"Known: {', '.join(known)}.{did_you_mean(name, known)}"
    resolver.issues.append(piece.issue(message, hint))
    return None


def _resolve_log(resolver: Resolver, raw: RawEvent) -> tuple[LogColumn, ...]:
    columns: dict[str, LogColumn] = {}
    for piece in raw.log:
        node = resolver.amount(piece)
        if piece.text in columns:
            resolver.issues.append(piece.issue(f"the log has the column {piece.text!r} twice"))
        elif node is not None:
            columns[piece.text] = LogColumn(piece.text, node)
    return tuple(columns.values())
