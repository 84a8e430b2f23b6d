"""A model and a stepper written out: the text of a module that a runner is made of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from dynlib.abi.runner_args import RUNNER_ARGS, WORDS, RunnerArg
from dynlib.compiler.codegen.event_text import CROWDED, EventText
from dynlib.compiler.codegen.layout import Layout
from dynlib.compiler.codegen.model_text import ModelText
from dynlib.compiler.codegen.specialize import fold
from dynlib.dsl.spec import ModelSpec
from dynlib.steppers.base import Stepper
from dynlib.steppers.control import CONTROL_FUNCTIONS
from dynlib.steppers.text import function

__all__ = ["Module", "Program"]

_HOT = frozenset(
    """rhs attempt next_memory load_state store_state load_memory store_memory all_finite record
    push_lags error_norm stop_condition""".split()
) | {function.__name__ for function in CONTROL_FUNCTIONS}

_FULL_NAMES = {"f8": "float64", "i8": "int64"}


@dataclass(frozen=True)
class Module:
    """Text of a module, the functions in it, and which of them are always inlined."""

    text: str
    functions: Mapping[str, bool]
    runner: str
    entry: str = "entry"

    @cached_property
    def digest(self) -> str:
        """Hash of the content."""
        content = f"{self.text}\n{sorted(self.functions.items())}\n{self.runner} {self.entry}"
        return hashlib.sha256(content.encode()).hexdigest()


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
    """

    def __init__(self, spec: ModelSpec, stepper: Stepper) -> None:
        self.spec = spec
        self.stepper = stepper
        self.layout = Layout(spec, stepper)
        self._model = ModelText(self.layout)
        self._events = EventText(self._model)

    @cached_property
    def model_text(self) -> str:
        """The model's functions."""
        parts = [self._model.rhs(), self._model.states(), self._model.record()]
        if self.layout.memory:
            parts.append(self._model.memory())
        if self.layout.rings:
            parts.append(self._model.push_lags())
        if self.spec.stop:
            parts.append(self._model.stop())
        return "\n".join(parts)

    @cached_property
    def event_text(self) -> str:
        """The model's events."""
        return self._events.emit() if self.spec.events else ""

    @cached_property
    def stepper_text(self) -> str:
        """The stepper."""
        return self.stepper.emit(self.layout.states, self._model.real)

    def flags(self, *, sampled: bool, variational: bool) -> dict[str, bool]:
        """What of the run loop this model needs."""
        events = self.spec.events
        stop = self.spec.stop.phase if self.spec.stop else ""
        return {
            "ADAPTIVE": self.stepper.adaptive,
            "MULTISTEP": self.stepper.multistep,
            "MEMORY": self.layout.memory > 0,
            "SAMPLED": sampled,
            "LAGS": bool(self.layout.rings),
            "EVENTS": bool(events),
            "START_EVENTS": any(e.phase in ("start", "both") for e in events),
            "END_EVENTS": any(e.phase in ("end", "both") for e in events),
            "LOCATED": any(self.layout.located(e) for e in events),
            "STOP": bool(stop),
            "STOP_START": stop in ("start", "both"),
            "STOP_END": stop in ("end", "both"),
            "VARIATIONAL": variational,
        }

    def module(
        self, template: str, runner: str, *, sampled: bool, variational: bool = False
    ) -> Module:
        """The module of one runner, whose text `template` calls the model's functions."""
        flags = self.flags(sampled=sampled, variational=variational)
        loop = fold(template, flags, numbers=True)
        loop = loop.replace("N_EVENTS", str(max(1, len(self.spec.events))))
        loop = loop.replace("CROWDED", repr(CROWDED))
        model = fold(self.model_text, {}, numbers=True)
        parts = [model, self.event_text, self.stepper_text, loop, self._entry(runner)]
        text = "\n\n".join(part.strip() for part in parts if part) + "\n"
        return Module(text, self._functions(text), runner)

    def _functions(self, text: str) -> dict[str, bool]:
        hot = _HOT | self._events.inlined()
        defined = [line[4:].split("(")[0] for line in text.splitlines() if line.startswith("def ")]
        return {name: name in hot for name in defined}

    def _entry(self, runner: str) -> str:
        """The C entry point: unpack the table of addresses and extents, call the runner."""
        lines = [f"table = view1_int64(address, {WORDS * len(RUNNER_ARGS)})"]
        lines += [f"{arg.name} = {self._view(i, arg)}" for i, arg in enumerate(RUNNER_ARGS)]
        lines.append(f"return {runner}(0, {', '.join(arg.name for arg in RUNNER_ARGS)})")
        return function("entry", "address", lines)

    def _view(self, i: int, arg: RunnerArg) -> str:
        dtype = _FULL_NAMES.get(arg.kind, self.spec.dtype)
        extents = []
        for j, extent in enumerate(arg.shape):
            known = getattr(self.layout, extent) if isinstance(extent, str) else extent
            extents.append(str(known) if known else f"table[{WORDS * i + 1 + j}]")
        return f"view{len(arg.shape)}_{dtype}(table[{WORDS * i}], {', '.join(extents)})"
