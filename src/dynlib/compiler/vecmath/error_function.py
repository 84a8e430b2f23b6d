"""erf and erfc.

Near zero ``erf(x) = x + x*P(x**2)``.  Beyond, ``erfc(x) = exp(-x**2)/(x + c) * Q(t)`` with
``t = (x - c)/(x + c)``, which maps the half line to a short interval on which Q is smooth [1]_.

.. [1] M. M. Shepherd and J. G. Laframboise, Chebyshev approximation of (1 + 2x) exp(x**2) erfc x
   in 0 <= x < infinity, Math. Comp. 36 (1981) 249-253.
"""

from __future__ import annotations

from dynlib.compiler.vecmath.coefficients import ERF, ERF_SPLIT, ERFC, ERFC_CENTRE, ERFC_TAIL
from dynlib.compiler.vecmath.exponential import exp_of_pair
from dynlib.compiler.vecmath.polynomials import poly11, poly20
from dynlib.compiler.vecmath.primitives import copysign, fabs, fma, select

__all__ = ["erf", "erfc"]

ERFC_FIRST = ERFC[0]
ERFC_REST = ERFC[1:]


def erfc_far(a: float) -> float:
    """erfc(a) for a >= ERF_SPLIT."""
    a = select(a > 28.0, 28.0, a)
    bottom = a + ERFC_CENTRE
    bottom_low = a - (bottom - ERFC_CENTRE)
    inverse = 1.0 / bottom
    # 1/(a + c) = inverse * (1 + error)
    error = fma(-inverse, bottom_low, fma(-inverse, bottom, 1.0))
    t = (a - ERFC_CENTRE) * inverse
    t = fma(t, error, t)
    square = a * a
    scale = (ERFC_FIRST + fma(t, poly20(t, ERFC_REST), ERFC_TAIL)) * inverse
    return exp_of_pair(-square, error - fma(a, a, -square), scale)


def erf(x: float) -> float:
    """Error function."""
    a = fabs(x)
    near = fma(a, poly11(a * a, ERF), a)
    far = 1.0 - erfc_far(a)
    return copysign(select(a < ERF_SPLIT, near, far), x)


def erfc(x: float) -> float:
    """Complementary error function ``1 - erf(x)``, without cancellation."""
    a = fabs(x)
    near = (1.0 - x) - x * poly11(a * a, ERF)
    far = erfc_far(a)
    return select(a < ERF_SPLIT, near, select(x < 0.0, 2.0 - far, far))
