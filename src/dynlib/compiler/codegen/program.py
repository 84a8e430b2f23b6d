"""A model and a stepper written out: the text of a module that a runner is made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from math import gcd
from typing import Any

from dynlib.abi.hooks import KINDS, PLACE_ARGS, AnalysisModule
from dynlib.abi.runner_args import RUNNER_ARGS, WORDS, RunnerArg
from dynlib.abi.slots import Clock, Count
from dynlib.compiler.codegen.arithmetic import is_arithmetic
from dynlib.compiler.codegen.layout import Layout
from dynlib.compiler.codegen.locate import LOCATE_HELPERS
from dynlib.compiler.codegen.many_events import event_text_of
from dynlib.compiler.codegen.model_text import EXAMINE, ModelText
from dynlib.compiler.codegen.slp_hint import much_alike
from dynlib.compiler.codegen.stepper_text import StepperText, attempt_line, outcome
from dynlib.compiler.codegen.switch_text import SwitchText
from dynlib.compiler.codegen.tangent_layout import TangentLayout
from dynlib.compiler.codegen.tangent_text import STEP_ARGS, TangentText
from dynlib.compiler.codegen.templates import Template, filled, template_of
from dynlib.compiler.codegen.traces import push_trace, trace_room
from dynlib.compiler.sizes import MANY
from dynlib.compiler.source import Calls, KernelSource
from dynlib.dsl.spec import ModelSpec
from dynlib.errors import StepperError
from dynlib.steppers.base import Stepper
from dynlib.steppers.control import CONTROL_FUNCTIONS
from dynlib.steppers.linear import CALLED
from dynlib.steppers.registry import is_own, source_of
from dynlib.steppers.text import Scalar, function

__all__ = ["Program", "array_views", "entry_text", "functions_in"]

_HOT = frozenset(
    {
        *("rhs", "attempt", "next_memory", "record", "aux", "push_lags", "error_norm"),
        "stop_condition",
        *("attempt_noted", "tallied", "put_settings", "jacobian", "time_derivative"),
        *("jacobian_along", "time_derivative_along", "attempt_noted_tangent"),
        *("jacobian_entries", "rhs_tangent", "attempt_tangent", "next_memory_tangent"),
        *(
            "scale_tangent",
            "subtract_tangent",
            "tangent_step",
            "tangent_group",
            "runner_variational_step",
            "commit_tangents",
            "vector_error_tangent",
            "tangents_fit",
        ),
        *("ANALYSIS_PRE", "ANALYSIS_ALONG", "ANALYSIS_PIECE", "ANALYSIS_POST", "ANALYSIS_SEES"),
    }
) | {function.__name__ for function in CONTROL_FUNCTIONS}

_SELDOM = frozenset({"note_switch", "plan_switch", "within_bounds", "given_up"})
_FEW_STEPS = 4  # what is done as often, or more often, may be part of the loop

_OPERATION = re.compile(r" [-+*/] |\w\(")
_HEAVY = 250  # operations of a right-hand side that is called, as against put in place,
_HEAVY_STEP = 1_000  # if all evaluations of a step have as many

_SINGLE_LANE = 0  # an ordinary run is the one lane of its arrays

_FULL_NAMES = {"f8": "float64", "i8": "int64"}


class Program:
    """What is generated for one model and one stepper.

    Attributes
    ----------
    model_text
        The model's functions: right-hand side, aux, records, lags, stop condition.
    event_text
        Its events; empty without.
    stepper_text
        The method, written out for this number of states.

    Parameters
    ----------
    spec, stepper
        The model and the method.
    varied
        For the fast path, the parameters that differ between runs.
    analysis
        Observers whose hooks are compiled in.
    packs
        Whether tangent vectors may be stepped in packs, which not every engine knows.
    """

    def __init__(
        self,
        spec: ModelSpec,
        stepper: Stepper,
        varied: tuple[int, ...] | None = None,
        analysis: AnalysisModule | None = None,
        *,
        packs: bool = False,
    ) -> None:
        self.spec = spec
        self.stepper = stepper
        self.analysis = analysis
        self.varied = varied
        self.layout = Layout(spec, stepper)
        self.tangents: TangentLayout | None = None
        if analysis is not None and analysis.tangents:
            self.tangents = TangentLayout(
                self.layout.states,
                analysis.tangents,
                stepper,
                tuple(count for count, _ in analysis.tangent_sets),
                in_place=not (stepper.adaptive or self.layout.any_located or stepper.failures),
                chained=self.layout.chained,
            )
            if packs and self._packable(analysis, self.tangents):
                self.tangents = replace(self.tangents, in_packs=True)
        self._model = ModelText(self.layout, varied)
        self._events = event_text_of(self._model, self.tangents)

    @property
    def kind(self) -> tuple[object, ...]:
        """What its text depends on besides model, stepper and observers."""
        return (self.varied, self.tangents is not None and self.tangents.in_packs)

    def _packable(self, analysis: AnalysisModule, tangents: TangentLayout) -> bool:
        """Whether tangent vectors are touched by steps alone, and by hooks between them."""
        numbers = self.spec.dtype == "float64" and not self.layout.watched
        alone = not (analysis.has_user_hooks or analysis.tangents_within_steps)
        return numbers and alone and tangents.packable and is_arithmetic(self.stepper)

    @cached_property
    def rhs_text(self) -> str:
        """The model's right-hand side."""
        return self._model.rhs()

    @cached_property
    def model_text(self) -> str:
        """The model's functions."""
        parts = [self.rhs_text, self._model.record()]
        if self.layout.rings:
            parts.append(self._model.push_lags())
        if self.layout.looks_back:
            parts.append(self._model.past("step_start", self.layout.step_start))
        if self.layout.any_passing:
            parts.append(self._model.past("look_start", self.layout.look_start))
        if self.spec.stop:
            parts.append(self._model.stop())
        if self.layout.switches:
            parts.append(SwitchText(self._model).emit())
        return "\n".join(parts)

    @cached_property
    def event_text(self) -> str:
        """The model's events."""
        return self._events.emit() if self.layout.watched else ""

    @cached_property
    def stepper_text(self) -> str:
        """The stepper, and what stands beside it."""
        text = StepperText(self._model, Scalar(self.spec.dtype, long_from=MANY + 1))
        return "\n".join([*text.beside(), text.emit()])

    @cached_property
    def observer_text(self) -> str:
        """What observers need."""
        if self.analysis is None:
            return ""
        parts = []
        if self.tangents is not None:
            name = "tangent_step" if self._adjusted else "runner_variational_step"
            hooks = tuple(hook for _, hook in self.analysis.tangent_sets)
            precise = self.analysis.given
            vectors = TangentText(self._model, self.tangents, hooks, precise=precise)
            parts.append(vectors.emit(name))
        if self._adjusted:
            parts.append(self._adjusted_step())
        for name, nodes in self.analysis.expressions.items():
            parts.append(self._model.expressions(name, EXAMINE, nodes))
        parts = [filled("\n".join(parts))]
        helpers: list[Callable[..., Any]] = []
        if "inside" in self.analysis.kinds and not self.layout.any_located:
            helpers += LOCATE_HELPERS
        if self.analysis.n_traces:
            helpers += push_trace, trace_room
        words = {"N_TRACES": self.analysis.n_traces}
        parts += [template_of(helper).text(words) for helper in helpers]
        parts.append(self.analysis.text(self._matrix_of("params")))
        return "\n".join(parts)

    def flags(self, *, sampled: bool) -> dict[str, bool]:
        """What of the run loop this model needs."""
        events = self.spec.events
        stop = self.spec.stop.phase if self.spec.stop else ""
        return {
            "ADAPTIVE": self.stepper.adaptive,
            "MULTISTEP": self.stepper.multistep,
            "MEMORY": self.layout.memory > 0,
            "NOTED": self.stepper.noted,
            "FAILS": bool(self.stepper.failures),
            "SETTINGS": self.stepper.setting_rows(self.layout.states) > 0,
            "SAMPLED": sampled,
            "LAGS": bool(self.layout.rings),
            "SWITCHES": bool(self.layout.switches),
            "EVENTS": bool(self.layout.watched),
            "START_EVENTS": self._events.starts,
            "END_EVENTS": any(e.phase in ("end", "both") for e in events),
            "LOCATED": self.layout.any_located,
            "PIECEMEAL": self.layout.any_located and not self.stepper.adaptive,
            "FOLLOWED": self._events.follows,
            "LOOKS_BACK": self.layout.looks_back,
            "STOP": bool(stop),
            "STARTS": self._events.starts or stop in ("start", "both"),
            "STOP_START": stop in ("start", "both"),
            "STOP_END": stop in ("end", "both") and not self.layout.stop_located,
            "STOP_LOCATED": self.layout.stop_located,
            **self._observer_flags(bool(stop)),
        }

    def _matrix_of(self, params: str) -> str:
        """How the matrix of parameters is written, which users' hooks are given."""
        return params if self._model.varied is None else f"{params}[0]"

    @property
    def _adjusted(self) -> bool:
        """Whether an observer changes what the stepper proposes."""
        return self.analysis is not None and bool(self.analysis.adjustments("p"))

    def _adjusted_step(self) -> str:
        """The step with what observers make of it."""
        assert self.analysis is not None
        lines = [attempt_line(self.stepper)]
        if self.tangents is not None:
            lines = [f"{outcome(self.stepper)} = tangent_step({STEP_ARGS})"]
        calls = self.analysis.adjustments(self._matrix_of("p"))
        lines += [f"u_new = {call}" for call in calls]
        lines.append(f"return {outcome(self.stepper)}")
        return function("runner_variational_step", STEP_ARGS, lines)

    @property
    def _in_packs(self) -> bool:
        return self.tangents is not None and self.tangents.in_packs

    def _observer_flags(self, stop: bool) -> dict[str, bool]:
        analysis = self.analysis
        kinds = analysis.kinds if analysis is not None else frozenset()
        stops = analysis is not None and analysis.stop_row is not None
        return {
            "VARIATIONAL": self.tangents is not None,
            "PACKS": self._in_packs,
            "OWN_STEP": self.tangents is not None or self._adjusted,
            "ADJUSTED": self._adjusted,
            "PENDING": self.tangents is not None and not self.tangents.in_place,
            "TRACES": analysis is not None and analysis.n_traces > 0,
            "OBSERVERS_STOP": stops,
            "STOPS": stop or stops,
            "PIECES": bool(kinds & {"along", "piece"}),
            "PREVIOUS": bool(kinds & {"pre", "post", "along"}),
            **{f"{kind.upper()}_HOOK": kind in kinds for kind in KINDS},
        }

    def module(self, templates: Sequence[Template], runner: str, *, sampled: bool) -> KernelSource:
        """The module of one runner, whose `templates` call the model's functions."""
        loop = self.run_loop(templates, self.flags(sampled=sampled))
        parts = [*self.parts(), *self.no_ops(loop), loop, self._entry(runner)]
        alike = much_alike(self.layout.states, self.rhs_text)
        module = self.assemble(parts, runner, apart=self._apart())
        return replace(module, leading=(_SINGLE_LANE,), alike=alike)

    def _apart(self) -> frozenset[str]:
        """Functions of single runs that are called where few or short ones would be in place."""
        if self.layout.states > MANY:
            names = (name for name in functions_in(self.rhs_text) if name.startswith("rhs"))
            return frozenset({*names, "dense", "inside", "first_step", "restart"})
        operations = len(_OPERATION.findall(self.rhs_text))
        heavy = operations >= _HEAVY and operations * self.stepper.evaluations >= _HEAVY_STEP
        return frozenset({"rhs", *CALLED} if heavy else CALLED)

    def run_loop(self, templates: Sequence[Template], flags: Mapping[str, bool]) -> str:
        """The run loop, with what is known of this model filled in."""
        words: dict[str, Any] = {**flags, **self._events.numbers()}
        words |= {"N_STATES": self.layout.states, "N_MEMORY": self.layout.memory}
        words |= {"SWITCH": self.layout.switch, "TALLY": self.layout.tally_rows}
        words |= {"N_CLOCK": len(Clock), "N_COUNT": len(Count)}
        if self.analysis is not None:
            words["STOP_ROW"] = self.analysis.stop_row or 0
            words["N_TANGENTS"] = self.analysis.tangents
            words["EVERY"] = gcd(*self.analysis.intervals)
        return "\n".join(template.text(words) for template in templates)

    def no_ops(self, loop: str) -> list[str]:
        """``ANALYSIS_PRE`` and ``ANALYSIS_POST`` that do nothing, where no observer has the hook.

        For templates that call them always: the loops that come with dynlib do not.
        """
        kinds = frozenset() if self.analysis is None else self.analysis.kinds
        return [
            function(f"ANALYSIS_{kind.upper()}", PLACE_ARGS, ["pass"])
            for kind in ("pre", "post")
            if kind not in kinds and f"ANALYSIS_{kind.upper()}(" in loop
        ]

    def parts(self) -> list[str]:
        """The model's functions, its events, the stepper, what observers need."""
        model = filled(self.model_text)
        return [model, self.event_text, self.stepper_text, self.observer_text]

    def assemble(
        self,
        parts: Iterable[str],
        runner: str,
        inline: frozenset[str] = frozenset(),
        apart: frozenset[str] = frozenset(),
    ) -> KernelSource:
        """A module of these texts; functions named in `inline` are of the hot path too."""
        text = "\n\n".join(part.strip() for part in parts if part) + "\n"
        calls = dict.fromkeys(_HOT | inline, Calls.INLINED) | self._events.calls()
        defined = functions_in(text)
        parts_of_rhs = (name for name in defined if name[:4] == "rhs_" and name[4:].isdigit())
        calls |= dict.fromkeys(parts_of_rhs, Calls.INLINED)
        calls |= dict.fromkeys(_SELDOM, Calls.SELDOM) | dict.fromkeys(apart, Calls.APART)
        if self.analysis is not None and self.varied is None:  # in lanes, runs are short
            calls["ANALYSIS_START"] = Calls.SELDOM
            if min(self.analysis.intervals, default=0) > _FEW_STEPS:
                calls["ANALYSIS_EVERY"] = Calls.APART
        self._check_once(defined)
        return KernelSource(text, {name: calls.get(name, Calls.FREE) for name in defined}, runner)

    def _check_once(self, defined: Sequence[str]) -> None:
        """A function of somebody else's stepper may have the name of one of dynlib's."""
        if len(set(defined)) == len(defined):
            return
        twice = {name for name in defined if defined.count(name) > 1}
        assert not is_own(self.stepper), f"two functions of a module are called {twice}"
        raise StepperError(
            f"stepper {self.stepper.name!r} ({source_of(self.stepper)}): its text defines "
            f"{', '.join(sorted(twice))}(), which the run loop has already. Give it another "
            "name, one that begins with that of the stepper."
        )

    def _entry(self, runner: str) -> str:
        sizes = {name: getattr(self.layout, name) for name in ("states", "params", "memory")}
        sizes["workspace"] = self.layout.workspace
        views = array_views(RUNNER_ARGS, sizes, self.spec.dtype)
        return entry_text(f"{runner}({_SINGLE_LANE}, {', '.join(views)})", views)


def entry_text(call: str, views: Mapping[str, str]) -> str:
    """The C entry point: make arrays of the table of addresses, call the runner."""
    lines = [f"{name} = {view}" for name, view in views.items()]
    return function("entry", "address", [*lines, f"return {call}"])


def array_views(args: Sequence[RunnerArg], sizes: Mapping[str, int], dtype: str) -> dict[str, str]:
    """How each array is made of its place in the table of addresses and extents."""
    return {arg.name: _view(i, arg, sizes, dtype) for i, arg in enumerate(args)}


def functions_in(text: str) -> list[str]:
    """Names of the functions that a text defines, in order."""
    return [line[4:].split("(")[0] for line in text.splitlines() if line.startswith("def ")]


def _view(i: int, arg: RunnerArg, sizes: Mapping[str, int], dtype: str) -> str:
    extents = [sizes[n] if isinstance(n, str) else n for n in arg.shape]
    kind = _FULL_NAMES.get(arg.kind, dtype)
    place = f"address + {8 * WORDS * i}"
    return f"view{len(extents)}_{kind}({place}, {', '.join(map(str, extents))})"
