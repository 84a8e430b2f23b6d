"""Results as NetCDF: a dataset that any program reads, and beside it what brings all back.

The root group holds time and variables, ``events/<name>`` the firings of an event, and
``dynlib/all_else`` the rest (segments, statistics, receipt) for `load_results`.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from dynlib.errors import MissingExtraError, OptionError
from dynlib.runtime import export
from dynlib.runtime.files import from_bytes, replace_file, to_bytes
from dynlib.runtime.naming import in_files

if TYPE_CHECKING:
    import xarray as xr

    from dynlib.runtime.results import Results

__all__ = ["ENGINE", "plain_label", "read", "write", "xarray_for_files"]

Arrays = dict[str, NDArray[Any]]
ENGINE: Literal["h5netcdf"] = "h5netcdf"
_LONGEST_TEXT = 30_000  # HDF5 keeps an attribute of at most 64 KiB


def write(path: Path, results: Results, arrays: Arrays, meta: Mapping[str, Any]) -> None:
    """Write a result; `arrays` and `meta` are its complete description."""
    xarray = xarray_for_files()
    if len({tuple(entry["selection"]["names"]) for entry in meta["segments"]}) > 1:
        raise OptionError(
            f"{path}: the segments recorded different variables, and .nc holds one table. "
            "Save to .npz, or each of res.segments to a file of its own."
        )
    rest = {name: value for name, value in arrays.items() if not _in_table(name)}
    for index in range(len(meta["segments"])):
        rest[f"{index}/rows"] = np.array(len(arrays[f"{index}/raw_t"]))
    content = np.frombuffer(to_bytes(rest, meta), dtype=np.uint8)
    table = export.to_xarray(results)
    if len(table.attrs["receipt"]) > _LONGEST_TEXT:
        del table.attrs["receipt"]

    def fill(new: Path) -> None:
        table.to_netcdf(new, engine=ENGINE)
        packed = xarray.Dataset({"all_else": ("byte", content)})
        packed.to_netcdf(new, engine=ENGINE, mode="a", group="dynlib")
        for name, event in results.events.items():
            if len(event):
                columns = {label: ("firing", event[label]) for label in ("t", "step")}
                columns |= {plain_label(each): ("firing", event[each]) for each in event.columns}
                group = xarray.Dataset(columns)
                group.to_netcdf(new, engine=ENGINE, mode="a", group=f"events/{name}")

    replace_file(path, fill)


def read(path: Path, format_name: str) -> tuple[Arrays, dict[str, Any]]:
    """The complete description of a result that `write` wrote."""
    xarray = xarray_for_files()
    try:
        with xarray.open_dataset(path, engine=ENGINE, group="dynlib") as packed:
            content = packed["all_else"].to_numpy().tobytes()
        arrays, meta = from_bytes(BytesIO(content), format_name)
        with xarray.open_dataset(path, engine=ENGINE, decode_times=False) as table:
            table.load()
    except FileNotFoundError as error:
        raise OptionError(f"{path}: there is no such file.") from error
    except (OSError, ValueError, KeyError) as error:
        message = f"{path}: not a result that dynlib saved, or damaged ({error})."
        raise OptionError(message) from error
    _cut(table, arrays, meta)
    return arrays, meta


def _cut(table: xr.Dataset, arrays: Arrays, meta: Mapping[str, Any]) -> None:
    """Cut the table into the record arrays of the segments."""
    t = table["time"].to_numpy().astype(np.float64)
    first = 0
    for index, entry in enumerate(meta["segments"]):
        last = first + int(arrays.pop(f"{index}/rows"))
        arrays[f"{index}/raw_t"] = t[first:last]
        for kind, names in (("y", "states"), ("aux", "aux")):
            columns = [table[export.variable(n)].to_numpy() for n in entry["selection"][names]]
            record = np.stack(columns, axis=1) if columns else np.empty((len(t), 0))
            arrays[f"{index}/raw_{kind}"] = record[first:last]
        first = last


def _in_table(name: str) -> bool:
    return name.endswith(("/raw_t", "/raw_y", "/raw_aux"))


def plain_label(label: str, fixed: tuple[str, ...] = ("t", "step")) -> str:
    """A log column's name for a file: no slashes, and never that of a fixed column."""
    return in_files(label.replace("/", "÷"), (*fixed, "firing"))


def xarray_for_files() -> Any:
    """The package xarray, if it can write NetCDF too.

    Raises
    ------
    MissingExtraError
        Otherwise.
    """
    try:
        import h5netcdf  # noqa: F401  # the engine, which xarray itself looks for too late
        import xarray
    except ImportError as error:
        raise MissingExtraError("data", "a .nc file") from error
    return xarray
