"""Recording, where a step begins: the first row, every stride, the last row, and re-entry alike."""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from dynlib.abi.slots import Count
from dynlib.abi.status import Status
from dynlib.compiler.codegen.templates import leave_loop, phase

__all__ = ["record_at_samples", "record_at_steps", "record_rows"]


@phase
def record_rows(lane, slots, run, rec, now, tally, out):
    """Record the state if it is due."""
    if SAMPLED:
        record_at_samples(lane, slots, run, rec, now, tally)
    else:
        record_at_steps(lane, slots, run, rec, now, tally, out)


@phase
def record_at_samples(lane, slots, run, rec, now, tally):
    """Samples at this very time; those between steps are taken before (`sample_step`)."""
    while tally.sample < slots.count[Count.SAMPLES] and rec.samples[tally.sample] == now.t:
        rec.t[tally.row] = now.t
        record(
            tally.row, now.t, now.step, now.u, run.y, run.p, run.ws,
            rec.y, rec.aux, rec.sel_y, rec.sel_aux, slots.count, lane,
        )  # fmt: skip
        tally.row += 1
        tally.sample += 1


@phase
def record_at_steps(lane, slots, run, rec, now, tally, out):
    """A row every so many steps, once there is room for it."""
    if now.step == tally.next_record:
        if tally.row >= slots.count[Count.ROWS]:
            out.status = Status.GROW_REC
            leave_loop()
        rec.t[tally.row] = now.t
        record(
            tally.row, now.t, now.step, now.u, run.y, run.p, run.ws,
            rec.y, rec.aux, rec.sel_y, rec.sel_aux, slots.count, lane,
        )  # fmt: skip
        tally.row += 1
        tally.next_record += slots.count[Count.STRIDE]
