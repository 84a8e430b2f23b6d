"""Step size control, written as plain functions that the kernels take over as they stand.

Proportional–integral control after Gustafsson; Hairer, Nørsett, Wanner, Solving Ordinary
Differential Equations I, section II.4, and Hairer, Wanner, II, section IV.2.  The exponents
are those of an error estimate of order `q`: 0.7/q for the present error, 0.4/q for the last.
`options` is laid out by `dynlib.steppers.options.Options`.
"""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

import inspect

__all__ = ["control_text", "next_step_size", "shorter", "shrink", "too_short"]


def shrink(h, error, options):
    """Step to try after a rejected one; an error that is no number counts as huge."""
    factor = options[2] * pow(error, -1.0 / ERROR_ORDER)
    return h * select(factor >= options[3], factor, options[3])


def too_short(t, h, options):
    """Whether the step cannot be taken: below dt_min, or lost in the rounding of t."""
    return abs_(h) < options[0] or t + 0.5 * h == t


def shorter(a, b):
    """The step of smaller size."""
    return select(abs_(a) <= abs_(b), a, b)


def next_step_size(h, dt, error, error_last, retry, options):
    """Step to try after an accepted one of length `h`, where `dt` had been planned.

    A step that was cut short by the end of the run says nothing against the planned one.
    """
    error = select(error > 1e-10, error, 1e-10)
    error_last = select(error_last > 1e-4, error_last, 1e-4)
    factor = options[2] * pow(error, -0.7 / ERROR_ORDER) * pow(error_last, 0.4 / ERROR_ORDER)
    factor = select(factor > options[3], factor, options[3])
    factor = select(factor < options[4], factor, options[4])
    factor = select(retry & (factor > 1.0), 1.0, factor)
    size = abs_(h) * factor
    planned = abs_(dt)
    size = select((abs_(h) < planned) & (size < planned), planned, size)
    size = select(size < options[1], size, options[1])
    return copysign(size, h)


def control_text(error_order: int) -> str:
    """Text of the functions for an error estimate of order `error_order`."""
    texts = []
    for function in (shrink, too_short, shorter, next_step_size):
        source = inspect.getsource(function)
        texts.append(source.replace("ERROR_ORDER", repr(float(error_order))))
    return "\n".join(texts)
