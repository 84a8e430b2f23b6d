"""Compare a document with the schema: wrong tables, keys and types, all of them."""

import re

from dynlib.dsl.document import Item
from dynlib.dsl.issues import Issues
from dynlib.dsl.schema import (
    AMOUNT,
    FORMULA,
    NOT_A_SLIP,
    OTHER_WORDS,
    SIM,
    TEXT,
    TEXTS,
    Either,
    Table,
    Value,
)
from dynlib.errors import Issue
from dynlib.suggest import closest, did_you_mean

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_EACH = 6  # units of work for each entry
_MANY = 8  # a longer list of what is known only hides a good guess

Rule = Value | Table | Either | None


def check(item: Item, rule: Rule, issues: Issues) -> Item | None:
    """Return an item with everything wrong taken out or replaced, and note what was wrong.

    Behind this door nobody looks at types again: every key is known, every value of its type.
    Returns None for a value that is wrong and that nothing can stand in for.
    """
    if rule is None:
        return item
    if isinstance(rule, Either):
        rule = rule.table if item.is_table else rule.value
    if isinstance(rule, Value):
        return _check_value(item, rule, issues)
    if not item.is_table:
        issues.append(item.issue(f"expected a table, found {describe(item)}", _table_hint(item)))
        tables = item.value if isinstance(item.value, tuple) else ()
        if len(tables) != 1 or not tables[0].is_table:
            return None
        item = tables[0]  # [[sim]] for [sim]: go on with what was meant
    return _check_table(item, rule, issues)


def _check_value(item: Item, rule: Value, issues: Issues) -> Item | None:
    if rule.accepts(item.value):
        if rule in (TEXT, TEXTS) and _steers(item):
            issues.append(item.issue("the text holds a control character", "Remove it."))
        return item
    found = describe(item)
    if rule.choices and isinstance(item.value, str):
        issues.append(
            item.issue(
                f"unknown value {item.value!r}",
                f"Accepted: {rule.expects}.{did_you_mean(item.value, rule.choices)}",
            )
        )
    else:
        issues.append(item.issue(f"expected {rule.expects}, found {found}", _hint(item, rule)))
    return None if rule.stand_in is None else Item(rule.stand_in, item.path, item.document)


def _steers(item: Item) -> bool:
    """Tell whether a text holds characters that would steer the terminal that shows it."""
    texts = [item.value] if isinstance(item.value, str) else [each.value for each in item]
    return any(_CONTROL.search(text) for text in texts)


def _hint(item: Item, rule: Value) -> str:
    value = item.value
    if isinstance(value, bool):
        if rule is AMOUNT:
            return f"Write {int(value)}."
        return f'Write "{value}".' if rule.stand_in == "False" else ""
    if isinstance(value, int | float) and isinstance(rule.stand_in, str) and rule.stand_in:
        return f'Write "{value}".'
    if isinstance(value, str) and rule.expects.startswith("a list of strings"):
        return f'Write ["{value}"].'
    if item.is_table and rule in (FORMULA, AMOUNT):
        return "A name with a dot in it makes a table; names have no dots."
    return ""


def _table_hint(item: Item) -> str:
    if isinstance(item.value, tuple) and item.value and all(each.is_table for each in item):
        return f"Write [{'.'.join(map(str, item.path))}] with single brackets."
    return ""


def describe(item: Item) -> str:
    """Return what a value is, in words."""
    value = item.value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        shown = repr(value) if not isinstance(value, int) or abs(value) < 10**30 else "a huge"
        return f"the number {shown}"
    if isinstance(value, str):
        return f"the string {value!r}" if len(value) <= 40 else "a string"
    if isinstance(value, dict):
        return "a table"
    return "a list" if isinstance(value, tuple) else "a date or time"


def _check_table(item: Item, rule: Table, issues: Issues) -> Item:
    kept: dict[str, Item] = {}
    strays: dict[str, Item] = {}
    issues.work.spend(_EACH * len(item.value))
    for key, entry in item.value.items():
        meant = key
        if key not in rule.keys and (rule.each is None or _is_slip(key, rule)):
            word = OTHER_WORDS.get(key)
            # The content of a table is judged by what its name is taken for: no wild guesses.
            near = closest(key, rule.keys, 0.7 if entry.is_table else 0.6)
            known = word if word in rule.keys else near
            meant = known or ""
            if rule.stray and isinstance(entry.value, str) and not meant:
                strays[key] = entry
                continue
            issues.append(_unknown_key(entry, meant, rule))
            if not meant or meant in item.value or meant in kept:
                continue
        # What was misspelt is looked at as what was meant, so that one slip gives one message.
        checked = check(entry, rule.keys.get(meant, rule.each), issues)
        if checked is not None:
            kept[meant] = checked
    if strays:
        _take_home(item, rule.stray, strays, kept, issues)
    absent = [key for key in rule.required if key not in item.value and key not in kept]
    issues.extend(_missing(item, key, rule) for key in absent)
    return Item(kept, item.path, item.document)


def _take_home(
    item: Item, home: str, strays: dict[str, Item], kept: dict[str, Item], issues: Issues
) -> None:
    """Put entries that belong in a sub-table there, and say so."""
    where = ".".join([*map(str, item.path), home])
    issues.extend(
        entry.key_issue(f"unknown key {key!r}", f"If it is a state, write it under [{where}].")
        for key, entry in strays.items()
    )
    held = kept[home].value if home in kept else {}
    kept[home] = Item({**strays, **held}, (*item.path, home), item.document)


def _missing(item: Item, key: str, rule: Table) -> Issue:
    entry = rule.keys[key]
    if isinstance(entry, Table):
        return item.key_issue(f"the table [{key}] is missing", _missing_hint(key))
    expects = f": {entry.expects}" if isinstance(entry, Value) else ""
    return item.key_issue(f"the key {key!r} is missing", f"Add {key} = ...{expects}.")


def _missing_hint(key: str) -> str:
    if key == "model":
        return 'Add [model] with type = "ode" or type = "map".'
    return f"Add [{key}] with a line for each, such as x = 1.0."


def _is_slip(key: str, rule: Table) -> bool:
    """Tell whether an option of [sim] is a misspelt common key rather than a stepper's own."""
    if rule is not SIM or key in NOT_A_SLIP:
        return False
    return OTHER_WORDS.get(key) in rule.keys or any(_near(key, known) for known in rule.keys)


def _near(word: str, known: str) -> bool:
    """Tell whether one slip of the finger leads from ``known`` (3 letters or more) to ``word``."""
    if min(len(word), len(known)) < 3 or abs(len(word) - len(known)) > 1:
        return False
    low, other = word.lower(), known.lower()
    start = 0
    while start < min(len(low), len(other)) and low[start] == other[start]:
        start += 1
    if len(low) == len(other):
        swapped = other[:start] + other[start : start + 2][::-1] + other[start + 2 :]
        return low == swapped or low[start + 1 :] == other[start + 1 :]
    longer, shorter = (low, other) if len(low) > len(other) else (other, low)
    return longer[:start] + longer[start + 1 :] == shorter


def _unknown_key(entry: Item, guess: str, rule: Table) -> Issue:
    """Return the error message about a key that nothing here knows."""
    what = "table" if entry.is_table else "key"
    known = f"Known: {', '.join(rule.keys)}."
    if guess:
        hint = f"Did you mean {guess!r}?" + (f" {known}" if len(rule.keys) < _MANY else "")
    elif len(entry.path) == 1 and not entry.is_table:
        hint = f"{entry.key!r} stands before the first table; which one does it belong to? {known}"
    else:
        hint = known
    return entry.key_issue(f"unknown {what} {entry.key!r}", hint)
