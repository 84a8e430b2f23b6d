"""NetCDF: datasets that any program reads, and beside them what brings results back.

The root group holds time and variables, ``events/<name>`` the firings of an event, and
``dynlib/all_else`` the rest (segments, statistics, receipt) for `load_results`.  A check sum of the
whole file stands behind it: see `dynlib.runtime.seal`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from dynlib.errors import MissingExtraError, OptionError
from dynlib.runtime import export
from dynlib.runtime.files import SEALED, check_memory, from_bytes, replace_file, to_bytes
from dynlib.runtime.memory import readable_size
from dynlib.runtime.naming import in_files
from dynlib.runtime.seal import is_sealed, open_regular, reading, seal

if TYPE_CHECKING:
    import xarray as xr

    from dynlib.runtime.results import Results

__all__ = ["plain_label", "read", "write", "write_dataset", "xarray_for_files"]

Arrays = dict[str, NDArray[Any]]
_ENGINE: Literal["h5netcdf"] = "h5netcdf"
_LONGEST_TEXT = 30_000  # HDF5 keeps an attribute of at most 64 KiB
_MAGIC = b"\x89HDF\r\n\x1a\n"


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
    firings = {}
    for name, event in results.events.items():
        if len(event):
            columns = {label: ("firing", event[label]) for label in ("t", "step")}
            columns |= {plain_label(each): ("firing", event[each]) for each in event.columns}
            firings[name] = xarray.Dataset(columns)
    write_dataset(path, export.to_xarray(results), (rest, meta), firings)


def write_dataset(
    path: Path,
    table: xr.Dataset,
    rest: tuple[Arrays, Mapping[str, Any]],
    firings: Mapping[str, xr.Dataset],
) -> None:
    """Write a table, all else, and the firings of each event; sealed, and in one move."""
    arrays, meta = rest
    content = np.frombuffer(to_bytes(arrays, {**meta, SEALED: True}), dtype=np.uint8)
    if len(table.attrs["receipt"]) > _LONGEST_TEXT:
        del table.attrs["receipt"]

    def fill(new: Path) -> None:
        table.to_netcdf(new, engine=_ENGINE)
        packed = xarray_for_files().Dataset({"all_else": ("byte", content)})
        packed.to_netcdf(new, engine=_ENGINE, mode="a", group="dynlib")
        for name, group in firings.items():
            group.to_netcdf(new, engine=_ENGINE, mode="a", group=f"events/{name}")
        seal(new)

    replace_file(path, fill)


def read(path: Path, what: str, *formats: str) -> tuple[Arrays, dict[str, Any], Arrays]:
    """All else, its description, and the columns of the table that `write_dataset` wrote.

    The check sum is compared before the library of HDF5 sees the file: there are damaged files
    that it does not survive.

    Raises
    ------
    FileError
        If the file cannot be read, or holds something else.
    """
    xarray = xarray_for_files()
    with reading(path, what), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about what others may have put into the file
        with open_regular(path) as source:
            sealed = is_sealed(source)
            size = source.seek(0, 2)
            source.seek(0)
            if source.read(len(_MAGIC)) != _MAGIC:
                raise ValueError("it is no NetCDF file of version 4")
        with xarray.open_dataset(path, engine=_ENGINE, group="dynlib") as packed:
            _check_size(packed, size)
            content = packed["all_else"].to_numpy().tobytes()
        arrays, meta = from_bytes(BytesIO(content), *formats, sealed=sealed)
        with xarray.open_dataset(path, engine=_ENGINE, decode_times=False) as table:
            _check_size(table, size)
            columns = {str(n): v.to_numpy() for n, v in table.variables.items() if v.dtype != "O"}
    return arrays, {**meta, SEALED: sealed}, columns


def _check_size(dataset: xr.Dataset, size: int) -> None:
    """Refuse arrays that declare more numbers than the file has bytes for."""
    declared = sum(each.nbytes for each in dataset.variables.values() if each.dtype != "O")
    if declared > size:
        raise ValueError(
            f"it declares {readable_size(declared)} of arrays, and has {readable_size(size)}"
        )
    check_memory(declared)


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
