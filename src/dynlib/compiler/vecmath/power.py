"""pow, from a logarithm of 65 bits and an exponential of two words."""

from __future__ import annotations

from dynlib.compiler.vecmath.coefficients import LN2_SHORT_HIGH, LN2_SHORT_LOW, POW, POW_TAIL
from dynlib.compiler.vecmath.exponential import exp_of_pair
from dynlib.compiler.vecmath.logarithm import split_exponent
from dynlib.compiler.vecmath.polynomials import poly7
from dynlib.compiler.vecmath.primitives import copysign, fabs, fma, rint, select

__all__ = ["log_to_65_bits", "power"]

INF = float("inf")
NAN = float("nan")
POW_FIRST = POW[0]
POW_REST = POW[1:]


def log_to_65_bits(x: float) -> tuple[float, float]:
    """log(x) in two words, for positive finite x.

    ``2*atanh(s)`` with s in two words and, of the series, the term in s**3 as well.
    """
    k, m = split_exponent(x)
    f = m - 1.0
    bottom = 2.0 + f
    inverse = 1.0 / bottom
    s = f * inverse
    s_low = (fma(-s, bottom, f) - s * (f - (bottom - 2.0))) * inverse
    z = s * s
    z_low = fma(s, s, -z) + 2.0 * s * s_low
    rest = z * poly7(z, POW_REST)
    factor = POW_FIRST + rest
    factor_low = ((POW_FIRST - factor) + rest) + POW_TAIL
    cube = s * z
    cube_low = fma(s, z, -cube) + fma(s, z_low, s_low * z)
    term = cube * factor
    term_low = fma(cube, factor, -term) + fma(cube, factor_low, cube_low * factor)
    lead = k * LN2_SHORT_HIGH
    first = lead + 2.0 * s
    second = first + term
    low = ((lead - first) + 2.0 * s) + ((first - second) + term)
    low = low + fma(k, LN2_SHORT_LOW, fma(2.0, s_low, term_low))
    high = second + low
    return high, (second - high) + low


def power(x: float, y: float) -> float:
    """x**y with the special cases of IEEE 754 ``pow``."""
    a = fabs(x)
    high, low = log_to_65_bits(a)
    # Larger exponents change nothing: |log x| >= 2**-53 unless x is 1.
    limited = select(fabs(y) > 1e21, copysign(1e21, y), y)
    product = limited * high
    product_low = fma(limited, high, -product) + limited * low
    product_low = select(fabs(product) > 1000.0, 0.0, product_low)
    value = exp_of_pair(product, product_low, 1.0)

    zero = a == 0.0
    grows = zero == (y < 0.0)
    value = select(zero | (a == INF), select(grows, INF, 0.0), value)
    integral = rint(y) == y
    half = 0.5 * y
    odd = integral & (rint(half) != half)
    value = select(odd, copysign(value, x), value)
    value = select((x < 0.0) & (a < INF) & (rint(y) != y), NAN, value)
    value = select((x != x) | (y != y), x + y, value)
    return select((x == 1.0) | (y == 0.0), 1.0, value)
