"""Everything a session is between two steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["RunState"]

Floats = NDArray[np.float64]


@dataclass(slots=True)
class RunState:
    """The arrays that a runner reads on entry and leaves changed.

    Attributes
    ----------
    clock, count
        Scalars by the slots of `dynlib.abi.slots.Clock` and `Count`.
    y, p
        State and parameters, shapes (n_states, 1) and (n_params, 1), in the model's dtype.
    memory
        What the stepper carries from step to step, shape (n_memory, 1).
    workspace
        Lags and the truth of event conditions, shape (n_workspace, 1).
    binding
        A runner's call that is bound to these very arrays; kept from run to run, never copied.
    """

    clock: Floats
    count: NDArray[np.int64]
    y: NDArray[Any]
    p: NDArray[Any]
    memory: NDArray[Any]
    workspace: NDArray[Any]
    binding: Any = field(default=None, repr=False, compare=False)

    ARRAYS: ClassVar[tuple[str, ...]] = ("clock", "count", "y", "p", "memory", "workspace")

    def __reduce__(self) -> tuple[Any, ...]:
        return RunState.from_arrays, (self.arrays(),)

    def copy(self) -> RunState:
        """An independent copy."""
        return RunState(**{name: value.copy() for name, value in self.arrays().items()})

    def put_back(self, kept: RunState) -> None:
        """Be again what a copy was made of; the arrays stay the same ones."""
        for name in self.ARRAYS:
            getattr(self, name)[...] = getattr(kept, name)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, as a snapshot keeps them."""
        return {name: getattr(self, name) for name in self.ARRAYS}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> RunState:
        """The state whose `arrays` these are."""
        return cls(**{name: np.array(arrays[name]) for name in cls.ARRAYS})
