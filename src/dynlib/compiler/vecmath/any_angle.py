"""sin, cos and tan of any float.

Beyond FAR, where neighbouring floats are farther apart than 0.007, the argument is reduced by Payne
and Hanek's method [1]_: ``x*2/pi`` is multiplied out in integers, with those digits of 2/pi that
matter modulo 4.  That is a hundred times slower, stands behind a branch, and is compiled
apart, so that LLVM's loop vectoriser keeps the loop and calls it for the lanes that need it.

.. [1] M. H. Payne and R. N. Hanek, Radian reduction for trigonometric functions, SIGNUM Newsletter
   18 (1983) 19-24.
"""

from __future__ import annotations

import numpy as np

from dynlib.compiler.vecmath.coefficients import HALF_PI_0, HALF_PI_1, TWO_OVER_PI_DIGITS
from dynlib.compiler.vecmath.primitives import fabs, float_to_bits, fma
from dynlib.compiler.vecmath.trigonometric import (
    FAR,
    cos_core,
    sin_core,
    tan_core,
    tangent,
    turned,
)

__all__ = ["cos", "far_cos", "far_sin", "far_tan", "sin", "tan"]

#: 2/pi in digits to base 2**28, after two zeros.
DIGITS = np.array(TWO_OVER_PI_DIGITS, dtype=np.int64)
DIGIT = (1 << 28) - 1
#: Places behind the point: 168 bits, of which 30 may be wrong and 62 zero.
PLACES = 6


def far_reduced(x: float) -> tuple[int, float, float]:
    """``k, r, rest`` with ``|x| = k*pi/2 + r + rest`` modulo 2*pi, for finite |x| >= 2**45.

    ``|x| = (m0 + m1*B + m2*B**2) * B**(q - 3)`` with ``B = 2**28``.  The product with the digits of
    2/pi is summed place by place, from the last one to the units.
    """
    bits = float_to_bits(fabs(x))
    exponent = (bits >> 52) - 1075 + 84
    q = exponent // 28
    mantissa = (bits & ((1 << 52) - 1)) | (1 << 52)
    shift = exponent - 28 * q
    low = (mantissa & DIGIT) << shift
    high = ((mantissa >> 28) << shift) + (low >> 28)
    m0, m1, m2 = low & DIGIT, high & DIGIT, high >> 28
    carry = 0
    fraction = 0.0
    weight = 2.0 ** (-28 * PLACES)
    # the first pass finds whether the fraction is above one half, the second one adds it up
    top = 0
    units = 0
    for place in range(PLACES, -1, -1):
        first = q - 2 + place
        total = carry + m0 * DIGITS[first] + m1 * DIGITS[first + 1] + m2 * DIGITS[first + 2]
        carry = total >> 28
        top = units
        units = total & DIGIT
    flip = DIGIT if top > (DIGIT >> 1) else 0
    carry = 0
    fraction_low = 0.0
    for place in range(PLACES, 0, -1):
        first = q - 2 + place
        total = carry + m0 * DIGITS[first] + m1 * DIGITS[first + 1] + m2 * DIGITS[first + 2]
        carry = total >> 28
        term = float((total & DIGIT) ^ flip) * weight
        weight = weight * 2.0**28
        # the new term is the larger one
        together = term + fraction
        fraction_low = fraction_low + (fraction - (together - term))
        fraction = together
    k = int(units) & 3
    if flip != 0:
        k = k + 1
        fraction = -fraction
        fraction_low = -fraction_low
    r = fraction * HALF_PI_0
    rest = fma(fraction, HALF_PI_0, -r) + fma(fraction, HALF_PI_1, fraction_low * HALF_PI_0)
    return k, r, rest


def far_sin(x: float) -> float:
    """sin(x) for |x| >= 2**45, NaN at infinity."""
    k, r, rest = far_reduced(x)
    y = turned(k, r, rest)
    return (y if x > 0.0 else -y) + 0.0 * (x - x)


def far_cos(x: float) -> float:
    """cos(x) for |x| >= 2**45, NaN at infinity."""
    k, r, rest = far_reduced(x)
    return turned(k + 1, r, rest) + 0.0 * (x - x)


def far_tan(x: float) -> float:
    """tan(x) for |x| >= 2**45, NaN at infinity."""
    k, r, rest = far_reduced(x)
    y = tangent(k, r, rest)
    return (y if x > 0.0 else -y) + 0.0 * (x - x)


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
        y = far_tan(x)
    return y
