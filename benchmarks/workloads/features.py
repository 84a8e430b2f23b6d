"""features: what an observer adds to the cost of a batch."""

from collections.abc import Callable
from typing import Any

from workload import Task, Workload

RUNS = 4096
MAP = "Hénon"  # four operations a step: to look at it is more work than to take it
MODELS = {
    "Lorenz, rk4": ("builtin://ode/lorenz", "rk4", {"T": 50.0, "dt": 0.01}),
    "Lorenz, tsit5": ("builtin://ode/lorenz", "tsit5", {"T": 50.0}),
    "Hodgkin–Huxley, rk4": ("builtin://ode/hodgkin-huxley", "rk4", {"T": 10.0, "dt": 0.01}),
    MAP: ("builtin://map/henon", None, {"N": 5000}),
}

workload = Workload(
    "features",
    f'{RUNS:,} runs with features("max", "mean") of all states, one thread',
    "ms",
    1e3,
    repeats=5,
)


def _batch(case: str, observers: Callable[[], list[Any]]) -> Task:
    import numpy as np

    from dynlib import setup
    from dynlib.plans import FinalState

    uri, stepper, span = MODELS[case]
    sim = setup(uri, stepper=stepper)
    first = sim.spec.states[0]
    ic = {first: sim.state[first] + np.linspace(0.0, 0.1, RUNS)}
    return lambda: sim.batch(ic=ic, plan=FinalState(), workers=1, observers=observers(), **span)


def _features() -> list[Any]:
    from dynlib.observers import features

    return [features("max", "mean")]


for _case in MODELS:
    workload.side(_case)(lambda case=_case: _batch(case, list))
    workload.side(f"{_case}, observed")(lambda case=_case: _batch(case, _features))
    if _case != MAP:
        workload.goal(f"{_case}, observed", 1.3, of=_case)
