"""``dynlib validate``: all problems of a model, before it costs a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from dynlib.cli._messages import Message
from dynlib.cli._options import mods_option, stepper_option
from dynlib.errors import DynlibError

if TYPE_CHECKING:
    from dynlib.compiler.timings import Timings

__all__ = ["command"]

_PHASES = {
    "load": "the document read and checked",
    "derive": "its Jacobian, where the stepper needs it",
    "text": "Python code generated",
    "translate": "translated into LLVM assembly",
    "LLVM": "optimised, and made object code of",
    "load object": "brought into the process",
    "compile": "around these",
}


@click.command("validate")
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option("--no-compile", is_flag=True, help="Check the document only.")
@click.option(
    "-v", "--verbose", is_flag=True, help="Compile anew; print how long each phase takes."
)
@stepper_option
@mods_option
def command(
    models: tuple[str, ...],
    no_compile: bool,
    verbose: bool,
    stepper: str | None,
    mods: tuple[str, ...],
) -> None:
    """Report all problems of each MODEL, with line and caret; compile those that have none.

    A mod has a problem if it can be applied neither alone nor after one of the others.  The exit
    status is 0 only if every model is sound.
    """
    failed = 0
    for model in models:
        try:
            click.echo(_check(model, stepper, mods, compiled=not no_compile, verbose=verbose))
        except DynlibError as error:
            failed += 1
            click.echo(str(error), err=True)
    if failed and len(models) > 1:
        raise Message(f"\n{failed} of {len(models)} models have problems")
    if failed:
        raise click.exceptions.Exit(1)


def _check(
    model: str, stepper: str | None, mods: tuple[str, ...], *, compiled: bool, verbose: bool
) -> str:
    """Return what there is to say about a sound model."""
    from dynlib.abi.phases import listening, told
    from dynlib.compiler.build import build
    from dynlib.compiler.timings import Timings
    from dynlib.runtime.progress import progress_of

    timings = Timings()
    with listening(timings):
        built = build(model, stepper=stepper, mods=mods, disk_cache=not verbose)
    spec = built.spec
    problems = list(_broken_mods(model, spec.mods))
    if problems:
        raise DynlibError("\n\n".join(problems))
    if compiled:
        with listening(timings) if verbose else told(progress_of(None)):
            built.runner()
    parts = [
        _count(len(spec.states), "state"),
        _count(len(spec.params), "parameter"),
        _count(len(spec.events), "event") if spec.events else "",
        _count(len(spec.mods), "mod") if spec.mods else "",
        f"compiles with {built.stepper.name}" if compiled else "not compiled",
    ]
    line = f"{spec.label or model}: ok ({', '.join(filter(None, parts))})"
    return "\n".join([line, *_table(timings, compiled=compiled)]) if verbose else line


def _table(timings: Timings, *, compiled: bool) -> Iterator[str]:
    """Return the lines of what took how long, and of what came of it."""
    from dynlib.abi.phases import Phase

    if compiled and not timings.sizes:
        yield "  compiled before, by this command"
        return
    for phase, what in _PHASES.items():
        if compiled or phase in ("load", "derive"):
            yield f"  {phase:<12}{1e3 * timings.seconds[Phase(phase)]:>10.1f} ms  {what}"
    for what, amount in timings.sizes.items():
        yield f"  {what:<24}{amount:>10,}"


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
