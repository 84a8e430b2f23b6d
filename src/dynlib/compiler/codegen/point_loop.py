"""A loop over many points, each of them computed in a lane of a block.

Users' arrays have a row for each point.  The rows of so many points as there are lanes are turned
into the columns of a block, a straight-line function works on each column, which LLVM makes vector
instructions of, and what it leaves there is turned back.  Where rows are short a loop goes over
them as they are: LLVM shuffles the numbers of several rows into vectors (`PointLoop.direct`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from dynlib.abi.runner_args import RunnerArg
from dynlib.compiler.codegen.program import array_views, entry_text, functions_in
from dynlib.compiler.source import Calls, KernelSource
from dynlib.steppers.text import function

__all__ = ["PointLoop"]

RUNNER = "evaluate_points"
_UNROLLED = 8  # columns of an array that are moved by one loop; LLVM shuffles as many
_NUMBERS = 4096  # of a block, which stays in the cache next to the processor
_MOST, _LEAST = 64, 8  # lanes
_WIDE = 200  # numbers that a point reads and writes: LLVM takes half a second to compare them
_LONG = 2_000  # operations of a point that compile too slowly, side by side for many


@dataclass(frozen=True)
class PointLoop:
    """Where the numbers of a point lie, and the text that goes over all points.

    The rows of the block are the columns of the inputs, one input after the other, the workspace,
    and the outputs.  Numbers that are doubles whatever the model's type lie in a second block,
    `extra`: the clock, then the outputs if they are `real`.

    Attributes
    ----------
    dtype
        Of the model.
    inputs
        Names of the arrays that have the model's type, and how many columns each has.
    clock
        Columns of the array `times`.
    workspace
        Rows that the model's functions expect in `ws`.
    params
        Number of parameters.
    varied
        Whether the last input holds the parameters of each point; otherwise all have the same.
    outputs
        Numbers that are computed for each point.
    width
        Columns of the array `out`, of which the outputs fill some.
    real
        Whether the outputs are doubles.
    inner
        Numbers that are computed on the way, where they are many.
    operations
        About how many a point takes.
    """

    dtype: str
    inputs: tuple[tuple[str, int], ...]
    clock: int
    workspace: int
    params: int
    varied: bool
    outputs: int
    width: int
    real: bool = False
    inner: int = 0
    operations: float = 0.0

    @property
    def joined(self) -> bool:
        """Whether `block` and `extra` are one array, which no compiler has to tell apart."""
        return self.dtype == "float64"

    @cached_property
    def first_rows(self) -> Mapping[str, int]:
        """First row of each input, of ``"ws"``, and of ``"out"`` in its block."""
        rows, row = {}, 0
        for name, width in (*self.inputs, ("ws", self.workspace)):
            rows[name] = row
            row += width
        return {**rows, "out": self.clock if self.real else row}

    @property
    def block_rows(self) -> int:
        """Rows of the block; there is always one."""
        used = sum(width for _, width in self.inputs) + self.workspace
        return max(1, used + (0 if self.real else self.outputs))

    @property
    def extra_rows(self) -> int:
        """Rows of the second one."""
        return max(1, self.clock + (self.outputs if self.real else 0))

    @property
    def lanes(self) -> int:
        """Points side by side."""
        fitting = _NUMBERS // (self.block_rows + self.extra_rows)
        return max(_LEAST, min(_MOST, fitting - fitting % _LEAST))

    @property
    def args(self) -> tuple[RunnerArg, ...]:
        """Arguments of the loop."""
        filled = self.width if self._whole else 0
        return (
            RunnerArg("size", "i8", (1,)),
            RunnerArg("block", "y", ("block_rows", "lanes")),
            RunnerArg("extra", "f8", ("extra_rows", "lanes")),
            *(RunnerArg(name, "y", (0, width)) for name, width in self.inputs),
            RunnerArg("times", "f8", (0, max(1, self.clock))),
            RunnerArg("constants", "y", (max(1, self.params),)),
            RunnerArg("columns", "i8", (0,)),
            RunnerArg("out", "f8" if self.real else "y", (0, filled)),
        )

    @property
    def _whole(self) -> bool:
        """Whether the outputs are few, and all there is in a row of `out`."""
        return self.outputs == self.width <= _UNROLLED

    @property
    def direct(self) -> bool:
        """Whether points may be read and written where users have them, without a block."""
        short = all(width <= _UNROLLED for _, width in self.inputs)
        alone = self.varied or self.workspace or self.point == "wide_point"
        return short and self._whole and not alone

    @property
    def given(self) -> tuple[str, ...]:
        """Names of the arrays that points lie in, where they are read and written directly."""
        names = [name for name, width in self.inputs if width]
        return (*names, *(("times",) if self.clock else ()), "out")

    @property
    def point(self) -> str:
        """Name of the function that evaluates one point.

        One that reads and writes much is called, and not put into the loop: LLVM would compare
        each of what it reads and writes with each other, to make vectors of them.  Nor is one that
        does very much.
        """
        numbers = sum(width for _, width in self.inputs) + self.outputs + self.inner
        return "wide_point" if numbers > _WIDE or self.operations > _LONG else "point"

    def prologue(self) -> list[str]:
        """Lines of `point` that name its parameters and workspace: `p` and `ws`."""
        first = self.first_rows["ws"]
        rows = f"block[{first - self.params}:{first}]" if self.varied else "block"
        lines = [f"p = ({rows}, constants)"]
        if self.workspace:
            lines.append(f"ws = block[{first}:{first + self.workspace}]")
        else:
            lines.append("ws = block")
        return lines

    def epilogue(self, outputs: str) -> str:
        """The line of `point` that stores what it found, a tuple."""
        return f"store_rows({self._output_block}, {self.first_rows['out']}, lane, {outputs})"

    @property
    def _output_block(self) -> str:
        return "extra" if self.real else "block"

    def module(self, parts: Sequence[str]) -> KernelSource:
        """The module, given the functions that it is made of.

        One of them is `point`, of ``lane, block, extra, constants``.
        """
        return self._assembled([*parts, *self._moves(), self._loop()])

    def direct_module(self, point: str) -> KernelSource:
        """The same without a block; `point` takes ``lane``, the arrays `given`, ``constants``."""
        lines = [
            f"params = load_values(constants, {max(1, self.params)})",
            "for lane in range(size[0]):",
            f"    point(lane, {', '.join(self.given)}, params)",
            "return 0",
        ]
        return self._assembled(
            [point, function(RUNNER, ", ".join(arg.name for arg in self.args), lines)]
        )

    def _assembled(self, texts: Sequence[str]) -> KernelSource:
        texts = [*texts, self._entry()]
        text = "\n\n".join(part.strip() for part in texts if part) + "\n"
        defined = functions_in(text)
        assert len(set(defined)) == len(defined), "two functions of a module have one name"
        free = [name for name in defined if name.startswith(("take_", "give"))]
        calls = dict.fromkeys(defined, Calls.INLINED) | dict.fromkeys(free, Calls.FREE)
        return KernelSource(text, calls, RUNNER)

    def _moves(self) -> list[str]:
        rows = self.first_rows
        taken = [*((n, rows[n], w) for n, w in self.inputs if w)]
        texts = [_take(name, row, width) for name, row, width in taken]
        if self.clock:
            texts.append(_take("times", 0, self.clock))
        return [*texts, self._give()]

    def _loop(self) -> str:
        names = ", ".join(arg.name for arg in self.args)
        calls = [f"take_{name}(first, here, block, {name})" for name, width in self.inputs if width]
        if self.clock:
            calls.append("take_times(first, here, extra, times)")
        wide = self.point == "wide_point"
        params = "constants" if wide else f"load_values(constants, {max(1, self.params)})"
        lines = [
            f"params = {params}",
            "count = size[0]",
            "first = 0",
            "while first < count:",
            f"    here = min({self.lanes}, count - first)",
            *(f"    {call}" for call in calls),
            "    for lane in range(here):",
            f"        {self.point}(lane, block, extra, params)",
            f"    give(first, here, out, {self._output_block}, columns)",
            "    first += here",
            "return 0",
        ]
        return function(RUNNER, names, lines)

    def _give(self) -> str:
        row = self.first_rows["out"]
        lines = ["for lane in range(here):"]
        if self._whole:
            lines += [
                f"    place[first + lane, {i}] = found[{row + i}, lane]" for i in range(self.width)
            ]
        else:
            lines = [
                f"for k in range({self.outputs}):",
                "    column = columns[k]",
                "    for lane in range(here):",
                f"        place[first + lane, column] = found[{row} + k, lane]",
            ]
        return function("give", "first, here, place, found, columns", lines)

    def _entry(self) -> str:
        block_rows = self.block_rows + (self.extra_rows if self.joined else 0)
        sizes = {"block_rows": block_rows, "extra_rows": self.extra_rows, "lanes": self.lanes}
        views = array_views(self.args, sizes, self.dtype)
        if self.joined:
            views["extra"] = f"block[{self.block_rows}:]"
        return entry_text(f"{RUNNER}({', '.join(views)})", views)


def _take(name: str, row: int, width: int) -> str:
    """A function that turns rows of an array into columns of the block."""
    if width <= _UNROLLED:
        lines = ["for lane in range(here):"]
        lines += [f"    place[{row + i}, lane] = {name}[first + lane, {i}]" for i in range(width)]
    else:
        lines = [
            f"for i in range({width}):",
            "    for lane in range(here):",
            f"        place[{row} + i, lane] = {name}[first + lane, i]",
        ]
    return function(f"take_{name}", f"first, here, place, {name}", lines)
