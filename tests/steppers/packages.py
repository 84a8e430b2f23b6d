"""Packages that bring steppers: one that is there, and ones that a test writes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dynlib.steppers import registry

STIFFKIT = Path(__file__).parents[1] / "third_party"


@contextmanager
def installed(*folders: Path) -> Iterator[None]:
    """As if what is in these folders alone had been installed; nothing of it is known yet."""
    modules = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [path for path in sys.path if path != str(STIFFKIT)])
        for folder in folders:
            patch.syspath_prepend(folder)
        for name, empty in (("_looked", []), ("_packaged", {}), ("_registered", {})):
            patch.setattr(registry, name, empty)
        yield
    for name in set(sys.modules) - modules:
        if any(
            str(folder) in str(getattr(sys.modules[name], "__file__", "")) for folder in folders
        ):
            del sys.modules[name]


def write_package(folder: Path, name: str, text: str, entry: str) -> Path:
    """A package of one module, with an entry point; returns the folder that holds it."""
    info = folder / f"{name}-2.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text(f"[dynlib.steppers]\n{name} = {entry}\n")
    (folder / f"{name}.py").write_text(text)
    return folder
