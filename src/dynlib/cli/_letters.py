"""Errors of the user are printed as the letters they are, on standard error, with status 1."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click

from dynlib.errors import DynlibError

__all__ = ["Interrupted", "Letter", "letters"]


class Letter(click.ClickException):
    """A message that ends the command with status 1 and is printed without decoration."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message."""
        click.echo(self.format_message(), file=file, err=file is None)


class Interrupted(Letter):
    """What to say after Ctrl-C; the status is the one that shells report for it."""

    exit_code = 130


@contextmanager
def letters() -> Iterator[None]:
    """Turn what a user can repair into a `Letter`; what only we can repair keeps its traceback."""
    try:
        yield
    except DynlibError as error:
        raise Letter(str(error)) from error
    except KeyboardInterrupt as error:
        raise Interrupted("interrupted") from error
    except MemoryError as error:
        raise Letter(
            f"not enough memory{f': {error}' if str(error) else ''}. "
            "Record less (--record, --t-eval, --transient), or make fewer runs at a time."
        ) from error
