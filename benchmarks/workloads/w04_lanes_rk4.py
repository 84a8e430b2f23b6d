"""W4: an ensemble on a fixed grid, final states only, against NumPy and C."""

from pathlib import Path
from typing import Any

from workload import OURS, PEER, Task, Workload

RUNS, STEPS, DT = 4096, 2000, 1e-3
SIGMA, RHO, BETA = 10.0, 28.0, 8.0 / 3.0
SAMPLE = 256
TWO = "ours, two threads"
C = ("C, blocks of 16", "C, blocks of 32")
NUMPY = "NumPy by hand"

workload = Workload(
    "W4",
    f"{RUNS:,} Lorenz × {STEPS:,} rk4 steps, final states only",
    "ns/step/trajectory",
    1e9 / (RUNS * STEPS),
)
workload.goal(OURS, 1 / 40, of=PEER)
workload.goal(OURS, 1.5, of=C)
workload.goal(TWO, 1 / 1.8, of=OURS)


def _start() -> Any:
    """Initial states around the attractor, shape (3, RUNS)."""
    import numpy as np

    spread = np.random.default_rng(4).normal(scale=5.0, size=(3, RUNS))
    return spread + np.array([[0.0], [0.0], [25.0]])


def _batch(workers: int) -> Task:
    from dynlib import setup
    from dynlib.plans import FinalState

    sim = setup("builtin://ode/lorenz", stepper="rk4")
    ic = dict(zip("xyz", _start(), strict=True))
    return lambda: sim.batch(ic=ic, T=STEPS * DT, dt=DT, plan=FinalState(), workers=workers)


@workload.side(OURS)
def ours() -> Task:
    return _batch(1)


@workload.side(TWO, threads=2)
def two_threads() -> Task:
    return _batch(2)


@workload.side(PEER, "peer", share=SAMPLE / RUNS)
def peer() -> Task:
    import numpy as np

    from dynlib import setup
    from dynlib.runtime.fastpath import FixedStridePlan, fastpath_batch_for_sim

    sim = setup("builtin://ode/lorenz.toml", stepper="rk4", jit=True)
    ic = np.ascontiguousarray(_start().T[:SAMPLE])
    params = np.tile([SIGMA, RHO, BETA], (SAMPLE, 1))
    call = {
        "plan": FixedStridePlan(stride=STEPS), "t0": 0.0, "T": STEPS * DT, "N": None, "dt": DT,
        "record_vars": ["x", "y", "z"], "transient": 0.0, "record_interval": STEPS,
        "max_steps": 2 * STEPS, "ic": ic, "params": params, "parallel_mode": "none",
    }  # fmt: skip

    def task() -> None:
        assert len(fastpath_batch_for_sim(sim, **call)) == SAMPLE

    return task


@workload.side(NUMPY)
def numpy_by_hand() -> Task:
    import numpy as np

    start = _start()
    stages = [np.empty_like(start) for _ in range(4)]
    scratch, total = np.empty(RUNS), np.empty_like(start)

    def flow(u: Any, out: Any) -> None:
        x, y, z = u
        np.subtract(y, x, out=out[0])
        out[0] *= SIGMA
        np.subtract(RHO, z, out=out[1])
        out[1] *= x
        out[1] -= y
        np.multiply(x, y, out=out[2])
        np.multiply(z, BETA, out=scratch)
        out[2] -= scratch

    def task() -> Any:
        u, moved = start.copy(), np.empty_like(start)
        for _ in range(STEPS):
            flow(u, stages[0])
            for k, length in ((0, DT / 2), (1, DT / 2), (2, DT)):
                np.multiply(stages[k], length, out=moved)
                moved += u
                flow(moved, stages[k + 1])
            np.add(stages[1], stages[2], out=total)
            np.multiply(total, 2.0, out=total)
            np.add(total, stages[0], out=total)
            np.add(total, stages[3], out=total)
            np.multiply(total, DT / 6, out=total)
            u += total
        return u

    return task


def _c(lanes: int) -> Task:
    """``gcc -O3 -march=native``; which length of the blocks is best depends on the machine."""
    import ctypes

    from native import compile_c

    function = compile_c(Path(__file__).with_name("w04_lorenz_rk4.c"), LANES=lanes).lorenz_rk4
    address, size, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_double
    function.argtypes = [address] * 3 + [size] * 2 + [number] * 4
    function.restype = None
    start = _start()

    def task() -> Any:
        u = start.copy()
        function(*(row.ctypes.data for row in u), RUNS, STEPS, DT, SIGMA, RHO, BETA)
        return u

    return task


@workload.side(C[0])
def c_of_16() -> Task:
    return _c(16)


@workload.side(C[1])
def c_of_32() -> Task:
    return _c(32)
