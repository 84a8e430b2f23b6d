"""Loops over lanes and over arrays, compiled as kernels are, for one function each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from dynlib.compiler.jit import native
from dynlib.compiler.llvm.translate import SYMBOL, translate
from dynlib.compiler.vecmath import VECMATH

TWO_ARGUMENTS = {"pow", "atan2", "hypot"}
NAMES = sorted(VECMATH)
LANES = 16

_ARRAYS = """
def entry(table):
    a = view1_float64(table, 0)
    b = view1_float64(table + 16, 0)
    out = view1_float64(table + 32, 0)
    for i in range(len(a)):
        out[i] = {function}({arguments})
    return 0
"""

# One block as ensembles have it: rows of 16 lanes, stepped many times.
_LANES = """
def entry(table):
    y = view2_float64(table, 3, 16)
    steps = view1_int64(table + 16, 1)
    for k in range(steps[0]):
        for lane in range(16):
            y[0, lane] = y[1, lane] + 1e-30 * {function}({arguments})
    return 0
"""

# The same of one trajectory: each step waits for the one before.
_SINGLE = """
def entry(table):
    y = view1_float64(table, 3)
    steps = view1_int64(table + 16, 1)
    u = y[0]
    for k in range(steps[0]):
        u = y[1] + 1e-30 * {function}({arguments})
    y[0] = u
    return 0
"""

_SHAPES = {
    "arrays": (_ARRAYS, "a[i]", "a[i], b[i]"),
    "lanes": (_LANES, "y[0, lane]", "y[0, lane], y[2, lane]"),
    "single": (_SINGLE, "u", "u, y[2]"),
}


@dataclass
class Kernel:
    """A loaded kernel and the machine code it came from."""

    code: native.ObjectCode
    entry: Any = field(init=False)

    def __post_init__(self) -> None:
        self.entry = native.load(self.code)

    @property
    def machine_code(self) -> str:
        """Its assembly text for this machine."""
        llvm = native._llvm()
        module = llvm.parse_assembly(self.code.assembly)
        return native._target_machine().emit_assembly(module)

    def packed(self) -> int:
        """How many instructions on vectors of four or eight doubles it has."""
        return len(re.findall(r"\tv\w+pd\t.*%[yz]mm", self.machine_code))


@cache
def kernel(shape: str, name: str) -> Kernel:
    """Compile the loop `shape` around a function of ours."""
    template, one, two = _SHAPES[shape]
    arguments = two if name in TWO_ARGUMENTS else one
    text = template.format(function=name, arguments=arguments)
    assembly = translate(text, {}, "entry", "float64")
    return Kernel(native.emit_object(assembly, SYMBOL))


def table(*arrays: np.ndarray) -> np.ndarray:
    """The table of addresses and extents that a kernel reads its arrays from."""
    words = [word for a in arrays for word in (a.ctypes.data, a.shape[0])]
    return np.array(words, dtype=np.int64)


def evaluate(name: str, *arguments: np.ndarray) -> np.ndarray:
    """Values of a function at arrays of points, through its loop over arrays."""
    points = [np.ascontiguousarray(a, dtype=np.float64) for a in arguments]
    out = np.empty_like(points[0])
    words = table(points[0], points[-1], out)
    kernel("arrays", name).entry(words.ctypes.data)
    return out
