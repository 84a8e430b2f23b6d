"""A runner may be left and entered again anywhere: no answer changes, no action runs twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import pytest
from events.models import event, flow
from hypothesis import example, given, settings
from hypothesis import strategies as st
from properties.busy import BUSY
from trajectories import ADAPTIVE, Ran, compiled, go, same, start

from dynlib.abi.run_state import RunState
from dynlib.abi.status import Status
from dynlib.runtime import wrapper

models = st.sampled_from(sorted(BUSY))
# An example is a run of plain Python, a tenth of a second: fewer of them than of others.
few = settings(max_examples=max(10, settings.default.max_examples // 3))
SAMPLES = np.linspace(0.0, 2.0, 53)


def request_of(name: str, how: str) -> dict[str, Any]:
    """One of several kinds of runs of a busy model."""
    n_aux = len(compiled(*BUSY[name]).spec.aux)
    wanted: dict[str, Any] = {"aux": tuple(range(n_aux))}
    if BUSY[name][1] == "map":
        wanted["N"] = 60
    else:
        wanted["T"] = 2.0
        if BUSY[name][1] in ADAPTIVE:
            wanted["options"] = {"rtol": 1e-3, "atol": 1e-3}
            wanted["dt"] = 1.0  # too long: the first attempts are rejected
        else:
            wanted["dt"] = 0.1
        if how == "samples":
            wanted["samples"] = SAMPLES
    if how == "thin":
        wanted["stride"] = 3
        wanted["states"] = (1,)
    return wanted


def run(name: str, how: str = "all", **request: Any) -> Ran:
    return go(compiled(*BUSY[name]), **(request_of(name, how) | request))


@cache
def undisturbed(name: str, how: str = "all") -> Ran:
    """The run with all the room there is, in one go."""
    with pauses([10**9]):
        return run(name, how, first_rows=10_000, first_events=10_000)


@contextmanager
def pauses(lengths: list[int]) -> Iterator[None]:
    """Let runners pause after so many attempts, over and over."""
    turn = 0

    def following(spent: int, seconds: float) -> int:
        nonlocal turn
        turn += 1
        return lengths[turn % len(lengths)]

    before = wrapper._next_budget, wrapper.first_budget
    wrapper._next_budget = following
    wrapper.first_budget = lambda model, observers: lengths[0]
    try:
        yield
    finally:
        wrapper._next_budget, wrapper.first_budget = before


hows = st.sampled_from(["all", "thin", "samples"])


@pytest.mark.parametrize("name", BUSY)
def test_the_busy_models_are_busy(name: str) -> None:
    """Else the laws below would say little."""
    ran = undisturbed(name)
    assert ran.status.ok
    assert set(ran.fired) == {event.name for event in ran.model.spec.events}
    assert len(ran.fired) > 30


def test_the_adaptive_busy_models_reject_steps() -> None:
    for name in ("rk45", "bs23"):
        assert undisturbed(name).raw.stats.rejected > 0


# Three events that fire at the start of every step, within it, and at its end.
_ALWAYS = "".join(
    event(f"e{i}", "x > -1", phase="both", locate=False, log=f"{i} + x") for i in range(3)
) + event("cut", "x >= next", action="next += 0.1", log="x", direction="rising")
CROWD = flow({"x": (0, "1")}, _ALWAYS, params="next = 0.05")


@pytest.mark.parametrize("stepper", ["rk4", "rk45"])
@pytest.mark.parametrize("room", range(12))
def test_the_log_has_room_for_all_events_of_a_step(stepper: str, room: int) -> None:
    """More rows in one turn of the loop than there are events."""
    request = {"dt": 0.1, "options": {"dt_max": 0.1} if stepper == "rk45" else {}}
    large = go(compiled(CROWD, stepper), 0.5, first_events=1000, **request)
    assert len(large.fired) == 6 * (large.t.size - 1) + 5
    same(go(compiled(CROWD, stepper), 0.5, first_events=room, **request), large)


@few
@given(name=models, how=hows, rows=st.integers(0, 40), events=st.integers(0, 30))
@example(name="rk4", how="all", rows=0, events=0)
def test_buffer_sizes_never_change_an_answer(name: str, how: str, rows: int, events: int) -> None:
    same(run(name, how, first_rows=rows, first_events=events), undisturbed(name, how))


@few
@given(
    name=models, how=hows, lengths=st.lists(st.integers(1, 30), min_size=1, max_size=4),
    rows=st.integers(0, 40), events=st.integers(0, 30),
)  # fmt: skip
@example(name="rk4", how="all", lengths=[1], rows=0, events=0)
@example(name="rk45", how="all", lengths=[1], rows=0, events=0)
@example(name="map", how="all", lengths=[1], rows=0, events=0)
def test_pauses_never_change_an_answer(
    name: str, how: str, lengths: list[int], rows: int, events: int
) -> None:
    with pauses(lengths):
        same(run(name, how, first_rows=rows, first_events=events), undisturbed(name, how))


# x is in the window between 1e-5 and 2e-5, long before the end of the first step that is
# accepted: only the closer look that follows a jump sees it.
WINDOW = flow(
    {"x": (0, "1"), "fast": (1, "-300*fast")}, event("seen", "abs(x - 1.5e-5) < 5e-6", log="x")
)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_pause_before_a_retry_keeps_the_closer_look_after_a_jump(length: int) -> None:
    with pauses([10**9]):
        whole = go(compiled(WINDOW, "rk45"), 0.1, dt=0.1)
    assert whole.fired == ["seen"]
    assert whole.raw.stats.rejected > 0
    assert whole.t[1] == pytest.approx(1e-5)
    assert whole.t[2] > 3e-4  # an eighth of a step is beyond the window
    with pauses([length]):
        same(go(compiled(WINDOW, "rk45"), 0.1, dt=0.1), whole)


# The steps that meet the swing at t = 0.3 are too long.
SWINGS = flow(
    {"x": (0, "1"), "y": (0, "0 if t < 0.3 else 50*cos(50*t)"), "n": (0, "0")},
    event("began", "x > -1", phase="start", action="n += 1", log="n"),
)


def test_a_pause_before_a_retry_takes_no_event_twice() -> None:
    with pauses([10**9]):
        whole = go(compiled(SWINGS, "rk45"), 0.6)
    assert whole.raw.stats.rejected > 1
    assert len(whole.fired) == whole.final[2] == whole.raw.stats.steps
    with pauses([1]):
        same(go(compiled(SWINGS, "rk45"), 0.6), whole)


class _Interrupts:
    """An interrupt at each of the given pauses."""

    def __init__(self, at: set[int]) -> None:
        self.at = at
        self.pause = 0

    def watch(self) -> None: ...

    def release(self, *answered: object) -> None: ...

    @property
    def seen(self) -> bool:
        self.pause += 1
        return self.pause in self.at


@few
@given(name=models, at=st.integers(1, 60), length=st.integers(1, 3))
def test_an_interrupted_run_goes_on_as_if_it_had_not_been(name: str, at: int, length: int) -> None:
    """Between any two attempts, also between the pieces of a step and before a retry; through a
    copy of the state's arrays, as a snapshot keeps them.
    """
    whole = undisturbed(name)
    state = start(whole.model)
    before, wrapper.Interrupt = wrapper.Interrupt, lambda: _Interrupts({at})  # type: ignore[misc, assignment]
    try:
        with pauses([length]):
            first = run(name, state=state)
    finally:
        wrapper.Interrupt = before  # type: ignore[misc]
    rows = first.raw.t.size
    if first.status is not Status.USER_BREAK:
        return
    copied = RunState.from_arrays(state.arrays())
    # the row of the step where it stopped may still be due: a session knows by `skip`
    due = int(copied.count[10] - copied.count[0])
    on = {"dt": None} if BUSY[name][1] in ADAPTIVE else {}  # a new size would be a wish
    second = run(name, state=copied, skip=max(due, 0), **on)
    for field in ("t", "y", "aux", "evt_t", "evt_id", "evt_log"):
        both = np.concatenate([getattr(first.raw, field), getattr(second.raw, field)])
        np.testing.assert_array_equal(both, getattr(whole.raw, field), err_msg=field)
    assert rows <= whole.t.size
    np.testing.assert_array_equal(copied.y, whole.state.y)
    np.testing.assert_array_equal(copied.p, whole.state.p)


@pytest.mark.parametrize("name", [pytest.param("rk4", marks=pytest.mark.slow), "rk45", "map"])
def test_compiled_runners_pause_like_plain_ones(name: str) -> None:
    model = compiled(*BUSY[name], jit=True)
    want = request_of(name, "all")
    with pauses([10**9]):
        whole = go(model, **want, first_rows=10_000, first_events=10_000)
    for lengths, rows, events in [([1], 0, 0), ([3, 1, 8], 5, 2), ([64], 1, 40)]:
        with pauses(lengths):
            same(go(model, **want, first_rows=rows, first_events=events), whole)


@few
@given(
    name=st.sampled_from(["rk4", "rk45"]),
    at=st.lists(st.floats(0.0, 2.0), min_size=1, max_size=4),
)
@example(name="rk4", at=[0.0])
def test_samples_never_change_the_run(name: str, at: list[float]) -> None:
    whole = undisturbed(name)
    ran = go(compiled(*BUSY[name]), **request_of(name, "all"), samples=np.sort(at))
    np.testing.assert_array_equal(ran.state.y, whole.state.y)
    np.testing.assert_array_equal(ran.raw.evt_t, whole.raw.evt_t)
    np.testing.assert_array_equal(ran.raw.evt_log, whole.raw.evt_log)
