"""Every observer, in every kind of run, against a path that SciPy has integrated.

Whoever adds an observer to `everyone` has to say in `references` what it is to find.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from observers.everyone import everyone
from observers.paths import Jumps, Path
from observers.references import ERRORS, REFERENCES
from observers.watching import unlike_results
from runtime.models import DRIVEN

from dynlib import Results, Sim, build
from dynlib.abi.status import Status
from dynlib.errors import OptionError
from dynlib.observers.kit.combined import combine

pytest.importorskip("scipy")

WALL = {"wall": {"cond": "x > 0.5", "direction": "rising", "action": "v = 0.5*v; x = 0.1"}}
LATE = {"late": {"cond": "t >= 1", "direction": "rising", "action": "v = -v; x = x - 0.3"}}
AT_ONCE = {"once": {"cond": "x > 0.5", "phase": "start", "action": "v = 0.5*v; x = x - 0.5"}}
JUMPS: dict[str, Jumps | None] = {
    "smooth": None,
    "stopped": None,
    "wall": Jumps(lambda t, u: u[0] - 0.5, lambda u: np.array([0.1, 0.5 * u[1]])),
    "late": Jumps(lambda t, u: t - 1.0, lambda u: np.array([u[0] - 0.3, -u[1]]), once=True),
    "at once": Jumps(
        lambda t, u: -1.0, lambda u: np.array([u[0] - 0.5, 0.5 * u[1]]), at_start=True
    ),
}
EVENTS = {"smooth": {}, "stopped": {}, "wall": WALL, "late": LATE, "at once": AT_ONCE}
STARTS = {"at once": (0.6, 0.1)}
CASES: dict[str, tuple[str, dict[str, Any], Status]] = {
    "forwards": ("smooth", {"T": 3.0}, Status.DONE),
    "backwards": ("smooth", {"T": -3.0}, Status.DONE),
    "jumps within steps": ("wall", {"T": 3.0}, Status.DONE),
    "a jump at a step's end": ("late", {"T": 2.0}, Status.DONE),
    "a jump at the end": ("late", {"T": 1.0}, Status.DONE),
    "start on the event": ("at once", {"T": 0.8}, Status.DONE),
    "transient": ("smooth", {"T": 3.0, "transient": 0.5}, Status.DONE),
    "transient, jumps": ("wall", {"T": 3.0, "transient": 0.5}, Status.DONE),
    "no steps": ("smooth", {"T": 0.0}, Status.DONE),
    "no steps, event": ("at once", {"T": 0.0}, Status.DONE),
    "stopped": ("stopped", {"T": 3.0}, Status.EARLY_EXIT),
    "max_steps": ("smooth", {"T": 3.0, "max_steps": 40}, Status.MAX_STEPS),
}
GROWTH = ("lyapunov_max", "lyapunov_spectrum", "sali", "gali")
FEW = ("jumps within steps", "a jump at the end", "start on the event", "no steps, event")
STEPS = {"rk4": {"dt": 0.01}, "tsit5": {"rtol": 1e-10, "atol": 1e-10}}
# Where adaptive steps are after a transient, or at a limit, nobody can say beforehand.
KNOWN_STEPS = [
    (c, "tsit5") for c in CASES if c not in ("transient", "transient, jumps", "max_steps")
]


@cache
def model(name: str, stepper: str) -> Any:
    sim = {**DRIVEN["sim"], "stop": "t >= 1"} if name == "stopped" else DRIVEN["sim"]
    return build({**DRIVEN, "events": EVENTS[name], "sim": sim}, stepper=stepper, jit=False)


def watchers(stepper: str) -> list[Any]:
    found = everyone()
    if stepper == "tsit5":
        del found["zero_one_test"]  # wants samples at equal distances
    return list(found.values())


def bounded(stepper: str) -> list[Any]:
    """Those whose traces have a bound, which adaptive steppers need on the fast path."""
    return [o for o in watchers(stepper) if stepper == "rk4" or o.label != "lyapunov_max"]


def start_of(case: str) -> dict[str, float]:
    name, options, *_ = CASES[case]
    x, v = STARTS.get(name, (0.3, 0.9))
    return {"x": x, "v": v, **options.get("ic", {})}


@cache
def run_of(case: str, stepper: str) -> Results:
    name, options, *_ = CASES[case]
    given = {**options, **STEPS[stepper], "ic": start_of(case), "on_failure": "return"}
    return Sim(model(name, stepper)).run(observers=watchers(stepper), **given)


def path_of(case: str, end: float) -> Path:
    name, options, _ = CASES[case]
    seen = np.sign(options["T"]) * options.get("transient", 0.0)
    start = start_of(case)
    return Path(np.array([start["x"], start["v"]]), 0.0, end, JUMPS[name], float(seen))


def test_nobody_is_forgotten() -> None:
    assert set(REFERENCES) == set(everyone())


def steps_of(case: str, stepper: str, path: Path) -> np.ndarray:
    if stepper == "tsit5":
        name, options, *_ = CASES[case]
        given = {**options, **STEPS[stepper], "ic": start_of(case)}
        given.pop("transient", None)
        return Sim(model(name, stepper)).run(**given, on_failure="return").t
    return path.sign * 0.01 * np.arange(round(abs(path.t_end) / 0.01) + 1)


@pytest.mark.parametrize(("case", "stepper"), [*((c, "rk4") for c in CASES), *KNOWN_STEPS])
def test_every_observer(case: str, stepper: str) -> None:
    found = run_of(case, stepper)
    assert found.status is CASES[case][2]
    path = path_of(case, float(found.t[-1]))
    steps = steps_of(case, stepper, path)
    # Cut by a stop, an adaptive step is followed anew: growth is known at its end, as at a mark.
    cut = stepper == "tsit5" and found.status is Status.EARLY_EXIT
    marked = np.append(steps, [steps[-1]] * (-(len(steps) - 1) % 10)) if cut else steps
    wrong = []
    for name, result in found.observers.items():
        seen = marked if name in GROWTH else steps
        expected = REFERENCES[name](path, seen, stepper == "tsit5")
        rows = {key: expected.pop(key) for key in ("trace", "trace_time") if key in expected}
        assert set(expected) == set(result) - ERRORS, name
        numbers = {key: (np.asarray(result.arrays[key], float), expected[key]) for key in expected}
        numbers |= {key: (getattr(result, key), value) for key, value in rows.items()}
        for key, (here, there) in numbers.items():
            there = np.asarray(there, float)
            # Derivatives are differences; extrema and bins of a path are known to its samples.
            slack = 3e-3 if "time" in key or name == "histogram" else 2e-4
            close = here.shape == there.shape and np.allclose(
                here, there, rtol=2e-4, atol=slack, equal_nan=True
            )
            if not close:
                wrong.append(f"{name}.{key}: {here} instead of {there}")
        for key in set(result) & ERRORS:
            errors = np.asarray(result.arrays[key])
            assert (np.isnan(errors) | (errors >= 0.0)).all(), f"{name}.{key}: {errors}"
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("case", "stepper"),
    [
        pytest.param(case, stepper, marks=() if case in FEW else pytest.mark.slow)
        for stepper in STEPS
        for case in CASES
    ],
)
def test_every_path(case: str, stepper: str) -> None:
    """The fast path and batches find what runs find, to the last bit."""
    name, options, *_ = CASES[case]
    alone = run_of(case, stepper)
    given = {**options, **STEPS[stepper], "on_failure": "return", "observers": bounded(stepper)}
    start = start_of(case)
    fast = Sim(model(name, stepper)).fastpath(ic=start, **given)
    batch = Sim(model(name, stepper)).batch(
        ic={"x": [start["x"], 0.2, start["x"]], "v": start["v"]}, lanes=2, **given
    )
    for found in (fast, batch[0], batch[2]):
        there = {key: alone.observers[key] for key in found.observers}
        assert unlike_results(found.observers, there) == []


# Runs that end in their transient, and how: the model's equations, its stop condition, options.
UNSEEN: dict[str, tuple[dict[str, str], str, dict[str, Any], Status]] = {
    "max_steps": ({}, "", {"max_steps": 5}, Status.MAX_STEPS),
    "stop": ({}, "t >= 0.5", {}, Status.EARLY_EXIT),
    "infinite": ({"x": "v + 9*x*x*x"}, "", {}, Status.NAN_DETECTED),
}


@pytest.mark.parametrize(
    ("why", "stepper"), [*((why, "rk4") for why in UNSEEN), ("max_steps", "tsit5")]
)
def test_a_run_that_ends_in_its_transient_has_shown_nothing(why: str, stepper: str) -> None:
    rhs, stop, options, status = UNSEEN[why]
    changed: dict[str, Any] = {"equations": {"rhs": DRIVEN["equations"]["rhs"] | rhs}}
    if stop:
        changed["sim"] = {**DRIVEN["sim"], "stop": stop}
    sim = build({**DRIVEN, **changed}, stepper=stepper, jit=False)
    given = {"T": 3.0, "transient": 2.0, **STEPS[stepper], **options, "on_failure": "return"}
    given["observers"] = observers = bounded(stepper)
    run = Sim(sim).run(**given)
    assert run.status is status
    assert "saw nothing" in run.message
    fast = Sim(sim).fastpath(**given)
    batch = Sim(sim).batch(ic={"x": [0.3, 0.3]}, **given)
    parts = combine(observers, sim.spec, sim.stepper).parts
    nothing = {
        observer.label: {o.name: o.nothing for o in part.outputs}
        for observer, part in zip(observers, parts, strict=True)
    }
    for found in (run.observers, fast.observers, batch[1].observers):
        for name, result in found.items():
            assert len(result.trace_time) == 0, name
            for key, value in result.arrays.items():
                empty = np.full(np.shape(value), nothing[name][key])
                np.testing.assert_array_equal(value, empty, err_msg=f"{name}.{key}")


@pytest.mark.parametrize("transient", [1.0, 2.0])
def test_a_transient_that_is_the_whole_run_is_refused(transient: float) -> None:
    with pytest.raises(OptionError, match="run"):
        Sim(model("smooth", "rk4")).run(T=1.0, transient=transient, observers=watchers("rk4"))


@cache
def reversed_model(stepper: str) -> tuple[Any, Any]:
    """The driven oscillator, and the same with time that runs the other way."""
    rhs = {"x": "-v", "v": "-(x - x**3 - 0.2*v + a*cos(w*(-t)))"}
    other = {**DRIVEN, "equations": {"rhs": rhs}}
    return tuple(build(each, stepper=stepper, jit=False) for each in (DRIVEN, other))


@pytest.mark.parametrize("stepper", STEPS)
@settings(max_examples=5, deadline=None)
@given(x=st.floats(-1.0, 1.0), v=st.floats(-1.0, 1.0))
def test_backwards_is_forwards_in_reversed_time(stepper: str, x: float, v: float) -> None:
    """Whatever the observer: its times have the other sign, all other numbers are the same."""
    one, other = map(Sim, reversed_model(stepper))
    options = {**STEPS[stepper], "ic": {"x": x, "v": v}}
    # The sections turn with the flow, whose derivative has the other sign.
    observers = watchers(stepper)
    back = one.run(T=-3.0, observers=observers, **options).observers
    forth = other.run(T=3.0, observers=observers, **options).observers
    for name, here in back.items():
        there = forth[name]
        for output in here:
            sign = -1.0 if output in ("first_time", "last_time", "time_below") else 1.0
            sign = -1.0 if (name, output) == ("first_passage", "time") else sign
            np.testing.assert_allclose(
                sign * np.asarray(here.arrays[output]), there.arrays[output], rtol=1e-7, atol=1e-9,
                err_msg=f"{name}.{output}",
            )  # fmt: skip
        np.testing.assert_allclose(-here.trace_time, there.trace_time, rtol=1e-9, atol=1e-9)
