"""The bits of all built-in models with all steppers on all paths are what they were.

``pytest tests/golden/test_bits.py -m slow`` looks at all of them, the ordinary tests at a few.
With ``--bless`` the tables under ``bits`` are written anew; other bits need a reason.

The tables are of x86-64, with or without FMA and wide vectors; equal bits on other processors are
not promised.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from golden.bits import bits, paths, steppers

from dynlib import list_models
from dynlib.compiler.jit import native

FOLDER = Path(__file__).parent / "bits"
X86 = platform.machine() in ("x86_64", "AMD64")
of_x86 = pytest.mark.skipif(not X86, reason="the tables of bits are of x86-64 processors")
Table = dict[str, dict[str, str]]  # hash by "stepper, path" and by name of the array

# What takes a second or less to compile; each kind of stepper, path and event is there.
FEW: dict[str, tuple[str, tuple[str, ...]]] = {
    "map/henon": ("map", ("run", "resume", "observed run")),
    "map/collatz": ("map", ("run", "fastpath", "batch")),
    "map/ikeda": ("map", ("run",)),
    "ode/lorenz": ("rk4", ("run", "resume", "batch", "observed run")),
    "ode/expdecay": ("rk45", ("run", "fastpath", "batch")),
    "ode/bouncing-ball": ("tsit5", ("run", "resume")),
    "ode/leaky-if": ("ab3", ("run", "resume")),
    "ode/izhikevich": ("rk4", ("run",)),
    "ode/hodgkin-huxley": ("rk2", ("run",)),
    "ode/pendulum": ("heun", ("run",)),
    "ode/vanderpol": ("bs23", ("run",)),
    "ode/rossler": ("dop853", ("run", "fastpath")),
    "ode/lorenz96": ("euler", ("run",)),
    "ode/duffing": ("ab2", ("run",)),
}


def file_of(name: str) -> Path:
    """Where the table of a model is."""
    return FOLDER / f"{name.replace('/', '-')}.json"


def table_of(name: str) -> Table:
    """The hashes that a model is known by."""
    file = file_of(name)
    table: Table = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return table


def bless(name: str, table: Table) -> None:
    """Write a table, one path a line, so that a change shows which one changed."""
    lines = [f"{json.dumps(key)}: {json.dumps(table[key])}" for key in sorted(table)]
    FOLDER.mkdir(exist_ok=True)
    file_of(name).write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def differences(name: str, known: Table, found: Table) -> list[str]:
    """What is not as it was: model, stepper, path, arrays."""
    told = []
    for key in sorted(known.keys() | found.keys()):
        old, new = known.get(key, {}), found.get(key, {})
        arrays = [array for array in {**old, **new} if old.get(array) != new.get(array)]
        if arrays:
            told.append(f"{name}, {key}: {', '.join(arrays)}")
    return told


def check(name: str, chosen: Mapping[str, Sequence[str]]) -> None:
    """Hold these paths of these steppers against the table, or write them into it."""
    found: Table = {}
    for stepper, some in chosen.items():
        arrays = bits(name, stepper, some)
        found |= {f"{stepper}, {path}": arrays[path] for path in some}
    known = table_of(name)
    if os.environ.get("DYNLIB_BLESS"):
        known = {key: known[key] for key in known if key in keys(name)} | found
        bless(name, known)
    told = differences(name, {key: known[key] for key in known if key in found}, found)
    assert not told, "other bits than in tests/golden/bits (model, stepper, path: arrays)\n" + (
        "\n".join(told)
    )


def keys(name: str) -> list[str]:
    """What the table of a model has."""
    return [f"{stepper}, {path}" for stepper in steppers(name) for path in paths(stepper)]


@of_x86
@pytest.mark.parametrize("name", FEW)
def test_bits_of_a_few(name: str) -> None:
    check(name, dict([FEW[name]]))


@of_x86
@pytest.mark.slow
@pytest.mark.parametrize("name", list_models())
def test_bits(name: str) -> None:
    check(name, {stepper: paths(stepper) for stepper in steppers(name)})


@of_x86
@pytest.mark.slow
@pytest.mark.parametrize("name", ["map/ikeda", "ode/hodgkin-huxley", "ode/bouncing-ball"])
def test_bits_on_the_oldest_processor(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without FMA, and with vectors of two numbers."""
    monkeypatch.setattr(native, "_host", lambda: ("x86-64", ""))
    chosen = "map" if name.startswith("map/") else "rk4"
    check(name, {chosen: paths(chosen)})


def test_every_model_has_its_table() -> None:
    assert {file_of(name) for name in list_models()} == set(FOLDER.glob("*.json"))
    for name in list_models():
        assert sorted(table_of(name)) == sorted(keys(name)), f"bless {name}"


def test_a_change_is_named() -> None:
    known = {"rk4, run": {"t": "1", "record": "2"}, "rk4, batch": {"t": "3"}}
    found = {"rk4, run": {"t": "1", "record": "5"}, "rk4, batch": {"t": "3"}}
    assert differences("ode/lorenz", known, known) == []
    assert differences("ode/lorenz", known, found) == ["ode/lorenz, rk4, run: record"]
    assert differences("ode/lorenz", known, {}) == [
        "ode/lorenz, rk4, batch: t",
        "ode/lorenz, rk4, run: t, record",
    ]
