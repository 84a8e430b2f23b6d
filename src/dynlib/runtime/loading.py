"""Read back what was saved: a run, or a batch."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np

from dynlib.errors import OptionError
from dynlib.runtime import results_io
from dynlib.runtime.batch import files
from dynlib.runtime.batch.results import BatchResults
from dynlib.runtime.batch.store import open_store
from dynlib.runtime.files import DAMAGE, META
from dynlib.runtime.netcdf import ENGINE, xarray_for_files
from dynlib.runtime.results import Results

__all__ = ["load_results"]


def load_results(path: str | os.PathLike[str]) -> Results | BatchResults:
    """Read a result that `Results.save` or `BatchResults.save` wrote (``.npz`` or ``.nc``).

    A Zarr store that ``batch(..., out=...)`` fills can be opened too, finished or not; its
    numbers are read when they are asked for.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    Results or BatchResults
        As it was saved.

    Raises
    ------
    OptionError
        If the file is no such result.

    Examples
    --------
    >>> from dynlib import setup
    >>> setup("builtin://map/logistic", jit=False).run(N=10).save("orbit.npz")
    >>> load_results("orbit.npz").t[-1]
    np.int64(10)
    """
    source = Path(path).expanduser()
    if source.is_dir():
        return BatchResults(*open_store(source))
    if source.suffix.lower() == ".csv" and source.exists():
        raise OptionError(
            f"{source}: a .csv holds the numbers only, for other programs. What is to be loaded "
            "again is saved as .npz or .nc."
        )
    if _format(source) == files.FORMAT:
        return BatchResults(*files.load(source))
    return Results(*results_io.load(source))


def _format(path: Path) -> str:
    """What a file calls itself; empty if it does not, which its reader then complains about."""
    if path.suffix.lower() == ".nc":
        xarray = xarray_for_files()
        try:
            with xarray.open_dataset(path, engine=ENGINE, decode_times=False) as dataset:
                return str(dataset.attrs.get("format", ""))
        except (OSError, ValueError, KeyError):
            return ""
    try:
        # Opened here, because NumPy leaves a file open that is no archive.
        with path.open("rb") as source, np.load(source, allow_pickle=False) as stored:
            return str(json.loads(stored[META].tobytes())["format"])
    except (*DAMAGE, ValueError):
        return ""
