"""The records of templates: what loops are given, and what they keep in registers.

A record costs nothing: `now.t` is the name ``t`` in the text.  Those with arguments are made of
what runners are given (`dynlib.abi.runner_args`, `dynlib.abi.lane_args`).  The others are names
that a loop makes, and only its phases take them.
"""

from __future__ import annotations

from collections.abc import Mapping

from dynlib.abi.lane_args import CELLS, CONTROL, ENTRIES, JOB, LANE_REC, RUNS
from dynlib.abi.records import Record
from dynlib.abi.runner_args import LOG, OBSERVED, REC, RUN, SLOTS

__all__ = ["LANE_RECORDS", "LOOP_RECORDS"]


def _local(name: str, fields: str, what: str) -> Record:
    """A record of names that the loop makes; they go by the same names in the text."""
    return Record(name, what, made={field: field for field in fields.split()})


_NOW = _local(
    "now",
    "t dt step u m fresh jumped t_old u_old t_end touched tangents",
    "where the run is: time, step, state, memory of the stepper, and whether that is void",
)
_TRIED = _local(
    "tried",
    "h t_next u_new k said error theta cut d length v",
    "the step that is tried: its length and end, its outcome, where an event cuts it",
)
_TALLY = _local(
    "tally",
    "row event_row next_record sample budget accepted rejected cuts started stopped "
    "observed_from last retry",
    "what is counted and kept from step to step",
)
_OUT = _local("out", "status", "how the loop is left")

LOOP_RECORDS: Mapping[str, Record] = {
    record.name: record for record in (SLOTS, RUN, REC, LOG, OBSERVED, _NOW, _TRIED, _TALLY, _OUT)
}

_TURN = _local(
    "turn",
    "chunk leader held row calm more budget result picked",
    "the loop over chunks: how many steps, in phase with which lane, rows held in the tile",
)
_AT = _local(
    "at",
    "chunk leader held picked i row step due recording columns tiled whole code again redo",
    "where a chunk of steps is, or a lane in it: its step, the next record, what becomes of it",
)
_MOVE = _local(
    "move",
    "t dt h t_next step u m u_new k said ts us",
    "a step of one lane, and the start (ts, us) of what it is judged against",
)
_SHOWN = _local("shown", "aws aout y_prev h", "what observers are shown in all lanes")

LANE_RECORDS: Mapping[str, Record] = {
    record.name: record
    for record in (JOB, CELLS, CONTROL, RUNS, LANE_REC, ENTRIES, _TURN, _AT, _MOVE, _SHOWN)
}
