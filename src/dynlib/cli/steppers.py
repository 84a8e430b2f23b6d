"""``dynlib steppers``: the numerical methods."""

from __future__ import annotations

import click

from dynlib.cli._output import print_table

__all__ = ["command"]


@click.command("steppers")
def command() -> None:
    """List the numerical methods.

    Choose one with `dynlib run MODEL --stepper NAME`, or in the model under [sim].
    """
    from dynlib.steppers import registry

    titles = ("name", "for", "order", "step", "reference", "options")
    print_table(titles, [_row(each) for each in registry.describe()])


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
