"""A function of a model, such as its right-hand side or Jacobian, evaluated at many points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from dynlib.compiler.codegen.layout import Layout
from dynlib.compiler.codegen.model_text import ModelText
from dynlib.compiler.codegen.point_loop import PointLoop
from dynlib.compiler.source import KernelSource
from dynlib.dsl.expr import Iteration, Node, Num, State, Time, free_nodes, operations
from dynlib.dsl.spec import ModelSpec
from dynlib.steppers.text import function, group, names, unpack

__all__ = ["Asked", "FunctionText", "direction"]

DIRECTIONS = ("v1", "v2", "v3")


@dataclass(frozen=True)
class Asked:
    """What is to be evaluated.

    Attributes
    ----------
    what
        A word for it, in the names of kernels.
    nodes
        The expressions, of states, parameters and the leaves of `direction`.
    directions
        How many vectors they take besides the state.
    real
        Whether they are doubles, whatever the model's type.
    """

    what: str
    nodes: tuple[Node, ...]
    directions: int = 0
    real: bool = False

    @cached_property
    def live(self) -> tuple[int, ...]:
        """Places of the expressions that are no constants."""
        return tuple(i for i, node in enumerate(self.nodes) if not isinstance(node, Num))

    @cached_property
    def timed(self) -> bool:
        """Whether time, or the iteration of a map, matters."""
        return any(isinstance(leaf, Time | Iteration) for leaf in free_nodes(self.nodes))


def direction(spec: ModelSpec, number: int) -> tuple[State, ...]:
    """The leaves for the components of a vector along which is differentiated; 1 is the first."""
    n = len(spec.states)
    return tuple(State(number * n + i, f"d{number}_{s}", "real") for i, s in enumerate(spec.states))


class FunctionText:
    """Writes the module that evaluates what is asked.

    Parameters
    ----------
    layout
        Of the model.
    asked
        What is evaluated.
    varied
        Whether every point has parameters of its own.
    """

    def __init__(self, layout: Layout, asked: Asked, *, varied: bool) -> None:
        self.asked = asked
        self.text = ModelText(layout, tuple(range(layout.params)) if varied else ())
        self.loop = PointLoop(
            dtype=layout.spec.dtype,
            inputs=(
                ("y", layout.states),
                *((name, layout.states) for name in DIRECTIONS[: asked.directions]),
                *((("p", layout.params),) if varied else ()),
            ),
            clock=int(asked.timed),
            workspace=0 if layout.heed is None else layout.heed + 1,
            params=layout.params,
            varied=varied,
            outputs=len(asked.live),
            width=len(asked.nodes),
            real=asked.real,
            operations=operations(asked.nodes),
        )

    def module(self) -> KernelSource:
        """The module."""
        if self.loop.direct:
            return self._direct()
        layout, loop, asked = self.text.layout, self.loop, self.asked
        nodes = [asked.nodes[i] for i in asked.live]
        numbers = layout.states * (1 + asked.directions)
        lines = loop.prologue()
        if asked.timed:
            lines.append("t = extra[0, lane]")
            if layout.spec.is_map:
                lines.append("step = integer(t)")
        if any(isinstance(leaf, State) for leaf in free_nodes(nodes)):
            lines.append(unpack(names("u", numbers), f"load_rows(block, 0, {numbers}, lane)"))
        statements, results = self.text.evaluate(nodes)
        values = results if asked.real else [self.text.kept(result) for result in results]
        if values:
            lines += [*statements, loop.epilogue(group(values))]
        return loop.module([function(loop.point, "lane, block, extra, constants", lines)])

    def _direct(self) -> KernelSource:
        """The module of a loop over rows as they are."""
        layout, loop, asked = self.text.layout, self.loop, self.asked
        n = layout.states
        lines = ["p = (y, constants)", "ws = y"]
        if asked.timed:
            lines.append("t = times[lane, 0]")
            if layout.spec.is_map:
                lines.append("step = integer(t)")
        if any(isinstance(leaf, State) for leaf in free_nodes(asked.nodes)):
            for place, name in enumerate(("y", *DIRECTIONS[: asked.directions])):
                lines += [f"u{place * n + i} = {name}[lane, {i}]" for i in range(n)]
        statements, results = self.text.evaluate(asked.nodes)
        lines += statements
        for i, result in enumerate(results):
            lines.append(f"r{i} = {result if asked.real else self.text.kept(result)}")
        lines += [f"out[lane, {i}] = r{i}" for i in range(len(results))]
        return loop.direct_module(
            function("point", f"lane, {', '.join(loop.given)}, constants", lines)
        )
