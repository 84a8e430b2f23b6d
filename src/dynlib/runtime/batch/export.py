"""Batches as tables of other libraries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.status import Status
from dynlib.errors import MissingExtraError
from dynlib.runtime.batch.frame import BatchFrame
from dynlib.runtime.batch.table import Table

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["Variable", "attributes", "coordinates", "to_pandas", "to_xarray", "variables"]

Array = NDArray[Any]
TIME = "time"
_ENDS = ("t_final", "status", "steps", "rejected", "rows")


@dataclass(frozen=True)
class Variable:
    """A column of a batch under the name that it has in a file.

    Attributes
    ----------
    name
        Unlike that of any other variable or dimension.
    kind, column
        Where a table has it: a record (``"y"``, ``"aux"``), the end of a state (``"final"``) or
        parameter (``"param"``), or an attribute.
    dtype
        Its type.
    over_time
        Whether it has one value for each row, not only for each run.
    """

    name: str
    kind: str
    column: int
    dtype: np.dtype[Any]
    over_time: bool = False

    def values(self, table: Table) -> Array:
        """The column, shape (n_runs,) or (n_runs, rows)."""
        if self.over_time:
            return table.record(self.kind, self.column)
        if self.kind == "final":
            return table.final(self.column)
        if self.kind == "param":
            return table.param(self.column)
        values: Array = getattr(table, self.kind)
        return values

    @property
    def attrs(self) -> dict[str, Any]:
        """What a reader of the file should know about it."""
        if self.kind != "status":
            return {}
        return {
            "long_name": "how the run ended",
            "flag_values": [int(status) for status in Status],
            "flag_meanings": " ".join(status.name for status in Status),
        }


def variables(frame: BatchFrame) -> tuple[Variable, ...]:
    """All columns of a batch: the record, then the ends of the runs."""
    origin, selection = frame.origin, frame.selection
    real, dtype = np.dtype(np.float64), np.dtype(origin.dtype)
    whole = np.dtype(np.int64)
    found: list[tuple[str, str, int, np.dtype[Any], bool]] = []
    for name in selection.names:
        kind, column = selection.columns[name]
        found.append((name, kind, column, dtype if kind == "y" else real, True))
    found += [(f"final_{each}", "final", i, dtype, False) for i, each in enumerate(origin.states)]
    found += [
        (f"final_{origin.params[i]}", "param", i, dtype, False) for i in frame.changing_params
    ]
    found += [(name, name, 0, real if name == "t_final" else whole, False) for name in _ENDS]
    names = _unlike([each[0] for each in found], taken=[*frame.inputs.dims, TIME])
    return tuple(
        Variable(name, kind, column, dtype, over_time)
        for name, (_, kind, column, dtype, over_time) in zip(names, found, strict=True)
    )


def coordinates(frame: BatchFrame) -> dict[str, tuple[tuple[str, ...], Array]]:
    """Labels of a batch: axes of the grid, times, and values that differ between the runs."""
    inputs, origin = frame.inputs, frame.origin
    dims, shape = tuple(inputs.dims), tuple(inputs.dims.values())
    found: dict[str, tuple[tuple[str, ...], Array]] = {
        name: ((name,), values) for name, values in inputs.axes.items()
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
            used = [*found, *(variable.name for variable in variables(frame))]
            (label,) = _unlike([name], taken=used)
            found[label] = (dims, values.reshape(shape))
    return found


def to_xarray(frame: BatchFrame, table: Table) -> xr.Dataset:
    """A Dataset over the dimensions of the batch and ``time``."""
    try:
        import xarray as xr
    except ImportError as error:
        raise MissingExtraError("data", "to_xarray()") from error
    dims = tuple(frame.inputs.dims)
    shape = tuple(frame.inputs.dims.values())
    data = {}
    for variable in variables(frame):
        values = variable.values(table)
        if variable.over_time:
            values = values.reshape((*shape, len(frame.t)))
            data[variable.name] = ((*dims, TIME), values, variable.attrs)
        else:
            data[variable.name] = (dims, values.reshape(shape), variable.attrs)
    return xr.Dataset(data, coords=coordinates(frame), attrs=attributes(frame))


def to_pandas(frame: BatchFrame, table: Table) -> pd.DataFrame:
    """A DataFrame with a row for each run, by its place on the grid."""
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingExtraError("data", "to_pandas()") from error
    axes, index = frame.inputs.axes, pd.RangeIndex(frame.inputs.n_runs, name="run")
    if len(axes) == 1:
        index = pd.Index(next(iter(axes.values())), name=next(iter(axes)))
    elif axes:
        index = pd.MultiIndex.from_product(list(axes.values()), names=list(axes))
    columns = {
        name: values.reshape(-1)
        for name, (dims, values) in coordinates(frame).items()
        if name not in dims
    }
    columns |= {v.name: v.values(table) for v in variables(frame) if not v.over_time}
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


def _unlike(names: Iterable[str], taken: Iterable[str]) -> Iterator[str]:
    """The names, with a ``_`` behind those that something else has."""
    used = set(taken)
    for name in names:
        while name in used:
            name = f"{name}_"
        used.add(name)
        yield name
