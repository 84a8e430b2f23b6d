"""Ctrl-C while Numba is being imported: heard, and the process can still compile."""

import subprocess
import sys

import pytest

# The signal comes as soon as a module of this name is looked for, in the middle of its package.
CODE = """
import signal, sys
from dynlib import setup
from dynlib.observers import ObserverModule

# What a user writes is compiled by Numba.
def count(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws, analysis_ws, analysis_out,
    trace_buf, trace_count, trace_cap, trace_stride,
):
    analysis_out[0, lane] += 1.0

class Presses:
    pressed = False
    def find_spec(self, name, path=None, target=None):
        if name == {module!r} and not self.pressed:
            self.pressed = True
            signal.raise_signal(signal.SIGINT)

presses = Presses()
sys.meta_path.insert(0, presses)
sim = setup("builtin://map/logistic", disk_cache=False)
watched = {{"N": 10, "observers": [ObserverModule("n", outputs=["n"], post_step=count)]}}
try:
    sim.run(**watched)
except KeyboardInterrupt:
    print("heard" if presses.pressed else "by whom?")
print(sim.run(**watched).status)
"""


@pytest.mark.parametrize(
    "module", ["numba.core.types", "numba.np.arraymath", "numba.experimental.jitclass"]
)
def test_a_second_attempt_compiles(module: str) -> None:
    code = CODE.format(module=module)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.stderr[-2000:]) == (["heard", "DONE"], "")
