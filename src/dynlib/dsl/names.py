"""Names that a model may declare, and those it may not."""

import unicodedata
from collections.abc import Iterable, Iterator

from dynlib.dsl.document import Item
from dynlib.dsl.expr import FUNCTION_NAMES, RESERVED_NAMES
from dynlib.dsl.issues import Issues
from dynlib.dsl.raw import RawFunction, RawModel

_LONGEST = 100


def check_names(model: RawModel, issues: Issues) -> None:
    """Note every name that is none, is reserved, or is declared twice."""
    first: dict[str, Item] = {}
    for entry, what in _declarations(model):
        problem = _problem(entry.key, what, model)
        if problem is not None:
            issues.append(entry.key_issue(*problem))
        elif entry.key in first:
            other = first[entry.key]
            issues.append(
                entry.key_issue(
                    f"the name {entry.key!r} is used twice",
                    f"It is declared in {_table_of(other)} too; rename one of them.",
                )
            )
        first.setdefault(entry.key, entry)
    for function in model.functions.values():
        _check_arguments(function, issues)
    _check_titles(model, issues)


def _table_of(item: Item) -> str:
    return f"[{'.'.join(str(part) for part in item.path[:-1])}]"


def _declarations(model: RawModel) -> Iterator[tuple[Item, str]]:
    for entry in model.states.values():
        yield entry, "state"
    for entry in model.params.values():
        yield entry, "param"
    for entry in model.constants.values():
        yield entry, "constant"
    for piece in model.aux.values():
        yield piece.item, "aux variable"
    for function in model.functions.values():
        yield function.item, "function"


def _problem(name: str, what: str, model: RawModel) -> tuple[str, str] | None:
    problem = spelling(name, what)
    if problem is not None:
        return problem
    if name == "t":
        return f"{what} 't': the name is reserved for time", "Choose another name."
    if name.startswith("lag_") and name[4:] in model.states:
        return (
            f"{what} {name!r}: the name means the earlier value of the state {name[4:]!r}",
            "Choose another name.",
        )
    return None


def spelling(name: str, what: str) -> tuple[str, str] | None:
    """Return what is wrong with a name in itself, and the remedy."""
    if name in FUNCTION_NAMES:
        return f"{what} {name!r}: the name is a function of the language", "Choose another name."
    if name in RESERVED_NAMES:
        return f"{what} {name!r}: the word has a meaning in expressions", "Choose another name."
    if not name.isidentifier():
        hint = "A name is a letter, then letters, digits and '_'."
        fixed = "".join(each if each.isalnum() else "_" for each in name)
        if fixed.isidentifier() and fixed not in RESERVED_NAMES:
            hint += f" Write {fixed}."
        return f"{name!r} is no name: {what}s have names that expressions can use", hint
    usual = unicodedata.normalize("NFKC", name)
    if usual != name:
        signs = " ".join(f"U+{ord(each):04X}" for each in usual)
        return f"{name!r} is written with characters that only look alike", (
            f"Write {usual!r} ({signs})."
        )
    if len(name) > _LONGEST:
        return f"the name has {len(name)} characters", f"At most {_LONGEST} are allowed."
    return None


def _check_arguments(function: RawFunction, issues: Issues) -> None:
    seen: set[str] = set()
    given = function.item.get("args")
    for entry in given or ():
        problem = spelling(entry.value, "argument")
        if problem is None and entry.value in seen:
            problem = f"the argument {entry.value!r} is there twice", "Rename one of them."
        if problem is not None:
            issues.append(entry.issue(*problem))
        seen.add(entry.value)


def _check_titles(model: RawModel, issues: Issues) -> None:
    """Events, presets and mods have names of their own, which may be any printable text."""
    groups: tuple[Iterable[Item], ...] = (
        (event.item for event in model.events.values()),
        (preset.item for preset in model.presets.values()),
        (mod.item for mod in model.mods.values()),
    )
    for group in groups:
        for entry in group:
            if not entry.key.strip() or len(entry.key) > _LONGEST:
                hint = f"Write 1 to {_LONGEST} characters."
                issues.append(entry.key_issue("the name is empty or too long", hint))
