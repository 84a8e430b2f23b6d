"""Minimax polynomials with float64 coefficients, from mpmath and nothing else.

The exchange algorithm is Remez' second [1]_ on a Chebyshev grid.  Rounding follows the usual
practice (see [2]_, section 3): the coefficient that matters most is rounded to float64 and kept,
the others are fitted anew to what is left, and so on.  The error that is reported belongs to the
rounded coefficients.

.. [1] E. Y. Remez, Sur le calcul effectif des polynômes d'approximation de Tchebichef,
   C. R. Acad. Sci. Paris 199 (1934) 337-340.
.. [2] J.-M. Muller, Elementary Functions, 3rd edition, Birkhäuser 2016.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import mpmath as mp

mp.mp.prec = 260

Function = Callable[[mp.mpf], mp.mpf]


@dataclass(frozen=True)
class Problem:
    """Find c so that the largest ``weight(x) * |f(x) - sum c[i] x**powers[i]|`` is smallest.

    ``fixed`` holds leading coefficients that are given (exact floats), in the order of ``powers``.
    """

    f: Function
    weight: Function
    low: float
    high: float
    powers: tuple[int, ...]
    fixed: tuple[float, ...] = ()
    words: int = 0  # how many leading coefficients keep a second word (head + tail)


@dataclass(frozen=True)
class Fit:
    """Rounded coefficients, the tails of the leading ones, and the largest weighted error."""

    coefficients: tuple[float, ...]
    tails: tuple[float, ...]
    error: float


def _grid(low: mp.mpf, high: mp.mpf, count: int) -> list[mp.mpf]:
    middle, half = (low + high) / 2, (high - low) / 2
    nodes = [middle - half * mp.cos(mp.pi * i / (count - 1)) for i in range(count)]
    return [x if abs(x) > mp.mpf(2) ** -60 else mp.mpf(0) for x in nodes]


class _Samples:
    """The target on a dense grid, so that each value of f is computed once."""

    def __init__(self, problem: Problem) -> None:
        count = 40 * len(problem.powers) + 1
        self.x = _grid(mp.mpf(problem.low), mp.mpf(problem.high), count)
        self.weight = [problem.weight(x) for x in self.x]
        self.target = [problem.f(x) for x in self.x]
        self.powers = {p: [x**p for x in self.x] for p in problem.powers}

    def subtract(self, power: int, value: mp.mpf) -> None:
        self.target = [t - value * q for t, q in zip(self.target, self.powers[power], strict=True)]

    def residual(self, powers: Sequence[int], c: Sequence[mp.mpf]) -> list[mp.mpf]:
        """Weighted error; its sign is flipped where x**powers[0] < 0.

        With the lowest powers taken out, the basis is x**p times a full one: a best fit
        alternates after division by x**p, not before.
        """
        rows = [self.powers[p] for p in powers]
        signs = [mp.sign(q) for q in rows[0]] if rows else [mp.mpf(1)] * len(self.x)
        return [
            w * sign * (t - mp.fsum(ci * row[j] for ci, row in zip(c, rows, strict=True)))
            for j, (w, t, sign) in enumerate(zip(self.weight, self.target, signs, strict=True))
        ]


def _alternation(residual: Sequence[mp.mpf], count: int) -> list[int]:
    """Indices of ``count`` extrema of alternating sign, the largest available ones."""
    picked: list[int] = []
    for j, r in enumerate(residual):
        if r == 0:
            continue
        if picked and (residual[picked[-1]] > 0) == (r > 0):
            if abs(r) > abs(residual[picked[-1]]):
                picked[-1] = j
        else:
            picked.append(j)
    size = [abs(residual[j]) for j in picked]
    while len(picked) > count:
        # Neighbours go in pairs, so that the signs still alternate; a single point at an end.
        pairs = [max(size[i], size[i + 1]) for i in range(len(size) - 1)]
        weakest = pairs.index(min(pairs))
        if len(picked) - count == 1:
            first = last = 0 if size[0] < size[-1] else len(size) - 1
        else:
            first, last = weakest, weakest + 1
        del picked[first : last + 1], size[first : last + 1]
    return picked


def _start(samples: _Samples, powers: Sequence[int]) -> list[int]:
    """Points spread evenly over the part of the grid where the polynomial can do something."""
    power = samples.powers[powers[0]]
    size = [abs(w * q) for w, q in zip(samples.weight, power, strict=True)]
    live = [j for j, s in enumerate(size) if s > max(size) / 10**4]
    n = len(powers)
    return [live[round(i * (len(live) - 1) / n)] for i in range(n + 1)]


def _exchange(samples: _Samples, powers: Sequence[int]) -> list[mp.mpf]:
    """Remez' exchange on the grid; returns the best coefficients in full precision."""
    n = len(powers)
    steps = _start(samples, powers)
    best: list[mp.mpf] = []
    smallest = mp.inf
    for _ in range(30):
        matrix = mp.matrix(n + 1, n + 1)
        right = mp.matrix(n + 1, 1)
        for row, j in enumerate(steps):
            for column, p in enumerate(powers):
                matrix[row, column] = samples.powers[p][j] * samples.weight[j]
            matrix[row, n] = (-1) ** row * mp.sign(samples.powers[powers[0]][j])
            right[row] = samples.target[j] * samples.weight[j]
        solution = mp.lu_solve(matrix, right)
        found = [solution[i] for i in range(n)]
        residual = samples.residual(powers, found)
        largest = max(abs(r) for r in residual)
        if largest < smallest:
            best, smallest = found, largest
        new = _alternation(residual, n + 1)
        if len(new) < n + 1 or new == steps:
            break
        steps = new
    return best


def solve(problem: Problem) -> Fit:
    """Fit, round coefficient by coefficient, and measure."""
    samples = _Samples(problem)
    heads: list[float] = []
    tails: list[float] = []
    for index, power in enumerate(problem.powers):
        if index < len(problem.fixed):
            value = mp.mpf(problem.fixed[index])
        else:
            value = _exchange(samples, problem.powers[index:])[0]
        head = float(value)
        tail = float(value - head) if index < problem.words else 0.0
        heads.append(head)
        tails.append(tail)
        samples.subtract(power, mp.mpf(head) + mp.mpf(tail))
    left = max(abs(r) for r in samples.residual((), ()))
    return Fit(tuple(heads), tuple(tails[: problem.words]), float(left))
