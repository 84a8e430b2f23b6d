"""Rosenbrock methods: order conditions, stability, and what holds on all paths."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from numerics.rooted_trees import Tree, density, trees
from numpy.testing import assert_allclose, assert_array_equal
from steppers.models import CROSSING, DRIVEN, PROTHERO, ROBERTSON

import dynlib
from dynlib import Results, Sim
from dynlib.observers import lyapunov_spectrum
from dynlib.steppers import check, linear
from dynlib.steppers.plain import PlainStepper
from dynlib.steppers.rosenbrock import RosenbrockTableau
from dynlib.steppers.tableaus.rodas import RODAS4, RODAS5P

TABLEAUS = {"rodas4": RODAS4, "rodas5p": RODAS5P}
NAMES = tuple(TABLEAUS)
# The papers give 16 digits, and sums have terms of up to 100.
PUBLISHED = 2e-12


class Standard:
    """The matrices of the textbook: Hairer, Wanner II, section IV.7, (7.24) and (7.25)."""

    def __init__(self, tableau: RosenbrockTableau) -> None:
        n = tableau.stages
        a, c = (np.zeros((n, n)) for _ in "ac")
        for i in range(n):
            a[i, :i], c[i, :i] = tableau.a[i], tableau.C[i]
        self.gamma = np.linalg.inv(np.eye(n) / tableau.gamma - c)
        self.alpha = a @ self.gamma
        self.beta = self.alpha + self.gamma
        self.b = np.array(tableau.b) @ self.gamma
        self.embedded = np.array([*tableau.a[-1], 0.0]) @ self.gamma

    def stages(self, tree: Tree) -> np.ndarray:
        """What a tree's children contribute: a lone child also through the Jacobian."""
        if len(tree) == 1:
            return self.beta @ self.stages(tree[0])
        product = np.ones(len(self.b))
        for child in tree:
            product *= self.alpha @ self.stages(child)
        return product


@pytest.mark.parametrize("name", NAMES)
def test_order_conditions(name: str) -> None:
    tableau, standard = TABLEAUS[name], Standard(TABLEAUS[name])
    for weights, order in (
        (standard.b, tableau.order),
        (standard.embedded, tableau.embedded_order),
    ):
        for nodes in range(1, order + 1):
            for tree in trees(nodes):
                assert abs(weights @ standard.stages(tree) - 1 / density(tree)) < PUBLISHED
        misses = [abs(weights @ standard.stages(t) - 1 / density(t)) for t in trees(order + 1)]
        assert max(misses) > 1e-5  # and no order more


@pytest.mark.parametrize("name", NAMES)
def test_nodes(name: str) -> None:
    """What stands for the time is what equations with a state t' = 1 would have."""
    tableau, standard = TABLEAUS[name], Standard(TABLEAUS[name])
    assert_allclose(standard.alpha.sum(axis=1), tableau.c, atol=PUBLISHED)
    assert_allclose(standard.gamma.sum(axis=1), tableau.d, atol=PUBLISHED)


@pytest.mark.parametrize("name", NAMES)
def test_stability(name: str) -> None:
    """Of y' = zy, as a rotation: |R| is at most 1 on the imaginary axis, and 0 at infinity."""
    method = dynlib.steppers.get(name)
    for real, imaginary in [(0, 0.1), (0, 1), (0, 3), (0, 10), (0, 1e3), (-1e9, 0), (-1, 1e9)]:
        model = {
            "model": {"type": "ode", "name": "rotation"},
            "states": {"x": 1.0, "y": 0.0},
            "equations": {
                "rhs": {
                    "x": f"({float(real)})*x - ({float(imaginary)})*y",
                    "y": f"({float(imaginary)})*x + ({float(real)})*y",
                }
            },
        }
        end, _ = PlainStepper(method, dynlib.load_model(model)).run((1.0, 0.0), 0.0, 1.0, 1)
        size = float(np.hypot(*end))
        assert size <= (1e-6 if max(-real, imaginary) > 1e6 else 1.0 + 1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_order_on_a_grid_and_within(name: str) -> None:
    found = check(name)
    assert abs(found.measured - found.declared) < 0.15
    # The interpolant is of one order less: the error in a step goes with its power of the order.
    model = {
        "model": {"type": "ode", "name": "pair"},
        "states": {"x": 1.0, "y": 1.0},
        "equations": {"rhs": {"x": "-3*x + y^2", "y": "x - y - y^2"}},
    }
    method = dynlib.steppers.get(name)
    plain, errors = PlainStepper(method, dynlib.load_model(model)), []
    for h in (0.05, 0.025):
        _, taken = plain.run((1.0, 1.0), 0.0, h, 1)
        inside = np.array(plain.inside(0.8, 0.0, h, taken[0]))
        errors.append(abs(inside - np.exp([-1.6 * h, -0.8 * h])).max())
    assert abs(np.log2(errors[0] / errors[1]) - method.order) < 0.3


def coupled(n: int) -> dict[str, Any]:
    """A ring whose Jacobian has small numbers on its diagonal, so that rows change places."""
    return {
        "model": {"type": "ode", "name": "coupled"},
        "states": {f"x{i}": 1.0 / (i + 1) for i in range(n)},
        "equations": {
            "rhs": {
                f"x{i}": f"{10 * (i % 3)}*(x{(i + 3) % n} - x{i}) + x{(i + 1) % n}*x{(i + 5) % n}"
                f" - {40 * (i % 2)}*x{(i + 2) % n} + sin(t)"
                for i in range(n)
            }
        },
    }


@pytest.mark.parametrize("name", NAMES)
def test_systems_solved_by_functions(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They have the bits of those solved in place, and those are what NumPy finds."""
    spec, method = dynlib.load_model(coupled(12)), dynlib.steppers.get(name)
    start = tuple(1.0 / (i + 1) for i in range(12))
    ends = []
    for rows in (10, 99):
        monkeypatch.setattr(linear, "_CALLED_FROM", rows)
        ends.append(np.array(PlainStepper(method, spec).run(start, 0.0, 0.3, 4)[0]))
    assert_array_equal(*ends)
    system = dynlib.build(coupled(12), stepper=name).equations
    tableau, y, h = TABLEAUS[name], np.array(start), 0.3
    for step in range(4):
        t, increments = 0.3 * step, []
        moved = (system.rhs(y, t=t + 1e-6) - system.rhs(y, t=t - 1e-6)) / 2e-6
        w = np.eye(12) / (tableau.gamma * h) - system.jacobian(y, t=t)
        for a, c, node, d in zip(tableau.a, tableau.C, tableau.c, tableau.d, strict=True):
            at = y + sum((x * k for x, k in zip(a, increments, strict=True)), np.zeros(12))
            past = sum((x * k for x, k in zip(c, increments, strict=True)), np.zeros(12))
            right = system.rhs(at, t=t + node * h) + past / h + d * h * moved
            increments.append(np.linalg.solve(w, right))
        y = y + sum(x * k for x, k in zip(tableau.b, increments, strict=True))
    assert_allclose(ends[0], y, rtol=1e-7)


# -- through the compiler ----------------------------------------------------------------------


@cache
def sim_of(model: str, stepper: str, *, jit: bool = True) -> Sim:
    models = {m["model"]["name"]: m for m in (PROTHERO, CROSSING, ROBERTSON, DRIVEN)}
    return dynlib.setup(models[model], stepper=stepper, jit=jit)


def same(one: Results, other: Results) -> None:
    assert (one.status, one.message) == (other.status, other.message)
    assert one.stats[:3] == other.stats[:3]
    assert one.stats.counters == other.stats.counters
    assert_array_equal(list(one.final.values()), list(other.final.values()))
    for event in one.events:
        assert_array_equal(one.events[event].t, other.events[event].t)


@pytest.mark.parametrize("name", NAMES)
def test_robertson_to_the_end(name: str) -> None:
    """At t = 1e11: Mazzia, Magherini, Test set for initial value problem solvers (2008)."""
    res = sim_of("robertson", name).run(T=1e11, rtol=1e-8, atol=[1e-14, 1e-18, 1e-10], record=False)
    wanted = (0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050)
    assert_allclose(list(res.final.values()), wanted, rtol=1e-5)
    assert res.stats.steps < 2500


@pytest.mark.parametrize("name", NAMES)
def test_error_follows_the_tolerance(name: str) -> None:
    """On a stiff problem; no step has the order that the method has without stiffness."""
    errors = []
    for tol in (1e-4, 1e-6, 1e-8):
        res = sim_of("prothero", name).run(T=3.0, rtol=tol, atol=tol, params={"k": 1e4})
        errors.append(abs(res["y"] - np.cos(res.t)).max() / tol)
        assert res.stats.steps < 1500  # an explicit method needs k*T/3 = 10000 of them
    assert max(errors) < 10


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("driven-vdp", "rodas4"),
        ("crossing", "rodas5p"),
        pytest.param("crossing", "rodas4", marks=pytest.mark.slow),
        pytest.param("driven-vdp", "rodas5p", marks=pytest.mark.slow),
    ],
)
def test_paths_have_the_same_bits(model: str, name: str) -> None:
    sim, how = sim_of(model, name), {"T": 3.0, "rtol": 1e-7, "atol": 1e-9}
    alone = sim.run(**how)
    same(sim.fastpath(**how), alone)
    key = next(iter(sim.params))
    values = sim.params[key] * np.linspace(0.5, 1.0, 4)
    for value, each in zip(values, sim.batch(**how, params={key: values}, lanes=16), strict=True):
        same(each, sim.run(**how, params={key: value}))
    plain = sim_of(model, name, jit=False).run(**how)
    assert plain.stats.counters == alone.stats.counters
    assert_allclose(list(plain.final.values()), list(alone.final.values()), rtol=1e-11)
    if model == "crossing":
        assert alone.events["down"].t == pytest.approx([np.pi / 2], abs=1e-6)
    sim.run(**how, max_steps=11, on_failure="return")
    assert_array_equal(list(sim.run(T=3.0, resume=True).final.values()), list(alone.final.values()))


@pytest.mark.parametrize("name", ["rodas4", pytest.param("rodas5p", marks=pytest.mark.slow)])
def test_paths_of_a_larger_system(name: str) -> None:
    """Single runs call functions for its linear systems, lanes have them in place."""
    sim, how = dynlib.setup(coupled(12), stepper=name), {"T": 0.2}
    alone = sim.run(**how)
    same(sim.fastpath(**how), alone)
    same(sim.batch(**how, ic={"x0": np.full(3, 1.0)}, lanes=16)[1], alone)
    plain = dynlib.setup(coupled(12), stepper=name, jit=False).run(**how)
    assert plain.stats.counters == alone.stats.counters
    assert_allclose(list(plain.final.values()), list(alone.final.values()), rtol=1e-11)


@pytest.mark.parametrize("name", ["rodas4", pytest.param("rodas5p", marks=pytest.mark.slow)])
def test_tangent_vectors(name: str) -> None:
    """The derivative of the flow; Lyapunov exponents whose sum is about the mean divergence."""
    sim, y, eps = sim_of("driven-vdp", name), np.array([2.0, 0.1]), 1e-5
    how: dict[str, Any] = {"rtol": 1e-10, "atol": 1e-12}
    _, found = sim.flow(y, 1.0, tangents=np.eye(2), **how)
    ends = sim.flow(y + eps * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]]), 1.0, **how)
    differences = np.array([(ends[0] - ends[1]), (ends[2] - ends[3])]).T / (2 * eps)
    assert_allclose(found, differences, rtol=1e-4, atol=1e-5)
    res = sim.run(T=20.0, rtol=1e-8, atol=1e-10, observers=[lyapunov_spectrum()])
    exponents = res.observers["lyapunov_spectrum"].exponents
    assert exponents.sum() == pytest.approx(-35.994, rel=6e-2)  # of the first steps some are lost


def test_single_precision() -> None:
    res = dynlib.setup(DRIVEN, stepper="rodas4", dtype="float32").run(T=2.0, rtol=1e-4, atol=1e-5)
    wanted = sim_of("driven-vdp", "rodas5p").run(T=2.0, rtol=1e-10, atol=1e-12)
    assert_allclose(list(res.final.values()), list(wanted.final.values()), rtol=3e-3, atol=1e-3)
