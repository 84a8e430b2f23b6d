"""log, log1p, log2, log10 and the inverse hyperbolic functions.

``x = 2**k * (1 + f)`` with ``1 + f`` between sqrt(1/2) and sqrt(2); then, with ``s = f/(2 + f)``,
``log(1 + f) = 2*atanh(s) = f - s*(f - R(s**2))``, where f is exact and the product small [1]_.

.. [1] P. T. P. Tang, Table-driven implementation of the logarithm function in IEEE floating-point
   arithmetic, ACM Trans. Math. Softw. 16 (1990) 378-400; the form with f outside is that of
   K. C. Ng's FDLIBM (1993).
"""

from __future__ import annotations

from dynlib.compiler.vecmath.coefficients import (
    ATANH,
    INV_LN2_HIGH,
    INV_LN2_LOW,
    INV_LN10_HIGH,
    INV_LN10_LOW,
    LN2_SHORT_HIGH,
    LN2_SHORT_LOW,
    LOG,
    LOG10_2_HIGH,
    LOG10_2_LOW,
)
from dynlib.compiler.vecmath.polynomials import poly7, poly8
from dynlib.compiler.vecmath.primitives import (
    bits_to_float,
    copysign,
    fabs,
    float_to_bits,
    fma,
    select,
    sqrt,
)

__all__ = ["acosh", "asinh", "atanh", "log", "log1p", "log2", "log10", "split_exponent"]

INF = float("inf")
NAN = float("nan")
SMALLEST_NORMAL = 2.0**-1022
SQRT_HALF_BITS = 0x3FE6A09E667F3BCD
ONE_MINUS_SQRT_HALF_BITS = (1023 << 52) - SQRT_HALF_BITS
MANTISSA = (1 << 52) - 1
#: An integer of 12 bits in the low bits of this float is that float plus the integer.
TWO_52_BITS = 1075 << 52
TWO_52 = 2.0**52


def split_exponent(x: float) -> tuple[float, float]:
    """``k, m`` with ``x = 2**k * m`` and sqrt(1/2) <= m < sqrt(2), for positive finite x."""
    tiny = x < SMALLEST_NORMAL
    bits = float_to_bits(select(tiny, x * TWO_52, x)) + ONE_MINUS_SQRT_HALF_BITS
    k = bits_to_float(((bits >> 52) & 2047) | TWO_52_BITS)
    k = k - select(tiny, TWO_52 + 1075.0, TWO_52 + 1023.0)
    return k, bits_to_float((bits & MANTISSA) + SQRT_HALF_BITS)


def log_of_parts(f: float, k: float, low: float) -> float:
    """``log(1 + f) + k*log(2) + low`` for a small low part."""
    s = f / (2.0 + f)
    z = s * s
    half = (0.5 * f) * f
    rest = fma(s, fma(z, poly7(z, LOG), half), fma(k, LN2_SHORT_LOW, low)) - half
    lead = k * LN2_SHORT_HIGH
    high = lead + f
    return high + (((lead - high) + f) + rest)


def log_pair(f: float) -> tuple[float, float]:
    """log(1 + f) in two words."""
    s = f / (2.0 + f)
    z = s * s
    half = (0.5 * f) * f
    high = f - half
    rest = s * fma(z, poly7(z, LOG), half) - fma(0.5 * f, f, -half)
    return high, ((f - high) - half) + rest


def outside_of_log(x: float, y: float) -> float:
    """``y``, or what every logarithm gives at zero, below it, at infinity and for NaN."""
    y = select(x < INF, y, x)
    return select(x <= 0.0, select(x == 0.0, -INF, NAN), y)


def log(x: float) -> float:
    """Natural logarithm."""
    k, m = split_exponent(x)
    return outside_of_log(x, log_of_parts(m - 1.0, k, 0.0))


def log2(x: float) -> float:
    """Logarithm to base 2; exact at powers of two."""
    k, m = split_exponent(x)
    high, low = log_pair(m - 1.0)
    p = high * INV_LN2_HIGH
    rest = fma(high, INV_LN2_HIGH, -p) + fma(high, INV_LN2_LOW, low * INV_LN2_HIGH)
    y = k + p
    return outside_of_log(x, y + (((k - y) + p) + rest))


def log10(x: float) -> float:
    """Logarithm to base 10."""
    k, m = split_exponent(x)
    high, low = log_pair(m - 1.0)
    p = high * INV_LN10_HIGH
    rest = fma(high, INV_LN10_HIGH, -p) + fma(high, INV_LN10_LOW, low * INV_LN10_HIGH)
    lead = k * LOG10_2_HIGH
    y = lead + p
    return outside_of_log(x, y + (((lead - y) + p) + fma(k, LOG10_2_LOW, rest)))


def log1p_of_pair(x: float, low: float, extra: float) -> float:
    """``log(1 + x + low) + extra*log(2)``; low is much smaller than x.

    ``f = (1 + x)/2**k - 1`` is formed as ``(x - (2**k - 1))/2**k``, which is exact.
    """
    huge = x > 2.0**700
    extra = extra + select(huge, 600.0, 0.0)
    x = select(huge, x * 2.0**-600, x)
    bits = float_to_bits(1.0 + x) + ONE_MINUS_SQRT_HALF_BITS
    exponent = bits & (2047 << 52)
    power = bits_to_float(exponent)
    down = bits_to_float((2046 << 52) - exponent)
    f = (x + (1.0 - power)) * down
    low = low * down
    k = bits_to_float(((bits >> 52) & 2047) | TWO_52_BITS) - (TWO_52 + 1023.0)
    # d log(1 + f) = low/(1 + f); the bracket is 1/(1 + f) well enough
    return log_of_parts(f, k + extra, low * fma(f, f - 1.0, 1.0))


def log1p(x: float) -> float:
    """log(1 + x)."""
    y = log1p_of_pair(x, 0.0, 0.0)
    y = select(x < INF, y, x)
    y = select(x <= -1.0, select(x == -1.0, -INF, NAN), y)
    return copysign(y, x)


def asinh(x: float) -> float:
    """Inverse hyperbolic sine: ``log1p(a + a**2/(1 + sqrt(1 + a**2)))`` of ``a = |x|``."""
    a = fabs(x)
    large = a > 2.0**500
    b = select(large, 0.0, a)
    rest = (b * b) / (1.0 + sqrt(fma(b, b, 1.0)))
    u = a + rest
    y = log1p_of_pair(u, (a - u) + rest, select(large, 1.0, 0.0))
    return copysign(select(a < INF, y, a), x)


def acosh(x: float) -> float:
    """Inverse hyperbolic cosine: ``log1p(t + sqrt(t*(t + 2)))`` of ``t = x - 1``."""
    large = x > 2.0**500
    t = x - 1.0
    b = select(large, 0.0, t)
    root = sqrt(fma(b, b, b + b))
    u = t + root
    big = select(t > root, t, root)
    small = select(t > root, root, t)
    y = log1p_of_pair(u, (big - u) + small, select(large, 1.0, 0.0))
    y = select(x < INF, y, x)
    return select(x < 1.0, NAN, y)


def atanh(x: float) -> float:
    """Inverse hyperbolic tangent.

    ``(1 + x)/(1 - x) = 2**k * (1 + s)/(1 - s)`` with
    ``s = (x*(1 + 2**k) + 1 - 2**k)/(x*(1 - 2**k) + 1 + 2**k)``, which is x itself for k = 0;
    where ``2**k`` is large, 1 - x is exact and ``(1 + x -+ 2**k*(1 - x))`` the better form.
    """
    a = fabs(x)
    half = 1 << 51
    bits = float_to_bits(1.0 + a) - float_to_bits(1.0 - a) + half
    exponent = (bits & (2047 << 52)) + (1023 << 52)
    power = bits_to_float(exponent)
    k = bits_to_float(((bits >> 52) & 2047) | TWO_52_BITS) - TWO_52
    near_one = power > 2.0**20
    top = select(near_one, fma(-power, 1.0 - a, 1.0 + a), fma(a, 1.0 + power, 1.0 - power))
    bottom = select(near_one, fma(power, 1.0 - a, 1.0 + a), fma(a, 1.0 - power, 1.0 + power))
    s = top / bottom
    z = s * s
    lead = k * (0.5 * LN2_SHORT_HIGH)
    rest = fma(z * s, poly8(z, ATANH), k * (0.5 * LN2_SHORT_LOW))
    high = lead + s
    y = high + (((lead - high) + s) + rest)
    y = select(a < 1.0, y, select(a == 1.0, INF, NAN))
    return copysign(y, x)
