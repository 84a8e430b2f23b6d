"""Attempts that fail, or count, on all paths: methods that would not, made to.

A Runge–Kutta method whose attempts fail where a condition holds is, elsewhere, the method itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from steppers.packages import installed

import dynlib
from dynlib import Results, Sim
from dynlib.abi.primitives import plain_namespace
from dynlib.abi.status import Status
from dynlib.observers import features, lyapunov_max
from dynlib.steppers import Counter, Option, Problem, register
from dynlib.steppers.base import ATTEMPT_ARGS
from dynlib.steppers.explicit_rk import ExplicitRK
from dynlib.steppers.tableau import ButcherTableau
from dynlib.steppers.tableaus.fixed import RK4
from dynlib.steppers.tableaus.tsit5 import TSIT5
from dynlib.steppers.tally import Tally
from dynlib.steppers.text import Scalar, function


class Flaky(ExplicitRK):
    """Fails where `fails` holds, a condition on the arguments of an attempt."""

    counters = (Counter("looks", "at the state"), Counter("weights", "of the attempts"))

    def __init__(self, name: str, tableau: ButcherTableau, fails: str = "") -> None:
        super().__init__(name, tableau, "nobody")
        self.fails = fails
        if fails:
            self.failures = ("it was told to", "the state is too large")
            self.own_options = (Option("most", 2.0, "of the first state", least=0.0),)

    def emit(self, problem: Problem) -> str:
        text = re.sub(r"\battempt\b", "usual_attempt", super().emit(problem))
        lines = [f"u_new, k = usual_attempt({ATTEMPT_ARGS})"]
        failed = "0.0"
        if self.fails:
            most = problem.setting("most")
            failed = f"select({self.fails}, 1.0, select(abs_(u[0]) > {most}, 2.0, 0.0))"
        lines.append(f"return u_new, k, ({failed}, 1.0, 3.0)")
        return text + "\n" + function("attempt", ATTEMPT_ARGS, lines)


class Careful(ExplicitRK):
    """Fails where a step times the second state's tolerances is too much."""

    failures = ("the tolerances are too loose for this step",)
    own_options = (Option("most", 0.1, "length of a step at a tolerance of 1"),)
    reads_tolerances = True

    def emit(self, problem: Problem) -> str:
        text = re.sub(r"\battempt\b", "usual_attempt", super().emit(problem))
        both = f"({problem.rtol(1)} + {problem.atol(1)})"
        lines = [
            f"u_new, k = usual_attempt({ATTEMPT_ARGS})",
            f"failed = abs_(h) * {both} > {problem.setting('most')}",
            "return u_new, k, (select(failed, 1.0, 0.0),)",
        ]
        return text + "\n" + function("attempt", ATTEMPT_ARGS, lines)


LONG = Flaky("flaky5", TSIT5, "abs_(h) > 0.05")
NEVER = Flaky("flaky4", RK4, "h > 1e9")
CAREFUL = Careful("careful5", TSIT5, "nobody")
COUNTING = [Flaky("counting4", RK4), Flaky("counting5", TSIT5)]

SWING: dict[str, Any] = {
    "model": {"type": "ode", "name": "swing"},
    "states": {"x": 1.0, "v": 0.0},
    "params": {"k": 4.0, "grow": 0.0},
    "equations": {"rhs": {"x": "v", "v": "-k*x + grow*v + 0.1*sin(3*t)"}},
    "events": {
        "floor": {"cond": "x < -0.6", "direction": "rising", "action": "v = -0.9*v", "log": ["v"]}
    },
    "sim": {"dt": 0.03, "t_end": 3.0},
}


@pytest.fixture(scope="module", autouse=True)
def registered() -> Iterator[None]:
    with installed():
        for stepper in (LONG, NEVER, CAREFUL, *COUNTING):
            register(stepper)
        yield


def sim_of(stepper: str, *, jit: bool = True, dtype: str | None = None, **model: Any) -> Sim:
    return dynlib.setup(SWING | model, stepper=stepper, jit=jit, dtype=dtype)


def same(one: Results, other: Results) -> None:
    assert (one.status, one.message) == (other.status, other.message)
    assert one.stats.counters == other.stats.counters
    assert one.stats[:2] == other.stats[:2]  # parts of cut steps: batches count them as one step
    assert_array_equal(list(one.final.values()), list(other.final.values()))
    for name in one.events:
        assert_array_equal(one.events[name].t, other.events[name].t)


SAMPLES = {"t_eval": np.linspace(0, 3, 7)}
OBSERVED = {"observers": [features("max")]}


@pytest.mark.parametrize(
    ("name", "events", "options"),
    [
        ("flaky5", True, {}),
        pytest.param("flaky5", False, SAMPLES, marks=pytest.mark.slow),
        ("flaky4", True, OBSERVED),
        pytest.param("flaky4", False, {}, marks=pytest.mark.slow),
        ("counting4", False, {}),
        pytest.param("counting5", True, SAMPLES, marks=pytest.mark.slow),
    ],
)
def test_all_paths(name: str, events: bool, options: dict[str, Any]) -> None:
    """With events, observers, samples; runs that fail and runs that do not."""
    sim = sim_of(name, **({} if events else {"events": {}}))
    how: dict[str, Any] = {"T": 3.0, "on_failure": "return", **options}
    if name.startswith("flaky"):
        how["most"] = 1.5
    grow = np.linspace(0.0, 2.0, 6)
    alone = [sim.run(**how, params={"grow": g}) for g in grow]
    for one, other in zip(sim.batch(**how, params={"grow": grow}, lanes=16), alone, strict=True):
        same(one, other)
    same(sim.fastpath(**how, params={"grow": 2.0}), alone[-1])
    plain = sim_of(name, jit=False, **({} if events else {"events": {}}))
    for index in (0, -1):
        other = plain.run(**how, params={"grow": grow[index]})
        assert other.status is alone[index].status
        assert other.stats.counters == alone[index].stats.counters
        assert_allclose(list(other.final.values()), list(alone[index].final.values()), rtol=1e-11)
    fails = {each.status for each in alone} == {Status.DONE, Status.STEPFAIL}
    assert fails == name.startswith("flaky")


def test_a_failed_attempt_is_tried_with_a_shorter_step() -> None:
    res = sim_of("flaky5", events={}).run(T=3.0, rtol=1e-3, atol=1e-3, most=1e9)
    usual = sim_of("tsit5", events={}).run(T=3.0, rtol=1e-3, atol=1e-3)
    assert abs(np.diff(usual.t)).max() > 0.2
    assert abs(np.diff(res.t)).max() <= 0.05
    assert res.stats.counters["failures"] > 0
    assert res.stats.rejected == res.stats.counters["failures"]
    attempts = res.stats.steps + res.stats.rejected
    assert res.stats.counters["looks"] == attempts
    assert res.stats.counters["weights"] == 3 * attempts
    assert res.stats.evaluations == attempts * dynlib.steppers.get("tsit5").evaluations
    assert_allclose(list(res.final.values()), list(usual.final.values()), atol=2e-2)


def test_attempts_that_read_tolerances() -> None:
    """Those of the run, for each state, on all paths; also where a step is computed again."""
    sim, most = sim_of("careful5"), 0.02
    for atol in (1e-3, [1e-3, 0.5]):
        how: dict[str, Any] = {"T": 3.0, "rtol": [1e-3, 0.25], "atol": atol, "most": most}
        allowed = most / (0.25 + np.max(atol))  # a fifth of it is tried after a failure
        alone = sim.run(**how)
        assert 0.2 * allowed < np.diff(alone.t).max() <= allowed * (1 + 1e-12)
        same(sim.fastpath(**how), alone)
        same(sim.batch(**how, params={"grow": [0.0, 0.1]})[0], alone)
        assert alone.at(alone.t[3:5])[1, 0] == alone["x"][4]
    plain = sim_of("careful5", jit=False).run(**how)
    assert plain.stats.counters == alone.stats.counters


def test_only_at_the_smallest_step_does_the_run_end() -> None:
    sim = sim_of("flaky5", events={})
    with pytest.raises(dynlib.RunFailed, match="the state is too large") as caught:
        sim.run(T=5.0, params={"grow": 1.0}, most=3.0)
    part = caught.value.results
    assert caught.value.status is Status.STEPFAIL
    assert 3.0 < abs(part.final["x"]) < 3.5  # no step begins beyond the bound
    assert part.stats.counters["failures"] > 10
    early = sim.run(T=5.0, params={"grow": 1.0}, most=3.0, dt_min=0.01, on_failure="return")
    assert early.stats.counters["failures"] < part.stats.counters["failures"]
    assert sim.run(T=0.04, most=0.5, dt=0.02, dt_min=0.02, on_failure="return").stats.rejected == 1


def test_pieces_of_a_cut_step_may_fail() -> None:
    """On a grid: the run ends where the event has cut the step."""
    model = {"events": {"up": {"cond": "x < 0.5", "direction": "rising", "action": "x = 5"}}}
    res = sim_of("flaky4", **model).run(T=3.0, on_failure="return")
    assert res.status is Status.STEPFAIL
    assert res.final["x"] == 5.0
    assert res.t_final == res.events["up"].t[0]
    assert 0.03 < res.t_final < 3.0
    same(sim_of("flaky4", **model).fastpath(T=3.0, on_failure="return"), res)


def test_tangents_stay_with_the_last_state() -> None:
    """What a failed attempt would have made of them is nowhere to be seen."""
    sim, how = sim_of("flaky4", events={}), {"params": {"grow": 1.0}, "on_failure": "return"}
    short = sim.run(T=3.0, most=2.0, observers=[lyapunov_max(renorm_every=1)], **how)
    assert short.status is Status.STEPFAIL
    whole = sim.run(T=short.t_final, most=1e9, observers=[lyapunov_max(renorm_every=1)], **how)
    found, wanted = (each.observers["lyapunov_max"].exponent for each in (short, whole))
    assert found == pytest.approx(wanted, rel=1e-12)


@pytest.mark.slow
def test_tangents_of_attempts_that_fail() -> None:
    """Vectors in steps of their own shorten them where an attempt fails; all paths do the same."""
    sim = sim_of("flaky5", events={})
    how: dict[str, Any] = {"T": 6.0, "rtol": 1e-2, "atol": 1e-2, "most": 1e9}
    unseen = sim.run(**how)
    how["observers"] = [lyapunov_max()]
    alone = sim.run(**how)
    assert alone.final["x"] == unseen.final["x"]
    assert alone.stats.counters == unseen.stats.counters
    found = alone.observers["lyapunov_max"].exponent
    assert found == pytest.approx(0.0, abs=0.2)
    for each in (sim.fastpath(**how), sim.batch(**how, params={"grow": [0.0, 0.1]})[0]):
        assert each.observers["lyapunov_max"].exponent == found
        same(each, alone)


def test_who_takes_a_part_of_a_step_sees_no_failure_as_a_number() -> None:
    """``attempt`` of two values gives NaN where an attempt failed."""
    sim = sim_of("flaky4", jit=False)
    space = plain_namespace("float64")
    exec("\n".join(sim.model.program.parts()), space)
    ws = np.zeros((sim.model.program.layout.workspace, 1))
    p = np.array([[4.0], [0.0]])
    space["put_settings"](np.array([0.5]), np.zeros(0), ws, 0)
    u_new, _ = space["attempt"](0.0, 0.1, 0, (1.0, 0.0), 0.0, p, ws, 0)
    assert np.isnan(u_new).all()
    fine, _ = space["attempt"](0.0, 0.1, 0, (0.1, 0.0), 0.0, p, ws, 0)
    assert np.isfinite(fine).all()


@pytest.mark.parametrize("name", ["flaky5", "counting4"])
def test_single_precision(name: str) -> None:
    how: dict[str, Any] = {"T": 1.0, "dt": 0.02, "params": {"grow": 0.1}}
    sim = sim_of(name, dtype="float32")
    alone = sim.run(**how)
    same(sim.fastpath(**how), alone)
    assert alone.stats.counters["looks"] == alone.stats.steps + alone.stats.rejected


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_counts_are_exact(dtype: str) -> None:
    """Beyond 2**24, where single precision has no odd numbers."""
    tally, space = Tally(NEVER, dtype), plain_namespace(dtype)
    exec(tally.text(2, Scalar(dtype)), space)
    ws = np.zeros((2 + tally.rows, 1), dtype=dtype)
    for k in range(20_000):
        said = (2.0 if k == 19_999 else 0.0, 1.0, 1001.0)
        ws[2:, 0] = space["tallied"](said, ws, 0)
    assert tally.read(ws[2:, 0]).tolist() == [2.0, 20_000, 20_020_000, 1]


def test_methods_that_cannot_fail_are_what_they_were() -> None:
    for name in ("rk4", "tsit5", "ab3"):
        model = dynlib.build(SWING, stepper=name)
        assert model.program.layout.tally.rows == 0
        text = model.sources["module"]
        assert not re.search(r"attempt_noted|tallied|put_settings|said", text)
        assert model.stepper.options({}, 2)[0].size == (6 if name == "tsit5" else 0)
