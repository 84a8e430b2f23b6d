"""What holds for every observer: it finds the same on every path, and changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dynlib import setup
from dynlib.observers import ObserverModule, ObserverResult
from dynlib.runtime.sim import Sim

RUNS = 70  # blocks of lanes, the last of them partly filled
LOOKED_AT = (0, 13, 69)


def bits(result: ObserverResult) -> dict[str, bytes]:
    """All that an observer found, to the last bit."""
    outputs = {name: np.asarray(result._outputs[name]).tobytes() for name in result}
    rows = {"trace": result.trace.tobytes(), "trace_time": result.trace_time.tobytes()}
    return outputs | rows


def assert_same_everywhere(
    sim: Sim, observers: Sequence[ObserverModule], span: dict[str, Any], spread: float = 0.1
) -> None:
    """Run = fast path = lanes, bit for bit; and the final state is that of a run without."""
    first = sim.spec.states[0]
    start = sim.state[first]
    starts = start + spread * np.linspace(-1.0, 1.0, RUNS)
    options = span | {"observers": observers}
    batch = sim.batch(ic={first: starts}, on_failure="return", **options)
    for i in LOOKED_AT:
        given = options | {"ic": {first: starts[i]}, "on_failure": "return"}
        run = sim.run(record=False, **given)
        plain = sim.run(record=False, **(given | {"observers": ()}))
        assert dict(run.final) == dict(plain.final)
        fast = sim.fastpath(**given)
        for observer in observers:
            name = observer.label
            expected = bits(run.observers[name])
            assert bits(fast.observers[name]) == expected
            assert bits(batch[i].observers[name]) == expected


def compiled(uri: str, stepper: str | None = None) -> Sim:
    """A model ready to run."""
    return setup(uri, stepper=stepper)
