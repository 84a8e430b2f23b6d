"""Each construct of the language of kernels means the same in every engine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engines.constructs import ELEMENTARY, EXACT
from engines.running import Arrays, by_python, compiled

from dynlib.abi.primitives import PRIMITIVES as PLAIN
from dynlib.compiler.jit.engines import LLVM, NUMBA
from dynlib.compiler.vecmath import VECMATH

PAGE = Path(__file__).parents[2] / "docs" / "kernel-language.md"
ALL = {**EXACT, **ELEMENTARY}
PLACES = {name: i for i, name in enumerate(ALL)}


@cache
def found(engine: Any) -> Arrays:
    """What all constructs leave; they are compiled as one text."""
    return by_python(ALL) if engine is None else compiled(engine, ALL)()


def rows(arrays: Arrays, name: str) -> Mapping[str, Any]:
    i = PLACES[name]
    return {key: each if key == "cube" else each[i] for key, each in arrays.items()}


def unlike(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Names of arrays that differ in a bit; all NaNs are one."""
    return [key for key in one if not _same(one[key], other[key])]


def _same(a: Any, b: Any) -> bool:
    signs = np.array_equal(np.signbit(a[a == 0]), np.signbit(b[b == 0]))
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f") and signs


@pytest.mark.parametrize("name", EXACT)
def test_translated_and_plain(name: str) -> None:
    assert unlike(rows(found(LLVM), name), rows(found(None), name)) == []


@pytest.mark.parametrize("name", ELEMENTARY)
def test_elementary_functions_are_those_of_numpy(name: str) -> None:
    """Up to a few last places (docs/vecmath.md)."""
    plain, made = (rows(found(engine), name)["square"] for engine in (None, LLVM))
    np.testing.assert_allclose(made, plain, rtol=1e-15, atol=1e-300)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_numba(name: str) -> None:
    """The bits of our own translator, elementary functions too."""
    assert unlike(rows(found(NUMBA), name), rows(found(LLVM), name)) == []


def test_every_construct_does_something() -> None:
    """An example that leaves all as it was shows nothing."""
    before = rows(by_python({"nothing": "pass", **ALL}), "assignment")  # which is not the first
    idle = [name for name in ALL if not unlike(rows(found(None), name), before)]
    assert idle == ["pass and texts"]


def test_every_primitive_has_an_example() -> None:
    used = set(re.findall(r"\w+", " ".join(ALL.values())))
    assert sorted(set(PLAIN) - used) == []


def test_the_page_names_every_primitive() -> None:
    named = set(re.findall(r"`(\w+)", PAGE.read_text(encoding="utf-8")))
    assert sorted((set(PLAIN) | set(VECMATH)) - named) == []
