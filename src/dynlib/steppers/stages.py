"""Stages of explicit Runge–Kutta methods, written out over the components of the state."""

from __future__ import annotations

from dynlib.steppers.text import Components, Scalar, combine

__all__ = ["emit_stage", "slope"]


def emit_stage(
    s: int, node: float, row: tuple[float, ...], each: Components, real: Scalar
) -> list[str]:
    """The lines that evaluate stage `s`, counted from 1, into ``k{s}_0, k{s}_1, …``.

    Its argument is accumulated onto the state, oldest stage first, so that only one fused
    multiply-add waits for the newest stage.
    """
    used = [(j, a) for j, a in enumerate(row, 1) if a]
    lines = [f"w{j} = {_times(a, real)}" for j, a in used]
    if not used:
        return slope(s, node, each.whole("u"), each)
    argument = each.each(lambda at: combine([(f"w{j}", at(f"k{j}_")) for j, _ in used], at("u")))
    return [*lines, *slope(s, node, argument, each)]


def slope(s: int, node: float, argument: str, each: Components) -> list[str]:
    """The line that evaluates the right-hand side for stage `s` at these states."""
    time = {0.0: "t", 1.0: "t + h"}.get(node, f"t + {node!r} * h")
    return each.take(f"k{s}_", f"rhs({time}, step, {argument}, p, ws, lane)")


def _times(a: float, real: Scalar) -> str:
    return "h" if a == 1 else f"{real(a)} * h"
