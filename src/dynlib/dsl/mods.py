"""Mods: named changes to a model, applied in the caller's order.

Within one mod the order is remove, replace, add, set.  What a mod does not name stays as it was.
There is one exception, and it takes nothing away: a Jacobian that the document gives states what
the old equations were, so a mod that changes equations, aux or functions retires it (the derived
one takes its place) unless the mod brings its own.  In the same way an inverse map is retired when
the equations of the map change.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from dynlib.dsl.blocks import Statement, formula
from dynlib.dsl.document import Item
from dynlib.dsl.issues import Issues
from dynlib.dsl.parse import parse_equations, parse_events, parse_functions, parse_stop, table
from dynlib.dsl.raw import RawMod, RawModel
from dynlib.errors import Issue
from dynlib.suggest import did_you_mean

_NOUNS = {
    "events": "event",
    "params": "param",
    "aux": "aux variable",
    "functions": "function",
    "states": "state",
}


def apply_mods(model: RawModel, mods: Iterable[RawMod], issues: Issues) -> None:
    """Change a model by each mod in turn, and note what does not fit."""
    chosen = list(mods)
    _check_groups(chosen, issues)
    for mod in chosen:
        for verb, change in _VERBS.items():
            part = mod.item.get(verb)
            if part is not None:
                change(model, part, issues)


def _check_groups(mods: list[RawMod], issues: Issues) -> None:
    first: dict[str, RawMod] = {}
    exclusive = {mod.group for mod in mods if mod.exclusive}
    for mod in mods:
        if mod.group is None or mod.group not in exclusive:
            continue
        other = first.setdefault(mod.group, mod)
        if other is not mod:
            issues.append(
                mod.item.key_issue(
                    f"the mods {other.name!r} and {mod.name!r} exclude each other",
                    f"Both belong to the group {mod.group!r}; apply one of them.",
                )
            )


def _section(model: RawModel, name: str) -> dict[str, Any]:
    sections: dict[str, dict[str, Any]] = {
        "events": model.events,
        "params": model.params,
        "aux": model.aux,
        "functions": model.functions,
        "states": model.states,
    }
    return sections[name]


def _must_exist(entry: Item, name: str, section: str, known: Iterable[str]) -> Issue:
    known = list(known)
    hint = f"There are: {', '.join(known)}." if known else f"The model has no {section}."
    message = f"the model has no {_NOUNS[section]} {name!r} to change"
    found = entry.issue if entry.value == name else entry.key_issue
    return found(message, hint + did_you_mean(name, known))


def _read(part: Item, section: str, issues: Issues) -> dict[str, Any]:
    """Return the entries of one section of a mod in the form that the model keeps them in."""
    entries = table(part, section)
    if section == "events":
        return dict(parse_events(entries, issues))
    if section == "functions":
        return dict(parse_functions(entries))
    if section == "aux":
        return {name: formula(entry) for name, entry in entries.items()}
    return dict(entries)


def _remove(model: RawModel, part: Item, issues: Issues) -> None:
    for section, entry in part.value.items():
        held = _section(model, section)
        for name in entry.get("names") or ():
            if held.pop(name.value, None) is None:
                issues.append(_must_exist(name, name.value, section, held))
            elif section == "params":
                _forget(model, name.value)


def _forget(model: RawModel, param: str) -> None:
    """Take a removed parameter out of the presets, which otherwise stay as they are."""
    for name, preset in model.presets.items():
        kept = {key: entry for key, entry in preset.params.items() if key != param}
        model.presets[name] = replace(preset, params=kept)


def _replace(model: RawModel, part: Item, issues: Issues) -> None:
    _change(model, part, ("events", "aux", "functions"), issues)
    _change_equations(model, part, issues, new=False)


def _add(model: RawModel, part: Item, issues: Issues) -> None:
    for section in ("states", "params", "aux", "functions", "events"):
        held = _section(model, section)
        for name, entry in _read(part, section, issues).items():
            if name in held:
                place = part.value[section].value[name]
                issues.append(
                    place.key_issue(
                        f"the model already has the {_NOUNS[section]} {name!r}",
                        "Choose another name, or change the one there is.",
                    )
                )
            else:
                held[name] = entry
    _change_equations(model, part, issues, new=True)


def _set(model: RawModel, part: Item, issues: Issues) -> None:
    _change(model, part, ("states", "params"), issues)
    for section in ("aux", "functions"):
        _section(model, section).update(_read(part, section, issues))
    if part.get("aux") or part.get("functions"):
        _retire(model)
    options = table(part, "sim")
    if "stop" in options:
        model.stop = parse_stop(options.pop("stop"))
    model.sim.update(options)


def _change(model: RawModel, part: Item, sections: Iterable[str], issues: Issues) -> None:
    """Put new things in the place of old ones, which keep their position."""
    for section in sections:
        held = _section(model, section)
        for name, entry in _read(part, section, issues).items():
            if name in held:
                held[name] = entry
            else:
                place = part.value[section].value[name]
                issues.append(_must_exist(place, name, section, held))
        if section in ("aux", "functions") and part.get(section):
            _retire(model)


def _change_equations(model: RawModel, part: Item, issues: Issues, *, new: bool) -> None:
    item = part.get("equations")
    if item is None:
        return
    given = parse_equations(item, model.kind, model.states, issues)
    old = model.equations
    _check_targets(given.rhs, old.rhs, issues, new=new)
    inverse = old.inverse if not given.rhs else None
    if given.inverse is not None:
        inverse = {**(old.inverse or {}), **given.inverse}
    model.equations = replace(
        old, rhs={**old.rhs, **given.rhs}, inverse=inverse, jacobian=given.jacobian
    )


def _check_targets(
    given: dict[str, Statement], old: dict[str, Statement], issues: Issues, *, new: bool
) -> None:
    for name, statement in given.items():
        if new and name in old:
            issues.append(
                statement.target.issue(
                    f"{name!r} already has an equation", "Use replace.equations to change it."
                )
            )
        if not new and name not in old:
            issues.append(
                statement.target.issue(
                    f"{name!r} has no equation to replace",
                    f"There are: {', '.join(old)}.{did_you_mean(name, old)}",
                )
            )


def _retire(model: RawModel) -> None:
    model.equations = replace(model.equations, jacobian=None)


_VERBS: dict[str, Callable[[RawModel, Item, Issues], None]] = {
    "remove": _remove,
    "replace": _replace,
    "add": _add,
    "set": _set,
}
