"""Who compiles is chosen once, travels with the model, and is told to who asks."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from observers.test_own_hooks import adjusting, observer, total

from dynlib import Sim, build, load_results, rerun, setup
from dynlib.compiler.codegen.arithmetic import is_arithmetic
from dynlib.compiler.jit import native, numba_kernel
from dynlib.compiler.jit.engines import LLVM, NUMBA, PYTHON, engine_of
from dynlib.compiler.model import CompiledModel
from dynlib.errors import CompilationError, ObserverError, OptionError, StepperJitCapabilityError
from dynlib.plans import FinalState
from dynlib.steppers import get, list_steppers
from dynlib.steppers.explicit_rk import ExplicitRK
from dynlib.steppers.problem import Problem
from dynlib.steppers.tableaus.fixed import HEUN

HENON = "builtin://map/henon"
LOGISTIC = "builtin://map/logistic"


# -- the choice -----------------------------------------------------------------------------------


def test_the_accepted_values() -> None:
    assert [engine_of(jit) for jit in (True, "llvm")] == [LLVM] * 2
    assert [engine_of(jit) for jit in (False, "python")] == [PYTHON] * 2
    assert engine_of("numba") is NUMBA
    assert [each.jit for each in (LLVM, NUMBA, PYTHON)] == [True, "numba", False]


@pytest.mark.parametrize("jit", ["nubma", "Numba", "cuda", "", 1, 0, None, 2.5, ["numba"]])
def test_an_engine_that_does_not_exist(jit: Any) -> None:
    for make in (build, setup):
        with pytest.raises(OptionError, match=r"jit must be True .*'numba', or False") as caught:
            make(HENON, jit=jit)
        assert ("Did you mean 'numba'?" in str(caught.value)) == (jit in ("nubma", "Numba"))


def test_a_model_says_who_compiles_it() -> None:
    said = [repr(build(HENON, jit=jit)).split(", ")[-1] for jit in (True, "numba", False)]
    assert said == ["compiled>", "compiled by numba>", "plain Python>"]


@pytest.mark.parametrize("jit", [True, "numba", False])
def test_the_choice_travels(jit: bool | str, tmp_path: Path) -> None:
    sim = setup(HENON, jit=jit)
    for twin in (pickle.loads(pickle.dumps(sim.model)), copy.copy(sim.model)):
        assert twin.jit == sim.model.jit == jit
        assert twin.engine is sim.model.engine
    res = sim.run(N=5)
    assert res.receipt["jit"] == jit
    res.save(tmp_path / "a.npz")
    assert load_results(tmp_path / "a.npz").receipt["jit"] == jit
    again = rerun(json.loads(json.dumps(res.receipt)))
    assert again.receipt["jit"] == jit
    np.testing.assert_array_equal(again[:], res[:])


def test_a_result_can_be_computed_again_by_another_engine() -> None:
    res = setup(HENON, jit="numba").run(N=5)
    np.testing.assert_array_equal(rerun(res, jit=True)[:], res[:])
    with pytest.raises(OptionError, match="Did you mean 'numba'"):
        rerun({**res.receipt, "jit": "numbaa"})


AGAIN = """
import sys
from dynlib import setup
print(setup("builtin://map/logistic", jit="numba").run(N=3)["x"].tolist(), "numba" in sys.modules)
"""


def test_kernels_of_numba_are_kept_on_disk(tmp_path: Path) -> None:
    """A process that finds one needs no Numba."""
    env = {**os.environ, "DYNLIB_CACHE_DIR": str(tmp_path / "cache")}
    first, second = (
        subprocess.run([sys.executable, "-c", AGAIN], env=env, capture_output=True, text=True,
                       check=True).stdout.rsplit(" ", 1)
        for _ in range(2)
    )  # fmt: skip
    assert first[0] == second[0]
    assert (first[1].strip(), second[1].strip()) == ("True", "False")
    assert len(list((tmp_path / "cache" / "runner_cache").glob("*.kernel"))) == 1


# -- hooks, functions, flows ----------------------------------------------------------------------


@pytest.mark.parametrize("which", [pytest.param("looks", marks=pytest.mark.slow), "steps"])
def test_users_hooks(which: str) -> None:
    """Arrays, views and helpers of users, and a step of their own."""
    body = "v = np.zeros(3); v[1] = total(y_curr[:, lane]); analysis_out[0, lane] += v.sum()"
    half = adjusting("return 0.5 * u_new[0], 1")
    seen = observer(body, total=total) if which == "looks" else half
    one, other = (setup(HENON, jit=jit).run(N=20, observers=[seen]) for jit in (True, "numba"))
    np.testing.assert_array_equal(one[:], other[:])
    assert str(dict(one.observers["mine"])) == str(dict(other.observers["mine"]))


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (observer("print(t)"), "objects of Python, as print"),
        (observer("analysis_out[0, lane] = nothing"), "name 'nothing' is not defined"),
        (observer("params[0, lane] = 1.0"), "only read"),
        (adjusting("return u_new[0]"), "a number for each state"),
        (observer("if step > 3: raise ValueError('far')"), "raised an exception"),
    ],
)
def test_hooks_that_are_refused_or_raise(seen: Any, said: str) -> None:
    with pytest.raises(ObserverError, match=f"mine.*{said}") as caught:
        setup(HENON, jit="numba").run(N=9, observers=[seen])
    assert "\n" not in str(caught.value)


def test_functions() -> None:
    one, other = (
        setup(LOGISTIC, jit=jit).equations.jacobian([[0.3], [0.4]]) for jit in (True, "numba")
    )
    np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_flows_and_places_within_steps() -> None:
    flows = [setup(LOGISTIC, jit=jit).flow([[0.3], [0.4]], [3, 5]) for jit in (True, "numba")]
    np.testing.assert_array_equal(*flows)
    model = "builtin://ode/expdecay"
    runs = [setup(model, stepper="rk45", jit=jit).run(T=2.0) for jit in (True, "numba")]
    np.testing.assert_array_equal(runs[0].at([0.3, 1.1]), runs[1].at([0.3, 1.1]))


@pytest.mark.slow
def test_batches_on_other_executors() -> None:
    given: dict[str, Any] = {"params": {"r": np.linspace(3.0, 4.0, 7)}, "N": 50}
    expected = setup(LOGISTIC).batch(**given, plan=FinalState()).final["x"]
    with ThreadPoolExecutor(2) as pool:
        sim = setup(LOGISTIC, jit="numba")
        found = sim.batch(**given, plan=FinalState(), executor=pool).final["x"]
    np.testing.assert_array_equal(found, expected)


# -- what cannot be -------------------------------------------------------------------------------

WITHOUT = """
import os, sys
if "NUMBA_DISABLE_JIT" not in os.environ:
    sys.modules["numba"] = None
from dynlib import JITUnavailableError, setup
try:
    setup("builtin://map/henon", jit="numba", disk_cache=False).run(N=3)
except JITUnavailableError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({}, ("which cannot be imported", "pip install numba", "jit=False works without")),
        (
            {"NUMBA_DISABLE_JIT": "1"},
            ("which NUMBA_DISABLE_JIT forbids", "jit=True, which works without"),
        ),
    ],
)
def test_without_numba(env: dict[str, str], said: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True,
        env={**os.environ, **env},
    )  # fmt: skip
    for part in ("jit='numba' compiles with Numba", *said):
        assert part in done.stdout


def test_a_text_that_numba_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a mistake of dynlib's, and says so: which engine, which kernel, what else to do."""
    lines = ("def run_base_map(a):", "    return (1, 2) - 2", "def entry(a):")
    broken = "\n".join([*lines, "    return run_base_map(a)"])
    monkeypatch.setattr(numba_kernel, "parse", lambda _, parse=numba_kernel.parse: parse(broken))
    refused = r"Numba .* refuses the text of run_base_map: .*jit=True or jit=False"
    with pytest.raises(CompilationError, match=refused) as said:
        setup("builtin://map/gauss", jit="numba", disk_cache=False).run(N=3)
    assert "\n" not in str(said.value)


def test_long_names_of_blocks_and_values_become_short() -> None:
    """LLVM reads none of more than 1,024 characters; names of functions may be as long."""
    block, value, function = ("b" * 1500, "v" * 300, "f" * 1500)
    head = f"define i64 @{function}(i64 %x) {{\n  br label %{block}\n{block}:"
    rest = f"  %{value} = add i64 %x, 1\n  ret i64 %{value}\n}}"
    short = numba_kernel._shortened(f"{head}\n{rest}")
    assert function in short
    assert block not in short
    assert value not in short
    assert native._llvm().parse_assembly(short).get_function(function)


class Listing(ExplicitRK):
    """A stepper of somebody's, who writes what kernels do not have."""

    def emit(self, problem: Problem) -> str:
        return super().emit(problem).replace("    return (v0", "    x = [v0]\n    return (v0")


def test_a_text_that_is_none_of_kernels() -> None:
    spec, method = build("builtin://ode/expdecay").spec, Listing("listing", HEUN, "nobody")
    sim = Sim(CompiledModel(spec, method, disk_cache=None))
    said = r"stepper 'listing' .*: its text holds the expression List, which cannot be compiled"
    with pytest.raises(StepperJitCapabilityError, match=said) as caught:
        sim.run(T=0.1)
    assert "\n" not in str(caught.value)


def test_steppers_that_are_arithmetic() -> None:
    """Packs are for these; it is told from the text, before anything is compiled."""
    steppers = [get(name) for name in list_steppers()]
    fixed = [each.name for each in steppers if not (each.adaptive or any(each.memory))]
    assert {"rk4", "heun", "euler", "map"} <= set(fixed)
    assert [name for name in fixed if not is_arithmetic(get(name))] == []
