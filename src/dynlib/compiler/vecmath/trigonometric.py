"""sin, cos and tan.

``x = k*pi + r`` (for tan ``k*pi/2``) by Cody and Waite's method [1]_ with fma: ``x - k*PI_0`` is
exact, because both are multiples of a power of two below 2**-51 and the difference is below 2;
``PI_1`` and ``PI_2`` give the reduced argument in two words, also where it is tiny.  That holds for
``|x| <= FAR = 2**45``.  Beyond (where neighbouring floats are farther apart than 0.007) the C
library takes over, behind one branch.  The branch holds nothing but a call without side effects, so that
LLVM's loop vectoriser keeps the loop and branches around the call lane by lane;
``sin_near``, ``cos_near`` and ``tan_near`` are the same functions without it, for code that knows its
arguments: beyond FAR they return NaN.

.. [1] W. J. Cody and W. Waite, Software Manual for the Elementary Functions, Prentice-Hall 1980.
"""

from __future__ import annotations

from dynlib.compiler.vecmath.coefficients import (
    COS_QUARTER,
    HALF_PI_0,
    HALF_PI_1,
    HALF_PI_2,
    INV_PI,
    PI_0,
    PI_1,
    PI_2,
    SIN,
    SIN_QUARTER,
    TWO_OVER_PI,
)
from dynlib.compiler.vecmath.polynomials import poly6, poly8
from dynlib.compiler.vecmath.primitives import (
    bits_to_float,
    copysign,
    fabs,
    far_cos,
    far_sin,
    float_to_bits,
    fma,
    select,
)

__all__ = ["FAR", "cos", "cos_near", "sin", "sin_near", "tan", "tan_near"]

FAR = 2.0**45
SHIFT = 1.5 * 2.0**52
NAN = float("nan")


def sin_reduced(x: float, k: float, shifted: float) -> float:
    """sin(x) from ``k`` = x/pi rounded; k is also in the low bits of ``shifted``."""
    near = fma(-k, PI_0, x)
    step = k * PI_1
    r = near - step
    rest = fma(-k, PI_2, ((near - r) - step) - fma(k, PI_1, -step))
    z = r * r
    y = r + fma(z * r, poly8(z, SIN), rest * fma(z, -0.5, 1.0))
    # The sign of r, also of zero, turned where k is odd.
    return copysign(y, bits_to_float(float_to_bits(r) ^ (float_to_bits(shifted) << 63)))


def sin_core(x: float) -> float:
    shifted = fma(x, INV_PI, SHIFT)
    return sin_reduced(x, shifted - SHIFT, shifted)


def cos_core(x: float) -> float:
    shifted = fma(fabs(x), INV_PI, -0.5) + SHIFT
    # cos(x) = -sin(|x| - (k + 1/2)*pi) for even k
    return -sin_reduced(fabs(x), (shifted - SHIFT) + 0.5, shifted)


def tan_core(x: float) -> float:
    shifted = fma(x, TWO_OVER_PI, SHIFT)
    k = shifted - SHIFT
    near = fma(-k, HALF_PI_0, x)
    step = k * HALF_PI_1
    r = near - step
    rest = fma(-k, HALF_PI_2, ((near - r) - step) - fma(k, HALF_PI_1, -step))
    z = r * r
    # sine and cosine of r in two words each
    sine_rest = fma(z * r, poly6(z, SIN_QUARTER), fma(z * rest, -0.5, rest))
    sine = r + sine_rest
    sine_rest = (r - sine) + sine_rest
    half = 0.5 * z
    cosine_rest = fma(z * z, poly6(z, COS_QUARTER), fma(-r, rest, fma(r * -0.5, r, half)))
    lead = 1.0 - half
    cosine_rest = ((1.0 - lead) - half) + cosine_rest
    cosine = lead + cosine_rest
    cosine_rest = (lead - cosine) + cosine_rest
    odd = (float_to_bits(shifted) & 1) == 1
    top = select(odd, -cosine, sine)
    top_rest = select(odd, -cosine_rest, sine_rest)
    bottom = select(odd, sine, cosine)
    bottom_rest = select(odd, sine_rest, cosine_rest)
    inverse = 1.0 / bottom
    q = top * inverse
    error = fma(-q, bottom, top) + fma(-q, bottom_rest, top_rest)
    y = fma(error, inverse, q)
    return select(x == 0.0, x, y)


def sin_near(x: float) -> float:
    """sin(x) for |x| <= FAR, NaN beyond."""
    return select(fabs(x) > FAR, NAN, sin_core(x))


def cos_near(x: float) -> float:
    """cos(x) for |x| <= FAR, NaN beyond."""
    return select(fabs(x) > FAR, NAN, cos_core(x))


def tan_near(x: float) -> float:
    """tan(x) for |x| <= FAR, NaN beyond."""
    return select(fabs(x) > FAR, NAN, tan_core(x))


def sin(x: float) -> float:
    """Sine of any float."""
    y = sin_core(x)
    if fabs(x) > FAR:
        y = far_sin(x)
    return y


def cos(x: float) -> float:
    """Cosine of any float."""
    y = cos_core(x)
    if fabs(x) > FAR:
        y = far_cos(x)
    return y


def tan(x: float) -> float:
    """Tangent of any float."""
    y = tan_core(x)
    if fabs(x) > FAR:
        y = far_sin(x) / far_cos(x)
    return y
