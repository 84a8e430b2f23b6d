"""Expressions of the model language that observers evaluate, and their derivatives along a flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dynlib.dsl.expr import (
    ExprError,
    Function,
    Lag,
    Node,
    Num,
    Param,
    Previous,
    PreviousTime,
    Scope,
    Time,
    bind,
    build,
    coerce,
    differentiate,
    free_nodes,
    jvp,
    parse_expression,
)
from dynlib.dsl.spec import ModelSpec
from dynlib.errors import ObserverError
from dynlib.steppers.text import function, group, names, unpack

__all__ = [
    "halfway_text",
    "is_zero",
    "read_condition",
    "read_value",
    "read_values",
    "scope_of",
    "slope_of",
    "slopes_of",
]


def scope_of(spec: ModelSpec) -> Scope:
    """The names that an expression about a model may use: all that the model itself may."""
    functions = {
        name: Function(each.args, parse_expression(each.expr))
        for name, each in spec.functions.items()
    }
    return Scope(
        kind="map" if spec.is_map else "ode",
        states=spec.states,
        params=spec.params,
        constants=dict(spec.constants),
        functions=functions,
        aux={aux.name: aux.expr for aux in spec.aux},
        integer=spec.is_integer,
    )


def read_values(texts: Mapping[str, Any], spec: ModelSpec, label: str) -> dict[str, Node]:
    """The real expressions that these texts say, as `read_value` reads each.

    Raises
    ------
    ObserverError
    """
    scope = scope_of(spec)
    return {name: coerce(_read(text, spec, label, scope), "real") for name, text in texts.items()}


def read_value(text: Any, spec: ModelSpec, label: str, *, fixed: bool = False) -> Node:
    """The real expression that `text` says; ``aux.E`` is another way to write ``E``.

    Parameters
    ----------
    text : str, int or float
    spec : ModelSpec
    label : str
        Name of the observer, for error messages.
    fixed : bool
        Whether it must be the same all through a run: numbers, constants and parameters only.

    Raises
    ------
    ObserverError
        If it is no expression, or one that looks back at earlier steps.
    """
    node = coerce(_read(text, spec, label), "real")
    if fixed and any(not isinstance(leaf, Param) for leaf in free_nodes(node)):
        raise ObserverError(
            f"observer {label!r}: {text!r} changes during a run; it may be made of numbers, "
            "constants and parameters only."
        )
    return node


def read_condition(text: Any, spec: ModelSpec, label: str) -> Node:
    """The condition that `text` says.

    Raises
    ------
    ObserverError
        If it is none.
    """
    node = _read(text, spec, label)
    if node.kind != "bool":
        raise ObserverError(
            f"observer {label!r}: {text!r} is a number; a condition is needed, such as "
            f"{f'{text} > 0'!r}."
        )
    return node


def _read(text: Any, spec: ModelSpec, label: str, scope: Scope | None = None) -> Node:
    if isinstance(text, int | float) and not isinstance(text, bool):
        text = repr(text)
    if not isinstance(text, str) or not text.strip():
        raise ObserverError(
            f"observer {label!r}: an expression is a text such as {f'{spec.states[0]} - 1'!r}, "
            f"found {text!r}."
        )
    given = text[4:] if text.startswith("aux.") and text[4:].isidentifier() else text
    try:
        node = bind(parse_expression(given), scope or scope_of(spec))
    except ExprError as error:
        raise ObserverError(
            f"observer {label!r}, expression for model {spec.name!r}:\n{error.render(given)}"
        ) from None
    if any(isinstance(leaf, Lag | Previous | PreviousTime) for leaf in free_nodes(node)):
        raise ObserverError(
            f"observer {label!r}: {text!r} uses an aux that looks back at earlier steps; "
            "observers look at one instant."
        )
    return node


def slope_of(node: Node, spec: ModelSpec) -> Node:
    """The rate at which an expression changes along the flow."""
    return slopes_of([node], spec)[0]


def slopes_of(nodes: Sequence[Node], spec: ModelSpec) -> tuple[Node, ...]:
    """The rates at which expressions change along the flow."""
    found = []
    for node, along in zip(nodes, jvp(nodes, spec.state_nodes, spec.equations), strict=True):
        explicit = differentiate(node, Time())
        found.append(along if is_zero(explicit) else build("add", along, explicit))
    return tuple(found)


def halfway_text(n: int) -> str:
    """The template ``halfway_OBS``: the state in the middle of a piece (cubic Hermite)."""
    u, v, f, g = (names(x, n) for x in "uvfg")
    lines = [
        unpack(u, "u"),
        unpack(v, "v"),
        unpack(f, "rhs(t, step, u, params, runtime_ws, lane)"),
        unpack(g, "rhs(t + h, step + 1, v, params, runtime_ws, lane)"),
    ]
    middle = [
        f"fma(0.125 * h, {a} - {b}, 0.5 * ({x} + {y}))"
        for x, y, a, b in zip(u, v, f, g, strict=True)
    ]
    args = "t, h, step, u, v, params, runtime_ws, lane"
    return function("halfway_OBS", args, [*lines, f"return {group(middle)}"])


def is_zero(node: Node) -> bool:
    """Whether an expression is the literal 0."""
    return isinstance(node, Num) and node.value == 0
