"""``dynlib validate``: all problems of a model, before it costs a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

from dynlib.cli._messages import Message
from dynlib.cli._options import mods_option, stepper_option
from dynlib.errors import DynlibError

__all__ = ["command"]


@click.command("validate")
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option("--no-compile", is_flag=True, help="Check the document only.")
@stepper_option
@mods_option
def command(
    models: tuple[str, ...], no_compile: bool, stepper: str | None, mods: tuple[str, ...]
) -> None:
    """Report all problems of each MODEL, with line and caret; compile those that have none.

    A mod has a problem if it can be applied neither alone nor after one of the others.  The exit
    status is 0 only if every model is sound.
    """
    failed = 0
    for model in models:
        try:
            click.echo(_check(model, stepper, mods, compiled=not no_compile))
        except DynlibError as error:
            failed += 1
            click.echo(str(error), err=True)
    if failed and len(models) > 1:
        raise Message(f"\n{failed} of {len(models)} models have problems")
    if failed:
        raise click.exceptions.Exit(1)


def _check(model: str, stepper: str | None, mods: tuple[str, ...], *, compiled: bool) -> str:
    """Return what there is to say about a sound model."""
    from dynlib.compiler.build import build

    built = build(model, stepper=stepper, mods=mods)
    spec = built.spec
    problems = list(_broken_mods(model, spec.mods))
    if problems:
        raise DynlibError("\n\n".join(problems))
    if compiled:
        built.runner()
    parts = [
        _count(len(spec.states), "state"),
        _count(len(spec.params), "parameter"),
        _count(len(spec.events), "event") if spec.events else "",
        _count(len(spec.mods), "mod") if spec.mods else "",
        f"compiles with {built.stepper.name}" if compiled else "not compiled",
    ]
    return f"{spec.label or model}: ok ({', '.join(filter(None, parts))})"


def _broken_mods(model: str, names: Iterable[str]) -> Iterator[str]:
    """Return a message for each mod of the document that cannot be applied."""
    from dynlib.dsl.paths import split_fragment

    place, _ = split_fragment(model)
    for name in names:
        message = _problems(place, [name])
        others = (_problems(place, [other, name]) for other in names if other != name)
        if message and all(others):
            yield f"mod {name!r} of {message}"


def _problems(place: str, mods: list[str]) -> str:
    from dynlib.dsl import load_model

    try:
        load_model(place, mods=mods)
    except DynlibError as error:
        return str(error)
    return ""


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
