"""What the model's functions are given: by name, by position, none at all, or from elsewhere."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.integrate import solve_ivp

from dynlib import setup
from dynlib.errors import OptionError, UnknownNameError

LORENZ = "builtin://ode/lorenz"
Y = [1.0, 2.0, 3.0]
COUNTED = '[model]\ntype = "map"\nname = "m"\n[states]\nx = 1.0\n[equations.rhs]\nx = "x + n"'
LOOKS_BACK = """
[model]
type = "ode"
name = "look"
[states]
x = 1.0
[aux]
d = "x - lag_x()"
q = "2*x"
both = "d + q"
[equations.rhs]
x = "-x"
"""


def lorenz(jit: bool = True) -> Any:
    return setup(LORENZ, jit=jit)


def test_nothing_that_is_asked_for_is_nothing(jit: bool) -> None:
    """A model without aux and events, and no parameters: empty, not an error."""
    eq = lorenz(jit).equations
    for y in (Y, np.ones((4, 3)), np.ones((0, 3))):
        shape = np.shape(y)[:-1]
        assert eq.aux(y) == {}
        assert eq.events(y) == {}
        assert eq.params_jacobian(y, []).shape == (*shape, 3, 0)


def test_constants_need_no_kernel(jit: bool) -> None:
    still = {"model": {"type": "ode"}, "states": {"x": 1.0, "y": 2.0}, "params": {"a": 1.0}}
    eq = setup(still | {"equations": {"rhs": {"x": "3", "y": "0"}}}, jit=jit).equations
    assert eq.rhs([5.0, 6.0]).tolist() == [3.0, 0.0]
    assert eq.rhs(np.ones((12, 2)), params={"a": np.ones((5, 1))}).shape == (5, 12, 2)
    found = eq.rhs([5.0, 6.0])
    found[0] = 7.0  # what is given is the caller's
    assert eq.rhs([5.0, 6.0])[0] == 3.0


def test_rows_of_pandas_go_by_name_as_in_run() -> None:
    sim = lorenz()
    row = pd.Series({"z": 3.0, "y": 2.0, "x": 1.0})
    wanted = sim.equations.rhs(Y)
    assert_array_equal(sim.equations.rhs(row), wanted)
    assert_array_equal(sim.equations.rhs(pd.DataFrame([row, row]))[1], wanted)
    assert_array_equal(sim.flow(row, 0.0), Y)
    assert_array_equal(list(sim.run(T=0.0, ic=row).final.values()), Y)
    assert_array_equal(sim.equations.rhs(pd.Series(Y)), wanted)  # its numbers are no names
    other = sim.copy()
    other.assign(pd.Series({"rho": 9.0, "x": 4.0}))
    assert (other.params["rho"], other.state["x"]) == (9.0, 4.0)
    given = sim.equations.rhs(Y, params=pd.Series({"beta": 1.0, "rho": 2.0}))
    assert_array_equal(given, sim.equations.rhs(Y, params={"rho": 2.0, "beta": 1.0}))
    with pytest.raises(UnknownNameError, match="unknown name 'w'"):
        sim.equations.rhs(pd.Series({"x": 1.0, "y": 2.0, "w": 3.0}))


def test_masked_values_are_refused() -> None:
    eq = lorenz().equations
    with pytest.raises(OptionError, match="y has masked values"):
        eq.rhs(np.ma.array(Y, mask=[0, 1, 0]))
    assert_array_equal(eq.rhs(np.ma.array(Y)), eq.rhs(Y))


def test_functions_travel_with_the_parameters_of_now(jit: bool) -> None:
    sim = lorenz(jit)
    sim.assign(rho=7.0)
    fun, jac = sim.equations.for_scipy()
    there = pickle.loads(pickle.dumps((sim.equations, fun, jac)))
    wanted = sim.equations.rhs(Y), sim.equations.jacobian(Y)
    assert_array_equal(there[0].rhs(Y), wanted[0])
    assert_array_equal(there[1](0.0, Y), wanted[0])
    assert_array_equal(there[2](0.0, Y), wanted[1])
    copies = copy.copy(sim.equations), copy.deepcopy(sim.equations)
    sim.assign(rho=9.0)
    assert_array_equal(there[0].rhs(Y), wanted[0])
    for each in copies:  # within a process they are the functions themselves
        assert_array_equal(each.rhs(Y), sim.equations.rhs(Y))


def test_scipy_may_pass_parameters() -> None:
    sim = lorenz()
    fun, jac = sim.equations.for_scipy()
    found = solve_ivp(fun, (0, 0.1), Y, args=({"rho": 3.0},), jac=jac, method="Radau")
    sim.assign(rho=3.0)
    assert_array_equal(found.y, solve_ivp(fun, (0, 0.1), Y, jac=jac, method="Radau").y)


def test_the_index_of_an_iteration_is_whole(jit: bool) -> None:
    eq = setup(COUNTED, jit=jit).equations
    assert eq.step(np.array([0.0]), 5)[0] == eq.step([0.0], 5.0)[0] == 5.0
    assert eq.step([0.0], [1, 2])[:, 0].tolist() == [1.0, 2.0]
    for bad in (5.5, np.nan, np.inf, [1, 2.5], 2**70):
        with pytest.raises(OptionError, match="t, the index of an iteration, must"):
            eq.step([0.0], bad)
        with pytest.raises(OptionError, match="t, the index of an iteration, must"):
            eq.jacobian([0.0], bad)


def test_what_looks_back_is_named() -> None:
    eq = setup(LOOKS_BACK, stepper="rk4").equations
    with pytest.raises(OptionError, match="aux 'd' needs values of earlier steps"):
        eq.aux([1.0])
    with pytest.raises(OptionError, match="aux 'both' needs"):
        eq.aux([1.0], names=["q", "both"])
    assert eq.aux([1.0], names="q") == {"q": 2.0}
    assert eq.aux([1.0], names=[]) == {}


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda eq: solve_ivp(eq.rhs, (0, 1), Y), r"y is one number, 0.0; .*for_scipy\(\)"),
        (lambda eq: eq.params_jacobian(Y, 0.5), "names must be a name or a list of names"),
        (lambda eq: eq.rhs([10**400, 1, 2]), "y must fit 64 bits"),
    ],
)
def test_refusals(call: Any, match: str) -> None:
    with pytest.raises(OptionError, match=match):
        call(lorenz().equations)


def test_many_points_of_one_state_are_told_their_shape() -> None:
    eq = setup(COUNTED).equations
    with pytest.raises(OptionError, match=r"last axis must have length 1, .*y\[\.\.\., None\]"):
        eq.step(np.ones(5))


def test_results_are_the_callers_own(jit: bool) -> None:
    """Kernels keep their arrays from call to call, and nobody else's."""
    eq = lorenz(jit).equations
    points = np.ones((9, 3))
    first = eq.rhs(points)
    kept = first.copy()
    second = eq.rhs(2 * points)
    assert_array_equal(first, kept)
    first[:] = 7.0
    assert_array_equal(eq.rhs(points), kept)
    assert not np.array_equal(second, kept)
    assert_array_equal(points, np.ones((9, 3)))
    varied = eq.rhs(points, params={"rho": np.arange(9.0)})
    assert_array_equal(varied[4], eq.rhs(points[4], params={"rho": 4.0}))
    assert_array_equal(eq.rhs(points), kept)  # and parameters of one call are not those of the next
