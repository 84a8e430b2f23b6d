"""A Zarr store of a batch: how it is laid out, made in one move, and recognised later."""

from __future__ import annotations

import json
import math
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.status import Status
from dynlib.errors import FileError, MissingExtraError, OptionError
from dynlib.observers.kit.metadata import deciding
from dynlib.runtime.batch.export import Variable, attributes, coordinates, dimensions, variables
from dynlib.runtime.batch.files import describe
from dynlib.runtime.batch.frame import BatchFrame
from dynlib.runtime.batch.marks import damages
from dynlib.runtime.files import hidden, read_arrays, write_arrays
from dynlib.runtime.schema import field
from dynlib.runtime.seal import digest, open_regular, reading

__all__ = [
    "CLAIMS",
    "EVENTS",
    "PARTS",
    "Base",
    "chunks_of",
    "create",
    "mend",
    "parts_of",
    "read_base",
    "recognise",
    "region",
    "zarr",
]

Array = NDArray[Any]
GROUP = "dynlib"
DESCRIPTION = f"{GROUP}/description.npz"
PARTS, EVENTS, CLAIMS = (f"{GROUP}/{name}" for name in ("parts", "events", "claims"))
_FORMAT = "dynlib store"
_VERSION = 2  # 1: without check sums
_ANEW = "Delete the store, or give another path, to compute the batch anew."
_MENDED = "The batch call that made the store, if it is made again, mends it if it can."


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
    with _made(path, frame, runs_of_a_part) as new:
        try:
            new.replace(path)
        except OSError:
            if not path.is_dir():
                raise


@contextmanager
def _made(path: Path, frame: BatchFrame, runs_of_a_part: int) -> Iterator[Path]:
    """An empty store beside `path`, which is gone afterwards if it is still there."""
    new = hidden(path)
    try:
        _fill(new, frame, runs_of_a_part)
        arrays, meta = describe(frame)
        files = sorted(each for each in new.rglob("*") if each.is_file())
        about = {
            "format": _FORMAT,
            "version": _VERSION,
            "batch": meta,
            "runs_of_a_part": runs_of_a_part,
            "sums": {each.relative_to(new).as_posix(): digest(each.read_bytes()) for each in files},
        }
        write_arrays(new / DESCRIPTION, arrays, about)
        yield new
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _fill(new: Path, frame: BatchFrame, runs_of_a_part: int) -> None:
    """Make all that other programs read, but for the numbers of the parts."""
    dims, shape = tuple(dimensions(frame)), tuple(frame.inputs.dims.values())
    block = _block(shape, runs_of_a_part)
    labels = coordinates(frame)
    beside = [name for name, (over, _) in labels.items() if (name,) != over]
    extra = {"coordinates": " ".join(beside)} if beside else {}
    root = zarr().create_group(new, attributes=attributes(frame) | extra)
    for name, (over, values) in labels.items():
        plain = np.ascontiguousarray(values)
        root.create_array(name, data=plain, dimension_names=over, chunks=_whole(plain.shape))
    for variable in variables(frame):
        _empty(root, variable, (dims, shape, block))
    root.create_group(GROUP)
    with warnings.catch_warnings():  # that other programs may not know consolidated metadata
        warnings.simplefilter("ignore")
        zarr().consolidate_metadata(root.store)


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


def chunks_of(frame: BatchFrame, runs_of_a_part: int, first: int) -> frozenset[str]:
    """Keys of the files that hold the numbers of the part that begins with run `first`."""
    shape = tuple(frame.inputs.dims.values())
    block = _whole(_block(shape, runs_of_a_part))
    start = np.unravel_index(first, shape)
    place = "/".join(str(int(at) // length) for at, length in zip(start, block, strict=True))
    return frozenset(
        f"{each.name}/c/{place}{'/0' * len(each.tail)}"
        for each in variables(frame)
        if math.prod(each.tail_shape)
    )


@dataclass(frozen=True)
class Base:
    """What a store has from the beginning.

    Attributes
    ----------
    arrays, meta
        The batch, as `dynlib.runtime.batch.files.describe` describes it.
    runs_of_a_part
        Most runs of a part.
    sums
        Check sums of the files that were made with the store.
    """

    arrays: dict[str, Array]
    meta: dict[str, Any]
    runs_of_a_part: int
    sums: dict[str, str]

    @property
    def identity(self) -> str:
        """By what parts of this store are told from those of others."""
        return digest(json.dumps(self.sums, sort_keys=True).encode())


def read_base(path: Path) -> Base:
    """The description of a store.

    Raises
    ------
    FileError
        If it is damaged, or of another format; if there is none.
    """
    place = path / DESCRIPTION
    if not place.exists():
        raise _no_store(path)
    try:
        with reading(place, "description of a batch"):
            arrays, meta = read_arrays(place, "description of a batch", _FORMAT)
            version = field(meta, "version", int)
            if version > _VERSION:
                found = f"it comes from a newer dynlib (store {version}; this one knows {_VERSION})"
                raise FileError(path, found, "Upgrade dynlib to read it.")
            sums = field(meta, "sums", dict)
            runs = field(meta, "runs_of_a_part", int)
            return Base(arrays, field(meta, "batch", dict), runs, sums)
    except FileError as error:
        if error.path == path:
            raise
        raise FileError(path, error.found, _MENDED, DESCRIPTION) from error


def _no_store(path: Path) -> FileError:
    """What to say about something without a description."""
    try:
        with open_regular(path / GROUP / "zarr.json") as source:
            own = json.loads(source.read(1 << 20))
        if own["attributes"]["store"] == 1:
            return FileError(
                path,
                "an earlier dynlib wrote this store, without check sums",
                "xarray.open_zarr reads its numbers; compute the batch again into another store.",
            )
    except (OSError, ValueError, KeyError, TypeError, FileError):
        pass
    if (path / PARTS).is_dir():
        return FileError(path, "there is no such file any more", _MENDED, DESCRIPTION)
    return FileError(path, "this is no batch that dynlib has written")


def mend(path: Path, frame: BatchFrame, runs_of_a_part: int) -> Base:
    """What a store has from the beginning, with files that are damaged made again.

    They are those of a new store of the same batch, whose check sums are known: from the
    description or, if that is damaged, because all other files are those of such a store.

    Raises
    ------
    FileError
        If a new store would not be the same.
    """
    lost: FileError | None = None
    try:
        base = read_base(path)
        damaged = [error.part for error in damages(path, base.sums)]
        if not damaged:
            return base
    except FileError as error:
        if error.part != DESCRIPTION:
            raise
        lost = error
    with _made(path, frame, runs_of_a_part) as new:
        fresh = read_base(new)
        if lost is not None:
            if next(damages(path, fresh.sums), None) is not None:
                raise lost
            damaged = [DESCRIPTION]
        elif fresh.sums != base.sums:
            raise FileError(path, "damaged, and cannot be made again", _ANEW, damaged[0])
        for key in damaged:
            (path / key).parent.mkdir(parents=True, exist_ok=True)
            (new / key).replace(path / key)
    return fresh


def recognise(base: Base, path: Path, frame: BatchFrame) -> None:
    """Refuse a store that belongs to another batch."""
    there = _facts(base.arrays, base.meta)
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
    metadata = meta["observers"]
    names = ", ".join(each["name"] for each in metadata) or "none"
    content = [deciding(metadata), meta["observed"]]
    return {"observers": names, "the code or options of observers": content}


def _same(there: Any, here: Any) -> bool:
    if isinstance(there, np.ndarray) and isinstance(here, np.ndarray):
        return np.array_equal(there, here, equal_nan=there.dtype.kind == "f")
    return type(there) is type(here) and bool(there == here)


def _difference(name: str, there: Any, here: Any) -> str:
    short = all(isinstance(value, str | int | float | None) for value in (there, here))
    if not short or name.startswith("the "):
        return name
    return f"{name} ({there if there is not None else 'not given'} there, {here} here)"
