"""What a fast-path runner is given: the fast path's twin of `dynlib.abi.runner_args`."""

from __future__ import annotations

from enum import IntEnum

from dynlib.abi.records import Record, RunnerArg
from dynlib.abi.slots import Trace

__all__ = [
    "CELLS",
    "CONTROL",
    "ENTRIES",
    "JOB",
    "LANE_ARGS",
    "LANE_REC",
    "OBSERVED_LANE_ARGS",
    "RUNS",
    "Lane",
    "LaneClock",
    "LaneCount",
    "Leaves",
    "Obs",
    "Span",
]


class LaneClock(IntEnum):
    """Slots of the float64 array `grid`: times that all runs of a batch share."""

    T0 = 0
    DT = 1  # step of the fixed grid; adaptive: the first step (0: find one)
    DT_LAST = 2
    T_END = 3
    TRANSIENT_END = 4  # adaptive: where observers start (anew)


class LaneCount(IntEnum):
    """Slots of the int64 array `batch`."""

    RUNS = 0  # runs of the batch
    STEP0 = 1  # index of the first step
    STEP_END = 2  # fixed grids and maps: the run is done at this step
    STEP_LIMIT = 3  # max_steps
    FIRST_RECORD = 4  # step of the first record, or NEVER
    STRIDE = 5
    ROWS = 6  # rows of the record of one run
    SELECTED_STATES = 7
    SELECTED_AUX = 8
    SAMPLES = 9
    EVENT_ROW = 10
    EVENT_ROWS = 11
    BUDGET = 12  # steps of a block until the runner pauses
    AGAIN = 13  # lane whose scalar pass is to be gone on with; -1: none
    OBSERVED_FROM = 14  # step at which observers start (anew)
    STREAM = 15  # 1: records are more than a cache holds, and are written past it
    TAKEN = 16  # fixed grids and maps: steps of the chunk in which the lane `AGAIN` is


class Lane(IntEnum):
    """Rows of the float64 matrix `lanes`: what each lane has of its own."""

    STEP = 0
    T = 1  # adaptive
    DT = 2
    ERROR = 3
    RETRY = 4
    REJECTED = 5
    LEAVES = 6  # why the lane leaves the vector loop: a status, or 0
    ALIVE = 7  # 1: stepping
    ROW = 8  # next row of the record
    SAMPLE = 9  # next sample
    FRESH = 10  # as Count.FRESH
    CUTS = 11  # fixed grids: pieces into which events have cut steps, beyond one for each step
    GOAL = 12  # adaptive: where the run, or its transient, ends
    TOOK = 13  # adaptive: length of the step that is tried; for observers 0 if it was not taken
    T_PREV = 14  # adaptive: where it began
    OBSERVED_FROM = 15  # adaptive: the step at which observers started; else whether they have
    TRIED = 16  # adaptive: error of the step that is tried, below 0 if its end is not finite
    CALM = 17  # adaptive: whether nothing happens in it
    T_NEXT = 18  # adaptive: where it ends


class Leaves(IntEnum):
    """Beside statuses, what stands in `Lane.LEAVES`: why a lane leaves the loop and goes on."""

    UNEVEN = -1  # its next step is to be brought within its bounds
    NO = 0
    CAREFUL = 1  # its next step goes through the ordinary run loop


class Span(IntEnum):
    """Rows of what each run, and then its lane, is given where runs have spans of their own."""

    T0 = 0
    T_END = 1  # as `LaneClock.T_END`
    STEP_END = 2  # fixed grids and maps: the run is done at this step
    DT_LAST = 3  # fixed grids


class Obs(IntEnum):
    """Places in the tuple `obs` of what only observers need: `OBSERVED_LANE_ARGS` in order."""

    BUF = 0  # the trace buffer
    COUNT = 1  # rows of each trace; then the same at the start of the chunk
    TRACES = 2  # the table of traces
    OUTPUTS = 3  # what a batch gives back: outputs, traces, and how many rows these have
    GIVEN = 4
    GIVEN_ROWS = 5
    FIRST = 6  # workspace and outputs at the start of a run


JOB = Record(
    "job",
    "what all runs share: times and counts of the batch, and the queue of runs",
    {
        "grid": RunnerArg("grid", "f8", (len(LaneClock),)),
        "batch": RunnerArg("batch", "i8", (len(LaneCount),)),
        "queue": RunnerArg("queue", "i8", (1,)),  # the next run, for all threads
    },
    made={name: name for name in ("t0", "dt", "t_end", "limit")},
)
CELLS = Record(
    "cells",
    "the lanes of a block: what each run has, and parts of that by name",
    {
        "block": RunnerArg("block", "y", ("block_rows", "lanes")),
        "lanes": RunnerArg("lanes", "f8", ("lane_rows", "lanes")),
        "run": RunnerArg("run", "i8", ("lanes",)),
    },
    made={name: name for name in ("y", "mem", "ws", "p", "flag", "tile")},
)
CONTROL = Record(
    "control",
    "slots for the ordinary run loop, and what the step control is given",
    {
        "clock": RunnerArg("clock", "f8", (0,)),
        "count": RunnerArg("count", "i8", (0,)),
        "options": RunnerArg("options", "f8", (0,)),
        "tolerances": RunnerArg("tolerances", "f8", (0,)),
    },
)
RUNS = Record(
    "runs",
    "what runs start from, and where they leave their ends",
    {
        "uniform": RunnerArg("uniform", "y", ("params",)),
        "varied": RunnerArg("varied", "y", (0, 0)),
        "states": RunnerArg("states", "y", (0, 0)),
        # of the ends of the runs, and their steps there; what attempts said of themselves; what
        # `Span` names, if the runs have their own
        "times": RunnerArg("times", "f8", ("end_rows", 0)),
        "status": RunnerArg("status", "i8", (0,)),
        "steps": RunnerArg("steps", "i8", (0,)),
        "rejects": RunnerArg("rejects", "i8", (0,)),
        "rows": RunnerArg("rows", "i8", (0,)),
    },
)
LANE_REC = Record(
    "rec",
    "the records of all runs, what is recorded, and when",
    {
        "t": RunnerArg("rec_t", "f8", (0,)),
        "y": RunnerArg("rec_y", "y", (0, 0, 0)),
        "aux": RunnerArg("rec_aux", "f8", (0, 0, 0)),
        "sel_y": RunnerArg("sel_y", "i8", (0,)),
        "sel_aux": RunnerArg("sel_aux", "i8", (0,)),
        "samples": RunnerArg("samples", "f8", (0,)),
    },
)
ENTRIES = Record(
    "log",
    "the log of events, of all runs",
    {
        "run": RunnerArg("evt_run", "i8", (0,)),
        "t": RunnerArg("evt_t", "f8", (0,)),
        "step": RunnerArg("evt_step", "i8", (0,)),
        "id": RunnerArg("evt_id", "i8", (0,)),
        "values": RunnerArg("evt_log", "f8", (0, 0)),
    },
)

LANE_ARGS: tuple[RunnerArg, ...] = (
    *JOB.args,
    *CELLS.args,
    *CONTROL.args[:2],
    *RUNS.args,
    *CONTROL.args[2:],
    *LANE_REC.args,
    *ENTRIES.args,
)

OBSERVED_LANE_ARGS: tuple[RunnerArg, ...] = (
    RunnerArg("trace_buf", "f8", (0, "lanes")),
    RunnerArg("trace_count", "i8", (0, "lanes")),
    RunnerArg("traces", "i8", (0, len(Trace))),
    RunnerArg("outputs", "f8", (0, 0)),
    RunnerArg("trace_out", "f8", (0, 0)),
    RunnerArg("trace_rows", "i8", (0, 0)),
    RunnerArg("first_ws", "f8", (0,)),
)
"""What follows where there are observers."""
