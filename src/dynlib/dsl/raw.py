"""A model between document and specification: sorted into its parts, still as text with places."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dynlib.dsl.blocks import Piece, Statement
from dynlib.dsl.document import Item


@dataclass(frozen=True, eq=False)
class RawFunction:
    """A function of the model, as written."""

    item: Item
    args: tuple[str, ...]
    body: Piece


@dataclass(frozen=True, eq=False)
class RawEvent:
    """An event, as written; None for what was left out."""

    item: Item
    cond: Piece
    phase: str
    actions: tuple[Statement, ...]
    log: tuple[Piece, ...]
    tags: tuple[str, ...]
    locate: Item | None
    direction: str | None


@dataclass(frozen=True, eq=False)
class RawStop:
    """The stop condition, as written; None for what was left out."""

    cond: Piece
    phase: str
    locate: Item | None


@dataclass(frozen=True, eq=False)
class RawPreset:
    """A named set of values, as written."""

    item: Item
    params: Mapping[str, Item]
    states: Mapping[str, Item]


@dataclass(frozen=True, eq=False)
class RawEquations:
    """Equations by state, as pieces: target and right-hand side."""

    rhs: dict[str, Statement] = field(default_factory=dict)
    inverse: dict[str, Statement] | None = None
    jacobian: Item | None = None


@dataclass(frozen=True, eq=False)
class RawMod:
    """A named change to a model: its document part, checked against the schema."""

    name: str
    item: Item
    group: str | None
    exclusive: bool


@dataclass(eq=False)
class RawModel:
    """All parts of a model; mods change it in place."""

    root: Item
    kind: str
    head: dict[str, str]
    states: dict[str, Item]
    params: dict[str, Item]
    constants: dict[str, Item]
    equations: RawEquations
    aux: dict[str, Piece]
    functions: dict[str, RawFunction]
    events: dict[str, RawEvent]
    sim: dict[str, Item]
    stop: RawStop | None
    presets: dict[str, RawPreset]
    mods: dict[str, RawMod]
    meta: dict[str, Any]
