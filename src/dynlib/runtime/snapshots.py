"""Snapshots in files: a session between two steps, for another day or another machine.

The file is an ``.npz`` of a format with a number of its own, which has nothing to do with the
package's version.  Slots of the runner are stored by their names, and the model as text: whether
it is still the same model is decided by reading that text again with the present version, not by
comparing digests that another version has made.
"""

from __future__ import annotations

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
from dynlib.dsl import ModelSpec, load_model
from dynlib.errors import ModelLoadError, OptionError, SnapshotMismatchError
from dynlib.runtime.files import read_arrays, write_arrays
from dynlib.runtime.observation import Observation, StoredObservation
from dynlib.runtime.session import SessionState

__all__ = ["read_snapshot", "write_snapshot"]

_FORMAT = "dynlib snapshot"
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
    OptionError
        If the file is no snapshot, or damaged.
    SnapshotMismatchError
        If equations, states or stepper differ; it says which.
    """
    source = Path(path).expanduser()
    arrays, meta = read_arrays(source, "dynlib snapshot", _FORMAT)
    if meta["version"] > _VERSION:
        raise SnapshotMismatchError(
            f"{source}: written by dynlib {meta['written_by']} in format {meta['version']}; this "
            f"version reads up to {_VERSION}. Upgrade dynlib to read it."
        )
    try:
        differences = list(_differences(meta, model))
        if differences:
            raise SnapshotMismatchError(
                f"{source}: this snapshot belongs to another model or stepper:\n"
                + "\n".join(f"  {difference}" for difference in differences)
                + "\nSet up the session with what it was taken from."
            )
        return _restored(arrays, meta, model)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise OptionError(f"{source}: a snapshot, but damaged ({error!r}).") from error


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
        old = load_model(meta["model"])
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


def _effects(event: Any) -> tuple[Any, ...]:
    """What an event does to a trajectory."""
    actions = tuple((action.target, action.expr) for action in event.actions)
    return (event.cond, event.phase, event.direction, event.locate, actions)


def _restored(
    arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any], model: CompiledModel
) -> SessionState:
    spec = model.spec
    y = np.array(arrays["initial_y"], dtype=model.dtype)
    p = _by_param(arrays["initial_p"], meta["params"], spec, model.dtype)
    given = frozenset(meta.get("given", spec.states))
    state = SessionState(y, p, options=meta["options"], jumped=meta["jumped"], given=given)
    if meta["running"]:
        running_p = _by_param(arrays["machine_p"][:, 0], meta["params"], spec, model.dtype)
        machine = model.new_state(arrays["machine_y"][:, 0], running_p)
        for name in ("memory", "workspace"):
            getattr(machine, name)[...] = _same_shape(machine, name, arrays[f"machine_{name}"])
        for slots, values, stored in (
            (Clock, machine.clock, meta["clock"]),
            (Count, machine.count, meta["count"]),
        ):
            for slot in slots:
                values[slot] = stored.get(slot.name, values[slot])
        state.machine = machine
    observers = meta.get("observers")
    if observers is not None:
        observed = {name: arrays[f"observed_{name}"] for name in Observation.ARRAYS}
        state.observation = StoredObservation(
            observers["signature"], observed, observers["started"]
        )
    return state


def _same_shape(machine: RunState, name: str, stored: NDArray[Any]) -> NDArray[Any]:
    if stored.shape != getattr(machine, name).shape:
        raise SnapshotMismatchError(
            f"stepper: its {name} held {stored.size} numbers in the snapshot and holds "
            f"{getattr(machine, name).size} here. The run cannot be continued bit by bit."
        )
    return stored


def _by_param(
    stored: NDArray[Any], names: list[str], spec: ModelSpec, dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Parameters by name: one that no equation uses may have come or gone."""
    known = dict(zip(names, stored, strict=True))
    pairs = zip(spec.params, spec.param_values, strict=True)
    return np.array([known.get(name, value) for name, value in pairs], dtype=dtype)


def _by_name(slots: type[IntEnum], values: NDArray[Any]) -> dict[str, Any]:
    return {slot.name: values[slot].item() for slot in slots}


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
