"""The module of a fast-path runner: a model and a stepper in the lanes of a block."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from dynlib.abi.lane_args import LANE_ARGS, Lane
from dynlib.abi.slots import NEVER, Count
from dynlib.compiler.codegen import lane_adaptive, lane_careful, lane_fixed
from dynlib.compiler.codegen.event_text import EventText
from dynlib.compiler.codegen.model_text import ModelText
from dynlib.compiler.codegen.program import Module, Program, entry_text
from dynlib.compiler.codegen.specialize import fold, without
from dynlib.dsl.spec import ModelSpec
from dynlib.steppers.base import Stepper
from dynlib.steppers.options import Options

__all__ = ["LaneProgram"]

_CAREFUL = 1  # of no status: the lane's next step goes through the run loop
_CHUNK_PLAIN = 64  # steps between two looks at whether all is finite
_CHUNK_WATCHED = 4  # fewer where events or stop conditions may send a lane back
_CHUNK_ADAPTIVE = 16
_INLINE = frozenset({"fixed_step", "adaptive_step", "quiet", "quiet_inside"})


@dataclass(frozen=True)
class LaneProgram:
    """What is generated for a batch: `varied` are the parameters that differ between runs."""

    spec: ModelSpec
    stepper: Stepper
    lanes: int
    varied: tuple[int, ...]

    @cached_property
    def program(self) -> Program:
        """The model's functions, reading parameters as a batch has them."""
        return Program(self.spec, self.stepper, self.varied)

    @property
    def kept_rows(self) -> int:
        """Rows of state, stepper memory and workspace."""
        layout = self.program.layout
        return layout.states + layout.memory + layout.workspace

    @property
    def block_rows(self) -> int:
        """Rows of a block."""
        return 2 * self.kept_rows + max(1, len(self.varied)) + 1

    @property
    def joined(self) -> bool:
        """Whether `block` and `lanes` are one array, which no compiler has to tell apart."""
        return self.spec.dtype == "float64"

    def module(self, fast: str, runner: str, run_loop: str, *, sampled: bool) -> Module:
        """The module of `runner`, from its template `fast`; `run_loop` is for careful passes."""
        flags = self.program.flags(sampled=sampled, variational=False)
        discrete = self.spec.kind == "map"
        floating = not self.spec.dtype.startswith("int")
        careful = flags["EVENTS"] or flags["STOP"] or sampled
        flags |= {"DISCRETE": discrete, "WATCHED": careful or (discrete and floating)}
        flags["CAREFUL_LOOP"] = careful
        fast = without(fast, self._unneeded(flags))
        text = fold(fast, flags, numbers=True)
        text = re.sub(r"\b[A-Z][A-Z_]+\b", lambda m: self._word(m[0], flags), text)
        loop = self.program.run_loop(run_loop, flags) if flags["CAREFUL_LOOP"] else ""
        layout = self.program.layout
        model = ModelText(layout, self.varied)
        extra = []
        if layout.rings:
            extra.append(model.start_lags())
        if self.spec.events:
            extra.append(EventText(model).emit_quiet())
        parts = [*self.program.parts(), *extra, loop, text, self._entry(runner)]
        return self.program.assemble(parts, runner, inline=_INLINE)

    def _unneeded(self, flags: Mapping[str, bool]) -> tuple[str, ...]:
        names: tuple[str, ...] = ()
        if not flags["CAREFUL_LOOP"]:
            names += tuple(lane_careful.__all__)
        elif not flags["ADAPTIVE"]:
            names += ("plain_pass",)
        other = lane_fixed if flags["ADAPTIVE"] else lane_adaptive
        return names + tuple(other.__all__)

    def _word(self, word: str, flags: Mapping[str, bool]) -> str:
        layout = self.program.layout
        kept = self.kept_rows
        chunk = _CHUNK_PLAIN
        if flags["ADAPTIVE"]:
            chunk = _CHUNK_ADAPTIVE
        elif flags["CAREFUL_LOOP"]:
            chunk = _CHUNK_WATCHED
        numbers = {
            "LANES": self.lanes,
            "CHUNK": chunk,
            "CAREFUL": _CAREFUL,
            "NEVER": NEVER,
            "N_STATES": layout.states,
            "N_MEMORY": layout.memory,
            "N_PARAMS": max(1, layout.params),
            "N_COUNT": len(Count),
            "N_OPTIONS": len(Options.PLACES),
            "N_TOLERANCES": 2 * layout.states,
            "N_VARIED": len(self.varied),
            "N_KEPT": kept,
            "N_LANE_ROWS": len(Lane),
            "ROW_Y": 0,
            "ROW_MEM": layout.states,
            "ROW_WS": layout.states + layout.memory,
            "ROW_KEPT": kept,
            "ROW_P": 2 * kept,
            "ROW_FLAG": 2 * kept + max(1, len(self.varied)),
        }
        if word == "RUN_LOOP":
            return f"run_base_{self.spec.kind}"
        return str(numbers.get(word, word))

    def _entry(self, runner: str) -> str:
        sizes = {
            "block_rows": self.block_rows + (len(Lane) if self.joined else 0),
            "lanes": self.lanes,
            "params": max(1, len(self.spec.params)),
        }
        text = entry_text(runner, LANE_ARGS, sizes, self.spec.dtype)
        if self.joined:
            text = re.sub(r"    lanes = .*", f"    lanes = block[{self.block_rows}:]", text)
        return text
