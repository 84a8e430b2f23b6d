"""W13: what one call of run() costs when there is next to nothing to compute."""

from workload import OURS, PEER, Task, Workload

CALLS = 500
RUN = {"T": 1.0, "dt": 0.01, "record": False}

workload = Workload("W13", "Lorenz, rk4, one run() of 100 steps", "µs/call", 1e6 / CALLS)
workload.goal(OURS, 40.0)


def _calls(sim: object) -> Task:
    def task() -> None:
        for _ in range(CALLS):
            sim.run(**RUN)

    return task


@workload.side(OURS)
def ours() -> Task:
    from dynlib import setup

    return _calls(setup("builtin://ode/lorenz", stepper="rk4"))


@workload.side(PEER, "peer")
def peer() -> Task:
    from dynlib import setup

    return _calls(setup("builtin://ode/lorenz.toml", stepper="rk4", jit=True))
