"""Events in lanes: the same number, order, times and logs as in single runs, whatever the event."""

from typing import Any

import numpy as np
from fastpath.batches import singles, unlike
from hypothesis import given, settings
from hypothesis import strategies as st

from dynlib import setup

CONDITIONS = (
    "x > 0.5", "x < -0.3 and v > 0", "x*v > 0.1 or x > 1", "not v > 0.2", "t > 0.7", "x > lag_v(1)",
    "cross_up(x, 0.1)", "cross_either(v, 0)", "changed(m)", "enters_interval(x, -0.2, 0.3)",
    "increasing(x)", "m == 2", "m < 3",
)  # fmt: skip
ACTIONS = ("", "v = -0.8*v", "m += 1", "k = 1.1*k", "x = 0.9*x; m += 1", "k = 2 + 0.1*m; v += 0.01")

events = st.fixed_dictionaries(
    {
        "cond": st.sampled_from(CONDITIONS),
        "action": st.sampled_from(ACTIONS),
        "log": st.sampled_from(([], ["x", "k"], ["t", "m", "v"])),
    },
    optional={
        "phase": st.sampled_from(("start", "end", "both")),
        "direction": st.sampled_from(("rising", "falling", "either")),
        "locate": st.just(False),
    },
)
stops = st.none() | st.fixed_dictionaries(
    {"cond": st.sampled_from(("x < -0.8", "m > 5", "t > 1.3", "v*v > 3"))},
    optional={"phase": st.sampled_from(("start", "end", "both"))},
)


def model_of(
    kind: str, given_events: list[dict[str, Any]], stop: dict[str, Any] | None
) -> dict[str, Any]:
    """An oscillator (or a map that turns), with these events."""
    flow = kind == "ode"
    document: dict[str, Any] = {
        "model": {"type": kind},
        "states": {"x": 1.0, "v": 0.1, "m": 0.0},
        "params": {"k": 4.0},
        "equations": {
            "rhs": {"x": "v", "v": "-k*x - 0.1*v", "m": "0"}
            if flow
            else {"x": "0.9*x + 0.3*v", "v": "v - 0.1*k*x", "m": "m"}
        },
        "events": {f"e{index}": event for index, event in enumerate(given_events)},
        "sim": {"dt": 0.05},
    }
    if stop is not None:
        document["sim"]["stop"] = stop
    return document


def usable(event: dict[str, Any], stepper: str) -> bool:
    """Whether the language has this: lags need a grid, `t` means iterations in a map."""
    return "lag_" not in event["cond"] or stepper in ("rk4", "ab3", "map")


@settings(max_examples=settings().max_examples // 3)  # each builds a model
@given(
    st.sampled_from(("rk4", "ab3", "bs23", "tsit5", "map")),
    st.lists(events, min_size=1, max_size=3),
    stops,
    st.sampled_from((1, 2, 4)),
)
def test_events(
    stepper: str, given_events: list[dict[str, Any]], stop: dict[str, Any] | None, lanes: int
) -> None:
    kind = "map" if stepper == "map" else "ode"
    kept = [event for event in given_events if usable(event, stepper)]
    if kind == "map":
        kept = [{key: each for key, each in event.items() if key != "locate"} for event in kept]
    sim = setup(model_of(kind, kept, stop), stepper=stepper, jit=False)
    values = {"params": {"k": np.array([4.0, 0.5, 9.0, np.nan, 25.0])[:3]}}
    options: dict[str, Any] = {"N": 30} if kind == "map" else {"T": 1.5}
    record = {} if kind == "map" or stepper in ("rk4", "ab3") else {"transient": 1.5}
    batch = sim.batch(**values, **options, lanes=lanes, workers=1)
    assert unlike(batch, singles(sim, values, options | record, 3)) == []
