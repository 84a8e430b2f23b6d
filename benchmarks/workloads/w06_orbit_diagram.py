"""W6: an orbit diagram, the end of many orbits of a map."""

from typing import Any

from workload import OURS, PEER, Task, Workload

VALUES, TRANSIENT, KEPT = 20_000, 500, 100
LOW, HIGH, START = 2.5, 4.0, 0.4
SAMPLE = 500
NUMPY = ("NumPy by hand", "NumPy, in place")

workload = Workload(
    "W6",
    f"logistic orbit diagram: {VALUES:,} r × ({TRANSIENT} + {KEPT} recorded), one thread",
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
    from dynlib.plans import TailWindow

    sim = setup("builtin://map/logistic")
    run = {"N": TRANSIENT + KEPT, "plan": TailWindow(KEPT), "workers": 1}
    return lambda: sim.batch(params={"r": _values()}, ic={"x": START}, **run)["x"]


@workload.side(PEER, "peer", share=SAMPLE / VALUES)
def peer() -> Task:
    from dynlib.analysis.sweep import traj_sweep

    from dynlib import setup

    sim = setup("builtin://map/logistic.toml", stepper="map", jit=True)
    sim.assign(x=START)
    values = _values()[:: VALUES // SAMPLE]
    run = {"N": TRANSIENT + KEPT, "transient": TRANSIENT, "record_interval": 1}
    return lambda: traj_sweep(
        sim, param="r", values=values, record_vars=["x"], parallel_mode="none", **run
    )


@workload.side(NUMPY[0])
def numpy_by_hand() -> Task:
    import numpy as np

    def task() -> Any:
        r = _values()
        x = np.full(VALUES, START)
        kept = np.empty((KEPT, VALUES))
        for n in range(TRANSIENT + KEPT):
            x = r * x * (1.0 - x)
            if n >= TRANSIENT:
                kept[n - TRANSIENT] = x
        return kept

    return task


@workload.side(NUMPY[1])
def numpy_in_place() -> Task:
    import numpy as np

    def task() -> Any:
        r = _values()
        x, rest = np.full(VALUES, START), np.empty(VALUES)
        kept = np.empty((KEPT, VALUES))
        for n in range(TRANSIENT + KEPT):
            np.subtract(1.0, x, out=rest)
            rest *= r
            x *= rest
            if n >= TRANSIENT:
                kept[n - TRANSIENT] = x
        return kept

    return task
