"""cbrt and hypot."""

from __future__ import annotations

from dynlib.compiler.vecmath.coefficients import CBRT, CBRT_HALF, CBRT_TWO
from dynlib.compiler.vecmath.logarithm import MANTISSA, SMALLEST_NORMAL, TWO_52_BITS
from dynlib.compiler.vecmath.polynomials import poly6
from dynlib.compiler.vecmath.primitives import (
    bits_to_float,
    copysign,
    fabs,
    float_to_bits,
    fma,
    rint,
    select,
    sqrt,
)

__all__ = ["cbrt", "hypot"]

INF = float("inf")
SHIFT = 1.5 * 2.0**52


def cbrt(x: float) -> float:
    """Cube root: a polynomial guess of m**(-1/3), one iteration of order three, one of two."""
    a = fabs(x)
    tiny = a < SMALLEST_NORMAL
    bits = float_to_bits(select(tiny, a * 2.0**54, a))
    exponent = bits_to_float((bits >> 52) | TWO_52_BITS) - (2.0**52 + 1023.0)
    third = rint(exponent * (1.0 / 3.0))
    remainder = fma(-3.0, third, exponent)
    m = bits_to_float((bits & MANTISSA) | (1023 << 52))
    guess = poly6(m, CBRT)
    up, down = remainder > 0.5, remainder < -0.5
    guess = guess * select(up, CBRT_HALF, select(down, CBRT_TWO, 1.0))
    m = m * select(up, 2.0, select(down, 0.5, 1.0))
    error = fma(-m * guess, guess * guess, 1.0)
    inverse = fma(guess * error, fma(error, 2.0 / 9.0, 1.0 / 3.0), guess)
    square = inverse * inverse
    root = m * square
    # Newton's step with the residual root**3 - m in two words
    root2 = root * root
    residual = fma(root2, root, -m) + fma(root, root, -root2) * root
    root = fma(residual * (-1.0 / 3.0), square, root)
    scale = bits_to_float((float_to_bits(third + SHIFT) << 52) + (1023 << 52))
    root = root * scale * select(tiny, 2.0**-18, 1.0)
    return copysign(select((a > 0.0) & (a < INF), root, a), x)


def hypot(x: float, y: float) -> float:
    """``sqrt(x*x + y*y)`` without overflow or underflow on the way."""
    x = fabs(x)
    y = fabs(y)
    swap = x < y
    a = select(swap, y, x)
    b = select(swap, x, y)
    large = a > 2.0**510
    small = a < 2.0**-450
    scale = select(large, 2.0**-600, select(small, 2.0**600, 1.0))
    back = select(large, 2.0**600, select(small, 2.0**-600, 1.0))
    a = a * scale
    b = b * scale
    square = b * b
    total = fma(a, a, square)
    root = sqrt(total) * back
    return select((x == INF) | (y == INF), INF, root)
