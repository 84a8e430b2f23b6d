"""Batches as tables of other libraries."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.status import Status
from dynlib.errors import MissingExtraError
from dynlib.observers.kit.result import ObserverResult
from dynlib.runtime.batch.frame import BatchFrame
from dynlib.runtime.batch.table import Table
from dynlib.runtime.naming import TIME, in_files, unlike
from dynlib.runtime.observation import build_observer_metadata
from dynlib.runtime.observed import (
    ObservedVariable,
    derived_variables,
    observed_variables,
    renamed_dims,
)

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = [
    "Variable",
    "attributes",
    "coordinates",
    "dimensions",
    "filled",
    "to_pandas",
    "to_xarray",
    "variables",
]

Array = NDArray[Any]
_REAL = ("t_final", "final_dt")
_ENDS = ("t_final", "final_dt", "status", "steps", "rejected", "rows")


@dataclass(frozen=True)
class Variable:
    """A column of a batch under the name that it has in a file.

    Attributes
    ----------
    name
        Unlike that of any other variable or dimension.
    kind, column
        Where a table has it: a record (``"y"``, ``"aux"``), the end of a state (``"final"``) or
        parameter (``"param"``), what attempts said (``"tally"``), what an observer found
        (``"observed"``), what follows from that (``"derived"``; it is for readers of the file
        alone), or an attribute.
    dtype
        Its type.
    tail
        Names and lengths of its dimensions, after those of the batch.
    observed
        What of an observer it is.
    """

    name: str
    kind: str
    column: int
    dtype: np.dtype[Any]
    tail: tuple[tuple[str, int], ...] = ()
    observed: ObservedVariable | None = None

    @property
    def tail_dims(self) -> tuple[str, ...]:
        """Names of its dimensions, after those of the batch."""
        return tuple(name for name, _ in self.tail)

    @property
    def tail_shape(self) -> tuple[int, ...]:
        """Lengths of them."""
        return tuple(length for _, length in self.tail)

    def values(self, table: Table, found: Mapping[str, ObserverResult]) -> Array:
        """The column, shape (n_runs, ...); `found` is what observers found."""
        if self.observed is not None:
            return self.observed.values(found)
        if self.kind in ("y", "aux"):
            return table.record(self.kind, self.column)
        if self.kind == "final":
            return table.final(self.column)
        if self.kind == "param":
            return table.param(self.column)
        if self.kind == "tally":
            return table.tally(self.column)
        values: Array = getattr(table, self.kind)
        return values

    @property
    def attrs(self) -> dict[str, Any]:
        """What a reader of the file should know about it."""
        if self.observed is not None:
            return dict(self.observed.attrs)
        if self.kind != "status":
            return {}
        return {
            "long_name": "how the run ended",
            "flag_values": [int(status) for status in Status],
            "flag_meanings": " ".join(status.name for status in Status),
        }


def dimensions(frame: BatchFrame) -> dict[str, int]:
    """Dimensions of a batch as they are called in datasets and files."""
    return {in_files(name): length for name, length in frame.inputs.dims.items()}


def variables(frame: BatchFrame) -> tuple[Variable, ...]:
    """All columns of a batch: the record, the ends of the runs, what observers found."""
    origin, selection = frame.origin, frame.selection
    real, dtype = np.dtype(np.float64), np.dtype(origin.dtype)
    whole = np.dtype(np.int64)
    time = ((TIME, len(frame.t)),)
    found = []
    for name in selection.names:
        kind, column = selection.columns[name]
        found.append(Variable(in_files(name), kind, column, dtype if kind == "y" else real, time))
    found += [Variable(f"final_{s}", "final", i, dtype) for i, s in enumerate(origin.states)]
    found += [
        Variable(f"final_{origin.params[i]}", "param", i, dtype) for i in frame.changing_params
    ]
    found += [Variable(name, name, 0, real if name in _REAL else whole) for name in _ENDS]
    found += [Variable(name, "tally", i, whole) for i, name in enumerate(frame.costs.columns)]
    found += [
        Variable(each.name, "observed", i, whole if each.is_whole else real, each.dims, each)
        for i, each in enumerate(observed_variables(frame.observed.members))
    ]
    found += [
        Variable(each.name, "derived", i, real, each.dims, each)
        for i, each in enumerate(derived_variables(frame.observed.members))
    ]
    taken = (*dimensions(frame), TIME)
    names = unlike([each.name for each in found], taken)
    dims = renamed_dims((v.observed for v in found if v.observed is not None), (*names, *taken))
    return tuple(
        replace(each, name=name, tail=tuple((dims.get(d, d), length) for d, length in each.tail))
        for each, name in zip(found, names, strict=True)
    )


def filled(frame: BatchFrame, table: Table) -> Iterator[tuple[Variable, Array]]:
    """All columns with their values, shape (n_runs, ...) each."""
    found = build_observer_metadata(frame.observed, *table.observed())
    for variable in variables(frame):
        yield variable, variable.values(table, found)


def coordinates(frame: BatchFrame) -> dict[str, tuple[tuple[str, ...], Array]]:
    """Labels of a batch: axes of the grid, times, and values that differ between the runs."""
    inputs, origin = frame.inputs, frame.origin
    dims, shape = tuple(dimensions(frame)), tuple(inputs.dims.values())
    found: dict[str, tuple[tuple[str, ...], Array]] = {
        in_files(name): ((in_files(name),), values) for name, values in inputs.axes.items()
    }
    if not inputs.axes:
        found[dims[0]] = (dims, np.arange(inputs.n_runs))
    found[TIME] = ((TIME,), frame.t)
    starts = {
        **dict(zip(origin.params, inputs.p, strict=True)),
        **{f"initial_{n}": v for n, v in zip(origin.states, inputs.y0, strict=True)},
    }
    for name, values in starts.items():
        axis = name.removeprefix("initial_") if name not in origin.params else name
        if isinstance(values, np.ndarray) and axis not in inputs.axes:
            there = variables(frame)
            used = [*found, *(v.name for v in there), *(d for v in there for d in v.tail_dims)]
            (label,) = unlike([in_files(name)], used)
            found[label] = (dims, values.reshape(shape))
    return found


def labels(frame: BatchFrame) -> dict[str, tuple[str, list[str]]]:
    """Names along dimensions of observers, as coordinates; Zarr keeps no text in arrays."""
    found: dict[str, tuple[str, list[str]]] = {}
    for each in variables(frame):
        if each.observed is not None and each.observed.labels:
            dim = each.tail_dims[-1]
            found[dim] = (dim, list(each.observed.labels))
    return found


def to_xarray(frame: BatchFrame, table: Table) -> xr.Dataset:
    """A Dataset over the dimensions of the batch, ``time``, and those of observers."""
    try:
        import xarray as xr
    except ImportError as error:
        raise MissingExtraError("data", "to_xarray()") from error
    dims = tuple(dimensions(frame))
    shape = tuple(frame.inputs.dims.values())
    data = {}
    for variable, values in filled(frame, table):
        placed = values.reshape((*shape, *variable.tail_shape))
        data[variable.name] = ((*dims, *variable.tail_dims), placed, variable.attrs)
    coords = coordinates(frame) | labels(frame)
    return xr.Dataset(data, coords=coords, attrs=attributes(frame))


def to_pandas(frame: BatchFrame, table: Table) -> pd.DataFrame:
    """A DataFrame with a row for each run, by its place on the grid."""
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingExtraError("data", "to_pandas()") from error
    axes, index = frame.inputs.axes, pd.RangeIndex(frame.inputs.n_runs, name="run")
    if len(axes) == 1:
        index = pd.Index(next(iter(axes.values())), name=next(iter(dimensions(frame))))
    elif axes:
        index = pd.MultiIndex.from_product(list(axes.values()), names=list(dimensions(frame)))
    columns = {
        name: values.reshape(-1)
        for name, (dims, values) in coordinates(frame).items()
        if name not in dims
    }
    for variable, values in filled(frame, table):
        if not variable.tail:
            columns[variable.name] = values
        elif variable.observed is not None and not variable.observed.is_trace:
            names = unlike(replace(variable.observed, name=variable.name).entries, columns)
            columns |= {name: values[:, i] for i, name in enumerate(names)}
    result = pd.DataFrame(columns, index=index)
    result.attrs = attributes(frame)
    return result


def attributes(frame: BatchFrame) -> dict[str, Any]:
    """What all runs share, as text and numbers, which every file format can hold."""
    origin, inputs = frame.origin, frame.inputs
    model = origin.facts["model"]
    columns = zip((*origin.params, *origin.states), (*inputs.p, *inputs.y0), strict=True)
    shared = {name: value for name, value in columns if not isinstance(value, np.ndarray)}
    return {
        "format": "dynlib batch",
        "model": origin.name,
        "model_hash": model["hash"],
        "kind": origin.kind,
        "stepper": origin.stepper,
        "plan": frame.plan,
        "shared_values": json.dumps(shared),
        "receipt": json.dumps(frame.receipt),
    }
