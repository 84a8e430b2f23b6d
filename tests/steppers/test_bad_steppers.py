"""Steppers that are wrong: each gets a message that names it, its package and what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from steppers.packages import STIFFKIT, installed, write_package

import dynlib
from dynlib import StepperError
from dynlib.errors import StepperWarning
from dynlib.steppers import Counter, Option, Problem, Stepper, check, register, registry, unregister
from dynlib.steppers.explicit_rk import ExplicitRK
from dynlib.steppers.tableaus.fixed import HEUN, RK4
from dynlib.steppers.tableaus.rk45 import RK45

MODEL: dict[str, Any] = {
    "model": {"type": "ode", "name": "two"},
    "states": {"x": 1.0, "y": 0.5},
    "equations": {"rhs": {"x": "-y", "y": "x - 0.1*y*x"}},
}
ATTEMPT = "def attempt(t, h, step, u, m, p, ws, lane):\n"
EULER = (
    ATTEMPT
    + "    f = rhs(t, step, u, p, ws, lane)\n"
    + "    return (fma(h, f[0], u[0]), fma(h, f[1], u[1])), f\n"
)


class Written(Stepper):
    """Of order 1 without a dense output, with the text that it is given."""

    dense_output = False
    evaluations = 1

    def __init__(self, text: Any, name: str = "written", **declared: Any) -> None:
        super().__init__(name, declared.pop("order", 1), "nobody")
        self.text = text
        for attribute, value in declared.items():
            setattr(self, attribute, value)

    def emit(self, problem: Problem) -> str:
        return self.text(problem) if callable(self.text) else self.text


@pytest.fixture(autouse=True)
def none_is_left() -> Iterator[None]:
    with installed():
        yield


def refused(stepper: Stepper, *words: str, **run: Any) -> None:
    """A run with the stepper, compiled or not, ends with a message that has all of these words."""
    register(stepper)
    for jit in (True, False):
        with pytest.raises(StepperError) as caught:
            dynlib.setup(MODEL, stepper=stepper.name, jit=jit).run(T=1.0, dt=0.1, **run)
        message = str(caught.value)
        for word in (f"stepper {stepper.name!r} (module ", "test_bad_steppers)", *words):
            assert word in message
    unregister(stepper.name)


def raises(problem: Problem) -> str:
    raise ZeroDivisionError("by me")


TEXTS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "no text": (None, ("must return Python text", "NoneType")),
    "bytes": (b"def", ("must return Python text", "bytes")),
    "an exception": (raises, ("emit(problem) raised ZeroDivisionError: by me",)),
    "no Python": (EULER + "def f(:\n", ("no Python", "line 4", "'def f(:'")),
    "statements": (EULER + "x = 1\n", ("functions alone", "line 4", "'x = 1'")),
    "nothing": ("", ("lacks def attempt(t, h, step, u, m, p, ws, lane)",)),
    "other arguments": (EULER.replace("t, h, step", "t, h"), ("must take (t, h, step, u",)),
    "unknown name": (EULER.replace("fma", "fmadd"), ("attempt() uses 'fmadd'", "line 3")),
    "builtin": (EULER.replace("fma(h", "pow(sum(u) * h", 1), ("uses 'sum'", "range, tuple")),
    "no need": (
        EULER.replace("f = rhs", "j = jacobian(t, step, u, p, ws, lane); f = rhs"),
        ("uses 'jacobian'", "'jacobian' in the stepper's needs"),
    ),
    "too few": (
        EULER.replace(", fma(h, f[1], u[1])), f", ",), f"),
        ("attempt() must return u_new", "a tuple of 2", "returned a tuple of 1"),
    ),
    "no tuple": (EULER.replace("fma(h, f[0], u[0])", "f"), ("u_new, one number for each state",)),
    "one value": (EULER.replace(", f\n", "\n"), ("u_new, one number for each state",)),
    "three values": (EULER.replace(", f\n", ", f, (0.0,)\n"), ("must return (u_new, k)", "of 3")),
    "an index": (EULER.replace("f[1]", "f[5]"), ("raised IndexError", "line 3", "f[5]")),
    "its own rhs": (EULER + "def rhs(t):\n    return t\n", ("defines rhs() itself",)),
    "twice": (EULER + EULER, ("defines attempt() twice",)),
    "a name of dynlib's": (
        EULER + "def record(x):\n    return x\n",
        ("defines record(), which the run loop has already",),
    ),
}


@pytest.mark.parametrize("what", TEXTS)
def test_texts(what: str) -> None:
    text, words = TEXTS[what]
    refused(Written(text), *words)


@pytest.mark.parametrize(
    ("declared", "text", "word"),
    [
        ({"adaptive": True}, EULER, "lacks def error_norm(h, u, u_new"),
        ({"dense_output": True}, EULER, "lacks def dense(t, h, step"),
        ({"memory": (1, 0)}, EULER, "lacks def restart(t, step"),
        ({"failures": ("it may",)}, EULER, "must return (u_new, k, note)"),
        (
            {"failures": ("it may",)},
            EULER.replace(", f\n", ", f, (0.0, 1.0)\n"),
            "the note, the failure and one number for each counter (a tuple of 1)",
        ),
        (
            {"failures": ("it may",)},
            EULER.replace(", f\n", ", f, (2.0,)\n"),
            "must return a failure that it declares",
        ),
    ],
)
def test_declarations_that_the_text_does_not_keep(
    declared: dict[str, Any], text: str, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = declared.pop("memory", (0, 0))
    monkeypatch.setattr(Written, "memory", property(lambda self: memory))
    refused(Written(text, **declared), word)


def test_step_control_is_missing() -> None:
    class Uncontrolled(ExplicitRK):
        def emit(self, problem: Problem) -> str:
            return super().emit(problem).partition("def rough_log2")[0]

    refused(Uncontrolled("uncontrolled", RK45, "nobody"), "lacks the step control", "control_text")


def test_python_that_cannot_be_compiled() -> None:
    text = EULER.replace("    f = rhs", "    d = {0: h}\n    h = d[0]\n    f = rhs")
    register(Written(text))
    with pytest.raises(StepperError, match=r"'written' \(module .*which cannot be compiled"):
        dynlib.setup(MODEL, stepper="written").run(T=1.0, dt=0.1)
    with pytest.raises(StepperError, match="which cannot be compiled"):
        dynlib.setup(MODEL, stepper="written").batch(T=1.0, dt=0.1)
    assert dynlib.setup(MODEL, stepper="written", jit=False).run(T=1.0, dt=0.1).ok


def test_errors_of_vectors_are_missing() -> None:
    class Blind(ExplicitRK):
        def emit_vector_error(self, problem: Problem) -> str:
            raise NotImplementedError

    register(Blind("blind", RK45, "nobody"))
    sim = dynlib.setup(MODEL, stepper="blind")
    assert sim.run(T=1.0).ok
    with pytest.raises(StepperError, match=r"'blind' \(.*emit_vector_error.*NotImplementedError"):
        sim.run(T=1.0, observers=[dynlib.observers.lyapunov_max()])


class Forgetful(Written):
    """Does not call what it inherits."""

    def __init__(self) -> None:
        self.name = "forgetful"


def test_exceptions_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StepperError, match=r"'forgetful' \(module .* raised AttributeError"):
        register(Forgetful())
    monkeypatch.setattr(Written, "refuses", lambda self, problem: 1 / 0)
    register(Written(EULER))
    with pytest.raises(StepperError, match=r"'written' \(module .*refuses\(problem\) raised Zero"):
        dynlib.setup(MODEL, stepper="written")


def test_too_large_a_model() -> None:
    with installed(STIFFKIT):
        ring = {f"x{i}": f"x{(i + 1) % 40} - x{i}" for i in range(40)}
        model = MODEL | {"states": dict.fromkeys(ring, 1.0), "equations": {"rhs": ring}}
        with pytest.raises(dynlib.StepperKindMismatchError, match=r"up to 32 states.* has 40"):
            dynlib.setup(model, stepper="ros2")


class Relaxed(Stepper):
    """Half a step of a map, which counts."""

    kind = "map"
    dense_output = False
    evaluations = 1
    counters = (Counter("looks", "at the map"),)

    def emit(self, problem: Problem) -> str:
        new = ", ".join(f"0.5 * (u[{i}] + f[{i}])" for i in range(problem.n))
        lines = ["f = rhs(t, step, u, p, ws, lane)", f"return ({new},), 0.0, (0.0, 2.0)"]
        return ATTEMPT + "".join(f"    {line}\n" for line in lines)


def test_maps() -> None:
    register(Relaxed("relaxed", 0, "nobody"))
    model: dict[str, Any] = {
        "model": {"type": "map", "name": "cosine"},
        "states": {"x": 1.0},
        "params": {"a": 1.0},
        "equations": {"rhs": {"x": "cos(a*x)"}},
    }
    sim = dynlib.setup(model, stepper="relaxed")
    res = sim.run(N=60)
    assert res.final["x"] == pytest.approx(0.7390851332151607, abs=1e-12)
    assert res.stats.counters == {"looks": 120}
    batch = sim.batch(N=60, params={"a": [1.0, 0.5]})
    assert batch.final["x"][0] == res.final["x"]
    assert batch.stats.counters == {"looks": 240}
    integers = {
        "model": {"type": "map", "dtype": "int64"},
        "states": {"n": 3},
        "equations": {"rhs": {"n": "n + 1"}},
    }
    with pytest.raises(dynlib.StepperKindMismatchError, match=r"made of integers.*what it counts"):
        dynlib.setup(integers, stepper="relaxed")
    with pytest.raises(dynlib.StepperKindMismatchError, match="'relaxed' is for maps"):
        dynlib.setup(MODEL, stepper="relaxed")
    with pytest.raises(StepperError, match="for maps, whose steps have no order"):
        check("relaxed")


# -- the self-check ----------------------------------------------------------------------------


def test_a_wrong_order_is_found() -> None:
    wrong = ExplicitRK("wrong", RK4, "nobody")
    wrong.order = 5
    with pytest.raises(StepperError, match=r"'wrong'.* declares order 5, and has order 4\.0"):
        check(wrong)
    for name in ("euler", "heun", "rk4", "rk45", "dop853", "ab3"):
        found = check(name)
        assert abs(found.measured - found.declared) < 0.25


def test_a_failure_is_found() -> None:
    always = EULER.replace(", f\n", ", f, (1.0,)\n")
    always = always.replace("u[1]))", "u[1]), fma(h, f[2], u[2]))")
    with pytest.raises(StepperError, match=r"'written'.*a step of 0\.25 failed .*: it always does"):
        check(Written(always, failures=("it always does",)))


def test_a_dense_output_that_misses_the_step_is_found() -> None:
    class Loose(ExplicitRK):
        def emit(self, problem: Problem) -> str:
            return super().emit(problem).replace("rest = 1.0 - theta", "rest = 1.1 - theta")

    with pytest.raises(StepperError, match="away from the end of the step"):
        check(Loose("loose", HEUN, "nobody"))


# -- declarations and names --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Written, "found the class Written"),
        (lambda: 3, "found 3"),
        (lambda: Written(EULER, name="my stepper"), "its name must be a word"),
        (lambda: Written(EULER, order=0), "its order must be"),
        (lambda: Written(EULER, needs=("hessian",)), "found ('hessian',)"),
        (lambda: Written(EULER, needs="jacobian"), "found 'jacobian'"),
        (lambda: Written(EULER, reads_tolerances=True), "only an adaptive stepper is given"),
        (lambda: Written(EULER, failures="it may"), "failures must be a tuple"),
        (lambda: Written(EULER, counters=("looks",)), "counters must be a tuple of Counter"),
        (lambda: Written(EULER, counters=(Counter("failures", ""),)), "'failures', which is taken"),
        (lambda: Written(EULER, own_options=(Option("rtol", 1.0, ""),)), "'rtol', which is taken"),
        (lambda: Written(EULER, own_options=(Option("a b", 1.0, ""),)), "'a b', which is no name"),
    ],
)
def test_declarations(make: Callable[[], Any], word: str) -> None:
    before = dynlib.list_steppers()
    with pytest.raises(StepperError, match=re.escape(word)):
        register(make())
    assert dynlib.list_steppers() == before


def test_names_that_are_taken() -> None:
    with pytest.raises(StepperError, match=r"'rk4' \(module .*: the name is taken by dynlib's own"):
        register(Written(EULER, name="rk4"))
    mine = register(Written(EULER))
    assert register(mine) is mine
    with pytest.raises(StepperError, match=r"the name is taken by a stepper of module .*test_bad"):
        register(Written(EULER))
    with pytest.raises(dynlib.UnknownStepper, match="Did you mean 'written'"):
        unregister("writen")
    with installed(STIFFKIT), pytest.raises(StepperError, match="of package stiffkit"):
        register(Written(EULER, name="ros2"))


def test_an_option_that_a_run_would_take() -> None:
    register(Written(EULER, own_options=(Option("tag", 1.0, "a tag"),)))
    with pytest.raises(StepperError, match="has an option tag, which is an argument of run"):
        dynlib.setup(MODEL, stepper="written")


def test_values_of_options() -> None:
    with installed(STIFFKIT):
        sim = dynlib.setup(MODEL, stepper="backward_euler")
        for given, word in (
            ({"newton_tol": 0}, "newton_tol must be a number from 1e-15 to 1, found 0"),
            ({"newton_tol": float("nan")}, "newton_tol must be"),
            ({"newton_max": 2.5}, "newton_max must be a whole number from 1 to 1000, found 2.5"),
            ({"newton_max": "many"}, "found 'many'"),
            ({"newton_max": True}, "found True"),
        ):
            for run in (sim.run, sim.fastpath, sim.batch):
                with pytest.raises(dynlib.StepperOptionError, match=re.escape(word)):
                    run(T=1.0, dt=0.1, **given)
        with pytest.raises(dynlib.UnknownOptionError, match="Did you mean 'newton_tol'"):
            sim.run(T=1.0, dt=0.1, newton_tool=1e-3)
        with pytest.raises(dynlib.UnknownOptionError, match="rtol"):
            sim.run(T=1.0, dt=0.1, rtol=1e-3)


def test_kernels_follow_the_text() -> None:
    """Two steppers of one name never share what was compiled, in memory or on disk."""
    found = []
    for factor in ("1.0", "0.5"):
        register(Written(EULER.replace("fma(h, f[0]", f"fma({factor} * h, f[0]")))
        sim = dynlib.setup(MODEL, stepper="written")
        found.append([sim.run(T=1.0, dt=0.1).final["x"], sim.batch(T=1.0, dt=0.1).final["x"][0]])
        unregister("written")
    assert found[0][0] == found[0][1] != found[1][0] == found[1][1]


# -- packages ----------------------------------------------------------------------------------

BROKEN = {
    "raising": ("raise RuntimeError('not today')", "raising:STEPPERS", "raised RuntimeError: not"),
    "leaving": ("raise SystemExit(3)", "leaving:STEPPERS", "raised SystemExit: 3"),
    "empty": ("", "empty:STEPPERS", "raised AttributeError"),
    "absent": ("", "nowhere:STEPPERS", "raised ModuleNotFoundError: No module named 'nowhere'"),
    "digits": ("STEPPERS = [1, 2]", "digits:STEPPERS", "found 1"),
    "clash": (
        "from dynlib.steppers.explicit_rk import ExplicitRK\n"
        "from dynlib.steppers.tableaus.fixed import RK4\n"
        "def steppers():\n    return ExplicitRK('rk4', RK4, 'nobody')\n",
        "clash:steppers",
        "'rk4' has the name of one of dynlib's own",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_packages_are_told_of(name: str, tmp_path: Path) -> None:
    """By a warning that names them; the other packages' steppers are there."""
    text, entry, word = BROKEN[name]
    folder = write_package(tmp_path, name, text, entry)
    with installed(folder, STIFFKIT):
        dynlib.setup(MODEL, stepper="rk4")  # nobody looks at packages
        with pytest.warns(StepperWarning, match=re.escape(word)) as told:
            found = dynlib.list_steppers()
        assert f"steppers of package {name} are left out" in str(told[0].message)
        assert {"rk4", "ros2"} < set(found)
        assert registry.get("ros2").name == "ros2"  # and no second warning


def test_two_packages_with_one_name(tmp_path: Path) -> None:
    text = (
        "from dynlib.steppers.explicit_rk import ExplicitRK\n"
        "from dynlib.steppers.tableaus.fixed import RK4\n"
        "STEPPER = ExplicitRK('ros2', RK4, 'nobody')\n"
    )
    with installed(STIFFKIT, write_package(tmp_path, "second", text, "second:STEPPER")):
        with pytest.warns(StepperWarning, match="'ros2' has the name of one of package"):
            dynlib.list_steppers()
        assert registry.get("ros2").name == "ros2"
