"""Public names exist, are described, and their examples run."""

import doctest
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import dynlib

PUBLIC = sorted(set(dynlib.__all__) - {"__version__"})
MODULES = sorted(m.name for m in pkgutil.walk_packages(dynlib.__path__, "dynlib."))
MODULES = [name for name in MODULES if not name.endswith("__main__")]


def _own_methods(cls: type) -> list[str]:
    return [
        name
        for name, value in vars(cls).items()
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property))
    ]


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name_is_described(name: str) -> None:
    value = getattr(dynlib, name)
    assert inspect.getdoc(value), f"{name} has no docstring"
    if inspect.isfunction(value):
        assert ">>>" in inspect.getdoc(value), f"{name} has no example"
    if inspect.isclass(value):
        undescribed = [m for m in _own_methods(value) if not inspect.getdoc(getattr(value, m))]
        assert undescribed == []


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = dynlib.no_such_name


@pytest.mark.parametrize("name", ["dynlib", *MODULES])
def test_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.testmod(module, optionflags=flags).failed == 0
