"""A specification on one screen."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dynlib.dsl.spec import ModelSpec

_LINES = 12
_WIDTH = 96


def summary(spec: "ModelSpec") -> str:
    """Return what a specification says, in at most a screen: equations, values, events."""
    mark = "next {}" if spec.is_map else "d({})/dt"
    equations = [
        f"{mark.format(name)} = {' '.join(text.split())}"
        for name, text in spec.equations_text.items()
    ]
    parts = {
        "states": _values(zip(spec.states, spec.state_values, strict=True)),
        "that follow params": ", ".join(
            f"{name} = {spec.starts[name].text}" for name in spec.following
        ),
        "params": _values(zip(spec.params, spec.param_values, strict=True)),
        "constants": _values(spec.constants.items()),
        "aux": ", ".join(aux.name for aux in spec.aux),
        "functions": ", ".join(_signatures(spec)),
        "events": ", ".join(event.name for event in spec.events),
        "stop": spec.stop.text if spec.stop else "",
        "presets": ", ".join(spec.presets),
        "mods": ", ".join(spec.mods),
    }
    place = f", {spec.label}" if spec.label else ""
    lines = [f"<ModelSpec {spec.name!r}: {spec.kind}, {spec.dtype}{place}>"]
    lines += [f"  {_cut(line)}" for line in equations[:_LINES]]
    if len(equations) > _LINES:
        lines.append(f"  ... and {len(equations) - _LINES} more equations")
    lines += [f"  {name}: {_cut(text)}" for name, text in parts.items() if text]
    return "\n".join(lines)


def _values(pairs: Iterable[tuple[str, float]]) -> str:
    return ", ".join(f"{name} = {value:.6g}" for name, value in pairs)


def _signatures(spec: "ModelSpec") -> list[str]:
    return [f"{name}({', '.join(each.args)})" for name, each in spec.functions.items()]


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else text[: _WIDTH - 3] + "..."
