"""Where a result comes from: the names of its model, and the receipt that reproduces it."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dynlib.abi.status import Status
from dynlib.compiler.engine import Jit
from dynlib.compiler.model import CompiledModel
from dynlib.dsl import ModelSpec, load_model
from dynlib.errors import OptionError
from dynlib.runtime.run_options import RunOptions
from dynlib.runtime.segments import Segment
from dynlib.runtime.validate import shown

__all__ = ["Origin", "inline", "model_in_file", "plain_call", "receipt"]

_PACKAGES = ("dynlib", "numpy", "numba", "llvmlite")


def inline(text: Any) -> str:
    """The source of a model that stands in a file of data: its text, never a place to open.

    What is no TOML text, such as a path, is refused when the model is loaded.

    Examples
    --------
    >>> inline("/etc/passwd")
    'inline:/etc/passwd'
    """
    if not isinstance(text, str):
        raise OptionError(f"a model in a receipt or file is TOML text, found {shown(text)}.")
    return f"inline:{text}"


def model_in_file(text: Any) -> ModelSpec:
    """The model whose text stands in a file of data."""
    return load_model(inline(text))


@dataclass(frozen=True)
class Origin:
    """The model and method behind a result.

    Parameters
    ----------
    name, kind, dtype, stepper : str
    jit : bool or str
    states, params, aux : tuple of str
    events : mapping
        Log columns of each event, in declared order.
    live : ModelSpec or None
        The model itself; None where the result comes from a file.
    stored : mapping
        The `facts` of a result from a file.
    compiled : CompiledModel or None
        The model with its runners; None where the result comes from a file.
    """

    name: str
    kind: str
    dtype: str
    stepper: str
    jit: Jit
    states: tuple[str, ...]
    params: tuple[str, ...]
    aux: tuple[str, ...]
    events: Mapping[str, tuple[str, ...]]
    live: ModelSpec | None = None
    stored: Mapping[str, Any] = field(default_factory=dict)
    compiled: CompiledModel | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, model: CompiledModel) -> Origin:
        """The origin of the results of a compiled model."""
        spec = model.spec
        return cls(
            name=spec.name,
            kind=spec.kind,
            dtype=model.dtype.name,
            stepper=model.stepper.name,
            jit=model.jit,
            states=spec.states,
            params=spec.params,
            aux=tuple(each.name for each in spec.aux),
            events={e.name: tuple(column.label for column in e.log) for e in spec.events},
            live=spec,
            compiled=model,
        )

    @property
    def is_map(self) -> bool:
        """Whether time is an iteration index."""
        return self.kind == "map"

    @cached_property
    def spec(self) -> ModelSpec:
        """The model; read again from the receipt where the result comes from a file."""
        return self.live if self.live is not None else model_in_file(self.facts["model"]["text"])

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """The part of the receipt that is the same for all runs of a session."""
        if self.live is None:
            return self.stored
        return {
            "model": {
                "name": self.name,
                "kind": self.kind,
                "hash": self.live.model_hash,
                "text": self.live.to_toml(),
            },
            "stepper": self.stepper,
            "dtype": self.dtype,
            "jit": self.jit,
            "versions": _versions(),
            "platform": platform.platform(),
        }

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for files."""
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "events": {name: list(columns) for name, columns in self.events.items()},
            "facts": self.facts,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Origin:
        """The origin whose `as_dict` this is."""
        plain = {name: data[name] for name in _PLAIN}
        plain |= {name: tuple(data[name]) for name in ("states", "params", "aux")}
        events = {name: tuple(columns) for name, columns in data["events"].items()}
        return cls(**plain, events=events, stored=data["facts"])


_PLAIN = ("name", "kind", "dtype", "stepper", "jit", "states", "params", "aux")


def receipt(origin: Origin, segments: Sequence[Segment]) -> dict[str, Any]:
    """Model, method, values and versions: plain data that `dynlib.rerun` takes.

    The first segment's arguments stand beside the model; where a session was continued,
    ``continued`` lists the later segments, with the values that were assigned before each.
    ``observers`` describes who observed a segment, without their code.
    ``fresh`` is false where a session was taken up from a file, which the receipt cannot redo.
    """
    first, *later = segments
    return {
        **origin.facts,
        "fresh": first.fresh,
        "t0": _time(origin, first.start_t),
        "ic": _named(origin.states, first.start_y),
        "params": _named(origin.params, first.start_p),
        "arguments": _arguments(origin, first),
        "observers": [dict(each) for each in first.observers],
        "continued": [
            {
                "assigned": _assigned(origin, before, segment),
                "arguments": _arguments(origin, segment),
                "observers": [dict(each) for each in segment.observers],
            }
            for before, segment in zip(segments, later, strict=False)
        ],
    }


def plain_call(origin: Origin, segment: Segment) -> dict[str, Any]:
    """The arguments that bring a run to where it ended, as plain data."""
    call = segment.call
    if not isinstance(call, RunOptions):
        return dict(call)
    plain = call.to_dict(is_map=origin.is_map)
    if segment.raw.status is Status.USER_BREAK:
        plain["max_steps"] = segment.step - segment.start_step
    return plain


def _arguments(origin: Origin, segment: Segment) -> dict[str, Any]:
    return plain_call(origin, segment) | {"tag": segment.name}


def _assigned(origin: Origin, before: Segment, segment: Segment) -> dict[str, Any] | None:
    """Values assigned between two segments; None if none were."""
    if not segment.jumped:
        return None
    changed = zip(
        (*origin.states, *origin.params),
        (*before.y.tolist(), *before.p.tolist()),
        (*segment.start_y.tolist(), *segment.start_p.tolist()),
        strict=True,
    )
    assigned = {name: new for name, old, new in changed if old != new}
    # Steppers start afresh after an assignment, also after one of the values that were there.
    return assigned or _named(origin.states, segment.start_y)


def _named(names: tuple[str, ...], values: Any) -> dict[str, Any]:
    return dict(zip(names, values.tolist(), strict=True))


def _time(origin: Origin, t: float) -> float | int:
    return int(t) if origin.is_map else t


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version  # slow, and seldom needed

    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
