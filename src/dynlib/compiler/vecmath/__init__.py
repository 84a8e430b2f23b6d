"""Elementary functions that LLVM can vectorise: fma, selects and polynomials, no tables, no libm.

Each function is ordinary Python over the operations of :mod:`primitives`.  ``VECMATH`` maps the
names that generated code uses to these functions; :func:`compiled` has them compiled, with
the primitives replaced by single instructions.  The same compiled functions serve single runs and
lanes, so that both give the same bits.  ``docs/vecmath.md`` states their errors and speeds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from types import FunctionType
from typing import Any, cast

from dynlib.compiler.vecmath import (
    any_angle,
    error_function,
    exponential,
    inverse,
    logarithm,
    polynomials,
    power,
    roots,
    trigonometric,
)
from dynlib.compiler.vecmath.primitives import PRIMITIVES

__all__ = ["PRIMITIVES", "RARE", "VECMATH", "compiled", "content_hash"]

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

_MODULES = (
    polynomials,
    exponential,
    logarithm,
    power,
    roots,
    trigonometric,
    any_angle,
    inverse,
    error_function,
)

RARE = (any_angle.far_sin, any_angle.far_cos, any_angle.far_tan)


def compiled(
    compile_function: Callable[[Function], Function],
    primitives: Mapping[str, Function],
    apart: Callable[[Function], Function] = lambda f: f,
) -> dict[str, Function]:
    """Pass every function through ``compile_function``, bound to the given primitives.

    Parameters
    ----------
    compile_function : callable
        For instance ``numba.njit(forceinline=True, error_model="numpy")``.  It is called once for
        each function and helper; lazy compilers then compile what is used, and nothing else.
    primitives : mapping
        A callable for every name in ``PRIMITIVES``.
    apart : callable
        What is done to the compiled functions that are hardly ever called and stand behind
        a branch, so that the branch does not stop a vectoriser.

    Returns
    -------
    dict
        The compiled functions under the names of ``VECMATH``.

    Raises
    ------
    KeyError
        If a primitive is missing.

    Examples
    --------
    >>> from dynlib.compiler.vecmath import primitives as plain
    >>> same = compiled(lambda f: f, {name: getattr(plain, name) for name in PRIMITIVES})
    >>> same["exp"](0.0)
    1.0
    """
    made: dict[Function, Function] = {}
    for module in _MODULES:
        space = dict(vars(module))
        space.update({name: made[f] for name, f in space.items() if _is_made(f, made)})
        space.update({name: primitives[name] for name in PRIMITIVES})
        for name, f in vars(module).items():
            if isinstance(f, FunctionType) and f.__module__ == module.__name__:
                bound = FunctionType(f.__code__, space, f.__name__, f.__defaults__)
                bound.__module__ = f.__module__
                bound.__qualname__ = f.__qualname__
                value = compile_function(bound)
                made[f] = space[name] = apart(value) if f in RARE else value
    return {name: made[f] for name, f in VECMATH.items()}


def _is_made(value: object, made: Mapping[Function, Function]) -> bool:
    return isinstance(value, FunctionType) and cast(Function, value) in made


def content_hash() -> str:
    """Hash of the source text of this package, for the keys of compiled-code caches."""
    digest = sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
