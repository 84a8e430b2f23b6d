"""How much work a document may be: it is counted, so every machine answers alike.

A unit is about a microsecond on a computer of 2024: a few characters read, a part of an expression
bound, an operation on constants.  What is counted is the whole document, not each expression.
"""

import os

from dynlib.errors import ConfigError

LOAD_LIMIT = 1_500_000
LOAD_VARIABLE = "DYNLIB_LOAD_LIMIT"


class TooMuchWork(Exception):
    """Reading the document is more work than the limit allows."""


class Work:
    """What has been done for one document, and how much may be.

    Parameters
    ----------
    limit : int
        In units.
    """

    def __init__(self, limit: int = LOAD_LIMIT) -> None:
        self.limit = limit
        self.done = 0

    def spend(self, units: int) -> None:
        """Count what is about to be done.

        Raises
        ------
        TooMuchWork
            If it is more than is left.
        """
        self.done += units
        if self.done > self.limit:
            raise TooMuchWork


def load_work() -> Work:
    """Return the work of one document, none of it done."""
    return Work(limit(LOAD_VARIABLE, LOAD_LIMIT))


def limit(variable: str, usual: int) -> int:
    """Return a limit: what the environment says, or else the usual one.

    Raises
    ------
    ConfigError
        The variable holds no whole number above 0.
    """
    text = os.environ.get(variable, "").strip()
    if not text:
        return usual
    digits = text.replace("_", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18 and int(digits)):
        raise ConfigError(f"{variable}: expected a whole number above 0, found {text[:40]!r}.")
    return int(digits)


def how_to_raise(variable: str, needed: int) -> str:
    """Return the sentence that says how a limit is raised."""
    return f"To allow more, set the environment variable {variable}, to {needed} say."
