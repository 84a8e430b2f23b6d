"""`sim.equations` against SymPy: all derivatives of all built-in flows, at random points."""

import math

import numpy as np
import pytest
import sympy
from dsl.sympy_models import names_of, read
from numpy.testing import assert_allclose

from dynlib import list_models, setup

FLOWS = [name for name in list_models() if name.startswith("ode/")]
ALONG = np.random.default_rng(5).integers(-7, 8, size=(3, 64)) / 8.0  # exact in SymPy too


def close(found: np.ndarray, expected: np.ndarray) -> None:
    """Equal but for the rounding of sums in another order, of terms that may cancel."""
    expected = np.asarray(expected, dtype=float)
    assert_allclose(found, expected, rtol=1e-10, atol=1e-12 * (1 + np.abs(expected).max()))


@pytest.mark.parametrize("name", FLOWS)
def test_derivatives_are_those_of_sympy(name: str) -> None:
    sim = setup(f"builtin://{name}", jit=False)
    spec, eq = sim.spec, sim.equations
    names = names_of(spec)
    states = [names[each] for each in spec.states]
    params = [names[each] for each in spec.params]
    rows = [read(spec.equations_text[each], names) for each in spec.states]
    n = len(states)

    def along(of: list[sympy.Expr], direction: np.ndarray) -> list[sympy.Expr]:
        terms = [sympy.Rational(x) for x in direction[:n]]
        return [
            sympy.Add(*(c * sympy.diff(row, s) for c, s in zip(terms, states, strict=True)))
            for row in of
        ]

    first = along(rows, ALONG[0])
    second = along(first, ALONG[1])
    third = along(second, ALONG[2])
    by_params = [[sympy.diff(row, p) for p in params] for row in rows]
    symbols = [*states, *params, names["t"]]
    expected = sympy.lambdify(
        symbols, [rows, first, second, third, by_params],
        modules=[{"Jump": math.floor, "DiracDelta": lambda *_: 0.0}, "scipy", "numpy"], cse=True,
    )  # fmt: skip
    u, v, w = ALONG[:, :n]
    random = np.random.default_rng(1)
    for _ in range(2):
        y = np.array(spec.state_values) + random.uniform(0, 0.5, n)
        p = np.array(spec.param_values) + random.uniform(0, 0.5, len(params))
        f, jvp, d2, d3, dp = expected(*y, *p, 0.7)
        close(eq.rhs(y, 0.7, p), f)
        close(eq.jvp(y, u, 0.7, p), jvp)
        close(eq.jacobian(y, 0.7, p) @ u, jvp)
        close(eq.second(y, u, v, 0.7, p), d2)
        close(eq.third(y, u, v, w, 0.7, p), d3)
        if params:
            close(eq.params_jacobian(y, t=0.7, params=p), dp)
