"""Small models that the tests of the runtime share."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dynlib import Results, Sim, build

FIXED = ("euler", "heun", "rk2", "rk4", "ab2", "ab3")
ADAPTIVE = ("bs23", "rk45", "tsit5", "dop853")

# Nonlinear and non-autonomous, so that an error in the time shows in the states.
DRIVEN: dict[str, Any] = {
    "model": {"type": "ode", "name": "driven"},
    "states": {"x": 0.3, "v": -0.2},
    "params": {"a": 0.4, "w": 1.3},
    "equations": {"rhs": {"x": "v", "v": "x - x**3 - 0.2*v + a*cos(w*t)"}},
    "aux": {"E": "v**2/2 - x**2/2 + x**4/4", "phase": "w*t"},
    "presets": {"strong": {"params": {"a": 0.9}}, "high": {"states": {"x": 2.0}}},
    "sim": {"dt": 0.05, "t_end": 3.0},
}

# An oscillator with everything that a step may trip over: a located event that changes the state,
# one at the ends of steps, a lag, and parameters that events change.
BUSY: dict[str, Any] = {
    "model": {"type": "ode", "name": "busy"},
    "states": {"x": 1.0, "v": 0.0, "n": 0.0},
    "params": {"k": 4.0, "hits": 0.0},
    "equations": {"rhs": {"x": "v", "v": "-k*x", "n": "0"}},
    "events": {
        "floor": {
            "cond": "x < -0.4",
            "direction": "rising",
            "action": "v = -0.9*v; hits += 1",
            "log": ["v", "hits"],
        },
        "late": {"cond": "t > 1", "phase": "start", "locate": False, "action": "n += 1"},
    },
    "sim": {"dt": 0.05, "t_end": 3.0},
}

LAGGED: dict[str, Any] = {
    "model": {"type": "ode", "name": "lagged"},
    "states": {"x": 1.0},
    "params": {"a": 0.7},
    "equations": {"rhs": {"x": "-a*lag_x(3) + 0.1*sin(t)"}},
    "aux": {"before": "lag_x()", "change": "x - lag_x(1)"},
    "sim": {"dt": 0.1, "t_end": 4.0},
}

LOGISTIC: dict[str, Any] = {
    "model": {"type": "map", "name": "logistic"},
    "states": {"x": 0.3},
    "params": {"r": 3.7},
    "equations": {"rhs": {"x": "r*x*(1 - x)"}},
    "aux": {"twice": "2*x"},
    "events": {"high": {"cond": "x > 0.9", "log": ["x", "n"]}},
    "sim": {"n_end": 20},
}

COLLATZ: dict[str, Any] = {
    "model": {"type": "map", "name": "collatz", "dtype": "int64"},
    "states": {"m": 27},
    "params": {"q": 3},
    "equations": {"rhs": {"m": "m // 2 if m % 2 == 0 else q*m + 1"}},
    "sim": {"n_end": 111},
}

# Bounded whatever the step, and whatever the direction of time.
TAME: dict[str, Any] = {
    "model": {"type": "ode", "name": "tame"},
    "states": {"x": 0.0},
    "equations": {"rhs": {"x": "cos(t)"}},
}

# x' = x**2 from 1: infinite at t = 1.
EXPLOSION: dict[str, Any] = {
    "model": {"type": "ode", "name": "explosion"},
    "states": {"x": 1.0},
    "equations": {"rhs": {"x": "x**2"}},
    "sim": {"dt": 0.01, "t_end": 2.0},
}

MODELS = {
    "driven": DRIVEN,
    "busy": BUSY,
    "lagged": LAGGED,
    "logistic": LOGISTIC,
    "collatz": COLLATZ,
    "tame": TAME,
    "explosion": EXPLOSION,
}


@cache
def _built(name: str, stepper: str | None, jit: bool) -> Any:
    return build(MODELS[name], stepper=stepper, jit=jit)


def sim_of(name: str, stepper: str | None = None, *, jit: bool = False) -> Sim:
    """A new session on a model of this file, built once per test process."""
    return Sim(_built(name, stepper, jit))


def same_bits(first: Results, second: Results) -> bool:
    """Whether two results agree to the last bit: record, events, final state and parameters."""
    return not differences(first, second)


def differences(first: Results, second: Results) -> list[str]:
    """What differs between two results."""
    pairs = {"t": (first.t, second.t), "record": (first[:], second[:])}
    pairs["final"] = (first.final.array, second.final.array)
    pairs["final params"] = (first.final_params.array, second.final_params.array)
    for name in first.events:
        one, two = first.events[name], second.events[name]
        pairs[f"{name}.t"], pairs[f"{name}.step"] = (one.t, two.t), (one.step, two.step)
        for column in one.columns:
            pairs[f"{name}.{column}"] = (one[column], two[column])
    return [
        f"{name}: {one!r} and {two!r}"
        for name, (one, two) in pairs.items()
        if one.shape != two.shape or one.tobytes() != np.ascontiguousarray(two).tobytes()
    ]
