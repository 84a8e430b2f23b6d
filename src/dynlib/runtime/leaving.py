"""Steps that take long are left in their middle after Ctrl-C, and count as not begun."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from dynlib.abi.run_state import RunState
from dynlib.abi.status import Status
from dynlib.compiler.model import CompiledModel
from dynlib.runtime.interrupt import Interrupt, interruptible, mark
from dynlib.runtime.observation import Observation

__all__ = ["leaving", "until_told"]


def leaving(
    model: CompiledModel, state: RunState, observation: Observation | None
) -> Callable[[], None] | None:
    """What tells loops within a step to end; None where no step is long.

    Nothing tells them so yet: what a file has in these rows does not count.
    """
    heed = model.program.layout.heed
    if heed is None and observation is None:
        return None
    places = []
    if heed is not None:
        places.append(state.workspace[heed])
    if observation is not None and observation.combined.heed is not None:
        places.append(observation.workspace[observation.combined.heed])
    for place in places:
        place[...] = 0
    return partial(mark, places) if places else None


def until_told(
    call: Callable[[], int],
    state: RunState,
    observation: Observation | None,
    interrupt: Interrupt,
    leave: Callable[[], None],
) -> int:
    """Enter the runner; what it did in a call that was told to leave is undone."""
    kept = state.copy()
    seen = None if observation is None else observation.saved()
    undone = True  # the loops broke off anywhere, so none of their numbers can be used
    try:
        code = interruptible(call, interrupt, leave)
        undone = interrupt.seen
    finally:
        if undone:
            state.put_back(kept)
            if observation is not None and seen is not None:
                observation.put_back(seen)
    return int(Status.USER_BREAK) if undone else code
