"""What `Sim.flow` finds: end points, tangent vectors, and how each run ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.status import Status
from dynlib.errors import RunFailed
from dynlib.runtime.naming import NamedValues, named
from dynlib.runtime.origin import Origin

__all__ = ["Flow", "flow_failure"]

Array = NDArray[Any]


@dataclass(frozen=True, eq=False, repr=False)
class Flow:
    """End points with their status; ``y, M = flow`` takes states and tangent vectors out.

    Attributes
    ----------
    y
        States at the end, shape (..., n); NaN (of a map of integers 0) where a run failed.
    tangents
        Tangent vectors there, shape (..., n, k), NaN where a run failed or one of its vectors grew
        too long; None: there were none.
    status
        How each run ended, a `Status` as a number, shape (...).
    t
        Time (iteration) at which it ended, shape (...).
    steps
        Steps that it took, shape (...).
    """

    y: Array
    tangents: Array | None
    status: NDArray[np.int64]
    t: NDArray[np.float64]
    steps: NDArray[np.int64]

    @property
    def ok(self) -> NDArray[np.bool_]:
        """Which runs came to their end; one that met a stop condition before did not."""
        return np.asarray(self.status == Status.DONE)

    def __iter__(self) -> Iterator[Array | None]:
        return iter((self.y, self.tangents))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.y, dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        shape = self.status.shape or "one start"
        ways = endings(self.status)
        vectors = "" if self.tangents is None else f", {self.tangents.shape[-1]} tangent vectors"
        return f"<flow of {shape}{vectors}: {ways}>"


def endings(status: NDArray[np.int64]) -> str:
    """How many runs ended in which way."""
    kinds, counts = np.unique(status, return_counts=True)
    pairs = zip(kinds.tolist(), counts.tolist(), strict=True)
    return "; ".join(f"{n}: {Status(kind).sentence}" for kind, n in pairs) or "no runs"


def place_of(run: int, flow: Flow) -> str:
    """The words for one of several starts."""
    place = np.unravel_index(run, flow.status.shape)
    return f"start {', '.join(str(int(i)) for i in place)}: " if place else ""


def too_much_growth(origin: Origin, most: float, flow: Flow, lost: Array) -> RunFailed:
    """The error about vectors that grew so long that the error of their steps was not known."""
    first = int(np.flatnonzero(lost)[0])
    t = flow.t.ravel()[first].item()
    message = (
        f"{origin.name}: flow: {place_of(first, flow)}a tangent vector grew by more than "
        f"{most:.0g} until t = {t:g}, and the error of steps is not known of vectors so long. "
        "Carry it along in parts, each for a shorter T, and bring it back to length 1 between "
        "them.\n"
        "on_failure='return' gives all runs, with NaN for these vectors; it is in the error's "
        ".results."
    )
    state = NamedValues(origin.states, flow.y.reshape(-1, flow.y.shape[-1])[first], "state")
    steps = int(flow.steps.ravel()[first])
    return RunFailed(message, flow, status=Status.DONE, t=t, step=steps, state=state)


def flow_failure(origin: Origin, flow: Flow, reached: Array) -> RunFailed:
    """The error about a flow in which runs failed; `reached` has the states that they came to."""
    bad = np.flatnonzero(~flow.ok.ravel())
    first, n = int(bad[0]), flow.status.size
    status = Status(int(flow.status.ravel()[first]))
    which = place_of(first, flow)
    t = flow.t.ravel()[first].item()
    where = f"{'iteration' if origin.is_map else 't'} = {t:g}"
    state = NamedValues(origin.states, reached.reshape(-1, reached.shape[-1])[first], "state")
    how = status.sentence
    how += f" after {where}" if status is Status.NAN_DETECTED else f" at {where}"
    lines = [f"{origin.name}: flow: {which}{how}.", f"Last state: {named(state)}."]
    if n > 1:
        failed = endings(flow.status.ravel()[bad])
        lines.insert(0, f"{origin.name}: flow failed for {bad.size} of {n} starts ({failed}).")
        lines[1] = f"The first is {which}{how}."
    lines.append(
        "on_failure='return' gives all of them, NaN where they failed, with their .status; it is "
        "in the error's .results."
    )
    steps = int(flow.steps.ravel()[first])
    return RunFailed("\n".join(lines), flow, status=status, t=t, step=steps, state=state)
