"""W2: the ordinary runner with every step recorded."""

from workload import OURS, PEER, Task, Workload

STEPS = 1_000_000
RUN = {"T": STEPS * 1e-3, "dt": 1e-3, "record": True, "max_steps": 2 * STEPS}

workload = Workload("W2", "Lorenz, rk4, 1e6 steps, every step recorded", "ns/step", 1e9 / STEPS)
workload.goal(OURS, 1 / 4, of=PEER)


@workload.side(OURS)
def ours() -> Task:
    from dynlib import setup

    sim = setup("builtin://ode/lorenz", stepper="rk4")
    return lambda: sim.run(**RUN)


@workload.side(PEER, "peer")
def peer() -> Task:
    from dynlib import setup

    sim = setup("builtin://ode/lorenz.toml", stepper="rk4", jit=True)
    return lambda: sim.run(**RUN)
