"""Laws 8 and 9: a failure keeps the trajectory, and running out of steps is no success."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from runtime.models import differences, sim_of

from dynlib import OptionError, RunFailed, load_model, setup
from dynlib.abi.status import Status
from dynlib.plans import FinalState
from dynlib.runtime import buffers


@pytest.mark.parametrize("stepper", ["euler", "rk4", "ab2", "rk45", "bs23", "dop853"])
def test_explosion_keeps_what_was_before_it(stepper: str) -> None:
    sim = sim_of("explosion", stepper)
    with pytest.raises(RunFailed) as caught:
        sim.run(T=2.0)
    error, res = caught.value, caught.value.results
    assert error.status in (Status.NAN_DETECTED, Status.STEPFAIL, Status.MAX_STEPS)
    assert res.status is error.status
    assert not res.ok
    # x = 1/(1 - t): finite at first, and until then as computed by a shorter run.
    assert np.isfinite(res[:]).all()
    assert res.t[-1] == error.t == res.t_final
    assert error.step == len(res) - 1
    assert error.state["x"] == res["x"][-1] == res.final["x"]
    if stepper in ("euler", "rk4", "ab2"):
        short = sim.run(T=0.5)
        np.testing.assert_array_equal(short["x"], res["x"][:51])
    assert sim.results().status is res.status or stepper in ("euler", "rk4", "ab2")


def test_the_message() -> None:
    with pytest.raises(RunFailed) as caught:
        sim_of("explosion", "euler").run(T=20.0, dt=0.5)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("explosion: a state became NaN or infinite after t = ")
    assert lines[1].startswith("Last state: x = ")
    assert "smaller dt" in lines[2]
    assert "adaptive stepper" in lines[2]
    assert "parameters" in lines[2]
    assert lines[3] == "What was computed until then is in the error's .results."


def test_a_state_that_an_event_breaks_is_named() -> None:
    model = {
        "model": {"type": "map", "name": "broken"},
        "states": {"x": 1.0, "y": 2.0},
        "equations": {"rhs": {"x": "x", "y": "y"}},
        "events": {"e": {"cond": "n == 3", "action": "y = log(-1.0*x)"}},
    }
    with pytest.raises(RunFailed, match=r"state y became NaN or infinite after iteration = 3"):
        setup(model, jit=False).run(N=10)


def test_failure_can_be_returned() -> None:
    res = sim_of("explosion", "rk4").run(T=20.0, dt=0.1, on_failure="return")
    assert not res.ok
    assert res.status is Status.NAN_DETECTED
    with pytest.raises(RunFailed) as caught:
        res.raise_for_status()
    assert caught.value.results is res
    assert sim_of("tame", "rk4").run().raise_for_status().ok


@given(st.integers(1, 30), st.sampled_from(("euler", "rk4", "ab3", "rk45")))
def test_running_out_of_steps_is_no_success(limit: int, stepper: str) -> None:
    needed = sim_of("driven", stepper).run().stats.steps
    sim = sim_of("driven", stepper)
    if limit >= needed:
        assert sim.run(max_steps=limit).ok
        return
    with pytest.raises(RunFailed, match=r"max_steps was reached.*Raise max_steps") as caught:
        _one_line(lambda: sim.run(max_steps=limit))
    error = caught.value
    assert error.status is Status.MAX_STEPS
    assert not error.results.ok
    assert error.step == error.results.stats.steps == limit
    assert len(error.results) == limit + 1


def _one_line(call: object) -> None:
    """Raise with the line breaks taken out, for regular expressions."""
    try:
        call()  # type: ignore[operator]
    except RunFailed as error:
        error.args = (str(error).replace("\n", " "),)
        raise


@pytest.mark.parametrize("stepper", ["rk45", "rk4"])
def test_the_limit_of_the_model_holds_for_every_stepper(stepper: str) -> None:
    model = {
        "model": {"type": "ode", "name": "fast"},
        "states": {"x": 0.0},
        "equations": {"rhs": {"x": "cos(100*t)"}},
        "sim": {"max_steps": 20},
    }
    sim = setup(model, stepper=stepper, jit=False)
    res = sim.run(T=10.0, on_failure="return")
    assert (res.status, res.stats.steps) == (Status.MAX_STEPS, 20)
    assert sim.batch(T=10.0, plan=FinalState()).status[0] == Status.MAX_STEPS
    assert sim.run(T=10.0, max_steps=10_000).ok


def test_the_limit_of_the_model_survives_being_written_as_text() -> None:
    model = {
        "model": {"type": "map"},
        "states": {"x": 0.0},
        "equations": {"rhs": {"x": "x + 1"}},
        "sim": {"max_steps": 3},
    }
    again = setup(load_model(model).to_toml(), jit=False)
    assert again.run(N=3).ok
    assert not again.run(N=4, on_failure="return").ok


def test_stop_condition_is_success() -> None:
    model = {
        "model": {"type": "ode", "name": "stopping"},
        "states": {"x": 0.0},
        "equations": {"rhs": {"x": "1"}},
        "sim": {"dt": 0.25, "stop": "x > 0.6"},
    }
    sim = setup(model, stepper="rk4", jit=False)
    res = sim.run(T=3.0)
    assert res.ok
    assert res.status is Status.EARLY_EXIT
    assert res.message == "the stop condition was met at t = 0.6 (step 3)"
    assert res.t.tolist() == pytest.approx([0.0, 0.25, 0.5, 0.6])
    # The session stands there; one more step and the condition, which still holds, ends it again.
    assert sim.run(T=3.0, resume=True).t_final == pytest.approx(0.85)


def test_accumulating_events_are_a_failure() -> None:
    """A relay without hysteresis switches ever again within one step."""
    model = {
        "model": {"type": "ode", "name": "relay"},
        "states": {"x": 0.0, "n": 0.0},
        "equations": {"rhs": {"x": "1", "n": "0"}},
        "events": {
            "e": {"cond": "x > 0.6", "direction": "rising", "action": "x = 0.6 - 1e-13; n += 1"},
        },
    }
    with pytest.raises(RunFailed) as caught:
        setup(model, stepper="rk4", jit=False).run(T=3.0, dt=0.25)
    error = caught.value
    assert error.status is Status.ZENO
    assert "events ('e') follow each other without end" in str(error)
    assert "hysteresis" in str(error)
    assert error.t == pytest.approx(0.6, abs=1e-9)
    assert error.results.t.tolist() == [0.0, 0.25, 0.5]
    assert error.results.final["n"] == len(error.results.events["e"]) > 5


def test_errors_travel_to_other_processes() -> None:
    with pytest.raises(RunFailed) as caught:
        sim_of("explosion", "rk4").run(T=20.0, dt=0.1)
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert again.status is Status.NAN_DETECTED
    assert again.t == caught.value.t
    np.testing.assert_array_equal(again.results["x"], caught.value.results["x"])


# --- memory ---------------------------------------------------------------------------------------


def test_record_that_grows_beyond_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """What there is of it is kept, and the session goes on from there."""
    sim = sim_of("driven", "rk45")
    whole = sim.run(T=2000.0)
    monkeypatch.setattr(buffers, "_TRIFLE", 1 << 10)
    monkeypatch.setattr(buffers, "available_memory", lambda: 3000 * 24)
    with pytest.raises(OptionError, match=r"the record needs .* rows, .* memory .*record_interval"):
        sim.run(T=2000.0)
    kept = sim.results()
    assert "memory is too small" in kept.message
    assert 1000 < len(kept) < len(whole)
    np.testing.assert_array_equal(kept["x"], whole["x"][: len(kept)])
    monkeypatch.undo()
    assert differences(sim.run(T=2000.0, resume=True), whole) == []


def test_times_that_do_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "_TRIFLE", 1 << 10)
    monkeypatch.setattr(buffers, "available_memory", lambda: 1000)
    with pytest.raises(OptionError, match="fewer times in t_eval"):
        sim_of("driven", "rk45").run(T=1.0, t_eval=np.linspace(0, 1, 1000))
