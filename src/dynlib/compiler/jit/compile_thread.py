"""Short compiles in a thread of their own, so that Ctrl-C is heard while LLVM works.

LLVM cannot be interrupted.  Who waits for it can: the call ends at once, LLVM goes on for as long
as a short compile takes, and nobody uses what comes of it.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from functools import partial
from typing import Any

from dynlib.abi.aside import Aside
from dynlib.compiler.jit.native import ObjectCode, emit_object

__all__ = ["emit_in_thread", "still_at_work"]

_left: list[Aside] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_left.clear)  # whose threads are not there


def still_at_work() -> bool:
    """Whether LLVM goes on with something that nobody waits for."""
    return any(not work.done for work in _left)


def emit_in_thread(assembly: str, symbol: str, **how: Any) -> ObjectCode:
    """The same as `emit_object`, in a thread that Ctrl-C does not wait for."""
    if threading.current_thread() is not threading.main_thread():
        return emit_object(assembly, symbol, **how)  # signals go to the main thread
    while _left:  # LLVM does one thing at a time
        with suppress(Exception):  # nobody wants to know how that ended
            _left[-1].result()
        _left.pop()
    try:
        # Not a daemon: a process must not end while LLVM works in it.
        _left.append(Aside(partial(emit_object, assembly, symbol, **how), daemon=False))
    except RuntimeError:  # the process is about to end, or has no more threads
        return emit_object(assembly, symbol, **how)
    made: ObjectCode = _left[-1].result()
    _left.pop()  # who is interrupted before leaves it there
    return made
