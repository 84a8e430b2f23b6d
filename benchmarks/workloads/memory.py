"""memory: what a batch of a million runs takes beside its inputs and its outputs."""

import subprocess
import sys

from workload import OURS, Task, Workload

WHOLE = "ours, the whole process"
SCRIPT = r"""
import re
from pathlib import Path

import numpy as np

from dynlib import setup
from dynlib.plans import FinalState

RUNS = 1_000_000


def kib(name):
    return 1024 * int(re.search(rf"{name}:\s+(\d+)", Path("/proc/self/status").read_text())[1])


def batch(runs):
    ic = {name: np.linspace(1.0, 2.0, runs) for name in "xyz"}
    inputs = kib("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    return ic, inputs, sim.batch(ic=ic, T=0.01, dt=1e-3, plan=FinalState())


sim = setup("builtin://ode/lorenz", stepper="rk4")
batch(1000)
ic, before, res = batch(RUNS)
peak = kib("VmHWM")
assert res.ok.all()
outputs = sum(res.final[name].nbytes for name in res.final)
outputs += res.t_final.nbytes + res.status.nbytes + res.rows.nbytes
inputs = sum(values.nbytes for values in ic.values())
print("batch", peak - before - outputs, "whole", peak - inputs - outputs)
"""

workload = Workload(
    "memory",
    "1,000,000 Lorenz, final states only: peak of the resident set beside inputs and outputs",
    "MB",
    1.0,
    repeats=3,
)
workload.goal(OURS, 64.0)


def _measured(what: str) -> Task:
    """A process of its own each time; the first one leaves its kernel in the disk cache."""

    def task() -> float:
        command = [sys.executable, "-c", SCRIPT]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        words = done.stdout.split()
        return float(words[words.index(what) + 1]) / 2**20

    return task


@workload.side(OURS, measures_itself=True)
def ours() -> Task:
    return _measured("batch")


@workload.side(WHOLE, measures_itself=True)
def whole_process() -> Task:
    return _measured("whole")
