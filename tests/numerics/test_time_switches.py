"""What switches with time in a right-hand side: steps of adaptive methods end there.

Each case is `x' = g(t) - x` with its switching times; the reference integrates between them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import dynlib
from dynlib.dsl.expr import to_text
from tests.trajectories import ADAPTIVE, compiled

LONG = 60.0


def pulses(t: float) -> float:
    return float(7 <= t % 24 <= 8)


# Name: what drives x, the same in Python, and when it jumps or bends between -60 and 60.
CASES: dict[str, tuple[str, Callable[[float], float], list[float]]] = {
    "window": ("7 <= t % 24 <= 8", pulses, [7, 8, 31, 32, 55, 56, -16, -17, -40, -41]),
    "late": ("t > 5", lambda t: float(t > 5), [5]),
    "from zero": ("3*(t > 0)", lambda t: 3 * (t > 0), [0]),
    "heaviside": ("heaviside(t - on)", lambda t: float(t >= 3), [3]),
    "step": ("step(2*on - t)", lambda t: float(t <= 6), [6]),
    "sign": ("sign(t - 7.1)", lambda t: math.copysign(1, t - 7.1), [7.1]),
    "bend": ("abs(t - 11)", lambda t: abs(t - 11), [11]),
    "relu": ("max(0, t - 59.5)", lambda t: max(0, t - 59.5), [59.5]),
    "clip": ("clip(t/on, 1, 2)", lambda t: min(max(t / 3, 1), 2), [3, 6]),
    "stairs": ("floor(t/7)", lambda t: t // 7, list(range(-56, 57, 7))),
    "rounded": ("round(t/10)", lambda t: float(np.round(t / 10)), list(range(-55, 56, 10))),
    "saw": ("t % 9", lambda t: t % 9, list(range(-54, 55, 9))),
    "triangle": (
        "abs(t % 20 - 10) < 0.01", lambda t: float(abs(t % 20 - 10) < 0.01),
        [10 + 20 * k + d for k in range(-4, 3) for d in (-0.01, 0.01)],
    ),
    "week": (
        "(t // 2) % 7 < 1", lambda t: float((t // 2) % 7 < 1),
        [14 * k + d for k in range(-5, 5) for d in (0, 2)],
    ),
    "ternary": ("cos(t) if t < on else -1", lambda t: math.cos(t) if t < 3 else -1.0, [3]),
    "whole": ("int(t/3) == 4", lambda t: float(int(t / 3) == 4), [12, 15]),
    "train": (
        "sum(heaviside(t - 10*k)*heaviside(10*k + 0.1 - t) for k in range(1, 5))",
        lambda t: float(any(10 * k <= t <= 10 * k + 0.1 for k in range(1, 5))),
        [10 * k + d for k in range(1, 5) for d in (0, 0.1)],
    ),
    "ill-conditioned": ("1e6 + t > 1e6 + 5.5", lambda t: float(t > 5.5), [5.5]),
    "in a function": ("gate(t)", pulses, [7, 8, 31, 32, 55, 56, -16, -17, -40, -41]),
    "in an aux": ("0.5*open", lambda t: 0.5 * (t >= 12.5), [12.5]),
}  # fmt: skip


def model(drive: str, more: str = "") -> str:
    return f"""
[model]
type = "ode"
[states]
x = 0.0
[params]
on = 3.0
rate = 1.0
[functions.gate]
args = ["s"]
expr = "7 <= s % 24 <= 8"
[aux]
open = "t >= 12.5"
[equations.rhs]
x = "({drive}) - rate*x"
{more}
"""


def exact(name: str, end: float, rate: float = 1.0) -> float:
    """x at `end`, from x = 0 at 0, by Gauss–Legendre quadrature between the switches."""
    _, g, switches = CASES[name]
    inner = [s for s in switches if min(0.0, end) < s < max(0.0, end)]
    grid = np.unique(np.concatenate([np.linspace(0, end, 241), inner]))
    nodes, weights = np.polynomial.legendre.leggauss(8)
    total = 0.0
    for a, b in pairwise(grid):
        times = 0.5 * (a + b) + 0.5 * (b - a) * nodes
        total += (
            0.5
            * (b - a)
            * sum(
                w * math.exp(rate * (s - end)) * g(s) for w, s in zip(weights, times, strict=True)
            )
        )
    return total if end > 0 else -total


@pytest.mark.parametrize("name", CASES)
def test_nothing_that_switches_with_time_is_stepped_over(name: str) -> None:
    sim = dynlib.setup(model(CASES[name][0]), stepper="tsit5", jit=False)
    tight = {"rtol": 1e-9, "atol": 1e-9}
    final = sim.run(T=LONG, **tight).final["x"]
    assert final == pytest.approx(
        exact(name, LONG), rel=1e-6, abs=1e-6
    )  # rtol 1e-9, some 100 steps
    # Backwards x grows like exp(-t), and errors with it, so it is taken not to decay.
    back = sim.run(T=-LONG, params={"rate": 0.0}, **tight).final["x"]
    assert back == pytest.approx(exact(name, -LONG, 0.0), rel=1e-6, abs=1e-6)


EVERYTHING = "\n".join(
    [
        '[model]\ntype = "ode"\n[states]',
        *(f"x{i} = 0.0" for i in range(len(CASES))),
        "[params]\non = 3.0\nrate = 1.0",
        '[functions.gate]\nargs = ["s"]\nexpr = "7 <= s % 24 <= 8"\n[aux]\nopen = "t >= 12.5"',
        "[equations.rhs]",
        *(f'x{i} = "({case[0]}) - rate*x{i}"' for i, case in enumerate(CASES.values())),
    ]
)


def numbers(values) -> np.ndarray:
    return np.array(list(values.values()))


SLOW = pytest.mark.slow
METHODS = ["tsit5", *(pytest.param(name, marks=SLOW) for name in ADAPTIVE if name != "tsit5")]


@pytest.mark.parametrize("stepper", METHODS)
def test_run_and_fast_path_and_batch_have_the_same_bits(stepper: str) -> None:
    sim = dynlib.Sim(compiled(EVERYTHING, stepper, jit=True))
    for end in (LONG, -20.0):
        ons = np.array([3.0, 0.5, 6.25, 59.0, 1e9, np.inf, 3.0])
        alone = [numbers(sim.run(T=end, params={"on": on}).final) for on in ons]
        fast = numbers(sim.fastpath(T=end, params={"on": 6.25}).final)
        assert fast.tobytes() == alone[2].tobytes()
        batch = sim.batch(T=end, params={"on": ons}, lanes=4)
        found = np.array([batch.final[name] for name in sim.spec.states]).T
        assert np.ascontiguousarray(found).tobytes() == np.array(alone).tobytes()
    plain = dynlib.Sim(compiled(EVERYTHING, stepper)).run(T=20.0)
    jitted = sim.run(T=20.0)
    assert plain.stats.steps == jitted.stats.steps
    np.testing.assert_allclose(numbers(plain.final), numbers(jitted.final), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("stepper", ADAPTIVE)
def test_a_step_ends_at_the_switch_and_the_next_one_is_like_a_first_one(stepper: str) -> None:
    sim = dynlib.Sim(compiled(model("7 <= t % 24 <= 8"), stepper))
    res = sim.run(T=480.0, params={"rate": 0.0})
    assert res["x"][-1] == pytest.approx(20, abs=1e-11)  # an hour a day, 20 days long
    switches = np.add.outer(24.0 * np.arange(20), [0.0, 7.0, 8.0]).ravel()
    assert np.isin(switches, res.t).all()
    # Some 60 pieces. A constant x tells no step size: steps grow to hours from 1e-6, by up to 10.
    assert res.stats.steps <= 60 * 9


@pytest.mark.parametrize("jit", [False, True])
def test_a_switch_resets_the_step_size(jit: bool) -> None:
    # At h*rate = 1 the error estimate of bs23 is 0. A step as long as the piece before, in which
    # nothing happened, was such a step.
    drive = "max(0, t - 1) - 2*max(0, t - 2) + max(0, t - 3)"
    sim = dynlib.Sim(compiled(model(drive), "bs23", jit=jit))
    call = {"T": 2.0, "rtol": 1e-8, "atol": 1e-8}
    right = math.exp(-1)  # of x' = t - 1 - x, x(1) = 0
    assert sim.run(**call).final["x"] == pytest.approx(right, abs=1e-7)
    assert sim.fastpath(**call).final["x"] == pytest.approx(right, abs=1e-7)
    batch = sim.batch(params={"rate": [1.0, 1.0, 0.0]}, **call)
    np.testing.assert_allclose(batch.final["x"], [right, right, 0.5], atol=1e-7)


def test_a_snapshot_may_be_taken_at_a_switch(tmp_path: Path) -> None:
    sim = dynlib.Sim(compiled(model("t % 4 < 1"), "tsit5"))
    sim.run(T=4.0)
    sim.snapshot("at")
    sim.save_snapshot(tmp_path / "at.snap")
    other = dynlib.Sim(compiled(model("t % 4 < 1"), "tsit5"))
    other.load_snapshot(tmp_path / "at.snap")
    assert other.run(T=9.0, resume=True).final == sim.run(T=9.0, resume=True).final


def test_the_order_of_the_method_is_kept_across_switches() -> None:
    sim = dynlib.Sim(compiled(model("(2 + cos(t))*(t > on) - (t >= 2*on)"), "rk45"))
    span = 7.5
    nodes, weights = np.polynomial.legendre.leggauss(20)

    def drive(t: float) -> float:
        return (2 + math.cos(t)) * (t > 3) - (t >= 6)

    right = 0.0
    for a, b in ((3, 4.5), (4.5, 6), (6, span)):
        times = 0.5 * (a + b) + 0.5 * (b - a) * nodes
        values = [math.exp(s - span) * drive(s) for s in times]
        right += 0.5 * (b - a) * float(weights @ values)
    # With these tolerances all steps are as long as dt_max: 0.75 divides all three pieces.
    free = {"rtol": 1.0, "atol": 1.0}
    errors = [
        abs(sim.run(T=span, dt=0.75 / k, dt_max=0.75 / k, **free).final["x"] - right)
        for k in (4, 8, 16)
    ]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (orders > 4.7).all()  # 5, less what is left of the leading error term


def test_a_run_is_its_two_halves_wherever_it_is_cut() -> None:
    for jit in (False, True):
        sim = dynlib.Sim(compiled(model("t % 4 < 1"), "tsit5", jit=jit))
        whole = sim.run(T=12.0, t_eval=np.linspace(0, 12, 25))
        for cut in (4.0, 5.0, 8.0):  # at a switch: elsewhere another step ends there
            sim.run(T=cut, record=False)
            assert sim.run(T=12.0, resume=True, record=False).final["x"] == whole.final["x"]
        sim.run(T=6.5, record=False)
        sim.snapshot("half")
        again = [sim.run(T=12.0, resume=True, record=False).final["x"]]
        sim.reset("half")
        again.append(sim.run(T=12.0, resume=True, record=False).final["x"])
        assert again[0] == again[1] == pytest.approx(whole.final["x"], abs=1e-5)


def test_switching_times_follow_parameters_that_change_on_the_way() -> None:
    events = """
[events.shift]
cond = "t >= 2"
direction = "rising"
action = "on = 9.5"
"""
    for jit in (False, True):
        sim = dynlib.Sim(compiled(model("t > on", events), "tsit5", jit=jit))
        for on in (3.0, 1.0):
            res = sim.run(T=10.0, params={"on": on, "rate": 0.0})
            assert res.final["x"] == pytest.approx(0.5 + max(0.0, 2 - on), abs=1e-12)
            assert 9.5 in res.t
        sim.run(T=1.0, params={"on": 100.0, "rate": 0.0})
        sim.assign(on=1.5)
        assert sim.run(T=10.0, resume=True).final["x"] == pytest.approx(1.0, abs=1e-12)
    batch = sim.batch(params={"on": [3.0, 1.0], "rate": [0.0, 0.0]}, T=10.0)
    np.testing.assert_allclose(batch.final["x"], [0.5, 1.5], atol=1e-12)


def test_what_is_recorded_has_the_value_of_the_instant() -> None:
    sim = dynlib.Sim(compiled(model("t >= 12.5"), "tsit5"))
    res = sim.run(T=20.0, record_vars=["x", "aux.open"])
    assert res["aux.open"][res.t == 12.5] == 1.0
    assert set(res["aux.open"][res.t < 12.5]) == {0.0}
    samples = np.array([12.0, 12.5, 13.0])
    found = sim.run(T=20.0, t_eval=samples, params={"rate": 0.0})["x"]
    np.testing.assert_allclose(found, [0, 0, 0.5], atol=1e-12)


def test_tangent_vectors_see_the_same_side_of_a_switch() -> None:
    text = model("1").replace('x = "(1) - rate*x"', 'x = "(-1 if t > 5 else 1)*x"')
    sim = dynlib.Sim(compiled(text.replace("x = 0.0", "x = 1.0"), "tsit5"))
    found = sim.run(T=10.0, observers=[dynlib.observers.finite_time_lyapunov(10.0)])
    assert found.final["x"] == pytest.approx(1, rel=1e-4)


def test_on_a_fixed_grid_nothing_changes() -> None:
    text = compiled(model("t > 5"), "rk4").sources["module"]
    assert "switch" not in text
    assert "switch" not in compiled(model("x > 5"), "tsit5").sources["module"]


def test_what_cannot_be_computed_is_named() -> None:
    spec = compiled(model("(sin(t) > 0.99) + floor(exp(t)) + abs(sin(t))"), "tsit5").spec
    assert not spec.time_switches.known
    assert [to_text(each) for each in spec.time_switches.unknown] == [
        "sin(t) > 0.99",
        "floor(exp(t))",
    ]


def test_a_session_says_once_what_steps_may_leap_over() -> None:
    sim = dynlib.Sim(compiled(model("sin(t) > 0.99"), "tsit5"))
    sim.run(T=1.0, dt_max=0.1)  # the remedy
    with pytest.warns(dynlib.AccuracyWarning, match=r"'sin\(t\) > 0.99' in .*of x.*dt_max") as told:
        [sim.run(T=1.0), sim.run(T=1.0), sim.batch(params={"on": [1.0, 2.0]}, T=1.0)]
    assert len(told) == 1
    in_the_model = model("sin(t) > 0.99", '[sim]\nstepper = "tsit5"\ndt_max = 0.1')
    dynlib.Sim(compiled(in_the_model)).run(T=1.0)
    dynlib.Sim(compiled(model("sin(t) > 0.99"), "rk4")).run(T=1.0)
