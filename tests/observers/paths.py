"""Trajectories by another hand: SciPy's integrator, cut at the jumps of events.

A path is what an observer is to see: smooth pieces, one after the other.  Both ends of a piece
belong to it: what the state was when an event acted, and what it was made to be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

Array = NDArray[np.float64]
POINTS = 2001  # samples of a piece
_NEAR = 1e-6  # how near neighbours begin
_LATER = 1e-4  # after which they have all jumped
A, W = 0.4, 1.3


def driven(t: float, u: Array) -> Array:
    """The model `runtime.models.DRIVEN`."""
    x, v = u
    return np.array([v, x - x**3 - 0.2 * v + A * np.cos(W * t)])


@dataclass(frozen=True)
class Jumps:
    """An event: when `level` becomes zero from below, the state becomes `to` of the state.

    `at_start`: not then, but before the first step; `once`: only the first time.
    """

    level: Callable[[float, Array], float]
    to: Callable[[Array], Array]
    at_start: bool = False
    once: bool = False


class Path:
    """The pieces between two times, from a state at the first; observers start at `t_seen`."""

    def __init__(
        self, start: Array, t0: float, t_end: float, jumps: Jumps | None, t_seen: float
    ) -> None:
        self.given = (jumps, t0, t_end, t_seen)
        self.start, self.t_seen, self.t_end = np.asarray(start, float), t_seen, t_end
        self.sign = -1.0 if t_end < t0 else 1.0
        self.flows: list[tuple[float, float, Any]] = []
        t, u = t0, self.start
        self.before_first = u
        if jumps is not None and jumps.at_start and t_end != t0:  # it comes with the first step
            u, jumps = jumps.to(u), None
        self.first = u
        while t != t_end:
            found = solve_ivp(
                driven, (t, t_end), u, method="DOP853", rtol=1e-11, atol=1e-12, dense_output=True,
                events=_hits(jumps), max_step=0.05,
            )  # fmt: skip
            end = found.t[-1]
            self.flows.append((t, end, found.sol))
            t, u = end, found.y[:, -1]
            if found.status == 1:
                assert jumps is not None
                u, jumps = jumps.to(u), None if jumps.once else jumps
        self.last = u

    def __call__(self, t: float) -> Array:
        """The state at a time; at a jump, what it is made to be."""
        if t == self.t_end:
            return self.last
        for begin, end, flow in reversed(self.flows):
            if (t - begin) * self.sign >= 0:
                return np.asarray(flow(min(t, end) if self.sign > 0 else max(t, end)))
        return self.first

    def left(self, t: float) -> Array:
        """The state at a time; at a jump, what it was."""
        for _, end, flow in self.flows:
            if (end - t) * self.sign >= -1e-12:
                return np.asarray(flow(t))
        return self.first

    @property
    def pieces(self) -> list[tuple[Array, Array]]:
        """Times (n,) and states (n, 2) of each piece that is observed."""
        found = []
        for begin, end, flow in self.flows:
            begin = max(begin, self.t_seen) if self.sign > 0 else min(begin, self.t_seen)
            if (end - begin) * self.sign > 1e-12:
                t = np.linspace(begin, end, POINTS)
                found.append((t, flow(t).T))
        return found

    @property
    def samples(self) -> tuple[Array, Array]:
        """Times and states of all pieces in one row, and of the ends outside of them."""
        pieces = self.pieces
        t = [part for part, _ in pieces]
        u = [part for _, part in pieces]
        if self.t_seen == self.given[1]:
            t.insert(0, np.array([self.t_seen]))
            u.insert(0, self.before_first[np.newaxis])
        t.append(np.array([self.t_end]))
        u.append(self.last[np.newaxis])
        return np.concatenate(t), np.concatenate(u)

    @cached_property
    def _neighbours(self) -> list[list[Path]]:
        """Paths that begin a little to both sides, along each state."""
        jumps, t0, t_end, t_seen = self.given
        steps = [[sign * _NEAR * axis for sign in (1.0, -1.0)] for axis in np.eye(2)]
        return [
            [Path(self.start + step, t0, t_end, jumps, t_seen) for step in pair] for pair in steps
        ]

    def tangent(self, t: float) -> Array:
        """The derivative of the state at a time by the start, by central differences.

        At a jump, what it is after that of the neighbours, too, which may be a little later.
        """
        if t == self.given[1]:
            return np.eye(2)  # before anything happens
        if any(abs(t - end) < _LATER for _, end, _ in self.flows[:-1]):
            later, still_later = t + _LATER * self.sign, t + 2 * _LATER * self.sign
            return 2 * self._differences(later) - self._differences(still_later)
        return self._differences(t)

    def _differences(self, t: float) -> Array:
        pairs = [(one(t), other(t)) for one, other in self._neighbours]
        return np.array([(there - here) / (2 * _NEAR) for there, here in pairs]).T


def _hits(jumps: Jumps | None) -> Any:
    if jumps is None:
        return None

    def level(t: float, u: Array) -> float:
        return jumps.level(t, u)

    level.terminal = True  # type: ignore[attr-defined]
    level.direction = 1.0  # type: ignore[attr-defined]
    return level


def crossings(
    path: Path, level: Callable[[Array], Array], direction: str
) -> list[tuple[float, Array]]:
    """Where a level crosses zero within pieces, with the states there."""
    found = []
    for t, u in path.pieces:
        g = level(u)
        rising, falling = (g[:-1] < 0) & (g[1:] >= 0), (g[:-1] > 0) & (g[1:] <= 0)
        hits = {"rising": rising, "falling": falling, "either": rising | falling}[direction]
        for i in np.flatnonzero(hits):
            share = g[i] / (g[i] - g[i + 1])
            found.append((t[i] + share * (t[i + 1] - t[i]), u[i] + share * (u[i + 1] - u[i])))
    return found


def turns(path: Path, values: Array, t: Array) -> list[tuple[float, float, float]]:
    """Times, values and kinds (1, -1) of the places at which a row of samples turns."""
    kept = np.concatenate([[True], np.abs(np.diff(values)) > 1e-13])
    values, t = values[kept], t[kept]
    signs = np.sign(np.diff(values))
    return [(t[i + 1], values[i + 1], signs[i]) for i in np.flatnonzero(signs[1:] * signs[:-1] < 0)]
