"""Errors of the user are printed as the messages they are, on standard error, with status 1."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click

from dynlib.errors import DynlibError

__all__ = ["Interrupted", "Message", "in_options", "messages"]

# How arguments of Python, as messages name them, are called on the command line.
_WORDS = (
    (r"\(Stride\(k=1\)\)", "(--plan all)"),
    (r"\(Stride\(k=(\d+)\)\)", r"(--stride \1)"),
    (r"\(TailWindow\(n=(\d+), k=1\)\)", r"(--tail \1)"),
    (r"\(TailWindow\(n=(\d+), k=(\d+)\)\)", r"(--tail \1 --stride \2)"),
    (r"\bplan=Stride\((\d+)\)", r"--stride \1"),
    (r"\bplan=TailWindow\((\w+)\)", r"--tail \1"),
    (r"\bplan=FinalState\(\)", "--plan final"),
    (r"\bout='([^']*)'", r"--out \1"),
    (r"\bt_eval=(\.\.\.|\[\.\.\.\])", "--t-eval FIRST:LAST:COUNT"),
    (r"\b(times in|with) t_eval\b", r"\1 --t-eval"),
    (r"\(t_eval\)", "(--t-eval)"),
)


class Message(click.ClickException):
    """A message that ends the command with status 1 and is printed without decoration."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message."""
        click.echo(self.format_message(), file=file, err=file is None)


class Interrupted(Message):
    """What to say after Ctrl-C; the status is the one that shells report for it."""

    exit_code = 130


def in_options(message: str) -> str:
    """A message that speaks of options where Python has arguments.

    Examples
    --------
    >>> in_options("plan=Stride(218) needs 9 GB; out='sweep.zarr' needs no more")
    '--stride 218 needs 9 GB; --out sweep.zarr needs no more'
    """
    for argument, option in _WORDS:
        message = re.sub(argument, option, message)
    return message


@contextmanager
def messages() -> Iterator[None]:
    """Turn what a user can repair into a `Message`; what only we can repair keeps its traceback."""
    try:
        yield
    except DynlibError as error:
        raise Message(in_options(str(error))) from error
    except KeyboardInterrupt as error:
        raise Interrupted("interrupted") from error
    except MemoryError as error:
        raise Message(
            f"not enough memory{f': {error}' if str(error) else ''}. "
            "Record less (--record, --t-eval, --transient), or make fewer runs at a time."
        ) from error
