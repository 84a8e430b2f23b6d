"""A result on one screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dynlib.runtime.naming import named, shortened

if TYPE_CHECKING:
    from dynlib.observers.kit.result import ObserverResult
    from dynlib.runtime.origin import Origin
    from dynlib.runtime.results import Results
    from dynlib.runtime.segments import Segment

__all__ = ["summary"]

_WIDEST = 88
_MOST = 8


def summary(results: Results, origin: Origin, segments: Sequence[Segment]) -> str:
    """Model, record, end, events, segments, observers, effort: at most a line for each."""
    head = f"<Results of {origin.name!r} ({origin.kind}, {origin.stepper}): {results.message}>"
    lines = [("record", _record(results)), ("final", named(results.final))]
    if origin.events:
        counts = [f"{name} ×{len(event)}" for name, event in list(results.events.items())[:_MOST]]
        more = [f"… ({len(origin.events)} in all)"] if len(origin.events) > _MOST else []
        lines.append(("events", ", ".join(counts + more)))
    if len(segments) > 1:
        spans = [f"{s.name} ({s.start_t:g} to {s.raw.t_final:g})" for s in segments[:_MOST]]
        more = [f"… ({len(segments)} in all)"] if len(segments) > _MOST else []
        lines.append(("segments", ", ".join(spans + more)))
    lines += [("observed", _observed(each)) for each in list(results.observers.values())[:_MOST]]
    lines.append(("effort", _effort(results)))
    counters = [f"{count} {name}" for name, count in results.stats.counters.items()]
    lines += [("counted", ", ".join(counters))] if counters else []
    return "\n".join([head, *(_line(name, text) for name, text in lines)])


def _line(name: str, text: str) -> str:
    line = f"  {name:<9}{text}"
    return shortened(line, _WIDEST)


def _record(results: Results) -> str:
    rows = len(results)
    if not rows:
        return "nothing"
    names = ", ".join(results.names[:_MOST]) + (", …" if len(results.names) > _MOST else "")
    plural, unit = "" if rows == 1 else "s", results.time_name
    return f"{rows} row{plural}, {unit} = {results.t[0]:g} to {results.t[-1]:g}: {names}"


def _observed(found: ObserverResult) -> str:
    """The first things that an observer says."""
    _, *lines = repr(found).removesuffix(">").split("\n")
    return f"{found.name}: {', '.join(map(str.strip, lines))}"


def _effort(results: Results) -> str:
    stats = results.stats
    rejected = f", {stats.rejected} rejected" if stats.rejected else ""
    return f"{stats.steps} steps{rejected}, {stats.evaluations} evaluations, {stats.seconds:.3g} s"
