"""Long compiles in a process of their own, which Ctrl-C can end.

LLVM cannot be interrupted: once entered, it comes back when it is done, which takes seconds for
large models.  A process can be ended at any time.  Starting one costs a tenth of a second, so
short compiles stay where they are.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Sequence

from dynlib.compiler.jit.native import ObjectCode, emit_object
from dynlib.errors import CompilationError

__all__ = ["emit_apart", "serve"]

_PROGRAM = """
import sys
sys.path[:] = {path!r}
from dynlib.compiler.jit.apart import serve
serve()
"""


def emit_apart(
    assembly: str, symbol: str, *, linked: Sequence[str] = (), alike: bool = False
) -> ObjectCode:
    """The same as `emit_object`, in another process, which Ctrl-C ends at once.

    Raises
    ------
    CompilationError
        If LLVM's process was ended from outside, as it is where memory is too small.
    """
    try:
        child = _start()
    except OSError:  # no Python to start, or no more processes
        return emit_object(assembly, symbol, linked=linked, alike=alike)
    made = _answer(child, pickle.dumps((assembly, symbol, tuple(linked), alike)))
    code = child.returncode
    if code < 0:
        raise CompilationError(
            f"LLVM was ended by {_name(-code)} while it compiled {len(assembly) / 1e6:.1f} MB of "
            "assembly. If memory was too small, make the model smaller or use jit=False."
        )
    if code or not made:
        return emit_object(assembly, symbol, linked=linked, alike=alike)
    found: ObjectCode = pickle.loads(made)  # made by our own process
    return found


def _start() -> subprocess.Popen[bytes]:
    """A process that waits for work; Ctrl-C in a terminal goes to us, and not to it."""
    program = _PROGRAM.format(path=sys.path)
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=os.name == "posix",
    )


def _answer(child: subprocess.Popen[bytes], work: bytes) -> bytes:
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        with child.stdin, child.stdout:
            try:
                child.stdin.write(work)
                child.stdin.close()
            except BrokenPipeError:
                pass  # it ended early, and its status says why
            made = child.stdout.read()
        child.wait()
        return made
    except BaseException:
        child.kill()
        child.wait()
        raise


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

    llvmlite.binding.set_option("dynlib", "-disable-post-ra")
    assembly, symbol, linked, alike = pickle.loads(sys.stdin.buffer.read())
    made = emit_object(assembly, symbol, linked=linked, alike=alike)
    sys.stdout.buffer.write(pickle.dumps(made))
