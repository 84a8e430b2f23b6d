"""erf and erfc.

Near zero ``erf(x) = x + x*P(x**2)``.  Beyond, ``erfc(x) = exp(-x**2)/(x + c) * Q(t)`` with
``t = (x - c)/(x + c)``, which maps the half line to a short interval on which Q is smooth [1]_.

.. [1] M. M. Shepherd and J. G. Laframboise, Chebyshev approximation of (1 + 2x) exp(x**2) erfc x
   in 0 <= x < infinity, Math. Comp. 36 (1981) 249-253.
"""

from __future__ import annotations

from dynlib.compiler.vecmath.coefficients import ERF, ERF_SPLIT, ERFC, ERFC_CENTRE
from dynlib.compiler.vecmath.exponential import exp_of_pair
from dynlib.compiler.vecmath.polynomials import poly11, poly21
from dynlib.compiler.vecmath.primitives import copysign, fabs, fma, select

__all__ = ["erf", "erfc"]


def erfc_far(a: float) -> float:
    """erfc(a) for a >= ERF_SPLIT."""
    a = select(a > 28.0, 28.0, a)
    inverse = 1.0 / (a + ERFC_CENTRE)
    t = (a - ERFC_CENTRE) * inverse
    square = a * a
    scale = poly21(t, ERFC) * inverse
    return exp_of_pair(-square, -fma(a, a, -square)) * scale


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
