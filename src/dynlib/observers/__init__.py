"""Observers: what is to be found out about a run while it runs.

An observer looks at every step from inside the compiled loop and keeps only what is asked; no
trajectory is stored.  Give any number of them to `Sim.run`, `Sim.fastpath` or `Sim.batch`:
``res.observers[name]`` holds what each found.

Write your own as an `ObserverModule`.

They are loaded on first use: a run without observers needs none of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dynlib.observers.averages.features import features
    from dynlib.observers.averages.histogram import histogram
    from dynlib.observers.averages.time_in import time_in
    from dynlib.observers.averages.zero_one import zero_one_test
    from dynlib.observers.crossing.extrema import extrema
    from dynlib.observers.crossing.intervals import intervals, spikes
    from dynlib.observers.crossing.passage import first_passage
    from dynlib.observers.crossing.sections import poincare
    from dynlib.observers.crossing.stroboscopic import stroboscopic
    from dynlib.observers.kit.combined import CombinedObserver
    from dynlib.observers.kit.module import ObserverModule
    from dynlib.observers.kit.part import TraceSpec
    from dynlib.observers.kit.result import ObserverResult
    from dynlib.observers.kit.trace_plans import EveryStep, Hits, Tail
    from dynlib.observers.tangent.chaos import fli, gali, sali
    from dynlib.observers.tangent.covariant import covariant_vectors
    from dynlib.observers.tangent.finite_time import finite_time_lyapunov
    from dynlib.observers.tangent.lyapunov import lyapunov_max, lyapunov_spectrum
    from dynlib.observers.tangent.lyapunov_result import kaplan_yorke

# public name -> the module that defines it
_HOME = {
    "CombinedObserver": "dynlib.observers.kit.combined",
    "EveryStep": "dynlib.observers.kit.trace_plans",
    "Hits": "dynlib.observers.kit.trace_plans",
    "ObserverModule": "dynlib.observers.kit.module",
    "ObserverResult": "dynlib.observers.kit.result",
    "Tail": "dynlib.observers.kit.trace_plans",
    "TraceSpec": "dynlib.observers.kit.part",
    "covariant_vectors": "dynlib.observers.tangent.covariant",
    "extrema": "dynlib.observers.crossing.extrema",
    "features": "dynlib.observers.averages.features",
    "finite_time_lyapunov": "dynlib.observers.tangent.finite_time",
    "first_passage": "dynlib.observers.crossing.passage",
    "fli": "dynlib.observers.tangent.chaos",
    "gali": "dynlib.observers.tangent.chaos",
    "histogram": "dynlib.observers.averages.histogram",
    "intervals": "dynlib.observers.crossing.intervals",
    "kaplan_yorke": "dynlib.observers.tangent.lyapunov_result",
    "lyapunov_max": "dynlib.observers.tangent.lyapunov",
    "lyapunov_spectrum": "dynlib.observers.tangent.lyapunov",
    "poincare": "dynlib.observers.crossing.sections",
    "sali": "dynlib.observers.tangent.chaos",
    "spikes": "dynlib.observers.crossing.intervals",
    "stroboscopic": "dynlib.observers.crossing.stroboscopic",
    "time_in": "dynlib.observers.averages.time_in",
    "zero_one_test": "dynlib.observers.averages.zero_one",
}

__all__ = [
    "CombinedObserver",
    "EveryStep",
    "Hits",
    "ObserverModule",
    "ObserverResult",
    "Tail",
    "TraceSpec",
    "covariant_vectors",
    "extrema",
    "features",
    "finite_time_lyapunov",
    "first_passage",
    "fli",
    "gali",
    "histogram",
    "intervals",
    "kaplan_yorke",
    "lyapunov_max",
    "lyapunov_spectrum",
    "poincare",
    "sali",
    "spikes",
    "stroboscopic",
    "time_in",
    "zero_one_test",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
