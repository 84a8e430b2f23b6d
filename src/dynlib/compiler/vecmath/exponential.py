"""exp, expm1 and the hyperbolic functions.

Every one splits ``x = k*log(2) + r`` with ``|r| <= log(2)/2`` [1]_.  ``k*LN2_HIGH`` is subtracted
by fma: both terms are multiples of the same small power of two and nearly cancel, so the
difference is exact, and two words of log(2) carry the whole range.  ``k`` is found in the low bits
of ``x/log(2) + SHIFT``, the power ``2**k`` is put together from them as bits.

.. [1] J.-M. Muller, Elementary Functions, 3rd edition, Birkhäuser 2016, chapter 11.
"""

from __future__ import annotations

from dynlib.compiler.vecmath.coefficients import COSH, EXP, LN2_HIGH, LN2_LOW, LOG2_E, SINH
from dynlib.compiler.vecmath.polynomials import poly5, poly6, poly10
from dynlib.compiler.vecmath.primitives import (
    bits_to_float,
    copysign,
    fabs,
    float_to_bits,
    fma,
    select,
)

__all__ = ["cosh", "exp", "exp_of_pair", "expm1", "sinh", "tanh"]

#: Adding it rounds to an integer k, which the low 12 bits of the sum hold (modulo 4096).
SHIFT = 1.5 * 2.0**52
#: The same, but the low 12 bits hold k + 2048, which is positive for every k that occurs.
EXP_SHIFT = SHIFT + 2048.0
#: Below it expm1(x) and sinh(x) are x, and scaling by powers of two would lose bits.
TINY = 2.0**-60


def scaled(factor: float, t: float, shifted: float) -> float:
    """``2**k * factor * (1 + t)`` for any k, in two steps, so that subnormals round once."""
    biased = float_to_bits(shifted) & 4095
    half = biased >> 1
    first = bits_to_float((half - 1) << 52) * factor
    second = bits_to_float((biased - half - 1) << 52)
    return fma(t, first, first) * second


def exp(x: float) -> float:
    """e**x.  Worst error 0.9 ulp."""
    x = select(x > 710.0, 710.0, x)
    x = select(x < -746.0, -746.0, x)
    shifted = fma(x, LOG2_E, EXP_SHIFT)
    k = shifted - EXP_SHIFT
    r = fma(-k, LN2_LOW, fma(-k, LN2_HIGH, x))
    return scaled(1.0, fma(r * r, poly10(r, EXP), r), shifted)


def exp_of_pair(high: float, low: float, factor: float) -> float:
    """``factor * e**(high + low)`` for a small low part."""
    high = select(high > 710.0, 710.0, high)
    high = select(high < -746.0, -746.0, high)
    shifted = fma(high, LOG2_E, EXP_SHIFT)
    k = shifted - EXP_SHIFT
    near = fma(-k, LN2_HIGH, high)
    r = fma(-k, LN2_LOW, near)
    rest = fma(-k, LN2_LOW, near - r) + low
    t = fma(r * r, poly10(r, EXP), r)
    return scaled(factor, t + fma(t, rest, rest), shifted)


def expm1(x: float) -> float:
    """e**x - 1.  Worst error 1.1 ulp."""
    y = select(x > 710.0, 710.0, x)
    y = select(y < -38.0, -38.0, y)
    shifted = fma(y, LOG2_E, SHIFT)
    k = shifted - SHIFT
    near = fma(-k, LN2_HIGH, y)
    r = fma(-k, LN2_LOW, near)
    rest = fma(r * r, poly10(r, EXP), fma(-k, LN2_LOW, near - r))
    half = bits_to_float((float_to_bits(shifted) << 52) + (1022 << 52))
    y = 2.0 * fma(half, rest, fma(half, r, half - 0.5))
    return select(fabs(x) < TINY, x, copysign(y, x))


def tanh(x: float) -> float:
    """Hyperbolic tangent, ``e/(e + 2)`` with ``e = expm1(2|x|)`` in two words."""
    y = fabs(x)
    y = 2.0 * select(y > 19.1, 19.1, y)
    shifted = fma(y, LOG2_E, SHIFT)
    k = shifted - SHIFT
    near = fma(-k, LN2_HIGH, y)
    r = fma(-k, LN2_LOW, near)
    rest = fma(r * r, poly10(r, EXP), fma(-k, LN2_LOW, near - r))
    t = r + rest
    rest = (r - t) + rest
    power = bits_to_float((float_to_bits(shifted) << 52) + (1023 << 52))
    top = fma(power, t, power - 1.0)
    top_rest = fma(power, rest, fma(power, t, (power - 1.0) - top))
    bottom = fma(power, t, power + 1.0)
    bottom_rest = fma(power, rest, fma(power, t, (power + 1.0) - bottom))
    inverse = 1.0 / bottom
    q = top * inverse
    error = fma(-q, bottom, top) + fma(-q, bottom_rest, top_rest)
    # power +- 1 is not exact for large powers, where 1 - 2/bottom is right to the last bit
    q = select(y > 18.0, fma(-2.0, inverse, 1.0), fma(error, inverse, q))
    return copysign(q, x)


def sinh(x: float) -> float:
    """Hyperbolic sine, by the addition theorem: no cancellation and no division."""
    y = fabs(x)
    y = select(y > 711.0, 711.0, y)
    shifted = fma(y, LOG2_E, SHIFT)
    k = shifted - SHIFT
    up, down = half_powers(k)
    near = fma(-k, LN2_HIGH, y)
    r = fma(-k, LN2_LOW, near)
    z = r * r
    odd = fma(z * r, poly5(z, SINH), fma(-k, LN2_LOW, near - r))
    even = z * poly6(z, COSH)
    cosh_k = up + down
    sinh_k = up - down
    y = 8.0 * (fma(cosh_k, r, sinh_k) + fma(cosh_k, odd, sinh_k * even))
    return select(fabs(x) < TINY, x, copysign(y, x))


def cosh(x: float) -> float:
    """Hyperbolic cosine, by the addition theorem."""
    y = fabs(x)
    y = select(y > 711.0, 711.0, y)
    shifted = fma(y, LOG2_E, SHIFT)
    k = shifted - SHIFT
    up, down = half_powers(k)
    near = fma(-k, LN2_HIGH, y)
    r = fma(-k, LN2_LOW, near)
    z = r * r
    odd = fma(z * r, poly5(z, SINH), fma(-k, LN2_LOW, near - r))
    even = z * poly6(z, COSH)
    cosh_k = up + down
    sinh_k = up - down
    return 8.0 * (fma(sinh_k, r, cosh_k) + fma(cosh_k, even, sinh_k * odd))


def half_powers(k: float) -> tuple[float, float]:
    """``2**(k-4)`` and ``2**(-k-4)`` for 0 <= k <= 1026; the second one stays above 2**-64."""
    small = select(k > 60.0, 60.0, k)
    up = bits_to_float((float_to_bits(k + SHIFT) << 52) + (1019 << 52))
    down = bits_to_float((float_to_bits(SHIFT - small) << 52) + (1019 << 52))
    return up, down
