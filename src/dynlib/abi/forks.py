"""Locks that are free in a process that was forked.

A fork copies the memory and one thread only.  Whatever another thread had locked would be
locked in the copy for ever, and what it was working on would be half done.  So a fork waits for
these locks, and gives them back in both processes.
"""

from __future__ import annotations

import os
import threading
from contextlib import AbstractContextManager
from typing import Any, TypeVar

__all__ = ["whole_after_fork"]

Lock = TypeVar("Lock", bound=AbstractContextManager[Any])

_locks: list[tuple[int, AbstractContextManager[Any]]] = []
_mine = threading.local()


def whole_after_fork(lock: Lock, level: int = 0) -> Lock:
    """The lock, for which forks wait from now on.

    Parameters
    ----------
    level
        Locks of a lower level are taken first; who holds one may wait for those of higher levels.

    Examples
    --------
    >>> turn = whole_after_fork(threading.RLock())
    """
    _locks.append((level, lock))
    _locks.sort(key=lambda each: each[0])
    return lock


def _take() -> None:
    _mine.taken = taken = []
    for _, lock in _locks:
        lock.__enter__()
        taken.append(lock)  # Ctrl-C may come while we wait: then the others are not taken


def _give_back() -> None:
    taken = getattr(_mine, "taken", [])
    while taken:
        taken.pop().__exit__(None, None, None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_take, after_in_parent=_give_back, after_in_child=_give_back)
