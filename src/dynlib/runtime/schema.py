"""What a file may hold: names, types, shapes and ranges, looked at before anything is used.

All errors are `ValueError`; who reads the file turns them into a `FileError`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from dynlib.abi.status import Status

__all__ = [
    "array",
    "check_array",
    "check_events",
    "check_observed",
    "check_origin",
    "check_selection",
    "check_statuses",
    "counters",
    "field",
    "within",
    "words",
]

Length: TypeAlias = int | None
_STATUSES = np.array([int(status) for status in Status])


def array(
    arrays: Mapping[str, NDArray[Any]], name: str, dtype: DTypeLike, shape: Sequence[Length]
) -> NDArray[Any]:
    """The array of this name, of this type and shape; None stands for any length."""
    if name not in arrays:
        raise ValueError(f"array {name!r} is missing")
    check_array(name, arrays[name], dtype, shape)
    return arrays[name]


def check_array(name: str, values: Any, dtype: DTypeLike, shape: Sequence[Length]) -> None:
    """Refuse what is no array of this type and shape."""
    if not isinstance(values, np.ndarray):
        raise ValueError(f"{name!r} is {type(values).__name__}, not an array")
    if values.dtype != np.dtype(dtype):
        raise ValueError(f"array {name!r} is of type {values.dtype}, not {np.dtype(dtype)}")
    fits = len(values.shape) == len(shape) and all(
        wanted is None or length == wanted
        for length, wanted in zip(values.shape, shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("any" if length is None else str(length) for length in shape)
        raise ValueError(f"array {name!r} has the shape {values.shape}, not ({wanted})")


def within(name: str, values: NDArray[Any], low: int, high: int | None = None) -> None:
    """Refuse whole numbers below `low` or above `high`."""
    if values.size and (values.min() < low or (high is not None and values.max() > high)):
        limits = f"from {low} on" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name!r} must be {limits}, and is {values.min()} to {values.max()}")


def check_statuses(values: NDArray[Any]) -> None:
    """Refuse numbers that are no status of a run."""
    if not np.isin(values, _STATUSES).all():
        raise ValueError(f"{np.setdiff1d(values, _STATUSES)[0]} is no status of a run")


def field(entry: Mapping[str, Any], name: str, *kinds: type) -> Any:
    """An entry of plain data, of one of these types; True and False are no numbers."""
    if name not in entry:
        raise ValueError(f"{name!r} is missing in the description")
    value = entry[name]
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise ValueError(f"{name!r} in the description is {value!r:.60}")
    return value


def words(entry: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list of texts in plain data."""
    found = field(entry, name, list)
    if not all(isinstance(each, str) for each in found):
        raise ValueError(f"{name!r} in the description must be texts, and is {found!r:.60}")
    return tuple(found)


def counters(stats: Mapping[str, Any]) -> None:
    """Refuse counters of a method that are no whole numbers; most have none."""
    found = field({"counters": {}, **stats}, "counters", dict)
    for name in found:
        field(found, name, int)


def _names(entry: Mapping[str, Any], name: str) -> list[str]:
    found: list[str] = field(entry, name, list, tuple)
    if not all(isinstance(each, str) for each in found) or len(set(found)) < len(found):
        raise ValueError(f"{name!r} in the description must be different names, and is {found!r}")
    return found


def check_origin(origin: Any) -> None:
    """Refuse what is not the description of a model and method; see `Origin.as_dict`."""
    _mapping("origin", origin)
    for name in ("name", "kind", "dtype", "stepper"):
        field(origin, name, str)
    field(origin, "jit", bool, str)
    for name in ("states", "params", "aux"):
        _names(origin, name)
    events = field(origin, "events", dict)
    for name in events:
        columns = field(events, name, list, tuple)
        if not all(isinstance(each, str) for each in columns):
            raise ValueError(f"the columns of event {name!r} are {columns!r}")
    if origin["kind"] not in ("ode", "map") or np.dtype(origin["dtype"]).kind not in "fi":
        raise ValueError(f"a model of kind {origin['kind']!r} with states {origin['dtype']!r}")
    model = field(field(origin, "facts", dict), "model", dict)
    for name in ("text", "hash"):
        field(model, name, str)


def check_selection(selection: Any, origin: Mapping[str, Any]) -> None:
    """Refuse names of columns that the model does not have; see `Selection.as_dict`."""
    _mapping("selection", selection)
    names = set(_names(selection, "names"))
    states, aux = set(_names(selection, "states")), set(_names(selection, "aux"))
    known = states <= set(origin["states"]) and aux <= set(origin["aux"])
    if not known or names != states | aux:
        raise ValueError(f"the recorded variables are {sorted(names)!r}")


def check_observed(members: Any) -> None:
    """Refuse what describes no observers; see `ObservedLayout.to_list`."""
    if not isinstance(members, list):
        raise ValueError(f"'observed' in the description is {members!r:.60}")
    for member in members:
        _mapping("observed", member)
        field(member, "name", str)
        field(member, "result_type", str)
        _names(member, "columns")
        field(member, "facts", dict)
        sizes = [field(member, "rows", int)]
        for each in field(member, "outputs", list, tuple):
            name, size = each
            sizes.append(field({"size": size}, "size", int))
            field({"output": name}, "output", str)
        if min(sizes) < 0:
            raise ValueError(f"observer {member['name']!r} has sizes below 0")


def check_events(columns: Mapping[str, NDArray[Any]], origin: Mapping[str, Any]) -> None:
    """Refuse a log of events that the model does not have: ``t``, ``step``, ``id``, ``log``."""
    logged: Iterable[Sequence[str]] = origin["events"].values()
    rows = len(columns["t"]) if columns["t"].ndim else 0
    for name, dtype in (("t", np.float64), ("step", np.int64), ("id", np.int64)):
        array(columns, name, dtype, (rows,))
    log = array(columns, "log", np.float64, (rows, None))
    if log.shape[1] < max(map(len, logged), default=0):
        raise ValueError(f"the log of events has {log.shape[1]} columns")
    within("the number of an event", columns["id"], 0, len(origin["events"]) - 1)


def _mapping(name: str, value: Any) -> None:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name!r} in the description is {value!r:.60}")
