"""Step size control, written as plain functions that the kernels take over as they stand.

Proportional–integral control after Gustafsson; Hairer, Nørsett, Wanner, Solving Ordinary
Differential Equations I, section II.4, and Hairer, Wanner, II, section IV.2.  The exponents
are those of an error estimate of order `q`: 0.7/q for the present error, 0.4/q for the last.
`error` is the mean square of the weighted error everywhere, so that no root is taken.  Powers
need not be exact: they come from short polynomials, branch-free, so that lanes of trajectories are
controlled side by side; logarithms are kept rather than errors, so that a step takes one of them
and one power, be it accepted or not.  `options` is laid out by `dynlib.steppers.options.Options`.
"""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

import inspect
from functools import cache

__all__ = ["CONTROL_FUNCTIONS", "control_text"]


def rough_log2(x):
    """Binary logarithm of a positive normal number, to 1.2e-4."""
    bits = float_to_bits(x)
    exponent = bits_to_float((bits >> 52) | 0x4330000000000000) - 4503599627371519.0
    f = bits_to_float((bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000) - 1.0
    low = fma(-0.6777840694457552, f, 1.4387257561273972)
    high = fma(-0.08213077615869518, f, 0.3211890894770532)
    return fma(fma(high, f * f, low), f, exponent)


def rough_exp2(x):
    """2 to a power between -1000 and 1000, to 7.5e-5 of itself."""
    whole = rint(x)
    f = x - whole
    low = fma(0.6932609852797165, f, 0.999928072982306)
    high = fma(0.055171670307319634, f, 0.24261112521031974)
    scale = bits_to_float(float_to_bits(whole + 6755399441056767.0) << 52)
    return fma(high, f * f, low) * scale


def error_level(error):
    """Binary logarithm of an error between 1e-20 and 1e20; what is no number counts as huge."""
    error = select(error < 1e20, error, 1e20)
    return rough_log2(select(error > 1e-20, error, 1e-20))


def last_level(level):
    """What is kept of an accepted step's error: its logarithm above that of 1e-8, 0 if below."""
    above = level + 26.575424759098897
    return select(above > 0.0, above, 0.0)


def step_factor(level, good, last, retry, options):
    """Factor of the step size, after an accepted step (`good`) or a rejected one.

    `last` is the `last_level`.  The error that the control settles at is ``safety**q``, as if it
    were not proportional-integral but plain: hence the power 0.3, the sum of its exponents.
    Nothing grows right after a rejected step, and one always shrinks: hence the bound of safety.
    """
    safety = rough_log2(min_(options[2], 0.99))
    calm = fma(safety, 0.3, -26.575424759098897 * (0.2 / ERROR_ORDER))
    slope = select(good, -0.35 / ERROR_ORDER, -0.5 / ERROR_ORDER)
    factor = rough_exp2(fma(level, slope, select(good, fma(last, 0.2 / ERROR_ORDER, calm), safety)))
    factor = select(factor > options[3], factor, options[3])
    most = select(retry != 0.0, 1.0, options[4])
    return select(factor < most, factor, most)


def too_short(t, h, options):
    """Whether, a step of `h` being refused, no shorter one is to be tried.

    `h` was then no longer than dt_min, but for what `step_ahead` may stretch it by, or so short
    that the next one, brought `within_bounds`, would come out of the rounding of t no shorter.
    """
    seen = 1.2e-15 + 2.4e-16 / (1.0 - min_(options[2], 0.99))
    return abs_(h) <= 1.01 * options[0] + seen * abs_(t)


def given_up(t, h, options):
    """The same for a single run, where it is a call: refused steps are few."""
    return too_short(t, h, options)


def shorter(a, b):
    """The step of smaller size."""
    return select(abs_(a) <= abs_(b), a, b)


def within_bounds(t, h, options):
    """The step from `t` with a size of at least dt_min, seen in `t`, and at most dt_max.

    A shorter step would not move the time.  Where the step is so short that the time, rounded,
    moves by another length than the state would, that length is taken.
    """
    size = abs_(h)
    seen = 1e-15 * abs_(t)
    least = select(seen < options[0], options[0], seen)
    size = select(size < least, least, size)
    dt = copysign(select(size < options[1], size, options[1]), h)
    return select(abs_(dt) < 1e-12 * abs_(t), (t + dt) - t, dt)


def uneven(t, dt, options):
    """Whether `within_bounds` may change a step from `t` of at most dt_max; mostly it does not."""
    seen = 1e-12 * abs_(t)
    return abs_(dt) < select(seen < options[0], options[0], seen)


def nearer(t, one, other):
    """Which of two times is nearer."""
    return select(abs_(other - t) < abs_(one - t), other, one)


def reaches(t, dt, goal):
    """Whether the next step ends at the goal, which is not farther than about `dt`."""
    return abs_(goal - t) <= 1.01 * abs_(dt)


def step_ahead(t, dt, goal):
    """Length and end of the next step, without a branch."""
    near = reaches(t, dt, goal)
    return select(near, goal - t, dt), select(near, goal, t + dt)


def next_step_size(h, dt, factor, options):
    """Step to try after an accepted one of length `h`, where `dt` had been planned.

    A step that was cut short by the end of the run says nothing against the planned one.
    """
    size = abs_(h * factor)
    planned = abs_(dt)
    size = select((abs_(h) < planned) & (size < planned), planned, size)
    size = select(size < options[1], size, options[1])
    return copysign(size, h)


CONTROL_FUNCTIONS = (
    *(rough_log2, rough_exp2, error_level, last_level, step_factor),
    *(
        too_short,
        given_up,
        shorter,
        within_bounds,
        uneven,
        nearer,
        reaches,
        step_ahead,
        next_step_size,
    ),
)


@cache
def control_text(error_order: int) -> str:
    """Text of the functions for an error estimate of order `error_order`.

    It is kept: finding the lines of functions takes longer than writing most methods.
    """
    source = "\n".join(inspect.getsource(function) for function in CONTROL_FUNCTIONS)
    return source.replace("ERROR_ORDER", repr(float(error_order)))
