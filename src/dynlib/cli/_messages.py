"""Errors of the user are printed as the messages they are, on standard error, with status 1."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click

from dynlib.errors import DynlibError
from dynlib.wording import read_by

__all__ = ["Interrupted", "Message", "as_option", "messages"]


class Message(click.ClickException):
    """A message that ends the command with status 1 and is printed without decoration."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message."""
        click.echo(self.format_message(), file=file, err=file is None)


class Interrupted(Message):
    """What to say after Ctrl-C; the status is the one that shells report for it."""

    exit_code = 130


def as_option(name: str, value: Any) -> str | None:
    """An argument of Python as the options that stand for it.

    Examples
    --------
    >>> from dynlib.plans import TailWindow
    >>> as_option("plan", TailWindow(100, 5)), as_option("out", "sweep.zarr")
    ('--tail 100 --stride 5', '--out sweep.zarr')
    """
    from dynlib.plans import FinalState, Stride, TailWindow  # most commands need no message

    match name, value:
        case "plan", Stride(k=1):
            return "--plan all"
        case "plan", Stride(k=k):
            return f"--stride {k}"
        case "plan", TailWindow(n=n, k=k):
            return f"--tail {n}" if k == 1 else f"--tail {n} --stride {k}"
        case "plan", FinalState():
            return "--plan final"
        case "plan", _:
            return "--plan"
        case "out", None:
            return "--out"
        case "out", _:
            return f"--out {value}"
        case "t_eval", None:
            return "--t-eval"
        case "t_eval", _:
            return "--t-eval FIRST:LAST:COUNT"
    return None


@contextmanager
def messages() -> Iterator[None]:
    """Turn what a user can repair into a `Message`; what only we can repair keeps its traceback."""
    try:
        with read_by(as_option):
            yield
    except DynlibError as error:
        raise Message(str(error)) from error
    except KeyboardInterrupt as error:
        raise Interrupted("interrupted") from error
    except MemoryError as error:
        raise Message(
            f"not enough memory{f': {error}' if str(error) else ''}. "
            "Record less (--record, --t-eval, --transient), or make fewer runs at a time."
        ) from error
