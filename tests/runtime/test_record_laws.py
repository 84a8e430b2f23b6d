"""Whatever is kept of a run, it is a part of the full record, bit by bit."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from runtime.models import ADAPTIVE, FIXED, differences, sim_of

from dynlib import OptionError, UnknownNameError
from dynlib.runtime.planner import Planner
from dynlib.runtime.wrapper import run_with_wrapper

steppers = st.sampled_from((*FIXED, *ADAPTIVE))
models = st.sampled_from(("driven", "busy"))


def same(one: np.ndarray, two: np.ndarray) -> bool:
    return one.shape == two.shape and one.tobytes() == np.ascontiguousarray(two).tobytes()


@given(models, steppers, st.integers(1, 80))
def test_interval_is_slicing(name: str, stepper: str, k: int) -> None:
    full = sim_of(name, stepper).run()
    thin = sim_of(name, stepper).run(record_interval=k)
    assert same(thin.t, full.t[::k])
    assert same(thin[:], full[:][::k])
    assert thin.final == full.final


@given(st.integers(1, 30), st.integers(0, 20), st.integers(1, 20))
def test_interval_and_transient_of_a_map(k: int, transient: int, n: int) -> None:
    assume(transient <= n)
    full = sim_of("logistic").run(N=n)
    thin = sim_of("logistic").run(N=n, record_interval=k, transient=transient)
    assert same(thin.t, full.t[transient::k])
    assert same(thin["x"], full["x"][transient::k])


@given(steppers, st.lists(st.sampled_from(("x", "v", "aux.E", "E", "aux.phase")), max_size=6))
def test_chosen_variables_are_columns(stepper: str, chosen: list[str]) -> None:
    full = sim_of("driven", stepper).run(record_vars=["x", "v", "aux.E", "aux.phase"])
    some = sim_of("driven", stepper).run(record_vars=chosen)
    assert same(some.t, full.t)
    assert some.names == tuple(dict.fromkeys(name.removeprefix("aux.") for name in chosen))
    for name in chosen:
        assert same(some[name], full[name])


@given(models, st.sampled_from(FIXED), st.integers(0, 60))
def test_transient_is_the_tail(name: str, stepper: str, steps: int) -> None:
    full = sim_of(name, stepper).run()
    tail = sim_of(name, stepper).run(transient=steps * 0.05)
    assert same(tail.t, full.t[steps:])
    assert same(tail[:], full[:][steps:])
    assert tail.final == full.final
    assert same(tail.events["floor"].t, full.events["floor"].t) if name == "busy" else True


@given(st.sampled_from(ADAPTIVE), st.floats(0.1, 2.9))
def test_adaptive_record_begins_with_the_end_of_the_transient(stepper: str, start: float) -> None:
    res = sim_of("driven", stepper).run(transient=start)
    assert res.t[0] == start
    assert res.t[-1] == 3.0
    assert np.all(np.diff(res.t) > 0)


@given(models, st.sampled_from(FIXED), st.sets(st.integers(0, 60), min_size=1))
def test_samples_at_grid_points_are_rows(name: str, stepper: str, points: set[int]) -> None:
    rows = sorted(points)
    full = sim_of(name, stepper).run(T=3.0)
    some = sim_of(name, stepper).run(T=3.0, t_eval=full.t[rows])
    assert same(some.t, full.t[rows])
    assert same(some[:], full[:][rows])


@given(st.sampled_from(ADAPTIVE), st.lists(st.floats(0, 3), min_size=1, max_size=20))
def test_samples_do_not_change_the_steps(stepper: str, times: list[float]) -> None:
    full = sim_of("driven", stepper).run()
    some = sim_of("driven", stepper).run(t_eval=sorted(times))
    assert some.t.tolist() == sorted(times)
    assert some.final == full.final
    assert some.stats.steps == full.stats.steps


@given(st.sampled_from(ADAPTIVE), st.sets(st.integers(0, 1000), min_size=1))
def test_samples_at_the_steps_of_an_adaptive_run_are_rows(stepper: str, points: set[int]) -> None:
    full = sim_of("driven", stepper).run()
    rows = sorted({point % len(full) for point in points})
    some = sim_of("driven", stepper).run(t_eval=full.t[rows])
    assert same(some[:], full[:][rows])


@given(models, steppers)
def test_nothing_recorded_changes_nothing(name: str, stepper: str) -> None:
    full, none = sim_of(name, stepper).run(), sim_of(name, stepper).run(record=False)
    assert len(none) == 0
    assert none[:].shape == (0, len(full.names))
    assert none.final == full.final
    assert none.events.merged.t.tolist() == full.events.merged.t.tolist()


# --- law 3: buffer sizes never change an answer ---------------------------------------------------


@given(
    models,
    st.sampled_from(("rk4", "ab2", "rk45")),
    st.integers(0, 70),
    st.integers(0, 10),
    st.integers(1, 4),
)
def test_buffers_never_change_an_answer(
    name: str, stepper: str, rows: int, events: int, interval: int
) -> None:
    """Tiny buffers make the runner come back again and again; actions never run twice."""
    model = sim_of(name, stepper).model
    call = {"T": 3.0, "record_interval": interval, "record_vars": None}
    plan = Planner(model).fresh(call, {}, False)
    results = []
    for sizes in ({}, {"first_rows": rows, "first_events": events}):
        state = model.new_state(model.spec.state_values, model.spec.param_values)
        request = plan.request._replace(**sizes)
        raw = run_with_wrapper(model, state, request)
        arrays = (raw.t, raw.y, raw.evt_t, raw.evt_step, raw.evt_id, raw.evt_log, state.y, state.p)
        results.append([array.tobytes() for array in arrays])
    assert results[0] == results[1]


# --- law 7: time ----------------------------------------------------------------------------------


@given(
    st.sampled_from(("euler", "rk4", "ab3")),
    st.floats(-5, 5),
    st.floats(0.01, 0.2),
    st.integers(1, 150),
    st.booleans(),
)
def test_time_is_no_running_sum(
    stepper: str, t0: float, dt: float, n: int, backwards: bool
) -> None:
    sign = -1 if backwards else 1
    end = t0 + sign * n * dt
    res = sim_of("tame", stepper).run(T=end, t0=t0, dt=dt)
    assert len(res) == n + 1
    assert res.t[:-1].tolist() == [t0 + k * (sign * dt) for k in range(n)]
    assert res.t[-1] == res.t_final == end


@given(st.floats(0.01, 0.5), st.floats(0.3, 4))
def test_run_ends_at_its_end_without_a_micro_step(dt: float, end: float) -> None:
    assume(end > dt)
    res = sim_of("tame", "rk4").run(T=end, dt=dt)
    steps = np.diff(res.t)
    assert res.t[-1] == end
    # The last step makes up for what is off the grid: up to a thousandth more than dt.
    assert steps.min() >= 0.9e-3 * dt
    assert steps.max() <= 1.002 * dt


def test_the_usual_example() -> None:
    res = sim_of("tame", "rk4").run(T=1.0, dt=0.1)
    assert len(res.t) == 11
    assert res.t[-1] == 1.0


@given(st.integers(-50, 50), st.integers(0, 30))
def test_time_of_a_map_is_its_iteration(t0: int, n: int) -> None:
    res = sim_of("logistic").run(N=n, t0=t0)
    assert res.t.dtype == np.int64
    assert res.t.tolist() == list(range(t0, t0 + n + 1))
    assert res.t_final == t0 + n


# --- law 12: runs do not know of each other -------------------------------------------------------

ANY_OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "T": st.floats(0.5, 2),
        "dt": st.floats(0.02, 0.1),
        "t0": st.just(-0.5),
        "ic": st.fixed_dictionaries({"x": st.floats(-1, 1)}),
        "params": st.fixed_dictionaries({"a": st.floats(0, 1)}),
        "record_interval": st.integers(1, 5),
        "record_vars": st.just(["aux.E"]),
        "transient": st.just(0.2),
        "max_steps": st.integers(1, 5),
        "t_eval": st.just([0.25, 0.5]),
        "rtol": st.just(1e-3),
        "atol": st.just([1e-3, 1e-9]),
        "tag": st.just("first"),
        "record": st.just(False),
    },
)


@given(st.sampled_from(("rk45", "bs23")), st.lists(ANY_OPTIONS, min_size=1, max_size=3))
def test_options_do_not_leak(stepper: str, before: list[dict[str, object]]) -> None:
    alone = sim_of("driven", stepper).run()
    sim = sim_of("driven", stepper)
    for options in before:
        try:
            sim.run(on_failure="return", **options)
        except OptionError:
            continue  # not all options go together
    after = sim.run()
    assert differences(after, alone) == []
    assert after.segments.keys() == alone.segments.keys()
    assert sim.state["x"] == 0.3


# --- the memory of plans --------------------------------------------------------------------------


def test_a_changed_list_is_a_new_request() -> None:
    sim = sim_of("driven", "rk4")
    chosen = ["x"]
    assert sim.run(record_vars=chosen).names == ("x",)
    chosen.append("v")
    assert sim.run(record_vars=chosen).names == ("x", "v")


def test_many_different_runs() -> None:
    sim = sim_of("driven", "euler")
    ends = [0.1 * k for k in range(1, 80)]
    assert [sim.run(T=end).t_final for end in ends + ends] == ends + ends


# --- messages -------------------------------------------------------------------------------------


def test_unknown_variable() -> None:
    with pytest.raises(UnknownNameError, match=r"'aux.Ee'.*Did you mean 'aux.E'\?.*Known: x, v"):
        sim_of("driven", "rk4").run(record_vars=["x", "aux.Ee"])
