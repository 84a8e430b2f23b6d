"""states: the cost of a state must not depend on how many there are."""

from models import ring
from workload import Task, Workload

RUNS, STEPS, DT = 1024, 500, 0.01
SIZES = (2, 4, 8, 16, 32, 64)
MOST = SIZES[-1]

workload = Workload(
    "states",
    f"{RUNS:,} rings of cells × {STEPS} rk4 steps, final states only, one thread, by size",
    "ns/step/state",
    1e9 / (RUNS * STEPS * MOST),
    repeats=5,
)
workload.goal(f"{MOST} states", 1.5, of=f"{SIZES[2]} states")


def _batch(size: int) -> Task:
    import numpy as np

    from dynlib import setup
    from dynlib.plans import FinalState

    sim = setup(ring(size), stepper="rk4")
    ic = {f"x{i}": np.linspace(-1.0, 1.0, RUNS) * (-1) ** i for i in range(size)}
    return lambda: sim.batch(ic=ic, T=STEPS * DT, dt=DT, plan=FinalState(), workers=1)


for _size in SIZES:
    workload.side(f"{_size} states", share=_size / MOST)(lambda size=_size: _batch(size))
