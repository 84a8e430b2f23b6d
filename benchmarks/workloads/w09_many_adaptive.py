"""W9: the ensemble on which GPU libraries publish their times."""

from workload import OURS, Task, Workload

RUNS = 100_000
RUN = {"T": 5.0, "rtol": 1e-6, "atol": 1e-8}
TWO = "ours, two threads"

workload = Workload(
    "W9", f"{RUNS:,} Lorenz, tsit5, 1e-6/1e-8, T = 5, final states only", "s", 1.0, repeats=5
)
# Published, on an RTX 4070S: modax 0.084 s, DiffEqGPU.jl 0.365 s, diffrax 0.514 s.
workload.goal(OURS, 0.5)


def _batch(workers: int) -> Task:
    import numpy as np

    from dynlib import setup
    from dynlib.plans import FinalState

    rng = np.random.default_rng(9)
    rho = 0.5 * (1.0 + rng.uniform(-0.05, 0.05, RUNS))
    nearer = 1.0 - rng.uniform(size=RUNS)
    ic = {"x": 1000.0 * nearer, "y": -500.0 * nearer, "z": 500.0 * nearer}
    sim = setup("builtin://ode/lorenz", stepper="tsit5")
    call = {"ic": ic, "params": {"rho": rho}, "plan": FinalState(), "workers": workers}
    return lambda: sim.batch(**call, **RUN)


@workload.side(OURS)
def ours() -> Task:
    return _batch(1)


@workload.side(TWO, threads=2)
def two_threads() -> Task:
    return _batch(2)
