"""A stepper as plain Python, on a small model: nothing is compiled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dynlib.abi.primitives import plain_namespace
from dynlib.dsl.expr import Node, State, Time, emit
from dynlib.dsl.spec import ModelSpec
from dynlib.steppers.base import Stepper
from dynlib.steppers.problem import MODEL_ARGS, Problem
from dynlib.steppers.proof import proved_text
from dynlib.steppers.text import function, group, names, unpack

__all__ = ["PlainStepper"]

_TOLERANCE = 1e-10  # of methods whose attempts read one


class PlainStepper:
    """Takes steps of one length along a flow without parameters, events and lags.

    Parameters
    ----------
    stepper, spec
        The method and the model.
    """

    def __init__(self, stepper: Stepper, spec: ModelSpec) -> None:
        self.stepper = stepper
        settings = {o.name: f"ws[{i}, lane]" for i, o in enumerate(stepper.own_options)}
        problem = Problem.of(spec, settings=settings, tolerances=len(settings))
        texts = [_text("rhs", problem.equations, problem.states)]
        for each in problem.functions(stepper.needs):
            nodes = [each.entries[place] for place in each.changing]
            texts.append(_text(each.name, nodes, problem.states))
        texts.append(proved_text(stepper, problem))
        self._space: dict[str, Any] = plain_namespace(spec.dtype)
        source = "\n".join(texts)
        exec(compile(source, f"<stepper {stepper.name}>", "exec"), self._space)
        defaults = [option.default for option in stepper.own_options]
        defaults += [_TOLERANCE] * (2 * problem.states)
        self._arrays = np.zeros((1, 1)), np.array([defaults]).T, 0
        self._carries = any(stepper.memory)

    def run(
        self, u: Sequence[float], t: float, h: float, steps: int
    ) -> tuple[Any, list[tuple[Any, Any, Any]]]:
        """The state after some steps, and of each step its start, its end and what it left.

        Raises
        ------
        ArithmeticError
            If an attempt fails; it says why.
        """
        state: Any = tuple(map(np.float64, u))
        memory: Any = 0.0
        taken = []
        with np.errstate(all="ignore"):
            if self._carries:
                memory = self._space["restart"](t, 0, state, *self._arrays)
            for k in range(steps):
                at = t + k * h
                new, left, *said = self._space["attempt"](at, h, k, state, memory, *self._arrays)
                if said and said[0][0] != 0.0:
                    raise ArithmeticError(self.stepper.failures[int(said[0][0]) - 1])
                taken.append((state, new, left))
                if self._carries:
                    memory = self._space["next_memory"](memory, left)
                state = new
        return state, taken

    def inside(self, theta: float, t: float, h: float, step: tuple[Any, Any, Any]) -> Any:
        """The solution inside of a step that `run` returned."""
        u, new, left = step
        with np.errstate(all="ignore"):
            d = self._space["dense"](t, h, 0, u, new, left, *self._arrays)
            return self._space["interpolate"](theta, h, u, new, d)


def _text(name: str, nodes: Sequence[Node], states: int) -> str:
    """A function of expressions of states and time."""
    emitted = emit(list(nodes), _leaf, prefix="v", indent=0, dtype="float64")
    lines = [unpack(names("u", states), "u"), *emitted.lines]
    return function(name, MODEL_ARGS, [*lines, f"return {group(emitted.results)}"])


_TEXTS: Mapping[type, str] = {Time: "t"}


def _leaf(node: Node) -> str:
    return f"u{node.index}" if isinstance(node, State) else _TEXTS[type(node)]
