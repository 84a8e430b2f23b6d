"""sin, cos and tan of arguments up to FAR = 2**45.

``x = k*pi/2 + r`` by Cody and Waite's method [1]_ with fma: ``x - k*HALF_PI_0`` is exact, because
both are multiples of a power of two below 2**-51 and the difference is below 2; the other two words
of pi/2 give r in two words, also where it is tiny.

sin and cos of one argument share everything but the last select.

.. [1] W. J. Cody and W. Waite, Software Manual for the Elementary Functions, Prentice-Hall 1980.
"""

from __future__ import annotations

from dynlib.compiler.vecmath.coefficients import (
    COS,
    HALF_PI_0,
    HALF_PI_1,
    HALF_PI_2,
    SIN,
    TWO_OVER_PI,
)
from dynlib.compiler.vecmath.polynomials import poly6
from dynlib.compiler.vecmath.primitives import (
    bits_to_float,
    copysign,
    fabs,
    float_to_bits,
    fma,
    select,
)

__all__ = [
    "FAR",
    "cos_core",
    "cos_near",
    "sin_core",
    "sin_near",
    "tan_core",
    "tan_near",
    "tangent",
    "turned",
]

FAR = 2.0**45
SHIFT = 1.5 * 2.0**52
NAN = float("nan")


def reduced(x: float) -> tuple[int, float, float]:
    """``k, r, rest`` with ``x = k*pi/2 + r + rest``; of k the low bits."""
    shifted = fma(x, TWO_OVER_PI, SHIFT)
    k = shifted - SHIFT
    near = fma(-k, HALF_PI_0, x)
    step = k * HALF_PI_1
    r = near - step
    rest = fma(-k, HALF_PI_2, ((near - r) - step) - fma(k, HALF_PI_1, -step))
    return float_to_bits(shifted), r, rest


def sine(r: float, rest: float) -> tuple[float, float]:
    """sin(r + rest) in two words, |r| <= pi/4."""
    z = r * r
    low = fma(z * r, poly6(z, SIN), fma(z * rest, -0.5, rest))
    high = r + low
    return copysign(high, r), (r - high) + low


def cosine(r: float, rest: float) -> tuple[float, float]:
    """cos(r + rest) in two words, |r| <= pi/4."""
    z = r * r
    half = 0.5 * z
    lead = 1.0 - half
    low = ((1.0 - lead) - half) + fma(z * z, poly6(z, COS), fma(-r, rest, fma(r * -0.5, r, half)))
    high = lead + low
    return high, (lead - high) + low


def turned(k: int, r: float, rest: float) -> float:
    """sin(k*pi/2 + r + rest)."""
    y = select((k & 1) == 1, cosine(r, rest)[0], sine(r, rest)[0])
    return bits_to_float(float_to_bits(y) ^ ((k & 2) << 62))


def sin_core(x: float) -> float:
    """Sine for |x| <= FAR, nonsense beyond."""
    k, r, rest = reduced(x)
    return turned(k, r, rest)


def cos_core(x: float) -> float:
    """Cosine for |x| <= FAR, nonsense beyond."""
    k, r, rest = reduced(x)
    return turned(k + 1, r, rest)


def tangent(k: int, r: float, rest: float) -> float:
    """tan(k*pi/2 + r + rest)."""
    s, s_low = sine(r, rest)
    c, c_low = cosine(r, rest)
    odd = (k & 1) == 1
    top = select(odd, -c, s)
    top_low = select(odd, -c_low, s_low)
    bottom = select(odd, s, c)
    bottom_low = select(odd, s_low, c_low)
    inverse = 1.0 / bottom
    q = top * inverse
    error = fma(-q, bottom, top) + fma(-q, bottom_low, top_low)
    return fma(error, inverse, q)


def tan_core(x: float) -> float:
    """Tangent for |x| <= FAR, nonsense beyond."""
    k, r, rest = reduced(x)
    return select(x == 0.0, x, tangent(k, r, rest))


def sin_near(x: float) -> float:
    """sin(x) for |x| <= FAR, NaN beyond."""
    return select(fabs(x) > FAR, NAN, sin_core(x))


def cos_near(x: float) -> float:
    """cos(x) for |x| <= FAR, NaN beyond."""
    return select(fabs(x) > FAR, NAN, cos_core(x))


def tan_near(x: float) -> float:
    """tan(x) for |x| <= FAR, NaN beyond."""
    return select(fabs(x) > FAR, NAN, tan_core(x))
