"""What the names in an expression stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property
from math import e, pi
from typing import Literal

from dynlib.dsl.expr.nodes import Iteration, Node, Num, Param, State, Time
from dynlib.dsl.expr.ops import Kind
from dynlib.dsl.expr.syntax import Parsed


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the model: the names of its arguments and its body."""

    args: tuple[str, ...]
    body: Parsed


@dataclass(frozen=True)
class Scope:
    """The names that an expression may use.

    Parameters
    ----------
    kind : {"ode", "map", "numeric"}
        Kind of the model; ``numeric`` is for expressions that must be numbers when the model is
        loaded: only constants, ``pi`` and ``e`` are known, and states and params are refused by
        name.
    states, params : sequence of str
        In the order of the state and parameter vectors.
    constants : mapping of str to number
    functions : mapping of str to Function
    aux : mapping of str to Node
        Aux variables that are bound already.
    integer : bool
        Whether states and params are integers (``dtype`` int64 or int32).
    lags, edges : bool
        Whether ``lag_x(k)`` and ``cross_up(x, c)`` with its kin are allowed.
    poisoned : collection of str
        Names that exist but whose own definition is broken; using them is no second error.
    names : mapping of str to Node
        Further names, which win over all others.
    """

    kind: Literal["ode", "map", "numeric"] = "ode"
    states: Sequence[str] = ()
    params: Sequence[str] = ()
    constants: Mapping[str, float | int] = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict)
    aux: Mapping[str, Node] = field(default_factory=dict)
    integer: bool = False
    lags: bool = False
    edges: bool = False
    poisoned: AbstractSet[str] = frozenset()
    names: Mapping[str, Node] = field(default_factory=dict)

    @cached_property
    def state_index(self) -> dict[str, int]:
        """Index of each state, by name."""
        return {name: index for index, name in enumerate(self.states)}

    @property
    def number_kind(self) -> Kind:
        """Kind of states and params."""
        return "int" if self.integer else "real"

    @cached_property
    def table(self) -> dict[str, Node]:
        """Every name that is a value, and what it stands for."""
        table: dict[str, Node] = {"pi": Num(pi), "e": Num(e)}
        if self.kind != "numeric":
            table["t"] = Time()
            if self.kind == "map":
                table["n"] = Iteration()
        table.update((name, Num(value)) for name, value in self.constants.items())
        if self.kind != "numeric":
            kind = self.number_kind
            table.update((name, Param(i, name, kind)) for i, name in enumerate(self.params))
            table.update((name, State(i, name, kind)) for i, name in enumerate(self.states))
            table.update(self.aux)
        table.update(self.names)
        return table

    def declare(self, name: str, value: Node) -> None:
        """Make one more value known, as when constants or aux are read one after the other.

        To make it known anew for each of thousands would take time that grows with their square.
        """
        self.table[name] = value
