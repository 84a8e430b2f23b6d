"""The module of a fast-path runner: a model and a stepper in the lanes of a block."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import gcd
from typing import Any

from dynlib.abi.hooks import AnalysisModule
from dynlib.abi.lane_args import LANE_ARGS, OBSERVED_LANE_ARGS, Lane, Span
from dynlib.abi.runner_args import RunnerArg
from dynlib.abi.slots import NEVER, Count
from dynlib.compiler.codegen.model_text import ModelText
from dynlib.compiler.codegen.nonfinite import leaves_traces
from dynlib.compiler.codegen.program import Program, array_views, entry_text
from dynlib.compiler.codegen.quiet_text import QuietText
from dynlib.compiler.codegen.templates import Template, needed
from dynlib.compiler.source import KernelSource
from dynlib.dsl.spec import ModelSpec
from dynlib.steppers.base import Stepper
from dynlib.steppers.text import function

__all__ = ["CHUNK", "LaneProgram"]

CHUNK = 256  # steps between two looks at whether all is finite
_CHUNK_WATCHED = 4  # fewer where events or stop conditions may send a lane back
_CHUNK_ADAPTIVE = 64
_TILE = 64  # numbers of a lane that are collected before they go to its record
_SMALL = 40  # operations of a step of which several are taken at once, and which these are
_MANY_PARAMS = 500  # of which no registers are meant to hold each, nor functions to take each
_TOGETHER = 4  # steps that are: see `lane_fixed.advance`
_CHEAP = frozenset({*"-+*/<>=", "rhs", "fma", "select", "abs_", "min_", "max_", "div"})
_INLINE = frozenset({"fixed_step", "try_step", "decide", "quiet", "quiet_inside"})


@dataclass(frozen=True)
class LaneProgram:
    """What is generated for a batch: `varied` are the parameters that differ between runs.

    With `own_spans` each run begins and ends at times of its own.  Such runs record nothing, have
    no transient, and observers look at their starts and ends alone.
    """

    spec: ModelSpec
    stepper: Stepper
    lanes: int
    varied: tuple[int, ...]
    analysis: AnalysisModule | None = None
    own_spans: bool = False

    @cached_property
    def program(self) -> Program:
        """The model's functions, reading parameters as a batch has them."""
        return Program(self.spec, self.stepper, self.varied, self.analysis)

    @property
    def kind(self) -> tuple[object, ...]:
        """What its text depends on besides model, stepper and observers."""
        return (self.lanes, self.varied, *(("own spans",) if self.own_spans else ()))

    @property
    def kept_rows(self) -> int:
        """Rows of state, stepper memory and workspace, and of the state before for observers."""
        layout = self.program.layout
        previous = layout.states if self.analysis is not None else 0
        return layout.states + layout.memory + layout.workspace + previous

    @property
    def block_rows(self) -> int:
        """Rows of a block."""
        rows = self._tile_rows
        if self.stepper.adaptive:  # the slopes for samples inside of steps
            rows = self.stepper.dense_vectors
        return self._tile_row + rows * self.program.layout.states

    @property
    def analysis_rows(self) -> int:
        """Rows of what observers have."""
        return self.analysis.workspace + self.analysis.outputs if self.analysis is not None else 0

    @property
    def _lasting(self) -> int:
        """Those among them of which there is no copy."""
        return self.analysis.lasting if self.analysis is not None else 0

    @property
    def lane_rows(self) -> int:
        """Rows of what each lane has of its own."""
        return self._span_row + (len(Span) if self.own_spans else 0)

    @property
    def _first_span(self) -> int:
        """Row of the runs' times from which on their spans are told."""
        return 2 + self.program.layout.tally.rows

    @property
    def _span_row(self) -> int:
        return len(Lane) + 2 * self.analysis_rows - self._lasting

    @property
    def args(self) -> tuple[RunnerArg, ...]:
        """Arguments of the runner."""
        return LANE_ARGS if self.analysis is None else (*LANE_ARGS, *OBSERVED_LANE_ARGS)

    @property
    def _flag_row(self) -> int:
        return 2 * self.kept_rows + max(1, len(self.varied))

    @property
    def _tile_row(self) -> int:
        memory = self.program.layout.memory if self.analysis is not None else 0
        return self._flag_row + 1 + memory

    @property
    def _tile_rows(self) -> int:
        """Rows of the record that are collected; an adaptive stepper has none."""
        if self.stepper.adaptive:
            return 0
        rows = max(1, _TILE // self.program.layout.states)
        return rows - rows % 8 if rows > 8 else rows

    @property
    def joined(self) -> bool:
        """Whether `block` and `lanes` are one array, which no compiler has to tell apart."""
        return self.spec.dtype == "float64"

    def module(
        self,
        fast: Sequence[Template],
        runner: str,
        fallback: Callable[[], tuple[Sequence[Template], str]],
        *,
        sampled: bool,
    ) -> KernelSource:
        """The module of `runner`, from its templates.

        `fallback` gives the loop of scalar passes, and its name.
        """
        flags = self.program.flags(sampled=sampled)
        discrete = self.spec.kind == "map"
        floating = not self.spec.dtype.startswith("int")
        eventful = flags["EVENTS"] or flags["STOP"] or flags["SWITCHES"] or sampled
        stray = discrete and floating and not leaves_traces(self.spec)
        small = discrete and self._small and self._undisturbed
        flags |= {"DISCRETE": discrete, "STRAY": stray, "SMALL": small}
        fails = flags["FAILS"] and not flags["ADAPTIVE"]
        flags |= {"EVENTFUL": eventful, "WATCHED": eventful or stray or fails}
        aside = self.analysis is None and not flags["LOOKS_BACK"]
        flags |= {"SAMPLES_INSIDE": sampled and flags["ADAPTIVE"] and aside}
        flags |= {"SHARED_TIMES": not (sampled or flags["ADAPTIVE"])}
        flags |= self._observer_flags(flags)
        observed = self.analysis is not None
        flags |= {"OWN_SPANS": self.own_spans, "OWN_GOALS": observed or self.own_spans}
        flags |= {"TRANSIENTS": observed and not self.own_spans}
        flags |= {"TOGETHER": self.own_spans and not flags["ADAPTIVE"]}
        flags |= {"MANY_PARAMS": self.program.layout.params > _MANY_PARAMS}
        flags |= {"FALLBACK_LOOP": eventful or flags["NOTED"] or self.analysis is not None}
        flags |= self._heeding()
        words: dict[str, Any] = {**flags, **self._numbers(flags)}
        loop = ""
        if flags["FALLBACK_LOOP"]:  # outputs are made when a run ends, not after each pass
            templates, words["RUN_LOOP"] = fallback()
            loop = self.program.run_loop(templates, flags | {"END_HOOK": False})
        text = "\n".join(each.text(words) for each in needed(fast, runner, words))
        layout = self.program.layout
        model = ModelText(layout, self.varied)
        extra = []
        if layout.rings:
            extra.append(model.start_lags())
        if layout.watched:
            extra.append(QuietText(model).emit_quiet())
        if flags["EVERY_HOOK"]:
            extra.append(self._every())
        extra += self.program.no_ops(loop + text)
        parts = [*self.program.parts(), *extra, loop, text, self._entry(runner)]
        module = self.program.assemble(parts, runner, inline=_INLINE)
        return module if self.analysis is None else replace(module, packed=len(OBSERVED_LANE_ARGS))

    def _observer_flags(self, flags: Mapping[str, bool]) -> dict[str, bool]:
        """Whether anybody looks at each step, and in how many groups tangent vectors are stepped.

        One group is stepped together with the state.
        """
        groups = self.program.tangents.groups if self.program.tangents is not None else 0
        looking = any(flags[f"{kind}_HOOK"] for kind in ("PRE", "PIECE", "INSIDE", "POST"))
        given = self.analysis is not None and self.analysis.given
        flags = {"EVERY_STEP": looking, "GROUPS": groups > 1, "ONE_GROUP": groups == 1}
        return flags | {"GIVEN_VECTORS": given}

    def _heeding(self) -> dict[str, bool]:
        """Which loops within a step can be told to end."""
        loops, vectors = (bool(rows) for rows in self.heed_rows)
        return {"HEEDS": loops or vectors, "HEEDS_LOOPS": loops, "HEEDS_VECTORS": vectors}

    @property
    def heed_rows(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Rows of the block, and of what each lane has, that tell loops within a step to end.

        The second of each is that of the copy to which a lane may be taken back.
        """
        layout, analysis = self.program.layout, self.analysis
        block, lanes = layout.heed, None if analysis is None else analysis.heed
        at_block, at_lane = layout.states + layout.memory + (block or 0), len(Lane) + (lanes or 0)
        return (
            () if block is None else (at_block, self.kept_rows + at_block),
            () if lanes is None else (at_lane, self.analysis_rows + at_lane),
        )

    @property
    def _undisturbed(self) -> bool:
        """Whether nothing stands between most steps of a lane but steps."""
        if self.analysis is None:
            return True
        if self.analysis.tangents or gcd(*self.analysis.intervals) % _TOGETHER:
            return False
        return self.analysis.kinds <= {"start", "along", "every", "end"}

    @property
    def _small(self) -> bool:
        """Whether a step is over so soon that several at once save a good part of the time."""
        found = re.findall(r"[-+*/<>=]|\w+(?=\()", self.program.rhs_text)
        return len(found) <= _SMALL and set(found) <= _CHEAP

    def _numbers(self, flags: Mapping[str, bool]) -> dict[str, int]:
        """Numbers in the place of words in capitals."""
        layout = self.program.layout
        kept = self.kept_rows
        chunk = CHUNK
        if flags["ADAPTIVE"]:
            chunk = _CHUNK_ADAPTIVE
        elif flags["EVENTFUL"]:
            chunk = _CHUNK_WATCHED
        return {
            "LANES": self.lanes,
            "CHUNK": chunk,
            "NEVER": NEVER,
            "SWITCH": layout.switch,
            "N_STATES": layout.states,
            "N_MEMORY": layout.memory,
            "N_PARAMS": max(1, layout.params),
            "N_COUNT": len(Count),
            "N_OPTIONS": self.stepper.option_count,
            "N_TOLERANCES": 2 * layout.states,
            "N_VARIED": len(self.varied),
            "N_KEPT": kept,
            "N_LANE_ROWS": len(Lane),
            "ROW_Y": 0,
            "ROW_MEM": layout.states,
            "ROW_WS": layout.states + layout.memory,
            "ROW_KEPT": kept,
            "ROW_P": 2 * kept,
            "ROW_FLAG": self._flag_row,
            "ROW_TILE": self._tile_row,
            "ROW_DENSE": self._tile_row,
            "N_DENSE": self.stepper.dense_vectors * layout.states,
            "TILE_ROWS": self._tile_rows,
            "BLOCK_ROWS": self.block_rows,
            "HEED_ROW": layout.heed or 0,
            "ROW_SPAN": self._span_row,
            "N_SPAN": len(Span),
            "FIRST_SPAN": self._first_span,
            "TALLY": layout.tally_rows,
            "N_TALLY": layout.tally.rows,
            "ROW_TALLY": kept + layout.states + layout.memory + layout.tally_rows,
            **self._observer_numbers(),
        }

    def _observer_numbers(self) -> dict[str, int]:
        analysis, tangents = self.analysis, self.program.tangents
        if analysis is None:
            return {}
        layout = self.program.layout
        return {
            "ROW_PREV": self.kept_rows - layout.states,
            "ROW_PREV_END": self.kept_rows,
            "ROW_PREV_MEM": self._tile_row - layout.memory,
            "ROW_AWS": len(Lane),
            "ROW_AOUT": len(Lane) + analysis.workspace,
            "ROW_AKEPT": len(Lane) + self.analysis_rows,
            "N_WORKSPACE": analysis.workspace,
            "N_CHANGING": analysis.workspace - analysis.lasting,
            "N_OUTPUTS": analysis.outputs,
            "N_TRACES": analysis.n_traces,
            "N_GROUPS": tangents.groups if tangents is not None else 0,
            "N_PENDING": tangents.pending if tangents is not None else 0,
            "STOP_ROW": analysis.stop_row or 0,
            "VECTORS_HEED_ROW": analysis.heed or 0,
            "EVERY": gcd(*analysis.intervals),
        }

    def _every(self) -> str:
        """The hooks that are due after a step of the grid, in all lanes.

        As long as all lanes are at the same step they are due in all of them or in none.
        """
        assert self.analysis is not None
        time = "t0 + s * dt" if self.spec.kind == "ode" else "s"
        rest = "y, y_prev, p, ws, aws, aout, obs[0], obs[1], obs[2])"
        step = f"s = lanes[{int(Lane.STEP)}, lane] + i + 1.0"
        lines = ["if in_phase:"]
        for j, interval in enumerate(self.analysis.intervals):
            call = f"ANALYSIS_EVERY_{j}(lane, {time}, dt, integer(s), {rest}"
            lines += [f"    if (first_step + i + 1) % {interval} == 0:"]
            lines += [f"        for lane in range({self.lanes}):"]
            lines += [f"            {step}", f"            {call}"]
        lines += ["else:", f"    for lane in range({self.lanes}):", "        if run[lane] >= 0:"]
        lines += [
            f"            {step}",
            f"            ANALYSIS_EVERY(lane, {time}, dt, integer(s), {rest}",
        ]
        args = "i, in_phase, first_step, t0, dt, lanes, run, y, y_prev, p, ws, aws, aout, obs"
        return function("every_lanes", args, lines)

    def _entry(self, runner: str) -> str:
        sizes = {
            "block_rows": self.block_rows + (self.lane_rows if self.joined else 0),
            "lane_rows": self.lane_rows,
            "lanes": self.lanes,
            "end_rows": self._first_span + (len(Span) if self.own_spans else 0),
            "params": max(1, len(self.spec.params)),
        }
        views = array_views(self.args, sizes, self.spec.dtype)
        if self.joined:
            views["lanes"] = f"block[{self.block_rows}:]"
        obs = f"({', '.join(arg.name for arg in OBSERVED_LANE_ARGS)})"
        shared = ", ".join(arg.name for arg in LANE_ARGS)
        given = f"{shared}, {obs if self.analysis is not None else '0'}"
        return entry_text(f"{runner}({given})", views)
