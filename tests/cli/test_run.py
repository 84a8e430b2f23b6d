"""`dynlib run`: what it prints, writes and refuses."""

import csv

import numpy as np
import pytest

import dynlib

LORENZ = "builtin://ode/lorenz"
LOGISTIC = "builtin://map/logistic"
PLAIN = ("--no-jit",)  # nothing is compiled: quicker for a few steps


def table(path):
    with open(path, newline="", encoding="utf-8") as stream:
        head, *rows = csv.reader(stream)
    return head, np.array(rows, dtype=float)


def test_prints_the_result_on_one_screen(run):
    printed = run("run", LORENZ, "-T", "0.1", *PLAIN).stdout
    assert "Results of 'lorenz'" in printed
    assert "11 rows, t = 0 to 0.1: x, y, z" in printed


def test_the_numbers_are_those_of_python(run):
    run("run", LORENZ, "-T", "0.5", "--dt", "0.02", "--set", "rho=21", "--set", "beta=8/3",
        "--ic", "x=-2", "--record", "z,x", "--out", "a.csv", "-q", *PLAIN)  # fmt: skip
    sim = dynlib.setup(LORENZ, jit=False)
    res = sim.run(T=0.5, dt=0.02, params={"rho": 21, "beta": 8 / 3}, ic={"x": -2})
    head, rows = table("a.csv")
    assert head == ["t", "z", "x"]
    np.testing.assert_array_equal(rows, np.column_stack([res.t, res["z", "x"]]))


@pytest.mark.parametrize(
    "arguments", [PLAIN, ("--engine", "python"), (*PLAIN, "--engine", "python")]
)
def test_who_compiles(run, arguments):
    run("run", LOGISTIC, "-N", "5", "-q", "--out", "a.npz", *arguments)
    assert dynlib.load_results("a.npz").receipt["jit"] is False


@pytest.mark.parametrize("count", ["30", "3e1", "2*15"])
def test_counts_are_numbers_like_others(run, count):
    assert "n = 0 to 30: x" in run("run", LOGISTIC, "-N", count, *PLAIN).stdout


@pytest.mark.parametrize("times", ["0:1:1", "0:1:2.5", "0:1:1e9", "0:1:nan"])
def test_lists_of_times_have_a_reasonable_length(run, times):
    message = run("run", LORENZ, "-T", "1", "--t-eval", times, *PLAIN, status=2).stderr
    assert "the count must be a whole number from 2 to 10,000,000" in " ".join(message.split())


def test_numbers_that_no_float_holds(run):
    for option in ("-N", "--max-steps", "--transient", "--t-eval"):
        message = run("run", LOGISTIC, option, "9" * 400, status=2).stderr
        assert "a number of 400 digits is too large" in message


@pytest.mark.parametrize("count", ["1.5", "-1", "many", "1e999", "1/0"])
def test_counts_are_whole(run, count):
    words = "is not a number" if count == "many" else "is no whole number from 0 on"
    assert f"'{count}' {words}" in run("run", LOGISTIC, "-N", count, status=2).stderr


def test_preset_then_set_then_ic(run, good):
    run("run", str(good), "--preset", "soft", "--set", "c=0", "-T", "0", "--out", "a.npz", *PLAIN)
    res = dynlib.load_results("a.npz")
    assert res.receipt["params"] == {"k": 1.0, "c": 0.0}
    assert res.receipt["ic"] == {"x": 0.5, "v": 0.0}


def test_mods_are_applied(run, good):
    run("run", str(good), "--mod", "stiff", "-T", "0.01", "--out", "a.npz", *PLAIN)
    assert dynlib.load_results("a.npz").receipt["params"]["k"] == 100.0


def test_stepper_tolerances_and_options(run):
    run("run", LORENZ, "--stepper", "rk45", "--rtol", "1e-9", "--atol", "1e-9", "--option",
        "safety=0.8", "-T", "0.1", "--out", "a.npz", *PLAIN)  # fmt: skip
    receipt = dynlib.load_results("a.npz").receipt
    assert receipt["stepper"] == "rk45"
    given = {name: receipt["arguments"][name] for name in ("rtol", "atol", "safety")}
    assert given == {"rtol": 1e-9, "atol": 1e-9, "safety": 0.8}


def test_what_is_recorded(run, good):
    run("run", str(good), "-T", "1", "--transient", "0.5", "--record", "x,aux.energy",
        "--record-interval", "10", "--out", "a.csv", "-q", *PLAIN)  # fmt: skip
    head, rows = table("a.csv")
    assert head == ["t", "x", "energy"]
    np.testing.assert_allclose(rows[:, 0], np.arange(5, 11) / 10, rtol=1e-15)


def test_sample_times(run):
    run("run", LORENZ, "-T", "2*pi", "--t-eval", "0:1:5", "--out", "a.csv", "-q", *PLAIN)
    assert table("a.csv")[1][:, 0].tolist() == [0, 0.25, 0.5, 0.75, 1]
    run("run", LORENZ, "-T", "1", "--t-eval", "0.1,0.2", "--out", "a.csv", "-q", *PLAIN)
    assert table("a.csv")[1][:, 0].tolist() == [0.1, 0.2]


def test_quiet_says_nothing(run):
    result = run("run", LORENZ, "-T", "0.1", "-q", "--out", "a.npz", *PLAIN)
    assert result.output == ""
    assert "wrote a.npz" in run("run", LORENZ, "-T", "0.1", "--out", "a.npz", *PLAIN).stdout


@pytest.mark.parametrize("suffix", ["nc", "csv", "npz", "CSV"])
def test_formats_of_files(run, suffix, tmp_path):
    run("run", LOGISTIC, "-N", "5", "--out", f"a.{suffix}", *PLAIN)
    assert (tmp_path / f"a.{suffix}").stat().st_size > 50


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_pictures(run, suffix, tmp_path):
    run("run", LOGISTIC, "-N", "20", "--plot", f"a.{suffix}", *PLAIN)
    assert (tmp_path / f"a.{suffix}").stat().st_size > 1000


@pytest.mark.parametrize(
    ("model", "kind", "names"),
    [
        (LOGISTIC, "cobweb", ""),
        (LORENZ, "phase", "x,z"),
        (LORENZ, "phase", "x,y,z"),
        (LORENZ, "timeseries", "z"),
        (LORENZ, "auto", "y"),
    ],
)
def test_kinds_of_pictures(run, tmp_path, model, kind, names):
    end = ("-N", "9") if model == LOGISTIC else ("-T", "0.1")
    chosen = ("--plot-vars", names) if names else ()
    run("run", model, *end, "--plot", "a.svg", "--plot-kind", kind, *chosen, *PLAIN)
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert text.startswith("<?xml")


def test_a_run_that_fails_keeps_what_was_computed(run, tmp_path):
    result = run("run", LOGISTIC, "--set", "r=5", "-N", "100", "--out", "a.csv", "--plot",
                 "a.png", *PLAIN, status=1)  # fmt: skip
    assert "became NaN or infinite" in result.stderr
    assert "resume=True" not in result.stderr
    assert ".results" not in result.stderr
    assert len(table("a.csv")[1]) > 5
    assert (tmp_path / "a.png").exists()


# --- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "roh=3"], "unknown parameter 'roh'. Did you mean 'rho'?"),
        (["--ic", "w=3"], "unknown state 'w'"),
        (["--ic", "rho=3"], "--ic: 'rho' is a parameter. Write --set rho=3"),
        (["--set", "x=0.5"], "--set: 'x' is a state. Write --ic x=0.5"),
        (["--preset", "perodic"], "unknown preset 'perodic'. Did you mean 'periodic'?"),
        (["--stepper", "rk44"], "unknown stepper 'rk44'. Did you mean 'rk4'?"),
        (["--stepper", "map"], "stepper 'map' is for maps"),
        (["--record", "x,q"], "'q'"),
        (["--option", "rtol=1e-3"], "stepper 'rk4' has no option 'rtol'"),
        (["--stepper", "rk45", "--option", "rtool=1"], "Did you mean 'rtol'?"),
        (["--option", "T=5"], "stepper 'rk4' has no option 'T'"),
        (["--plot", "a.png", "--plot-vars", "X"], "Did you mean 'x'?"),
        (["--dt", "-1"], "dt must be above 0"),
        (["--ic", "x=0/0"], "finite"),
    ],
)
def test_what_does_not_fit_the_model_is_a_message(run, arguments, message):
    result = run("run", LORENZ, "-T", "1", *arguments, *PLAIN, status=1)
    assert message in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            [LORENZ, "--plot", "a.pgn"],
            "'.pgn' stands for no format. Did you mean '.png'?",
        ),
        ([LORENZ, "--plot", "a"], "a name without suffix stands for no format"),
        ([LORENZ, "--out", "a.txt"], "Known: .nc, .csv, .npz"),
        ([LORENZ, "--out", "nowhere/a.npz"], "there is no folder nowhere"),
        ([LORENZ, "-N", "5"], "it has time instead of iterations"),
        ([LOGISTIC, "-T", "5"], "it has iterations instead of time"),
        ([LOGISTIC, "--dt", "5"], "it has iterations instead of time"),
        ([LORENZ, "-T", "long"], "'long' is not a number"),
        ([LORENZ, "--set", "rho"], "'rho' is not of the form name=value"),
        ([LORENZ, "--set", "rho="], "is not of the form name=value"),
        ([LORENZ, "--set", "rho=big"], "'big' is not a number, nor an expression of one"),
        ([LORENZ, "--record", "x,,z"], "a name is missing"),
        ([LORENZ, "--t-eval", "0:1"], "neither first:last:count nor a list of numbers"),
        ([LORENZ, "--t-eval", "0:1:1.5"], "the count must be a whole number"),
        ([LORENZ, "--plot-vars", "x"], "need --plot FILE"),
        ([LORENZ, "--plot", "a.png", "--plot-kind", "cobweb"], "needs a map of one state"),
        ([LOGISTIC, "--plot", "a.png", "--plot-kind", "phase"], "two or three variables, not 1"),
        ([LORENZ, "--plto", "a.png"], "--plot"),
        ([LORENZ, "--record-interval", "0"], "record-interval"),
        ([LORENZ, "--engine", "numba"], "short for --engine python; --engine numba is not"),
        ([LORENZ, "--engine", "nubma"], "'llvm', 'numba', 'python'"),
        ([LORENZ, "--out"], "requires an argument"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(run, arguments, message, tmp_path):
    result = run("run", *PLAIN, *arguments, status=2)
    assert message in " ".join(result.stderr.split())
    assert list(tmp_path.iterdir()) == []  # nothing ran, nothing was written


def test_a_model_with_problems_is_described_with_carets(run, good):
    good.write_text(good.read_text().replace('"-pull(x) - c*v"', '"-pull(x) - cc*v"'))
    result = run("run", str(good), status=1)
    assert "good.toml: 1 problem" in result.stderr
    assert "^^ unknown name 'cc'" in result.stderr


def test_a_model_that_is_not_there(run):
    assert "Did you mean 'builtin://ode/lorenz'" in run("run", "builtin://lorenz", status=1).stderr
