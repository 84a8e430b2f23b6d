"""Long compiles in a process of their own, which Ctrl-C can end.

LLVM cannot be interrupted: once entered, it comes back when it is done, which takes seconds for
large models.  A process can be ended at any time.  Starting one costs a tenth of a second, so
short compiles stay where they are (`beside`).

The process ends with the one that started it, however that ends: its standard input is open for as
long as somebody waits for the answer.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from threading import Thread
from typing import Any

from dynlib.abi.aside import Aside
from dynlib.compiler.jit.compile_thread import emit_in_thread
from dynlib.compiler.jit.native import ObjectCode, emit_object
from dynlib.errors import CompilationError

__all__ = ["emit_in_process", "serve"]

_PROGRAM = """
import sys
sys.path[:] = {path!r}
from dynlib.compiler.jit.compile_process import serve
serve()
"""
_SIZE = 8  # bytes of the length that stands before the work


def emit_in_process(
    assembly: str, symbol: str, *, linked: Sequence[str] = (), **how: Any
) -> ObjectCode:
    """The same as `emit_object`, in another process, which Ctrl-C ends at once.

    Raises
    ------
    CompilationError
        If LLVM's process was ended from outside, as it is where memory is too small.
    """
    work = pickle.dumps((assembly, symbol, {"linked": tuple(linked), **how}))
    try:
        made, code = _Other(work).answer()
    except (OSError, RuntimeError):  # no Python to start, or no more processes or threads
        return emit_in_thread(assembly, symbol, linked=linked, **how)
    if code < 0:
        raise CompilationError(
            f"LLVM was ended by {_name(-code)} while it compiled {len(assembly) / 1e6:.1f} MB of "
            "assembly. If memory was too small, make the model smaller or use jit=False."
        )
    if code or not made:
        return emit_in_thread(assembly, symbol, linked=linked, **how)
    found: ObjectCode = pickle.loads(made)  # made by our own process
    return found


def _start() -> subprocess.Popen[bytes]:
    """A process that waits for work; Ctrl-C in a terminal goes to us, and not to it."""
    if not sys.executable:
        raise OSError("nobody knows which Python this is")
    program = _PROGRAM.format(path=sys.path)
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


class _Other:
    """Another process at work, and a thread that starts it, talks to it and waits for its end.

    A process that is interrupted while it starts another one would not know of it.
    """

    def __init__(self, work: bytes) -> None:
        self._work = work
        self._child: subprocess.Popen[bytes] | None = None
        self._left = False

    def answer(self) -> tuple[bytes, int]:
        """What it answers, and its status; Ctrl-C ends it."""
        talk = None
        try:
            talk = Aside(self._talk, daemon=True)
            found: tuple[bytes, int] = talk.result()
            return found
        except BaseException:
            self._leave()
            if talk is not None:
                talk.end(self._leave)
            raise

    def _leave(self) -> None:
        self._left = True
        if self._child is not None:
            self._child.kill()

    def _talk(self) -> tuple[bytes, int]:
        child = self._child = _start()
        if self._left:
            child.kill()
        assert child.stdin is not None
        assert child.stdout is not None
        gone = suppress(BrokenPipeError)  # it ended early, and its status says why
        with gone, child.stdin, child.stdout:
            with gone:
                child.stdin.write(len(self._work).to_bytes(_SIZE, "little") + self._work)
                child.stdin.flush()
            made = child.stdout.read()
            child.wait()  # its input stays open until then, or it would end before
        return made, child.returncode


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def serve() -> None:
    """Compile what stands on standard input; the object code goes to standard output.

    Instructions are not put in order once more after registers have been chosen: that takes LLVM a
    time with the square of the length, and processors of today do it themselves.
    """
    import llvmlite.binding

    size = int.from_bytes(sys.stdin.buffer.read(_SIZE), "little")
    assembly, symbol, how = pickle.loads(sys.stdin.buffer.read(size))
    Thread(target=_end_with_the_other, daemon=True).start()
    llvmlite.binding.set_option("dynlib", "-disable-post-ra")
    made = emit_object(assembly, symbol, **how)
    sys.stdout.buffer.write(pickle.dumps(made))


def _end_with_the_other() -> None:
    """End this process as soon as nobody holds the other end of its standard input."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)
