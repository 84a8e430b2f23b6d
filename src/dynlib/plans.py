"""What fast runs, batches and the traces of observers keep.

Recordings: ``FinalState()``, ``Stride(k)``, ``TailWindow(n, k)``; traces: ``EveryStep(k)``,
``Tail(n, k)``, ``Hits(max_hits)``.

Examples
--------
>>> from dynlib.plans import FinalState, Stride, TailWindow
>>> [plan.capacity(600) for plan in (FinalState(), Stride(10), TailWindow(100))]
[1, 61, 100]
"""

from dynlib.observers.kit.trace_plans import EveryStep, Hits, Tail, TracePlan
from dynlib.runtime.fastpath.recording_plans import FinalState, RecordingPlan, Stride, TailWindow

__all__ = [
    "EveryStep",
    "FinalState",
    "Hits",
    "RecordingPlan",
    "Stride",
    "Tail",
    "TailWindow",
    "TracePlan",
]
