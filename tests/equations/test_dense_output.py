"""`Results.at`: the bits of a run with `t_eval`, with events, whatever was recorded."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import dynlib
from dynlib import setup
from dynlib.errors import OptionError
from dynlib.observers import ObserverModule, first_passage
from dynlib.runtime.dense import DenseOutput

STEPPERS = ("rk4", "ab3", "bs23", "rk45", "dop853")
BALL = """
[model]
name = "ball"
type = "ode"
dtype = "{dtype}"
[states]
h = 1.0
v = 0.0
hits = 0.0
[params]
g = 9.81
r = 0.8
[equations.rhs]
h = "v"
v = "-g + 0.1*sin(7*t)"
hits = "0"
[events.bounce]
cond = "h < 0"
direction = "rising"
action = \"\"\"
h = 0
v = -r*v
r = r - 0.001
hits = hits + 1
\"\"\"
[events.push]
cond = "v < -3"
direction = "rising"
phase = "start"
action = "v = v - 0.5"
"""
SWITCHED = """
[model]
name = "switched"
type = "ode"
[states]
x = 1.0
[equations.rhs]
x = "-x + (1.0 if t % 0.7 < 0.3 else 0.0) + 0.2*t"
"""
DELAYED = """
[model]
name = "delayed"
type = "ode"
[states]
x = 1.0
y = 0.0
[equations.rhs]
x = "-lag_x(7) + 0.1*y"
y = "x*lag_y(2) - t*y"
"""
_kept: dict[tuple[str, ...], dynlib.Sim] = {}


def session(model: str, stepper: str, **options: object) -> dynlib.Sim:
    key = (model, stepper, repr(options))
    if key not in _kept:
        _kept[key] = setup(model, stepper=stepper, **options)
    return _kept[key].copy()


def ball(stepper: str, **options: object) -> dynlib.Sim:
    return session(BALL.format(dtype="float64"), stepper, **options)


def times(first: float, last: float, grid: object = (), n: int = 40) -> np.ndarray:
    """Times at random, both ends, and times of the grid."""
    drawn = np.random.default_rng(4).uniform(first, last, n)
    return np.sort(np.concatenate([drawn, [first, last], np.asarray(grid, dtype=float)]))


def check(res: dynlib.Results, sampled: dynlib.Results) -> None:
    ts = sampled.t
    assert_array_equal(res.at(ts), sampled[:])
    order = np.random.default_rng(0).permutation(ts.size)  # any order, any shape
    shaped = res.at(ts[order][: ts.size // 2 * 2].reshape(2, -1))
    assert_array_equal(shaped.reshape(-1, shaped.shape[-1]), sampled[:][order][: ts.size // 2 * 2])
    assert_array_equal(res.at(float(ts[3])), sampled[3])


@pytest.mark.parametrize("stepper", ["rk4", "ab3", "rk45", "dop853"])
def test_events_cuts_and_assigned_parameters(stepper: str) -> None:
    sim = ball(stepper)
    res = sim.run(T=2.0, dt=0.01)
    assert len(res.events["bounce"]) > 1
    assert len(res.events["push"]) > 0
    ts = times(0.0, 2.0, [*res.events["bounce"].t, *res.t[::37]])
    check(res, sim.run(T=2.0, dt=0.01, t_eval=ts))


@pytest.mark.parametrize("stepper", ["rk4", "rk45"])
def test_plain_python(stepper: str) -> None:
    sim = ball(stepper, jit=False)
    check(sim.run(T=0.8, dt=0.02), sim.run(T=0.8, dt=0.02, t_eval=times(0.0, 0.8)))


@pytest.mark.parametrize("stepper", ["ab2", "tsit5"])
def test_single_precision(stepper: str) -> None:
    sim = session(BALL.format(dtype="float32"), stepper)
    res = sim.run(T=1.0, dt=0.01)
    assert res.at(0.123).dtype == np.float32
    check(res, sim.run(T=1.0, dt=0.01, t_eval=times(0.0, 1.0)))


@pytest.mark.parametrize(("model", "stepper"), [(SWITCHED, "rk45"), (SWITCHED, "dop853"),
                                                (SWITCHED, "rk4"), (DELAYED, "rk4"),
                                                (DELAYED, "ab3")])  # fmt: skip
@pytest.mark.filterwarnings("ignore::dynlib.errors.AccuracyWarning")
def test_switches_and_values_of_earlier_steps(model: str, stepper: str) -> None:
    sim = session(model, stepper)
    check(sim.run(T=3.0, dt=0.05), sim.run(T=3.0, dt=0.05, t_eval=times(0.0, 3.0)))


@pytest.mark.parametrize("stepper", ["rk4", "tsit5"])
def test_many_states(stepper: str) -> None:
    """More than are moved one by one."""
    n = 19
    rows = [f'x{i} = "(x{(i + 1) % n} - x{i - 2})*x{i - 1} - x{i} + F"' for i in range(n)]
    text = "\n".join(rows).replace("x-1", f"x{n - 1}").replace("x-2", f"x{n - 2}")
    states = "\n".join(f"x{i} = {0.1 * i}" for i in range(n))
    sim = session(
        f'[model]\nname = "ring"\ntype = "ode"\n[states]\n{states}\n[params]\nF = 8.0\n'
        f"[equations.rhs]\n{text}",
        stepper,
    )
    check(sim.run(T=1.0, dt=0.02), sim.run(T=1.0, dt=0.02, t_eval=times(0.0, 1.0)))


@given(
    stepper=st.sampled_from(STEPPERS),
    start=st.floats(-3, 3),
    length=st.floats(0.01, 4).flatmap(lambda x: st.sampled_from([x, -x])),
    dt=st.sampled_from([0.1, 0.03, 0.007]),
    places=st.lists(st.floats(0, 1), min_size=4, max_size=20),
)
def test_any_span_and_direction(
    stepper: str, start: float, length: float, dt: float, places: list[float]
) -> None:
    sim = session("builtin://ode/vanderpol", stepper)
    end = start + length
    ts = np.clip(start + length * np.sort(places), min(start, end), max(start, end))
    res = sim.run(t0=start, T=end, dt=dt, record=False)
    check(res, sim.run(t0=start, T=end, dt=dt, t_eval=ts))


@pytest.mark.parametrize("stepper", ["ab3", "rk45"])
def test_what_was_recorded_does_not_matter(stepper: str) -> None:
    sim = ball(stepper)
    ts = times(0.5, 2.0)
    sampled = sim.run(T=2.0, dt=0.01, t_eval=ts)
    for record in (
        {"record": False}, {"record_interval": 7}, {"record_vars": ["v"]}, {"t_eval": ts[::5]},
        {"t_eval": ts[::5], "transient": 0.5},
    ):  # fmt: skip
        assert_array_equal(sim.run(T=2.0, dt=0.01, **record).at(ts), sampled[:])
    assert_array_equal(sim.fastpath(T=2.0, dt=0.01).at(ts), sampled[:])
    batch = sim.batch(ic={"h": [2.0, 1.0]}, T=2.0, dt=0.01)
    assert_array_equal(batch[1].at(ts), sampled[:])


@pytest.mark.parametrize("stepper", ["rk4", "rk45"])
def test_after_a_transient(stepper: str) -> None:
    sim = session("builtin://ode/vanderpol", stepper)
    res = sim.run(T=4.0, dt=0.03, transient=1.0)
    ts = times(res.t[0], 4.0)
    assert_array_equal(res.at(res.t), res[:])
    if stepper != "rk45":  # a transient of its own step ends is what t_eval does without
        assert_array_equal(res.at(ts), sim.run(T=4.0, dt=0.03, t_eval=ts)[:])
    if stepper == "rk45":
        with pytest.raises(OptionError, match="outside of the run: 1 to 4"):
            res.at(0.5)


@pytest.mark.parametrize("stepper", ["ab3", "rk45"])
def test_continued_sessions(stepper: str) -> None:
    sim = session("builtin://ode/lorenz", stepper)
    parts = [times(0.0, 1.0), times(1.0, 2.0)[1:], times(2.0, 3.0)[1:]]
    sampled = [sim.run(T=1.0, dt=0.01, t_eval=parts[0])]
    sim.assign(rho=40.0, x=3.0)
    sim.run(T=2.0, resume=True, t_eval=parts[1])
    sampled = sim.run(T=3.0, resume=True, t_eval=parts[2], tag="last")
    sim = session("builtin://ode/lorenz", stepper)
    sim.run(T=1.0, dt=0.01)
    sim.assign(rho=40.0, x=3.0)
    sim.run(T=2.0, resume=True)
    res = sim.run(T=3.0, resume=True, tag="last")
    ts = np.concatenate(parts)
    assert_array_equal(res.at(ts[ts != 1.0]), sampled[:][ts != 1.0])
    assert res.at(1.0)[0] == 3.0  # what was assigned there
    last = res.segments["last"]
    assert_array_equal(last.at(parts[2]), sampled.segments["last"][:])
    with pytest.raises(OptionError, match="outside of the run: 2 to 3"):
        last.at(1.5)


def test_the_same_values_assigned_start_the_stepper_afresh() -> None:
    sim = session("builtin://ode/lorenz", "rk45")
    sim.run(T=1.0)
    sim.assign(rho=sim.params["rho"])
    res = sim.run(T=2.0, resume=True)
    assert_array_equal(res.at(res.t), res[:])


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
def test_results_from_files(suffix: str, tmp_path) -> None:
    sim = ball("rk45")
    res = sim.run(T=1.0)
    res.save(tmp_path / f"run{suffix}")
    loaded = dynlib.load_results(tmp_path / f"run{suffix}")
    ts = times(0.0, 1.0)
    assert_array_equal(loaded.at(ts), res.at(ts))
    assert_array_equal(pickle.loads(pickle.dumps(res)).at(ts), res.at(ts))


@pytest.mark.parametrize("stepper", ["rk4", "rk45"])
def test_runs_that_ended_early(stepper: str) -> None:
    sim = ball(stepper)
    sim2 = session("builtin://ode/vanderpol", stepper)
    stop = [first_passage("x < -1.9", stop=True)]
    for res in (
        sim2.run(T=30.0, dt=0.01, observers=stop),
        sim.run(T=5.0, dt=0.01, max_steps=31, on_failure="return"),
        sim.run(T=60.0, dt=0.01, on_failure="return"),  # comes to rest: Zeno
    ):
        assert res.t_final < 60
        ts = times(0.0, res.t_final)
        assert_array_equal(res.at(res.t_final), res.final.array)
        assert_array_equal(res.at(res.t), res[:])
        assert np.isfinite(res.at(ts)).all()


@pytest.mark.parametrize("stepper", ["rk4", "rk45"])
def test_up_to_a_stop_condition_within_a_step(stepper: str) -> None:
    sim = session(SWITCHED + '[sim]\nstop = "x < 0.8"\n', stepper)
    res = sim.run(T=3.0, dt=0.1)
    assert res.t_final < 1.0
    assert_array_equal(res.at(res.t), res[:])
    ts = times(0.0, res.t_final)[:-1]
    assert_array_equal(res.at(ts), sim.run(T=3.0, dt=0.1, t_eval=ts)[: ts.size])


def pulled(lane, t, dt, step, u, u_new, params, runtime_ws, analysis_ws):
    return (u_new[0] + 1e-3, u_new[1], u_new[2])


def test_an_observer_that_changes_steps_is_not_there_in_the_repetition() -> None:
    pull = ObserverModule("pull", runner_variational_step=pulled)
    res = setup("builtin://ode/lorenz", stepper="rk4", jit=False).run(T=0.1, observers=[pull])
    with pytest.raises(OptionError, match="an observer has a step of its own"):
        res.at(0.05)


def test_a_run_that_blew_up() -> None:
    sim = setup(
        '[model]\ntype = "ode"\n[states]\nx = 1.0\n[equations.rhs]\nx = "x^2"', stepper="rk4"
    )
    res = sim.run(T=2.0, dt=0.1, on_failure="return")
    assert not res.ok
    assert_array_equal(res.at(res.t), res[:])


def test_a_run_without_length() -> None:
    res = session("builtin://ode/lorenz", "rk45").run(T=0.0)
    assert_array_equal(res.at([0.0, 0.0]), res[:][[0, 0]])
    assert res.at(np.zeros((0, 2))).shape == (0, 2, 3)


def test_ends_that_are_off_the_grid_by_a_rounding() -> None:
    sim = session("builtin://ode/lorenz", "rk4")
    res = sim.run(T=0.3, dt=0.1)
    assert 3 * 0.1 != 0.3
    assert_array_equal(res.at([0.3, 3 * 0.1]), res[:][[-1, -1]])


def test_what_is_refused(tmp_path) -> None:
    res = session("builtin://ode/lorenz", "rk45").run(T=1.0)
    for bad, message in (
        (1.5, r"t holds 1.5, outside of the run: 0 to 1"),
        ([0.5, -np.inf], "outside of the run"),
        ([0.5, np.nan], "t holds NaN"),
        ("x", "t must be real numbers"),
        (None, "t must be real numbers"),
        ([0.1, [0.2]], "t must be an array of numbers"),
        (1j, "t must be real numbers"),
    ):
        with pytest.raises(OptionError, match=message):
            res.at(bad)
    with pytest.raises(OptionError, match="is a map, which has nothing between"):
        setup("builtin://map/henon").run(N=3).at(1)
    sim = session("builtin://ode/lorenz", "rk45")
    sim.run(T=1.0)
    sim.save_snapshot(tmp_path / "there.npz")
    other = session("builtin://ode/lorenz", "rk45")
    other.load_snapshot(tmp_path / "there.npz")
    with pytest.raises(OptionError, match="went on from a snapshot file"):
        other.run(T=2.0, resume=True).at(1.5)


def test_steps_that_memory_has_no_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dynlib.runtime.trace_room.available_memory", lambda: 2**24)
    res = session("builtin://ode/lorenz", "rk4").run(T=1e4, dt=0.01, record=False)
    with pytest.raises(OptionError, match="keeps 6 numbers for each step of the run, for which"):
        res.at(1.0)


def test_a_stepper_without_dense_output(monkeypatch: pytest.MonkeyPatch) -> None:
    sim = session("builtin://ode/lorenz", "rk4")
    res = sim.run(T=1.0)
    monkeypatch.setattr(sim.model.stepper, "dense_output", False)
    with pytest.raises(OptionError, match="stepper 'rk4' has no dense output"):
        res.at(0.5)


def test_a_repetition_that_ends_elsewhere_is_refused() -> None:
    sim = session("builtin://ode/lorenz", "rk45")
    res = sim.run(T=1.0)
    (segment,) = res._segments
    segment.y[0] += 1e-12  # as a run of another version might end
    dense = DenseOutput(res._origin, (), (segment,))
    with pytest.raises(OptionError, match="does not end where it did"):
        dense(0.5)
