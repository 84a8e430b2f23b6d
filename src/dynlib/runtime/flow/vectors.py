"""Tangent vectors on their way through a flow: brought to length 1 before it, and back after it.

A flow carries vectors along linearly, so powers of 2 may be taken out and put back, to the last
bit.  The error of an adaptive step is judged by squares, which overflow long before vectors do.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlib.compiler.model import CompiledModel

__all__ = ["MOST_GROWTH", "Vectors", "overgrown"]

Array = NDArray[Any]
MOST_GROWTH = {"float64": 2.0**400, "float32": 2.0**50}  # of a vector whose error is known


class Vectors(NamedTuple):
    """Vectors as columns, of which the longest component is from 1 to 2, and powers of 2.

    Attributes
    ----------
    columns
        Shape (runs, n, k).
    exponents
        Shape (runs, k).
    """

    columns: Array
    exponents: Array

    @classmethod
    def of(cls, tangents: Array) -> Vectors:
        """Vectors of any length."""
        if not tangents.shape[-1]:
            return cls(tangents, np.zeros((len(tangents), 0), dtype=np.int64))
        longest = np.abs(tangents).max(axis=-2, initial=0.0)
        exponents = np.where(longest > 0, np.frexp(longest)[1] - 1, 0)
        return cls(np.ldexp(tangents, -exponents[:, None]), exponents)

    def back(self, columns: Array) -> Array:
        """What has become of these vectors, at their length."""
        with np.errstate(over="ignore", under="ignore"):
            return np.ldexp(columns, self.exponents[:, None])


def overgrown(model: CompiledModel, columns: Array) -> NDArray[np.bool_]:
    """Runs in which a vector that was 1 has grown until the error of steps is not known."""
    if not model.stepper.adaptive:
        return np.zeros(len(columns), dtype=np.bool_)
    most = MOST_GROWTH[model.spec.dtype]
    return np.asarray((np.abs(columns) > most).any(axis=(-2, -1)))
