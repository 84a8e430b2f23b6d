"""Write a specification as a TOML document."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from math import isinf, isnan
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dynlib.dsl.spec import EventSpec, ModelSpec, SimDefaults

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SPECIAL = re.compile(r'[\x00-\x1f\x7f"\\]')


def spec_to_toml(spec: "ModelSpec") -> str:
    """Return a document that loads to ``spec``; see `ModelSpec.to_toml`."""
    head = {"type": spec.kind, "name": spec.name, "dtype": spec.dtype}
    head |= {"description": spec.description, "reference": spec.reference}
    equations: dict[str, Any] = {"rhs": spec.equations_text}
    if spec.inverse is not None:
        equations["inverse"] = {"rhs": spec.inverse_text}
    following = {name: spec.starts[name].text for name in spec.following}
    document = {
        "model": {key: value for key, value in head.items() if value},
        "states": dict(zip(spec.states, spec.state_values, strict=True)) | following,
        "params": dict(zip(spec.params, spec.param_values, strict=True)),
        "constants": spec.constants,
        "equations": equations,
        "aux": {aux.name: aux.text for aux in spec.aux},
        "functions": {
            name: {"args": each.args, "expr": each.expr} for name, each in spec.functions.items()
        },
        "events": {event.name: _event(event, spec) for event in spec.events},
        "sim": _sim(spec.sim, spec),
        "presets": {
            name: {"params": preset.params, "states": preset.states}
            for name, preset in spec.presets.items()
        },
        "mods": spec.mods,
        "meta": spec.meta,
    }
    kept = {key: value for key, value in document.items() if value or key == "states"}
    return "#! dynlib\n" + to_toml(kept)


def _event(event: "EventSpec", spec: "ModelSpec") -> dict[str, Any]:
    entry: dict[str, Any] = {"cond": event.text, "phase": event.phase}
    if event.direction is not None:
        entry["direction"] = event.direction
    if spec.kind == "ode":
        entry["locate"] = event.locate
    if event.actions:
        entry["action"] = "\n".join(f"{each.target.name} = {each.text}" for each in event.actions)
    entry["log"] = [column.label for column in event.log]
    entry["tags"] = event.tags
    return entry


def _sim(sim: "SimDefaults", spec: "ModelSpec") -> dict[str, Any]:
    entry: dict[str, Any] = {"t0": sim.t0}
    entry |= {"n_end": sim.n_end} if spec.kind == "map" else {"t_end": sim.t_end}
    entry |= {"dt": sim.dt, "stepper": sim.stepper, "record": sim.record}
    entry |= {"atol": sim.atol, "rtol": sim.rtol}
    if sim.max_steps is not None:
        entry["max_steps"] = sim.max_steps
    entry |= dict(sim.options)
    if spec.stop is not None:
        entry["stop"] = {"cond": spec.stop.text, "phase": spec.stop.phase}
        if spec.kind == "ode" and spec.stop.phase != "start":
            entry["stop"]["locate"] = spec.stop.locate
    return entry


def to_toml(table: Mapping[str, Any]) -> str:
    """Return nested mappings as a TOML text.

    Examples
    --------
    >>> print(to_toml({"a": {"b": 1.0, "c": {"d": [True, "x"]}}}))
    [a]
    b = 1.0
    <BLANKLINE>
    [a.c]
    d = [true, "x"]
    <BLANKLINE>
    """
    return "\n".join(_sections(table, "")) + "\n"


def _sections(table: Mapping[str, Any], path: str) -> Iterator[str]:
    lines = [
        f"{_key(key)} = {_value(value)}"
        for key, value in table.items()
        if not isinstance(value, Mapping)
    ]
    tables = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    if path and (lines or not tables):
        yield "\n".join([f"[{path}]", *lines]) + ("\n" if tables else "")
    elif lines:
        yield "\n".join(lines) + "\n"
    parts = [
        "\n".join(_sections(value, f"{path}.{_key(key)}" if path else _key(key)))
        for key, value in tables.items()
    ]
    yield from ("\n".join([part.rstrip("\n"), ""]) for part in parts)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _line(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_key(key)} = {_value(entry)}" for key, entry in value.items())
        return f"{{{pairs}}}"
    if isinstance(value, Sequence):
        return f"[{', '.join(_value(entry) for entry in value)}]"
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    return str(int(value))


def _float(value: float) -> str:
    if isnan(value):
        return "nan"
    return ("inf" if value > 0 else "-inf") if isinf(value) else repr(float(value))


def _string(text: str) -> str:
    if "\n" in text and "\r" not in text:
        body = _SPECIAL.sub(_escape_in_block, text)
        return f'"""\n{body}"""'
    return _line(text)


def _line(text: str) -> str:
    return f'"{_SPECIAL.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    return f"\\{character}" if character in '"\\' else f"\\u{ord(character):04x}"


def _escape_in_block(found: re.Match[str]) -> str:
    return "\n" if found.group() == "\n" else _escape(found)
