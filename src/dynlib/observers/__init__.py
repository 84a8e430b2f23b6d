"""Observers: what is to be found out about a run while it runs.

An observer looks at every step from inside the compiled loop and keeps only what is asked; no
trajectory is stored.  Give any number of them to `Sim.run`, `Sim.fastpath` or `Sim.batch`:
``res.observers[name]`` holds what each found.

Write your own as an `ObserverModule`.
"""

from dynlib.observers.combined import CombinedObserver
from dynlib.observers.lyapunov import lyapunov_max, lyapunov_spectrum
from dynlib.observers.lyapunov_result import kaplan_yorke
from dynlib.observers.module import ObserverModule
from dynlib.observers.part import TraceSpec
from dynlib.observers.plans import EveryStep, Hits, Tail
from dynlib.observers.result import ObserverResult

__all__ = [
    "CombinedObserver",
    "EveryStep",
    "Hits",
    "ObserverModule",
    "ObserverResult",
    "Tail",
    "TraceSpec",
    "kaplan_yorke",
    "lyapunov_max",
    "lyapunov_spectrum",
]
