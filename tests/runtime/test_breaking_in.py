"""What breaks into a run: Ctrl-C in a progress function, signal handlers that raise."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynlib import Sim, setup
from dynlib.abi.status import Status
from dynlib.observers import lyapunov_max
from dynlib.plans import FinalState
from dynlib.runtime.files import read_arrays, write_arrays

LONG = 8.0  # seconds that nobody should have to wait
MODEL = """
[model]
type = "ode"
[states]
x = 1.0
[params]
many = 10
[equations.rhs]
x = "-x*sum(1/(1 + j) for j in range(many))"
"""
HUGE = {"many": 1e13}


@pytest.fixture(scope="module")
def sim() -> Sim:
    return setup(MODEL, stepper="tsit5")


def waiting(what: Callable[[], Any]) -> Callable[[float, str], None]:
    """A progress function that waits for a thread, and is sent Ctrl-C while it does."""

    def progress(fraction: float, text: str) -> None:
        thread = threading.Thread(target=what, daemon=True)
        thread.start()
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        thread.join(LONG)

    return progress


def test_ctrl_c_ends_a_progress_function_that_waits_for_a_thread_of_the_same_session() -> None:
    sim = setup("builtin://map/logistic")
    began = time.monotonic()
    progress = waiting(lambda: sim.assign(r=3.0))  # which waits for the run to end
    res = sim.run(N=10**13, record=False, progress=progress)
    assert res.status is Status.USER_BREAK
    assert time.monotonic() - began < LONG
    assert sim.run(N=3).ok


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_ends_a_progress_function_of_a_batch(workers: int) -> None:
    sim = setup("builtin://map/logistic")
    began = time.monotonic()
    progress = waiting(lambda: time.sleep(LONG))
    r = np.linspace(1.0, 2.0, 300)
    many = {"params": {"r": r}, "N": 10**11, "plan": FinalState()}
    res = sim.batch(**many, workers=workers, progress=progress)
    assert Status.USER_BREAK in set(res.status.tolist())
    assert time.monotonic() - began < LONG


def test_an_exception_of_a_progress_function_is_its_own() -> None:
    def progress(fraction: float, text: str) -> None:
        raise KeyboardInterrupt

    sim = setup("builtin://map/logistic")
    with pytest.raises(KeyboardInterrupt):
        sim.run(N=10**13, record=False, progress=progress)


class TooLateError(Exception):
    pass


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """A program that gives up after so many seconds, by a handler that raises."""

    def ring(number: int, frame: Any) -> None:
        raise TooLateError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="no alarms on this system")
def test_no_loop_goes_on_behind_a_signal_handler_that_raises(sim: Sim) -> None:
    whole = sim.run(T=0.5)
    sim.run(T=0.25)
    sim.assign(**HUGE)
    with pytest.raises(TooLateError), alarm(0.2):
        sim.run(T=0.5, resume=True)
    assert sim.t == 0.25
    sim.reset()
    assert sim.run(T=0.5).final["x"] == whole.final["x"]  # and nobody writes to its arrays


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="no alarms on this system")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_batch_ends_after_a_signal_handler_that_raises(sim: Sim, workers: int) -> None:
    sim.batch(params={"many": np.array([1.0, 2.0])}, T=1.0)  # compiled
    began = time.monotonic()
    with pytest.raises(TooLateError), alarm(0.2):
        sim.batch(params={"many": np.full(100, 1e13)}, T=1.0, workers=workers)
    assert time.monotonic() - began < LONG


def test_a_snapshot_cannot_tell_loops_to_end(sim: Sim, tmp_path: Path) -> None:
    """The rows by which Ctrl-C tells them are 0 when a run begins, whatever a file says."""
    path = tmp_path / "x.snap"
    observers = [lyapunov_max()]
    sim.run(T=1.0, observers=observers)
    sim.save_snapshot(path)
    whole = sim.run(T=2.0, resume=True, observers=observers)
    arrays, meta = read_arrays(path, "snapshot", "dynlib snapshot")
    layout = sim.model.program.layout
    assert layout.heed == layout.workspace - 1
    arrays["machine_workspace"][layout.heed] = 1.0
    arrays["observed_workspace"][_heed(sim)] = 1.0
    write_arrays(path, arrays, meta)
    other = sim.copy()
    other.load_snapshot(path)
    rest = other.run(T=2.0, resume=True, observers=observers)
    assert rest.final["x"] == whole.final["x"]
    found = [res.observers["lyapunov_max"]["exponent"] for res in (rest, whole)]
    assert found[0] == found[1]


def _heed(sim: Sim) -> int:
    from dynlib.observers.kit.combined import combine

    heed = combine([lyapunov_max()], sim.spec, sim.model.stepper).heed
    assert heed is not None
    return heed
