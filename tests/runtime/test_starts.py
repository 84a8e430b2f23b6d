"""Initial values that follow the parameters."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import dynlib
from dynlib.cli.app import app

MODEL = """
[model]
type = "ode"
name = "led"
[constants]
c = 2
[params]
a = 3.0
b = 0.5
[states]
x = "c*a + 1"
y = 1.0
z = "exp(b) - x0*0"
[equations.rhs]
x = "-a*x"
y = "-y"
z = "b"
[presets.large.params]
a = 10.0
[presets.placed]
params.a = 4.0
states.x = -1.0
[mods.more.set.params]
a = 5.0
""".replace(" - x0*0", "")
COUNT = """
[model]
type = "map"
dtype = "int64"
[params]
a = 7
[states]
n0 = "a // 2"
[equations.rhs]
n0 = "n0 + 1"
"""


@pytest.fixture
def sim() -> dynlib.Sim:
    return dynlib.setup(MODEL, jit=False)


def start(sim: dynlib.Sim, **given: object) -> tuple[float, float, float]:
    res = sim.run(T=0.01, **given)
    return tuple(res[name][0] for name in ("x", "y", "z"))


def test_they_are_those_of_the_parameters_of_the_run(sim: dynlib.Sim) -> None:
    root = math.exp(0.5)
    assert start(sim) == pytest.approx((7, 1, root))
    assert start(sim, params={"a": 1.0}) == pytest.approx((3, 1, root))
    assert start(sim, params=[1.0, 0.0]) == (3, 1, 1)
    assert start(sim, params={"a": 1.0}, ic={"x": 9.0})[0] == 9
    assert start(sim, params={"a": 1.0}, ic=[5.0, 6.0, 7.0]) == (5, 6, 7)
    assert start(sim)[0] == 7  # nothing leaks into the next run
    fast = sim.fastpath(T=0.01, params={"a": 1.0})
    assert fast["x"][0] == 3


def test_assigning_parameters_moves_them_until_they_are_assigned_themselves(
    sim: dynlib.Sim,
) -> None:
    sim.assign(a=1.0)
    assert sim.state["x"] == 3
    sim.params["a"] = 2.0
    assert sim.state["x"] == 5
    sim.params = {"a": 4.0}
    assert (sim.state["x"], start(sim)[0]) == (9, 9)
    sim.state = {"y": 2.0}  # of the others only y was given
    sim.assign(a=1.0)
    assert (sim.state["x"], sim.state["y"]) == (3, 2)
    sim.state["x"] = 100.0
    sim.assign(a=2.0)
    assert start(sim)[0] == start(sim, params={"a": 7.0})[0] == 100
    sim.reset()
    assert start(sim, params={"a": 1.0})[0] == 3
    sim.assign(a=1.0, x=4.0)
    assert sim.state["x"] == 4


def test_presets_of_parameters_move_them_and_presets_of_states_set_them(sim: dynlib.Sim) -> None:
    sim.apply_preset("large")
    assert sim.state["x"] == 21
    sim.apply_preset("placed")
    assert (sim.state["x"], sim.params["a"]) == (-1, 4)
    sim.apply_preset("large")
    assert sim.state["x"] == -1
    assert dynlib.setup(MODEL, mods=["more"], jit=False).state["x"] == 11


def test_a_run_in_progress_keeps_its_state(sim: dynlib.Sim) -> None:
    sim.run(T=0.5)
    here = sim.current["x"]
    sim.assign(a=1.0)
    assert (sim.current["x"], sim.state["x"]) == (here, 3)
    res = sim.run(T=1.0, resume=True)
    assert res["x"][-1] == pytest.approx(here * math.exp(-0.5), rel=1e-6)  # dt = 0.01, order 4


def test_each_run_of_a_batch_has_its_own() -> None:
    sim = dynlib.setup(MODEL)
    a = np.array([0.5, 3.0, 1.25, 3.0])
    b = np.array([0.0, 1.5, -1.0, 0.1])
    batch = sim.batch(params={"a": a, "b": b}, T=0.1)
    for i in range(4):
        alone = sim.run(T=0.1, params={"a": a[i], "b": b[i]})
        for name in ("x", "y", "z"):
            assert batch.final[name][i] == alone.final[name]
    np.testing.assert_array_equal(batch.ic["x"], 2 * a + 1)
    given = sim.batch(params={"a": a}, ic={"x": 1.0}, T=0.1)
    assert given.ic["x"] == 1.0
    one = sim.batch(params={"a": 1.0}, ic={"y": [1.0, 2.0]}, T=0.1)
    assert one.ic["x"] == 3.0
    plane = sim.batch(params=dynlib.grid(a=[0.0, 1.0], y=[1.0, 2.0, 3.0]), T=0.1)
    np.testing.assert_array_equal(np.ravel(plane.ic["x"]), [1, 1, 1, 3, 3, 3])


def test_they_travel_with_snapshots_copies_receipts_and_documents(
    sim: dynlib.Sim, tmp_path: Path
) -> None:
    sim.assign(a=1.0, z=5.0)
    sim.save_snapshot(tmp_path / "s.npz")
    sim.snapshot("s")
    again = dynlib.setup(MODEL, jit=False)
    again.load_snapshot(tmp_path / "s.npz")
    sim.assign(a=50.0)
    sim.reset("s")
    for each in (sim, again, pickle.loads(pickle.dumps(sim))):
        assert (each.state["x"], each.state["z"]) == (3, 5)
        each.assign(a=2.0, b=0.0)
        assert (each.state["x"], each.state["z"]) == (5, 5)
    res = sim.run(T=0.1, params={"a": 0.0})
    assert dynlib.rerun(res)["x"][0] == 1
    spec = sim.spec
    assert dynlib.load_model(spec.to_toml()).starts == spec.starts
    # Values that were put in place by hand count, and not what they once followed.
    for changed in (replace(spec, param_values=(1.0, 1.0)), replace(spec, state_values=(0.0,) * 3)):
        text = changed.to_toml()
        assert dynlib.load_model(text).state_values == changed.state_values
        assert tuple(dynlib.setup(changed, jit=False).state.values()) == changed.state_values


def test_whole_numbers_stay_whole() -> None:
    sim = dynlib.setup(COUNT, jit=False)
    assert sim.run(N=1, params={"a": 2**60 + 2})["n0"][0] == 2**59 + 1
    batch = sim.batch(params={"a": [2**60 + 2, 5]}, N=1)
    assert batch.ic["n0"].tolist() == [2**59 + 1, 2]


def test_what_gives_no_number_is_refused() -> None:
    sim = dynlib.setup(MODEL.replace("c*a + 1", "1/a"), jit=False)
    message = "initial value of x, 1/a, is inf at a = 0"
    with pytest.raises(dynlib.OptionError, match=message):
        sim.run(T=1.0, params={"a": 0.0})
    with pytest.raises(dynlib.OptionError, match=message):
        sim.assign(a=0.0)
    assert sim.params["a"] == 3.0
    with pytest.raises(dynlib.OptionError, match=message):
        sim.batch(params={"a": 0.0}, ic={"y": [1.0, 2.0]}, T=1.0)
    batch = sim.batch(params={"a": [1.0, 0.0]}, T=0.1)
    assert batch.ok.tolist() == [True, False]
    assert sim.run(T=0.1, params={"a": 0.0}, ic={"x": 1.0}).ok


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2*y", r"'y' is a state; .*\n.*Only numbers, parameters, \[constants\]"),
        ("2*bb", r"unknown name 'bb'\n.*Known: .*a, b.*Did you mean 'b'"),
        ("a*t", "'t' is the time"),
        ("1/(a - 3)", "gives inf, not a finite number"),
    ],
)
def test_messages_about_the_document(text: str, message: str) -> None:
    with pytest.raises(dynlib.ModelLoadError, match=message):
        dynlib.load_model(MODEL.replace("c*a + 1", text))


def test_the_command_line_shows_and_follows_them(tmp_path: Path) -> None:
    file = tmp_path / "led.toml"
    file.write_text(MODEL)
    shown = CliRunner().invoke(app, ["show", str(file)]).output
    assert "x = c*a + 1" in shown
    out = tmp_path / "out.csv"
    run = ["run", str(file), "--set", "a=1", "-T", "0.01", "--no-jit", "--out", str(out)]
    assert CliRunner().invoke(app, run).exit_code == 0
    assert out.read_text().splitlines()[1].split(",")[1] == "3.0"
