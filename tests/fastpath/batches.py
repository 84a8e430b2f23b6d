"""What the tests of the fast path share: models, batches, and the loop of single runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any
from unittest.mock import patch

import numpy as np
from runtime.models import BUSY, COLLATZ, DRIVEN, EXPLOSION, LAGGED, LOGISTIC, differences

import dynlib
from dynlib import BatchResults, Results, Sim
from dynlib.abi.status import Status
from dynlib.plans import FinalState, RecordingPlan, Stride, TailWindow
from dynlib.runtime.fastpath import executor

# Stops at different times for different parameters.
STOPPED: dict[str, Any] = {
    "model": {"type": "ode", "name": "stopped"},
    "states": {"x": 1.0},
    "params": {"k": 1.0},
    "equations": {"rhs": {"x": "-k*x"}},
    "aux": {"twice": "2*x"},
    "sim": {"dt": 0.05, "t_end": 2.0, "stop": "x < 0.4"},
}

# Comes back from infinity, so that nobody who looks later knows that it was there.
FORGETFUL: dict[str, Any] = {
    "model": {"type": "map", "name": "forgetful"},
    "states": {"x": 0.5},
    "params": {"a": 1.0},
    "equations": {"rhs": {"x": "1/x - a"}},
}

# Narrow numbers, next to the float64 of the lanes' times and steps.
SINGLE: dict[str, Any] = BUSY | {"model": {"type": "ode", "name": "single", "dtype": "float32"}}
WRAPPING: dict[str, Any] = {
    "model": {"type": "map", "name": "wrapping", "dtype": "int32"},
    "states": {"m": 1, "low": 0},
    "params": {"q": 3},
    "equations": {"rhs": {"m": "q*m + lag_m(2)", "low": "low + m % 256"}},
    "events": {"below": {"cond": "m < 0", "action": "q += 2", "log": ["m", "q"]}},
}

MODELS = {
    "driven": DRIVEN,
    "busy": BUSY,
    "single": SINGLE,
    "wrapping": WRAPPING,
    "lagged": LAGGED,
    "logistic": LOGISTIC,
    "collatz": COLLATZ,
    "explosion": EXPLOSION,
    "stopped": STOPPED,
    "forgetful": FORGETFUL,
}

# For each model the parameter or state that differs, and values of it that end in all ways.
SPREAD = {
    "driven": ("a", 0.0, 1.2),
    "busy": ("k", 1.0, 30.0),
    "single": ("k", 1.0, 30.0),
    "wrapping": ("q", 1, 60),
    "lagged": ("a", -0.5, 1.5),
    "logistic": ("r", 2.5, 4.3),
    "collatz": ("m", 1, 60),
    "explosion": ("x", -1.0, 1.5),
    "stopped": ("k", -0.5, 3.0),
    "forgetful": ("x", -1.0, 1.0),
}


@cache
def _built(name: str, stepper: str | None, jit: bool) -> Any:
    return dynlib.build(MODELS[name], stepper=stepper, jit=jit)


@contextmanager
def left_often(really: bool = True) -> Iterator[None]:
    """Batches whose runner is left after every step, and whenever there are events to log."""
    if not really:
        yield
        return
    soon = {"_LOG_ROWS": 1, "first_budget": lambda *_: 1, "_next_budget": lambda budget, seconds: 1}
    with patch.multiple(executor, **soon):
        yield


def sim_of(name: str, stepper: str | None = None, *, jit: bool = False) -> Sim:
    """A new session on a model of this file, built once per test process."""
    return Sim(_built(name, stepper, jit))


def values_of(name: str, runs: int) -> dict[str, Any]:
    """Arguments `ic` and `params` with so many different runs."""
    key, low, high = SPREAD[name]
    values = np.linspace(low, high, runs)
    if MODELS[name]["model"].get("dtype", "").startswith("int"):
        values = values.astype(np.int64)
    return {"ic" if key in MODELS[name]["states"] else "params": {key: values}}


def one_of(values: dict[str, Any], index: int) -> dict[str, Any]:
    """The values of one run of them."""
    return {
        argument: {
            name: column[index].item() if np.ndim(column) else column
            for name, column in given.items()
        }
        for argument, given in values.items()
    }


def as_run(plan: RecordingPlan | None, options: dict[str, Any], steps: int) -> dict[str, Any]:
    """Arguments of `Sim.run` that record what a plan does, of a run of so many steps.

    `steps` are those of the recorded part; a transient is understood to be whole steps.
    """
    if plan is None:
        return options
    transient, dt = options.get("transient", 0), options.get("dt", 1)

    def after(skipped: int) -> float:
        """The transient that is so many steps longer; no sum of it may pass the end."""
        return round(transient + skipped * dt, 9)

    if isinstance(plan, Stride):
        return options | {"record_interval": plan.k}
    if isinstance(plan, FinalState):
        return options | {"transient": after(steps)}
    assert isinstance(plan, TailWindow)
    rows = min(plan.n, steps // plan.k + 1)
    skipped = steps - (rows - 1) * plan.k
    return options | {"transient": after(skipped), "record_interval": plan.k}


def singles(sim: Sim, values: dict[str, Any], options: dict[str, Any], runs: int) -> list[Results]:
    """The loop of single runs that a batch stands for."""
    return [
        sim.run(**one_of(values, index), **options, on_failure="return") for index in range(runs)
    ]


def unlike(batch: BatchResults, alone: list[Results]) -> list[str]:
    """What differs, to the last bit, between a batch and its single runs."""
    found = [] if len(batch) == len(alone) else [f"{len(batch)} runs and {len(alone)}"]
    for index, (one, other) in enumerate(zip(batch, alone, strict=False)):
        if one.status != other.status:
            found.append(f"run {index}: {one.status!r} and {other.status!r}")
        if one.t_final != other.t_final or one.stats.rejected != other.stats.rejected:
            found.append(f"run {index}: ended at {one.t_final} and {other.t_final}")
        unlike_rows = differences(one, other)
        if _is_early_end(one, other):
            unlike_rows = [each for each in unlike_rows if not each.startswith(("t:", "record:"))]
        found += [f"run {index}: {each}" for each in unlike_rows]
    return found


def _is_early_end(one: Results, other: Results) -> bool:
    """Whether a run by `FinalState` ended early: its row is its end, and a single run has none."""
    if one.status is not Status.EARLY_EXIT or (len(one), len(other)) != (1, 0):
        return False
    states = [name for name in one.names if name in one.final]
    return (
        states == list(one.names)
        and one.t[0] == other.t_final
        and all(one[name][0] == other.final[name] for name in states)
    )


def same_batch(one: BatchResults, other: BatchResults) -> bool:
    """Whether two batches agree to the last bit, in all that is in them."""
    columns = [
        (one.t, other.t),
        (one.status, other.status),
        (one.t_final, other.t_final),
        (one.rows, other.rows),
        *((one[name], other[name]) for name in one.names),
        *((one.final[name], other.final[name]) for name in one.final),
        *zip(one.events.log, other.events.log, strict=True),
    ]
    stats = replace(one.stats, seconds=0.0, lanes=1, threads=1, workers=1)
    return stats == replace(other.stats, seconds=0.0, lanes=1, threads=1, workers=1) and all(
        a.shape == b.shape
        and np.ascontiguousarray(a).tobytes() == np.ascontiguousarray(b).tobytes()
        for a, b in columns
    )
