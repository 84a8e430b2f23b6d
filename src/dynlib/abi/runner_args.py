"""The one list of what a runner is given.

Both sides are made from it: the compiled entry point, which unpacks a table of addresses and
extents, and the Python call, which fills the table.  `kind` is the element type: ``"f8"`` and
``"i8"`` as in NumPy, ``"y"`` the dtype of the model's states.
"""

from __future__ import annotations

from dataclasses import dataclass

from dynlib.abi.slots import Clock, Count, Trace

__all__ = ["RUNNER_ARGS", "WORDS", "RunnerArg"]

WORDS = 4  # table entries of one argument: address and up to three extents


@dataclass(frozen=True)
class RunnerArg:
    """One array argument; `shape` names or numbers its extents (0: known only at run time)."""

    name: str
    kind: str
    shape: tuple[int | str, ...]


RUNNER_ARGS: tuple[RunnerArg, ...] = (
    RunnerArg("clock", "f8", (len(Clock),)),
    RunnerArg("count", "i8", (len(Count),)),
    RunnerArg("y", "y", ("states", 1)),
    RunnerArg("y_prev", "y", ("states", 1)),
    RunnerArg("p", "y", ("params", 1)),
    RunnerArg("mem", "y", ("memory", 1)),
    RunnerArg("ws", "y", ("workspace", 1)),
    RunnerArg("options", "f8", (0,)),
    RunnerArg("tolerances", "f8", (0,)),
    RunnerArg("rec_t", "f8", (0,)),
    RunnerArg("rec_y", "y", (0, 0)),
    RunnerArg("rec_aux", "f8", (0, 0)),
    RunnerArg("sel_y", "i8", (0,)),
    RunnerArg("sel_aux", "i8", (0,)),
    RunnerArg("samples", "f8", (0,)),
    RunnerArg("evt_t", "f8", (0,)),
    RunnerArg("evt_step", "i8", (0,)),
    RunnerArg("evt_id", "i8", (0,)),
    RunnerArg("evt_log", "f8", (0, 0)),
    RunnerArg("analysis_ws", "f8", (0, 1)),
    RunnerArg("analysis_out", "f8", (0, 1)),
    RunnerArg("trace_buf", "f8", (0, 1)),
    RunnerArg("trace_count", "i8", (0, 1)),
    RunnerArg("traces", "i8", (0, len(Trace))),
)
