"""What a stepper is to the rest of dynlib."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlib.steppers.options import Option, Options
from dynlib.steppers.problem import Problem

__all__ = ["ATTEMPT_ARGS", "FAILURES", "Counter", "Stepper"]

_NONE = np.zeros(0)

ATTEMPT_ARGS = "t, h, step, u, m, p, ws, lane"


class Counter(NamedTuple):
    """Something that a method counts in its attempts."""

    name: str
    doc: str


FAILURES = Counter("failures", "attempts that failed, whatever their error")


class Stepper(ABC):
    """One method, written out for a problem by `emit`.

    The text that `emit` returns defines, over tuples `u` of the states:

    - ``attempt(t, h, step, u, m, p, ws, lane) -> (u_new, k)``; `k` is the flat tuple of
      whatever the functions below need of the step.  Of a method that may fail, or counts, it is
      ``(u_new, k, note)``: `note` is the tuple of the failure, 0.0 if there is none and else its
      place in `failures`, counted from 1, and of how much is to be added to each of `counters`;
    - with memory: ``restart(t, step, u, p, ws, lane) -> m`` and ``next_memory(m, k) -> m``;
    - with a dense output: ``dense(t, h, step, u, u_new, k, p, ws, lane) -> d`` and
      ``interpolate(theta, h, u, u_new, d) -> u``;
    - adaptive: ``error_norm``, ``first_step`` and the step control (`dynlib.steppers.control`);
      for tangent vectors ``vector_error`` (`emit_vector_error`).

    It may call ``rhs(t, step, u, p, ws, lane)``, the primitives, and the derivatives that it
    `needs`.

    Attributes
    ----------
    kind
        Whether it is for flows or for maps.
    adaptive
        Whether steps have lengths of their own, and may be refused.
    multistep
        Whether it remembers older slopes, for steps of one length.
    dense_output
        Whether it knows the solution inside of a step.
    dense_vectors
        Of the states' length, which `dense` returns: for cubic interpolation the slopes at both
        ends.
    needs
        Derivatives that its text calls, from `dynlib.steppers.problem.DERIVATIVES`.
    failures
        Why an attempt may fail, in words that follow "the step of method x failed: ".
    counters
        What it counts in its attempts.  One called ``evaluations`` counts instead of the number
        for each attempt.
    own_options
        Its options, besides those of the step control.
    reads_tolerances
        Whether the text of an adaptive method's attempt reads atol and rtol, as those do that stop
        an iteration by them.
    error_weights
        Of an adaptive method: weights of the vectors of k in the error over h, if it is that.  Only
        messages read them, to name the state whose error is the largest.
    tangents
        Whether its text for an extended state, in which tangent vectors follow the states, is
        that of its own derivative.  It then fails for the one where it fails for the other.
    """

    kind: ClassVar[Literal["ode", "map"]] = "ode"
    adaptive: bool = False
    multistep: bool = False
    dense_output: bool = True
    dense_vectors: int = 2
    needs: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    counters: tuple[Counter, ...] = ()
    own_options: tuple[Option, ...] = ()
    reads_tolerances: bool = False
    error_weights: tuple[float, ...] = ()
    tangents: bool = True

    def __init__(self, name: str, order: int, reference: str) -> None:
        self.name = name
        self.order = order
        self.reference = reference

    def __repr__(self) -> str:
        return f"<stepper {self.name}, order {self.order}>"

    @property
    @abstractmethod
    def evaluations(self) -> int:
        """Evaluations of the right-hand side in one attempt; a usual number, if they differ."""

    @property
    def memory(self) -> tuple[int, int]:
        """What is carried from step to step: how many vectors of the states' length, then numbers.

        The memory is the vectors, one after the other, and then the numbers.
        """
        return 0, 0

    def memory_size(self, n: int) -> int:
        """Numbers carried from step to step for `n` states."""
        vectors, scalars = self.memory
        return vectors * n + scalars

    @abstractmethod
    def emit(self, problem: Problem) -> str:
        """Python text of the method for a problem."""

    def emit_vector_error(self, problem: Problem) -> str:
        """Text of an adaptive method's ``vector_error(h, u, u_new, k, lane)``.

        `u`, `u_new` and `k` are those of the extended state of `problem`; it returns the square of
        the largest error of its tangent vectors, relative to the greater of their lengths before
        and after, and to the lesser.
        """
        raise NotImplementedError

    def refuses(self, problem: Problem) -> str:
        """Why the method is not for this problem, as a sentence; ``""`` if it is."""
        return ""

    # -- what follows from these --------------------------------------------------------------

    @property
    def noted(self) -> bool:
        """Whether attempts say more than their result: that they failed, or what they took."""
        return bool(self.failures or self.counters)

    @property
    def counted(self) -> tuple[Counter, ...]:
        """All that is counted: failures, too, of a method that may fail."""
        return (*self.counters, *([FAILURES] if self.failures else []))

    def setting_rows(self, n: int) -> int:
        """Rows of the workspace for what the text reads besides: own options, tolerances."""
        return len(self.own_options) + (2 * n if self.reads_tolerances else 0)

    @property
    def first_own_option(self) -> int:
        """Place of the first of its own in the array of options."""
        return Options.COUNT if self.adaptive else 0

    @property
    def option_count(self) -> int:
        """Length of that array."""
        return self.first_own_option + len(self.own_options)

    @property
    def option_names(self) -> tuple[str, ...]:
        """Options that a run may give."""
        shared = Options.ADAPTIVE if self.adaptive else ()
        return (*shared, *(option.name for option in self.own_options))

    def options(
        self, given: Mapping[str, Any], n: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Check `given` and lay it out for the runner: (options, tolerances).

        Raises
        ------
        StepperOptionError
            For an unknown option or a value that it does not take.
        """
        if not (given or self.adaptive or self.own_options):
            return _NONE, _NONE
        return Options.arrays(self.name, (self.adaptive, self.own_options), given, n)
