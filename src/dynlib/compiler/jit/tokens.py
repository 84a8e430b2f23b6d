"""A word for an object that has no content to compare: its own for as long as the object lives."""

from __future__ import annotations

import os
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

__all__ = ["token"]

_KEPT = 256
_alive: dict[int, tuple[Callable[[], Any], str]] = {}
_kept: OrderedDict[int, tuple[Any, str]] = OrderedDict()  # which nothing can refer to weakly


def token(thing: object) -> str:
    """A word that no other object ever has, in this process or another.

    Examples
    --------
    >>> one, other = {1}, {1}
    >>> token(one) == token(one), token(one) == token(other)
    (True, False)
    """
    number = id(thing)
    if number in _alive:
        refer, word = _alive[number]
        if refer() is thing:
            return word
    if number in _kept:
        _kept.move_to_end(number)
        return _kept[number][1]
    word = os.urandom(16).hex()  # after a fork both processes go on, with different words
    try:
        refer = weakref.ref(thing, _forget(number))
    except TypeError:
        # Kept alive, so that no other takes its place; whoever is let go gets another word.
        _kept[number] = thing, word
        if len(_kept) > _KEPT:
            _kept.popitem(last=False)
    else:
        _alive[number] = refer, word
    return word


def _forget(number: int) -> Callable[[weakref.ref[Any]], None]:
    def forget(dead: weakref.ref[Any]) -> None:
        found = _alive.get(number)
        if found is not None and found[0] is dead:
            del _alive[number]

    return forget
