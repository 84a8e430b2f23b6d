"""A model and a stepper, ready to run."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlib.abi.briefly import BRIEFLY
from dynlib.abi.hooks import AnalysisModule
from dynlib.abi.phases import told
from dynlib.abi.run_state import RunState
from dynlib.abi.slots import Clock, Count
from dynlib.compiler.codegen.program import Program
from dynlib.compiler.codegen.runner_variants import (
    _RUNNER_TEMPLATE_MAP,
    RunnerVariant,
    Variant,
    analysis_token,
    get_runner,
    module_of,
)
from dynlib.compiler.engine import Engine, Jit
from dynlib.compiler.jit.disk_cache import DiskCache
from dynlib.compiler.jit.engines import LLVM
from dynlib.compiler.jit.runner import Runner
from dynlib.dsl.expr import operations
from dynlib.dsl.spec import ModelSpec
from dynlib.errors import CompilationError, StepperJitCapabilityError
from dynlib.steppers import registry
from dynlib.steppers.base import Stepper

if TYPE_CHECKING:
    from dynlib.compiler.codegen.lane_program import LaneProgram
    from dynlib.compiler.equations import Equations

__all__ = ["CompiledModel"]


_KEPT = 32  # runners of each kind


class CompiledModel:
    """A model together with a stepper, and the runners made of them.

    Runners are compiled when they are first needed and kept from then on.  Any number of sessions
    may share a model, in any number of threads.

    Attributes
    ----------
    spec, stepper
        The model and the method.
    engine
        Who makes runners of the text: our own compiler, Numba, or plain Python.
    disk_cache
        Where compiled kernels are kept, or None.
    """

    def __init__(
        self,
        spec: ModelSpec,
        stepper: Stepper,
        *,
        engine: Engine = LLVM,
        disk_cache: DiskCache | None,
    ) -> None:
        self.spec = spec
        self.stepper = stepper
        self.engine = engine
        self.disk_cache = disk_cache
        self.program = Program(spec, stepper)
        self._runners: dict[tuple[Any, ...], Runner] = {}
        self._fast: dict[tuple[Any, ...], tuple[LaneProgram, Runner]] = {}

    def __repr__(self) -> str:
        how = "plain Python" if self.is_plain else "compiled"
        how += f" by {self.jit}" if isinstance(self.jit, str) else ""
        return f"<CompiledModel {self.spec.name}, {self.stepper.name}, {how}>"

    @property
    def jit(self) -> Jit:
        """What chooses its engine: True, False (plain Python), or a name."""
        return self.engine.jit

    @property
    def is_plain(self) -> bool:
        """Whether its text runs as plain Python."""
        return not self.engine.compiles

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """Type of states and parameters."""
        return np.dtype(self.spec.dtype)

    @cached_property
    def equations(self) -> Equations:
        """The model's functions, compiled; `params` are the model's own unless they are given."""
        from dynlib.compiler.equations import Equations  # most sessions ask for none

        values = np.array(self.spec.param_values, dtype=self.dtype)
        return Equations(
            self.program.layout, lambda: values, engine=self.engine, disk_cache=self.disk_cache
        )

    @cached_property
    def n_events(self) -> int:
        """Number of events."""
        return len(self.spec.events)

    @cached_property
    def evaluations(self) -> int:
        """Evaluations of the right-hand side in one attempt, where they are not counted."""
        return self.stepper.evaluations

    @cached_property
    def is_noted(self) -> bool:
        """Whether attempts of the stepper say more than their result."""
        return self.stepper.noted

    @cached_property
    def usual_options(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The stepper's options and tolerances where none are given."""
        return self.stepper.options({}, len(self.spec.states))

    @cached_property
    def operations(self) -> float:
        """Operations of all that may be evaluated in a step; infinite where loops are open."""
        return operations(self.program.layout.expressions)

    @cached_property
    def step_cost(self) -> float:
        """Operations of a step without observers, roughly."""
        return max(1.0, self.operations) * max(1, self.stepper.evaluations)

    @cached_property
    def log_width(self) -> int:
        """Columns of the event log."""
        return self.program.layout.log_width

    @cached_property
    def sources(self) -> Mapping[str, str]:
        """Generated Python text by part: model, events, stepper, runner, module."""
        program = self.program
        module = module_of(program, RunnerVariant.BASE)
        start = module.text.index(f"def {module.runner}(")
        parts = {
            "model": program.model_text,
            "events": program.event_text,
            "stepper": program.stepper_text,
            "runner": module.text[start : module.text.index("def entry(")],
            "module": module.text,
        }
        return {name: text for name, text in parts.items() if text}

    def runner(
        self,
        *,
        sampled: bool = False,
        analysis: AnalysisModule | None = None,
        variant: Variant | None = None,
        progress: Any = None,
    ) -> Runner:
        """The ordinary runner with these observers, compiled if need be.

        `variant` is a further one that was registered; None: BASE or ANALYSIS.  `progress` is told
        what a compile that takes long is doing.
        """
        further = () if variant is None else self._further(variant)
        what = (sampled, *further)
        token = "" if analysis is None else analysis_token(analysis, self.engine)
        runner = self._runners.get((*what, token))
        if runner is None:
            with told(progress):
                runner = self._made(sampled, analysis, variant)
            self._keep(self._runners, (*what, analysis_token(analysis, self.engine)), runner)
        return runner

    def _further(self, variant: Variant) -> tuple[Any, ...]:
        """What tells a further variant from others: another text may be registered for it."""
        return variant, _RUNNER_TEMPLATE_MAP[variant, self.spec.is_map]

    def _made(
        self, sampled: bool, analysis: AnalysisModule | None, variant: Variant | None
    ) -> Runner:
        observed = analysis is not None
        program = self.program
        if observed:
            packs = self.engine.packs
            program = Program(self.spec, self.stepper, analysis=analysis, packs=packs)
        usual = RunnerVariant.ANALYSIS if observed else RunnerVariant.BASE
        return self._runner_of(variant or usual, program, sampled=sampled)

    def _runner_of(
        self, variant: Variant, program: Program | LaneProgram, *, sampled: bool
    ) -> Runner:
        """The runner of a program, or an error message about somebody else's stepper."""
        cache = self.disk_cache
        try:
            return get_runner(variant, program, self.engine, sampled=sampled, disk_cache=cache)
        except CompilationError as error:
            what = getattr(error.__cause__, "what", "")
            if registry.is_own(self.stepper) or not what:
                raise
            whose = f"{self.stepper.name!r} ({registry.source_of(self.stepper)})"
            raise StepperJitCapabilityError(
                f"stepper {whose}: its text holds {what}, which cannot be compiled. jit=False runs "
                "it as plain Python."
            ) from error

    def fast_runner(
        self,
        lanes: int,
        varied: tuple[int, ...],
        *,
        sampled: bool = False,
        analysis: AnalysisModule | None = None,
        variant: Variant | None = None,
        own_spans: bool = False,
    ) -> tuple[LaneProgram, Runner]:
        """The runner of a batch in blocks of `lanes`, in which the parameters `varied` differ.

        `variant` is a further one that was registered; None: FASTPATH or FASTPATH_ANALYSIS.  With
        `own_spans` each run begins and ends at times of its own.
        """
        further = () if variant is None else self._further(variant)
        what = (lanes, varied, sampled, own_spans, *further)
        made = self._fast.get((*what, analysis_token(analysis, self.engine)))
        if made is None:
            from dynlib.compiler.codegen.lane_program import LaneProgram  # single runs need none

            observed = analysis is not None
            program = LaneProgram(self.spec, self.stepper, lanes, varied, analysis, own_spans)
            usual = RunnerVariant.FASTPATH_ANALYSIS if observed else RunnerVariant.FASTPATH
            runner = self._runner_of(variant or usual, program, sampled=sampled)
            made = program, runner
            self._keep(self._fast, (*what, analysis_token(analysis, self.engine)), made)
        return made

    @staticmethod
    def _keep(kept: dict[Any, Any], key: Any, value: Any) -> None:
        """Keep what was made, and let the oldest go; other threads may do the same."""
        with BRIEFLY:
            kept[key] = value
            if len(kept) > _KEPT:
                del kept[next(iter(kept))]

    def new_state(self, y: ArrayLike, p: ArrayLike, t0: float = 0.0) -> RunState:
        """A session at its start.

        Parameters
        ----------
        y, p
            Initial state and parameters, shapes (n_states,) and (n_params,).
        t0
            Start time of an ODE; a map's first iteration index.
        """
        layout = self.program.layout
        state = RunState(
            clock=np.zeros(len(Clock)),
            count=np.zeros(len(Count), dtype=np.int64),
            y=np.array(y, dtype=self.dtype).reshape(layout.states, 1),
            p=np.array(p, dtype=self.dtype).reshape(layout.params, 1),
            memory=np.zeros((layout.memory, 1), dtype=self.dtype),
            workspace=np.zeros((layout.workspace, 1), dtype=self.dtype),
        )
        for index, (start, depth) in layout.rings.items():
            state.workspace[start : start + depth] = state.y[index]
        state.clock[Clock.T] = state.clock[Clock.ORIGIN] = t0
        state.count[Count.STEP] = int(t0) if self.spec.kind == "map" else 0
        state.count[Count.STARTED] = -(2**62)
        state.count[Count.FRESH] = 2
        return state

    def mark_jump(self, state: RunState) -> None:
        """Say that state or parameters were changed from outside: the stepper starts afresh."""
        state.count[Count.FRESH] = 2 if state.count[Count.FRESH] == 2 else 1
        state.count[Count.STOPPED] = 0
