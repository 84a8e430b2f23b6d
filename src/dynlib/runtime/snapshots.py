"""Snapshots in files: a session between two steps, for another day or another machine.

The file is an ``.npz`` of a format with a number of its own, which has nothing to do with the
package's version.  Slots of the runner are stored by their names, and the model as text: whether
it is still the same model is decided by reading that text again with the present version, not by
comparing digests that another version has made.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib import __version__
from dynlib.abi.run_state import RunState
from dynlib.abi.slots import Clock, Count
from dynlib.compiler.model import CompiledModel
from dynlib.dsl import ModelSpec
from dynlib.dsl.spec import StopSpec
from dynlib.errors import ModelLoadError, SnapshotMismatchError, StepperOptionError
from dynlib.runtime.files import read_arrays, write_arrays
from dynlib.runtime.observation import Observation, StoredObservation
from dynlib.runtime.origin import model_in_file
from dynlib.runtime.saved import Content, check_machine, slots
from dynlib.runtime.seal import reading
from dynlib.runtime.session import SessionState

__all__ = ["read_snapshot", "write_snapshot"]

_FORMAT = _WHAT = "dynlib snapshot"
_VERSION = 2  # 1: without observers
_MACHINE = ("y", "p", "memory", "workspace")


def write_snapshot(path: str | os.PathLike[str], state: SessionState, model: CompiledModel) -> None:
    """Write a session, its run in progress included, but without what it has recorded."""
    target = Path(path).expanduser()
    spec = model.spec
    meta: dict[str, Any] = {
        "format": _FORMAT,
        "version": _VERSION,
        "written_by": __version__,
        "model": spec.to_toml(),
        "stepper": model.stepper.name,
        "dtype": model.dtype.name,
        "states": spec.states,
        "params": spec.params,
        "running": state.machine is not None,
        "jumped": state.jumped,
        "given": sorted(state.given),
        "options": {name: _plain(value) for name, value in state.options.items()},
    }
    arrays = {"initial_y": state.y, "initial_p": state.p}
    if state.machine is not None:
        arrays |= {f"machine_{name}": getattr(state.machine, name) for name in _MACHINE}
        meta["clock"] = _by_name(Clock, state.machine.clock)
        meta["count"] = _by_name(Count, state.machine.count)
    if state.observation is not None:
        stored = state.observation.stored()
        arrays |= {f"observed_{name}": values for name, values in stored.arrays.items()}
        meta["observers"] = {"signature": stored.signature, "started": stored.started}
    write_arrays(target, arrays, meta)


def read_snapshot(path: str | os.PathLike[str], model: CompiledModel) -> SessionState:
    """Read the session that `write_snapshot` wrote, for the same model and stepper.

    Raises
    ------
    FileError
        If the file is no snapshot, or damaged; it names the part.
    SnapshotMismatchError
        If equations, states or stepper differ; it says which.
    """
    source = Path(path).expanduser()
    with reading(source, _WHAT):
        arrays, meta = read_arrays(source, _WHAT, _FORMAT)
        _check_version(source, meta)
        _check_description(meta)
        differences = list(_differences(meta, model))
        if differences:
            raise SnapshotMismatchError(
                f"{source}: this snapshot belongs to another model or stepper:\n"
                + "\n".join(f"  {difference}" for difference in differences)
                + "\nSet up the session with what it was taken from."
            )
        state = _restored(arrays, meta, model)
        observers = meta.get("observers")
        if observers is not None:
            observed = {name: arrays[f"observed_{name}"] for name in Observation.ARRAYS}
            state.observation = StoredObservation(
                observers["signature"], observed, observers["started"], str(source)
            )
        return state


def _check_version(source: Path, meta: Mapping[str, Any]) -> None:
    version = _entry(meta, "version", int)
    if version > _VERSION:
        raise SnapshotMismatchError(
            f"{source}: written by dynlib {meta.get('written_by')} in format {version}; this "
            f"version reads up to {_VERSION}. Upgrade dynlib to read it."
        )


def _check_description(meta: Mapping[str, Any]) -> None:
    """Refuse plain data of other types than `write_snapshot` writes."""
    for name in ("model", "stepper", "dtype"):
        _entry(meta, name, str)
    for name in ("running", "jumped"):
        _entry(meta, name, bool)
    for name in ("states", "params"):
        names = _entry(meta, name, list)
        if not all(isinstance(each, str) for each in names) or len(set(names)) < len(names):
            raise ValueError(f"{name!r} in its description must be different names: {names!r:.60}")
    _entry(meta, "options", dict)
    if meta.get("observers") is not None:
        observers = _entry(meta, "observers", dict)
        _entry(observers, "signature", str)
        _entry(observers, "started", bool)


def _entry(table: Mapping[str, Any], name: str, kind: type) -> Any:
    """An entry of plain data; True and False are no numbers."""
    if name not in table:
        raise ValueError(f"{name!r} is missing in its description")
    value = table[name]
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise ValueError(f"{name!r} in its description is {value!r:.60}")
    return value


def _differences(meta: Mapping[str, Any], model: CompiledModel) -> Iterator[str]:
    spec = model.spec
    if meta["stepper"] != model.stepper.name:
        yield f"stepper: {meta['stepper']} in the snapshot, {model.stepper.name} here"
    if meta["dtype"] != model.dtype.name:
        yield f"type of the states: {meta['dtype']} in the snapshot, {model.dtype.name} here"
    if tuple(meta["states"]) != spec.states:
        there, here = ", ".join(meta["states"]), ", ".join(spec.states)
        yield f"states: {there} in the snapshot, {here} here"
        return
    try:
        old = model_in_file(meta["model"])
    except ModelLoadError as error:
        yield f"equations: those of the snapshot cannot be read any more ({error})"
        return
    yield from _changed_equations(old, spec)


def _changed_equations(old: ModelSpec, new: ModelSpec) -> Iterator[str]:
    # Equal expressions are the same object, whatever their text looked like.
    if old.kind != new.kind:
        yield f"kind: {old.kind} in the snapshot, {new.kind} here"
        return
    for name, there, here in zip(new.states, old.equations, new.equations, strict=True):
        if there != here:
            before, now = old.equations_text[name], new.equations_text[name]
            yield f"equation of {name}: {before!r} in the snapshot, {now!r} here"
    before_events = {event.name: _effects(event) for event in old.events}
    now_events = {event.name: _effects(event) for event in new.events}
    if before_events != now_events:
        names = {**before_events, **now_events}
        changed = [n for n in names if before_events.get(n) != now_events.get(n)]
        yield f"events: {', '.join(changed) or 'their order'}"
    there, here = (_remembered(stop) for stop in (old.stop, new.stop))
    if there != here:
        before, now = (repr(each.text) if each else "none" for each in (old.stop, new.stop))
        yield f"stop condition: {before} in the snapshot, {now} here"


def _effects(event: Any) -> tuple[Any, ...]:
    """What an event does to a trajectory."""
    actions = tuple((action.target, action.expr) for action in event.actions)
    return (event.cond, event.phase, event.direction, event.locate, actions)


def _remembered(stop: StopSpec | None) -> Any:
    """A stop condition that is located: whether it held is part of what a run is."""
    return (stop.cond, stop.phase) if stop is not None and stop.locate else None


def _restored(
    arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any], model: CompiledModel
) -> SessionState:
    spec, dtype = model.spec, model.dtype
    try:
        model.stepper.options(meta["options"], len(spec.states))
    except StepperOptionError as error:
        raise ValueError(f"options of the run in progress: {error}") from error
    # As if they were assigned: finite states, and parameters that are numbers.
    largest = float(np.finfo(dtype).max) if dtype.kind == "f" else math.inf
    y = Content(dtype, (len(spec.states),), -largest, largest).check("initial_y", arrays)
    p = _params(Content(dtype, (None,), -math.inf, math.inf), "initial_p", arrays, meta, model)
    given = _given(meta, spec)
    state = SessionState(y, p, options=meta["options"], jumped=meta["jumped"], given=given)
    if meta["running"]:
        machine = model.new_state(
            y, _params(Content(dtype, (None, 1)), "machine_p", arrays, meta, model)
        )
        machine.y[...] = Content(dtype, machine.y.shape).check("machine_y", arrays)
        for name in ("memory", "workspace"):
            stored = Content(dtype, (None, 1)).check(f"machine_{name}", arrays)
            getattr(machine, name)[...] = _same_shape(machine, name, stored)
        slots(Clock, meta["clock"], machine.clock)
        slots(Count, meta["count"], machine.count)
        check_machine(machine, model)
        state.machine = machine
    return state


def _same_shape(machine: RunState, name: str, stored: NDArray[Any]) -> NDArray[Any]:
    if stored.shape != getattr(machine, name).shape:
        raise SnapshotMismatchError(
            f"stepper: its {name} held {stored.size} numbers in the snapshot and holds "
            f"{getattr(machine, name).size} here. The run cannot be continued bit by bit."
        )
    return stored


def _given(meta: Mapping[str, Any], spec: ModelSpec) -> frozenset[str]:
    """States whose initial values follow no parameters; in older files that is all of them."""
    names = meta.get("given", list(spec.states))
    if not isinstance(names, list) or not set(map(str, names)) <= set(spec.states):
        raise ValueError(f"'given' in its description is {names!r:.60}")
    return frozenset(map(str, names))


def _params(
    content: Content,
    name: str,
    arrays: Mapping[str, NDArray[Any]],
    meta: Mapping[str, Any],
    model: CompiledModel,
) -> NDArray[Any]:
    """Parameters by name: one that no equation uses may have come or gone."""
    spec = model.spec
    stored = content.check(name, arrays).reshape(-1)
    known = dict(zip(meta["params"], stored, strict=True))
    pairs = zip(spec.params, spec.param_values, strict=True)
    return np.array([known.get(each, value) for each, value in pairs], dtype=model.dtype)


def _by_name(slots: type[IntEnum], values: NDArray[Any]) -> dict[str, Any]:
    return {slot.name: values[slot].item() for slot in slots}


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
