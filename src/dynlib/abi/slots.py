"""Names of the numbers that a runner keeps in its `clock` and `count` arrays.

A runner reads them when it is entered and writes the changing ones back when it leaves.
Together with the state arrays (`dynlib.abi.run_state`) they are all there is to a run between
two steps: a run that is grown, paused, interrupted, saved or resumed goes on bit by bit.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from types import SimpleNamespace

__all__ = [
    "CLOCK",
    "CLOCK_RANGES",
    "COUNT",
    "COUNT_RANGES",
    "NEVER",
    "UNBOUNDED",
    "Clock",
    "Count",
    "Fresh",
    "Stopped",
    "Theta",
    "Trace",
]

NEVER = -(2**62)  # the step of what does not happen; maps may start at an iteration below 0
UNBOUNDED = 2**62  # the limit of what has none, with room to count on from it


class Clock(IntEnum):
    """Slots of the float64 array `clock`."""

    T = 0  # time of the current state
    ORIGIN = 1  # a fixed grid is ORIGIN + step*DT
    DT = 2  # step of the fixed grid; adaptive: the step to try next (0: find one)
    DT_LAST = 3  # length of the last step of a fixed grid: shorter if T_END is off the grid
    T_END = 4  # where the last step ends
    ERROR = 5  # of the last accepted step, as `dynlib.steppers.control.last_level` keeps it


class Count(IntEnum):
    """Slots of the int64 array `count`."""

    STEP = 0  # index of the current step; maps: the iteration
    STEP_END = 1  # the run is done at this step (fixed grids and maps)
    STEP_LIMIT = 2  # max_steps: ending here is not success
    BUDGET = 3  # attempts until the runner pauses
    ACCEPTED = 4  # committed steps so far, pieces of cut steps counted one by one
    REJECTED = 5  # attempts thrown away by the step control so far
    FRESH = 6  # a `Fresh`: whether what the stepper remembers is void
    CUTS = 7  # located events so far within the current step
    STARTED = 8  # step whose start-phase events have been taken
    STOPPED = 9  # a `Stopped`: whether the stop condition has been met
    NEXT_RECORD = 10  # step of the next record, or NEVER
    STRIDE = 11  # steps from one record to the next
    ROW = 12  # next free row of the record
    ROWS = 13  # rows there are
    SELECTED_STATES = 14  # recorded states; -1: all of them in order
    SELECTED_AUX = 15  # recorded aux
    SAMPLE = 16  # next sample time
    SAMPLES = 17  # sample times there are
    EVENT_ROW = 18  # next free row of the event log
    EVENT_ROWS = 19
    RETRY = 20  # 1: the last attempt was rejected
    # Step at which observers start (anew), below STEP once they have; what was before is forgotten.
    OBSERVED_FROM = 21
    PIECE_LIMIT = 22  # max_steps where events cut steps of a fixed grid: ACCEPTED at most


class Fresh(IntEnum):
    """Whether what the stepper remembers is void, and why."""

    RETRY = -1  # after a jump, and the step that comes after it has not been taken yet
    NO = 0
    JUMPED = 1  # after a jump or a switch with time
    START = 2  # at the start of a run


class Stopped(IntEnum):
    """Whether the stop condition, or an observer, has ended the run."""

    NO = 0
    MET = 1
    GOES_ON = 2  # and the run goes on from there


class Theta(Enum):
    """Fractions of a step at which an event may cut it."""

    END = 1.0  # up to here there is a cut
    NONE = 2.0  # there is none


# What slots may hold, where it is not any finite number, or any whole one up to 2**62 either way.
CLOCK_RANGES = {Clock.ERROR: (0.0, 200.0)}
COUNT_RANGES = {
    Count.ACCEPTED: (0, -NEVER),
    Count.REJECTED: (0, -NEVER),
    Count.FRESH: (-1, 2),
    Count.CUTS: (0, -NEVER),
    Count.STOPPED: (0, 2),
    Count.STRIDE: (0, -NEVER),
    Count.RETRY: (0, 1),
}


class Trace(IntEnum):
    """Columns of the int64 matrix `traces`, which has a row for each observer's trace.

    Row r of a trace of `WIDTH` columns lies in rows ``OFFSET + r*WIDTH ...`` of the trace buffer,
    its time in row ``OFFSET + CAP*WIDTH + r``.
    """

    OFFSET = 0  # first row in the buffer
    CAP = 1  # rows that fit
    WIDTH = 2
    STRIDE = 3  # steps from one row to the next
    LIMIT = 4  # a trace with more rows than this needs room
    KEEP = 5  # the last so many rows are all that is wanted; 0: all of them
    OUT = 6  # first column in what a batch gives back
    OUT_CAP = 7  # rows given back


# The same as plain numbers: to look one up takes a seventh of the time, which short runs feel.
CLOCK = SimpleNamespace(**{slot.name: int(slot) for slot in Clock})
COUNT = SimpleNamespace(**{slot.name: int(slot) for slot in Count})
