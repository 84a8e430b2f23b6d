"""A model and a stepper, ready to run."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, partial
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
from dynlib.compiler.jit.disk_cache import DiskCache
from dynlib.compiler.jit.runner import Runner
from dynlib.dsl.expr import operations
from dynlib.dsl.spec import ModelSpec
from dynlib.errors import StepperError
from dynlib.steppers import registry
from dynlib.steppers.base import Stepper

if TYPE_CHECKING:
    from dynlib.compiler.codegen.lane_program import LaneProgram
    from dynlib.compiler.equations import Equations

__all__ = ["CompiledModel"]


def _compiled(variant: Variant, program: Program | LaneProgram, **how: Any) -> Runner:
    """The runner of a program, or an error message about somebody else's stepper.

    Raises
    ------
    StepperError
        If the text of such a stepper cannot be compiled.
    """
    try:
        return get_runner(variant, program, **how)
    except Exception as error:
        from dynlib.compiler.llvm.values import Untranslatable  # others need no translator

        if registry.is_own(program.stepper) or not isinstance(error, Untranslatable):
            raise
        raise StepperError(
            f"stepper {program.stepper.name!r} ({registry.source_of(program.stepper)}): its text "
            f"holds {error.what}, which cannot be compiled. jit=False runs it as plain Python."
        ) from error


_KEPT = 32  # runners of each kind


class CompiledModel:
    """A model together with a stepper, and the runners made of them.

    Runners are compiled when they are first needed and kept from then on.  Any number of sessions
    may share a model, in any number of threads.

    Attributes
    ----------
    spec, stepper
        The model and the method.
    jit
        Whether runners are compiled; otherwise the same text runs as plain Python.
    disk_cache
        Where compiled kernels are kept, or None.
    """

    def __init__(
        self, spec: ModelSpec, stepper: Stepper, *, jit: bool = True, disk_cache: DiskCache | None
    ) -> None:
        self.spec = spec
        self.stepper = stepper
        self.jit = jit
        self.disk_cache = disk_cache
        self.program = Program(spec, stepper)
        self._runners: dict[tuple[Any, ...], Runner] = {}
        self._fast: dict[tuple[Any, ...], tuple[LaneProgram, Runner]] = {}

    def __repr__(self) -> str:
        how = "compiled" if self.jit else "plain Python"
        return f"<CompiledModel {self.spec.name}, {self.stepper.name}, {how}>"

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
            self.program.layout, lambda: values, jit=self.jit, disk_cache=self.disk_cache
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
        token = "" if analysis is None else analysis_token(analysis, jit=self.jit)
        runner = self._runners.get((*what, token))
        if runner is None:
            with told(progress):
                runner = self._made(sampled, analysis, variant)
            self._keep(self._runners, (*what, analysis_token(analysis, jit=self.jit)), runner)
        return runner

    def _further(self, variant: Variant) -> tuple[Any, ...]:
        """What tells a further variant from others: another text may be registered for it."""
        return variant, _RUNNER_TEMPLATE_MAP[variant, self.spec.is_map]

    def _made(
        self, sampled: bool, analysis: AnalysisModule | None, variant: Variant | None
    ) -> Runner:
        get = partial(_compiled, sampled=sampled, jit=self.jit, disk_cache=self.disk_cache)
        if analysis is None:
            return get(variant or RunnerVariant.BASE, self.program)
        from dynlib.compiler.llvm.values import Untranslatable  # the others need no translator

        program = partial(Program, self.spec, self.stepper, analysis=analysis)
        kind = variant or RunnerVariant.ANALYSIS
        try:
            return get(kind, program(packs=self.jit))
        except (Untranslatable, StepperError):  # the stepper's text is more than arithmetic
            return get(kind, program())

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
        made = self._fast.get((*what, analysis_token(analysis, jit=self.jit)))
        if made is None:
            from dynlib.compiler.codegen.lane_program import LaneProgram  # single runs need none

            observed = analysis is not None
            program = LaneProgram(self.spec, self.stepper, lanes, varied, analysis, own_spans)
            usual = RunnerVariant.FASTPATH_ANALYSIS if observed else RunnerVariant.FASTPATH
            runner = _compiled(
                variant or usual,
                program,
                sampled=sampled,
                jit=self.jit,
                disk_cache=self.disk_cache,
            )
            made = program, runner
            self._keep(self._fast, (*what, analysis_token(analysis, jit=self.jit)), made)
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

    def states_of(self, state: RunState) -> NDArray[Any]:
        """The state vector, shape (n_states,)."""
        return state.y[:, 0]
