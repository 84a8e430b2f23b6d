"""What attempts say of themselves, kept in rows of the workspace: the last failure, and counts.

Only methods that may fail, or count, have such rows.  So they are saved, copied, put back and
resumed with the rest of a run.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynlib.steppers.base import Stepper
from dynlib.steppers.text import Scalar, function, group

__all__ = ["Tally"]

_CARRY = 2.0**20  # float32 counts as far as 2**24: larger counts take a second row


@dataclass(frozen=True)
class Tally:
    """The rows of a stepper, for states of one type.

    The first is the failure of the last attempt, 0 if there was none.  Those of the counters
    follow; of each in single precision two, the second for multiples of 2**20.
    """

    stepper: Stepper
    dtype: str

    @property
    def _wide(self) -> bool:
        return self.dtype == "float32"

    @property
    def rows(self) -> int:
        """How many there are."""
        if not self.stepper.noted:
            return 0
        return 1 + len(self.stepper.counted) * (2 if self._wide else 1)

    def text(self, first: int, real: Scalar) -> str:
        """``tallied(note, ws, lane)``: what the rows from `first` on become by an attempt."""
        added = [f"note[{c}]" for c in range(1, 1 + len(self.stepper.counters))]
        if self.stepper.failures:
            added.append(f"select(note[0] != 0.0, {real(1.0)}, {real(0.0)})")
        lines, items = [], [real.cast("note[0]")]
        for c, value in enumerate(added):
            row = first + 1 + c * (2 if self._wide else 1)
            lines.append(f"c{c} = ws[{row}, lane] + {real.cast(value)}")
            if not self._wide:
                items.append(f"c{c}")
                continue
            lines.append(f"full{c} = c{c} >= {real(_CARRY)}")
            items.append(f"select(full{c}, c{c} - {real(_CARRY)}, c{c})")
            items.append(f"ws[{row + 1}, lane] + select(full{c}, {real(1.0)}, {real(0.0)})")
        return function("tallied", "note, ws, lane", [*lines, f"return {group(items)}"])

    def read(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """The failure and the counts from the rows, shape (rows, ...); what is no number is 0."""
        values = np.nan_to_num(rows.astype(np.float64), posinf=0.0, neginf=0.0)
        if not self._wide:
            return values
        return np.concatenate([values[:1], values[1::2] + _CARRY * values[2::2]])
