"""Rosenbrock methods: one linear system for each stage, all with one matrix ``W = I - gamma*h*J``.

Hairer, Wanner, Solving Ordinary Differential Equations II, section IV.7.  Stages are written in
increments, so that no stage multiplies by the Jacobian::

    W k_i = gamma*(h*f(t + c_i*h, u + sum_j a_ij k_j) + sum_j C_ij k_j + d_i*h**2*f_t)

The methods here are stiffly accurate: the argument of the last stage is the embedded solution, and
the last increment both its error and what is missing to the solution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from dynlib.steppers.adaptive import emit_error_norm, emit_first_step, emit_vector_error
from dynlib.steppers.base import ATTEMPT_ARGS, Counter, Stepper
from dynlib.steppers.control import control_text
from dynlib.steppers.linear import LinearSystem, too_large
from dynlib.steppers.problem import Problem
from dynlib.steppers.text import combine, function, group, names, unpack

__all__ = ["Rosenbrock", "RosenbrockTableau"]

Row = tuple[float, ...]


@dataclass(frozen=True)
class RosenbrockTableau:
    """Coefficients of a stiffly accurate Rosenbrock method, in increments.

    Attributes
    ----------
    gamma
        The diagonal.
    c, d
        For each stage its node, and the weight of the derivative by time.
    a, C
        Rows of the stages: row i holds i entries.
    dense
        Rows of weights of the increments: of what the interpolant has besides the ends,
        ``rest*u + theta*(u_new + rest*(r1 + theta*(r2 + theta*r3)))`` with ``rest = 1 - theta``.
    order, embedded_order
        Of the solution, and of the one without the last increment.
    """

    gamma: float
    c: Row
    d: Row
    a: tuple[Row, ...]
    C: tuple[Row, ...]
    dense: tuple[Row, ...]
    order: int
    embedded_order: int

    def __post_init__(self) -> None:
        assert len(self.c) == len(self.d) == len(self.a) == len(self.C), "a row for each stage"
        for i, (a, c) in enumerate(zip(self.a, self.C, strict=True)):
            assert len(a) == len(c) == i, f"row {i} holds {i} entries"
        assert all(len(row) == self.stages for row in self.dense), "a weight for each stage"
        assert self.a[-1][-1] == 1.0, "the last stages add one increment after the other"

    @property
    def stages(self) -> int:
        """Number of stages."""
        return len(self.c)

    @property
    def b(self) -> Row:
        """Weights of the increments in the solution."""
        return (*self.a[-1], 1.0)


class Rosenbrock(Stepper):
    """The stepper of a tableau, for systems of few states."""

    adaptive = True
    needs = ("jacobian", "time_derivative")
    failures = ("the matrix I - gamma*h*J is singular or not finite",)
    counters = (
        Counter("jacobians", "evaluations of the Jacobian"),
        Counter("factorisations", "of the matrix of a step"),
    )

    def __init__(self, name: str, tableau: RosenbrockTableau, reference: str) -> None:
        super().__init__(name, tableau.order, reference)
        self.tableau = tableau
        self.dense_vectors = len(tableau.dense)
        # What an attempt leaves: the slope at its start, the increments, the error over h.
        self.error_weights = (*[0.0] * (1 + tableau.stages), 1.0)

    @property
    def evaluations(self) -> int:
        """One for each stage."""
        return self.tableau.stages

    def refuses(self, problem: Problem) -> str:
        """Large systems: they are solved in straight-line code."""
        return too_large(problem)

    def emit(self, problem: Problem) -> str:
        """Python text of the method."""
        n, real = problem.n, problem.real
        return "\n".join(
            [
                self._attempt(problem),
                *self._interpolant(problem),
                emit_error_norm(self.error_weights, (), n, real),
                emit_first_step(self.order + 1, n, real),
                control_text(self.tableau.embedded_order + 1),
            ]
        )

    def emit_vector_error(self, problem: Problem) -> str:
        """Text of ``vector_error``; see `Stepper`."""
        return emit_vector_error(self.error_weights, (), problem)

    def _attempt(self, problem: Problem) -> str:
        n, states, real = problem.n, problem.states, problem.real
        u = names("u", n)
        vectors = [f"y{c}" for c in range(problem.vectors)]
        parts = [u[i : i + states] for i in range(0, n, states)]
        args = "t, step, x, p, ws, lane"
        system = LinearSystem(problem, called=True)
        by_time, ft = system.by_time(args, vectors)
        last = self.tableau.stages
        lines = [
            *(["h = real(h)"] if real.single else []),
            f"gh = {real(self.tableau.gamma)} * h",
            unpack(u, "u"),
            *(f"{x} = {group(part)}" for x, part in zip(["x", *vectors], parts, strict=True)),
            *by_time,
            *system.evaluate(args, vectors),
            *system.factor(),
        ]
        for s in range(last):
            lines += self._stage(s, problem, ft)
            right = [self._right(s, i, problem, ft) for i in range(n)]
            lines += system.solve(right, f"k{s + 1}_")
        lines.append(f"rh = {real(1.0)} / h")
        left = [*names("f1_", n), *(f"k{s + 1}_{i}" for s in range(last) for i in range(n))]
        left += [f"k{last}_{i} * rh" for i in range(n)]
        new = group(f"w{last}_{i} + k{last}_{i}" for i in range(n))
        said = "(select(singular, 1.0, 0.0), 1.0, 1.0)"
        lines.append(f"return {new}, {group(left)}, {said}")
        return "\n".join([*system.functions(), function("attempt", ATTEMPT_ARGS, lines)])

    def _stage(self, s: int, problem: Problem, ft: Sequence[str]) -> list[str]:
        """Lines that evaluate the right-hand side of stage `s`, counted from 0."""
        n, real, row = problem.n, problem.real, self.tableau.a[s]
        own = names(f"w{s + 1}_", n)
        lines = []
        for i, name in enumerate(own):
            if s and row == (*self.tableau.a[s - 1], 1.0):
                value = f"w{s}_{i} + k{s}_{i}"
            else:
                used = [(real(a), f"k{j}_{i}") for j, a in enumerate(row, 1) if a]
                value = combine(used, f"u{i}") if used else f"u{i}"
            lines.append(f"{name} = {value}")
        node = self.tableau.c[s]
        time = {0.0: "t", 1.0: "t + h"}.get(node, f"t + {node!r} * h")
        lines.append(
            unpack(names(f"f{s + 1}_", n), f"rhs({time}, step, {group(own)}, p, ws, lane)")
        )
        if self.tableau.d[s] and any(each != real(0.0) for each in ft):
            lines.append(f"d{s + 1}h = {real(self.tableau.d[s])} * h")
        return lines

    def _right(self, s: int, i: int, problem: Problem, ft: Sequence[str]) -> str:
        """What W times the increment of a component is."""
        real = problem.real
        slope = f"f{s + 1}_{i}"
        if self.tableau.d[s] and ft[i] != real(0.0):
            slope = f"fma(d{s + 1}h, {ft[i]}, {slope})"
        used = [
            (real(self.tableau.gamma * c), f"k{j}_{i}")
            for j, c in enumerate(self.tableau.C[s], 1)
            if c
        ]
        return f"fma(gh, {slope}, {combine(used)})" if used else f"gh * {slope}"

    def _interpolant(self, problem: Problem) -> list[str]:
        n, real, rows = problem.n, problem.real, self.tableau.dense
        sums = [
            combine([(real(w), f"k[{(1 + s) * n + i}]") for s, w in enumerate(row) if w])
            for row in rows
            for i in range(n)
        ]
        start = ["theta = real(theta)"] if real.single else []
        inside = [f"rest = {real(1.0)} - theta", *map(partial(_inside, n, len(rows)), range(n))]
        result = group(f"fma(theta, q{i}, rest * u[{i}])" for i in range(n))
        return [
            function("dense", "t, h, step, u, u_new, k, p, ws, lane", [f"return {group(sums)}"]),
            function("interpolate", "theta, h, u, u_new, d", [*start, *inside, f"return {result}"]),
        ]


def _inside(n: int, rows: int, i: int) -> str:
    """The line with what multiplies theta in the interpolant of a component."""
    value = f"d[{(rows - 1) * n + i}]"
    for row in reversed(range(rows - 1)):
        value = f"fma(theta, {value}, d[{row * n + i}])"
    return f"q{i} = fma(rest, {value}, u_new[{i}])"
