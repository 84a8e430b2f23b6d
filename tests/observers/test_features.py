"""Extremes, means and variances against hand-computed answers, on every path."""

from math import pi, sin

import numpy as np
import pytest

from dynlib import setup
from dynlib.errors import ObserverError, UnknownNameError
from dynlib.observers import features


def test_means_of_an_oscillation(jit):
    sim = setup("builtin://ode/harmonic", stepper="rk4", jit=jit)
    T = 1.005  # the last step is half as long as the others
    found = sim.run(T=T, dt=0.01, observers=[features(of=["x", "aux.energy"], q="t^2")])
    o = found.observers["features"]
    tolerance = 1e-10  # O(dt^4) of the step and of the corrected trapezoidal rule, dt = 1e-2
    assert o.mean["x"] == pytest.approx(sin(T) / T, abs=tolerance)
    variance = (0.5 * T + 0.25 * sin(2 * T)) / T - (sin(T) / T) ** 2
    assert o.variance["x"] == pytest.approx(variance, abs=tolerance)
    assert o.mean["q"] == pytest.approx(T * T / 3, rel=1e-14)  # exact for a parabola
    assert o.mean["energy"] == o["mean"]["aux.energy"] == pytest.approx(0.5, abs=tolerance)
    assert o.max["x"] == 1.0
    assert o.min["x"] == found["x"].min()
    assert o.max["q"] == found.t[-1] ** 2


def test_the_trapezoidal_rule_alone_would_not_do(jit):
    """Halving the step divides the error by 16."""
    sim = setup("builtin://ode/harmonic", stepper="rk4", jit=jit)

    def error(dt: float) -> float:
        o = sim.run(T=1.0, dt=dt, observers=[features("mean")]).observers["features"]
        return abs(o.mean["x"] - sin(1.0))

    assert error(0.05) / error(0.025) == pytest.approx(16, rel=0.1)


def test_means_over_adaptive_steps():
    sim = setup("builtin://ode/harmonic", stepper="tsit5")
    o = sim.run(T=2 * pi, rtol=1e-10, atol=1e-10, observers=[features("mean", "variance")])
    found = o.observers["features"]
    assert found.mean["x"] == pytest.approx(0.0, abs=1e-6)  # Hermite's rule: O(h^4), h up to 0.1
    assert found.variance["x"] == pytest.approx(0.5, abs=1e-6)


def test_means_have_the_order_of_the_method():
    """`dop853` is of order 8, its interpolant of order 7; the trapezoidal rule would be of 4."""
    sim = setup("builtin://ode/harmonic", stepper="dop853", jit=False)

    def error(h: float) -> float:
        steps = {"dt": h, "dt_max": h, "rtol": 0.1, "atol": 0.1}
        o = sim.run(T=2.0, observers=[features("mean")], **steps)
        return abs(o.observers["features"].mean["x"] - sin(2.0) / 2.0)

    order = np.log2(error(0.5) / error(0.25))
    assert order > 6.5


def test_moments_of_a_map_are_over_iterates(jit):
    sim = setup("builtin://map/henon", jit=jit)
    res = sim.run(N=200, observers=[features(s="x*y")])
    o = res.observers["features"]
    assert o.mean["x"] == pytest.approx(res["x"][1:].mean(), rel=1e-13)  # sums of 200 numbers
    s = res["x"] * res["y"]
    assert o.variance["s"] == pytest.approx(s[1:].var(), rel=1e-11)
    assert (o.min["s"], o.max["s"]) == (s.min(), s.max())


def test_a_bounce_counts_on_both_sides():
    """Velocities are averaged up to the bounce and from it on, and extremes are those of both."""
    sim = setup("builtin://ode/bouncing-ball", stepper="rk4")
    res = sim.run(T=3.0, dt=0.01, observers=[features()])
    o = res.observers["features"]
    height, speed = sim.spec.states[:2]
    rise = res[height][-1] - res[height][0]
    assert o.mean[speed] == pytest.approx(rise / 3.0, abs=1e-9)  # the fall is a parabola
    assert o.min[speed] <= res[speed].min()
    assert o.min[speed] == pytest.approx(-np.sqrt(2 * 9.81 * res[height][0]), rel=1e-3)


def test_continuing_a_run_changes_nothing(jit):
    sim = setup("builtin://ode/lorenz", stepper="rk4", jit=jit)
    watch = features()
    whole = sim.run(T=0.5, dt=0.01, observers=[watch]).observers["features"]
    sim.reset()
    sim.run(T=0.2, dt=0.01, observers=[watch])
    again = sim.run(T=0.5, dt=0.01, observers=[watch], resume=True).observers["features"]
    for kind in whole:
        assert whole[kind].array == pytest.approx(
            again[kind].array, rel=1e-13, nan_ok=True
        )  # t0 + k dt; too short for error bars


def test_in_a_batch_every_number_is_an_array():
    sim = setup("builtin://ode/lorenz", stepper="rk4")
    res = sim.batch(
        params={"rho": np.linspace(20, 30, 9)}, T=2.0, dt=0.01, observers=[features("max", E="x^2")]
    )
    o = res.observers["features"]
    assert o.max["E"].shape == (9,)
    assert res[3].observers["features"].max["z"] == o.max["z"][3]
    assert "z" in repr(o)


def test_what_is_no_number_is_not_passed_over():
    sim = setup("builtin://ode/harmonic", stepper="rk4")
    watch = features("max", root="sqrt(x)")
    o = sim.run(T=6.0, dt=0.01, observers=[watch]).observers["features"]
    assert np.isnan(o.max["root"])
    assert o.max["x"] == 1.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: features("maximum"), "'maximum'.*Did you mean 'max'"),
        (lambda: features("max", of=3), "of must be names"),
        (lambda: features(of=[]), "nothing to observe"),
        (lambda: features(of=["zz"]), "unknown name 'zz'.*known: x, v"),
        (lambda: features(E="x +"), "ends too early"),
        (lambda: features(E=[1]), r"an expression is a text such as .* found \[1\]"),
    ],
)
def test_what_cannot_be_observed_gets_a_message(make, message):
    sim = setup("builtin://ode/harmonic", jit=False)
    with pytest.raises(ObserverError, match=f"(?s){message}"):
        sim.run(T=0.1, observers=[make()])


def test_a_name_that_was_not_asked_for():
    sim = setup("builtin://ode/harmonic", jit=False)
    o = sim.run(T=0.1, observers=[features("max")]).observers["features"]
    with pytest.raises(UnknownNameError, match=r"max of 'xx'.*Did you mean 'x'"):
        o.max["xx"]
