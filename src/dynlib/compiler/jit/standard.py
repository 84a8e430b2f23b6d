"""What belongs to Python, NumPy or Numba, whose versions a kernel is kept under."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path
from sysconfig import get_paths
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

__all__ = ["enclosed", "is_standard", "names_in", "standard_name", "taken_from"]

_PACKAGES = ("numpy", "numba", "llvmlite")
_MISSING = object()


_modules: dict[str, ModuleType] = {}  # those found to be standard
_names: dict[int, tuple[Any, str]] = {}  # functions and classes of theirs


def is_standard(module: object) -> bool:
    """Whether a module belongs to Python, NumPy, Numba or llvmlite.

    Its name alone is no proof: a file of a user's may be called ``random.py``.
    """
    if not isinstance(module, ModuleType):
        return False
    name = module.__name__
    if _modules.get(name) is module:
        return True
    if sys.modules.get(name) is not module:
        return False
    top = name.partition(".")[0]
    file = _file(module)
    if top in _PACKAGES:
        package = _file(sys.modules.get(top))
        found = package is not None and (file is None or _inside(file, Path(package).parent))
    else:
        found = top in sys.stdlib_module_names and _of_python(file)
    if found:
        _modules[name] = module
    return found


def standard_name(value: object) -> str | None:
    """The name under which a standard module has this very function or class, or None."""
    known = _names.get(id(value))
    if known is not None and known[0] is value:
        return known[1]
    home = _home(value)
    module = sys.modules.get(home) if isinstance(home, str) else None
    if not is_standard(module):
        return None
    for path in (getattr(value, "__qualname__", None), getattr(value, "__name__", None)):
        if isinstance(path, str) and _at(module, path) is value:
            _names[id(value)] = value, f"{home}.{path}"
            return _names[id(value)][1]
    return None


def _home(value: object) -> object:
    """The name of the module that a function or class should be found in."""
    if isinstance(value, FunctionType):  # its globals tell whose it is; its name may be copied
        name = value.__globals__.get("__name__")
        home = sys.modules.get(name) if isinstance(name, str) else None
        return name if home is not None and vars(home) is value.__globals__ else None
    if isinstance(value, np.ufunc):
        return "numpy"
    owner = getattr(value, "__module__", None)
    return type(getattr(value, "__self__", None)).__module__ if owner is None else owner


@lru_cache(maxsize=256)
def names_in(code: CodeType) -> frozenset[str]:
    """Names that code may look up, its own and those of the functions inside of it."""
    names = set(code.co_names)
    if "getattr" in names:
        names.update(const for const in code.co_consts if isinstance(const, str))
    inner = (const for const in code.co_consts if isinstance(const, CodeType))
    return frozenset(names.union(*map(names_in, inner)))


def enclosed(function: FunctionType) -> dict[str, Any]:
    """What a function has of the functions around it; variables without a value are left out."""
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # not yet set, or deleted
            found[name] = cell.cell_contents
    return found


def taken_from(module: ModuleType, names: Iterable[str]) -> dict[str, Any]:
    """What a module has under these names, in the order of the names."""
    found = {name: vars(module)[name] for name in sorted(names) if name in vars(module)}
    if "__getattr__" in vars(module) and not is_standard(module):
        for name in sorted(set(names) - found.keys()):
            with suppress(Exception):  # of a user's own function
                found[name] = getattr(module, name)
    return found


def _at(module: object, path: str) -> object:
    found: Any = module
    for part in path.split("."):
        found = vars(found).get(part, _MISSING) if hasattr(found, "__dict__") else _MISSING
        if found is _MISSING:
            return None
    return found


def _file(module: object) -> str | None:
    found = getattr(module, "__file__", None)
    return found if isinstance(found, str) else None


@cache
def _of_python(file: str | None) -> bool:
    if file is None:  # built in, or frozen
        return True
    paths = get_paths()
    folders = {Path(paths[name]) for name in ("stdlib", "platstdlib")}
    others = {Path(paths[name]) for name in ("purelib", "platlib")}
    return any(_inside(file, each) for each in folders) and not any(
        _inside(file, each) for each in others
    )


@cache
def _inside(file: str, folder: Path) -> bool:
    return Path(file).resolve().is_relative_to(folder.resolve())
