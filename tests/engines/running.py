"""Functions of the language of kernels, run by an engine."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from engines.constructs import ARRAYS, HELPERS, REALS, SIZE, WHOLES

from dynlib.abi.primitives import plain_namespace
from dynlib.compiler.jit.engines import LLVM, NUMBA
from dynlib.compiler.jit.native import load
from dynlib.compiler.source import Calls, KernelSource

Arrays = dict[str, Any]
_ALL = (*ARRAYS, "square", "cube")
_WORDS = {**dict.fromkeys(ARRAYS, 3), "square": 4, "cube": 4}


def fresh(count: int) -> Arrays:
    """Arrays with a row for each of so many functions; all rows are alike."""
    given = {"float": REALS, "int": WHOLES}
    arrays: Arrays = {
        name: np.tile(np.array(given[kind.rstrip("0123456789")], dtype=kind), (count, 1))
        for name, kind in ARRAYS.items()
    }
    arrays["square"] = np.tile(np.arange(64.0).reshape(SIZE, SIZE) / 8 - 2.0, (count, 1, 1))
    arrays["cube"] = np.zeros((SIZE, 2, 4))
    return arrays


def text_of(bodies: Mapping[str, str]) -> str:
    """A text of functions with these bodies, in their order, and of the helpers."""
    head = ", ".join(_ALL)
    parts = [
        f"def construct{i}({head}):\n{textwrap.indent(body, '    ')}\n"
        for i, body in enumerate(bodies.values())
    ]
    return "\n".join([HELPERS, *parts])


def by_python(bodies: Mapping[str, str]) -> Arrays:
    """What the functions leave as plain Python."""
    space, arrays = plain_namespace(), fresh(len(bodies))
    exec(text_of(bodies), space)
    with np.errstate(all="ignore"):
        for i in range(len(bodies)):
            rows = [arrays[name] if name == "cube" else arrays[name][i] for name in _ALL]
            space[f"construct{i}"](*rows)  # type: ignore[operator]
    return arrays


def source_of(bodies: Mapping[str, str]) -> KernelSource:
    """The same as a kernel that calls one after the other."""
    n, lines, place = len(bodies), [], 0
    shapes = {**dict.fromkeys(ARRAYS, f"{n}, {SIZE}"), "square": f"{n}, {SIZE}, {SIZE}"}
    shapes["cube"] = f"{SIZE}, 2, 4"
    for name in _ALL:
        kind = ARRAYS.get(name, "float64")
        lines.append(f"{name} = view{_WORDS[name] - 1}_{kind}(table + {place}, {shapes[name]})")
        place += 8 * _WORDS[name]
    for i in range(n):
        rows = ", ".join(name if name == "cube" else f"{name}[{i}]" for name in _ALL)
        lines.append(f"construct{i}({rows})")
    text = "\n    ".join([f"{text_of(bodies)}\n\ndef entry(table):", *lines, "return 0", ""])
    names = [line[4:].split("(")[0] for line in text.splitlines() if line.startswith("def ")]
    return KernelSource(text, dict.fromkeys(names, Calls.FREE), "constructs")


def compiled(engine: Any, bodies: Mapping[str, str]) -> Callable[[], Arrays]:
    """What the functions leave, compiled by an engine."""
    assert engine in (LLVM, NUMBA)
    entry = load(engine.object_code(source_of(bodies), "float64", engine.hooks({})))

    def run() -> Arrays:
        arrays = fresh(len(bodies))
        words = [word for name in _ALL for word in _of(arrays[name])]
        table = np.array(words, dtype=np.int64)
        assert entry(table.ctypes.data) == 0
        return arrays

    return run


def _of(array: Any) -> list[int]:
    return [array.ctypes.data, *array.shape]
