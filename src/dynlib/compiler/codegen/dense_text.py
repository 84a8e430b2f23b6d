"""The solution inside of steps that were taken, evaluated at many times: rows, and the text.

What a step was computed from is a row of numbers (`StepRow`).  From it the step is computed once
more, by the text that the run loop has too, so its interpolant has the bits that it had in the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from dynlib.compiler.codegen.layout import Layout
from dynlib.compiler.codegen.model_text import ModelText
from dynlib.compiler.codegen.point_loop import PointLoop
from dynlib.compiler.codegen.stepper_text import StepperText
from dynlib.compiler.source import KernelSource
from dynlib.steppers.text import function

__all__ = ["DenseText", "StepRow"]

CLOCK = ("ts", "t", "h", "step")  # columns of `times`: what is asked for, and the step around it


@dataclass(frozen=True)
class StepRow:
    """What determines a step, or a piece of one: its columns, in the order of `slices`.

    The length of the step and its index; the state that it begins with; what the stepper
    remembers; rows of the workspace that a step reads (values of earlier steps, the stretch of
    time up to a switch, options of the stepper's own); parameters that events change; and, where
    events act at the start of steps, the state before they did.
    """

    layout: Layout

    @cached_property
    def workspace(self) -> tuple[int, ...]:
        """Rows of the workspace that a step reads."""
        layout = self.layout
        rings = [first + i for first, depth in layout.rings.values() for i in range(depth)]
        switch = [layout.switch + 1, layout.switch + 2] if layout.switches else []
        settings = range(layout.settings, layout.tally_rows)
        return (*rings, *switch, *settings)

    @property
    def params(self) -> tuple[int, ...]:
        """Parameters that events change."""
        return self.layout.spec.assigned_params

    @property
    def starts(self) -> bool:
        """Whether events act at the start of steps."""
        return any(event.phase in ("start", "both") for event in self.layout.spec.events)

    @cached_property
    def slices(self) -> Mapping[str, slice]:
        """The columns by what they hold."""
        n = self.layout.states
        found: dict[str, slice] = {}
        first = 0
        for name, width in (
            *(("h", 1), ("step", 1), ("y", n), ("m", self.layout.memory)),
            *(("w", len(self.workspace)), ("p", len(self.params))),
            *(("before", n if self.starts else 0),),
        ):
            found[name] = slice(first, first + width)
            first += width
        return found

    @property
    def width(self) -> int:
        """Number of columns."""
        return int(self.slices["before"].stop)


class DenseText:
    """Writes the module that computes steps once more, and the solution inside of them.

    Parameters
    ----------
    layout
        Of a flow and its stepper.
    varied
        Whether every time has parameters of its own.
    """

    def __init__(self, layout: Layout, *, varied: bool) -> None:
        self.row = row = StepRow(layout)
        self.text = ModelText(layout, tuple(range(layout.params)) if varied else ())
        self.loop = PointLoop(
            dtype=layout.spec.dtype,
            inputs=(
                ("y", layout.states),
                ("m", layout.memory),
                ("w", len(row.workspace)),
                *((("p", layout.params),) if varied else ()),
            ),
            clock=len(CLOCK),
            workspace=layout.workspace if row.workspace or layout.heed is not None else 0,
            params=layout.params,
            varied=varied,
            outputs=layout.states,
            width=layout.states,
            inner=layout.states * (layout.stepper.evaluations + layout.stepper.dense_vectors),
        )

    def module(self) -> KernelSource:
        """The module."""
        layout, loop = self.row.layout, self.loop
        first = loop.first_rows
        lines = [f"{name} = extra[{i}, lane]" for i, name in enumerate(CLOCK)]
        lines += ["step = integer(step)", *loop.prologue()]
        for k, row in enumerate(self.row.workspace):
            lines.append(f"ws[{row}, lane] = block[{first['w'] + k}, lane]")
        lines.append(f"u = load_rows(block, {first['y']}, {layout.states}, lane)")
        memory = f"load_rows(block, {first['m']}, {layout.memory}, lane)"
        lines += [
            f"m = {memory if layout.memory else '0.0'}",
            "u_new, k = attempt(t, h, step, u, m, p, ws, lane)",
            "d = dense(t, h, step, u, u_new, k, p, ws, lane)",
            loop.epilogue("interpolate((ts - t) / h, h, u, u_new, d)"),
        ]
        writer = StepperText(self.text, self.text.real)
        point = function(loop.point, "lane, block, extra, constants", lines)
        return loop.module([self.text.rhs(), *writer.beside(), writer.emit(), point])
