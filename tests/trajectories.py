"""Run a model through the wrapper alone: what the tests of numbers, events and laws share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

import dynlib
from dynlib.abi.run_state import RunState
from dynlib.abi.status import Status
from dynlib.compiler.model import CompiledModel
from dynlib.runtime.wrapper import RawRun, RunRequest, run_with_wrapper

FIXED = ("euler", "heun", "rk2", "rk4", "ab2", "ab3")
ADAPTIVE = ("bs23", "rk45", "tsit5", "dop853")
FLOWS = (*FIXED, *ADAPTIVE)


@cache
def compiled(source: str, stepper: str | None = None, *, jit: bool = False) -> CompiledModel:
    """A model and a stepper, made once for the whole test session."""
    return dynlib.build(source, stepper=stepper, jit=jit)


@dataclass
class Ran:
    """A run and the state that it left."""

    model: CompiledModel
    state: RunState
    raw: RawRun

    @property
    def t(self) -> np.ndarray:
        return self.raw.t

    @property
    def y(self) -> np.ndarray:
        return self.raw.y

    @property
    def status(self) -> Status:
        return self.raw.status

    @property
    def final(self) -> np.ndarray:
        return self.state.y[:, 0]

    @property
    def fired(self) -> list[str]:
        """Names of the events in the order in which they were taken."""
        names = [event.name for event in self.model.spec.events]
        return [names[i] for i in self.raw.evt_id]

    def times(self, name: str) -> np.ndarray:
        """When the event of this name was taken."""
        return self.raw.evt_t[[fired == name for fired in self.fired]]

    def logs(self, name: str) -> np.ndarray:
        """Rows that the event of this name logged."""
        return self.raw.evt_log[[fired == name for fired in self.fired]]


def start(
    model: CompiledModel, y: Sequence[float] | None = None, p: Any = None, t0: float = 0.0
) -> RunState:
    """A session at its start; the model's own values unless others are given."""
    spec = model.spec
    return model.new_state(
        spec.state_values if y is None else y, spec.param_values if p is None else p, t0
    )


def go(
    model: CompiledModel,
    T: float | None = None,
    *,
    N: int | None = None,
    y: Sequence[float] | None = None,
    p: Any = None,
    t0: float = 0.0,
    state: RunState | None = None,
    **request: Any,
) -> Ran:
    """Run to the time `T`, or to the iteration `N`; `state` continues an earlier run."""
    if state is None:
        state = start(model, y, p, t0)
    raw = run_with_wrapper(model, state, RunRequest(t_end=T, n_end=N, **request))
    return Ran(model, state, raw)


def same(a: Ran, b: Ran) -> None:
    """Two runs agree bit for bit: rows, events, status, and the state they left."""
    assert a.raw.status == b.raw.status
    for name in ("t", "y", "aux", "evt_t", "evt_step", "evt_id", "evt_log"):
        np.testing.assert_array_equal(getattr(a.raw, name), getattr(b.raw, name), err_msg=name)
    np.testing.assert_array_equal(a.state.y, b.state.y)
    np.testing.assert_array_equal(a.state.p, b.state.p)
    assert a.state.clock[0] == b.state.clock[0]
