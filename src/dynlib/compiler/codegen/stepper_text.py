"""A stepper's text in a module, and what stands beside it because the stepper asks for it.

An attempt that may fail, or counts, returns a third value, the note.  Loops call it by the name
``attempt_noted``.  Whoever takes a step anew, or a part of one, calls ``attempt``, which returns
two values, as that of other methods; there the result of an attempt that failed is NaN.
"""

from __future__ import annotations

import re

from dynlib.compiler.codegen.layout import Layout
from dynlib.compiler.codegen.model_text import ModelText
from dynlib.steppers.base import ATTEMPT_ARGS, Stepper
from dynlib.steppers.problem import Derivative, Problem
from dynlib.steppers.registry import is_own
from dynlib.steppers.text import Components, Scalar, function, group, names, unpack

__all__ = ["StepperText", "attempt_line", "outcome"]


def outcome(stepper: Stepper) -> str:
    """Names of what a step of a loop returns."""
    return "u_new, k, said" if stepper.noted else "u_new, k"


def attempt_line(stepper: Stepper) -> str:
    """The attempt of a loop, as a line."""
    name = "attempt_noted" if stepper.noted else "attempt"
    return f"{outcome(stepper)} = {name}({ATTEMPT_ARGS})"


class StepperText:
    """Writes the text of the stepper of a layout.

    Parameters
    ----------
    text
        The model.
    real
        How numbers are written.
    vectors
        Tangent vectors of an extended state.
    """

    def __init__(self, text: ModelText, real: Scalar, vectors: int = 0) -> None:
        self._text = text
        self.layout: Layout = text.layout
        self.stepper = text.layout.stepper
        settings = {
            option.name: f"ws[{self.layout.settings + i}, lane]"
            for i, option in enumerate(self.stepper.own_options)
        }
        self.problem = Problem.of(
            self.layout.spec,
            real,
            vectors=vectors,
            settings=settings,
            tolerances=self.layout.settings + len(settings),
        )

    def emit(self) -> str:
        """The method, with both forms of its attempt."""
        text = self._written()
        if not self.stepper.noted:
            return text
        text = re.sub(r"\battempt\b", "attempt_noted", text)
        return f"{text}\n{self._attempt()}"

    def vector_error(self) -> str:
        """The error of tangent vectors."""
        if is_own(self.stepper):
            return self.stepper.emit_vector_error(self.problem)
        from dynlib.steppers.proof import proved_vector_error  # others are seldom met

        return proved_vector_error(self.stepper, self.problem)

    def _written(self) -> str:
        """What the stepper writes; looked at if somebody else has made it."""
        if is_own(self.stepper):
            return self.stepper.emit(self.problem)
        from dynlib.steppers.proof import proved_text  # others are seldom met

        return proved_text(self.stepper, self.problem)

    def beside(self) -> list[str]:
        """Functions that the text calls, and those that keep what attempts say of themselves.

        Beside the text for an extended state, which is in a module together with that for the
        states, only what concerns tangent vectors.
        """
        derivatives = self.problem.functions(self.stepper.needs)
        if self.problem.vectors:
            return [self._derivative(each) for each in derivatives if each.along]
        texts = [self._derivative(each) for each in derivatives]
        if self.stepper.noted:
            texts.append(self.layout.tally.text(self.layout.tally_rows, self.problem.real))
        if self.stepper.setting_rows(self.layout.states):
            texts.append(self._settings())
        return texts

    def _settings(self) -> str:
        """``put_settings``, which leaves in the workspace what attempts read there."""
        first, own = self.stepper.first_own_option, len(self.stepper.own_options)
        values = [f"options[{first + i}]" for i in range(own)]
        if self.stepper.reads_tolerances:
            values += [f"tolerances[{i}]" for i in range(2 * self.layout.states)]
        lines = [
            f"ws[{self.layout.settings + row}, lane] = {self.problem.real.cast(value)}"
            for row, value in enumerate(values)
        ]
        return function("put_settings", "options, tolerances, ws, lane", lines)

    def _attempt(self) -> str:
        """``attempt`` of two values."""
        each = Components(self.problem.n, self.problem.real)
        result = "u_new"
        if self.stepper.failures:
            nan = self.problem.real.cast("nan")
            result = each.each(lambda at: f"select(failed, {nan}, {at.of('u_new')})")
        lines = [f"u_new, k, note = attempt_noted({ATTEMPT_ARGS})"]
        if self.stepper.failures:
            lines.append("failed = note[0] != 0.0")
        return function("attempt", ATTEMPT_ARGS, [*lines, f"return {result}, k"])

    def _derivative(self, derivative: Derivative) -> str:
        """A function of the entries that change, of the states and maybe of a vector `v`."""
        nodes = [derivative.entries[place] for place in derivative.changing]
        lines, results = self._text.evaluate(nodes)
        before = self._text.seen_time(nodes)
        n = self.problem.states
        if derivative.along:
            before += [unpack(names("u", n), "u"), unpack([f"u{n + i}" for i in range(n)], "v")]
        else:
            before += self._text.prologue(nodes)
        lines = [*before, *lines, f"return {group(results)}"]
        return function(derivative.name, derivative.args, lines)
