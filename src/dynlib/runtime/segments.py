"""The pieces of a session: one for each call of `run` since the last fresh start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from dynlib.errors import OptionError
from dynlib.runtime.recording import Selection
from dynlib.runtime.run_options import RunOptions
from dynlib.runtime.wrapper import RawRun

__all__ = ["Segment", "segment_name"]


# Not frozen, because one is made in every run and freezing doubles its cost; nothing writes to it.
@dataclass(slots=True)
class Segment:
    """What one call of `run` did and recorded.

    Attributes
    ----------
    name
        The tag given to `run`, or ``run1``, ``run2``, ...
    call
        Arguments of the run, for the receipt; plain data where they come from a file.
    selection
        Names of the recorded columns.
    raw
        Record, event log, status, statistics and final time, as the wrapper returned them.
    start_t, start_y, start_p
        Where it began.
    t
        Where it ended, by the clock of the runner: where the end lies on the grid of the steps
        this is the grid's own time, a rounding away from ``raw.t_final``.
    step, y, p
        Step, states and parameters there.
    jumped
        Whether states or parameters were assigned after the previous segment.
    start_step
        Step at which it began.
    fresh
        Whether it began with a stepper that remembered nothing, as opposed to in a session that
        was brought back from a file.
    observers
        Who observed it, as plain data; see `dynlib.observers.kit.metadata.describe`.
    """

    name: str
    call: RunOptions | Mapping[str, Any]
    selection: Selection
    raw: RawRun
    start_t: float
    start_y: NDArray[Any]
    start_p: NDArray[Any]
    t: float
    step: int
    y: NDArray[Any]
    p: NDArray[Any]
    jumped: bool = False
    start_step: int = 0
    fresh: bool = True
    observers: tuple[Mapping[str, Any], ...] = ()


def segment_name(tag: str | None, segments: Iterable[Segment] = ()) -> str:
    """The name of the next segment.

    Raises
    ------
    OptionError
        If the tag is taken, or no text.
    """
    taken = [segment.name for segment in segments]
    if tag is None:
        number = len(taken) + 1
        while f"run{number}" in taken:
            number += 1
        return f"run{number}"
    if not isinstance(tag, str) or not tag:
        raise OptionError(f"tag must be a name for this segment of the session, found {tag!r}.")
    if tag in taken:
        raise OptionError(
            f"tag {tag!r} names an earlier segment of this session. Taken: {', '.join(taken)}."
        )
    return tag
