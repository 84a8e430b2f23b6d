"""A batch is the loop of its single runs, to the last bit: for any plan, block, thread, place."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fastpath.batches import as_run, left_often, same_batch, sim_of, singles, unlike, values_of
from hypothesis import example, given
from hypothesis import strategies as st

from dynlib.abi.status import Status
from dynlib.plans import FinalState, RecordingPlan, Stride, TailWindow
from dynlib.runtime.batch import table
from dynlib.runtime.fastpath import executor, outcome

plans: st.SearchStrategy[RecordingPlan] = st.one_of(
    st.just(FinalState()),
    st.builds(Stride, st.integers(1, 30)),
    st.builds(TailWindow, st.integers(1, 30), st.integers(1, 7)),
)
runs = st.integers(1, 9)
lanes = st.sampled_from((1, 2, 4, 8))
left = st.booleans()  # whether the runner is left after every step and event
FLOWS = ("driven", "busy", "single", "stopped", "explosion")
FIXED = ("euler", "heun", "rk2", "rk4", "ab2", "ab3")
ADAPTIVE = ("bs23", "rk45", "tsit5", "dop853")
DT = 0.05
LEAST = {"bs23": 1e-4}  # of order 3: what others need 50 steps for takes it thousands


def recorded(name: str) -> list[str] | None:
    return {"driven": ["aux.E", "x"], "stopped": ["twice", "x"]}.get(name)


@given(st.sampled_from(FLOWS), st.sampled_from(FIXED), plans, runs, lanes, st.integers(0, 30), left)
def test_fixed_steps(
    name: str, stepper: str, plan: RecordingPlan, n: int, width: int, skipped: int, leave: bool
) -> None:
    sim, values = sim_of(name, stepper), values_of(name, n)
    options = {"T": 1.5, "dt": DT, "transient": skipped * DT, "record_vars": recorded(name)}
    with left_often(leave):
        batch = sim.batch(**values, **options, plan=plan, lanes=width, workers=1)
    assert unlike(batch, singles(sim, values, as_run(plan, options, 30 - skipped), n)) == []


@pytest.mark.filterwarnings("ignore::dynlib.AccuracyWarning")  # rk4: of order 1, with lags
@given(st.sampled_from(("euler", "rk4", "ab3")), plans, runs, lanes, left)
def test_lags(stepper: str, plan: RecordingPlan, n: int, width: int, leave: bool) -> None:
    sim, values = sim_of("lagged", stepper), values_of("lagged", n)
    options = {"T": 2.0, "dt": 0.1, "record_vars": ["x", "before"]}
    with left_often(leave):
        batch = sim.batch(**values, **options, plan=plan, lanes=width, workers=1)
    assert unlike(batch, singles(sim, values, as_run(plan, options, 20), n)) == []


@given(
    st.sampled_from(("logistic", "collatz", "forgetful")),
    plans, runs, lanes, st.integers(0, 40), st.integers(0, 40), st.integers(-3, 9), left,
)  # fmt: skip
def test_maps(
    name: str,
    plan: RecordingPlan,
    n: int,
    width: int,
    steps: int,
    skipped: int,
    t0: int,
    leave: bool,
) -> None:
    sim, values = sim_of(name), values_of(name, n)
    options = {"N": steps + skipped, "transient": skipped, "t0": t0}
    with left_often(leave):
        batch = sim.batch(**values, **options, plan=plan, lanes=width, workers=1)
    assert unlike(batch, singles(sim, values, as_run(plan, options, steps), n)) == []


@given(
    st.sampled_from(FLOWS), st.sampled_from(ADAPTIVE), runs, lanes,
    st.sampled_from((1e-3, 1e-5, 1e-7)), left,
)  # fmt: skip
def test_adaptive_steps(
    name: str, stepper: str, n: int, width: int, tol: float, leave: bool
) -> None:
    """Every run has its own steps; none is recorded but the last."""
    sim, values = sim_of(name, stepper), values_of(name, n)
    tol = max(tol, LEAST.get(stepper, 0.0))
    options: dict[str, Any] = {"T": 1.5, "rtol": tol, "atol": tol}
    with left_often(leave):
        batch = sim.batch(**values, **options, lanes=width, workers=1)
    alone = singles(sim, values, options | {"transient": 1.5}, n)
    assert unlike(batch, alone) == []


@given(
    st.sampled_from(FLOWS),
    st.sampled_from((*ADAPTIVE, "rk4", "ab2")),
    runs, lanes,
    st.lists(st.floats(0.0, 1.5), max_size=6),
    left,
)  # fmt: skip
@example("busy", "bs23", 3, 2, [0.04], False)  # an event at the start of a step that is rejected
def test_chosen_times(
    name: str, stepper: str, n: int, width: int, times: list[float], leave: bool
) -> None:
    sim, values = sim_of(name, stepper), values_of(name, n)
    options = {"T": 1.5, "t_eval": sorted([*times, 1.5]), "record_vars": recorded(name)}
    options |= dict.fromkeys(("rtol", "atol"), LEAST[stepper]) if stepper in LEAST else {}
    with left_often(leave):
        batch = sim.batch(**values, **options, lanes=width, workers=1)
    assert unlike(batch, singles(sim, values, options, n)) == []


@given(
    st.sampled_from(("driven", "busy", "logistic", "stopped")),
    st.lists(st.integers(0, 8), min_size=1, max_size=20),
    lanes, lanes,
)  # fmt: skip
def test_place_in_the_batch(name: str, order: list[int], width: int, other: int) -> None:
    """Neither its neighbours nor its lane matter to a run."""
    sim, values = sim_of(name), values_of(name, 9)
    ((argument, given_values),) = values.items()
    ((key, column),) = given_values.items()
    options = {"N": 30} if name == "logistic" else {"T": 1.0}
    whole = sim.batch(**values, **options, lanes=width, workers=1)
    mixed = sim.batch(**{argument: {key: column[order]}}, **options, lanes=other, workers=1)
    assert unlike(mixed, [whole[index] for index in order]) == []


@given(st.sampled_from(("driven", "busy", "logistic", "collatz")), plans)
def test_single_run_on_the_fast_path(name: str, plan: RecordingPlan) -> None:
    sim = sim_of(name)
    options: dict[str, Any] = {"N": 30} if sim.spec.is_map else {"T": 1.5, "dt": DT}
    fast = sim.fastpath(**options, plan=plan)
    alone = sim.run(**as_run(plan, options, 30))
    batch = sim.batch(**options, plan=plan)
    assert unlike(batch, [fast]) == unlike(batch, [alone]) == []


@given(runs, st.integers(1, 4), lanes, left)
def test_threads_change_nothing(n: int, workers: int, width: int, leave: bool) -> None:
    sim, values = sim_of("busy", "rk4"), values_of("busy", 3 * n)
    one = sim.batch(**values, T=1.0, workers=1, lanes=1)
    with left_often(leave):
        assert same_batch(sim.batch(**values, T=1.0, workers=workers, lanes=width), one)


@pytest.mark.parametrize("jit", [False, True])
def test_no_run_is_lost_or_taken_twice(jit: bool) -> None:
    """Eight threads, runs of one step: all of them ask for the next run all the time."""
    n = 200 if not jit else 20_000
    sim, x = sim_of("logistic", jit=jit), np.linspace(0.1, 0.9, n)
    batch = sim.batch(ic={"x": x}, params={"r": 3.0}, N=1, plan=FinalState(), workers=8, lanes=4)
    assert batch.stats.steps == n
    alone = sim.batch(ic={"x": x}, params={"r": 3.0}, N=1, plan=FinalState(), workers=1, lanes=1)
    np.testing.assert_array_equal(batch.final["x"], alone.final["x"])


def test_interrupted_threads_keep_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-C finished runs are whole, and of the others there is nothing."""
    interrupt = SimpleNamespace(seen=True, watch=lambda: None, release=lambda: None)
    monkeypatch.setattr(executor, "Interrupt", lambda: interrupt)
    sim, values = sim_of("driven", "rk4", jit=True), values_of("driven", 40_000)
    call = {"T": 30.0, "dt": DT, "lanes": 8, "plan": FinalState()}
    batch = sim.batch(**values, **call, workers=3)
    done = batch.status == Status.DONE
    assert 0 < done.sum() < 40_000
    assert (batch.status[~done] == Status.USER_BREAK).all()
    assert np.isnan(batch.final["x"][~done]).all()
    some = np.flatnonzero(done)[:: max(1, int(done.sum()) // 7)]
    (((argument, given_values),)) = values.items()
    few = {argument: {key: column[some] for key, column in given_values.items()}}
    monkeypatch.undo()
    np.testing.assert_array_equal(sim.batch(**few, **call).final["x"], batch.final["x"][some])


@pytest.mark.parametrize("name", ["driven", "collatz"])
def test_interrupted_records(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that nobody computed are written when they are looked at: Ctrl-C waits for none."""
    interrupt = SimpleNamespace(seen=True, watch=lambda: None, release=lambda: None)
    monkeypatch.setattr(executor, "Interrupt", lambda: interrupt)
    monkeypatch.setattr(executor, "first_budget", lambda *_: 1 << 8)
    looks = []
    blank = outcome.blank_unfinished
    monkeypatch.setattr(table, "blank_unfinished", lambda raw: looks.append(blank(raw)))
    made = outcome.record_room

    def used(*args: Any) -> Any:
        """Room that held something else before, so that rows that are forgotten show."""
        room = made(*args)
        room[...] = 7
        return room

    monkeypatch.setattr(executor, "record_room", used)
    sim, values = sim_of(name, jit=True), values_of(name, 300)
    extent: dict[str, Any] = {"N": 300} if name == "collatz" else {"T": 20.0, "dt": DT}
    batch = sim.batch(**values, **extent, plan=Stride(1), workers=1, lanes=2)
    assert looks == []
    done = batch.status != Status.USER_BREAK
    assert not done.all()
    nothing = 0 if name == "collatz" else np.nan
    record = batch[sim.spec.states[0]]
    np.testing.assert_array_equal(record[~done], np.full_like(record[~done], nothing))
    assert len(batch[int(np.argmin(done))]) == 0
    assert batch[sim.spec.states[0]] is not None
    assert len(looks) == 1


@pytest.mark.parametrize("name", ["driven", "explosion"])
def test_backwards(name: str) -> None:
    sim, values = sim_of(name, "rk4"), values_of(name, 5)
    options: dict[str, Any] = {"t0": 1.0, "T": 0.2, "dt": DT}
    assert unlike(sim.batch(**values, **options), singles(sim, values, options, 5)) == []


@given(st.floats(0.01, 0.4), st.floats(0.0, 1.5), plans)
def test_end_off_the_grid(dt: float, end: float, plan: RecordingPlan) -> None:
    sim, values = sim_of("driven", "rk4"), values_of("driven", 3)
    options: dict[str, Any] = {"T": end, "dt": dt}
    steps = len(sim.run(**options).t) - 1
    batch = sim.batch(**values, **options, plan=plan, lanes=2)
    for one, two in zip(batch, singles(sim, values, options, 3), strict=True):
        window = plan.window(steps)
        rows = window.first + window.stride * np.arange(window.rows)
        np.testing.assert_array_equal(one.t, two.t[rows])
        np.testing.assert_array_equal(one[:], two[:][rows])


def test_iterations_below_zero_that_nobody_records() -> None:
    sim = sim_of("logistic")
    alone = sim.run(N=5, t0=-3, record=False)
    assert len(alone) == 0
    assert sim.fastpath(N=5, t0=-3, plan=FinalState()).final["x"] == alone.final["x"]


# One kernel for each of these is compiled: lanes and single, with and without events.
COMPILED = (
    ("driven", "rk4"),
    ("busy", "tsit5"),
    ("busy", "dop853"),
    ("logistic", "map"),
    ("single", "heun"),
    ("wrapping", "map"),
)


@pytest.mark.parametrize(("name", "stepper"), COMPILED)
def test_compiled(name: str, stepper: str) -> None:
    """Vector code gives the bits of scalar code; a batch that does not fill its last block too."""
    sim, values = sim_of(name, stepper, jit=True), values_of(name, 37)
    options: dict[str, Any] = {"N": 200} if sim.spec.is_map else {"T": 5.0}
    plan = None if sim.model.stepper.adaptive else Stride(7)
    run = options | {"transient": 5.0} if plan is None else as_run(plan, options, 200)
    alone = singles(sim, values, run, 37)
    for workers in (1, 2):
        batch = sim.batch(**values, **options, plan=plan, lanes=8, workers=workers)
        assert unlike(batch, alone) == []


@pytest.mark.parametrize(
    ("name", "stepper", "record_vars", "end"),
    [
        ("driven", "tsit5", ["v", "aux.E"], 4.0),
        ("driven", "bs23", ["v"], -1.0),
        ("driven", "dop853", ["x", "aux.E"], -1.0),
        ("busy", "rk45", None, 4.0),
        ("single", "bs23", ["x"], 4.0),
        ("stopped", "rk45", ["twice"], 4.0),
        ("explosion", "tsit5", None, 4.0),
        ("explosion", "rk45", None, -1.0),
    ],
)
def test_many_samples(name: str, stepper: str, record_vars: list[str] | None, end: float) -> None:
    """Several in a step, none in many, some at the ends of steps; forwards and backwards."""
    sim, values = sim_of(name, stepper, jit=True), values_of(name, 21)
    times = np.sort(np.concatenate([np.linspace(0.0, end, 40), np.linspace(0.1, 0.2, 90) * end]))
    options = {"T": end, "t_eval": times[:: int(np.sign(end))], "record_vars": record_vars}
    batch = sim.batch(**values, **options, lanes=8, workers=1)
    assert unlike(batch, singles(sim, values, options, 21)) == []


@pytest.mark.parametrize("width", [4, 16])
@pytest.mark.parametrize(
    ("name", "options", "record_vars"),
    [
        ("logistic", {"N": 300}, None),
        ("forgetful", {"N": 150}, None),
        ("driven", {"T": 8.0, "dt": DT}, ["v", "x"]),
        ("driven", {"T": 8.0, "dt": DT}, ["v"]),
        ("driven", {"T": 8.0, "dt": DT}, ["aux.E", "x"]),
    ],
)
def test_long_records(
    name: str,
    options: dict[str, Any],
    record_vars: list[str] | None,
    width: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rows are collected and written several at a time: all arrive, at their place.

    Much of it would be written past the cache; here that happens with little.
    """
    n = 2 * width + 5
    sim, values = sim_of(name, jit=True), values_of(name, n)
    for plan in (Stride(1), Stride(3), TailWindow(29, 2)):
        run = options | {"record_vars": record_vars}
        steps = options.get("N", 160)
        alone = singles(sim, values, as_run(plan, run, steps), n)
        for large in (outcome._LARGE, 0):
            monkeypatch.setattr(outcome, "_LARGE", large)
            batch = sim.batch(**values, **run, plan=plan, lanes=width, workers=1)
            assert unlike(batch, alone) == []
