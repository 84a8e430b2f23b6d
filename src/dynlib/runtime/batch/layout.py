"""A Zarr store of a batch: how it is laid out, made in one move, and recognised later."""

from __future__ import annotations

import json
import math
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.status import Status
from dynlib.errors import MissingExtraError, OptionError
from dynlib.runtime.batch.export import (
    Variable,
    attributes,
    coordinates,
    dimensions,
    variables,
)
from dynlib.runtime.batch.files import FORMAT, describe
from dynlib.runtime.batch.frame import BatchFrame

__all__ = ["GROUP", "create", "description", "open_root", "parts_of", "recognise", "region", "zarr"]

Array = NDArray[Any]
GROUP = "dynlib"
_VERSION = 1


def zarr() -> Any:
    """The package, if it is there.

    Raises
    ------
    MissingExtraError
        Otherwise.
    """
    try:
        import xarray  # noqa: F401  # the extra brings it, and the results are read with it
        import zarr as found
    except ImportError as error:
        raise MissingExtraError("zarr", "a store such as out='sweep.zarr'") from error
    return found


def create(path: Path, frame: BatchFrame, runs_of_a_part: int) -> None:
    """Make an empty store, and put it in its place in one move.

    If another process has put one there meanwhile, that one stays.
    """
    new = path.with_name(f".{path.name}.{uuid4().hex}")
    dims, shape = tuple(dimensions(frame)), tuple(frame.inputs.dims.values())
    block = _block(shape, runs_of_a_part)
    try:
        labels = coordinates(frame)
        beside = [name for name, (over, _) in labels.items() if (name,) != over]
        extra = {"coordinates": " ".join(beside)} if beside else {}
        root = zarr().create_group(new, attributes=attributes(frame) | extra)
        for name, (over, values) in labels.items():
            plain = np.ascontiguousarray(values)
            root.create_array(name, data=plain, dimension_names=over, chunks=_whole(plain.shape))
        for variable in variables(frame):
            _empty(root, variable, (dims, shape, block))
        own = root.create_group(GROUP)
        arrays, meta = describe(frame)
        for name, values in arrays.items():
            own.create_array(f"start/{name}", data=np.ascontiguousarray(values))
        parts = len(parts_of(shape, runs_of_a_part))
        for name, kind in (("done", bool), ("seconds", float)):
            own.create_array(name, shape=(parts,), dtype=kind, chunks=(1,), fill_value=0)
        own.attrs.update(
            {"description": json.dumps(meta), "runs_of_a_part": runs_of_a_part, "store": _VERSION}
        )
        with warnings.catch_warnings():  # that other programs may not know consolidated metadata
            warnings.simplefilter("ignore")
            zarr().consolidate_metadata(root.store)
        try:
            new.replace(path)
        except OSError:
            if not path.is_dir():
                raise
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _empty(
    root: Any,
    variable: Variable,
    runs: tuple[tuple[str, ...], tuple[int, ...], tuple[int, ...]],
) -> None:
    dims, shape, block = runs
    tail, names = variable.tail_shape, variable.tail_dims
    fill: Any = np.nan if variable.dtype.kind == "f" else 0
    if variable.kind == "status":
        fill = int(Status.USER_BREAK)
    root.create_array(
        variable.name,
        shape=(*shape, *tail),
        dtype=variable.dtype,
        chunks=_whole((*block, *tail)),
        dimension_names=(*dims, *names),
        fill_value=fill,
        attributes=variable.attrs,
    )


def _whole(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a chunk, which may be empty in no direction."""
    return tuple(max(1, length) for length in shape)


def _split(shape: tuple[int, ...], runs: int) -> tuple[int, int]:
    """Cut into parts of about so many runs along which axis, into pieces of which length."""
    for axis in range(len(shape)):
        inner = math.prod(shape[axis + 1 :])
        if inner <= runs:
            return axis, max(1, min(shape[axis], runs // max(1, inner)))
    raise AssertionError("a part holds at least one run")


def _block(shape: tuple[int, ...], runs: int) -> tuple[int, ...]:
    """The shape of a part."""
    axis, length = _split(shape, runs)
    return (*(1 for _ in range(axis)), length, *shape[axis + 1 :])


def parts_of(shape: tuple[int, ...], runs: int) -> list[tuple[int, int]]:
    """First run, and run after the last, of all parts in order."""
    if not math.prod(shape):
        return []
    axis, length = _split(shape, runs)
    along, inner = shape[axis], math.prod(shape[axis + 1 :])
    return [
        ((outer * along + first) * inner, (outer * along + min(first + length, along)) * inner)
        for outer in range(math.prod(shape[:axis]))
        for first in range(0, along, length)
    ]


def region(shape: tuple[int, ...], first: int, last: int) -> tuple[slice, ...]:
    """Where the runs of a part lie."""
    start = np.unravel_index(first, shape)
    end = np.unravel_index(last - 1, shape)
    return tuple(slice(int(a), int(b) + 1) for a, b in zip(start, end, strict=True))


def open_root(path: Path, mode: str) -> Any:
    """The group at the top of a store.

    Raises
    ------
    OptionError
        If there is no such store.
    """
    try:
        # Groups of events come after the metadata were put together for quick reading.
        root = zarr().open_group(path, mode=mode, use_consolidated=False)
        version = root[GROUP].attrs["store"]
    except (OSError, KeyError, ValueError) as error:
        raise OptionError(f"{path} is no batch that dynlib has written.") from error
    if version > _VERSION:
        raise OptionError(
            f"{path} comes from a newer dynlib (store {version}; this one knows {_VERSION})."
        )
    return root


def description(root: Any, path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """The description of the batch in a store, as `dynlib.runtime.batch.files.describe` gave it."""
    own = root[GROUP]
    meta = json.loads(own.attrs["description"])
    if meta.get("format") != FORMAT:
        raise OptionError(f"{path} is no batch that dynlib has written.")
    return {name: values[...] for name, values in _arrays(own["start"])}, meta


def _arrays(group: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """All arrays below a group, by their paths."""
    found = [(prefix + name, values) for name, values in group.arrays()]
    for name, inner in group.groups():
        found += _arrays(inner, f"{prefix}{name}/")
    return found


def recognise(root: Any, path: Path, frame: BatchFrame) -> None:
    """Refuse a store that belongs to another batch."""
    there = _facts(*description(root, path))
    arrays, meta = describe(frame)
    here = _facts(arrays, json.loads(json.dumps(meta)))
    different = [
        _difference(name, there.get(name), here.get(name))
        for name in dict.fromkeys((*there, *here))
        if not _same(there.get(name), here.get(name))
    ]
    if different:
        raise OptionError(
            f"{path} holds another batch. It differs in {'; '.join(different)}. Give another "
            "path, or delete it to begin anew."
        )


def _facts(arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> dict[str, Any]:
    """All by which two batches may differ, by names that a user knows."""
    origin = meta["origin"]
    meta = {"observers": [], "observed": [], **meta}
    facts = {
        "the equations of the model": origin["facts"]["model"]["hash"],
        **{name: origin[name] for name in ("stepper", "dtype", "jit")},
        **meta["call"],
        "t0": meta["t0"],
        "plan": meta["plan"],
        "recorded variables": list(meta["selection"]["names"]),
        "number of runs": meta["runs"],
        "axes of the grid": list(meta["axes"]),
        **_observers(meta),
    }
    for kind, names in (("y0", origin["states"]), ("p", origin["params"])):
        for index, name in enumerate(names):
            plain = meta["inputs"][kind][index]
            facts[name] = arrays[f"{kind}/{index}"] if plain is None else plain
    return facts


def _observers(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Who observes the runs, and what decides what they find."""
    described = meta["observers"]
    names = ", ".join(each["name"] for each in described) or "none"
    return {"observers": names, "the code or options of observers": [described, meta["observed"]]}


def _same(there: Any, here: Any) -> bool:
    if isinstance(there, np.ndarray) and isinstance(here, np.ndarray):
        return np.array_equal(there, here, equal_nan=there.dtype.kind == "f")
    return type(there) is type(here) and bool(there == here)


def _difference(name: str, there: Any, here: Any) -> str:
    short = all(isinstance(value, str | int | float | None) for value in (there, here))
    if not short or name.startswith("the "):
        return name
    return f"{name} ({there if there is not None else 'not given'} there, {here} here)"
