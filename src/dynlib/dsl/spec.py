"""The specification of a model: everything that a document said, checked and bound."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dynlib.dsl.derived import derived_matrix
from dynlib.dsl.expr import Kind, Node, Param, State
from dynlib.dsl.expr.switches import TimeSwitches, time_switches
from dynlib.dsl.fingerprint import fingerprint
from dynlib.dsl.frozen import FrozenMap
from dynlib.dsl.starts import StartSpec
from dynlib.dsl.summary import summary
from dynlib.dsl.write import spec_to_toml
from dynlib.errors import OptionError

Number = float | int
Values = Mapping[str, Number]


@dataclass(frozen=True)
class AuxSpec:
    """A computed variable: its name, its expression and the text of the expression."""

    name: str
    expr: Node
    text: str


@dataclass(frozen=True)
class FunctionText:
    """A function as the model writes it (expressions have it inlined)."""

    args: tuple[str, ...]
    expr: str


@dataclass(frozen=True)
class Action:
    """``target = expr``, done when an event fires; ``text`` is the expression as written."""

    target: State | Param
    expr: Node
    text: str


@dataclass(frozen=True)
class LogColumn:
    """A value kept at each firing of an event; its label is the expression as written."""

    label: str
    expr: Node


@dataclass(frozen=True)
class EventSpec:
    """A discrete intervention during a run.

    Parameters
    ----------
    name : str
    cond : Node
        A condition, of kind bool.
    level : Node or None
        A real expression that is positive exactly where the condition holds; None if there is no
        such expression (equalities, macros) or the event is not located.
    phase : {"start", "end", "both"}
    direction : {"rising", "falling", "either"} or None
        None fires at every step at which the condition holds.
    locate : bool
        Whether the instant of a change is sought within the step: flows only, not at phase
        ``"start"``.
    actions : tuple of Action
        In the order in which they are done, each seeing what the earlier ones did.
    log : tuple of LogColumn
    tags : tuple of str
    text : str
        The condition as written.
    """

    name: str
    cond: Node
    level: Node | None
    phase: str
    direction: str | None
    locate: bool
    actions: tuple[Action, ...]
    log: tuple[LogColumn, ...]
    tags: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class StopSpec:
    """The condition that ends a run early.

    ``level``, ``phase``, ``locate`` and ``text`` are what they are of an `EventSpec`.
    """

    cond: Node
    level: Node | None
    phase: str
    locate: bool
    text: str


@dataclass(frozen=True)
class SimDefaults:
    """What a run does unless it is told otherwise.

    ``t_end`` and ``dt`` mean nothing for maps, ``n_end`` nothing for flows.  A tolerance is one
    number or one for each state.  ``max_steps`` is None where the model names no limit; a run with
    an adaptive stepper then has one of its own.  ``options`` holds the options of the stepper,
    unchecked.
    """

    t0: float = 0.0
    t_end: float = 1.0
    n_end: int = 1
    dt: float = 1e-2
    stepper: str = "rk4"
    record: bool = True
    atol: float | tuple[float, ...] = 1e-8
    rtol: float | tuple[float, ...] = 1e-5
    max_steps: int | None = None
    options: Mapping[str, Any] = field(default_factory=FrozenMap)


@dataclass(frozen=True)
class Preset:
    """A named set of values; what it does not name stays as it is."""

    params: Values = field(default_factory=FrozenMap)
    states: Values = field(default_factory=FrozenMap)


@dataclass(frozen=True, repr=False)
class ModelSpec:
    """A model, checked and bound: what `load_model` returns and the compiler takes.

    Build one with `load_model`.  ``dataclasses.replace`` may change names, values, dtype, times,
    presets; equations are changed by mods, because expressions and their texts belong together.

    Parameters
    ----------
    name, kind, dtype, description, reference, label : str
        ``kind`` is ``"ode"`` or ``"map"``; ``label`` says where the model came from.
    states, params : tuple of str
        Names, in the order of the state and parameter vectors.
    state_values, param_values : tuple of float or int
        Initial values and parameters; ints in integer maps.
    starts : mapping of StartSpec
        Initial values that are expressions with parameters, by state; see `following`.
    constants : mapping
        Values by name; expressions already hold them as literals.
    equations : tuple of Node
        Derivatives (flows) or next values (maps), in the order of the states, with functions, aux
        and constants inlined.
    inverse : tuple of Node or None
        The inverse of a map.
    aux : tuple of AuxSpec
        In the order of the document.
    functions : mapping
        As written, for display.
    equations_text, inverse_text : mapping
        The equations as written, by state.
    events : tuple of EventSpec
    stop : StopSpec or None
    lags : tuple of int
        For each state, how many steps back expressions look; 0 for not at all.
    sim : SimDefaults
    presets : mapping of Preset
    mods : mapping
        The mods of the document, as plain data.
    meta : mapping
        The free table of the document.
    """

    name: str
    kind: str
    dtype: str
    states: tuple[str, ...]
    state_values: tuple[Number, ...]
    params: tuple[str, ...]
    param_values: tuple[Number, ...]
    equations: tuple[Node, ...]
    equations_text: Mapping[str, str]
    description: str = ""
    reference: str = ""
    label: str = ""
    starts: Mapping[str, StartSpec] = field(default_factory=FrozenMap)
    constants: Values = field(default_factory=FrozenMap)
    inverse: tuple[Node, ...] | None = None
    inverse_text: Mapping[str, str] = field(default_factory=FrozenMap)
    aux: tuple[AuxSpec, ...] = ()
    functions: Mapping[str, FunctionText] = field(default_factory=FrozenMap)
    events: tuple[EventSpec, ...] = ()
    stop: StopSpec | None = None
    lags: tuple[int, ...] = ()
    sim: SimDefaults = field(default_factory=SimDefaults)
    presets: Mapping[str, Preset] = field(default_factory=FrozenMap)
    mods: Mapping[str, Any] = field(default_factory=FrozenMap)
    meta: Mapping[str, Any] = field(default_factory=FrozenMap)

    def __repr__(self) -> str:
        return summary(self)

    @property
    def following(self) -> tuple[str, ...]:
        """States whose initial values follow the parameters.

        Where `state_values` holds another number, as after ``dataclasses.replace``, that counts.
        """
        values = dict(zip(self.states, self.state_values, strict=True))
        return tuple(
            name
            for name, start in self.starts.items()
            if start.value(self.param_values) == values[name]
        )

    @property
    def is_map(self) -> bool:
        """Whether the model is a map."""
        return self.kind == "map"

    @property
    def is_integer(self) -> bool:
        """Whether states and params are integers."""
        return self.dtype.startswith("int")

    @property
    def _number(self) -> Kind:
        return "int" if self.is_integer else "real"

    @cached_property
    def state_nodes(self) -> tuple[State, ...]:
        """The states as they stand in expressions."""
        return tuple(State(index, name, self._number) for index, name in enumerate(self.states))

    @cached_property
    def param_nodes(self) -> tuple[Param, ...]:
        """The parameters as they stand in expressions."""
        return tuple(Param(index, name, self._number) for index, name in enumerate(self.params))

    @cached_property
    def assigned_params(self) -> tuple[int, ...]:
        """Indices of the parameters that events change."""
        targets = (action.target for event in self.events for action in event.actions)
        return tuple(sorted({leaf.index for leaf in targets if isinstance(leaf, Param)}))

    @cached_property
    def jacobian(self) -> tuple[tuple[Node, ...], ...]:
        """The derivative of equation i by state j at ``[i][j]``; derived on first use.

        Raises
        ------
        OptionError
            The states are integers.
        TooLargeError
            There are too many entries, or deriving them is too much work.
        """
        if self.is_integer:
            raise OptionError(f"{self.name}: a map of integers has no Jacobian")
        return derived_matrix(self.name, self.equations, self.state_nodes)

    @cached_property
    def time_switches(self) -> TimeSwitches:
        """Where time alone makes the equations of a flow jump or bend."""
        return TimeSwitches() if self.is_map else time_switches(self.equations)

    @cached_property
    def model_hash(self) -> str:
        """64 hexadecimal digits that tell models apart which need different kernels.

        Covers kind, dtype, names and all expressions; not the name of the model, nor values,
        presets, default times, tags or descriptions.  The same in every process.
        """
        return fingerprint(self._kernel_parts())

    def _kernel_parts(self) -> tuple[Any, ...]:
        stop = self.stop
        return (
            self.kind,
            self.dtype,
            self.states,
            self.params,
            self.equations,
            self.inverse,
            tuple((aux.name, aux.expr) for aux in self.aux),
            tuple(_event_parts(event) for event in self.events),
            (stop.cond, stop.phase, stop.locate) if stop else None,
        )

    def to_toml(self) -> str:
        """Return a self-contained document of this model.

        It loads to an equal specification (but for the label), mods applied and values as they
        are here.  This is how models travel to other processes and into receipts.
        """
        return spec_to_toml(self)


def _event_parts(event: EventSpec) -> tuple[Any, ...]:
    return (
        event.name,
        event.cond,
        event.phase,
        event.direction,
        event.locate,
        tuple((action.target, action.expr) for action in event.actions),
        tuple((column.label, column.expr) for column in event.log),
    )
