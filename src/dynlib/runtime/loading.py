"""Read back what was saved: a run, or a batch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from dynlib.errors import FileError, OptionError
from dynlib.runtime import netcdf, results_io
from dynlib.runtime.batch import files
from dynlib.runtime.batch.results import BatchResults
from dynlib.runtime.batch.stored import open_store, store_problems
from dynlib.runtime.files import SEALED, read_arrays
from dynlib.runtime.results import Results
from dynlib.runtime.schema import field
from dynlib.runtime.seal import reading

__all__ = ["check_results", "load_results"]

_WHAT = "result that dynlib saved"
_NEWEST = {results_io.FORMAT: results_io.VERSION, files.FORMAT: files.VERSION}
Arrays = dict[str, NDArray[Any]]


def load_results(path: str | os.PathLike[str]) -> Results | BatchResults:
    """Read a result that `Results.save` or `BatchResults.save` wrote (``.npz`` or ``.nc``).

    A Zarr store that ``batch(..., out=...)`` fills can be opened too, finished or not; its
    numbers are read, and compared with their check sums, when they are asked for.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    Results or BatchResults
        As it was saved.

    Raises
    ------
    FileError
        If the file is no such result, or damaged; it says what was found, where, and what to do.

    Examples
    --------
    >>> from dynlib import setup
    >>> setup("builtin://map/logistic", jit=False).run(N=10).save("orbit.npz")
    >>> load_results("orbit.npz").t[-1]
    np.int64(10)
    """
    source = Path(path).expanduser()
    if os.path.isdir(source):  # False for names that no file can have
        return BatchResults(*open_store(source))
    if source.suffix.lower() == ".csv" and os.path.exists(source):
        raise OptionError(
            f"{source}: a .csv holds the numbers only, for other programs. What is to be loaded "
            "again is saved as .npz or .nc."
        )
    with reading(source, _WHAT):
        arrays, meta, table = _content(source)
        _check_version(source, meta)
        found = (
            BatchResults(*files.restore(arrays, meta, table))
            if meta["format"] == files.FORMAT
            else Results(*results_io.restore(arrays, meta, table))
        )
        if not meta.get(SEALED):
            _look_at(found)
    return found


def _look_at(found: Results | BatchResults) -> None:
    """See what no check sum vouches for, while we know which file it comes from."""
    repr(found)
    for observed in found.observers.values():
        repr(observed)
    if isinstance(found, BatchResults) and len(found):
        repr(found[0])


def check_results(path: str | os.PathLike[str]) -> list[FileError]:
    """Read all of a result or store, and say what is wrong with it.

    Parameters
    ----------
    path : str or path
        What `load_results` takes.

    Returns
    -------
    list of FileError
        One for a file, one for each damaged part of a store; none if all is as it was saved.

    Examples
    --------
    >>> from dynlib import setup
    >>> setup("builtin://map/logistic", jit=False).run(N=10).save("orbit.npz")
    >>> check_results("orbit.npz")
    []
    """
    source = Path(path).expanduser()
    try:
        found = store_problems(source) if os.path.isdir(source) else []
        if not found:
            load_results(source)
    except FileError as error:
        return [error]
    return found


def _content(path: Path) -> tuple[Arrays, dict[str, Any], Arrays | None]:
    """Arrays, description and, of NetCDF, the columns of the table."""
    if path.suffix.lower() == ".nc":
        return netcdf.read(path, _WHAT, *_NEWEST)
    return *read_arrays(path, _WHAT, *_NEWEST), None


def _check_version(path: Path, meta: dict[str, Any]) -> None:
    newest = _NEWEST[meta["format"]]
    if field(meta, "version", int) > newest:
        found = f"format {meta['version']} comes from a newer dynlib; this one reads up to {newest}"
        raise FileError(path, found, "Upgrade dynlib to read it.")
