"""The syntax tree of a text, also where several threads parse at once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from threading import RLock

from dynlib.abi.forks import whole_after_fork

_ONE_AT_A_TIME = whole_after_fork(RLock(), level=9)
_ATTEMPTS = 100

__all__ = ["children", "parse", "walk"]


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


def walk(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree but operators and contexts; as `ast.walk`, in less than half its time."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += children(node)


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes right below one, without operators and contexts."""
    found: list[ast.AST] = []
    for name in _fields(node._fields):
        value = getattr(node, name, None)
        if isinstance(value, list):
            found += [part for part in value if isinstance(part, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


@cache
def _fields(fields: tuple[str, ...]) -> tuple[str, ...]:
    without = ("ctx", "op", "ops", "type_comment", "kind")
    return tuple(name for name in fields if name not in without)
