"""What a stepper is to the rest of dynlib."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from dynlib.steppers.options import Options
from dynlib.steppers.text import Scalar

__all__ = ["ATTEMPT_ARGS", "Stepper"]

_NONE = np.zeros(0)

ATTEMPT_ARGS = "t, h, step, u, m, p, ws, lane"


class Stepper(ABC):
    """One method, written out for a number of states by `emit`.

    The text that `emit` returns defines, over tuples `u` of the states:

    - ``attempt(t, h, step, u, m, p, ws, lane) -> (u_new, k)``; `k` is the flat tuple of
      whatever the functions below need of the step;
    - with memory: ``restart(t, step, u, p, ws, lane) -> m`` and ``next_memory(m, k) -> m``;
    - with a dense output: ``dense(t, h, step, u, u_new, k, p, ws, lane) -> d`` and
      ``interpolate(theta, h, u, u_new, d) -> u``;
    - adaptive: ``error_norm``, ``first_step`` and the step control (`dynlib.steppers.control`);
      for tangent vectors ``vector_error`` (`emit_vector_error`).

    It may call ``rhs(t, step, u, p, ws, lane)`` and the primitives.
    """

    kind: ClassVar[Literal["ode", "map"]] = "ode"
    adaptive: bool = False
    multistep: bool = False
    dense_output: bool = True
    dense_vectors: int = 2  # of the states' length, which `dense` returns: the slopes at both ends

    def __init__(self, name: str, order: int, reference: str) -> None:
        self.name = name
        self.order = order
        self.reference = reference

    def __repr__(self) -> str:
        return f"<stepper {self.name}, order {self.order}>"

    @property
    @abstractmethod
    def evaluations(self) -> int:
        """Evaluations of the right-hand side in one attempt."""

    @property
    @abstractmethod
    def memory(self) -> tuple[int, int]:
        """What is carried from step to step: how many vectors of the states' length, then numbers.

        The memory is the vectors, one after the other, and then the numbers.
        """

    def memory_size(self, n: int) -> int:
        """Numbers carried from step to step for `n` states."""
        vectors, scalars = self.memory
        return vectors * n + scalars

    @abstractmethod
    def emit(self, n: int, real: Scalar) -> str:
        """Python text of the method for `n` states."""

    def emit_vector_error(self, n: int, vectors: int, real: Scalar) -> str:
        """Text of an adaptive method's ``vector_error(h, u, u_new, k, lane)``.

        `u`, `u_new` and `k` are those of an extended state of `n` states and, after them, tangent
        vectors; it returns the square of the largest error of these, relative to the greater of
        their lengths before and after, and to the lesser.
        """
        raise NotImplementedError

    @property
    def option_names(self) -> tuple[str, ...]:
        """Options that a run may give."""
        return Options.ADAPTIVE if self.adaptive else ()

    def options(
        self, given: Mapping[str, Any], n: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Check `given` and lay it out for the runner: (options, tolerances).

        Raises
        ------
        StepperOptionError
            For an unknown option or a value that it does not take.
        """
        if not given and not self.adaptive:
            return _NONE, _NONE
        return Options.arrays(self.name, self.option_names, given, n)
