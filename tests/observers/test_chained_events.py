"""Tangent vectors where the action of one event brings another one about."""

from typing import Any

import numpy as np
import pytest
from observers.tangents import derivatives, differences

from dynlib import setup
from dynlib.observers import lyapunov_max
from dynlib.plans import FinalState

IC = {"x": 0.513, "y": 0.3, "z": 0.7}
RATES = {"x": "1 + 0.3*z", "y": "0.5 + 0.2*z*g", "z": "0.4*x - 0.1*z"}
FIRST = {"cond": "x >= 1", "direction": "rising", "action": "x = 0.1*y; y += 1; g = 1.3"}
SECOND = {"action": "z = 2*z + 0.3*x; y = 0.2*y"}
KINDS = {
    "level": {"cond": "y >= 1", "direction": "rising"},
    "held": {"cond": "y >= 1"},
    "crossing": {"cond": "cross_up(y, 1)"},
    "unlocated": {"cond": "y >= 1", "direction": "rising", "locate": False},
}
THIRD = {"cond": "z >= 1.2", "direction": "rising", "action": "z = 0.3*z + 0.1*y; x += 0.2*z"}
STEPS = {"rk4": {"dt": 0.01}, "ab3": {"dt": 0.01}, "tsit5": {"rtol": 1e-10, "atol": 1e-10}}


def chain(order: str, second: str = "level") -> dict[str, Any]:
    """A model whose events stand in this order: A brings about B, and B brings about C."""
    events = {"A": FIRST, "B": SECOND | KINDS[second], "C": THIRD}
    return {
        "model": {"type": "ode"},
        "states": IC,
        "params": {"g": 1.0},
        "equations": {"rhs": RATES},
        "events": {name: events[name] for name in order},
    }


@pytest.mark.parametrize("stepper", STEPS)
@pytest.mark.parametrize(
    ("order", "second"),
    [
        *((order, kind) for kind in KINDS for order in ("AB", "BA")),
        ("ABC", "level"),
        ("CBA", "level"),
    ],
)
def test_what_an_action_brings_about(order: str, second: str, stepper: str) -> None:
    """It comes at the instant of that action, which is another one for neighbours."""
    model, run = chain(order, second), {"ic": IC, "T": 1.5, **STEPS[stepper]}
    res, found = derivatives(model, stepper, **run)
    assert len(res.events["B"]) >= 2
    if second != "unlocated" or stepper == "tsit5":
        np.testing.assert_array_equal(res.events["B"].t, res.events["A"].t)
    expected = differences(model, stepper, **run)
    np.testing.assert_allclose(found[-1], expected, rtol=1e-5, atol=1e-6)  # of the differences


@pytest.mark.parametrize("stepper", ["rk4", "tsit5"])
def test_what_a_start_brings_about(stepper: str) -> None:
    """A start comes at the same time for all neighbours, and so does what it brings about."""
    model = chain("BC")
    model["events"]["kick"] = {"cond": "g < 1.1", "phase": "start", "action": "y += 1; g = 1.3"}
    run = {"ic": IC, "t0": 1.0, "T": 1.3, **STEPS[stepper]}
    res, found = derivatives(model, stepper, **run)
    assert len(res.events["B"]) >= 1
    expected = differences(model, stepper, **run)
    np.testing.assert_allclose(found[-1], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("stepper", ["rk4", "tsit5"])
def test_alike_on_every_path(stepper: str) -> None:
    model, run = chain("CBA"), {"T": 1.5, **STEPS[stepper]}
    sim = setup(model, stepper=stepper)
    ask = [lyapunov_max(renorm_every=1)]
    single = sim.run(observers=ask, **run).observers["lyapunov_max"].exponent
    fast = sim.fastpath(observers=ask, plan=FinalState(), **run)
    many = sim.batch(ic={"x": np.full(3, IC["x"])}, observers=ask, plan=FinalState(), **run)
    plain = setup(model, stepper=stepper, jit=False).run(observers=ask, **run)
    np.testing.assert_array_equal(single, fast.observers["lyapunov_max"].exponent)
    np.testing.assert_array_equal(single, many.observers["lyapunov_max"].exponent[1])
    np.testing.assert_allclose(single, plain.observers["lyapunov_max"].exponent, rtol=1e-9)
