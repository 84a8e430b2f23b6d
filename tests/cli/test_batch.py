"""`dynlib batch`: what it prints, writes and refuses."""

from pathlib import Path

import numpy as np
import pytest

import dynlib
from dynlib.cli import batch as batch_command
from dynlib.plans import FinalState, Stride, TailWindow
from dynlib.runtime.batch.results import BatchResults

LOGISTIC = "builtin://map/logistic"
PLAIN = ("--no-jit",)
R = ("--grid", "r=2.5:3.9:5")


def logistic(**options):
    sim = dynlib.setup(LOGISTIC, jit=False)
    return sim.batch(params=dynlib.grid(r=np.linspace(2.5, 3.9, 5)), **options)


def test_prints_the_batch_on_one_screen(run):
    printed = run("batch", LOGISTIC, *R, "--grid", "x=0.1,0.2", "-N", "20", *PLAIN).stdout
    assert "BatchResults of 'logistic' (map, map): 10 runs, all ok" in printed
    assert "r: 5 (2.5 to 3.9) × x: 2 (0.1 to 0.2)" in printed
    assert "10 trajectories, 200 steps" in printed
    assert "trajectories/s" in printed
    assert not run("batch", LOGISTIC, *R, "-N", "20", "-q", *PLAIN).stdout


PLANS = {
    "": FinalState(),
    "--plan final": FinalState(),
    "--plan all": Stride(1),
    "--stride 3": Stride(3),
    "--tail 4": TailWindow(4),
    "--tail 4 --stride 2": TailWindow(4, 2),
}


@pytest.mark.parametrize("arguments", PLANS)
def test_the_numbers_are_those_of_python(run, arguments):
    run("batch", LOGISTIC, *R, "-N", "20", "--ic", "x=0.3", "--transient", "2", "--out", "a.npz",
        "--workers", "1", *arguments.split(), *PLAIN)  # fmt: skip
    there = dynlib.load_results("a.npz")
    sim = dynlib.setup(LOGISTIC, jit=False)
    here = sim.batch(
        {"x": 0.3},
        dynlib.grid(r=np.linspace(2.5, 3.9, 5)),
        N=20,
        transient=2,
        plan=PLANS[arguments],
    )
    np.testing.assert_array_equal(there.t, here.t)
    np.testing.assert_array_equal(there["x"], here["x"])
    assert there.dims == here.dims == {"r": 5}


def test_presets_values_and_times(run, good):
    run("batch", str(good), "--grid", "k=1:4:3", "--preset", "soft", "--set", "c=0.5",
        "--t-eval", "0:1:3", "-T", "1", "--record", "x,aux.energy", "--out", "a.npz",
        *PLAIN)  # fmt: skip
    res = dynlib.load_results("a.npz")
    assert res.params["c"] == 0.5
    assert res.ic["x"] == 0.5
    assert res.t.tolist() == [0.0, 0.5, 1.0]
    assert res.names == ("x", "energy")


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_pictures(run, suffix):
    printed = run("batch", LOGISTIC, *R, "-N", "50", "--tail", "20", "--plot", f"a{suffix}", *PLAIN)
    assert f"wrote a{suffix}" in printed.stdout
    run("batch", LOGISTIC, *R, "--grid", "x=0:1:4", "--plot", f"b{suffix}", "-q", *PLAIN)
    assert Path(f"a{suffix}").stat().st_size > 1000
    assert Path(f"b{suffix}").stat().st_size > 1000


def test_a_store_is_filled_and_taken_up_again(run, monkeypatch):
    pytest.importorskip("zarr")
    first = run("batch", LOGISTIC, *R, "-N", "20", "--out", "a.zarr", *PLAIN).stdout
    assert "wrote a.zarr" in first
    again = run("batch", LOGISTIC, *R, "-N", "20", "--out", "a.zarr", *PLAIN).stdout
    assert again.splitlines()[-4:] == first.splitlines()[-4:]  # the effort of the first
    stored = dynlib.load_results("a.zarr")
    np.testing.assert_array_equal(stored.final["x"], logistic(N=20).final["x"])
    refused = run("batch", LOGISTIC, *R, "-N", "21", "--out", "a.zarr", *PLAIN, status=1)
    assert "a.zarr holds another batch" in refused.stderr


def test_failed_runs_are_counted(run):
    printed = run("batch", LOGISTIC, "--grid", "r=3,5", "-N", "200", *PLAIN).stdout
    assert "2 runs, 1 ok" in printed
    assert "failed   1: a state became NaN or infinite" in printed
    failed = run("batch", LOGISTIC, "--grid", "r=5,6", "-N", "200", *PLAIN, status=1)
    assert "logistic: all 2 runs failed; the first: a state became NaN" in failed.stderr


def test_what_an_observer_found_is_drawn(run):
    plane = (*R, "--grid", "x=0:1:3", "-N", "20", "--observe", "lyapunov_max", *PLAIN)
    run("batch", LOGISTIC, *plane, "--plot", "a.png", "--plot-var", "lyapunov_max_exponent", "-q")
    assert Path("a.png").stat().st_size > 1000


def test_interrupt_keeps_what_was_computed(run, monkeypatch):
    from dynlib.abi.status import Status

    monkeypatch.setattr(
        BatchResults, "status", property(lambda self: np.array([5, 5, 8, 8, Status.USER_BREAK]))
    )
    broken = run("batch", LOGISTIC, *R, "-N", "5", "--out", "a.npz", *PLAIN, status=130)
    assert "interrupted with 3 runs to do, what was computed is kept" in broken.stderr
    assert Path("a.npz").exists()


MESSAGES = {
    "--grid q=1:2:3": (1, "unknown axis of the grid 'q'"),
    "--grid r=1:2:3 --set rr=1": (1, "unknown parameter 'rr'. Did you mean 'r'?"),
    "--grid r=1:2:3 --ic y=1": (1, "unknown state 'y'"),
    "--grid r=1:2:3 --set r=1": (2, "--set: 'r' is an axis of the grid already"),
    "--grid r=1:2:3 --grid r=1,2": (2, "'r' is given twice"),
    "--grid r": (2, "'r' is not of the form name=first:last:count"),
    "--grid r=1:2": (2, "neither first:last:count nor a list of numbers"),
    "--grid r=1:2:3 -T 5": (2, "'logistic' is a map"),
    "--grid r=1:2:3 --tail 3 --plan all": (2, "--plan and --tail both say what to keep"),
    "--grid r=1:2:3 --tail 3 --t-eval 0,1": (2, "--tail and --t-eval both say"),
    "--grid r=1:2:3 --lanes 3": (1, "lanes must be one of 1, 2, 4"),
    "--grid r=1:2:3 --workers 0": (2, "--workers"),
    "--grid r=1:2:3 --out a.csv": (2, "the suffix '.csv' stands for no format"),
    "--grid r=1:2:3 --out no/a.npz": (2, "there is no folder no"),
    "--grid r=1:2:3 --plot-var x": (2, "--plot-var needs --plot FILE"),
    "--grid r=1:2:3 --plot a.png --plot-var y": (1, "--plot-var: 'y' will not be recorded"),
    "--grid r=1:2:3 --plot a.png --plot-var lyapunov_max_exponent": (1, "--observe what observers"),
    "--grid r=1:2:3 --plot a.png --observe features(max) --plot-var features_mx": (
        1,
        "Did you mean 'features_max'?",
    ),
    "--grid r=1:2:3 --grid x=0:1:3 --plot a.png --observe features(max,E=x^2) "
    "--plot-var features_max": (1, "a plane shows one, such as 'features_max[x]'"),
    "--grid r=1 --plot a.png": (2, "--plot draws over one or two axes, not 0: none"),
    "--grid r=1:2:3 --option rtol=1": (1, "has no option 'rtol'"),
    "": (2, "Missing option '--grid'"),
}


@pytest.mark.parametrize("arguments", MESSAGES)
def test_message(run, arguments):
    status, said = MESSAGES[arguments]
    refused = run("batch", LOGISTIC, *arguments.split(), *PLAIN, status=status)
    assert said in " ".join(refused.stderr.replace("\n", " ").split())


def test_reading_an_axis():
    assert batch_command.axis("a = 0:1:3") == ("a", [0.0, 0.5, 1.0])


# --- messages speak of options --------------------------------------------------------------------


def test_what_does_not_fit_names_options(run, monkeypatch):
    from dynlib.runtime.batch import room

    monkeypatch.setattr(room, "available_memory", lambda: 40 << 20)
    asked = ("-N", "9999999", "--plan", "all", *PLAIN)
    said = run("batch", LOGISTIC, *R, *asked, status=1).stderr
    assert "(--plan all)" in said
    assert "--stride " in said
    assert "--plan final needs" in said
    assert "--out sweep.zarr needs" in said
    assert "plan=" not in said
    assert "Stride(" not in said


def test_adaptive_steps_name_options(run):
    lorenz = ("builtin://ode/lorenz", "--grid", "rho=1,2", "--stepper", "rk45", "-T", "1")
    said = run("batch", *lorenz, "--stride", "3", *PLAIN, status=1).stderr
    assert "--t-eval FIRST:LAST:COUNT, or --plan final" in said


def test_an_axis_of_one_value(run):
    said = run("batch", LOGISTIC, "--grid", "r=2.5:3.9:1", *PLAIN, status=2).stderr
    assert "a single value is written alone, 2.5" in " ".join(said.split())
    assert "1 run, all ok" in run("batch", LOGISTIC, "--grid", "r=2.5", "-N", "3", *PLAIN).stdout
