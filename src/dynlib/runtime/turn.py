"""One call at a time: what keeps the calls of a session apart.

A run changes its session in place, down to the arrays that compiled code writes to.  A second call
meanwhile would mix two runs.  So a call of another thread waits until it is its turn.  A call that
comes from within the first one, in the same thread, could wait for ever; it is refused.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from threading import RLock, get_ident
from typing import Any, TypeVar
from weakref import WeakSet

from dynlib.errors import SessionBusyError

__all__ = ["Turn", "in_turns"]

C = TypeVar("C", bound=type)
_LOST = -1  # instead of a thread: the one whose turn it was is not in this process
_PRIVATE = ("__reduce__", "__setstate__")  # for copies and pickles
_AFRESH = ("reset", "load_snapshot")  # put another state into the place of one that is lost


class Turn:
    """Whose turn it is.

    Attributes
    ----------
    lock
        Whoever holds it has the turn.
    owner
        The thread that is in a call; 0: none is.
    doing
        The name of that call.
    """

    __slots__ = ("__weakref__", "doing", "lock", "owner")

    def __init__(self) -> None:
        self.lock = RLock()
        self.owner = 0
        self.doing = ""
        _turns.add(self)

    def of(self, call: Callable[..., None]) -> Callable[..., None]:
        """A function that makes this call when it is its turn."""
        return _waiting(call, self)

    def check(self, name: str) -> None:
        """Refuse a call that comes while its own thread is in another one.

        Raises
        ------
        SessionBusyError
            Also where the turn was lost in a fork.
        """
        if self.owner != _LOST:
            raise SessionBusyError(
                f"sim.{name}() was called from within sim.{self.doing}() of the same session: by "
                "a progress function, a hook, a signal handler, or a number of a class of its "
                "own. A session does one thing at a time. Work with another one, copied before: "
                "other = sim.copy()."
            )
        if name not in _AFRESH:
            raise SessionBusyError(
                f"this process was forked while another thread was in sim.{self.doing}(), and the "
                "session was copied in the middle of it. Begin anew with sim.reset(), or fork "
                "while no run is going on."
            )


_turns: WeakSet[Turn] = WeakSet()


def _after_fork() -> None:
    """In a new process there is only the thread that forked; what others held is let go."""
    for turn in _turns:
        if turn.owner != get_ident():
            turn.lock = RLock()
            turn.owner = _LOST if turn.owner else 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def in_turns(*free: str) -> Callable[[C], C]:
    """A class all of whose public methods and properties wait for ``self._turn``.

    Parameters
    ----------
    free : str
        Methods, and properties as far as they are read, that need not: what they use of the
        session never changes, or they take turns themselves.
    """

    def decorate(cls: C) -> C:
        for name, value in list(vars(cls).items()):
            if name.startswith("_") and name not in _PRIVATE:
                continue
            if isinstance(value, property):
                get, put = value.fget, value.fset
                if get is not None and name not in free:
                    get = _waiting(get)
                setattr(cls, name, property(get, None if put is None else _waiting(put)))
            elif callable(value) and name not in free:
                setattr(cls, name, _waiting(value))
        return cls

    return decorate


def _waiting(call: Callable[..., Any], its: Turn | None = None) -> Callable[..., Any]:
    """The call, made when it is its turn: of a method, that of the object."""
    name = call.__name__

    @wraps(call)
    def waiting(*args: Any, **kwargs: Any) -> Any:
        turn: Turn = args[0]._turn if its is None else its
        # A lock's own `with` and no statement before `try`: Ctrl-C falls nowhere in between.
        with turn.lock:
            before = turn.owner
            if before:
                turn.check(name)
            try:
                turn.owner = get_ident()
                turn.doing = name
                result = call(*args, **kwargs)
                before = 0
                return result
            finally:
                turn.owner = before if before == _LOST else 0

    return waiting
