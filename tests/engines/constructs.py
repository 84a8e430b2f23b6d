"""The language of kernels, construct by construct (docs/kernel-language.md): see `constructs.txt`.

Each example is the body of a function that takes rows of arrays by their names, and leaves there
what it finds: `reals` and `floats` of eight numbers in double and single precision, `wholes` and
`halves` of eight integers of 64 and 32 bits, a `square` of eight times eight, and a `cube` of
8 x 2 x 4 numbers that all share.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

SIZE = 8
ARRAYS = {"reals": "float64", "wholes": "int64", "floats": "float32", "halves": "int32"}
REALS = (0.75, -1.5, 2.25, -0.0, 3.0, 1e-3, 0.0, 7.0)
WHOLES = (3, -2, 5, 0, 7, 1, -9, 2)

_OF_ONE = (
    *("exp", "expm1", "sinh", "cosh", "tanh", "log", "log1p", "log2", "log10", "cbrt"),
    *("asinh", "acosh", "atanh", "sin", "cos", "tan", "asin", "acos", "atan", "erf", "erfc"),
)
_OF_TWO = ("pow", "atan2", "hypot")


def _read() -> dict[str, str]:
    text = Path(__file__).with_name("constructs.txt").read_text(encoding="utf-8")
    parts = re.split(r"^--- (.*)\n", re.sub(r"^===.*\n", "", text, flags=re.M), flags=re.M)
    return {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}


EXACT = _read()
"""Examples that give the same bits everywhere, by what they are of."""

_EACH = "for i in range(8):\n    square[0, i] = "
ELEMENTARY = {
    **{name: f"{_EACH}{name}(reals[i])" for name in _OF_ONE},
    **{name: f"{_EACH}{name}(reals[i], reals[7 - i])" for name in _OF_TWO},
    "angles that are large": "reals[0] = sin(reals[7]*1e17) + cos(1e300) - tan(reals[4]*1e20)",
}
"""Without a compiler these are NumPy's functions, which differ in last places."""

HELPERS = textwrap.dedent("""
    def helper(x, k):
        return x * k + 1

    def early(x):
        if x > 0.0:
            return x - 1.0
        for i in range(5):
            if i * 1.0 > -x:
                return i
        return -x

    def change(array, k):
        array[k] = 4.0
        array[k + 1] += 1.0

    def pairs(x):
        return (x, 2.0 * x), 3.0
""")
