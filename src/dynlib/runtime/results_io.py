"""Results in files: ``.npz`` always, ``.nc`` (NetCDF) with xarray, ``.csv`` for others to read."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.status import Status
from dynlib.errors import OptionError
from dynlib.observers.kit.layout import ObservedLayout
from dynlib.observers.kit.result import ObserverResult
from dynlib.runtime import export, netcdf, schema
from dynlib.runtime.costs import RunStats
from dynlib.runtime.files import replace_file, write_arrays
from dynlib.runtime.observed import flat, layout_of_results, restored
from dynlib.runtime.origin import Origin, plain_call
from dynlib.runtime.recording import Selection
from dynlib.runtime.segments import Segment
from dynlib.runtime.wrapper import RawRun

if TYPE_CHECKING:
    from dynlib.runtime.results import Results

__all__ = ["FORMAT", "VERSION", "restore", "save"]

FORMAT = "dynlib results"
VERSION = 1
_RECORD = ("t", "y", "aux")
_EVENTS = ("evt_t", "evt_step", "evt_id", "evt_log")
_ENDS = ("start_y", "start_p", "y", "p")
_SCALARS = ("name", "start_t", "start_step", "fresh", "jumped", "t", "step")

Arrays = dict[str, NDArray[Any]]


def save(
    results: Results, origin: Origin, segments: Sequence[Segment], path: str | os.PathLike[str]
) -> None:
    """Write a result in the format that the suffix of `path` names."""
    target = Path(path).expanduser()
    writers: Mapping[str, Callable[[], None]] = {
        ".npz": lambda: write_arrays(target, *_pack(origin, segments)),
        ".nc": lambda: netcdf.write(target, results, *_pack(origin, segments)),
        ".csv": lambda: _write_csv(target, results),
    }
    suffix = target.suffix.lower()
    if suffix not in writers:
        raise OptionError(
            f"{target}: cannot tell the format from the suffix {suffix!r}. Known: "
            f"{', '.join(writers)}."
        )
    writers[suffix]()


def restore(
    arrays: Arrays, meta: Mapping[str, Any], table: Mapping[str, NDArray[Any]] | None
) -> tuple[Origin, list[Segment]]:
    """A result from what `save` wrote: arrays, description and, of NetCDF, the columns.

    Raises
    ------
    Exception
        Of any kind, if they do not fit; see `dynlib.runtime.seal.reading`.
    """
    if table is not None:
        arrays = arrays | _cut(table, arrays, meta)
    return _unpack(arrays, meta)


def _pack(origin: Origin, segments: Sequence[Segment]) -> tuple[Arrays, dict[str, Any]]:
    """Arrays named ``<segment>/<array>``, and the rest as plain data."""
    arrays: Arrays = {}
    metadata = []
    for index, segment in enumerate(segments):
        arrays |= {f"{index}/raw_{name}": getattr(segment.raw, name) for name in _RECORD + _EVENTS}
        arrays |= {f"{index}/{name}": getattr(segment, name) for name in _ENDS}
        if segment.raw.observers:
            arrays[f"{index}/observed"] = flat(segment.raw.observers)
        metadata.append(
            {
                **{name: getattr(segment, name) for name in _SCALARS},
                "selection": segment.selection.as_dict(),
                "call": plain_call(origin, segment),
                "status": segment.raw.status.name,
                "t_final": segment.raw.t_final,
                "final_dt": segment.raw.final_dt,
                "stats": _stats(segment.raw.stats),
                **({"failure": segment.raw.failure} if segment.raw.failure else {}),
                "observed": layout_of_results(segment.raw.observers).to_list(),
                "observers": list(segment.observers),
            }
        )
    meta = {
        "format": FORMAT,
        "version": VERSION,
        "origin": origin.as_dict(),
        "segments": metadata,
    }
    return arrays, meta


def _stats(stats: RunStats) -> dict[str, Any]:
    """As plain data; counters only of methods that have some."""
    plain = stats._asdict() | {"counters": dict(stats.counters)}
    return {name: value for name, value in plain.items() if name != "counters" or value}


def _unpack(arrays: Arrays, meta: Mapping[str, Any]) -> tuple[Origin, list[Segment]]:
    schema.check_origin(meta["origin"])
    origin = Origin.from_dict(meta["origin"])
    metadata = schema.field(meta, "segments", list)
    if not metadata:
        raise ValueError("it has no segments")
    return origin, [
        _segment(_of_segment(arrays, index), entry, meta["origin"])
        for index, entry in enumerate(metadata)
    ]


def _of_segment(arrays: Arrays, index: int) -> Arrays:
    """The arrays of a segment, by their own names."""
    prefix = f"{index}/"
    return {
        name.removeprefix(prefix): values
        for name, values in arrays.items()
        if name.startswith(prefix)
    }


def _segment(arrays: Arrays, entry: Mapping[str, Any], origin: Mapping[str, Any]) -> Segment:
    _check(arrays, entry, origin)
    record: Any = {name: arrays[f"raw_{name}"] for name in _RECORD + _EVENTS}
    raw = RawRun(
        **record,
        status=Status[entry["status"]],
        t_final=entry["t_final"],
        stats=RunStats(**entry["stats"]),
        observers=_observed(arrays, entry),
        final_dt=float(entry.get("final_dt", math.nan)),  # older files do not have it
        failure=entry.get("failure", ""),
    )
    plain = {name: entry[name] for name in (*_SCALARS, "call")}
    ends = {name: arrays[name] for name in _ENDS}
    selection = Selection.from_dict(entry["selection"])
    observers = tuple(entry.get("observers", ()))
    return Segment(raw=raw, selection=selection, observers=observers, **(plain | ends))


def _check(arrays: Arrays, entry: Mapping[str, Any], origin: Mapping[str, Any]) -> None:
    """Refuse what does not fit the model and the names of the columns."""
    schema.check_selection(entry["selection"], origin)
    for name in ("start_t", "t", "t_final", *(["final_dt"] if "final_dt" in entry else [])):
        schema.field(entry, name, int, float)
    for name, kind in (("name", str), ("call", dict), ("start_step", int), ("step", int)):
        schema.field(entry, name, kind)
    for name in ("fresh", "jumped"):
        schema.field(entry, name, bool)
    dtype, selection = np.dtype(origin["dtype"]), entry["selection"]
    rows = schema.array(arrays, "raw_t", np.float64, (None,)).size
    schema.array(arrays, "raw_y", dtype, (rows, len(selection["states"])))
    schema.array(arrays, "raw_aux", np.float64, (rows, len(selection["aux"])))
    for name in _ENDS:
        which = "params" if name.endswith("p") else "states"
        schema.array(arrays, name, dtype, (len(origin[which]),))
    columns = {name.removeprefix("evt_"): arrays[f"raw_{name}"] for name in _EVENTS}
    schema.check_events(columns, origin)
    stats = schema.field(entry, "stats", dict)
    for name in ("steps", "rejected", "evaluations"):
        schema.field(stats, name, int)
    schema.field(stats, "seconds", int, float)
    schema.counters(stats)
    schema.field({"failure": "", **entry}, "failure", str)
    for each in schema.field({"observers": [], **entry}, "observers", list):
        schema.field(each, "name", str)


def _observed(arrays: Arrays, entry: Mapping[str, Any]) -> dict[str, ObserverResult]:
    """What the observers of a segment found; files of before there were any have none."""
    members = entry.get("observed", [])
    schema.check_observed(members)
    layout = ObservedLayout.from_list(members)
    if not layout.members:
        return {}
    return restored(layout, schema.array(arrays, "observed", np.float64, (None,)))


def _cut(table: Mapping[str, NDArray[Any]], arrays: Arrays, meta: Mapping[str, Any]) -> Arrays:
    """The record arrays of the segments, cut out of the columns of a dataset."""
    found: Arrays = {}
    t = table["time"].astype(np.float64)
    first = 0
    for index, entry in enumerate(meta["segments"]):
        last = first + int(schema.array(arrays, f"{index}/rows", np.int64, ()))
        found[f"{index}/raw_t"] = t[first:last]
        for kind, names in (("y", "states"), ("aux", "aux")):
            columns = [table[export.variable(n)] for n in entry["selection"][names]]
            record = np.stack(columns, axis=1) if columns else np.empty((len(t), 0))
            found[f"{index}/raw_{kind}"] = record[first:last]
        first = last
    if first != len(t):
        raise ValueError(f"its segments have {first} rows, its table {len(t)}")
    return found


def _write_csv(path: Path, results: Results) -> None:
    columns = [results.t.tolist(), *(results[name].tolist() for name in results.names)]

    def write(new: Path) -> None:
        with new.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([results.time_name, *results.names])
            # Python writes a float with as many digits as bring it back.
            writer.writerows(zip(*columns, strict=True))

    replace_file(path, write)
