"""Ctrl-C at any moment of a compile: heard at once, and nothing is left of it but a usable session.

With ``-m slow`` within a fifth of a second, and for a model of 1,000 states.
"""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from promptness import in_time, promises

from dynlib import Sim, setup
from dynlib.abi import phases
from dynlib.abi.phases import Phase
from dynlib.compiler.codegen import point_runner, runner_variants
from dynlib.compiler.codegen.families import Family
from dynlib.compiler.codegen.printed import text_of
from dynlib.compiler.codegen.runner_text import _lanes
from dynlib.compiler.jit import compile_thread, translated
from dynlib.runtime import progress


def ring(cells: int) -> str:
    """Lorenz 96."""
    states = "\n".join(f"x{i} = {1 + 0.01 * (i == 0)}" for i in range(cells))
    names = [(i, (i + 1) % cells, (i - 2) % cells, (i - 1) % cells) for i in range(cells)]
    rhs = "\n".join(f'x{i} = "(x{a} - x{b})*x{c} - x{i} + F"' for i, a, b, c in names)
    return (
        f'[model]\ntype = "ode"\nname = "ring"\n[states]\n{states}\n[params]\nF = 8.0\n'
        f"[equations.rhs]\n{rhs}\n"
    )


CELLS = 5
ALL = (Phase.TEXT, Phase.TRANSLATE, Phase.LLVM)
WAYS: dict[str, Callable[[Sim], Any]] = {
    "run": lambda sim: sim.run(T=0.1, dt=0.05).final["x0"],
    "batch": lambda sim: sim.batch(params={"F": np.array([8.0, 9.0])}, T=0.1, dt=0.05).final["x0"],
    "flow": lambda sim: sim.flow(np.full((2, CELLS), 2.0), 0.1, dt=0.05),
    "equations": lambda sim: sim.equations.jacobian(np.ones(CELLS)),
}


@pytest.fixture(autouse=True)
def nothing_watches_collections() -> Iterator[None]:
    """Hypothesis measures collections in callbacks, and what is raised in a callback is dropped."""
    callbacks = gc.callbacks[:]
    gc.callbacks.clear()
    yield
    gc.callbacks.extend(callbacks)


class Presser:
    """A listener that has Ctrl-C come a moment after a phase has begun."""

    def __init__(self, which: Phase, after: float) -> None:
        self.which, self.after, self.sent = which, after, 0.0
        self.timers: list[threading.Timer] = []

    def begin(self, which: Phase) -> None:
        if which is self.which and not self.timers:
            self.timers.append(threading.Timer(self.after, self.press))
            self.timers[0].start()

    def press(self) -> None:
        self.sent = time.monotonic()
        os.kill(os.getpid(), signal.SIGINT)

    def end(self, which: Phase) -> None:
        pass

    def tick(self) -> None:
        pass

    def note(self, what: str, amount: int) -> None:
        pass


def heard_by(listener: phases.Listener | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a listener hear of all compiles, and no kernel be found in memory."""
    monkeypatch.setattr(phases, "_makers", [lambda _: listener])
    forget_kernels(monkeypatch)


def forget_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_variant_cache_continuous", "_variant_cache_discrete"):
        monkeypatch.setattr(runner_variants, name, OrderedDict())
    monkeypatch.setattr(point_runner, "_kept", OrderedDict())


@pytest.mark.parametrize(
    ("way", "which", "apart"),
    [
        *((way, which, False) for way in ("run", "equations") for which in ALL),
        *(("batch", which, False) for which in (Phase.TEXT, Phase.LLVM)),
        ("flow", Phase.LLVM, False),
        *((way, Phase.LLVM, True) for way in ("run", "equations")),
    ],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@promises
def test_ctrl_c_ends_a_compile(
    way: str,
    which: Phase,
    apart: bool,
    promised: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if apart:
        monkeypatch.setattr(translated, "_LONG", 1)
    sim = setup(ring(CELLS), disk_cache=False)
    before = psutil.Process().children()  # such as the one that looks after multiprocessing

    def interrupted() -> tuple[None, float]:
        nonlocal sim
        sim = setup(ring(CELLS), disk_cache=False)  # a kernel that came to be is not found again
        presser = Presser(which, after=0.002)
        heard_by(presser, monkeypatch)
        ended = 0.0
        try:
            WAYS[way](sim)
            presser.timers[0].join()  # it was too quick, or Python dropped it in a finalizer
            time.sleep(0.1)
        except KeyboardInterrupt:
            ended = time.monotonic()
        return None, ended - presser.sent if ended else np.inf

    in_time(interrupted, promised if promised < np.inf else 5.0)
    last = time.monotonic() + 2.0  # one that was being started ends in a moment
    while set(psutil.Process().children()) - set(before) and time.monotonic() < last:
        time.sleep(0.01)
    assert set(psutil.Process().children()) <= set(before)
    heard_by(None, monkeypatch)
    monkeypatch.setattr(translated, "_LONG", 1 << 40)
    assert np.all(WAYS[way](sim) == expected(way))


_expected: dict[str, Any] = {}


def expected(way: str) -> Any:
    if way not in _expected:
        _expected[way] = WAYS[way](setup(ring(CELLS)))
    return _expected[way]


def test_no_half_of_what_templates_use_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C at each of the first moments of making the text of lanes; then it is the same text."""
    usual = text_of([_lanes().template("fast_run").node])
    left = [0]
    use = Family._use

    def interrupted(*args: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        use(*args)

    monkeypatch.setattr(Family, "_use", interrupted)
    family = _lanes.__wrapped__()
    for moment in range(1, 600, 37):
        left[0] = moment
        with suppress(KeyboardInterrupt):  # in the end it comes too late
            _ = family.template("fast_run").node
    assert text_of([family.template("fast_run").node]) == usual


def test_the_next_compile_waits_for_one_that_was_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """LLVM does one thing at a time."""
    busy, most = [], []
    emit = compile_thread.emit_object

    def counted(*args: Any, **how: Any) -> Any:
        busy.append(1)
        most.append(len(busy))
        time.sleep(0.6)
        try:
            return emit(*args, **how)
        finally:
            busy.pop()

    monkeypatch.setattr(compile_thread, "emit_object", counted)
    heard_by(Presser(Phase.LLVM, after=0.05), monkeypatch)
    sim = setup(ring(4), disk_cache=False)
    with pytest.raises(KeyboardInterrupt):
        WAYS["run"](sim)
    assert compile_thread.still_at_work()
    WAYS["run"](sim)
    assert not compile_thread.still_at_work()
    assert most == [1, 1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_fork_does_not_wait_for_a_compile_that_was_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The new process has no thread that could end it."""
    emit = compile_thread.emit_object
    monkeypatch.setattr(compile_thread, "emit_object", lambda *_, **__: time.sleep(0.5))
    heard_by(Presser(Phase.LLVM, after=0.05), monkeypatch)
    sim = setup(ring(4), disk_cache=False)
    with pytest.raises(KeyboardInterrupt):
        WAYS["run"](sim)
    assert compile_thread.still_at_work()
    monkeypatch.setattr(compile_thread, "emit_object", emit)
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(20)
            WAYS["run"](sim)
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_compile_that_fails_in_a_thread_says_why() -> None:
    with pytest.raises(RuntimeError, match="parsing error"):
        compile_thread.emit_in_thread("this is no assembly", "dynlib_kernel")


PARENT = """
import sys
from dynlib.compiler.jit import compile_process

start = compile_process._start

def told():
    child = start()
    print(child.pid, flush=True)
    return child

compile_process._start = told
text = "define i32 @f() {\\n" + "\\n".join(
    f"  %a{i} = add i32 {i}, 1" for i in range(10**6)
) + "\\n  ret i32 %a1\\n}\\n"
while True:
    compile_process.emit_in_process(text, "f")
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal on this system")
def test_no_process_outlives_the_one_that_started_it() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        child = psutil.Process(int(parent.stdout.readline()))
        time.sleep(0.3)
        parent.kill()
        parent.wait()
    psutil.wait_procs([child], timeout=20)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


# --- what a long compile says ---------------------------------------------------------------------


@pytest.mark.parametrize("way", ["run", "batch"])
def test_a_progress_function_hears_what_is_compiled(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_PATIENCE", -1.0)  # as if a second had passed
    monkeypatch.setattr(progress, "_BETWEEN", -1.0)
    heard: list[tuple[float, str]] = []
    sim = setup(ring(5), disk_cache=False)
    told: Any = lambda *what: heard.append(what)  # noqa: E731
    if way == "run":
        sim.run(T=0.1, progress=told)
    else:
        sim.batch(params={"F": np.array([1.0, 2.0])}, T=0.1, progress=told)
    assert {fraction for fraction, _ in heard} == {0.0}
    words = list(dict.fromkeys(text.rpartition(",")[0] for _, text in heard))
    assert [word.removeprefix("compiling: ") for word in words] == [
        "compiling", "text", "translate", "LLVM", "load object"
    ]  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_terminal_shows_what_is_compiled_and_is_wiped(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal:
        written = ""

        def isatty(self) -> bool:
            return True

        def write(self, text: str) -> None:
            self.written += text

        def flush(self) -> None:
            pass

    for name in ("_PATIENCE", "_BETWEEN"):
        monkeypatch.setattr(progress, name, -1.0)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    forget_kernels(monkeypatch)
    sim = setup(ring(CELLS), disk_cache=False)
    if way in ("run", "batch"):
        many = {"params": {"F": np.array([1.0, 2.0])}} if way == "batch" else {}
        getattr(sim, way)(T=0.1, progress=False, **many)
        assert terminal.written == ""
        forget_kernels(monkeypatch)
        sim = setup(ring(CELLS), disk_cache=False)
    WAYS[way](sim)
    assert "compiling: " in terminal.written
    assert terminal.written.split("\r")[-1] == ""


# --- a large model --------------------------------------------------------------------------------

LARGE = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
import numpy as np
from dynlib import setup

sim = setup(sys.stdin.read())
print("ready", flush=True)
try:
    sim.batch(params={"F": np.array([8.0, 9.0])}, T=0.01, progress=False)
except KeyboardInterrupt:
    print(time.monotonic(), flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT to send there")
@pytest.mark.parametrize("moment", [0.02, 0.1, 0.2, 0.4, 0.8, 1.5, 2.5, 6.0])
def test_a_compile_of_a_thousand_states_ends(moment: float, tmp_path: Path) -> None:
    def interrupted() -> tuple[None, float]:
        child = subprocess.Popen(
            [sys.executable, "-c", LARGE],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "DYNLIB_CACHE_DIR": str(tmp_path)},
        )  # fmt: skip
        with child:
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(ring(1000))
            child.stdin.close()
            assert child.stdout.readline() == "ready\n"
            time.sleep(moment)
            others = psutil.Process(child.pid).children()
            sent = time.monotonic()
            child.send_signal(signal.SIGINT)
            ended = float(child.stdout.readline())
        assert psutil.wait_procs(others, timeout=1)[1] == []
        return None, ended - sent

    in_time(interrupted, 0.2)
    assert not list(tmp_path.rglob("*.part"))
    assert not list(tmp_path.rglob("*.kernel"))
