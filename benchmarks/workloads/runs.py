"""runs: the cost of a trajectory must not depend on how many there are."""

from workload import Task, Workload

STEPS, DT = 200, 1e-3
COUNTS = (1_000, 10_000, 100_000, 1_000_000)
MOST = COUNTS[-1]

workload = Workload(
    "runs",
    f"Lorenz × {STEPS} rk4 steps, final states only, one thread, by number of trajectories",
    "ns/step/trajectory",
    1e9 / (MOST * STEPS),
    repeats=5,
)
workload.goal(f"{MOST:,} runs", 1.25, of=f"{COUNTS[1]:,} runs")


def _batch(count: int) -> Task:
    import numpy as np

    from dynlib import setup
    from dynlib.plans import FinalState

    sim = setup("builtin://ode/lorenz", stepper="rk4")
    ic = {name: np.linspace(1.0, 2.0, count) for name in "xyz"}
    return lambda: sim.batch(ic=ic, T=STEPS * DT, dt=DT, plan=FinalState(), workers=1)


for _count in COUNTS:
    workload.side(f"{_count:,} runs", share=_count / MOST)(lambda count=_count: _batch(count))
