"""Whether events that are located follow each other so closely that no run gets past them.

The function is a template (`dynlib.compiler.codegen.templates`); the words in capitals are rows
of the workspace and bounds.  `apart` is written for the model: whether the state, as far as the
located conditions look at it, has moved by more than its rounding.
"""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dynlib.compiler.codegen.templates import template_of
from dynlib.dsl.expr import free_nodes
from dynlib.dsl.expr.nodes import Node, State, Time
from dynlib.steppers.text import function, names, unpack

if TYPE_CHECKING:
    from dynlib.compiler.codegen.layout import Layout

__all__ = ["CROWDED", "CROWD_ROWS", "crowd_text", "crowded"]

CROWDED = 1e-9  # of the gap from which on gaps only shrink: events closer together are a crowd
CROWD_ROWS = 5
_BRIEF = 100  # cuts in a row, each after less than `CROWDED` of what was left of the step
_ROUNDINGS = 4  # a state that moves by no more has not moved
_CUTS = 10_000  # within one step of a fixed grid


def crowded(t, theta, cuts, u, v, w, ws, lane):
    """Whether the cut at time t is one too many; u, v, w are states before, halfway and there.

    Events accumulate where the gaps between them shrink towards nothing (Zeno's), or where an
    action turns the flow back to the threshold that it has just crossed (sliding): then each gap
    is the time in which rounding lets the state cross, and gaps may well grow now and then.
    """
    gap = abs_(t - ws[CROWD_TIME, lane])
    longer = gap > ws[CROWD_GAP, lane]
    if longer:
        ws[CROWD_SCALE, lane] = gap
    near = gap <= SHARE * ws[CROWD_SCALE, lane] or gap <= 4.4e-16 * abs_(t)
    if near or not apart(u, v, w):
        ws[CROWD, lane] += 1
    elif longer:
        ws[CROWD, lane] = 0
    if theta <= SHARE:
        ws[CROWD_BRIEF, lane] += 1
    else:
        ws[CROWD_BRIEF, lane] = 0
    ws[CROWD_GAP, lane] = gap
    ws[CROWD_TIME, lane] = t
    return ws[CROWD, lane] > MOST_NEAR or ws[CROWD_BRIEF, lane] > MOST_BRIEF or cuts >= MOST_CUTS


def crowd_text(layout: Layout, located: Sequence[int]) -> str:
    """The functions for these located conditions."""
    spec = layout.spec
    if not layout.any_event_located:  # a stop cuts one step only
        return function("crowded", "t, theta, cuts, u, v, w, ws, lane", ["return False"])
    double = spec.dtype == "float64"
    rows = ("CROWD", "CROWD_TIME", "CROWD_GAP", "CROWD_SCALE", "CROWD_BRIEF")
    words: dict[str, object] = {row: layout.crowd + i for i, row in enumerate(rows)}
    words["SHARE"] = CROWDED if double else 0.0
    words["MOST_NEAR"] = 2 * max(1, len(spec.events)) + 4  # at one instant they may set others off
    words["MOST_BRIEF"] = _BRIEF + 2 * len(spec.events)
    words["MOST_CUTS"] = max(_CUTS, 100 * len(spec.events))
    text = template_of(crowded).text(words)
    return _apart(layout, [layout.watched[e].cond for e in located]) + "\n" + text


def _apart(layout: Layout, conds: Sequence[Node]) -> str:
    """Whether any state that these conditions look at has moved; time does so always."""
    leaves = [leaf for cond in conds for leaf in free_nodes(cond)]
    watched = sorted({leaf.index for leaf in leaves if isinstance(leaf, State)})
    if not watched or any(isinstance(leaf, Time) for leaf in leaves):
        return function("apart", "u, v, w", ["return True"])
    few = _ROUNDINGS * float(np.finfo(layout.spec.dtype).eps)
    lines = [unpack(names(x, layout.states), x) for x in "uvw"] + ["moved = False"]
    for i in watched:
        size = f"max_(abs_(u{i}), max_(abs_(v{i}), abs_(w{i})))"
        moved = f"max_(abs_(v{i} - u{i}), abs_(w{i} - u{i}))"
        lines.append(f"moved = moved or {moved} > {few!r} * {size}")
    return function("apart", "u, v, w", [*lines, "return moved"])
