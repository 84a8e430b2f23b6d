"""Stages of explicit Runge–Kutta methods, written out over the components of the state."""

from __future__ import annotations

from dynlib.steppers.text import Scalar, combine, group, names, unpack

__all__ = ["emit_stage", "slope"]


def emit_stage(s: int, node: float, row: tuple[float, ...], n: int, real: Scalar) -> list[str]:
    """The lines that evaluate stage `s`, counted from 1, into ``k{s}_0, k{s}_1, …``.

    Its argument is accumulated onto the state, oldest stage first, so that only one fused
    multiply-add waits for the newest stage.
    """
    used = [(j, a) for j, a in enumerate(row, 1) if a]
    lines = [f"w{j} = {_times(a, real)}" for j, a in used]
    arguments = [
        combine([(f"w{j}", f"k{j}_{i}") for j, _ in used], u) for i, u in enumerate(names("u", n))
    ]
    return [*lines, slope(s, node, arguments)]


def slope(s: int, node: float, arguments: list[str]) -> str:
    """The line that evaluates the right-hand side for stage `s` at these states."""
    time = {0.0: "t", 1.0: "t + h"}.get(node, f"t + {node!r} * h")
    k = names(f"k{s}_", len(arguments))
    return unpack(k, f"rhs({time}, step, {group(arguments)}, p, ws, lane)")


def _times(a: float, real: Scalar) -> str:
    return "h" if a == 1 else f"{real(a)} * h"
