"""Batches in files: ``.npz`` always, ``.nc`` (NetCDF) with xarray."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.errors import OptionError
from dynlib.observers.layout import ObservedLayout
from dynlib.runtime.batch import export
from dynlib.runtime.batch.frame import BatchFrame
from dynlib.runtime.batch.inputs import Column, Inputs
from dynlib.runtime.batch.table import BatchStats, EventLog, MemoryTable, Table
from dynlib.runtime.fastpath.request import RawBatch
from dynlib.runtime.files import from_bytes, read_arrays, replace_file, to_bytes, write_arrays
from dynlib.runtime.netcdf import ENGINE, plain_label, xarray_for_files
from dynlib.runtime.observed import packed
from dynlib.runtime.origin import Origin
from dynlib.runtime.recording import Selection

__all__ = ["FORMAT", "describe", "frame_of", "load", "save"]

FORMAT = "dynlib batch"
_VERSION = 1
_LONGEST_TEXT = 30_000  # HDF5 keeps an attribute of at most 64 KiB
_FIRING = ("run", "t", "step")
_ENDS = ("t_final", "final_dt", "status", "steps", "rejected", "rows")
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
            " A store for xarray is written while the batch runs: batch(..., out='sweep.zarr')."
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


def load(path: Path) -> tuple[BatchFrame, Table, BatchStats]:
    """Read what `save` wrote.

    Raises
    ------
    OptionError
        If the file is no batch, damaged, or of a newer format.
    """
    if path.suffix.lower() == ".nc":
        arrays, meta = _read_netcdf(path)
    else:
        arrays, meta = read_arrays(path, "batch that dynlib saved", FORMAT)
    if meta["version"] > _VERSION:
        raise OptionError(
            f"{path}: format {meta['version']} comes from a newer dynlib; this one reads up to "
            f"{_VERSION}. Upgrade dynlib to read it."
        )
    try:
        frame = frame_of(arrays, meta)
        table = MemoryTable(_raw(arrays, frame))
        return frame, table, BatchStats(**meta["stats"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise OptionError(f"{path}: a batch, but damaged ({error!r}).") from error


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
        "version": _VERSION,
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
    return arrays, meta


def frame_of(arrays: Arrays, meta: Mapping[str, Any]) -> BatchFrame:
    """The frame that `describe` described."""
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
    )


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
            arrays[f"{variable.kind}/{variable.column}/values"] = values
    write_arrays(target, arrays, meta)


def _raw(arrays: Arrays, frame: BatchFrame) -> RawBatch:
    """The columns, side by side again."""
    n, rows = frame.inputs.n_runs, len(frame.t)
    dtype, selection = np.dtype(frame.origin.dtype), frame.selection
    y_final = np.empty((len(frame.origin.states), n), dtype=dtype)
    rec_y = np.empty((n, rows, len(selection.states)), dtype=dtype)
    rec_aux = np.empty((n, rows, len(selection.aux)))
    for index in range(len(y_final)):
        y_final[index] = arrays[f"final/{index}/values"]
    for kind, record in (("y", rec_y), ("aux", rec_aux)):
        for column in range(record.shape[2]):
            record[:, :, column] = arrays[f"{kind}/{column}/values"]
    p_final = {index: arrays[f"param/{index}/values"] for index in frame.changing_params}
    rest: dict[str, Any] = {"p_final": p_final}
    arrays.setdefault("final_dt", np.full(n, np.nan))  # older files do not have it
    rest |= {name: arrays[name] for name in _ENDS}
    rest |= {f"evt_{name}": arrays[f"event/{name}"] for name in EventLog._fields}
    observed = packed(frame.observed, n, lambda i: arrays[f"observed/{i}/values"])
    rest |= dict(zip(("outputs", "traces", "trace_rows"), observed, strict=True))
    return RawBatch(
        y_final=y_final, rec_t=frame.t.astype(np.float64), rec_y=rec_y, rec_aux=rec_aux, **rest
    )


# --- NetCDF ---------------------------------------------------------------------------------------


def _write_netcdf(target: Path, frame: BatchFrame, table: Table, stats: BatchStats) -> None:
    """Write a dataset that any program reads, and beside it what brings all back."""
    xarray = xarray_for_files()
    content = np.frombuffer(to_bytes(*_pack(frame, table, stats)), dtype=np.uint8)
    dataset = export.to_xarray(frame, table)
    if len(dataset.attrs["receipt"]) > _LONGEST_TEXT:
        del dataset.attrs["receipt"]
    events = table.events()

    def fill(new: Path) -> None:
        dataset.to_netcdf(new, engine=ENGINE)
        packed = xarray.Dataset({"all_else": ("byte", content)})
        packed.to_netcdf(new, engine=ENGINE, mode="a", group="dynlib")
        for index, (name, labels) in enumerate(frame.origin.events.items()):
            fired = events.id == index
            if not fired.any():
                continue
            columns = {label: ("firing", getattr(events, label)[fired]) for label in _FIRING} | {
                plain_label(label, _FIRING): ("firing", events.log[fired, column])
                for column, label in enumerate(labels)
            }
            group = xarray.Dataset(columns)
            group.to_netcdf(new, engine=ENGINE, mode="a", group=f"events/{name}")

    replace_file(target, fill)


def _read_netcdf(path: Path) -> tuple[Arrays, dict[str, Any]]:
    xarray = xarray_for_files()
    try:
        with xarray.open_dataset(path, engine=ENGINE, group="dynlib") as packed:
            content = packed["all_else"].to_numpy().tobytes()
        arrays, meta = from_bytes(BytesIO(content), FORMAT)
        with xarray.open_dataset(path, engine=ENGINE, decode_times=False) as dataset:
            dataset.load()
        frame = frame_of(arrays, meta)
        for variable in export.variables(frame):
            if variable.kind not in _LEFT_OUT:
                values = dataset[variable.name].to_numpy()
                shape = (frame.inputs.n_runs, *variable.tail_shape)
                arrays[f"{variable.kind}/{variable.column}/values"] = values.reshape(shape)
    except FileNotFoundError as error:
        raise OptionError(f"{path}: there is no such file.") from error
    except (OSError, ValueError, KeyError) as error:
        raise OptionError(
            f"{path}: not a batch that dynlib saved, or damaged ({error})."
        ) from error
    return arrays, meta
