"""A batch on one screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from dynlib.abi.status import Status
from dynlib.runtime.batch.failure import endings
from dynlib.runtime.naming import shortened

if TYPE_CHECKING:
    from dynlib.runtime.batch.frame import BatchFrame
    from dynlib.runtime.batch.results import BatchResults

__all__ = ["batch_summary"]

_WIDEST = 96
_MOST = 8


def batch_summary(batch: BatchResults, frame: BatchFrame) -> str:
    """Model, runs, record, events, observers, endings, speed: a line or two for each."""
    origin = frame.origin
    ended = endings(batch.status)
    head = f"<BatchResults of {origin.name!r} ({origin.kind}, {origin.stepper}): {_head(ended)}>"
    lines = [("runs", _runs(batch)), ("record", _record(batch, frame))]
    if origin.events and not ended.get(Status.USER_BREAK):
        counts = [f"{name} ×{len(event)}" for name, event in list(batch.events.items())[:_MOST]]
        more = [f"… ({len(origin.events)} in all)"] if len(origin.events) > _MOST else []
        lines.append(("events", ", ".join(counts + more)))
    lines.append(("observed", ", ".join(frame.observed.names)))
    failed = {status: n for status, n in ended.items() if not status.ok}
    lines += [("failed", f"{n}: {status.sentence}") for status, n in failed.items()]
    counters = ", ".join(f"{count:,} {name}" for name, count in batch.stats.counters.items())
    lines += [("effort", _effort(batch)), ("counted", counters), ("speed", _speed(batch))]
    return "\n".join([head, *(_line(name, text) for name, text in lines if text)])


def _line(name: str, text: str) -> str:
    line = f"  {name:<9}{text}"
    return shortened(line, _WIDEST)


def _head(ended: Mapping[Status, int]) -> str:
    total, good = sum(ended.values()), sum(n for status, n in ended.items() if status.ok)
    if not total:
        return "no runs"
    return f"{_count(total, 'run')}, {'all ok' if good == total else f'{good} ok'}"


def _runs(batch: BatchResults) -> str:
    if batch.axes:
        return " × ".join(
            f"{name}: {len(values)}" + _span(values) for name, values in batch.axes.items()
        )
    different = {
        name: values
        for name, values in {**batch.params, **batch.ic}.items()
        if isinstance(values, np.ndarray)
    }
    shown = [f"{name}{_span(values)}" for name, values in list(different.items())[:_MOST]]
    more = [f"… ({len(different)} in all)"] if len(different) > _MOST else []
    return ", ".join(shown + more)


def _span(values: Any) -> str:
    finite = values[np.isfinite(values)]
    return f" ({finite.min():g} to {finite.max():g})" if finite.size else ""


def _record(batch: BatchResults, frame: BatchFrame) -> str:
    names = ", ".join(batch.names[:_MOST]) + (", …" if len(batch.names) > _MOST else "")
    rows, unit = len(batch.t), "n" if batch.is_map else "t"
    if not rows:
        return "nothing"
    if rows == 1:
        return f"1 row, {unit} = {batch.t[0]:g}: {names} ({frame.plan})"
    return f"{rows} rows, {unit} = {batch.t[0]:g} to {batch.t[-1]:g}: {names} ({frame.plan})"


def _effort(batch: BatchResults) -> str:
    stats = batch.stats
    rejected = f", {stats.rejected:,} rejected" if stats.rejected else ""
    where = f"{_count(stats.lanes, 'lane')}, {_count(stats.threads, 'thread')}"
    if stats.workers > 1:
        where += f" in each of {stats.workers} processes"
    return f"{_count(stats.runs, 'trajectory', 'trajectories')}, {_count(stats.steps, 'step')}" + (
        f"{rejected}, {stats.seconds:.3g} s; {where}"
    )


def _speed(batch: BatchResults) -> str:
    stats = batch.stats
    if not stats.seconds or not stats.runs:
        return ""
    return f"{stats.runs_per_second:.3g} trajectories/s, {stats.steps_per_second:.3g} steps/s"


def _count(number: int, what: str, plural: str = "") -> str:
    return f"{number:,} {what if number == 1 else plural or what + 's'}"
