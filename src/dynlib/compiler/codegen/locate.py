"""Finding where, within a step, the condition of an event changes.

The two functions are templates: `EVENT` in a name is replaced by an event's number, the flags
are filled in (`dynlib.compiler.codegen.templates`).  Times within a step are fractions theta of
its length; states there come from the step's interpolant.
"""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

__all__ = [
    "LOCATE_HELPERS", "SEARCH", "crossing_EVENT", "inside", "inverse_power", "place_before",
    "refine_EVENT", "resolution",
]  # fmt: skip


def crossing_EVENT(t, h, step, u, u_new, d, jumped, p, ws, lane):
    """First theta at which the event is to be taken, or 2 if there is none.

    The condition is looked at in `SCAN_POINTS` places (one on a fixed grid: the end).  Just
    after a jump it is also looked at in places that crowd towards the start, because events
    tend to come in quick succession: a ball that has just bounced may have left the ground and
    come back long before the end of the step.  What is crossed is crossed from one place to the
    next: it may lie on the same side at the start of the step.
    """
    was = ws[TRUTH, lane] != 0
    left = 0.0
    first = 0
    if jumped:
        first = -EARLY_POINTS
    if PASSING:
        w = u
    for j in range(first, SCAN_POINTS):
        right = (j + 1) / SCAN_POINTS
        if j < 0:
            right = inverse_power(-j) / SCAN_POINTS
        v = inside(right, h, u, u_new, d)
        if PASSING:
            holds = cond_EVENT(t + right * h, step, v, t + left * h, w, p, ws, lane)
        else:
            holds = cond_EVENT(t + right * h, step, v, t, u, p, ws, lane)
        if holds != was:
            wanted = True
            if RISING:
                wanted = holds
            if FALLING:
                wanted = not holds
            if wanted:
                return refine_EVENT(left, right, holds, t, h, step, u, u_new, d, p, ws, lane)
            was = holds
        if PASSING:
            was = cond_EVENT(t + right * h, step, v, t + right * h, v, p, ws, lane)
            w = v
        left = right
    return 2.0


def place_before(theta, jumped):
    """The last place that `crossing_EVENT` looks at before theta."""
    left = 0.0
    first = 0
    if jumped:
        first = -EARLY_POINTS
    for j in range(first, SCAN_POINTS):
        right = (j + 1) / SCAN_POINTS
        if j < 0:
            right = inverse_power(-j) / SCAN_POINTS
        if right < theta:
            left = right
    return left


def refine_EVENT(left, right, holds, t, h, step, u, u_new, d, p, ws, lane):
    """The least theta in (left, right] from which on the condition is `holds`.

    Interpolate–truncate–project (Oliveira, Takahashi, ACM Trans. Math. Softw. 47, 2020) on the
    event's level function, bisection where it has none.  Which half to keep is decided by the
    condition itself, so that it is certain to be `holds` at the theta returned.  `T` and `U`
    stand for names: of the start of the step, or, if `PASSING`, of the place before the root.
    """
    if PASSING:
        T = t + left * h
        U = inside(left, h, u, u_new, d)
    if cond_EVENT(t + left * h, step, inside(left, h, u, u_new, d), T, U, p, ws, lane) == holds:
        return left
    tolerance = resolution(t, h)
    if LEVEL:
        v = inside(left, h, u, u_new, d)
        g_left = float(level_EVENT(t + left * h, step, v, T, U, p, ws, lane))
        v = inside(right, h, u, u_new, d)
        g_right = float(level_EVENT(t + right * h, step, v, T, U, p, ws, lane))
        truncation = 0.2 / (right - left)
        slack = right - left
    for _ in range(120):
        width = right - left
        if width <= tolerance:
            break
        middle = 0.5 * (left + right)
        theta = middle
        if LEVEL:
            slack = 0.5 * slack
            if g_left * g_right < 0.0:
                theta = (g_right * left - g_left * right) / (g_right - g_left)
                toward = middle - theta
                push = max_(truncation * width * width, 0.5 * tolerance)
                theta = theta + copysign(min_(push, abs_(toward)), toward)
                reach = max_(2.0 * slack - 0.5 * width, 0.0)
                if not abs_(theta - middle) <= reach:
                    theta = middle - copysign(min_(reach, 0.5 * width), toward)
                theta = min_(max_(theta, left + 0.25 * tolerance), right - 0.25 * tolerance)
        if not (theta > left and theta < right):
            break
        v = inside(theta, h, u, u_new, d)
        if cond_EVENT(t + theta * h, step, v, T, U, p, ws, lane) == holds:
            right = theta
            if LEVEL:
                g_right = float(level_EVENT(t + theta * h, step, v, T, U, p, ws, lane))
        else:
            left = theta
            if LEVEL:
                g_left = float(level_EVENT(t + theta * h, step, v, T, U, p, ws, lane))
    return right


def resolution(t, h):
    """How closely a theta is located: to some units in the last place of the time."""
    return max_(1e-15, 4.4e-16 * max_(abs_(t), abs_(t + h)) / abs_(h))


def inverse_power(k):
    """``2**-k`` for k in 1..62."""
    return 1.0 / (1 << k)


def inside(theta, h, u, u_new, d):
    """The state at the fraction theta of the step."""
    if theta >= 1.0:
        return u_new
    return interpolate(theta, h, u, u_new, d)


LOCATE_HELPERS = (inside, resolution, inverse_power)
SEARCH = (crossing_EVENT, refine_EVENT)
