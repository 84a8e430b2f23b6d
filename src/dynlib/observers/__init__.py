"""Observers: what is to be found out about a run while it runs.

An observer looks at every step from inside the compiled loop and keeps only what is asked; no
trajectory is stored.  Give any number of them to `Sim.run`, `Sim.fastpath` or `Sim.batch`:
``res.observers[name]`` holds what each found.

Write your own as an `ObserverModule`.
"""

from dynlib.observers.chaos import fli, gali, sali
from dynlib.observers.combined import CombinedObserver
from dynlib.observers.covariant import covariant_vectors
from dynlib.observers.extrema import extrema
from dynlib.observers.features import features
from dynlib.observers.finite_time import finite_time_lyapunov
from dynlib.observers.histogram import histogram
from dynlib.observers.intervals import intervals, spikes
from dynlib.observers.lyapunov import lyapunov_max, lyapunov_spectrum
from dynlib.observers.lyapunov_result import kaplan_yorke
from dynlib.observers.module import ObserverModule
from dynlib.observers.part import TraceSpec
from dynlib.observers.passage import first_passage
from dynlib.observers.plans import EveryStep, Hits, Tail
from dynlib.observers.result import ObserverResult
from dynlib.observers.sections import poincare
from dynlib.observers.stroboscopic import stroboscopic
from dynlib.observers.time_in import time_in
from dynlib.observers.zero_one import zero_one_test

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
