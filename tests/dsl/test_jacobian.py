"""Derived Jacobians agree with SymPy; given ones are checked."""

import math
from random import Random
from typing import Any

import pytest
import sympy
from dsl.documents import HENON, PENDULUM, changed, only_problem, problems
from dsl.generated import formulas
from dsl.sympy_models import names_of, read
from hypothesis import given
from hypothesis import strategies as st

from dynlib.dsl import list_models, load_model
from dynlib.dsl.expr import Time, evaluate, to_text

FLOWS = [name for name in list_models() if not load_model(f"builtin://{name}").is_integer]


@pytest.mark.parametrize("name", FLOWS)
def test_the_derived_jacobian_is_that_of_sympy(name: str) -> None:
    spec = load_model(f"builtin://{name}")
    names = names_of(spec)
    order = [*spec.states, *spec.params, "t"]
    symbols = [names[each] for each in order]
    random = Random(1)
    rows = [read(spec.equations_text[state], names) for state in spec.states]
    entries = [[sympy.diff(row, names[state]) for state in spec.states] for row in rows]
    expected = sympy.lambdify(symbols, entries, modules=[{"Jump": math.floor}, "scipy", "numpy"])
    for _ in range(3):
        values = [
            value + random.uniform(0, 0.5) for value in (*spec.state_values, *spec.param_values)
        ]
        point = dict(zip((*spec.state_nodes, *spec.param_nodes), values, strict=True))
        point[Time()] = 0.7
        found = [[evaluate(entry, point) for entry in row] for row in spec.jacobian]
        for ours, theirs in zip(found, expected(*values, 0.7), strict=True):
            # different orders of rounding; entries that cancel are compared with their row
            scale = max(abs(float(each)) for each in theirs)
            assert ours == pytest.approx([float(x) for x in theirs], rel=1e-11, abs=1e-13 * scale)


def test_a_right_jacobian_is_accepted_in_any_form() -> None:
    load_model(HENON)
    load_model(
        changed(HENON, ('"-2*a*x"', '"-a*x - a*x"'), ('"b", "0"', '"b*(x + 1)/(1 + x)", 0.0'))
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"-2*a*x"', '"2*a*x"'),
        ('"-2*a*x"', '"-2*x"'),
        ('"-2*a*x"', '"-2*a*x + 1e-4"'),
        ('"-2*a*x"', '"-2*a*x*1.0001"'),
        ('"-2*a*x"', '"log(-1)"'),
        ('"-2*a*x"', '"-2.8*x"'),  # right for the given value of the parameter only
        ('", 1]', '", "y"]'),
        ('"0"', '"1e-6"'),
        ('"b", "0"', '"0", "b"'),
    ],
)
def test_a_wrong_entry_is_an_error(old: str, new: str) -> None:
    text = changed(HENON, (old, new))
    assert "wrong entry in row" in str(problems(text))


def test_the_letter_about_a_wrong_entry_says_all() -> None:
    text = only_problem(changed(HENON, ('"-2*a*x"', '"2*a*x"')))
    assert "wrong entry in row 0 (x), column 0 (x): d(next x)/d(x)" in text
    assert "given:   2*a*x" in text
    derived = to_text(load_model(HENON).jacobian[0][0])
    assert f"derived: {derived}" in text


def test_every_wrong_entry_is_reported() -> None:
    text = changed(HENON, ('[["-2*a*x", 1], ["b", "0"]]', "[[0, 0], [0, 1]]"))
    assert len(problems(text).issues) == 4


def test_kinks_are_no_mistakes() -> None:
    model = {
        "model": {"type": "map"},
        "states": {"x": 0.0},
        "params": {"a": 1.0},
        "equations": {
            "rhs": {"x": "abs(x) - (x if x > a else 2*x) + 0.3*(x % 1)"},
            "jacobian": {"expr": [["sign(x) - (1 if x >= a else 2) + 0.3"]]},
        },
    }
    load_model(model)


def test_a_small_jacobian_is_checked_as_well() -> None:
    model = {
        "model": {"type": "ode"},
        "states": {"x": 1e-9},
        "params": {"k": 1e-12},
        "equations": {"rhs": {"x": "-k*x"}, "jacobian": {"expr": [["-k"]]}},
    }
    load_model(model)
    model["equations"] = {"rhs": {"x": "-k*x"}, "jacobian": {"expr": [["-1.1*k"]]}}
    assert "wrong entry" in str(problems(model))


def test_every_leaf_has_a_value_in_the_check() -> None:
    model: dict[str, Any] = {
        "model": {"type": "map"},
        "states": {"x": 0.5},
        "aux": {"jump": "changed(x)"},
        "equations": {"rhs": {"x": "x*n + t + lag_x(3)*x"}},
    }
    model["equations"]["jacobian"] = {"expr": [["n + lag_x(3)"]]}
    load_model(model)
    model["equations"]["jacobian"] = {"expr": [["n + lag_x(2)"]]}
    assert "wrong entry" in only_problem(model)
    model["equations"]["jacobian"] = {"expr": [["n if jump else lag_x(3)"]]}
    assert "cannot look back at the start of the step" in only_problem(model)


@given(formulas(("x", "y", "a")))
def test_the_derived_jacobian_passes_its_own_check(rhs: str) -> None:
    model: dict[str, Any] = {
        "model": {"type": "map"},
        "states": {"x": 0.5, "y": -0.25},
        "params": {"a": 2.0},
        "equations": {"rhs": {"x": rhs, "y": "y"}},
    }
    spec = load_model(model)
    given = [[to_text(entry) for entry in row] for row in spec.jacobian]
    model["equations"]["jacobian"] = {"expr": given}
    load_model(model)


@given(st.integers(0, 1), st.integers(0, 1))
def test_a_changed_entry_fails_the_check(i: int, j: int) -> None:
    spec = load_model(PENDULUM)
    given = [[to_text(entry) for entry in row] for row in spec.jacobian]
    given[i][j] += " + 0.001"
    table = "[equations.jacobian]\nexpr = " + repr(given).replace("'", '"')
    assert "wrong entry" in str(problems(PENDULUM + table))
