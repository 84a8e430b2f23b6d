"""Step size control, written as plain functions that the kernels take over as they stand.

Proportional–integral control after Gustafsson; Hairer, Nørsett, Wanner, Solving Ordinary
Differential Equations I, section II.4, and Hairer, Wanner, II, section IV.2.  The exponents
are those of an error estimate of order `q`: 0.7/q for the present error, 0.4/q for the last.
`error` is the mean square of the weighted error everywhere, so that no root is taken, and the
powers need not be exact: they come from short polynomials, branch-free, so that lanes of
trajectories are controlled side by side.  `options` is laid out by
`dynlib.steppers.options.Options`.
"""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

import inspect

__all__ = ["CONTROL_FUNCTIONS", "control_text"]


def rough_log2(x):
    """Base-2 logarithm of a positive normal number, to 2e-6."""
    bits = float_to_bits(x)
    exponent = bits_to_float((bits >> 52) | 0x4330000000000000) - 4503599627371519.0
    f = bits_to_float((bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000) - 1.0
    f2 = f * f
    low = fma(-0.7211625439133836, f, 1.4426932508596007)
    middle = fma(-0.33924155167959524, f, 0.4777042623846968)
    high = fma(fma(0.020487176839406554, f, -0.09605661757104483), f, 0.21557732818110142)
    return fma(fma(fma(high, f2, middle), f2, low), f, exponent)


def rough_exp2(x):
    """2 to a power between -1000 and 1000, to 4e-11 of itself."""
    whole = rint(x)
    f = x - whole
    f2 = f * f
    low = fma(0.693147206721803, f, 0.9999999999595288)
    middle = fma(0.05550327190351017, f, 0.240226512137884)
    high = fma(fma(0.00015469740243467884, f, 0.001340044170874983), f, 0.009618025577148914)
    scale = bits_to_float(float_to_bits(whole + 6755399441056767.0) << 52)
    return fma(fma(high, f2, middle), f2, low) * scale


def shrink(h, error, options):
    """Step to try after a rejected one; an error that is no number counts as huge."""
    error = select(error < 1e20, error, 1e20)
    factor = options[2] * rough_exp2(rough_log2(error) * (-0.5 / ERROR_ORDER))
    return h * select(factor >= options[3], factor, options[3])


def too_short(t, h, options):
    """Whether the step cannot be taken: below dt_min, or lost in the rounding of t."""
    return (abs_(h) < options[0]) | (t + 0.5 * h == t)


def shorter(a, b):
    """The step of smaller size."""
    return select(abs_(a) <= abs_(b), a, b)


def next_step_size(h, dt, error, error_last, retry, options):
    """Step to try after an accepted one of length `h`, where `dt` had been planned.

    The error that the control settles at is ``safety**q``, as if it were not proportional-integral
    but plain: hence the power 0.3, the sum of its exponents.  A step that was cut short by the end
    of the run says nothing against the planned one.
    """
    error = select(error > 1e-20, error, 1e-20)
    error_last = select(error_last > 1e-8, error_last, 1e-8)
    power = fma(
        rough_log2(error_last), 0.2 / ERROR_ORDER, rough_log2(error) * (-0.35 / ERROR_ORDER)
    )
    factor = rough_exp2(fma(rough_log2(options[2]), 0.3, power))
    factor = select(factor > options[3], factor, options[3])
    factor = select(factor < options[4], factor, options[4])
    factor = select((retry != 0.0) & (factor > 1.0), 1.0, factor)
    size = abs_(h) * factor
    planned = abs_(dt)
    size = select((abs_(h) < planned) & (size < planned), planned, size)
    size = select(size < options[1], size, options[1])
    return copysign(size, h)


CONTROL_FUNCTIONS = (rough_log2, rough_exp2, shrink, too_short, shorter, next_step_size)


def control_text(error_order: int) -> str:
    """Text of the functions for an error estimate of order `error_order`."""
    source = "\n".join(inspect.getsource(function) for function in CONTROL_FUNCTIONS)
    return source.replace("ERROR_ORDER", repr(float(error_order)))
