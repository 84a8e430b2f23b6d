"""Find the mods that a caller asks for: in the same document, in another one, or as dicts."""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dynlib.dsl.check import check
from dynlib.dsl.document import Item, read_dict
from dynlib.dsl.issues import Issues
from dynlib.dsl.parse import parse_mods
from dynlib.dsl.paths import is_text, split_fragment
from dynlib.dsl.raw import RawMod, RawModel
from dynlib.dsl.schema import MODS_ONLY, ONE_MOD
from dynlib.errors import (
    AmbiguousModelError,
    ModelNotFoundError,
    OptionError,
    UnknownNameError,
)
from dynlib.suggest import did_you_mean


def pick_mods(
    model: RawModel,
    chosen: Iterable[str | Mapping[str, Any]],
    read: Callable[[str], Item],
    issues: Issues,
) -> list[RawMod]:
    """Return the mods that are meant, in order; what is wrong in those from elsewhere is noted.

    Raises
    ------
    UnknownNameError
        A name that the document does not have.
    AmbiguousModelError, ModelNotFoundError
        A document with several mods, or none, and no name to choose by.
    """
    return [_pick(model, each, read, issues) for each in chosen]


def _pick(model: RawModel, choice: Any, read: Callable[[str], Item], issues: Issues) -> RawMod:
    if isinstance(choice, Mapping):
        return _from_dict(choice, issues)
    if not isinstance(choice, str | os.PathLike):
        kind = type(choice).__name__
        raise OptionError(f"a mod is a name, 'file.toml#mod=name' or a dict, not a {kind}")
    source = os.fspath(choice)
    if source in model.mods:
        return model.mods[source]
    if _is_place(source):
        place, name = split_fragment(source)
        return _only(_mods_of(read(place), issues), name, source)
    raise UnknownNameError(_unknown(source, model.mods, model.root.document.label))


def _is_place(source: str) -> bool:
    marks = ("://", "#mod=", "/", os.sep)
    return is_text(source) or source.endswith(".toml") or any(mark in source for mark in marks)


def _unknown(name: str, known: Iterable[str], label: str) -> str:
    known = list(known)
    listed = f" It has: {', '.join(known)}." if known else " It has no mods."
    return f"{label} has no mod {name!r}.{did_you_mean(name, known)}{listed}"


def _from_dict(data: Mapping[str, Any], issues: Issues) -> RawMod:
    root = read_dict(data, "<mod>")
    if "mod" in data or "mods" in data:
        return _only(_mods_of(root, issues), None, "<mod>")
    checked = check(root, ONE_MOD, issues)
    whole = Item({"mod": checked or Item({}, (), root.document)}, (), root.document)
    return next(iter(parse_mods(whole, issues).values()))


def _mods_of(root: Item, issues: Issues) -> dict[str, RawMod]:
    """Return the mods of another document, whatever else it holds."""
    parts = {key: entry for key, entry in root.value.items() if key in MODS_ONLY.keys}
    checked = check(Item(parts, root.path, root.document), MODS_ONLY, issues)
    return parse_mods(checked, issues) if checked is not None else {}


def _only(mods: dict[str, RawMod], name: str | None, source: str) -> RawMod:
    if name is not None:
        if name not in mods:
            raise UnknownNameError(_unknown(name, mods, source))
        return mods[name]
    if not mods:
        raise ModelNotFoundError(f"{source} has no mod: neither [mod] nor [mods.NAME].")
    if len(mods) > 1:
        raise AmbiguousModelError(
            f"{source} has several mods: {', '.join(mods)}. Add #mod=NAME to choose one."
        )
    return next(iter(mods.values()))
