"""Batches in files: ``.npz`` always, ``.nc`` (NetCDF) with xarray."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.errors import OptionError
from dynlib.observers.kit.layout import ObservedLayout
from dynlib.runtime import schema
from dynlib.runtime.batch import export
from dynlib.runtime.batch.frame import BatchFrame
from dynlib.runtime.batch.inputs import Column, Inputs
from dynlib.runtime.batch.ranges import check_ranges
from dynlib.runtime.batch.table import BatchStats, EventLog, MemoryTable, Table
from dynlib.runtime.costs import Costs
from dynlib.runtime.fastpath.request import RawBatch
from dynlib.runtime.files import write_arrays
from dynlib.runtime.netcdf import plain_label, write_dataset, xarray_for_files
from dynlib.runtime.observed import packed
from dynlib.runtime.origin import Origin
from dynlib.runtime.recording import Selection
from dynlib.steppers import registry
from dynlib.wording import argument

__all__ = ["FORMAT", "VERSION", "describe", "frame_of", "restore", "save"]

FORMAT = "dynlib batch"
VERSION = 1
_FIRING = ("run", "t", "step")
_ENDS = ("t_final", "final_dt", "status", "steps", "rejected", "rows")
_REALS = ("t_final", "final_dt")
_LEFT_OUT = (*_ENDS, "derived")  # of the columns: they are elsewhere, or follow from others

Arrays = dict[str, NDArray[Any]]


def save(frame: BatchFrame, table: Table, stats: BatchStats, path: str | os.PathLike[str]) -> None:
    """Write a batch in the format that the suffix of `path` names."""
    target = Path(path).expanduser()
    writers: Mapping[str, Callable[[], None]] = {
        ".npz": lambda: _write_npz(target, frame, table, stats),
        ".nc": lambda: _write_netcdf(target, frame, table, stats),
    }
    suffix = target.suffix.lower()
    if suffix not in writers:
        streamed = (
            " A store for xarray is written while the batch runs: "
            f"{argument('out', 'sweep.zarr')} of batch()."
            if suffix == ".zarr"
            else ""
        )
        raise OptionError(
            f"{target}: cannot tell the format from the suffix {suffix!r}. Known: "
            f"{', '.join(writers)}.{streamed}"
        )
    if not target.parent.is_dir():
        raise OptionError(f"{target}: there is no folder {target.parent}.")
    writers[suffix]()


def restore(
    arrays: Arrays, meta: Mapping[str, Any], table: Arrays | None
) -> tuple[BatchFrame, Table, BatchStats]:
    """A batch from what `save` wrote: arrays, description and, of NetCDF, the columns.

    Raises
    ------
    Exception
        Of any kind, if they do not fit; see `dynlib.runtime.seal.reading`.
    """
    frame = frame_of(arrays, meta)
    if table is not None:
        arrays = arrays | _columns_of(table, frame)
    raw = _raw(arrays, frame)
    check_ranges(raw, frame.observed, len(frame.origin.events))
    return frame, MemoryTable(raw), _stats(meta["stats"])


def _stats(entry: Any) -> BatchStats:
    for name in ("runs", "steps", "rejected", "evaluations", "lanes", "threads", "workers"):
        schema.field(entry, name, int)
    schema.field(entry, "seconds", int, float)
    schema.counters(entry)
    return BatchStats(**entry)


# --- what a frame is as arrays and plain data -----------------------------------------------------


def describe(frame: BatchFrame) -> tuple[Arrays, dict[str, Any]]:
    """Arrays and plain data from which `frame_of` makes the frame again."""
    inputs = frame.inputs
    arrays: Arrays = {"t": frame.t}
    arrays |= {f"axis/{name}": values for name, values in inputs.axes.items()}
    columns = {
        kind: [_as_plain(arrays, f"{kind}/{i}", column) for i, column in enumerate(given)]
        for kind, given in (("y0", inputs.y0), ("p", inputs.p))
    }
    meta = {
        "format": FORMAT,
        "version": VERSION,
        "origin": frame.origin.as_dict(),
        "selection": frame.selection.as_dict(),
        "runs": inputs.n_runs,
        "axes": list(inputs.axes),
        "inputs": columns,
        "call": frame.arguments,
        "t0": frame.t0,
        "plan": frame.plan,
        "observed": frame.observed.to_list(),
        "observers": list(frame.observers),
    }
    if frame.costs.noted or frame.origin.stepper not in registry.OWN_NAMES:
        meta["costs"] = frame.costs.as_dict()
    return arrays, meta


def frame_of(arrays: Arrays, meta: Mapping[str, Any]) -> BatchFrame:
    """The frame that `describe` described.

    Raises
    ------
    ValueError
        If shapes, types or names do not fit.
    """
    _check_frame(arrays, meta)
    axes = {name: arrays[f"axis/{name}"] for name in meta["axes"]}
    y0, p = (_columns(arrays, kind, meta["inputs"][kind]) for kind in ("y0", "p"))
    return BatchFrame(
        origin=Origin.from_dict(meta["origin"]),
        inputs=Inputs(meta["runs"], y0, p, axes),
        t=arrays["t"],
        selection=Selection.from_dict(meta["selection"]),
        call=meta["call"],
        t0=meta["t0"],
        plan=meta["plan"],
        observed=ObservedLayout.from_list(meta.get("observed", [])),
        observers=tuple(meta.get("observers", ())),
        costs=_costs(meta),
    )


def _costs(meta: Mapping[str, Any]) -> Costs:
    """What attempts cost: a file says it where the method may not be known."""
    if "costs" not in meta:
        return Costs.of(registry.get(meta["origin"]["stepper"]))
    data = schema.field(meta, "costs", dict)
    names = [schema.words(data, name) for name in ("counters", "failures")]
    return Costs(schema.field(data, "evaluations", int), *names)


def _check_frame(arrays: Arrays, meta: Mapping[str, Any]) -> None:
    """Refuse what does not fit the model, the grid and the number of runs."""
    origin = meta["origin"]
    schema.check_origin(origin)
    schema.check_selection(meta["selection"], origin)
    schema.check_observed(meta.get("observed", []))
    for name, kind in (("call", dict), ("plan", str), ("axes", list), ("runs", int)):
        schema.field(meta, name, kind)
    schema.field(meta, "t0", int, float)
    n, is_map = meta["runs"], origin["kind"] == "map"
    schema.array(arrays, "t", np.int64 if is_map else np.float64, (None,))
    size = 1
    for name in meta["axes"]:
        axis = arrays[f"axis/{name}"]
        schema.check_array(f"axis/{name}", axis, axis.dtype, (None,))
        size *= len(axis)
    if n < 0 or (meta["axes"] and size != n):
        raise ValueError(f"a grid of {size} runs holds {n} of them")
    for which, names in (("y0", origin["states"]), ("p", origin["params"])):
        columns = schema.field(meta["inputs"], which, list)
        if len(columns) != len(names):
            raise ValueError(f"{len(columns)} columns of {which!r} for {len(names)} names")
        for index, value in enumerate(columns):
            if value is None:
                schema.array(arrays, f"{which}/{index}", origin["dtype"], (n,))
            else:
                schema.field({which: value}, which, int, float)
    for each in schema.field({"observers": [], **meta}, "observers", list):
        schema.field(each, "name", str)


def _as_plain(arrays: Arrays, name: str, column: Column) -> float | int | None:
    """A number, or None where a vector was put into `arrays`."""
    if isinstance(column, np.ndarray):
        arrays[name] = column
        return None
    return column


def _columns(arrays: Arrays, kind: str, plain: Sequence[Any]) -> tuple[Column, ...]:
    return tuple(arrays[f"{kind}/{i}"] if value is None else value for i, value in enumerate(plain))


# --- what a table is as arrays --------------------------------------------------------------------


def _pack(frame: BatchFrame, table: Table, stats: BatchStats) -> tuple[Arrays, dict[str, Any]]:
    arrays, meta = describe(frame)
    arrays |= {name: np.asarray(getattr(table, name)) for name in _ENDS}
    arrays |= {f"event/{name}": column for name, column in table.events()._asdict().items()}
    return arrays, meta | {"stats": asdict(stats)}


def _write_npz(target: Path, frame: BatchFrame, table: Table, stats: BatchStats) -> None:
    arrays, meta = _pack(frame, table, stats)
    for variable, values in export.filled(frame, table):
        if variable.kind not in _LEFT_OUT:
            arrays[_column_name(variable)] = values
    write_arrays(target, arrays, meta)


def _raw(arrays: Arrays, frame: BatchFrame) -> RawBatch:
    """The columns, side by side again."""
    n, rows = frame.inputs.n_runs, len(frame.t)
    dtype, selection = np.dtype(frame.origin.dtype), frame.selection
    for variable in export.variables(frame):
        if variable.kind not in _LEFT_OUT:
            _check_column(arrays, variable, n)
    y_final = np.empty((len(frame.origin.states), n), dtype=dtype)
    rec_y = np.empty((n, rows, len(selection.states)), dtype=dtype)
    rec_aux = np.empty((n, rows, len(selection.aux)))
    for index in range(len(y_final)):
        y_final[index] = arrays[f"final/{index}/values"]
    for kind, record in (("y", rec_y), ("aux", rec_aux)):
        for column in range(record.shape[2]):
            record[:, :, column] = arrays[f"{kind}/{column}/values"]
    p_final = {index: arrays[f"param/{index}/values"] for index in frame.changing_params}
    tallies = [arrays[f"tally/{i}/values"] for i in range(len(frame.costs.columns))]
    rest: dict[str, Any] = {"p_final": p_final}
    rest["tallies"] = np.array(tallies, dtype=np.int64).reshape(len(tallies), n)
    arrays.setdefault("final_dt", np.full(n, np.nan))  # older files do not have it
    for name in _ENDS:
        rest[name] = schema.array(arrays, name, "f8" if name in _REALS else "i8", (n,))
    events = {name: arrays[f"event/{name}"] for name in EventLog._fields}
    schema.check_events(events, frame.origin.as_dict())
    rest |= {f"evt_{name}": values for name, values in events.items()}
    observed = packed(frame.observed, n, lambda i: arrays[f"observed/{i}/values"])
    rest |= dict(zip(("outputs", "traces", "trace_rows"), observed, strict=True))
    return RawBatch(
        y_final=y_final, rec_t=frame.t.astype(np.float64), rec_y=rec_y, rec_aux=rec_aux, **rest
    )


def _column_name(variable: export.Variable) -> str:
    return f"{variable.kind}/{variable.column}/values"


def _check_column(arrays: Arrays, variable: export.Variable, n_runs: int) -> None:
    name = _column_name(variable)
    schema.array(arrays, name, variable.dtype, (n_runs, *variable.tail_shape))


# --- NetCDF ---------------------------------------------------------------------------------------


def _write_netcdf(target: Path, frame: BatchFrame, table: Table, stats: BatchStats) -> None:
    """Write a dataset that any program reads, and beside it what brings all back."""
    xarray = xarray_for_files()
    events = table.events()
    firings = {}
    for index, (name, labels) in enumerate(frame.origin.events.items()):
        fired = events.id == index
        if not fired.any():
            continue
        columns = {label: ("firing", getattr(events, label)[fired]) for label in _FIRING} | {
            plain_label(label, _FIRING): ("firing", events.log[fired, column])
            for column, label in enumerate(labels)
        }
        firings[name] = xarray.Dataset(columns)
    write_dataset(target, export.to_xarray(frame, table), _pack(frame, table, stats), firings)


def _columns_of(table: Arrays, frame: BatchFrame) -> Arrays:
    """The columns in a dataset, with the runs first."""
    found = {}
    for variable in export.variables(frame):
        if variable.kind not in _LEFT_OUT:
            shape = (frame.inputs.n_runs, *variable.tail_shape)
            found[_column_name(variable)] = table[variable.name].reshape(shape)
    return found
