"""What a stepper is given: equations, derivatives with their sparsity, linear systems of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import dynlib
from dynlib.abi.primitives import plain_namespace
from dynlib.dsl.expr import to_text
from dynlib.dsl.spec import ModelSpec
from dynlib.steppers import Problem
from dynlib.steppers.linear import LinearSystem
from dynlib.steppers.text import Scalar, function, group, names, unpack

CHAIN: dict[str, Any] = {
    "model": {"type": "ode", "name": "chain"},
    "states": {"x": 1.0, "y": 2.0, "z": 3.0},
    "params": {"k": 2.0},
    "equations": {"rhs": {"x": "-3*x + sin(t)*y", "y": "k*x*y", "z": "4*z + t^2"}},
}


@pytest.fixture(scope="module")
def problem() -> Problem:
    return Problem.of(dynlib.load_model(CHAIN), vectors=2)


def test_sizes(problem: Problem) -> None:
    assert (problem.states, problem.vectors, problem.n) == (3, 2, 9)
    assert (problem.positions, problem.momenta, problem.noise) == (None, None, None)
    assert not problem.autonomous


def test_sparsity(problem: Problem) -> None:
    jacobian = problem.jacobian
    assert jacobian.places == ((0, 0), (0, 1), (1, 0), (1, 1), (2, 2))
    assert jacobian.changing == ((0, 1), (1, 0), (1, 1))
    lines, written = jacobian.take("j", "t, step, x, p, ws, lane")
    assert lines == ["(j0_1, j1_0, j1_1) = jacobian(t, step, x, p, ws, lane)"]
    assert (written[0, 0], written[0, 1], written[2, 2]) == ("-3.0", "j0_1", "4.0")
    assert problem.time_derivative.places == ((0, 0), (2, 0))
    assert to_text(problem.time_derivative.entries[2, 0]) == "2*t"
    along = problem.jacobian_along
    assert {place: to_text(entry) for place, entry in along.entries.items()} == {
        (1, 0): "k*v1",
        (1, 1): "k*v0",
    }
    assert to_text(problem.time_derivative_along.entries[0, 0]) == "cos(t)*v1"


def test_nothing_is_derived_before_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ModelSpec, "jacobian", property(lambda spec: 1 / 0))
    model = dynlib.build(CHAIN, stepper="tsit5")
    assert "attempt" in model.sources["stepper"]
    assert model.program.layout.states == 3


def systems(n: int) -> st.SearchStrategy[np.ndarray]:
    """Matrices with zeros, so that rows have to be exchanged."""
    entry = st.one_of(st.just(0.0), st.floats(-4, 4).map(lambda x: round(x, 3)))
    return st.lists(entry, min_size=n * n, max_size=n * n).map(
        lambda items: np.array(items).reshape(n, n)
    )


def solver(pattern: np.ndarray) -> Any:
    """A function of the factor gh, the entries and a right-hand side: solution, and if singular."""
    n = len(pattern)
    letters = "abcdef"
    rhs = {
        letters[i]: " + ".join(
            f"sin(t*{n * i + j + 1})*{letters[j]}" for j in range(n) if pattern[i, j]
        )
        or "0"
        for i in range(n)
    }
    spec = dynlib.load_model(
        {
            "model": {"type": "ode", "name": "linear"},
            "states": dict.fromkeys(rhs, 0.0),
            "equations": {"rhs": rhs},
        }
    )
    system = LinearSystem(Problem.of(spec, Scalar("float64")))
    lines = [
        *system.evaluate("t, step, x, p, ws, lane"),
        *system.factor(),
        unpack(names("b", n), "b"),
        *system.solve(names("b", n), "s"),
        f"return {group(names('s', n))}, singular",
    ]
    space = plain_namespace("float64")
    exec(function("solve", "gh, b, t=0.0, step=0, x=0, p=0, ws=0, lane=0", lines), space)
    return space


@given(matrix=st.integers(1, 5).flatmap(systems), seed=st.integers(0, 99))
def test_linear_systems(matrix: np.ndarray, seed: int) -> None:
    """As NumPy solves them, or singular where it says so."""
    n, gh = len(matrix), 0.7
    space = solver(matrix != 0)
    entries = tuple(np.float64(each) for each in matrix[matrix != 0])
    space["jacobian"] = lambda *args: entries
    b = np.random.default_rng(seed).normal(size=n)
    w = np.eye(n) - gh * matrix
    found, singular = space["solve"](np.float64(gh), tuple(b))
    condition = np.linalg.cond(w)
    if condition < 1e9:
        assert not singular
        assert_allclose(
            found, np.linalg.solve(w, b), rtol=1e-13 * condition, atol=1e-13 * condition
        )
    elif np.linalg.matrix_rank(w) == 0 or not np.isfinite(condition):
        assert singular or condition > 1e9


def test_singular_systems() -> None:
    for w in (
        np.zeros((2, 2)),
        np.array([[1.0, 2.0], [2.0, 4.0]]),
        np.array([[np.nan, 1], [1, 1]]),
    ):
        matrix = np.eye(2) - w  # gh = 1
        space = solver(np.ones((2, 2)))
        space["jacobian"] = lambda *args, matrix=matrix: tuple(map(np.float64, matrix.ravel()))
        _, singular = space["solve"](np.float64(1.0), (1.0, 1.0))
        assert singular
