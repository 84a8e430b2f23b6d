"""Threads wait between batches, and are nobody's trouble meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from fastpath.batches import same_batch, sim_of

from dynlib import BatchResults
from dynlib.plans import FinalState
from dynlib.runtime.fastpath.threads import Task

PROCESSORS = os.cpu_count() or 1

FORK = """
import os, sys, threading, warnings
warnings.simplefilter("error")
import numpy as np, dynlib
sim = dynlib.setup("builtin://ode/lorenz", stepper="rk4")

def batch():
    found = sim.batch(ic={"x": np.linspace(-5, 5, 200)}, T=0.5, dt=0.01, workers=2)
    return found["x"].tobytes()

before = batch()
assert threading.active_count() > 1
child = os.fork()
if child == 0:
    os._exit(0 if batch() == before == batch() else 1)
assert threading.active_count() == 1, threading.enumerate()
assert batch() == before
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def waiting() -> int:
    return sum(thread.name == "dynlib batch" for thread in threading.enumerate())


def soon(holds: Callable[[], bool]) -> bool:
    for _ in range(500):
        if holds():
            return True
        time.sleep(0.01)
    return False


def batch(workers: int) -> BatchResults:
    spread: dict[str, Any] = {"params": {"a": np.linspace(0.0, 1.2, 50)}}
    return sim_of("driven").batch(
        **spread, T=0.5, dt=0.1, plan=FinalState(), workers=workers, lanes=4
    )


def test_the_next_batch_has_the_thread_of_the_last() -> None:
    batch(2)
    before = waiting()
    for _ in range(5):
        batch(2)
    assert waiting() == before >= 1


def test_no_more_threads_wait_than_there_are_processors() -> None:
    all_at_work = threading.Barrier(PROCESSORS + 4)
    tasks = [Task(lambda: bool(all_at_work.wait()), set()) for _ in range(PROCESSORS + 3)]
    assert waiting() >= PROCESSORS + 3
    all_at_work.wait()
    assert all(task.wait() for task in tasks)
    assert soon(lambda: waiting() <= PROCESSORS)


def test_a_task_that_raises_keeps_what_it_raised() -> None:
    task = Task(lambda: 1 // 0, set())
    assert task.wait()
    assert isinstance(task.failure, ZeroDivisionError)
    before, done = waiting(), list[int]()
    assert Task(lambda: done.append(1), set()).wait()
    assert done == [1]
    assert waiting() == before


def test_a_task_that_goes_on_is_not_waited_for_longer_than_asked() -> None:
    gate = threading.Event()
    task = Task(gate.wait, set())
    assert not task.wait(0.01)
    gate.set()
    assert task.wait()


def test_a_thread_that_waits_keeps_nothing_alive() -> None:
    class Load:
        def work(self) -> None: ...

    load = Load()
    alive = weakref.ref(load)
    task = Task(load.work, set())
    assert task.wait()
    del task, load
    assert soon(lambda: alive() is None)


def test_batches_of_several_threads_disturb_each_other_in_nothing() -> None:
    alone = batch(1)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: batch(3), range(8)))
    assert all(same_batch(each, alone) for each in found)


@pytest.mark.skipif(not hasattr(os, "register_at_fork"), reason="no process forks here")
def test_who_forks_finds_no_other_threads_and_both_processes_go_on() -> None:
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
