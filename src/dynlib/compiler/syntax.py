"""The syntax tree of a text, also where several threads parse at once."""

from __future__ import annotations

import ast
from threading import RLock

from dynlib.abi.forks import whole_after_fork

_ONE_AT_A_TIME = whole_after_fork(RLock(), level=9)
_ATTEMPTS = 100


def parse(text: str) -> ast.Module:
    """The tree of a text; what `ast.parse` does, in any number of threads.

    Python 3.11 counts the depth of the tree that it builds in a place that all threads share.
    Where it hands over to another thread meanwhile, it ends with SystemError, although nothing is
    wrong with the text.  Here one thread parses at a time; a program's own threads may still come
    between, so that such an end leads to another attempt.

    Raises
    ------
    SyntaxError, RecursionError, MemoryError
        As `ast.parse`.
    """
    with _ONE_AT_A_TIME:
        for _ in range(_ATTEMPTS):
            try:
                return ast.parse(text)
            except SystemError as error:
                failure = error
        raise failure
