"""``dynlib new``: a commented model file to start from."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from shlex import quote

import click

from dynlib.cli._messages import Message

__all__ = ["command"]


@click.command("new")
@click.argument("name")
@click.option(
    "--type",
    "kind",
    type=click.Choice(["ode", "map"]),
    default="ode",
    show_default=True,
    help="A flow (differential equations) or a map (iterations).",
)
@click.option("--force", is_flag=True, help="Write over a file that is there already.")
def command(name: str, kind: str, force: bool) -> None:
    """Write NAME.toml: a model that runs, commented, to be changed into your own.

    NAME may have folders in front of it and .toml behind.
    """
    path = _path(name)
    text = files("dynlib.cli").joinpath("templates", f"{kind}.toml").read_text("utf-8")
    try:
        with path.open("w" if force else "x", encoding="utf-8") as stream:
            stream.write(_filled(text, path))
    except FileExistsError:
        raise Message(f"{path} exists already. Choose another name, or add --force.") from None
    except FileNotFoundError:
        raise Message(f"cannot write {path}: there is no folder {path.parent}") from None
    except OSError as error:
        raise Message(f"cannot write {path}: {error.strerror or error}") from error
    model, picture = quote(str(path)), quote(str(path.with_suffix(".png")))
    click.echo(f"wrote {path}\ntry:  dynlib run {model} --plot {picture}")


def _filled(text: str, path: Path) -> str:
    """The template under its new name; in the commands in it, as a shell wants the name."""
    for suffix in (".toml", ".png"):
        text = text.replace(f"@NAME@{suffix}", quote(f"{path.stem}{suffix}"))
    return text.replace("@NAME@", path.stem)


def _path(name: str) -> Path:
    path = Path(name)
    stem = path.name.removesuffix(".toml")
    if not stem or any(not each.isprintable() or each in '"\\' for each in stem):
        raise click.BadParameter(f"{name!r} does not make a file name", param_hint="NAME")
    return path.with_name(f"{stem}.toml")
