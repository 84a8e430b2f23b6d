"""Numbers of a model: constants, initial values, parameters, presets.

An initial value may be an expression of parameters (`dynlib.dsl.starts`); here it becomes the
number that it is at the parameters of the document.

Values of states are finite.  A parameter may be infinite where the document says ``inf`` itself (a
switching time that never comes, say), never as the outcome of an expression.  NaN is no value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite, isnan
from typing import Any

from dynlib.dsl.binding import parse_piece, read
from dynlib.dsl.blocks import formula
from dynlib.dsl.document import Item
from dynlib.dsl.expr import ExprError, Kind, Node, Num, Param, Scope, evaluate
from dynlib.dsl.frozen import FrozenMap
from dynlib.dsl.issues import Issues
from dynlib.dsl.raw import RawModel
from dynlib.dsl.spec import Preset
from dynlib.dsl.starts import StartSpec
from dynlib.suggest import did_you_mean

Number = float | int
_LARGEST = {"float64": 1.7976931348623157e308, "float32": 3.4028234663852886e38}
_BITS = {"int64": 63, "int32": 31}


@dataclass(frozen=True)
class Reader:
    """Reads numbers of one model.

    Parameters
    ----------
    dtype : str
        What the numbers have to fit into.
    scope : Scope
        Names that numeric expressions may use.
    known : mapping of Node to number
        Values of the parameters among them.
    """

    dtype: str
    scope: Scope
    known: Mapping[Node, Number] = field(default_factory=dict)

    @property
    def integer(self) -> bool:
        """Whether the model is one of integers."""
        return self.dtype in _BITS

    def amount(self, item: Item, issues: Issues, *, infinite: bool = False) -> Number | None:
        """Return the number of an entry that fits the dtype; None after noting a problem."""
        value = self.number(item, issues, infinite=infinite)
        if value is None:
            return None
        problem = self._misfit(value)
        if problem is not None:
            issues.append(item.issue(*problem))
            return None
        return int(value) if self.integer else float(value)

    def number(self, item: Item, issues: Issues, *, infinite: bool = False) -> Number | None:
        """Return the number of an entry as it is."""
        if not isinstance(item.value, str):
            value: Any = item.value
        else:
            value = self._evaluate(item, issues)
            if value is None:
                return None
        if isinstance(value, bool):
            issues.append(item.issue("this is true or false, not a number"))
            return None
        literal = infinite and not isinstance(item.value, str)
        if isinstance(value, float) and not isfinite(value) and (isnan(value) or not literal):
            issues.append(item.issue(*_not_finite(item, value)))
            return None
        result: Number = value
        return result

    def _evaluate(self, item: Item, issues: Issues) -> Any:
        node = read(formula(item), self.scope, None, issues)
        if node is None:
            return None
        if isinstance(node, Num):
            return node.value
        try:
            return evaluate(node, self.known, issues.work.spend)
        except ExprError as error:
            issues.append(item.issue(error.message, error.hint))
            return None

    def _misfit(self, value: Number) -> tuple[str, str] | None:
        if self.integer:
            least = -(1 << _BITS[self.dtype])
            if not least <= value < -least:
                return f"the number does not fit into {self.dtype}", (
                    f"Numbers from {least} to {-least - 1} fit."
                )
            if isinstance(value, float):
                hint = f"Write {int(value)}." if value.is_integer() else ""
                return f"{value!r} is not a whole number, but dtype is {self.dtype}", (
                    hint or 'Round it, or set dtype = "float64".'
                )
            return None
        largest = _LARGEST[self.dtype]
        if abs(value) > largest and not (isinstance(value, float) and not isfinite(value)):
            return f"the number is too large for {self.dtype}", f"At most {largest:.4g} fits."
        return None


def _not_finite(item: Item, value: float) -> tuple[str, str]:
    if isinstance(item.value, str):
        hint = "Is there a division by zero, or a number beyond 1.8e308?"
        if isnan(value):
            hint = "Is there 0/0, or a logarithm, root or power of a negative number?"
        return f"the expression gives {value}, not a finite number", hint
    return f"{value} is no value here", "Write a finite number."


def read_constants(model: RawModel, dtype: str, issues: Issues) -> dict[str, Number | None]:
    """Return the constants in order, each computed from earlier ones; None for broken ones."""
    values: dict[str, Number | None] = {}
    broken: set[str] = set()
    scope = replace(numeric_scope(model, {}), poisoned=broken)
    reader = Reader(dtype, scope)
    for name, entry in model.constants.items():
        if isinstance(entry.value, str) and _uses_later(entry, model.constants, values, issues):
            values[name] = None
        else:
            value = reader.number(entry, issues)
            values[name] = _literal(entry, value, dtype, issues) if value is not None else None
        found = values[name]
        if found is None:
            broken.add(name)
        else:
            scope.declare(name, Num(found))
    return values


def _literal(entry: Item, value: Number, dtype: str, issues: Issues) -> Number | None:
    """Return a constant as it stands in expressions: an int only where an int can hold it."""
    if abs(value) > _LARGEST["float64"]:
        hint = f"At most {_LARGEST['float64']:.4g} is allowed."
        issues.append(entry.issue("the number is too large", hint))
        return None
    return float(value) if dtype not in _BITS and abs(value) >= 1 << 63 else value


def _uses_later(
    entry: Item, constants: Mapping[str, Item], values: Mapping[str, Any], issues: Issues
) -> bool:
    """Note the constants in an expression that have no value yet."""
    piece = formula(entry)
    parsed = parse_piece(piece, Issues(issues.work))
    found = False
    for name, (start, end) in (parsed.names if parsed is not None else {}).items():
        if name in constants and name not in values:
            what = "itself" if name == entry.key else f"{name!r}, which is declared later"
            hint = "A constant may use those declared above it."
            issues.append(piece.issue(f"{entry.key!r} uses {what}", hint, start, end))
            found = True
    return found


def numeric_scope(model: RawModel, constants: Mapping[str, Number | None]) -> Scope:
    """Return the names that numeric expressions may use."""
    return Scope(
        kind="numeric",
        states=tuple(model.states),
        params=tuple(model.params),
        constants={name: value for name, value in constants.items() if value is not None},
        poisoned=frozenset(name for name, value in constants.items() if value is None),
    )


@dataclass(frozen=True)
class Values:
    """All numbers of a model, and the scope in which its expressions are read."""

    dtype: str
    scope: Scope
    constants: dict[str, Number]
    starts: dict[str, StartSpec]
    states: tuple[Number, ...]
    params: tuple[Number, ...]
    presets: dict[str, Preset]


def read_values(model: RawModel, issues: Issues) -> Values:
    """Return the numbers of a model; wrong ones are noted and left out."""
    dtype = _dtype(model, issues)
    found = read_constants(model, dtype, issues)
    reader = Reader(dtype, numeric_scope(model, found))
    params = [reader.amount(entry, issues, infinite=True) for entry in model.params.values()]
    starting, starts = _starting(model, reader, params), {}
    states = []
    for name, entry in model.states.items():
        used = _names_beyond(entry, model)
        states.append((starting if used else reader).amount(entry, issues))
        if used and states[-1] is not None:
            expr = read(formula(entry), starting.scope, None, issues)
            assert expr is not None
            starts[name] = StartSpec(expr, formula(entry).tidy)
    constants = {name: value for name, value in found.items() if value is not None}
    scope = Scope(
        kind="map" if model.kind == "map" else "ode",
        states=tuple(model.states),
        params=tuple(model.params),
        constants=constants,
        integer=reader.integer,
        lags=True,
        edges=True,
        poisoned=frozenset(found) - frozenset(constants),
    )
    return Values(
        dtype,
        scope,
        constants,
        starts,
        tuple(value for value in states if value is not None),
        tuple(value for value in params if value is not None),
        _read_presets(model, reader, issues),
    )


def _names_beyond(entry: Item, model: RawModel) -> set[str]:
    """Names in an initial value that are no constants: of parameters, or wrong."""
    if not isinstance(entry.value, str):
        return set()
    parsed = parse_piece(formula(entry), Issues())
    constants = {"pi", "e", *model.constants} - set(model.params)
    return set(parsed.names) - constants if parsed is not None else set()


def _starting(model: RawModel, reader: Reader, params: Sequence[Number | None]) -> Reader:
    """The reader of initial values that are expressions with parameters."""
    kind: Kind = "int" if reader.integer else "real"
    nodes = {name: Param(i, name, kind) for i, name in enumerate(model.params)}
    broken = {name for name, value in zip(model.params, params, strict=True) if value is None}
    known: dict[Node, Number] = {
        node: value for node, value in zip(nodes.values(), params, strict=True) if value is not None
    }
    names = {name: node for name, node in nodes.items() if name not in broken}
    poisoned = reader.scope.poisoned | broken
    scope = replace(reader.scope, names=names, integer=reader.integer, poisoned=poisoned)
    return Reader(reader.dtype, scope, known)


def _dtype(model: RawModel, issues: Issues) -> str:
    dtype = model.head.get("dtype", "float64")
    if model.kind == "ode" and dtype in _BITS:
        entry = model.root.value["model"].value["dtype"]
        issues.append(
            entry.issue(
                f"a flow cannot have dtype {dtype}",
                'Only maps have integer states. Write "float64" or "float32".',
            )
        )
        return "float64"
    return dtype


def _read_presets(model: RawModel, reader: Reader, issues: Issues) -> dict[str, Preset]:
    presets = {}
    for name, raw in model.presets.items():
        params = _read_named(raw.params, model.params, "param", reader, issues)
        states = _read_named(raw.states, model.states, "state", reader, issues)
        presets[name] = Preset(FrozenMap(params), FrozenMap(states))
    return presets


def _read_named(
    entries: Mapping[str, Item],
    known: Mapping[str, Item],
    what: str,
    reader: Reader,
    issues: Issues,
) -> dict[str, Number]:
    values = {}
    for name, entry in entries.items():
        if name not in known:
            hint = f"Known: {', '.join(known)}.{did_you_mean(name, known)}"
            issues.append(entry.key_issue(f"unknown {what} {name!r}", hint))
            continue
        value = reader.amount(entry, issues, infinite=what == "param")
        if value is not None:
            values[name] = value
    return values
