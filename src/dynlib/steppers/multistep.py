"""Adams–Bashforth methods, from rows of coefficients.

Hairer, Nørsett, Wanner, Solving Ordinary Differential Equations I, section III.1.  The slopes
of the last steps are the memory.  While they are too few — at the start, after a jump, after a
step of other length — the classical Runge–Kutta method takes the step, whose error is below
that of the method itself.
"""

from __future__ import annotations

from functools import partial

from dynlib.steppers.base import ATTEMPT_ARGS, Stepper
from dynlib.steppers.dense import emit_hermite
from dynlib.steppers.problem import Problem
from dynlib.steppers.text import At, Components, Scalar, combine, function, group

__all__ = ["AdamsBashforth"]


class AdamsBashforth(Stepper):
    """``u_new = u + h * (b[0] f_n + b[1] f_{n-1} + …)``."""

    multistep = True

    def __init__(self, name: str, b: tuple[float, ...], reference: str) -> None:
        super().__init__(name, len(b), reference)
        assert abs(sum(b) - 1) < 1e-14, "the weights sum to 1"
        self.b = b

    @property
    def evaluations(self) -> int:
        """One new slope a step, but for the first ones."""
        return 1

    @property
    def memory(self) -> tuple[int, int]:
        """The older slopes, and how many of them are valid."""
        return len(self.b) - 1, 1

    def emit(self, problem: Problem) -> str:
        """Python text of the method."""
        n, real = problem.n, problem.real
        older = len(self.b) - 1
        each = Components(n, real)
        lines = each.take("u", "u")
        if real.single:
            lines.append("h = real(h)")
        lines += [
            *each.take("f", "rhs(t, step, u, p, ws, lane)"),
            f"if m[{older * n}] < {real(float(older))}:",
            *(f"    {line}" for line in _runge_kutta(each, real)),
            "else:",
        ]

        def new(at: At) -> str:
            slopes = [at("f"), *(at.of("m", j) for j in range(older))]
            total = combine([(real(b), s) for b, s in zip(self.b, slopes, strict=True)])
            return f"fma(h, {total}, {at('u')})"

        lines += [f"    {line}" for line in each.set("v", new)]
        lines.append(f"return {each.whole('v')}, {each.whole('f')}")
        count = f"m[{older * n}] + {real(1.0)}"
        shifted = [f"k[{i}]" for i in range(n)] + [f"m[{i}]" for i in range((older - 1) * n)]
        next_memory = group([*shifted, count])
        if each.long:
            parts = [each.part("k", 0), *(each.part("m", j) for j in range(older - 1))]
            next_memory = f"{' + '.join(parts)} + ({count},)"
        return "\n".join(
            [
                function("attempt", ATTEMPT_ARGS, lines),
                function(
                    "restart",
                    "t, step, u, p, ws, lane",
                    [f"return {group([real(0.0)] * (older * n + 1))}"],
                ),
                function("next_memory", "m, k", [f"return {next_memory}"]),
                *emit_hermite(1, n, real, last_is_end=False),
            ]
        )


def _runge_kutta(each: Components, real: Scalar) -> list[str]:
    """The classical step, `f` being its first slope."""
    lines = [f"w = {real(0.5)} * h"]
    for s, (slope, weight, time) in enumerate(
        [("f", "w", "t + 0.5 * h"), ("a", "w", "t + 0.5 * h"), ("b", "h", "t + h")]
    ):
        stage = each.each(partial(_stage, weight, slope))
        lines += each.take("abc"[s], f"rhs({time}, step, {stage}, p, ws, lane)")
    weights = [(real(1 / 6), "f"), (real(1 / 3), "a"), (real(1 / 3), "b"), (real(1 / 6), "c")]
    return lines + each.set(
        "v", lambda at: f"fma(h, {combine([(w, at(k)) for w, k in weights])}, {at('u')})"
    )


def _stage(weight: str, slope: str, at: At) -> str:
    return f"fma({weight}, {at(slope)}, {at('u')})"
