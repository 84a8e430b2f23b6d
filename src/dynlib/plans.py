"""What the runs of a batch keep: ``plan=`` of `Sim.batch` and `Sim.fastpath`.

Examples
--------
>>> from dynlib.plans import FinalState, Stride, TailWindow
>>> [plan.capacity(600) for plan in (FinalState(), Stride(10), TailWindow(100))]
[1, 61, 100]
"""

from dynlib.runtime.fastpath.plans import FinalState, RecordingPlan, Stride, TailWindow

__all__ = ["FinalState", "RecordingPlan", "Stride", "TailWindow"]
