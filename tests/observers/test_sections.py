"""Crossings, extrema, events and shares of time against answers that are known."""

from math import asin, isnan, pi

import numpy as np
import pytest
from scipy.optimize import brentq

from dynlib import setup
from dynlib.errors import ObserverError
from dynlib.observers import (
    EveryStep,
    Tail,
    extrema,
    first_passage,
    histogram,
    intervals,
    poincare,
    spikes,
    stroboscopic,
    time_in,
)

HARMONIC = "builtin://ode/harmonic"
LORENZ = "builtin://ode/lorenz"
# Local error of tsit5 at these tolerances, over 20 units of time.
TIGHT = {"rtol": 1e-12, "atol": 1e-12}
NEAR = 1e-10

SPIKER = """
[model]
type = "ode"
name = "spiker"
[states]
v = 0.0
n = 0.0
[equations.rhs]
v = "cos(t)"
n = "0"
[events.up]
cond = "v >= 0.5"
direction = "rising"
[events.up.action]
n = "n + 1"
"""


@pytest.fixture(scope="module")
def swing():
    """One cosine, watched by everything at once."""
    sim = setup(HARMONIC, stepper="tsit5")
    watch = [
        poincare("x", "either", record=["x", "v", "aux.energy"]),
        poincare("x - 2", name="beyond"),
        extrema("x^2 - x", "both"),
        intervals("x", 0.5, trace=EveryStep()),
        first_passage("x + 0.5"),
        first_passage("v > -2", name="already"),
        first_passage("x > 1.5", name="never"),
        time_in("x > 0.5"),
        histogram("x", 4, (-1, 1)),
        stroboscopic(0.7, 0.1),
    ]
    return sim.run(T=20.0, observers=watch, **TIGHT).observers


def test_crossings_are_as_accurate_as_steps(swing):
    o = swing["poincare"]
    k = np.arange(6)
    assert o.count == len(o.t) == 6
    assert o.t == pytest.approx(pi / 2 + k * pi, abs=NEAR)
    assert o["x"] == pytest.approx(np.zeros(6), abs=1e-14)  # Newton's method, to rounding
    assert o["v"] == pytest.approx(-((-1.0) ** k), abs=NEAR)
    assert o.v is not None
    assert o["aux.energy"] == pytest.approx(np.full(6, 0.5), abs=NEAR)
    assert o.first_time == o.t[0]
    assert o.last_time == o.t[-1]
    assert o.mean_return_time == pytest.approx(pi, abs=NEAR)
    now, following = o.return_map("v")
    assert np.array_equal(following, o["v"][1:])
    assert np.array_equal(now, o["v"][:-1])


def test_a_section_that_is_never_met_is_empty(swing):
    o = swing["beyond"]
    assert (o.count, len(o.t), o["x"].shape) == (0, 0, (0,))
    assert isnan(o.first_time)
    assert isnan(o.mean_return_time)
    assert "never met" in repr(o)


def test_extrema_are_where_the_rate_is_zero(swing):
    """``d/dt (x^2 - x) = x' (2x - 1)``: at the turning points of x, and where x is 1/2."""
    o = swing["extrema"]
    inner = np.arange(0, 20, pi)[1:]
    half = np.sort(
        np.concatenate([pi / 3 + 2 * pi * np.arange(4), 5 * pi / 3 + 2 * pi * np.arange(4)])
    )
    expected = np.sort(np.concatenate([inner, half[half < 20]]))
    assert o.t == pytest.approx(expected, abs=NEAR)
    assert o["kind"][0] == -1
    assert o.lowest == pytest.approx(-0.25, abs=NEAR)
    assert o.highest == pytest.approx(2.0, abs=NEAR)


def test_intervals_of_an_oscillation(swing):
    o = swing["intervals"]
    assert o.t == pytest.approx(5 * pi / 3 + 2 * pi * np.arange(3), abs=NEAR)
    assert o.count == 3
    assert o.period == o.mean_interval == pytest.approx(2 * pi, abs=NEAR)
    assert o.last_interval == pytest.approx(2 * pi, abs=NEAR)
    assert o.sd_interval == pytest.approx(0.0, abs=NEAR)
    assert o.cv_interval == pytest.approx(o.sd_interval / o.period)
    assert isnan(o["interval"][0])


def test_first_passages(swing):
    assert swing["first_passage"].time == pytest.approx(2 * pi / 3, abs=NEAR)
    assert swing["already"].time == 0.0
    assert isnan(swing["never"].time)


def test_shares_of_time(swing):
    inside = pi / 3 + 3 * 2 * pi / 3  # at the start half of the time around a maximum
    assert swing["time_in"].time == pytest.approx(inside, abs=1e-7)  # interpolant: O(h^5)
    o = swing["histogram"]
    assert o.counts.sum() + o.below + o.above == pytest.approx(20.0, rel=1e-12)
    assert np.array_equal(o.edges, [-1, -0.5, 0, 0.5, 1])
    # Each of six swings takes asin(1/2) from 0 to 1/2; then the seventh is on its way.
    passing = 6 * asin(0.5) + (20 - 6 * pi - pi / 3)
    assert o.counts[2] == pytest.approx(passing, abs=2e-3)  # O(h^2), h up to 0.05
    assert o.density.sum() * 0.5 == pytest.approx(1 - (o.below + o.above) / 20)


def test_flashes(swing):
    o = swing["stroboscopic"]
    times = 0.1 + 0.7 * np.arange(29)
    assert np.array_equal(o.t, times[times <= 20])
    assert o["x"] == pytest.approx(np.cos(o.t), abs=NEAR)
    assert o.missed == 0


@pytest.mark.parametrize("stepper", ["rk4", "ab3", "euler"])
def test_the_state_at_a_crossing_has_the_order_of_the_method(stepper):
    sim = setup(HARMONIC, stepper=stepper, jit=False)
    order = {"rk4": 4, "ab3": 3, "euler": 1}[stepper]
    errors = []
    for dt in (0.04, 0.02):
        o = sim.run(T=2.0, dt=dt, observers=[poincare("x", "falling")]).observers["poincare"]
        errors.append(abs(complex(o.first_time - pi / 2, o["v"][0] + 1)))
        assert abs(float(o["x"][0])) < 1e-14  # on the section, to rounding
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.35)


def test_a_crossing_is_a_step_of_the_method_itself():
    """With long steps, the interpolant is far from the method; the crossing is the method's."""
    dt = 0.5

    def step(u, h):
        def slope(w):
            return np.array([w[1], -w[0]])

        a = slope(u)
        b = slope(u + h / 2 * a)
        c = slope(u + h / 2 * b)
        return u + h / 6 * (a + 2 * b + 2 * c + slope(u + h * c))

    u = np.array([1.0, 0.0])
    for _ in range(3):
        u = step(u, dt)
    passed = brentq(lambda h: step(u, h)[0], 0.0, dt, xtol=1e-15, rtol=1e-15)
    sim = setup(HARMONIC, stepper="rk4", jit=False)
    o = sim.run(T=2.0, dt=dt, observers=[poincare("x", "falling")]).observers["poincare"]
    assert o.first_time == pytest.approx(3 * dt + passed, abs=2e-15)  # a rounding of the time
    assert o["v"][0] == pytest.approx(step(u, passed)[1], abs=2e-15)


def test_maxima_of_the_lorenz_system_make_a_cusp():
    """Lorenz (1963): each maximum of z decides the next; the map is steeper than 1 everywhere."""
    sim = setup(LORENZ, stepper="tsit5")
    o = sim.run(T=200.0, transient=10.0, rtol=1e-9, atol=1e-9, observers=[extrema("z")])
    now, following = o.observers["extrema"].return_map("z")
    order = np.argsort(now)
    now, following = now[order], following[order]
    top = np.argmax(following)
    assert np.all(np.diff(following[:top]) > -1e-3)  # rises to the cusp ...
    assert np.all(np.diff(following[top + 1 :]) < 1e-3)  # ... and falls: a thin curve
    assert len(now) > 250


def test_bounces_cut_steps_but_no_crossing_is_lost_or_seen_twice():
    """A dropped ball passes half its height on each way, at times known from free fall."""
    sim = setup("builtin://ode/bouncing-ball", stepper="rk4")
    h, v = sim.spec.states[:2]
    g, bounce = sim.params["g"], sim.params["e"]
    watch = [
        poincare(f"{h} - 0.5", "either"),
        extrema(h, "max"),
        poincare(v, "rising", name="jumps"),
    ]
    res = sim.run(T=1.2, dt=0.01, ic={h: 1.0, v: 0.0}, observers=watch)
    falls = (2 / g) ** 0.5
    down = (2 * 0.5 / g) ** 0.5
    up = bounce * g * falls
    root = (up**2 - 2 * g * 0.5) ** 0.5
    expected = [down, falls + (up - root) / g, falls + (up + root) / g]
    o = res.observers["poincare"]
    assert o.t[:3] == pytest.approx(expected, abs=1e-12)  # rk4 is exact on parabolas
    assert res.observers["extrema"].t[0] == pytest.approx(falls + up / g, abs=1e-12)
    assert res.observers["jumps"].count == 0  # at a bounce v jumps across 0, and does not pass it


def test_spikes_are_those_that_an_event_would_log():
    sim = setup(SPIKER, stepper="tsit5")
    res = sim.run(T=30.0, observers=[spikes("v", 0.5, trace=EveryStep())], **TIGHT)
    logged = res.events["up"].t
    assert res.observers["spikes"].t == pytest.approx(logged, abs=1e-9)  # interpolant of the event
    assert res.observers["spikes"].count == res.final["n"] == 5


@pytest.mark.parametrize(
    ("gap", "bursts", "each"), [(0.8, 0, np.nan), (1.6, 3, 8 / 3), (3.2, 1, 8)]
)
def test_bursts_at_known_times(gap, bursts, each):
    """Up at 1, 2, then 5, 6, 7 and 10, 11, 12."""
    sim = setup(HARMONIC, stepper="rk4", jit=False)
    watch = intervals("sin(2*pi*t) - (2 if t % 5 > 2.5 else 0)", burst_gap=gap, trace=EveryStep())
    o = sim.run(T=13.0 - 0.3, dt=0.05, observers=[watch]).observers["intervals"]
    assert o.t == pytest.approx([1, 2, 5, 6, 7, 10, 11, 12], abs=1e-12)
    assert o.bursts == bursts
    assert o.spikes_per_burst == pytest.approx(each, nan_ok=True)


def test_bursts():
    """A fast oscillation that a slow one lifts over zero now and then."""
    sim = setup(HARMONIC, stepper="rk4", jit=False)
    watch = intervals("1.5*sin(t) + sin(12*t)", burst_gap=0.9, trace=EveryStep())
    o = sim.run(T=15.0, dt=0.02, observers=[watch]).observers["intervals"]
    gaps = np.diff(o.t)
    trains = np.split(np.arange(len(o.t)), np.flatnonzero(gaps > 0.9) + 1)
    trains = [train for train in trains if len(train) > 1]
    assert o.count == len(o.t) > 5
    assert o.bursts == len(trains) > 1
    assert o.spikes_per_burst == pytest.approx(np.mean([len(train) for train in trains]))
    assert o.mean_interval == pytest.approx(gaps.mean(), rel=1e-12)
    assert o.sd_interval == pytest.approx(gaps.std(ddof=1), rel=1e-12)
    assert o["interval"][1:] == pytest.approx(gaps, rel=1e-12)


def test_a_passage_may_end_the_run():
    sim = setup(HARMONIC, stepper="rk4")
    watch = first_passage("x < 0.5", stop=True)
    res = sim.run(T=20.0, dt=0.05, observers=[watch])
    assert res.status.name == "EARLY_EXIT"
    assert res.observers["first_passage"].time == pytest.approx(pi / 3, abs=1e-6)
    assert res.t[-1] == pytest.approx(1.05)
    batch = sim.batch(ic={"x": np.linspace(0.6, 1.4, 40)}, T=20.0, dt=0.05, observers=[watch])
    times = batch.observers["first_passage"].time
    assert times == pytest.approx(np.arccos(0.5 / np.linspace(0.6, 1.4, 40)), abs=1e-6)


def test_flashes_follow_a_parameter(jit):
    sim = setup(HARMONIC, stepper="rk4", jit=jit)
    watch = stroboscopic("2*pi/omega", record="x")
    o = sim.run(T=7.0, dt=0.01, params={"omega": 2.0}, observers=[watch]).observers["stroboscopic"]
    assert o.t == pytest.approx([pi, 2 * pi], rel=1e-15)
    assert o["x"] == pytest.approx([1.0, 1.0], abs=1e-6)  # O(dt^4), omega = 2


def test_flashes_at_grid_points_are_the_states_there(jit):
    sim = setup(HARMONIC, stepper="rk4", jit=jit)
    res = sim.run(T=3.0, dt=0.1, observers=[stroboscopic(0.3)])
    o = res.observers["stroboscopic"]
    assert len(o.t) == 10
    assert np.array_equal(o["x"], res["x"][3::3])


def test_every_third_iterate(jit):
    sim = setup("builtin://map/henon", jit=jit)
    res = sim.run(
        N=20, observers=[stroboscopic(3, 1), time_in("x > 0"), histogram("x", 3, (-1, 1))]
    )
    o = res.observers["stroboscopic"]
    assert np.array_equal(o.t, np.arange(1, 21, 3))
    assert np.array_equal(o["y"], res["y"][1::3])
    x = res["x"][1:]
    assert res.observers["time_in"].fraction == (x > 0).mean()
    expected = np.histogram(x, 3, (-1, 1))[0]
    assert np.array_equal(res.observers["histogram"].counts, expected)


def test_flashes_that_come_too_fast_are_flagged():
    sim = setup(HARMONIC, stepper="rk4", jit=False)
    o = sim.run(T=1.0, dt=0.5, observers=[stroboscopic(0.01)]).observers["stroboscopic"]
    assert o.count + o.missed == 100
    assert "left out" in repr(o)


def test_a_batch_of_sections_is_labelled():
    sim = setup(LORENZ, stepper="rk4")
    res = sim.batch(
        params={"rho": np.array([10.0, 28.0])}, T=20.0, dt=0.01,
        observers=[poincare("z - 27", max_hits=500)],
    )  # fmt: skip
    o = res.observers["poincare"]
    assert o.count.shape == (2,)
    assert o.count[0] == 0
    assert o.count[1] > 20
    assert np.isnan(o["x"][0]).all()
    assert "met in 1 runs" in repr(o)
    assert len(res[1].observers["poincare"].t) == o.count[1]


def test_more_hits_than_room_end_the_run():
    sim = setup(HARMONIC, stepper="rk4", jit=False)
    res = sim.run(T=30.0, dt=0.1, observers=[poincare("x", max_hits=2)], on_failure="return")
    assert res.status.name == "TRACE_OVERFLOW"
    assert len(res.observers["poincare"].t) == 2


BAD = [
    (lambda: poincare("x", "risng"), "'risng'.*Did you mean 'rising'"),
    (lambda: poincare(3), "takes an expression"),
    (lambda: poincare("z - 27"), "unknown name 'z'"),
    (lambda: poincare("omega - 1"), "constant along the flow"),
    (lambda: poincare("x", record=[1]), "record must be names"),
    (lambda: poincare("x", record=["w"]), "unknown name 'w'"),
    (lambda: poincare("x", max_hits=0), "at least 1"),
    (lambda: poincare("x", max_hits=5, trace=Tail(3)), "give one of them"),
    (lambda: poincare("x", trace=EveryStep(3)), "rows of this trace are hits"),
    (lambda: extrema("x", "top"), "kind must be one of"),
    (lambda: extrema("t"), "constant rate"),
    (lambda: spikes("x", float("nan")), "threshold must be a finite number"),
    (lambda: spikes("x", 0.1, burst_gap=-1), "burst_gap must be a time above 0"),
    (lambda: intervals("x", "a"), "threshold must be a finite number, found 'a'"),
    (lambda: first_passage("x", stop=1), "stop must be True or False"),
    (lambda: first_passage("x == 1"), "no comparison"),
    (lambda: time_in("x"), "'x' is a number; a condition is needed"),
    (lambda: histogram("x", 0, (0, 1)), "bins must be a whole number"),
    (lambda: histogram("x", 5, (1, 1)), "low < high"),
    (lambda: histogram("x", 5, 3), "pair"),
    (lambda: stroboscopic(0), "period must be a time above 0"),
    (lambda: stroboscopic("x"), "changes during a run"),
]


@pytest.mark.parametrize(("make", "message"), BAD)
def test_bad_input_gets_a_message(make, message):
    sim = setup(HARMONIC, jit=False)
    with pytest.raises(Exception, match=f"(?s){message}") as caught:
        sim.run(T=0.1, observers=[make()])
    assert isinstance(caught.value, ValueError)


def test_maps_have_nothing_between_two_points():
    sim = setup("builtin://map/henon", jit=False)
    with pytest.raises(ObserverError, match=r"is a map.*stroboscopic"):
        sim.run(N=10, observers=[poincare("x")])


def test_iterates_are_counted_in_whole_numbers():
    sim = setup("builtin://map/henon", jit=False)
    with pytest.raises(ObserverError, match="counts iterates"):
        sim.run(N=10, observers=[stroboscopic(2.5)])
