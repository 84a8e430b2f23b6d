"""A run that is stopped between two steps and continued gives the bits of one that is not."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from runtime.models import ADAPTIVE, FIXED, differences, sim_of

from dynlib import OptionError, RunFailed, Sim, load_results
from dynlib.abi.status import Status
from dynlib.runtime import wrapper

shares = st.integers(1, 59)  # of 60 grid steps: dt = 0.05, T = 3


def stopped_after(sim: Sim, steps: int, **options: object) -> None:
    """Run, but only so many steps: the session then stands between two steps."""
    sim.run(max_steps=steps, on_failure="return", **options)


@given(st.sampled_from(("driven", "busy")), st.sampled_from(FIXED), shares)
def test_fixed_run_is_its_two_halves(name: str, stepper: str, split: int) -> None:
    whole = sim_of(name, stepper).run(T=3.0)
    sim = sim_of(name, stepper)
    sim.run(T=split * 0.05)
    assert differences(sim.run(T=3.0, resume=True), whole) == []


@pytest.mark.filterwarnings("ignore::dynlib.AccuracyWarning")  # rk4: of order 1, with lags
@given(st.sampled_from(("euler", "rk4", "ab3")), st.integers(1, 39))
def test_lags_go_on(stepper: str, split: int) -> None:
    whole = sim_of("lagged", stepper).run(T=4.0)
    sim = sim_of("lagged", stepper)
    sim.run(T=split * 0.1)
    assert differences(sim.run(T=4.0, resume=True), whole) == []


@given(st.lists(st.integers(1, 12), min_size=1, max_size=6))
def test_map_is_its_pieces(pieces: list[int]) -> None:
    whole = sim_of("logistic").run(N=sum(pieces))
    sim = sim_of("logistic")
    for count in pieces:
        last = sim.run(N=count, resume=True)
    assert differences(last, whole) == []
    assert len(last.segments) == len(pieces)


@given(
    st.sampled_from(("driven", "busy")), st.sampled_from((*FIXED, *ADAPTIVE)), st.integers(1, 30)
)
def test_stopped_run_goes_on(name: str, stepper: str, steps: int) -> None:
    """Adaptive and multistep methods too, at any step, through a snapshot in memory."""
    whole = sim_of(name, stepper).run(T=3.0)
    sim = sim_of(name, stepper)
    stopped_after(sim, steps, T=3.0)
    sim.snapshot("there")
    sim.run(T=1.0, ic=[0.0] * len(sim.spec.states))
    sim.assign(**{sim.spec.states[0]: 0.1})
    sim.reset("there")
    if sim.t < 3.0:
        assert differences(sim.run(T=3.0, resume=True), whole) == []


@given(
    st.sampled_from((*FIXED, *ADAPTIVE)),
    st.integers(1, 30),
    st.integers(1, 7),
    st.sampled_from((None, ["x"], ["aux.E", "v"])),
)
def test_rhythm_of_the_record_goes_on(
    stepper: str, steps: int, interval: int, chosen: list[str] | None
) -> None:
    keep = {"record_interval": interval, "record_vars": chosen}
    whole = sim_of("driven", stepper).run(T=3.0, **keep)
    sim = sim_of("driven", stepper)
    stopped_after(sim, steps, T=3.0, **keep)
    if sim.t < 3.0:
        assert differences(sim.run(T=3.0, resume=True, **keep), whole) == []


@given(st.integers(1, 20))
def test_options_of_the_run_go_on_with_it(steps: int) -> None:
    whole = sim_of("driven", "rk45").run(T=3.0, rtol=1e-9, atol=1e-10, params={"a": 0.5})
    sim = sim_of("driven", "rk45")
    stopped_after(sim, steps, T=3.0, rtol=1e-9, atol=1e-10, params={"a": 0.5})
    assert differences(sim.run(T=3.0, resume=True), whole) == []


class _AtOnce:
    """An interrupt that is there at the first pause."""

    seen = True

    def watch(self) -> None: ...
    def release(self) -> None: ...


@pytest.mark.parametrize(
    ("name", "stepper"), [("busy", "rk4"), ("busy", "ab3"), ("busy", "rk45"), ("driven", "rk45")]
)
def test_interrupted_at_any_attempt(
    name: str, stepper: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also within a step that an event has cut, and between rejected attempts."""
    whole = sim_of(name, stepper, jit=True).run(T=3.0)
    attempts = whole.stats.steps + whole.stats.rejected
    for first in range(1, attempts, 1 + attempts // 25):
        sim = sim_of(name, stepper, jit=True)
        with monkeypatch.context() as patch:
            patch.setattr(wrapper, "first_budget", lambda *_, first=first: first)
            patch.setattr(wrapper, "Interrupt", _AtOnce)
            part = sim.run(T=3.0)
        assert part.status is Status.USER_BREAK
        assert not part.ok
        assert part.stats.steps + part.stats.rejected <= first + 1
        assert differences(sim.run(T=3.0, resume=True), whole) == []


_ELSEWHERE = """
import sys
from runtime.models import sim_of
sim = sim_of(sys.argv[1], sys.argv[2])
sim.load_snapshot(sys.argv[3])
sim.run(T=3.0, resume=True).save(sys.argv[4])
"""


@pytest.mark.parametrize("stepper", ["rk4", "ab3", "tsit5"])
@pytest.mark.parametrize("name", ["driven", "busy"])
def test_another_process_goes_on(name: str, stepper: str, tmp_path: Path) -> None:
    whole = sim_of(name, stepper).run(T=3.0)
    sim = sim_of(name, stepper)
    stopped_after(sim, 7, T=3.0)
    first = sim.results()
    sim.save_snapshot(tmp_path / "there.snap")
    out = tmp_path / "rest.npz"
    command = [sys.executable, "-c", _ELSEWHERE, name, stepper, tmp_path / "there.snap", out]
    tests = Path(__file__).parents[1]
    subprocess.run(command, check=True, cwd=tests, env=_environment(tests))
    rest = load_results(out)
    assert np.concatenate([first.t, rest.t]).tobytes() == whole.t.tobytes()
    assert np.concatenate([first[:], rest[:]]).tobytes() == whole[:].tobytes()
    assert rest.final.array.tobytes() == whole.final.array.tobytes()
    assert rest.final_params == whole.final_params
    for event in whole.events:
        both = np.concatenate([first.events[event].t, rest.events[event].t])
        assert both.tobytes() == whole.events[event].t.tobytes()


def _environment(tests: Path) -> dict[str, str]:
    """The environment of this process, where it finds the same dynlib and these helpers."""
    paths = [os.environ.get("PYTHONPATH", ""), str(tests)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def test_a_run_that_ended_at_its_end_goes_on() -> None:
    """T = 0.3 is off the grid by a rounding: 3*0.1 is not 0.3, and the longer run passes by it."""
    sim = sim_of("driven", "rk4")
    short = sim.run(T=0.3, dt=0.1)
    assert short.t[-1] == 0.3
    both = sim.run(T=1.0, resume=True)
    assert both.t[3] == 3 * 0.1 != 0.3
    assert differences(both, sim_of("driven", "rk4").run(T=1.0, dt=0.1)) == []
    assert short.t[-1] == 0.3


# --- what resume does not take --------------------------------------------------------------------


def test_resume_of_nothing_is_a_start() -> None:
    sim, other = sim_of("driven", "rk4"), sim_of("driven", "rk4")
    assert differences(sim.run(T=1.0, resume=True), other.run(T=1.0)) == []


@pytest.mark.parametrize("given", [{"ic": {"x": 1}}, {"params": {"a": 1}}, {"t0": 0.0}])
def test_resume_takes_no_start(given: dict[str, object]) -> None:
    sim = sim_of("driven", "rk4")
    sim.run(T=1.0)
    (name,) = given
    with pytest.raises(OptionError, match=f"{name} belongs to the start of a run.*assign"):
        sim.run(T=2.0, resume=True, **given)


@pytest.mark.parametrize("end", [1.0, 0.5, -1.0])
def test_resume_goes_forward(end: float) -> None:
    sim = sim_of("driven", "rk4")
    sim.run(T=1.0)
    with pytest.raises(OptionError, match="must lie beyond where the session stands, t = 1"):
        sim.run(T=end, resume=True)
    assert sim.run(T=1.5, resume=True).t[-1] == 1.5


def test_backwards_goes_on_backwards() -> None:
    sim = sim_of("driven", "rk4")
    whole = sim.run(T=-2.0)
    sim.run(T=-1.0)
    assert differences(sim.run(T=-2.0, resume=True), whole) == []
    with pytest.raises(OptionError, match="must lie beyond"):
        sim.run(T=1.0, resume=True)


def test_failed_run_can_go_on_with_other_options() -> None:
    sim = sim_of("driven", "rk45")
    with pytest.raises(RunFailed):
        sim.run(T=3.0, max_steps=3)
    res = sim.run(T=3.0, resume=True, rtol=1e-3)
    assert res.ok
    assert res.t[-1] == 3.0


def test_a_refused_run_leaves_the_session_alone() -> None:
    sim = sim_of("driven", "rk45")
    sim.run(T=1.0)
    before = sim.results()
    bad: list[dict[str, object]] = [
        {"T": 2.0, "dt": -1.0},
        {"T": 2.0, "rtol": -1.0},
        {"T": 2.0, "tag": "run1", "resume": True},
        {"T": 2.0, "rtol": -1.0, "dt": 0.5, "resume": True},
        {"T": 2.0, "ic": {"q": 1.0}},
        {"T": 2.0, "tag": ""},
        {"T": 2.0, "on_failure": "ignore"},
    ]
    for given_ in bad:
        with pytest.raises((OptionError, KeyError, ValueError)):
            sim.run(**given_)
    assert sim.t == 1.0
    whole = sim_of("driven", "rk45")
    whole.run(T=1.0)
    assert differences(sim.results(), before) == []
    assert differences(sim.run(T=2.0, resume=True), whole.run(T=2.0, resume=True)) == []
