"""Elementary functions that LLVM can vectorise: fma, selects and polynomials, no tables, no libm.

Each function is ordinary Python over the operations of :mod:`primitives`.  ``VECMATH`` maps the
names that generated code uses to these functions; `compiler.llvm` translates their text, the
primitives being single instructions.  The same text serves single runs and lanes, so that both give
the same bits.  ``docs/vecmath.md`` states their errors and speeds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from dynlib.compiler.vecmath import (
    any_angle,
    error_function,
    exponential,
    inverse,
    logarithm,
    power,
    roots,
    trigonometric,
)

__all__ = ["RARE", "VECMATH", "content_hash"]

Function = Callable[..., Any]

VECMATH: Mapping[str, Function] = {
    "exp": exponential.exp,
    "expm1": exponential.expm1,
    "sinh": exponential.sinh,
    "cosh": exponential.cosh,
    "tanh": exponential.tanh,
    "log": logarithm.log,
    "log1p": logarithm.log1p,
    "log2": logarithm.log2,
    "log10": logarithm.log10,
    "asinh": logarithm.asinh,
    "acosh": logarithm.acosh,
    "atanh": logarithm.atanh,
    "sin": any_angle.sin,
    "cos": any_angle.cos,
    "tan": any_angle.tan,
    "sin_near": trigonometric.sin_near,
    "cos_near": trigonometric.cos_near,
    "tan_near": trigonometric.tan_near,
    "asin": inverse.asin,
    "acos": inverse.acos,
    "atan": inverse.atan,
    "atan2": inverse.atan2,
    "pow": power.power,
    "cbrt": roots.cbrt,
    "hypot": roots.hypot,
    "erf": error_function.erf,
    "erfc": error_function.erfc,
}

RARE = (any_angle.far_sin, any_angle.far_cos, any_angle.far_tan)
"""What is hardly ever called; it stands behind a branch, which must not stop a vectoriser."""


def content_hash() -> str:
    """Hash of the source text of this package, for the keys of compiled-code caches."""
    digest = sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
