"""Named sets of values: the model's own, the session's, and those in files."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dynlib.dsl import ModelSpec
from dynlib.dsl.spec import Preset
from dynlib.errors import FileError, OptionError, UnknownNameError
from dynlib.runtime.naming import unknown_name
from dynlib.runtime.seal import open_regular, reading
from dynlib.runtime.validate import PARAMETER, number, shown

__all__ = ["Presets"]

_LARGEST = 1 << 20  # bytes


class Presets(Mapping[str, Preset]):
    """The presets of a session; the model's own are there from the start.

    Parameters
    ----------
    spec : ModelSpec
    """

    def __init__(self, spec: ModelSpec) -> None:
        self._spec = spec
        self._presets: dict[str, Preset] = dict(spec.presets)

    def __getitem__(self, name: str) -> Preset:
        if name not in self._presets:
            raise unknown_name("preset", name, self._presets)
        return self._presets[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._presets)

    def __len__(self) -> int:
        return len(self._presets)

    def add(self, name: str, preset: Preset, *, overwrite: bool = False) -> None:
        """Keep a preset after checking its names and values."""
        self._check(name, preset, overwrite=overwrite)
        self._presets[name] = preset

    def _check(self, name: str, preset: Preset, *, overwrite: bool, where: str = "") -> None:
        if not isinstance(name, str) or not name:
            raise OptionError(f"{where}a preset needs a name, found {name!r}.")
        if name in self._presets and not overwrite:
            raise OptionError(f"{where}there is a preset {name!r} already: pass overwrite=True.")
        spec = self._spec
        for what, values, known in (
            ("state", preset.states, spec.states),
            (PARAMETER, preset.params, spec.params),
        ):
            for each, value in values.items():
                if each not in known:
                    message = unknown_name(what, each, known)
                    raise UnknownNameError(f"{where}preset {name!r}: {message}")
                subject = f"{where}preset {name!r}: {what} {each!r}"
                number(subject, value, infinite=what == PARAMETER)

    def save(self, name: str, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write a preset to a TOML file, beside those that are there already."""
        from dynlib.dsl.write import to_toml  # few sessions write a file
        from dynlib.runtime.files import replace_file

        preset = self[name]
        target = Path(path).expanduser()
        document, kept = _read(target) if target.exists() else ({}, {})
        if name in kept and not overwrite:
            raise OptionError(f"{target} holds a preset {name!r} already: pass overwrite=True.")
        kept[name] = {"states": dict(preset.states), "params": dict(preset.params)}
        text = to_toml({**document, "presets": kept})
        replace_file(target, lambda new: new.write_text(text, encoding="utf-8"))

    def load(self, name: str, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Take one preset from a TOML file; ``"*"`` takes all, or none if one is wrong."""
        source = Path(path).expanduser()
        _, found = _read(source)
        if name != "*" and name not in found:
            raise unknown_name(f"preset in {source}:", name, found)
        wanted = found if name == "*" else [name]
        presets = {each: _preset(found[each], source, f"preset {each!r}") for each in wanted}
        for each, preset in presets.items():
            self._check(each, preset, overwrite=overwrite, where=f"{source}: ")
        self._presets |= presets


def _preset(table: Any, path: Path, part: str) -> Preset:
    if not isinstance(table, Mapping) or not set(table) <= {"states", "params"}:
        names = ", ".join(table) if isinstance(table, Mapping) else shown(table)
        raise FileError(path, f"must hold the tables states and params, found {names}", part=part)
    for each, values in table.items():
        if not isinstance(values, Mapping):
            found = f"{each} must be a table of numbers, found {shown(values)}"
            raise FileError(path, found, part=part)
    return Preset(params=dict(table.get("params", {})), states=dict(table.get("states", {})))


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """A TOML document and its table of presets."""
    with reading(path, "TOML file of presets"):
        with open_regular(path) as source:
            content = source.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise ValueError("it is too large")
        document = _document(path, content)
    presets = document.get("presets", {})
    if not isinstance(presets, dict):
        raise FileError(path, f"presets must be a table, found {shown(presets)}")
    return document, presets


def _document(path: Path, content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise FileError(path, f"cannot be read as TOML ({error})", "Correct its text.") from error
