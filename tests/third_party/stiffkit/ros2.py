"""ROS2: two linear systems a step, of one matrix; of order 2, and L-stable.

Verwer, Spee, Blom, Hundsdorfer, SIAM J. Sci. Comput. 20 (1999) 1456.
"""

from math import sqrt

from dynlib.steppers import Counter, Problem, Stepper
from dynlib.steppers.adaptive import emit_error_norm, emit_first_step, emit_vector_error
from dynlib.steppers.base import ATTEMPT_ARGS
from dynlib.steppers.control import control_text
from dynlib.steppers.dense import emit_hermite
from dynlib.steppers.linear import LinearSystem, too_large
from dynlib.steppers.text import function, group, names, unpack

GAMMA = 1 + 1 / sqrt(2)
ERROR = (0.0, 0.5, 0.5)  # weights of f, k1, k2 in u_new - (u + h*k1), an error of order 2


class Ros2(Stepper):
    """``u + h*(3/2 k1 + 1/2 k2)``; both stages have the matrix ``W = I - gamma*h*J``."""

    adaptive = True
    error_weights = ERROR  # a message names the state whose error is too large
    needs = ("jacobian", "time_derivative")
    failures = ("the matrix I - gamma*h*J is singular or not finite",)
    counters = (
        Counter("jacobians", "evaluations of the Jacobian"),
        Counter("factorisations", "of the matrix of a step"),
    )

    def __init__(self):
        super().__init__("ros2", 2, "Verwer, Spee, Blom, Hundsdorfer (1999)")

    @property
    def evaluations(self):
        return 2

    def refuses(self, problem):
        return too_large(problem)

    def emit(self, problem: Problem) -> str:
        n, real = problem.n, problem.real
        return "\n".join(
            [
                self._attempt(problem),
                *emit_hermite(3, n, real, last_is_end=False),
                emit_error_norm(ERROR, (), n, real),
                emit_first_step(2, n, real),
                control_text(2),  # the order of the error estimate
            ]
        )

    def emit_vector_error(self, problem: Problem) -> str:
        return emit_vector_error(ERROR, (), problem)

    def _attempt(self, problem: Problem) -> str:
        n, states, real = problem.n, problem.states, problem.real
        u, f, g, k1, k2 = (names(stem, n) for stem in ("u", "f", "g", "k1_", "k2_"))
        # Of an extended state x are the states, and y0, y1, ... the tangent vectors.
        vectors = [f"y{c}" for c in range(problem.vectors)]
        parts = [u[i : i + states] for i in range(0, n, states)]
        args = "t, step, x, p, ws, lane"
        system = LinearSystem(problem)
        by_time, ft = system.by_time(args, vectors)
        lines = [
            *(["h = real(h)"] if real.single else []),
            f"gh = {real(GAMMA)} * h",
            unpack(u, "u"),
            *(f"{name} = {group(part)}" for name, part in zip(["x", *vectors], parts)),
            *by_time,
            *system.evaluate(args, vectors),
            *system.factor(),
            unpack(f, "rhs(t, step, u, p, ws, lane)"),
            *system.solve([f"fma(gh, {b}, {a})" for a, b in zip(f, ft)], "k1_"),
            f"w = {group(f'fma(h, {k}, {x})' for k, x in zip(k1, u))}",
            unpack(g, "rhs(t + h, step, w, p, ws, lane)"),
            *system.solve(
                [f"fma(-gh, {b}, fma({real(-2.0)}, {k}, {a}))" for a, b, k in zip(g, ft, k1)],
                "k2_",
            ),
            *(f"b{i} = fma({real(0.5)}, {k2[i]}, {real(1.5)} * {k1[i]})" for i in range(n)),
            f"v = {group(f'fma(h, b{i}, {u[i]})' for i in range(n))}",
            "return v, " + group([*f, *k1, *k2]) + ", (select(singular, 1.0, 0.0), 1.0, 1.0)",
        ]
        return function("attempt", ATTEMPT_ARGS, lines)
