"""How far a runner goes before its first look at Ctrl-C and the clock.

Later looks come at even times, since the pace is known by then.  The first one has to be early
enough where steps are costly, and late enough that short runs are one call.
"""

from __future__ import annotations

from dynlib.compiler.model import CompiledModel
from dynlib.observers.kit.combined import CombinedObserver

__all__ = ["first_budget"]

_MOST = 4096  # steps, or attempts
_OPERATIONS = 2e7  # of compiled code until the first look: some hundredths of a second
_PLAIN = 4000  # times as slow is plain Python
_UNKNOWN = 1e6  # operations of a user's hook, which nobody has counted


def first_budget(model: CompiledModel, combined: CombinedObserver | None, lanes: int = 1) -> int:
    """Steps of a run, or of a block of lanes, until the first look."""
    cost = model.step_cost if combined is None else _observed_cost(model, combined)
    steps = _OPERATIONS / (lanes * cost * (_PLAIN if model.is_plain else 1))
    return _MOST if steps >= _MOST else max(1, int(steps))


def _observed_cost(model: CompiledModel, combined: CombinedObserver) -> float:
    """Operations of a step, roughly."""
    one = max(1.0, model.operations)
    if combined.tangents:
        one += combined.tangents * (len(model.spec.states) ** 2 + one)
    cost = one * max(1, model.stepper.evaluations)
    return cost + _UNKNOWN if combined.has_user_hooks else cost
