"""Primitives of more than an instruction, in the language of kernels.

They are translated where they are called.  What they call are other primitives.
"""

# ruff: noqa: D103, F821
# mypy: ignore-errors

from __future__ import annotations

__all__ = [
    "abs_",
    "div",
    "floordiv",
    "ifloordiv",
    "imod",
    "ipow",
    "max_",
    "min_",
    "mod",
    "not_",
    "sign",
    "write_tile",
]


def abs_(x):
    return abs(x)


def sign(x):
    return select(x > 0, x * 0 + 1, select(x < 0, x * 0 - 1, x))


def min_(a, b):
    return select((a <= b) | (a != a), a, b)


def max_(a, b):
    return select((a >= b) | (a != a), a, b)


def not_(c):
    return not c


def div(a, b):
    return float(a) / float(b)


def mod(a, b):
    """The rest has the sign of the divisor, also where it is 0."""
    rest = remainder(a, b)
    other = select((rest < 0) != (b < 0), rest + b, rest)
    return select(rest != 0, other, copysign(rest * rest, b))


def floordiv(a, b):
    """``a - rest`` is a multiple of the divisor, up to rounding."""
    rest = remainder(a, b)
    whole = rint((a - rest) / b)
    less = (rest != 0) & ((rest < 0) != (b < 0))
    whole = select(less, whole - 1, whole)
    whole = select(whole == 0, copysign(whole, a / b), whole)
    return select(b == 0, a / b, whole)


def ifloordiv(a, b):
    # The least integer has no quotient by -1, which processors trap.
    safe = select((b == 0) | (b == -1), b * 0 + 1, b)
    return select(b == 0, b * 0, select(b == -1, -a, a // safe))


def imod(a, b):
    safe = select((b == 0) | (b == -1), b * 0 + 1, b)
    return select(b == 0, b * 0, a % safe)


def ipow(a, k):
    result = a * 0 + 1
    if k < 0:
        odd = select((k & 1) == 1, a, result)
        return select((a == 1) | (a == -1), odd, a * 0)
    while k > 0:
        if (k & 1) == 1:
            result = result * a
        a = a * a
        k >>= 1
    return result


def write_tile(tile, lanes, n, run, records, row, stream):
    """``tile[k, lane]``, k < n, go to the record of ``run[lane]``, from `row` on, for all lanes.

    Where eight lanes side by side have runs, squares of eight numbers each are turned in registers
    and every store fills a cache line; with `stream`, and where lines begin, past the cache.
    """
    width = tile_width(tile)
    past = stream != 0 and fills_lines(tile, records, row)
    for group in range(lanes // width):
        first = group * width
        least = 0
        for lane in range(first, first + width):
            least = least | run[lane]
        done = 0
        if width == 8 and least >= 0:
            if past:
                while done + 8 <= n:
                    stream_square(tile, done, first, run, records, row)
                    done += 8
            else:
                while done + 8 <= n:
                    write_square(tile, done, first, run, records, row)
                    done += 8
        for lane in range(first, first + width):
            if run[lane] >= 0:
                for k in range(done, n):
                    write_number(tile[k, lane], k, run[lane], records, row)
