"""Slips outside of the equations: each is refused in words of ours, or does what was meant."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from runtime.models import differences, sim_of

import dynlib
from dynlib import DynlibError, OptionError, UnknownNameError, setup
from dynlib.abi.status import Status
from dynlib.plans import Stride, TailWindow

SWITCHED = {  # a parameter that is infinite unless it is given
    "model": {"type": "ode"},
    "states": {"x": 1.0},
    "params": {"off": float("inf")},
    "equations": {"rhs": {"x": "-x if t < off else 0"}},
}


def message(call: Callable[[], object]) -> str:
    with pytest.raises(DynlibError) as caught:
        call()
    return str(caught.value)


# --- a session --------------------------------------------------------------------------------


def test_a_parameter_is_no_attribute_of_the_session() -> None:
    sim = sim_of("driven", "rk4")
    assert message(lambda: setattr(sim, "a", 2.0)) == (
        "a session has no attribute 'a'. Write sim.params['a'] = ..., or assign(a=...)."
    )
    assert "sim.state['x']" in message(lambda: setattr(sim, "x", 2.0))
    sim.note = "anything else is the user's"  # type: ignore[attr-defined]


def test_values_can_be_assigned_as_a_whole() -> None:
    """They were two attributes once, and assigning them had no effect on a run."""
    sim = sim_of("driven", "rk4")
    sim.params = {"a": 0.0}
    sim.state = [1.0, 2.0]
    assert (dict(sim.params), dict(sim.state)) == ({"a": 0.0, "w": 1.3}, {"x": 1.0, "v": 2.0})
    same = sim_of("driven", "rk4").run(T=1.0, ic=[1.0, 2.0], params={"a": 0.0})
    assert differences(sim.run(T=1.0), same) == []
    assert message(lambda: setattr(sim, "params", {"aa": 1.0})).startswith(
        "unknown parameter 'aa'."
    )
    assert message(lambda: setattr(sim, "state", [1.0])).startswith("state has 1 value;")


def test_the_row_of_a_table_is_a_start() -> None:
    sim = sim_of("driven", "rk4")
    row = sim.run(T=1.0).to_pandas().iloc[-1]
    assert isinstance(row, pd.Series)
    again = sim.run(T=1.0, ic=row)
    assert again[0].tolist() == row.tolist()
    assert message(lambda: sim.run(T=1.0, ic=pd.Series({"y": 1.0}))).startswith(
        "unknown state 'y'."
    )
    assert sim.batch(row, T=1.0)[0].final == again.final


def test_words_of_other_programs() -> None:
    sim = sim_of("driven", "rk4")
    assert "Did you mean 'T'?" in message(lambda: sim.run(t_end=1.0))
    assert "Did you mean 'ic'?" in message(lambda: sim.run(y0=[1.0, 2.0]))
    assert message(lambda: sim.run(stepper="rk45")) == (
        "run() got an unknown argument 'stepper'. It belongs to setup(model, stepper=...)."
    )


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        (
            {"jit": "yes"},
            "jit must be True (our own compiler, 'llvm'), 'numba', or False (plain Python, "
            "'python'), found 'yes'.",
        ),
        ({"disk_cache": 3}, "disk_cache must be True or False, found 3."),
        ({"mods": 3}, "mods must be a list of names, files and dicts, found 3."),
        ({"config": 3}, "config must be the path of a file or a dict, found 3."),
        ({"dtype": "float16"}, "dtype must be 'float32' or 'float64', found 'float16'."),
        ({"dtype": object()}, "dtype must be 'float32' or 'float64', found <object"),
    ],
)
def test_setup(given_: dict[str, Any], words: str) -> None:
    assert message(lambda: setup("builtin://ode/lorenz", **given_)).startswith(words)


def test_a_stepper_is_looked_for_where_it_was_asked_for() -> None:
    model = SWITCHED | {"sim": {"stepper": "rk44"}}
    assert message(lambda: setup(model)).startswith(
        "<dict>: [sim] stepper: unknown stepper 'rk44'. Did you mean 'rk4'?"
    )
    assert message(lambda: setup(model, stepper="rk4")).startswith("<dict>: [sim] stepper: unknown")
    assert message(lambda: setup(SWITCHED, stepper=["rk4"])).startswith("unknown stepper ['rk4'].")
    assert message(lambda: setup(model, stepper="rk5")).startswith("unknown stepper 'rk5'.")
    assert message(lambda: setup(model, stepper="")).startswith("unknown stepper ''.")


@pytest.mark.parametrize("dtype", ["float32", np.float32, np.dtype("f4"), "f4"])
def test_a_type_has_many_names(dtype: Any) -> None:
    sim = setup("builtin://ode/lorenz", dtype=dtype, jit=False, mods=None)
    assert sim.run(T=0.1)["x"].dtype == np.float32


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("", "the name of the model is empty."),
        ("builtin://", "builtin://: the name of the model after '://' is missing."),
        ("nowhere.toml", "no model 'nowhere.toml' in this folder."),
        ("some/where.toml", "no model 'some/where.toml' in the folder some."),
        ("x" * 5000, f"no model '{'x' * 200}...' in this folder."),
    ],
)
def test_no_model(model: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert message(lambda: setup(model)).startswith(words)


@pytest.mark.parametrize("name", ["record_interval", "max_steps"])
def test_more_steps_than_any_counter_holds(name: str) -> None:
    res = sim_of("driven", "rk4").run(T=1.0, **{name: 10**25})
    assert res.ok
    assert len(res) == (1 if name == "record_interval" else 21)


def test_a_session_is_made_of_a_model() -> None:
    assert message(lambda: dynlib.Sim("builtin://ode/lorenz")) == (  # type: ignore[arg-type]
        "Sim takes what build() returns, found 'builtin://ode/lorenz': use setup()."
    )


@pytest.mark.parametrize("stepper", ["rk4", "ab3", "rk45"])
@pytest.mark.parametrize(
    "way", [copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))]
)
def test_a_session_can_be_copied_and_sent(stepper: str, way: Callable[[Any], Any]) -> None:
    sim = setup("builtin://ode/izhikevich", stepper=stepper, jit=False)
    sim.assign(I=12.0)
    sim.add_preset("mine")
    sim.run(T=5.0)
    sim.snapshot("there")
    sim.run(T=7.0, resume=True)
    other = way(sim)
    assert other.params == sim.params
    assert other.list_presets() == sim.list_presets()
    assert differences(other.run(T=9.0, resume=True), sim.run(T=9.0, resume=True)) == []
    other.reset("there")
    assert (other.t, sim.t) == (5.0, 9.0)
    other.assign(I=3.0)  # each goes its own way
    other.add_preset("theirs")
    assert sim.params["I"] == 12.0
    assert "theirs" not in sim.list_presets()


@pytest.mark.parametrize(
    "call",
    [
        lambda huge: sim_of("logistic").run(N=huge),
        lambda huge: sim_of("logistic").run(N=3, transient=huge),
        lambda huge: sim_of("logistic").run(N=3, t0=-huge),
        lambda huge: sim_of("driven", "rk45").run(rtol=huge),
        lambda huge: sim_of("driven", "rk45").run(atol=[huge, 1.0]),
        lambda huge: sim_of("driven", "rk45").run(dt_max=huge),
        lambda huge: sim_of("driven", "rk45").run(t_eval=[huge]),
        lambda huge: Stride(huge),
        lambda huge: TailWindow(2, huge),
    ],
)
def test_numbers_that_no_float_holds(call: Callable[[int], object]) -> None:
    words = message(lambda: call(10**400))
    assert "10000000000000000" not in words or "..." in words  # digits are not printed on and on


# --- parameters without bounds ----------------------------------------------------------------


def test_what_a_model_may_say_a_caller_may_say() -> None:
    """A parameter may be infinite in a document, so it may be wherever parameters are given."""
    sim = setup(SWITCHED, jit=False)
    res = sim.run(T=1.0)
    assert differences(sim.run(T=1.0, params=dict(sim.params)), res) == []
    assert differences(dynlib.rerun(res), res) == []
    sim.assign(off=0.5)
    sim.add_preset("never", params={"off": float("inf")})
    sim.apply_preset("never")
    assert sim.params["off"] == float("inf")
    assert message(lambda: sim.assign(off=float("nan"))).endswith("must be finite, found nan.")
    assert message(lambda: sim.assign(off=10**400)).endswith("must be finite, found inf.")


def test_infinite_parameters_in_a_batch() -> None:
    sim = setup(SWITCHED, jit=False)
    off = [0.5, float("inf"), float("nan")]
    batch = sim.batch(params={"off": off}, T=1.0)
    assert batch.status.tolist() == [Status.DONE, Status.DONE, Status.NAN_DETECTED]
    assert batch[1].final["x"] == sim.run(T=1.0).final["x"]


# --- results ------------------------------------------------------------------------------------


def test_rows_and_names() -> None:
    res = sim_of("driven", "rk4").run(T=1.0, dt=0.1)
    assert list(res) == ["x", "v"]
    table = res[:]
    np.testing.assert_array_equal(res[-1], table[-1])
    np.testing.assert_array_equal(res[np.int64(2)], table[2])
    np.testing.assert_array_equal(res[res.t > 0.45], table[5:])
    np.testing.assert_array_equal(res[np.array([0, 3])], table[[0, 3]])
    rows = "res[...] takes names (x, v), slices and rows (11 of them), found "
    for key, found in ((11, "11."), (1.5, "1.5."), (None, "None."), (np.ones(3, bool), "array(")):
        assert message(lambda key=key: res[key]).startswith(rows + found)  # type: ignore[misc]
    assert message(lambda: res["x", 0]) == "res[..., ...] takes names (x, v), found 0."
    assert message(lambda: res["t"]) == "the times of the rows are in .t, not in ['t']."


def test_aux_between_columns_by_either_name() -> None:
    model = {
        "model": {"type": "map"},
        "states": {"x": 1.0},
        "aux": {"twice": "2*x"},
        "equations": {"rhs": {"x": "x + 1"}},
    }
    res = setup(model, jit=False).run(N=2, record_vars=["x", "aux.twice"])
    assert res["x":"aux.twice"].tolist() == res["x":"twice"].tolist() == [[1, 2], [2, 4], [3, 6]]
    with pytest.raises(UnknownNameError, match=r"unknown variable 'aux\.x'"):
        res["aux.x":]  # type: ignore[misc]


def test_a_state_called_n_is_not_the_iteration(tmp_path: Path) -> None:
    res = setup("builtin://map/collatz", jit=False).run(N=2)
    res.save(tmp_path / "orbit.csv")
    assert (tmp_path / "orbit.csv").read_text().splitlines()[0] == "iteration,n"
    assert res.to_pandas().reset_index().columns.tolist() == ["iteration", "n"]
    assert "iteration = 0 to 2: n" in repr(res)
    assert setup("builtin://map/logistic", jit=False).run(N=2).to_pandas().index.name == "n"


def test_events_as_tables() -> None:
    sim = setup("builtin://ode/izhikevich", jit=False)
    res = sim.run(T=30.0)
    table = res.events["spike"].to_pandas()
    assert (table.index.name, list(table.columns)) == ("t", ["step", *res.events["spike"].columns])
    assert table.index.tolist() == res.events["spike"].t.tolist()
    assert table["step"].tolist() == res.events["spike"].step.tolist()
    batch = sim.batch(params={"I": [8.0, 12.0]}, T=30.0)
    both = batch.events["spike"].to_pandas()
    assert list(both.columns)[:2] == ["run", "step"]
    assert both["run"].tolist() == batch.events["spike"].run.tolist()
    logging = {
        "model": {"type": "map"},
        "states": {"x": 0.0},
        "equations": {"rhs": {"x": "x + 1"}},
        "events": {"even": {"cond": "x % 2 == 0", "log": ["x", "step(x)"]}},
    }
    even = setup(logging, jit=False).run(N=4).events["even"].to_pandas()
    assert (even.index.name, even.index.tolist(), even["x"].tolist()) == ("n", [2, 4], [2.0, 4.0])


def test_names_are_offered_to_who_types_them() -> None:
    sim = setup("builtin://ode/izhikevich", jit=False)
    res = sim.run(T=1.0)

    def offered(thing: Any) -> list[str]:
        found: list[str] = thing._ipython_key_completions_()
        return found

    assert offered(res) == offered(res.final) == offered(sim.state) == ["v", "u"]
    assert offered(sim.params) == list(sim.params)
    assert offered(res.events) == ["spike"]
    assert offered(res.events["spike"]) == list(res.events["spike"].columns)
    assert offered(res.segments) == ["run1"]
    batch = sim.batch(T=1.0)
    assert offered(batch) == offered(batch.final) == ["v", "u"]


def test_a_status_reads_as_its_name() -> None:
    status = sim_of("driven", "rk4").run(T=1.0).status
    assert (str(status), f"{status}", f"{status:>6}") == ("DONE", "DONE", "  DONE")
    assert status == 5


def test_rerun_takes_a_result_or_its_receipt() -> None:
    res = sim_of("driven", "rk4").run(T=1.0)
    assert differences(dynlib.rerun(res), res) == []
    assert message(lambda: dynlib.rerun(3)) == (  # type: ignore[arg-type]
        "rerun() takes a result or its receipt, found 3."
    )


def test_rerun_assigns_what_was_there_already() -> None:
    """The stepper starts afresh after any assignment."""
    sim = sim_of("driven", "rk45")
    sim.run(T=1.0)
    sim.assign(a=sim.params["a"])
    res = sim.run(T=2.0, resume=True)
    assert differences(dynlib.rerun(res), res) == []


# --- files --------------------------------------------------------------------------------------


def test_files_that_are_none(tmp_path: Path) -> None:
    sim = sim_of("driven", "rk4")
    res = sim.run(T=1.0)
    (tmp_path / "notes.npz").write_text("not mine")
    (tmp_path / "folder.npz").mkdir()
    there = f"{tmp_path}/"
    for call, words in (
        (lambda: sim.load_preset("a", there + "no.toml"), "no.toml: there is no such file."),
        (
            lambda: dynlib.load_results(there + "notes.npz"),
            "notes.npz: not a result that dynlib saved, or damaged (it is no archive of arrays).",
        ),
        (
            lambda: sim.load_snapshot(there + "notes.npz"),
            "notes.npz: not a dynlib snapshot, or damaged (it is no archive of arrays).",
        ),
        (
            lambda: sim.save_snapshot(there + "no/a.snap"),
            f"no/a.snap: there is no folder {there}no.",
        ),
        (
            lambda: sim.save_preset("high", there + "no/a.toml"),
            f"no/a.toml: there is no folder {there}no.",
        ),
        (
            lambda: res.save(there + "folder.npz"),
            "folder.npz: this is a folder. Name a file in it.",
        ),
        (lambda: res.save(there + "no/a.csv"), f"no/a.csv: there is no folder {there}no."),
        (lambda: dynlib.load_results(tmp_path), "is no batch that dynlib has written."),
    ):
        with pytest.raises(OptionError) as caught:
            call()
        assert words in str(caught.value)
