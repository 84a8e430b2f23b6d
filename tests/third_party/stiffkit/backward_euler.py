"""Backward Euler: one system of equations a step, solved by Newton's method."""

from dynlib.steppers import Counter, Option, Problem, Stepper
from dynlib.steppers.base import ATTEMPT_ARGS
from dynlib.steppers.dense import emit_hermite
from dynlib.steppers.linear import LinearSystem, too_large
from dynlib.steppers.text import function, group, names, unpack


class BackwardEuler(Stepper):
    """``v = u + h*f(t + h, v)``."""

    needs = ("jacobian",)
    failures = (
        "the matrix I - h*J is singular or not finite",
        "Newton's method did not converge within newton_max iterations",
    )
    counters = (
        Counter("evaluations", "of the right-hand side"),
        Counter("jacobians", "evaluations of the Jacobian"),
        Counter("factorisations", "of the matrix of a step"),
        Counter("iterations", "of Newton's method"),
    )
    own_options = (
        Option("newton_tol", 1e-10, "change of a state, relative to 1 + its size", 1e-15, 1.0),
        Option("newton_max", 12, "iterations after which a step has failed", 1, 1000, whole=True),
    )
    tangents = False  # it iterates as often as the states need

    def __init__(self):
        super().__init__("backward_euler", 1, "Euler; Hairer, Wanner (1996)")

    @property
    def evaluations(self):
        return 3

    def refuses(self, problem):
        return too_large(problem)

    def emit(self, problem: Problem) -> str:
        n, real = problem.n, problem.real
        dense = emit_hermite(2, n, real, last_is_end=True)
        return "\n".join([self._attempt(problem), *dense])

    def _attempt(self, problem: Problem) -> str:
        n, real = problem.n, problem.real
        u, v, f, g, d = (names(stem, n) for stem in ("u", "v", "f", "g", "d"))
        system = LinearSystem(problem)
        residual = [f"fma(gh, {a}, {b} - {c})" for a, b, c in zip(g, u, v)]
        slopes = f"rhs(t + h, step, {group(v)}, p, ws, lane)"
        tolerance, most = problem.setting("newton_tol"), problem.setting("newton_max")
        near = [f"(abs_({b}) <= {tolerance} * ({real(1.0)} + abs_({a})))" for a, b in zip(v, d)]
        turn = [
            *system.evaluate(f"t + h, step, {group(v)}, p, ws, lane"),
            *system.factor(),
            *system.solve(residual, "d"),
            *(f"{a} = {a} + {b}" for a, b in zip(v, d)),
            f"far = not_({' & '.join(near)})",
            unpack(g, slopes),
            "stuck = singular",
            "turns += 1.0",
        ]
        lines = [
            f"gh = {real.cast('h')}",
            unpack(u, "u"),
            unpack(f, "rhs(t, step, u, p, ws, lane)"),
            *(f"{a} = {b}" for a, b in zip(v, u)),
            unpack(g, slopes),
            "turns = 0.0",
            "far = True",
            "stuck = False",
            f"while far and not stuck and turns < {most}:",
            *(f"    {line}" for line in turn),
            "failure = select(stuck, 1.0, select(far, 2.0, 0.0))",
            f"return {group(v)}, {group([*f, *g])}, (failure, turns + 2.0, turns, turns, turns)",
        ]
        return function("attempt", ATTEMPT_ARGS, lines)
