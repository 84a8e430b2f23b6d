"""``dynlib show``: a model as somebody would write it on a blackboard."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from dynlib.cli._options import mods_option
from dynlib.cli._output import heading

if TYPE_CHECKING:
    from dynlib.dsl import ModelSpec
    from dynlib.dsl.spec import EventSpec, StopSpec

__all__ = ["command"]

_WIDTH = 88
_LARGE = 1e15


@click.command("show")
@click.argument("model")
@click.option("--latex", is_flag=True, help="The equations only, as LaTeX.")
@click.option("--toml", is_flag=True, help="The whole model as one TOML document, mods applied.")
@mods_option
def command(model: str, latex: bool, toml: bool, mods: tuple[str, ...]) -> None:
    """Print MODEL: its equations, values, events, presets, defaults and reference."""
    from dynlib.dsl import load_model

    if latex and toml:
        raise click.UsageError("--latex and --toml exclude each other")
    spec = load_model(model, mods=mods)
    if latex:
        click.echo(_latex(spec))
    elif toml:
        click.echo(spec.to_toml().rstrip())
    else:
        click.echo("\n".join(_page(spec)))


def _page(spec: ModelSpec) -> Iterator[str]:
    kind = "map" if spec.is_map else "flow"
    count = len(spec.states)
    yield heading(spec.name or spec.label)
    yield f"{kind} of {count} state{'' if count == 1 else 's'}, {spec.dtype}, {spec.label}"
    if spec.description:
        yield ""
        yield textwrap.fill(" ".join(spec.description.split()), _WIDTH)
    sections = {
        "equations": _equations(spec),
        "inverse": _rules(spec.inverse_text, "{}[n-1]"),
        "aux": _rules({each.name: each.text for each in spec.aux}, "{}"),
        "functions": [f"{n}({', '.join(f.args)}) = {f.expr}" for n, f in spec.functions.items()],
        "events": [line for event in spec.events for line in _event(event)],
        "ends early": [_stop(spec.stop)] if spec.stop else [],
        "initial values": _values(dict(zip(spec.states, spec.state_values, strict=True))),
        "initial values that follow parameters": _rules(
            {name: spec.starts[name].text for name in spec.following}, "{}"
        ),
        "parameters": _values(dict(zip(spec.params, spec.param_values, strict=True))),
        "constants": _values(spec.constants),
        "presets": _presets(spec),
        "mods": list(spec.mods),
        "a run's defaults": _defaults(spec),
        "reference": textwrap.wrap(spec.reference, _WIDTH - 2),
    }
    for title, lines in sections.items():
        if lines:
            yield ""
            yield heading(title)
            yield from (f"  {line}" for line in lines)


def _equations(spec: ModelSpec) -> list[str]:
    return _rules(spec.equations_text, "{}[n+1]" if spec.is_map else "d{}/dt")


def _rules(texts: Mapping[str, str], form: str) -> list[str]:
    """Return equations with their equals signs below each other."""
    left = [form.format(name) for name in texts]
    width = max(map(len, left), default=0)
    return [f"{name:{width}} = {text}" for name, text in zip(left, texts.values(), strict=True)]


def _event(event: EventSpec) -> list[str]:
    becomes = {"rising": "becomes true", "falling": "becomes false", "either": "changes"}
    when = becomes.get(event.direction or "", "holds")
    phase = {"start": ", seen at the start of a step", "both": ", at both ends of a step"}
    located = ", located within the step" if event.locate else ""
    lines = [f"{event.name}: when {event.text} {when}{phase.get(event.phase, '')}{located}"]
    lines += [f"    {action.target.name} = {action.text}" for action in event.actions]
    if event.log:
        lines.append(f"    logs {', '.join(column.label for column in event.log)}")
    return lines


def _stop(stop: StopSpec) -> str:
    return f"when {stop.text}{', located within the step' if stop.locate else ''}"


def _values(values: Mapping[str, Any]) -> list[str]:
    """Return values, several on a line."""
    # No line ends within an assignment: its spaces are no spaces until the lines are made.
    text = ", ".join(f"{name}\0=\0{_number(value)}" for name, value in values.items())
    return [line.replace("\0", " ") for line in textwrap.wrap(text, _WIDTH - 2)]


def _presets(spec: ModelSpec) -> list[str]:
    width = max(map(len, spec.presets), default=0)
    rows = {name: {**each.params, **each.states} for name, each in spec.presets.items()}
    return [
        f"{name:{width}}  {', '.join(f'{key} = {_number(value)}' for key, value in row.items())}"
        for name, row in rows.items()
    ]


def _defaults(spec: ModelSpec) -> list[str]:
    sim = spec.sim
    if spec.is_map:
        parts = [f"{sim.n_end} iterations"]
    else:
        parts = [f"t from {_number(sim.t0)} to {_number(sim.t_end)}", f"dt = {_number(sim.dt)}"]
    parts.append(f"stepper {sim.stepper}")
    parts += [f"at most {sim.max_steps} steps"] if sim.max_steps is not None else []
    parts += [f"{key} = {value}" for key, value in sim.options.items()]
    return [", ".join(parts)]


def _number(value: Any) -> str:
    """Return a number with as many digits as it needs."""
    plain = isinstance(value, float) and value.is_integer() and abs(value) < _LARGE
    return str(int(value)) if plain else repr(value)


def _latex(spec: ModelSpec) -> str:
    from dynlib.dsl.expr import to_latex

    form = "{}_{{n+1}}" if spec.is_map else r"\dot{{{}}}"
    rows = [
        f"{form.format(to_latex(state))} &= {to_latex(node)}"
        for state, node in zip(spec.state_nodes, spec.equations, strict=True)
    ]
    body = " \\\\\n".join(f"  {row}" for row in rows)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"
