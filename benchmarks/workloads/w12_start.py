"""W12: a new process, from its first line to its first trajectory."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from workload import OURS, PEER, Task, Workload

MODELS = {OURS: "builtin://ode/lorenz", PEER: "builtin://ode/lorenz.toml"}
SCRIPT = """
import time
start = time.perf_counter()
from dynlib import setup
sim = setup({model!r}, stepper="rk4", jit=True, disk_cache=True)
sim.run(T=1.0)
print("seconds", time.perf_counter() - start)
"""
EMPTY, FILLED = ", empty cache", ", filled cache"

workload = Workload("W12", "Lorenz, rk4, T = 1: new process, import to result", "s", 1.0, repeats=5)
workload.goal(OURS + EMPTY, 1.5)
workload.goal(OURS + FILLED, 0.6)


def _first_trajectory(model: str, home: str) -> float:
    caches = {"HOME": "", "XDG_CACHE_HOME": "cache", "DYNLIB_CACHE_DIR": "dynlib"}
    out = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(model=model)],
        env={**os.environ, **{name: str(Path(home, part)) for name, part in caches.items()}},
        check=False,
        capture_output=True,
        text=True,
    )
    if out.returncode:
        raise RuntimeError(out.stderr)
    return float(out.stdout.split()[-1])


def _with_empty_cache(model: str) -> Task:
    def task() -> float:
        with tempfile.TemporaryDirectory() as home:
            return _first_trajectory(model, home)

    return task


def _with_filled_cache(model: str) -> Task:
    home = tempfile.TemporaryDirectory()
    return lambda: _first_trajectory(model, home.name)


@workload.side(OURS + EMPTY, measures_itself=True)
def ours_empty() -> Task:
    return _with_empty_cache(MODELS[OURS])


@workload.side(PEER + EMPTY, "peer", measures_itself=True)
def peer_empty() -> Task:
    return _with_empty_cache(MODELS[PEER])


@workload.side(OURS + FILLED, measures_itself=True)
def ours_filled() -> Task:
    return _with_filled_cache(MODELS[OURS])


@workload.side(PEER + FILLED, "peer", measures_itself=True)
def peer_filled() -> Task:
    return _with_filled_cache(MODELS[PEER])
