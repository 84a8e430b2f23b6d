"""Explicit Runge–Kutta methods: one emitter, fed by tableaus.

The stages of the textbook are written out over the components of the state, zeros skipped; the
new state is one rounding of the full increment.
"""

from __future__ import annotations

from dynlib.steppers.adaptive import emit_error_norm, emit_first_step, emit_vector_error
from dynlib.steppers.base import ATTEMPT_ARGS, Stepper
from dynlib.steppers.control import control_text
from dynlib.steppers.dense import emit_continuation, emit_hermite, emit_polynomial
from dynlib.steppers.problem import Problem
from dynlib.steppers.stages import emit_stage, slope
from dynlib.steppers.tableau import ButcherTableau
from dynlib.steppers.text import Components, Scalar, combine, function

__all__ = ["ExplicitRK"]


class ExplicitRK(Stepper):
    """The stepper of a Butcher tableau; adaptive if the tableau has error weights."""

    def __init__(self, name: str, tableau: ButcherTableau, reference: str) -> None:
        super().__init__(name, tableau.order, reference)
        self.tableau = tableau
        self.adaptive = bool(tableau.b_error)
        self.error_weights = tableau.b_error
        self.embedded_order = tableau.embedded_order
        if tableau.dense:
            self.dense_vectors = tableau.stages
        if tableau.continuation:
            self.dense_vectors = 2 + len(tableau.continuation.d)

    @property
    def evaluations(self) -> int:
        """Evaluations of the right-hand side in one attempt."""
        return self.tableau.stages - self.tableau.fsal

    @property
    def memory(self) -> tuple[int, int]:
        """The last stage is kept where it is the next step's first."""
        return int(self.tableau.fsal), 0

    def emit(self, problem: Problem) -> str:
        """Python text of the method."""
        n, real = problem.n, problem.real
        texts = [self._attempt(n, real)]
        if self.tableau.fsal:
            texts += self._memory(n, real)
        if self.tableau.dense:
            texts += emit_polynomial(self.tableau.dense, n, real)
        elif self.tableau.continuation:
            texts += emit_continuation(self.tableau.continuation, self.tableau.stages, n, real)
        else:
            texts += emit_hermite(self.tableau.stages, n, real, last_is_end=self.tableau.fsal)
        if self.adaptive:
            order = self.tableau.embedded_order + 1
            texts += [
                emit_error_norm(self.tableau.b_error, self.tableau.b_coarse, n, real),
                emit_first_step(self.order + 1, n, real),
                control_text(order),
            ]
        return "\n".join(texts)

    def emit_vector_error(self, problem: Problem) -> str:
        """Text of ``vector_error``; see `Stepper`."""
        return emit_vector_error(self.tableau.b_error, self.tableau.b_coarse, problem)

    def _attempt(self, n: int, real: Scalar) -> str:
        tableau, each = self.tableau, Components(n, real)
        lines = each.take("u", "u")
        if real.single:
            lines.append("h = real(h)")
        if tableau.fsal:
            lines += each.take("k1_", "m")
        for s in range(tableau.fsal, tableau.stages - tableau.fsal):
            lines += emit_stage(s + 1, tableau.c[s], tableau.a[s], each, real)
        lines += self._update(each, real)
        if tableau.fsal:
            lines += slope(tableau.stages, 1.0, each.whole("v"), each)
        stages = each.whole(*(f"k{s + 1}_" for s in range(tableau.stages)))
        lines.append(f"return {each.whole('v')}, {stages}")
        return function("attempt", ATTEMPT_ARGS, lines)

    def _update(self, each: Components, real: Scalar) -> list[str]:
        weights = [(real(b), s + 1) for s, b in enumerate(self.tableau.b) if b]
        return each.set(
            "v",
            lambda at: f"fma(h, {combine([(b, at(f'k{s}_')) for b, s in weights])}, {at('u')})",
        )

    def _memory(self, n: int, real: Scalar) -> list[str]:
        last = Components(n, real).part("k", self.tableau.stages - 1)
        return [
            function("restart", "t, step, u, p, ws, lane", ["return rhs(t, step, u, p, ws, lane)"]),
            function("next_memory", "m, k", [f"return {last}"]),
        ]
