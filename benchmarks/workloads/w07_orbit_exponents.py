"""W7: the Lyapunov exponents of many orbits of a map."""

from typing import Any

from workload import OURS, PEER, Task, Workload

VALUES, STEPS = 10_000, 3_500
LOW, HIGH, START = 3.0, 4.0, 0.3
SAMPLE = 100
NUMPY = "NumPy by hand"

workload = Workload(
    "W7",
    f"logistic Lyapunov exponents: {VALUES:,} r × {STEPS:,} iterations, one thread",
    "ms",
    1e3,
)
workload.goal(OURS, 0.5, of=NUMPY)


def _values() -> Any:
    import numpy as np

    return np.linspace(LOW, HIGH, VALUES)


@workload.side(OURS)
def ours() -> Task:
    from dynlib import setup
    from dynlib.observers import lyapunov_max
    from dynlib.plans import FinalState

    sim = setup("builtin://map/logistic")
    run = {"N": STEPS, "plan": FinalState(), "workers": 1}
    return lambda: (
        sim.batch(params={"r": _values()}, ic={"x": START}, observers=[lyapunov_max()], **run)
        .observers["lyapunov_max"]
        .exponent
    )


@workload.side(PEER, "peer", share=SAMPLE / VALUES)
def peer() -> Task:
    from dynlib.runtime.observers import lyapunov_mle_observer

    from dynlib import setup

    sim = setup("builtin://map/logistic.toml", stepper="map", jit=True)

    def task() -> None:
        for r in _values()[:: VALUES // SAMPLE]:
            sim.assign(x=START, r=float(r))
            observer = lyapunov_mle_observer(model=sim.model, record_interval=STEPS)
            sim.run(N=STEPS, observers=[observer], record=False)

    return task


@workload.side(NUMPY)
def numpy_by_hand() -> Task:
    import numpy as np

    def task() -> Any:
        r = _values()
        x = np.full(VALUES, START)
        growth = np.zeros(VALUES)
        for _ in range(STEPS):
            growth += np.log(np.abs(r * (1.0 - 2.0 * x)))
            x = r * x * (1.0 - x)
        return growth / STEPS

    return task
