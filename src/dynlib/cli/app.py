"""The command ``dynlib``: knows its sub-commands by name and loads the one that is asked for."""

from __future__ import annotations

import errno
import os
import sys
import warnings
from importlib import import_module
from typing import Any

import click

from dynlib import __version__
from dynlib.cli._messages import Interrupted, messages
from dynlib.suggest import did_you_mean

__all__ = ["app", "main"]

# The one-line helps stand here, so that `dynlib --help` need not import the commands.
_COMMANDS = {
    "run": "Run a model; print, draw or save the result.",
    "batch": "Run a model over a grid of values, in vector lanes on all cores.",
    "check": "Look for damage in saved results and stores.",
    "models": "List the built-in models.",
    "show": "Print a model: equations, values, presets, reference.",
    "new": "Write a commented model file to start from.",
    "validate": "Report all problems of a model; compile it too.",
    "source": "Print the code that is generated for a model.",
    "steppers": "List the numerical methods.",
    "cache": "Look after the cache of compiled code.",
}

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # of the disk that takes the output


class _Commands(click.Group):
    """A group that imports a sub-command when it is called, and guesses at misspelt ones."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"dynlib.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(
                f"no command {args[0]!r}.{did_you_mean(args[0], _COMMANDS)} "
                f"There are: {', '.join(_COMMANDS)}.",
                ctx,
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        with messages():
            return super().invoke(ctx)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="MODEL is a path or a URI such as builtin://ode/lorenz. "
    "`dynlib COMMAND --help` explains a command.",
)
@click.version_option(__version__, "-V", "--version", message="dynlib %(version)s")
def app() -> None:
    """Write a dynamical system once, as a TOML model; run it at the speed of hand-written C."""


def _show_warning(message: Warning | str, *where: object, **more: object) -> None:
    """Print a warning without the place in our code that gave it."""
    click.echo(f"warning: {message}", err=True)


def _leave(end: SystemExit) -> None:
    """After Ctrl-C, end at once where the process would wait for LLVM, whose work is not needed."""
    beside = sys.modules.get("dynlib.compiler.jit.compile_thread")
    if end.code == Interrupted.exit_code and beside is not None and beside.still_at_work():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(Interrupted.exit_code)


def main() -> None:
    """Run the command line; ends the process with status 0, 1 or 2."""
    warnings.showwarning = _show_warning
    if sys.stdout is None:  # closed by the shell: `dynlib models >&-`
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - as long as the process
    try:
        app(prog_name="dynlib")
    except SystemExit as end:
        _leave(end)
        raise
    except OSError as error:
        if error.errno not in _FULL:
            raise
        click.echo(f"cannot write the output: {error.strerror}", err=True)
        # What is still to be written would fail once more when the process ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
