"""compile: from nothing to a batch kernel, in a new process with an empty cache."""

import json
import subprocess
import sys

from models import ring
from workload import Task, Workload

SIZES = (3, 4, 8, 16)
STEPPERS = ("rk4", "rk45")
LIMIT = 1.5
SCRIPT = """
import json
import sys
from time import perf_counter, process_time

import numba
import numpy as np

from dynlib import setup
from dynlib.plans import FinalState

sim = setup(sys.stdin.read(), stepper=sys.argv[1], disk_cache=False)


def seconds():
    start = {"wall": perf_counter(), "cpu": process_time()}
    ic = {"x0": np.linspace(0.0, 1.0, 64)}
    res = sim.batch(ic=ic, T=0.01, dt=0.01, plan=FinalState(), workers=1)
    assert res.ok.all()
    return {"wall": perf_counter() - start["wall"], "cpu": process_time() - start["cpu"]}


first, second = seconds(), seconds()
print(json.dumps({clock: first[clock] - second[clock] for clock in first}))
"""

workload = Workload(
    "compile", "a batch kernel, compiled for the first time in a new process", "s", 1.0, repeats=3
)


def _first_batch(size: int, stepper: str) -> Task:
    """What the first batch of a process takes longer than the second; importing Numba is W12's."""

    def task() -> dict[str, float]:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, stepper],
            input=ring(size),
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        return json.loads(done.stdout)

    return task


for _stepper in STEPPERS:
    for _size in SIZES:
        _name = f"{_size} states, {_stepper}"
        workload.side(_name, measures_itself=True)(
            lambda size=_size, stepper=_stepper: _first_batch(size, stepper)
        )
        workload.goal(_name, LIMIT)
