"""The configuration file, the environment, and the folder of the cache.

The file is TOML: ``$DYNLIB_CONFIG``, else ``config.toml`` in the platform's configuration folder.

.. code-block:: toml

    [paths]
    lab = ["~/models", "/srv/models"]     # lab://neuron/hh

    [cache]
    root = "~/.cache/dynlib"

``DYNLIB_MODEL_PATH="tag=/a:/b;tag2=/c"`` adds folders, which are searched before those of the file
(on Windows, where a colon is part of a path, folders are separated by commas).
``DYNLIB_CACHE_DIR`` names the cache folder where the file does not.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dynlib.dsl.files import Unreadable, read_regular
from dynlib.dsl.frozen import FrozenMap
from dynlib.errors import ConfigError, OptionError
from dynlib.suggest import did_you_mean

_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
OWN_TAGS = ("builtin", "inline")
_LARGEST = 1 << 20  # bytes


@dataclass(frozen=True)
class Config:
    """What the user has configured.

    Parameters
    ----------
    paths : mapping
        Folders of each tag, in the order in which they are searched.
    cache_root : Path or None
        The cache folder from the file; None for the default.
    """

    paths: Mapping[str, tuple[Path, ...]] = field(default_factory=FrozenMap)
    cache_root: Path | None = None


Source = Config | str | os.PathLike[str] | Mapping[str, Any]


def expand(path: str) -> Path:
    """Return a path with ``~`` and ``$VAR`` expanded."""
    return Path(os.path.expanduser(os.path.expandvars(path)))


def load_config(source: Source | None = None) -> Config:
    """Return the configuration from a file (None: the usual one), a dict, or as it is.

    Raises
    ------
    ConfigError
        The file cannot be read, or holds something that is no configuration.
    """
    if isinstance(source, Config):
        return source
    if isinstance(source, Mapping):
        return _read(source, "<dict>", Path())
    if not isinstance(source, str | os.PathLike | None):
        raise OptionError(f"config must be the path of a file or a dict, found {source!r}.")
    named = source if source is not None else os.environ.get("DYNLIB_CONFIG")
    file = expand(os.fspath(named)) if named else _user_folder("config") / "config.toml"
    if not named and not file.is_file():
        return _read({}, "", Path())
    return _read(_load(file), str(file), file.parent)


def cache_root(config: Config | None = None) -> Path:
    """Return the cache folder: ``[cache] root``, ``DYNLIB_CACHE_DIR``, else the platform's."""
    config = config if config is not None else load_config()
    if config.cache_root is not None:
        return config.cache_root
    named = os.environ.get("DYNLIB_CACHE_DIR")
    return expand(named) if named else _user_folder("cache")


def _user_folder(kind: str) -> Path:
    import platformdirs  # only where no folder is named: keeps the import light

    found = platformdirs.user_config_dir if kind == "config" else platformdirs.user_cache_dir
    return Path(found("dynlib", appauthor=False))


def _load(file: Path) -> dict[str, Any]:
    if str(file) == os.devnull:  # the usual way to name no configuration
        return {}
    try:
        return tomllib.loads(read_regular(file, _LARGEST, "a configuration").decode("utf-8"))
    except Unreadable as error:
        raise ConfigError(f"{file}: {error.problem}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{file}: not valid TOML: {error}") from None


def _read(data: Mapping[str, Any], label: str, folder: Path) -> Config:
    tables = {key: _table(data, key, label) for key in ("paths", "cache")}
    for key in data:
        if key not in tables:
            raise ConfigError(
                f"{label}: unknown table [{key}].{did_you_mean(key, tables)} "
                "Known: [paths], [cache]."
            )
    for key in tables["cache"]:
        if key != "root":
            raise ConfigError(f"{label}: unknown key {key!r} in [cache]. Known: root.")
    root = tables["cache"].get("root")
    if root is not None and not isinstance(root, str):
        raise ConfigError(f"{label}: [cache] root is a folder in quotes, not {root!r}.")
    paths = {tag: _folders(tag, value, label, folder) for tag, value in tables["paths"].items()}
    for tag, added in _environment_paths().items():
        paths[tag] = (*added, *paths.get(tag, ()))
    return Config(FrozenMap(paths), folder / expand(root) if root else None)


def _table(data: Mapping[str, Any], key: str, label: str) -> Mapping[str, Any]:
    value = data.get(key, {})
    if not isinstance(value, Mapping):
        raise ConfigError(f"{label}: {key!r} is a table: write [{key}].")
    return value


def _folders(tag: str, value: Any, label: str, folder: Path) -> tuple[Path, ...]:
    _check_tag(tag, label)
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list | tuple) or not all(isinstance(each, str) for each in listed):
        raise ConfigError(
            f"{label}: [paths] {tag} is a folder in quotes or a list of folders, not {value!r}."
        )
    return tuple(folder / expand(each) for each in listed)


def _check_tag(tag: str, label: str) -> None:
    if tag in OWN_TAGS:
        raise ConfigError(f"{label}: the tag {tag!r} belongs to dynlib; choose another name.")
    if not _TAG.fullmatch(tag):
        hint = "a letter, then letters, digits, '_', '-', '.'"
        raise ConfigError(f"{label}: {tag!r} is no tag: {hint}.")


def _environment_paths() -> dict[str, tuple[Path, ...]]:
    found: dict[str, tuple[Path, ...]] = {}
    label, separator = "DYNLIB_MODEL_PATH", "," if os.name == "nt" else ":"
    for entry in os.environ.get(label, "").split(";"):
        tag, equals, folders = (part.strip() for part in entry.partition("="))
        if not entry.strip():
            continue
        if not equals or not folders:
            raise ConfigError(f"{label}: {entry.strip()!r} is not of the form tag=/folder:/folder.")
        _check_tag(tag, label)
        listed = (expand(each.strip()) for each in folders.split(separator) if each.strip())
        found[tag] = (*found.get(tag, ()), *listed)
    return found
