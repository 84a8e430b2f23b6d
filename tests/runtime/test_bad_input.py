"""Every wrong argument is answered by a message: where, what was found, what is accepted."""

from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from runtime.models import sim_of

import dynlib
from dynlib import DynlibError, OptionError, setup, steppers

LORENZ = "builtin://ode/lorenz"
OPTIONS = ", ".join(steppers.get("rk45").option_names)


def message(call: Any) -> str:
    """The message of the error that `call` raises; it must be one of ours."""
    with pytest.raises(DynlibError) as caught:
        call()
    return str(caught.value)


RUNS: list[tuple[str, dict[str, Any], str]] = [
    # what is wrong, arguments of run(), the message
    (
        "ic too short",
        {"ic": [1.0]},
        "ic has 1 value; the model has 2 states: x, v. A dict changes only some: ic={'x': ...}.",
    ),
    (
        "ic too long",
        {"ic": np.ones(3)},
        "ic has 3 values; the model has 2 states: x, v. A dict changes only some: ic={'x': ...}.",
    ),
    (
        "ic of two dimensions",
        {"ic": np.ones((2, 2))},
        "ic has shape (2, 2); the model has 2 states: x, v. "
        "A dict changes only some: ic={'x': ...}.",
    ),
    (
        "ic is a number",
        {"ic": 1.0},
        "ic must be a dict of names and values or a vector of 2 values, found 1.0.",
    ),
    (
        "ic is text",
        {"ic": "xy"},
        "ic must be a dict of names and values or a vector of 2 values, found 'xy'.",
    ),
    ("ic names nothing", {"ic": {"X": 1.0}}, "unknown state 'X'. Did you mean 'x'? Known: x, v."),
    ("ic with NaN", {"ic": [np.nan, 0.0]}, "ic: state 'x' must be finite, found nan."),
    ("ic with NaN by name", {"ic": {"v": np.inf}}, "state 'v' must be finite, found inf."),
    ("ic with None", {"ic": {"v": None}}, "state 'v' must be a number, found None."),
    ("ic with text", {"ic": ["1", 2]}, "ic: state 'x' must be a number, found '1'."),
    ("ic with complex", {"ic": {"x": 1j}}, "state 'x' must be a number, found 1j."),
    ("ic nested", {"ic": [[1.0], 2.0]}, "ic: state 'x' must be a number, found [1.0]."),
    ("ic huge", {"ic": {"x": 10**400}}, "state 'x' must be finite, found inf."),
    (
        "params too short",
        {"params": (1.0,)},
        "params has 1 value; the model has 2 parameters: a, w. "
        "A dict changes only some: params={'a': ...}.",
    ),
    (
        "params too long",
        {"params": [1.0, 2.0, 3.0]},
        "params has 3 values; the model has 2 parameters: a, w. "
        "A dict changes only some: params={'a': ...}.",
    ),
    (
        "params names a state",
        {"params": {"x": 1.0}},
        "'x' is a state: it belongs in ic, not in params.",
    ),
    (
        "misspelt option",
        {"rtool": 1e-3},
        "run() got an unknown argument 'rtool'. Did you mean 'rtol'? "
        f"Stepper 'rk45' takes {OPTIONS}.",
    ),
    (
        "misspelt argument",
        {"record_intervall": 2},
        "run() got an unknown argument 'record_intervall'. Did you mean 'record_interval'? "
        f"Stepper 'rk45' takes {OPTIONS}.",
    ),
    ("text for a time", {"T": "10"}, "T must be a number, found '10'."),
    ("list for a time", {"T": [10]}, "T must be a number, found [10]."),
    ("endless", {"T": np.inf}, "T must be finite, found inf."),
    ("no time", {"T": np.nan}, "T must be finite, found nan."),
    (
        "iterations of a flow",
        {"N": 100},
        "'driven' is a flow, which has an end time: run(T=...). N counts iterations of a map.",
    ),
    (
        "negative dt",
        {"dt": -0.1},
        "dt must be above 0, found -0.1. To integrate backwards give a T before t0.",
    ),
    (
        "zero dt",
        {"dt": 0},
        "dt must be above 0, found 0. To integrate backwards give a T before t0.",
    ),
    (
        "dt below the resolution of time",
        {"t0": 1e6, "T": 2e6, "dt": 1e-12},
        "dt = 1e-12 is too small: t0 + dt = t0 = 1e+06 in float64.",
    ),
    (
        "transient too long",
        {"T": 1.0, "transient": 2.0},
        (
            "transient = 2 must lie between 0 and the length of the run, 1 of time; it is the "
            "part at its start that is not recorded."
        ),
    ),
    (
        "negative transient",
        {"T": 1.0, "transient": -1},
        (
            "transient = -1 must lie between 0 and the length of the run, 1 of time; it is the "
            "part at its start that is not recorded."
        ),
    ),
    ("interval of nothing", {"record_interval": 0}, "record_interval must be at least 1, found 0."),
    (
        "half an interval",
        {"record_interval": 1.5},
        "record_interval must be a whole number, found 1.5.",
    ),
    ("max_steps", {"max_steps": 0}, "max_steps must be at least 1, found 0."),
    ("record", {"record": "x"}, "record must be True or False, found 'x'."),
    ("record_vars", {"record_vars": 3}, "record_vars must be a list of names, found 3."),
    (
        "record_vars without dimensions",
        {"record_vars": np.array("x")},
        "record_vars must be a list of names, found array('x', dtype='<U1').",
    ),
    ("record_vars of numbers", {"record_vars": [0]}, "record_vars must hold names, found 0."),
    (
        "samples outside",
        {"T": 1.0, "t_eval": [0.5, 1.5]},
        "t_eval holds 1.5, outside of the run: 0 to 1.",
    ),
    (
        "samples in the transient",
        {"T": 1.0, "transient": 0.5, "t_eval": [0.2, 0.7]},
        "t_eval holds 0.2, outside of the run: 0.5 to 1.",
    ),
    (
        "samples out of order",
        {"T": 1.0, "t_eval": [0.7, 0.2]},
        "t_eval must be sorted in the direction of the run.",
    ),
    ("samples with NaN", {"t_eval": [np.nan]}, "t_eval must be a vector of finite times."),
    ("samples in a table", {"t_eval": [[0.1]]}, "t_eval must be a vector of finite times."),
    ("samples of text", {"t_eval": "soon"}, "t_eval must be a vector of finite times."),
    (
        "samples and an interval",
        {"t_eval": [0.1], "record_interval": 2},
        "t_eval names the times to record; leave record_interval out.",
    ),
    (
        "samples and no record",
        {"t_eval": [0.1], "record": False},
        "record=False keeps nothing, t_eval asks for samples: give one of them.",
    ),
    (
        "on_failure",
        {"on_failure": "ignore"},
        "on_failure must be 'raise' or 'return', found 'ignore'.",
    ),
    (
        "tag",
        {"tag": 3},
        "tag must be a name for this segment of the session, found 3.",
    ),
    (
        "observers",
        {"observers": ["lyapunov"]},
        "observers holds 'lyapunov', which is no observer. "
        "Observers are made by functions, as in dynlib.observers.features('max').",
    ),
    ("no list of observers", {"observers": 3}, "observers must be a list of observers, found 3."),
    (
        "progress",
        {"progress": "yes"},
        "progress must be True, False or a function of (fraction, text), found 'yes'.",
    ),
]


@pytest.mark.parametrize(("given_", "words"), [row[1:] for row in RUNS], ids=[r[0] for r in RUNS])
def test_run(given_: dict[str, Any], words: str) -> None:
    sim = sim_of("driven", "rk45")
    assert message(lambda: sim.run(**given_)) == words
    assert not sim._session.running


MAPS: list[tuple[str, dict[str, Any], str]] = [
    ("end time", {"T": 3.0}, "a map is iterated, it has no end time: give run(N=...), not T."),
    ("step", {"dt": 0.1}, "a map has no dt: one iteration is one step."),
    ("half an iteration", {"N": 1.5}, "N must be a whole number, found 1.5."),
    ("backwards", {"N": -3}, "N must be at least 0, found -3."),
    ("too many", {"N": 10**30}, f"N = {10**30} is more than any run can do."),
    ("samples", {"t_eval": [1]}, (
        "a map has nothing between its iterations, so t_eval is for flows: use record_interval and "
        "transient, or take rows of the result."
    )),
    ("half a transient", {"transient": 0.5}, "transient must be a whole number, found 0.5."),
    ("tolerance", {"rtol": 1e-3}, (
        "stepper 'map' has no option 'rtol'; these do: bs23, rk45, tsit5, dop853, rodas4, rodas5p. "
        "Stepper 'map' takes no options."
    )),
]  # fmt: skip


@pytest.mark.parametrize(("given_", "words"), [row[1:] for row in MAPS], ids=[r[0] for r in MAPS])
def test_run_of_a_map(given_: dict[str, Any], words: str) -> None:
    assert message(lambda: sim_of("logistic").run(**given_)) == words


def test_numbers_of_other_kinds_are_numbers() -> None:
    sim = sim_of("logistic")
    assert sim.run(N=1e1).t_final == 10
    assert sim.run(N=np.int32(10), transient=np.int64(2), ic=[np.float32(0.25)]).t[0] == 2
    assert sim_of("driven", "rk4").run(T=np.float32(1.0), dt=np.array(0.125)).t_final == 1.0
    assert sim_of("driven", "rk4").run(T=1, ic={"x": np.array(1.0)}, params=(1, True)).ok


# --- integer maps -------------------------------------------------------------------------------


def test_integer_states_stay_integers() -> None:
    sim = sim_of("collatz")
    assert message(lambda: sim.run(ic={"m": 2.5})) == "state 'm' must be a whole number, found 2.5."
    assert message(lambda: sim.assign(q=0.5)) == "parameter 'q' must be a whole number, found 0.5."
    assert message(lambda: sim.run(ic=[2**63])) == (f"ic: state 'm' does not fit int64: {2**63}.")
    res = sim.run()
    assert res["m"].dtype == np.int64
    assert res.final["m"] == 1
    assert sim.run(N=1, ic={"m": 2**53 + 2}).final["m"] == 2**52 + 1


def test_single_precision_holds_less() -> None:
    sim = setup(LORENZ, dtype="float32", jit=False)
    assert message(lambda: sim.assign(x=1e39)) == "state 'x' does not fit float32: 1e+39."


# --- backwards ------------------------------------------------------------------------------------


def test_backwards_where_the_model_allows() -> None:
    sim = sim_of("driven", "rk4")
    there = sim.run(T=0.0, t0=1.0)
    back = sim.run(T=1.0, ic=there.final, t0=0.0)
    assert there.t[0] == 1.0
    assert there.t[-1] == 0.0
    # There and back: twice the global error of rk4, which is O(dt^4), dt = 0.05.
    assert back.final["x"] == pytest.approx(0.3, abs=1e-5)


def test_backwards_where_it_does_not() -> None:
    assert message(lambda: sim_of("busy", "rk4").run(T=-1.0)) == (
        "T = -1 lies before t0 = 0, and a model with events cannot be integrated backwards "
        "(floor, late). Give a T above 0."
    )
    assert message(lambda: sim_of("lagged", "rk4").run(T=-1.0)) == (
        "T = -1 lies before t0 = 0, and a model with lags cannot be integrated backwards. "
        "Give a T above 0."
    )


# --- setup ----------------------------------------------------------------------------------------


def test_unknown_stepper() -> None:
    words = message(lambda: setup(LORENZ, stepper="rk44"))
    assert words.startswith("unknown stepper 'rk44'. Did you mean 'rk4'? Known: euler, ")


def test_stepper_of_the_other_kind() -> None:
    assert "is for maps" in message(lambda: setup(LORENZ, stepper="map"))
    assert "is for flows" in message(lambda: setup("builtin://map/logistic", stepper="rk4"))


def test_unknown_argument_of_setup() -> None:
    assert message(lambda: setup(LORENZ, steper="rk4")) == (
        "setup() got an unknown argument 'steper'. Did you mean 'stepper'? Known: stepper, mods, "
        "jit, dtype, disk_cache, config. Options of the stepper are given to run()."
    )


def test_option_of_a_value_that_the_stepper_does_not_take() -> None:
    words = message(lambda: sim_of("driven", "rk45").run(rtol=-1.0))
    assert words.startswith("stepper 'rk45': rtol must be")
    assert words.endswith("found -1.0")


def test_option_that_the_stepper_does_not_have() -> None:
    assert message(lambda: sim_of("driven", "rk4").run(rtol=1e-6)) == (
        "stepper 'rk4' has no option 'rtol'; these do: bs23, rk45, tsit5, dop853, rodas4, rodas5p. "
        "Stepper 'rk4' takes no options."
    )


@pytest.mark.parametrize("stepper", ["rk4", "tsit5"])
def test_a_span_that_no_float_holds(stepper: str) -> None:
    assert message(lambda: sim_of("driven", stepper).run(t0=-1e308, T=1e308)) == (
        "from t0 = -1e+308 to T = 1e+308 is longer than float64 can hold."
    )


def test_option_of_the_model_that_its_stepper_does_not_have() -> None:
    model = {
        "model": {"type": "ode"},
        "states": {"x": 1.0},
        "equations": {"rhs": {"x": "-x"}},
        "sim": {"stepper": "rk45", "safty": 0.8},
    }
    assert message(lambda: setup(model)) == (
        "<dict>: [sim] safty: unknown key, and no option of stepper 'rk45'. Did you mean 'safety'?"
    )
    model["sim"] = {"dt_max": 0.1}
    assert message(lambda: setup(model)) == (
        "<dict>: [sim] dt_max: stepper 'rk4' has no such option; these do: bs23, rk45, tsit5, "
        "dop853, rodas4, rodas5p. Name one of them as [sim] stepper."
    )
    model["sim"] = {"stepper": "rk45", "safety": 0.8}
    assert setup(model, jit=False).run().receipt["arguments"]["safety"] == 0.8
    # With another stepper the option of the model's own has no meaning, and does no harm.
    assert "safety" not in setup(model, stepper="rk4", jit=False).run().receipt["arguments"]


# --- values ---------------------------------------------------------------------------------------


def test_wrong_names_and_values_of_a_session() -> None:
    sim = sim_of("driven", "rk4")
    assert message(lambda: sim.assign(x=1.0, rho=2.0)) == (
        "unknown state or parameter 'rho'. Known: x, v, a, w."
    )
    assert message(lambda: sim.state["y"]) == "unknown state 'y'. Known: x, v."
    assert message(lambda: sim.params.update(a=1.0, x=2.0)) == "unknown parameter 'x'. Known: a, w."
    assert (
        message(lambda: sim.state.__setitem__("x", "1")) == "state 'x' must be a number, found '1'."
    )
    assert sim.state["x"] == 0.3
    assert sim.params["a"] == 0.4
    assert message(lambda: sim.reset("there")) == "unknown snapshot 'there'. There are none."
    assert message(lambda: sim.snapshot("")) == "a snapshot needs a name, found ''."
    assert message(sim.results) == "there are no results yet: call run() first."
    assert message(lambda: sim.apply_preset("hihg")) == (
        "unknown preset 'hihg'. Did you mean 'high'? Known: strong, high."
    )


def test_tag_is_taken() -> None:
    sim = sim_of("driven", "rk4")
    sim.run(T=1.0, tag="a")
    assert message(lambda: sim.run(T=2.0, tag="a", resume=True)) == (
        "tag 'a' names an earlier segment of this session. Taken: a."
    )
    assert sim.run(T=1.0, tag="a").ok


def test_map_that_would_do_nothing() -> None:
    sim = sim_of("logistic")
    sim.run(N=30)
    assert message(lambda: sim.run(resume=True)) == (
        "the session stands at iteration 30 and this run would do nothing: give N, the number of "
        "further iterations."
    )


JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3),
    st.binary(max_size=3), st.lists(st.floats(), max_size=3),
    st.dictionaries(st.text(max_size=2), st.floats(), max_size=2), st.complex_numbers(),
    st.just(object()), st.just(np.zeros((2, 2))), st.just(np.array("x")),
)  # fmt: skip
ARGUMENTS = (
    "T", "N", "t0", "dt", "ic", "params", "record", "record_interval", "record_vars", "t_eval",
    "transient", "observers", "max_steps", "tag", "on_failure", "rtol", "atol", "resume",
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "stepper", "given_"),
    [
        ("driven", "rk4", {"T": 1e12}),
        ("driven", "ab2", {"dt": 1e-13}),
        ("logistic", None, {"N": 10**14}),
    ],
)
def test_record_that_no_memory_holds(
    name: str, stepper: str | None, given_: dict[str, Any]
) -> None:
    words = message(lambda: sim_of(name, stepper).run(**given_))
    assert "more than there is memory. Record less: record_interval" in words
    few = sim_of(name, stepper).run(**given_, record=False, max_steps=3, on_failure="return")
    assert few.stats.steps == 3


@given(st.dictionaries(st.sampled_from(ARGUMENTS), JUNK, min_size=1, max_size=3))
def test_junk_is_refused_by_us_or_runs(given_: dict[str, Any]) -> None:
    for name in ("driven", "logistic"):
        sim = sim_of(name, "rk45" if name == "driven" else None)
        if isinstance(given_.get("N"), int):
            given_["N"] = given_["N"] % 50
        given_.setdefault("max_steps", 50)
        with suppress(DynlibError):  # anything else is a traceback of ours
            sim.run(**{"on_failure": "return", **given_})


def test_public_errors_are_python_errors_too() -> None:
    assert issubclass(OptionError, ValueError)
    assert issubclass(dynlib.UnknownNameError, KeyError)
    assert issubclass(dynlib.UnknownOptionError, TypeError)
