"""What every observer finds is the same, to the last bit, on every path."""

import pytest
from observing import assert_same_everywhere, bits, compiled

from dynlib import setup
from dynlib.observers import (
    Tail,
    extrema,
    features,
    first_passage,
    histogram,
    intervals,
    poincare,
    stroboscopic,
    time_in,
)

_SLOW = pytest.mark.slow  # eight observers in four kernels take a while to compile
FLOWS = [
    pytest.param(
        "builtin://ode/lorenz", "rk4", {"T": 6.003, "dt": 0.01, "transient": 0.5}, marks=_SLOW
    ),
    pytest.param("builtin://ode/lorenz", "tsit5", {"T": 6.003, "transient": 0.5}, marks=_SLOW),
    pytest.param("builtin://ode/bouncing-ball", "rk4", {"T": 3.0, "dt": 0.01}, marks=_SLOW),
    ("builtin://ode/bouncing-ball", "tsit5", {"T": 3.0}),
]


def all_of(sim):
    """One of each kind, all attached at once."""
    x, v = sim.spec.states[:2]
    return [
        features(q=f"{x}^2 - t", E=f"sin({x})"),
        poincare(f"{v} + 1", "either", trace=Tail(7)),
        extrema(x, "both", max_hits=100),
        intervals(v, -0.5, burst_gap=0.9, trace=Tail(5)),
        first_passage(f"{x} < 0.5"),
        time_in(f"{x} > 1 or {v} > 2"),
        histogram(v, 9, (-5, 5)),
        stroboscopic(0.25, 0.01, record=[x, "t"], max_hits=100),
    ]


@pytest.mark.parametrize(("uri", "stepper", "span"), FLOWS)
def test_flows_are_seen_the_same_on_every_path(uri, stepper, span):
    sim = compiled(uri, stepper)
    assert_same_everywhere(sim, all_of(sim), span)


def test_maps_are_seen_the_same_on_every_path():
    sim = compiled("builtin://map/henon")
    watch = [
        features(E="sin(x)"), time_in("x > 0"), histogram("y", 9, (-0.2, 0.3)),
        stroboscopic(3, 1, trace=Tail(7)), first_passage("x > 1.2"),
        first_passage("y + 0.1", name="y"), extrema("x", "both", trace=Tail(7)),
        intervals("x", 0.5, burst_gap=2.5, trace=Tail(5)),
    ]  # fmt: skip
    assert_same_everywhere(sim, watch, {"N": 300, "transient": 10})


def test_observers_do_not_see_each_other():
    sim = setup("builtin://ode/lorenz", stepper="rk4", jit=False)
    span = {"T": 1.0, "dt": 0.02}
    together = sim.run(observers=all_of(sim), **span).observers
    for watch in all_of(sim):
        alone = sim.run(observers=[watch], **span).observers
        assert bits(alone[watch.label]) == bits(together[watch.label])


@pytest.mark.parametrize(("stepper", "options"), [("rk4", {"dt": 1 / 64}), ("tsit5", {})])
def test_a_run_in_two_parts_is_seen_as_one(stepper, options):
    sim = setup("builtin://ode/lorenz", stepper=stepper, jit=False)
    watch = all_of(sim)
    whole = sim.run(T=1.0, observers=watch, **options)
    sim.reset()
    half = options | {"max_steps": 20, "on_failure": "return"}
    assert sim.run(T=1.0, observers=watch, **half).status.name == "MAX_STEPS"
    parts = sim.run(T=1.0, observers=watch, resume=True, **options)
    assert dict(whole.final) == dict(parts.final)
    for each in watch:
        assert bits(whole.observers[each.label]) == bits(parts.observers[each.label])
