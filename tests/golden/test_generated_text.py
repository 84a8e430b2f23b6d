"""The generated texts are what they were: a reviewer sees what a change does to each.

``pytest tests/golden --bless`` writes them anew; read the difference.
"""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest
from trajectories import compiled

from dynlib.compiler.codegen.runner_variants import _RUNNER_TEMPLATE_MAP, RunnerVariant

FOLDER = Path(__file__).parent

# one with nothing but a method, one with everything that can happen in a step, one of integers
MODELS = {
    "lorenz-rk45": ("builtin://ode/lorenz", "rk45"),
    "bouncing-ball-rk4": ("builtin://ode/bouncing-ball", "rk4"),
    "collatz-map": ("builtin://map/collatz", "map"),
}
RUNNERS = sorted(_RUNNER_TEMPLATE_MAP, key=lambda key: (key[0].value, key[1]))


def compare(name: str, found: str) -> None:
    """`found` is the text of the golden file, which is written if that was asked for."""
    file = FOLDER / f"{name}.txt"
    if os.environ.get("DYNLIB_BLESS"):
        file.write_text(found, encoding="utf-8")
    assert found == file.read_text(encoding="utf-8"), f"{name} changed; see `pytest --bless`"


@pytest.mark.parametrize(
    "key", RUNNERS, ids=[f"{v.value}-{'map' if discrete else 'ode'}" for v, discrete in RUNNERS]
)
def test_runners(key: tuple[RunnerVariant, bool]) -> None:
    text, name = _RUNNER_TEMPLATE_MAP[key]
    defined = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    assert name in {function.name for function in defined}
    compare(name, text)


def test_there_is_a_runner_for_every_variant_and_kind() -> None:
    assert set(_RUNNER_TEMPLATE_MAP) == {(v, d) for v in RunnerVariant for d in (False, True)}
    names = [name for _, name in _RUNNER_TEMPLATE_MAP.values()]
    assert len(set(names)) == len(names)


def test_no_trace_of_observers_where_there_are_none() -> None:
    for (variant, _), (text, _) in _RUNNER_TEMPLATE_MAP.items():
        if not variant.observed:
            assert "ANALYSIS_" not in text
            assert "variational" not in text


@pytest.mark.parametrize("name", MODELS)
def test_modules(name: str) -> None:
    text = compiled(*MODELS[name]).sources["module"]
    ast.parse(text)
    compare(name, text)
