"""Events in lanes: the same number, order, times and logs as in single runs, whatever the event."""

from typing import Any

import numpy as np
import pytest
from fastpath.batches import as_run, left_often, singles, unlike
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dynlib import setup
from dynlib.plans import FinalState, Stride

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
    {
        "cond": st.sampled_from(
            ("x < -0.8", "m > 5", "t > 1.3", "v*v > 3", "cross_up(v, 0.3)", "decreasing(v)")
        )
    },
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
        "aux": {"rose": "int(increasing(x))", "E": "v*v + k*x*x"},
        "events": {f"e{index}": event for index, event in enumerate(given_events)},
        "sim": {"dt": 0.05},
    }
    if stop is not None:
        document["sim"]["stop"] = stop
    return document


def usable(event: dict[str, Any], stepper: str) -> bool:
    """Whether the language has this: lags need a grid, crossings are over at once."""
    crossing = event["cond"].startswith(("cross_", "enters_"))
    if crossing and event.get("direction") == "falling":
        return False
    return "lag_" not in event["cond"] or stepper in ("rk4", "ab3", "map")


records = st.one_of(
    st.just("last row"),
    st.integers(1, 9).map(Stride),
    st.lists(st.floats(0.0, 1.5), max_size=6).map(sorted),  # sample times
)
FIXED = ("rk4", "ab3", "map")
TIMED = {"cond": "t >= 0.97", "action": "m += 1", "log": [], "direction": "rising"}
OFTEN = {"cond": "cross_either(v, 0)", "action": "", "log": ["x"]}


def wanted(stepper: str, record: Any, skipped: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arguments of a batch and of a single run that record the same."""
    options: dict[str, Any] = {"N": 30} if stepper == "map" else {"T": 1.5}
    options |= {"record_vars": ["x", "m", "rose", "E"], "max_steps": 100}
    if isinstance(record, list) and stepper != "map":
        return (options | {"t_eval": record},) * 2
    if stepper not in FIXED:  # steps of its own: the batch keeps their last row only
        return options, options | {"transient": 1.5}
    options |= {"transient": skipped} if stepper == "map" else {"transient": skipped * 0.05}
    plan = record if isinstance(record, Stride) else Stride(30)
    return options | {"plan": plan}, as_run(plan, options, 30 - skipped)


@settings(max_examples=settings().max_examples // 3)  # each builds a model
@given(
    st.sampled_from((*FIXED, "bs23", "tsit5", "dop853")),
    st.lists(events, min_size=1, max_size=3),
    stops, records, st.integers(0, 9), st.integers(1, 9),
    st.sampled_from((1, 2, 4)), st.booleans(),
)  # fmt: skip
@example("bs23", [TIMED], None, "last row", 0, 9, 1, False)  # at one time in all runs of a lane
@example("rk4", [OFTEN], None, "last row", 0, 9, 4, True)  # while other lanes are in mid-chunk
def test_events(
    stepper: str, given_events: list[dict[str, Any]], stop: dict[str, Any] | None,
    record: Any, skipped: int, runs: int, lanes: int, left: bool,
) -> None:  # fmt: skip
    kind = "map" if stepper == "map" else "ode"
    kept = [event for event in given_events if usable(event, stepper)]
    if kind == "map":
        kept = [{key: each for key, each in event.items() if key != "locate"} for event in kept]
    sim = setup(model_of(kind, kept, stop), stepper=stepper, jit=False)
    spread = [4.0, 0.5, 1e300, 4.1, 25.0, 4.2, 9.0, 0.0, -3.0]
    values = {"params": {"k": np.array(spread[:runs])}}
    many, one = wanted(stepper, record, skipped)
    with left_often(left):
        batch = sim.batch(**values, **many, lanes=lanes, workers=1)
    assert unlike(batch, singles(sim, values, one, runs)) == []


MIDDLES = np.linspace(0.3, 11.7, 80)
STEPPERS = ("rk4", "ab3", "bs23", "map")
PHASES = ("start", "end", "both")


def as_single_runs(stepper: str, document: dict[str, Any]) -> None:
    """Two runs in two lanes, and a third one that takes up the first lane that is free."""
    sim = setup(document, stepper=stepper, jit=False)
    values = {"params": {"k": np.array([12.0, 40.0, 20.0])}}
    many, one = wanted(stepper, "last row", 0)
    batch = sim.batch(**values, **many, lanes=2, workers=1)
    alone = singles(sim, values, one, 3)
    assert unlike(batch, alone) == []
    assert all(len(run.events.merged) or run.status.name == "EARLY_EXIT" for run in alone)


@pytest.mark.parametrize("locate", [True, False])
@pytest.mark.parametrize("direction", [None, "rising", "falling", "either"])
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("stepper", STEPPERS)
def test_any_event_alone(stepper: str, phase: str, direction: str | None, locate: bool) -> None:
    """With no other event that would send a lane into a scalar pass."""
    event = {"cond": "x < -0.3", "action": "m += 1", "log": ["x"], "phase": phase}
    event |= {"direction": direction} if direction else {}
    event |= {} if locate else {"locate": False}
    if stepper == "map" and not locate:
        return
    as_single_runs(stepper, model_of("map" if stepper == "map" else "ode", [event], None))


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("stepper", STEPPERS)
def test_any_stop_alone(stepper: str, phase: str) -> None:
    stop = {"cond": "x < -0.3", "phase": phase}
    as_single_runs(stepper, model_of("map" if stepper == "map" else "ode", [], stop))


@pytest.mark.parametrize("stepper", ["bs23", "tsit5", "dop853"])
def test_brief_events_within_long_steps(stepper: str) -> None:
    """Nothing else happens, so steps grow long; a condition holds in one of their eighths."""
    document: dict[str, Any] = {
        "model": {"type": "ode"},
        "states": {"x": 1.0},
        "params": {"middle": 1.0},
        "equations": {"rhs": {"x": "0"}},
        "events": {"e": {"cond": "abs(t - middle) < 0.2", "direction": "rising", "log": ["t"]}},
    }
    sim, values = setup(document, stepper=stepper, jit=False), {"params": {"middle": MIDDLES}}
    batch = sim.batch(**values, T=12.0, lanes=2, workers=1)
    alone = singles(sim, values, {"T": 12.0, "transient": 12.0}, len(MIDDLES))
    assert unlike(batch, alone) == []
    seen = [len(run.events["e"]) for run in alone]
    assert 0 < sum(seen) < len(seen)  # steps are long indeed


@pytest.mark.parametrize("stepper", ["rk4", "tsit5"])
def test_steps_are_counted_alike(stepper: str) -> None:
    """A step of the grid that events cut into parts is one step, on every path."""
    options = {"dt": 0.1} if stepper == "rk4" else {"rtol": 1e-6}
    sim = setup("builtin://ode/bouncing-ball", stepper=stepper, jit=False)
    run = {"T": 2.0, **options}
    single = sim.run(**run)
    assert single.events["bounce"].t.size > 2
    if stepper == "rk4":
        assert single.stats.steps == 20
        assert single.stats.evaluations == 4 * (20 + single.events["bounce"].t.size)
    for res in (sim.fastpath(**run), sim.batch(plan=FinalState(), **run)[0]):
        assert res.stats.steps == single.stats.steps
