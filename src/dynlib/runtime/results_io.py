"""Results in files: ``.npz`` always, ``.nc`` (NetCDF) with xarray, ``.csv`` for others to read."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from dynlib.abi.status import Status
from dynlib.errors import OptionError
from dynlib.observers.layout import ObservedLayout
from dynlib.observers.result import ObserverResult
from dynlib.runtime import netcdf
from dynlib.runtime.files import read_arrays, replace_file, write_arrays
from dynlib.runtime.observed import flat, layout_of_results, restored
from dynlib.runtime.origin import Origin, plain_call
from dynlib.runtime.recording import Selection
from dynlib.runtime.segments import Segment
from dynlib.runtime.wrapper import RawRun, RunStats

if TYPE_CHECKING:
    from dynlib.runtime.results import Results

__all__ = ["load", "save"]

_FORMAT = "dynlib results"
_VERSION = 1
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


def load(path: str | os.PathLike[str]) -> tuple[Origin, list[Segment]]:
    """Read what `save` wrote as ``.npz`` or ``.nc``.

    Raises
    ------
    OptionError
        If the file is no result, damaged, or of a newer format.
    """
    source = Path(path).expanduser()
    if source.suffix.lower() == ".nc":
        arrays, meta = netcdf.read(source, _FORMAT)
    else:
        arrays, meta = read_arrays(source, "result that dynlib saved", _FORMAT)
    if meta["version"] > _VERSION:
        raise OptionError(
            f"{source}: format {meta['version']} comes from a newer dynlib; this one reads up to "
            f"{_VERSION}. Upgrade dynlib to read it."
        )
    try:
        return _unpack(arrays, meta)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise OptionError(f"{source}: a result, but damaged ({error!r}).") from error


def _pack(origin: Origin, segments: Sequence[Segment]) -> tuple[Arrays, dict[str, Any]]:
    """Arrays named ``<segment>/<array>``, and the rest as plain data."""
    arrays: Arrays = {}
    described = []
    for index, segment in enumerate(segments):
        arrays |= {f"{index}/raw_{name}": getattr(segment.raw, name) for name in _RECORD + _EVENTS}
        arrays |= {f"{index}/{name}": getattr(segment, name) for name in _ENDS}
        if segment.raw.observers:
            arrays[f"{index}/observed"] = flat(segment.raw.observers)
        described.append(
            {
                **{name: getattr(segment, name) for name in _SCALARS},
                "selection": segment.selection.as_dict(),
                "call": plain_call(origin, segment),
                "status": segment.raw.status.name,
                "t_final": segment.raw.t_final,
                "final_dt": segment.raw.final_dt,
                "stats": asdict(segment.raw.stats),
                "observed": layout_of_results(segment.raw.observers).to_list(),
                "observers": list(segment.observers),
            }
        )
    meta = {
        "format": _FORMAT,
        "version": _VERSION,
        "origin": origin.as_dict(),
        "segments": described,
    }
    return arrays, meta


def _unpack(arrays: Arrays, meta: Mapping[str, Any]) -> tuple[Origin, list[Segment]]:
    segments = []
    entry: Mapping[str, Any]
    for index, entry in enumerate(meta["segments"]):
        record: Any = {name: arrays[f"{index}/raw_{name}"] for name in _RECORD + _EVENTS}
        raw = RawRun(
            **record,
            status=Status[entry["status"]],
            t_final=entry["t_final"],
            stats=RunStats(**entry["stats"]),
            observers=_observed(arrays, index, entry),
            final_dt=float(entry.get("final_dt", "nan")),  # older files do not have it
        )
        plain = {name: entry[name] for name in (*_SCALARS, "call")}
        ends = {name: arrays[f"{index}/{name}"] for name in _ENDS}
        selection = Selection.from_dict(entry["selection"])
        observers = tuple(entry.get("observers", ()))
        segments.append(
            Segment(raw=raw, selection=selection, observers=observers, **(plain | ends))
        )
    return Origin.from_dict(meta["origin"]), segments


def _observed(arrays: Arrays, index: int, entry: Mapping[str, Any]) -> dict[str, ObserverResult]:
    """What the observers of a segment found; files of before there were any have none."""
    layout = ObservedLayout.from_list(entry.get("observed", []))
    return restored(layout, arrays[f"{index}/observed"]) if layout.members else {}


def _write_csv(path: Path, results: Results) -> None:
    columns = [results.t.tolist(), *(results[name].tolist() for name in results.names)]

    def write(new: Path) -> None:
        with new.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([results.time_name, *results.names])
            # Python writes a float with as many digits as bring it back.
            writer.writerows(zip(*columns, strict=True))

    replace_file(path, write)
