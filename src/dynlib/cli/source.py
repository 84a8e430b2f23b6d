"""``dynlib source``: the code that is generated for a model."""

from __future__ import annotations

import click

from dynlib.cli._messages import Message
from dynlib.cli._options import mods_option, stepper_option
from dynlib.suggest import did_you_mean

__all__ = ["command"]

_WHOLE = "module"


@click.command("source")
@click.argument("model")
@click.option("--part", metavar="NAME", help="Only this part of it; --list names the parts.")
@click.option("--list", "listing", is_flag=True, help="Names of the parts, one a line.")
@stepper_option
@mods_option
def command(
    model: str, part: str | None, listing: bool, stepper: str | None, mods: tuple[str, ...]
) -> None:
    """Print the Python code that is generated, and compiled, for MODEL.

    Nothing is compiled for this.
    """
    from dynlib.compiler.build import build

    sources = build(model, stepper=stepper, mods=mods, jit=False).sources
    if listing:
        click.echo("\n".join(sources))
        return
    part = part or _WHOLE
    if part not in sources:
        raise Message(
            f"{model} has no part {part!r}.{did_you_mean(part, sources)} "
            f"There are: {', '.join(sources)}."
        )
    click.echo(sources[part].rstrip())
