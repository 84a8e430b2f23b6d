"""The one list of what a runner is given, in groups.

Both sides are made from it: the compiled entry point, which unpacks a table of addresses and
extents, and the Python call, which fills the table.  `kind` is the element type: ``"f8"`` and
``"i8"`` as in NumPy, ``"y"`` the dtype of the model's states.
"""

from __future__ import annotations

from dynlib.abi.records import Record, RunnerArg
from dynlib.abi.slots import Clock, Count, Trace

__all__ = ["LOG", "OBSERVED", "REC", "RUN", "RUNNER_ARGS", "SLOTS", "WORDS", "RunnerArg"]

WORDS = 4  # table entries of one argument: address and up to three extents

SLOTS = Record(
    "slots",
    "what a run is between two steps, besides its arrays",
    {
        "clock": RunnerArg("clock", "f8", (len(Clock),)),
        "count": RunnerArg("count", "i8", (len(Count),)),
    },
    made={"clock_out": "clock_out", "count_out": "count_out"},
)
RUN = Record(
    "run",
    "the arrays of a run, and what the step control is given",
    {
        "y": RunnerArg("y", "y", ("states", 1)),
        "y_prev": RunnerArg("y_prev", "y", ("states", 1)),
        "p": RunnerArg("p", "y", ("params", 1)),
        "mem": RunnerArg("mem", "y", ("memory", 1)),
        "ws": RunnerArg("ws", "y", ("workspace", 1)),
        "options": RunnerArg("options", "f8", (0,)),
        "tolerances": RunnerArg("tolerances", "f8", (0,)),
    },
)
REC = Record(
    "rec",
    "the record, what is recorded, and when",
    {
        "t": RunnerArg("rec_t", "f8", (0,)),
        "y": RunnerArg("rec_y", "y", (0, 0)),
        "aux": RunnerArg("rec_aux", "f8", (0, 0)),
        "sel_y": RunnerArg("sel_y", "i8", (0,)),
        "sel_aux": RunnerArg("sel_aux", "i8", (0,)),
        "samples": RunnerArg("samples", "f8", (0,)),
    },
)
LOG = Record(
    "log",
    "the log of events",
    {
        "t": RunnerArg("evt_t", "f8", (0,)),
        "step": RunnerArg("evt_step", "i8", (0,)),
        "id": RunnerArg("evt_id", "i8", (0,)),
        "values": RunnerArg("evt_log", "f8", (0, 0)),
    },
)
OBSERVED = Record(
    "observed",
    "what observers have",
    {
        "workspace": RunnerArg("analysis_ws", "f8", (0, 1)),
        "out": RunnerArg("analysis_out", "f8", (0, 1)),
        "buf": RunnerArg("trace_buf", "f8", (0, 1)),
        "count": RunnerArg("trace_count", "i8", (0, 1)),
        "traces": RunnerArg("traces", "i8", (0, len(Trace))),
    },
)

RUNNER_ARGS: tuple[RunnerArg, ...] = tuple(
    arg for record in (SLOTS, RUN, REC, LOG, OBSERVED) for arg in record.args
)
