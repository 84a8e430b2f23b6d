"""The records of the run loop: what it is given, and what it keeps in registers."""

from __future__ import annotations

from collections.abc import Mapping

from dynlib.abi.records import Record
from dynlib.abi.runner_args import LOG, OBSERVED, REC, RUN, SLOTS

__all__ = ["LOOP_RECORDS"]


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
    "h t_next u_new k error theta cut d length v",
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
