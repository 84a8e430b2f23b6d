"""From a checked document to the parts of a model."""

import re
from collections.abc import Iterable
from typing import Any

from dynlib.dsl.blocks import Piece, Statement, formula, statements
from dynlib.dsl.document import Item
from dynlib.dsl.issues import Issues
from dynlib.dsl.raw import (
    RawEquations,
    RawEvent,
    RawFunction,
    RawMod,
    RawModel,
    RawPreset,
    RawStop,
)
from dynlib.suggest import did_you_mean

_DERIVATIVE = re.compile(r"d\s*\(\s*(\w+)\s*\)")
_FRACTION = re.compile(r"d\s*(\w+)\s*/\s*d\s*t|(\w+)\s*'")


def table(item: Item | None, key: str) -> dict[str, Item]:
    """Return the entries of a sub-table, none if it is absent."""
    found = item.get(key) if item is not None else None
    return dict(found.value) if found is not None and found.is_table else {}


def text(item: Item | None, key: str) -> str | None:
    """Return a string entry, None if it is absent."""
    found = item.get(key) if item is not None else None
    return str(found.value) if found is not None else None


def parse(root: Item, issues: Issues) -> RawModel:
    """Sort a document that `check` has seen into the parts of a model."""
    head = {key: entry.value for key, entry in table(root, "model").items()}
    states, sim = table(root, "states"), table(root, "sim")
    kind = head.get("type", "map" if "n_end" in sim else "ode")  # if absent, that has been noted
    stop = parse_stop(sim.pop("stop", None))
    return RawModel(
        root=root,
        kind=kind,
        head=head,
        states=states,
        params=table(root, "params"),
        constants=table(root, "constants"),
        equations=parse_equations(root.get("equations"), kind, states, issues),
        aux={name: formula(entry) for name, entry in table(root, "aux").items()},
        functions=parse_functions(table(root, "functions")),
        events=parse_events(table(root, "events"), issues),
        sim=sim,
        stop=stop,
        presets=_parse_presets(table(root, "presets")),
        mods=parse_mods(root, issues),
        meta={key: plain(entry) for key, entry in table(root, "meta").items()},
    )


def plain(item: Item) -> Any:
    """Return the value of an item with everything inside unwrapped."""
    if item.is_table:
        return {key: plain(entry) for key, entry in item.value.items()}
    return [plain(entry) for entry in item] if isinstance(item.value, tuple) else item.value


def parse_functions(entries: dict[str, Item]) -> dict[str, RawFunction]:
    """Return the functions of a ``[functions]`` table; incomplete ones are left out."""
    found = {}
    for name, entry in entries.items():
        args, body = entry.get("args"), entry.get("expr")
        if args is not None and body is not None:
            names = tuple(str(each.value) for each in args)
            found[name] = RawFunction(entry, names, formula(body))
    return found


def parse_stop(item: Item | None) -> RawStop | None:
    """Return the stop condition of a ``[sim]`` table."""
    if item is None or not item.is_table:
        return RawStop(formula(item), "end", None) if item is not None else None
    cond = item.get("cond")
    if cond is None:
        return None
    return RawStop(formula(cond), text(item, "phase") or "end", item.get("locate"))


def parse_events(entries: dict[str, Item], issues: Issues) -> dict[str, RawEvent]:
    """Return the events of an ``[events]`` table; those without condition are left out."""
    found = {}
    for name, entry in entries.items():
        cond, locate, log = entry.get("cond"), entry.get("locate"), entry.get("log")
        if cond is None:
            continue
        found[name] = RawEvent(
            item=entry,
            cond=formula(cond),
            phase=text(entry, "phase") or "end",
            actions=_parse_actions(entry.get("action"), issues),
            log=tuple(formula(each) for each in log) if log is not None else (),
            tags=tuple(str(each.value) for each in entry.get("tags") or ()),
            locate=locate,
            direction=text(entry, "direction"),
        )
    return found


def _parse_actions(item: Item | None, issues: Issues) -> tuple[Statement, ...]:
    if item is None:
        return ()
    if item.is_table:
        return tuple(_keyed(entry) for entry in item)
    return tuple(statements(item, issues, semicolons=True))


def _keyed(entry: Item) -> Statement:
    return Statement(Piece(entry.key, entry, None), "", formula(entry))


def _parse_presets(entries: dict[str, Item]) -> dict[str, RawPreset]:
    return {
        name: RawPreset(entry, table(entry, "params"), table(entry, "states"))
        for name, entry in entries.items()
    }


def parse_mods(root: Item, issues: Issues) -> dict[str, RawMod]:
    """Return the mods of a document, those of ``[mods]`` and the one of ``[mod]``."""
    entries = [(name, entry) for name, entry in table(root, "mods").items()]
    single = root.get("mod")
    if single is not None:
        entries.append((text(single, "name") or "mod", single))
    found: dict[str, RawMod] = {}
    for name, entry in entries:
        exclusive = entry.get("exclusive")
        mod = RawMod(name, entry, text(entry, "group"), bool(exclusive and exclusive.value))
        if name in found:
            issues.append(entry.key_issue(f"the mod {name!r} is defined twice"))
        found[name] = mod
    return found


def parse_equations(
    item: Item | None, kind: str, states: dict[str, Item], issues: Issues
) -> RawEquations:
    """Return the equations of an ``[equations]`` table, by state."""
    inverse = item.get("inverse") if item is not None else None
    jacobian = item.get("jacobian") if item is not None else None
    if inverse is not None and kind == "ode":
        issues.append(
            inverse.key_issue(
                "only maps have an inverse", "A flow is inverted by integrating backwards in time."
            )
        )
        inverse = None
    return RawEquations(
        _parse_rules(item, kind, states, issues) if item is not None else {},
        _parse_rules(inverse, kind, states, issues) if inverse is not None else None,
        jacobian.get("expr") if jacobian is not None else None,
    )


def _parse_rules(
    item: Item, kind: str, states: dict[str, Item], issues: Issues
) -> dict[str, Statement]:
    given = [_keyed(entry) for entry in table(item, "rhs").values()]
    block = item.get("expr")
    if block is not None:
        for each in statements(block, issues, semicolons=False):
            target = _target(each, kind, states, issues)
            if target is not None:
                given.append(Statement(target, "", each.value))
    found: dict[str, Statement] = {}
    for statement in given:
        name = statement.target.text
        if name in found:
            hint = "Each state has one equation, in [equations.rhs] or in the block, not in both."
            issues.append(statement.target.issue(f"a second equation for {name!r}", hint))
        else:
            found[name] = statement
    return found


def _target(
    statement: Statement, kind: str, states: dict[str, Item], issues: Issues
) -> Piece | None:
    """Return the state that a line of an ``expr`` block defines."""
    target, written = statement.target, statement.target.text
    shape = "d(x) =" if kind == "ode" else "x ="
    derivative = _DERIVATIVE.fullmatch(written)
    short = written[1:] if written[:1] == "d" and written[1:] in states else None
    place = derivative.span(1) if derivative else (1, len(written))
    if statement.op:
        problem = f"an equation has a plain '=', not '{statement.op}='"
        hint = f"Write {shape} expression."
    elif written in states and (short is None or kind == "map"):
        return target
    elif written in states:
        problem = f"{written!r} can mean the state {written!r} or the derivative of {short!r}"
        hint = f"Write d({written}) = or d({short}) =."
    elif derivative is None and short is None:
        problem, hint = _odd_target(written, states, shape)
    elif kind == "map":
        name = written[slice(*place)]
        problem = "a map has no derivatives"
        hint = f"Write {name} = expression, for the next value of {name!r}."
    else:
        return target.cut(*place)
    issues.append(target.issue(problem, hint))
    return None


def _odd_target(written: str, states: dict[str, Item], shape: str) -> tuple[str, str]:
    """Return the error message about a left-hand side that is no state."""
    fraction = _FRACTION.fullmatch(written)
    if written.isidentifier():
        derivatives = [f"d{state}" for state in states] if shape != "x =" else []
        return unknown_state(written, states, derivatives)
    name = (fraction[1] or fraction[2]) if fraction else "x"
    return "the left-hand side is no state", f"Write {shape.replace('x', name)} expression."


def unknown_state(name: str, states: Iterable[str], more: Iterable[str] = ()) -> tuple[str, str]:
    """Return problem and hint about a name that is no state."""
    known = list(states)
    guess = did_you_mean(name, [*known, *more])
    return f"unknown state {name!r}", f"States: {', '.join(known)}.{guess}"
