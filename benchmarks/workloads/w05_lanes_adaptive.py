"""W5: an ensemble with steps of its own for each run, against heyoka's batch mode."""

from typing import Any

from workload import OURS, PEER, Task, Workload

RUNS, T, TOLERANCE = 1024, 20.0, 1e-8
RUN = {"T": T, "rtol": TOLERANCE, "atol": TOLERANCE}
SIGMA, RHO, BETA = 10.0, 28.0, 8.0 / 3.0
SAMPLE = 64
BEST = "ours, dop853"  # the method that these tolerances ask for
BATCHES = ("heyoka, batches of 4", "heyoka, batches of 8")

workload = Workload(
    "W5",
    f"{RUNS:,} Lorenz, adaptive {TOLERANCE:g}, T = {T:g}, final states only",
    "µs/trajectory",
    1e6 / RUNS,
)
workload.goal(BEST, 0.6, of=BATCHES)


def _start() -> Any:
    """Initial states around the attractor, shape (3, RUNS)."""
    import numpy as np

    spread = np.random.default_rng(5).normal(scale=5.0, size=(3, RUNS))
    return spread + np.array([[0.0], [0.0], [25.0]])


def _ours(stepper: str) -> Task:
    from dynlib import setup
    from dynlib.plans import FinalState

    sim = setup("builtin://ode/lorenz", stepper=stepper)
    ic = dict(zip("xyz", _start(), strict=True))
    return lambda: sim.batch(ic=ic, plan=FinalState(), workers=1, **RUN)


@workload.side(OURS)
def ours() -> Task:
    return _ours("rk45")


@workload.side(BEST)
def ours_of_order_8() -> Task:
    return _ours("dop853")


@workload.side(PEER, "peer", share=SAMPLE / RUNS)
def peer() -> Task:
    from dynlib import setup

    sim = setup("builtin://ode/lorenz.toml", stepper="rk45", jit=True)
    start = _start().T[:SAMPLE].copy()

    def task() -> None:
        for ic in start:
            sim.run(ic=ic, record=False, max_steps=1_000_000, **RUN)

    return task


def _heyoka(size: int) -> Task:
    """One batch after another on one thread: the ensemble function without its threads."""
    import heyoka
    import numpy as np

    start = _start()
    x, y, z = heyoka.make_vars("x", "y", "z")
    flow = [(x, SIGMA * (y - x)), (y, x * (RHO - z) - y), (z, x * y - BETA * z)]
    first_runs = start[:, :size].copy()
    integrator = heyoka.taylor_adaptive_batch(flow, first_runs, tol=TOLERANCE)

    def task() -> Any:
        final = np.empty_like(start)
        for first in range(0, RUNS, size):
            integrator.set_time(0.0)
            integrator.state[:] = start[:, first : first + size]
            integrator.propagate_until(T)
            final[:, first : first + size] = integrator.state
        return final

    return task


@workload.side(BATCHES[0])
def heyoka_of_4() -> Task:
    return _heyoka(4)


@workload.side(BATCHES[1])
def heyoka_of_8() -> Task:
    return _heyoka(8)
