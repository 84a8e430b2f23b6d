"""asin, acos, atan and atan2.

asin beyond 1/2 goes through ``asin(x) = pi/2 - 2*asin(sqrt((1 - x)/2))``, atan beyond 1 through
``atan(x) = pi/2 - atan(1/x)``; each is a sum ``A + B*v`` with constants A in two words chosen by
selects, v in two words, and B a power of two or its negative.
"""

from __future__ import annotations

from dynlib.compiler.vecmath.coefficients import ASIN, ATAN, HALF_PI_HIGH, HALF_PI_LOW
from dynlib.compiler.vecmath.polynomials import poly12, poly20
from dynlib.compiler.vecmath.primitives import copysign, fabs, fma, select, sqrt

__all__ = ["acos", "asin", "atan", "atan2"]


def asin_parts(a: float) -> tuple[float, float]:
    """Two words of asin(a) for a <= 1/2, of asin(sqrt((1 - a)/2)) above."""
    large = a > 0.5
    z = select(large, 0.5 - 0.5 * a, a * a)
    root = sqrt(z)
    root_low = fma(-root, root, z) * (0.5 / (root + 1e-300))
    v = select(large, root, a)
    v_low = select(large, root_low, 0.0)
    return v, fma(v * z, poly12(z, ASIN), v_low)


def added(a: float, a_low: float, b: float, v: float, v_low: float) -> float:
    """``A + B*v`` where ``|A| >= |B*v|`` or ``A = 0``, and B*v is exact."""
    p = b * v
    y = a + p
    return y + (((a - y) + p) + fma(b, v_low, a_low))


def asin(x: float) -> float:
    """Inverse sine; NaN outside [-1, 1]."""
    a = fabs(x)
    v, v_low = asin_parts(a)
    large = a > 0.5
    y = added(
        select(large, HALF_PI_HIGH, 0.0),
        select(large, HALF_PI_LOW, 0.0),
        select(large, -2.0, 1.0),
        v,
        v_low,
    )
    return copysign(y, x)


def acos(x: float) -> float:
    """Inverse cosine; NaN outside [-1, 1]."""
    a = fabs(x)
    v, v_low = asin_parts(a)
    large = a > 0.5
    negative = x < 0.0
    quarters = select(large, select(negative, 2.0, 0.0), 1.0)
    b = select(large, 2.0, 1.0) * select(large == negative, -1.0, 1.0)
    return added(quarters * HALF_PI_HIGH, quarters * HALF_PI_LOW, b, v, v_low)


def atan(x: float) -> float:
    """Inverse tangent."""
    a = fabs(x)
    large = a > 1.0
    t = select(large, 1.0, a) / select(large, a, 1.0)
    z = t * t
    y = added(
        select(large, HALF_PI_HIGH, 0.0),
        select(large, HALF_PI_LOW, 0.0),
        select(large, -1.0, 1.0),
        t,
        (t * z) * poly20(z, ATAN),
    )
    return copysign(y, x)


def atan2(y: float, x: float) -> float:
    """Angle of the point (x, y), between -pi and pi, with the signs of IEEE 754 at zeros."""
    a = fabs(x)
    b = fabs(y)
    steep = b > a
    back = copysign(1.0, x) < 0.0
    top = select(steep, a, b)
    bottom = select(steep, b, a)
    bottom = select(bottom == 0.0, 1.0, bottom)
    t = select(top == bottom, 1.0, top / bottom)
    z = t * t
    quarters = select(steep, 1.0, select(back, 2.0, 0.0))
    angle = added(
        quarters * HALF_PI_HIGH,
        quarters * HALF_PI_LOW,
        select(steep == back, 1.0, -1.0),
        t,
        (t * z) * poly20(z, ATAN),
    )
    return copysign(angle, y)
