"""``dynlib steppers``: the numerical methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dynlib.cli._output import print_table

if TYPE_CHECKING:
    from dynlib.steppers.base import Stepper

__all__ = ["command"]


@click.command("steppers")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """List the numerical methods, or tell what there is to know of one.

    Choose one with `dynlib run MODEL --stepper NAME`, or in the model under [sim].
    """
    from dynlib.steppers import registry

    if name is not None:
        _print_one(registry.get(name), registry.source_of(registry.get(name)))
        return
    rows = registry.describe()
    titles = ["name", "for", "order", "step", "reference", "options"]
    if {each["package"] for each in rows} != {"dynlib"}:
        titles.append("from")
    print_table(titles, [(*_row(each), str(each["package"]))[: len(titles)] for each in rows])


def _row(stepper: dict[str, object]) -> tuple[str, ...]:
    options = stepper["options"]
    listed = ", ".join(map(str, options)) if isinstance(options, tuple | list) else ""
    is_map = stepper["kind"] == "map"
    return (
        str(stepper["name"]),
        "maps" if is_map else "flows",
        "-" if is_map else str(stepper["order"]),
        "adaptive" if stepper["adaptive"] else "-" if is_map else "fixed",
        str(stepper["reference"]),
        listed or "-",
    )


def _print_one(stepper: Stepper, source: str) -> None:
    """All that a stepper declares of itself."""
    own = {option.name for option in stepper.own_options}
    shared = [name for name in stepper.option_names if name not in own]
    step = "steps of its own" if stepper.adaptive else "fixed steps"
    flow = f"flows, of order {stepper.order}, {step}"
    click.echo(f"{stepper.name}: for {'maps' if stepper.kind == 'map' else flow}; {source}")
    click.echo(f"  reference  {stepper.reference}")
    if shared:
        click.echo(f"  options    {', '.join(shared)}")
    for option in stepper.own_options:
        taken = f"{option.accepted}; {option.default:g} if not given"
        click.echo(f"  option     {option.name}: {option.doc} ({taken})")
    for counter in stepper.counted:
        click.echo(f"  counts     {counter.name}: {counter.doc}")
    for failure in stepper.failures:
        click.echo(f"  may fail   {failure}")
    if not stepper.tangents:
        click.echo("  tangent vectors are not carried along")
