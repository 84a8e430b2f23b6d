"""The rows of one observer among those of all, and the text that makes them new."""

from __future__ import annotations

from dataclasses import dataclass

from dynlib.observers.kit.part import Part

__all__ = ["Rows", "afresh"]


@dataclass(frozen=True)
class Rows:
    """Where an observer's rows begin."""

    tangents: int
    workspace: int
    lasting: int
    outputs: int
    trace: int


def afresh(part: Part, rows: Rows) -> list[str]:
    """Lines that forget what an observer has found and traced."""
    lines = []
    for array, first, size, values in (
        ("analysis_ws", rows.workspace, part.workspace if part.hooks else 0, part.first),
        ("analysis_out", rows.outputs, part.output_rows, part.first_outputs),
    ):
        given = values or (0.0,)
        if size and len(set(given)) == 1:
            lines.append(f"for row in range({first}, {first + size}):")
            lines.append(f"    {array}[row, lane] = {_literal(given[0])}")
        elif size:
            lines += [f"{array}[{first + k}, lane] = {_literal(x)}" for k, x in enumerate(given)]
    if part.trace.width:
        lines.append(f"trace_count[{rows.trace}, lane] = 0")
    return lines or ["pass"]


def _literal(value: float) -> str:
    if value != value:
        return "nan"
    return repr(float(value))
