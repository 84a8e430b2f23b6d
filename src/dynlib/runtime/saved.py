"""What the arrays of a saved session may hold: compiled code indexes by them.

A file may hold anything.  So each array is held against a description of it (`Content`) before it
becomes part of a session: type, shape, and the range of what loops count and index by.  The
descriptions come from where the runners have theirs: the model's layout, the slots, the parts of
observers.  All errors are `ValueError`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.run_state import RunState
from dynlib.abi.slots import CLOCK_RANGES, COUNT_RANGES, Clock, Count, Trace
from dynlib.compiler.model import CompiledModel
from dynlib.observers.kit.batches import positions
from dynlib.observers.kit.combined import CombinedObserver

__all__ = ["Content", "check_machine", "checked_observed", "slots"]

Arrays = Mapping[str, NDArray[Any]]
_FAR = 2**62
_OFF_GRID = 2.0  # steps: where the last one is cut or lengthened, less than one and a bit


@dataclass(frozen=True)
class Content:
    """What an array may hold.

    Attributes
    ----------
    dtype, shape
        Its type and shape; None is any length.
    least, most
        Bounds, in each place or for all; NaN is none.
    """

    dtype: np.dtype[Any]
    shape: tuple[int | None, ...]
    least: Any = math.nan
    most: Any = math.nan

    def check(self, name: str, arrays: Arrays) -> NDArray[Any]:
        """The array of this name, if it is such a one."""
        values = arrays.get(name)
        if values is None:
            raise ValueError(f"array {name!r} is missing")
        if values.dtype.newbyteorder("=") != self.dtype:
            raise ValueError(f"array {name!r} is of type {values.dtype}, not {self.dtype}")
        known = [a if b is None else b for a, b in zip(values.shape, self.shape, strict=False)]
        if len(values.shape) != len(self.shape) or list(values.shape) != known:
            wanted = ", ".join("any" if each is None else str(each) for each in self.shape)
            raise ValueError(f"array {name!r} has the shape {values.shape}, not ({wanted})")
        least, most = np.asarray(self.least), np.asarray(self.most)
        # NaN as a bound lets everything pass; as a value it passes no bound.
        inside = (np.isnan(least) | (values >= least)) & (np.isnan(most) | (values <= most))
        if not inside.all():
            raise ValueError(f"array {name!r} holds {values[~inside][0]}, which cannot be")
        return np.array(values, dtype=self.dtype, order="C")


# --- the run in progress --------------------------------------------------------------------------


def check_machine(machine: RunState, model: CompiledModel) -> None:
    """Refuse a clock and counters that no run has: loops would not end, or leave their arrays."""
    clock, count = machine.clock, machine.count
    t, origin, dt, step = (
        float(clock[Clock.T]),
        float(clock[Clock.ORIGIN]),
        float(clock[Clock.DT]),
        int(count[Count.STEP]),
    )
    if model.spec.is_map:
        if t != step or dt < 0:
            raise ValueError(f"a map at t = {t:g} and iteration {step}, with steps of {dt:g}")
    elif not model.stepper.adaptive:
        if t + dt == t:
            raise ValueError(f"a step of {dt:g} at t = {t:g}")
        off = abs(t - (origin + step * dt))
        if not off <= _OFF_GRID * abs(dt) + 1e-6 * (abs(t) + abs(origin)):
            raise ValueError(f"t = {t:g} is not at step {step} from {origin:g} by {dt:g}")


def slots(kind: type[Clock] | type[Count], stored: Any, values: NDArray[Any]) -> None:
    """Put what a file has under the names of slots into their array, and leave what it has not."""
    ranges: Mapping[Any, tuple[float, float]] = CLOCK_RANGES if kind is Clock else COUNT_RANGES
    accepted = (int,) if kind is Count else (int, float)
    if not isinstance(stored, dict):
        raise ValueError(f"{kind.__name__.lower()} is no table")
    for slot in kind:
        if slot.name not in stored:
            continue
        value = stored[slot.name]
        least, most = ranges.get(slot, (-_FAR, _FAR) if kind is Count else (-1e300, 1e300))
        if isinstance(value, bool) or not isinstance(value, accepted) or not least <= value <= most:
            raise ValueError(f"{slot.name} is {value!r:.40}, which cannot be")
        values[slot] = value


# --- observers ------------------------------------------------------------------------------------


def checked_observed(arrays: Arrays, combined: CombinedObserver) -> dict[str, NDArray[Any]]:
    """Copies of the arrays of saved observers, if they are such as `combined` has.

    Parameters
    ----------
    arrays
        By the names of `dynlib.runtime.observation.Observation.ARRAYS`.
    combined
        The observers that are to go on with them.
    """
    first, _ = combined.trace_table(None)
    real, whole = np.dtype(np.float64), np.dtype(np.int64)
    rows = Content(real, (None, 1)).check("buffer", arrays).size
    any_table = Content(whole, first.shape, 0 * first - _FAR, 0 * first + _FAR)
    caps = any_table.check("table", arrays)[:, Trace.CAP]
    if caps.size and not (caps.min() >= 1 and caps.max() <= rows):
        raise ValueError(f"array 'table' tells of {caps.max()} rows of a trace, where {rows} are")
    least, most = _tables(first, caps)
    contents = {
        "workspace": _workspace(combined),
        "outputs": Content(real, (combined.outputs, 1)),
        "buffer": Content(real, (int((caps * (first[:, Trace.WIDTH] + 1)).sum()), 1)),
        "counts": Content(whole, (combined.n_traces, 1), 0, caps[:, np.newaxis]),
        "table": Content(whole, first.shape, least, most),
    }
    return {name: content.check(name, arrays) for name, content in contents.items()}


def _tables(first: NDArray[np.int64], caps: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """The least and the most that a table of traces holds that have grown to `caps` rows.

    Only when it grows or moves its rows may differ from what it was at first; rows are always left
    for what one step may add.
    """
    least = first.copy()
    least[:, Trace.CAP] = caps
    sizes = caps * (first[:, Trace.WIDTH] + 1)
    least[:, Trace.OFFSET] = np.cumsum(sizes) - sizes
    most = least.copy()
    keep = first[:, Trace.KEEP]
    least[:, Trace.LIMIT] = np.where(keep > 0, keep, -_FAR)
    most[:, Trace.LIMIT] = caps - (first[:, Trace.CAP] - first[:, Trace.LIMIT])
    return least, most


def _workspace(combined: CombinedObserver) -> Content:
    """The workspace of observers: any numbers, but for the rows by which hooks index."""
    least = np.full((combined.workspace, 1), math.nan)
    most = least.copy()
    for part, rows in zip(combined.parts, combined.rows, strict=True):
        words = {"WS": rows.workspace, "LASTING": rows.lasting}
        for row, largest in positions(part.places, part.words).items():
            place = part.row(row, words)
            least[place], most[place] = 0, largest
    return Content(np.dtype(np.float64), least.shape, least, most)
