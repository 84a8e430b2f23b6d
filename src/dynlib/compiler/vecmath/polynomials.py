"""Polynomials of fixed length in Estrin's scheme: short chains, one rounding an operation.

``polyN(x, c)`` is ``c[0] + c[1]*x + ... + c[N-1]*x**(N-1)``.
"""

from __future__ import annotations

from dynlib.compiler.vecmath.primitives import fma

__all__ = ["poly5", "poly6", "poly7", "poly8", "poly10", "poly11", "poly12", "poly20"]

Coefficients = tuple[float, ...]


def poly5(x: float, c: Coefficients) -> float:
    """Polynomial of 5 coefficients, the constant one first."""
    x2 = x * x
    low = fma(x2, fma(x, c[3], c[2]), fma(x, c[1], c[0]))
    return fma(x2 * x2, c[4], low)


def poly6(x: float, c: Coefficients) -> float:
    """Polynomial of 6 coefficients, the constant one first."""
    x2 = x * x
    low = fma(x2, fma(x, c[3], c[2]), fma(x, c[1], c[0]))
    return fma(x2 * x2, fma(x, c[5], c[4]), low)


def poly7(x: float, c: Coefficients) -> float:
    """Polynomial of 7 coefficients, the constant one first."""
    x2 = x * x
    low = fma(x2, fma(x, c[3], c[2]), fma(x, c[1], c[0]))
    return fma(x2 * x2, fma(x2, c[6], fma(x, c[5], c[4])), low)


def poly8(x: float, c: Coefficients) -> float:
    """Polynomial of 8 coefficients, the constant one first."""
    x2 = x * x
    low = fma(x2, fma(x, c[3], c[2]), fma(x, c[1], c[0]))
    return fma(x2 * x2, fma(x2, fma(x, c[7], c[6]), fma(x, c[5], c[4])), low)


def poly10(x: float, c: Coefficients) -> float:
    """Polynomial of 10 coefficients, the constant one first."""
    x2 = x * x
    x4 = x2 * x2
    low = fma(x2, fma(x, c[3], c[2]), fma(x, c[1], c[0]))
    middle = fma(x2, fma(x, c[7], c[6]), fma(x, c[5], c[4]))
    return fma(x4, fma(x4, fma(x, c[9], c[8]), middle), low)


def poly11(x: float, c: Coefficients) -> float:
    """Polynomial of 11 coefficients, the constant one first."""
    x2 = x * x
    x4 = x2 * x2
    low = fma(x2, fma(x, c[3], c[2]), fma(x, c[1], c[0]))
    middle = fma(x2, fma(x, c[7], c[6]), fma(x, c[5], c[4]))
    return fma(x4, fma(x4, fma(x2, c[10], fma(x, c[9], c[8])), middle), low)


def poly12(x: float, c: Coefficients) -> float:
    """Polynomial of 12 coefficients, the constant one first."""
    x2 = x * x
    x4 = x2 * x2
    low = fma(x2, fma(x, c[3], c[2]), fma(x, c[1], c[0]))
    middle = fma(x2, fma(x, c[7], c[6]), fma(x, c[5], c[4]))
    high = fma(x2, fma(x, c[11], c[10]), fma(x, c[9], c[8]))
    return fma(x4, fma(x4, high, middle), low)


def poly20(x: float, c: Coefficients) -> float:
    """Polynomial of 20 coefficients, the constant one first."""
    x2 = x * x
    x4 = x2 * x2
    first = fma(x2, fma(x, c[3], c[2]), fma(x, c[1], c[0]))
    second = fma(x2, fma(x, c[7], c[6]), fma(x, c[5], c[4]))
    third = fma(x2, fma(x, c[11], c[10]), fma(x, c[9], c[8]))
    fourth = fma(x2, fma(x, c[15], c[14]), fma(x, c[13], c[12]))
    fifth = fma(x2, fma(x, c[19], c[18]), fma(x, c[17], c[16]))
    x8 = x4 * x4
    return fma(x8, fma(x8, fifth, fma(x4, fourth, third)), fma(x4, second, first))
