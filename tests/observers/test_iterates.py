"""Events along the orbit of a map, against the orbit itself."""

import numpy as np
import pytest

from dynlib import setup
from dynlib.errors import ObserverError
from dynlib.observers import EveryStep, extrema, intervals, spikes

N = 1000


@pytest.fixture(scope="module")
def orbit():
    watch = [
        intervals("x", 0.2, "falling", trace=EveryStep()),
        spikes("x", 0.5),
        *(extrema("x", kind, name=kind) for kind in ("max", "min", "both")),
    ]
    return setup("builtin://map/henon", jit=False).run(N=N, observers=watch)


def test_crossings_are_counted_at_the_iterate_after(orbit):
    x, found = orbit["x"], orbit.observers["intervals"]
    times = np.flatnonzero((x[:-1] > 0.2) & (x[1:] <= 0.2)) + 1
    assert found.count == len(times)
    assert (found.first_time, found.last_time) == (times[0], times[-1])
    assert np.array_equal(found.t, times)
    assert np.array_equal(found["interval"][1:], np.diff(times))
    assert found.mean_interval == pytest.approx(np.diff(times).mean(), rel=1e-12)  # rounding
    assert found.sd_interval == pytest.approx(np.diff(times).std(ddof=1), rel=1e-12)


def test_spikes_are_upward_crossings(orbit):
    x = orbit["x"]
    assert orbit.observers["spikes"].count == ((x[:-1] < 0.5) & (x[1:] >= 0.5)).sum()


@pytest.mark.parametrize(("kind", "sign"), [("max", 1), ("min", -1)])
def test_extrema_are_iterates(orbit, kind, sign):
    x, found = sign * orbit["x"], orbit.observers[kind]
    places = np.flatnonzero((x[1:-1] > x[:-2]) & (x[1:-1] >= x[2:])) + 1
    assert np.array_equal(found.t, places)
    assert np.array_equal(found["x"], orbit["x"][places])
    assert found.lowest == orbit["x"][places].min()
    assert found.highest == orbit["x"][places].max()


def test_both_are_those_of_either_kind(orbit):
    found = orbit.observers["both"]
    for kind, sign in (("max", 1.0), ("min", -1.0)):
        assert np.array_equal(found.t[found["kind"] == sign], orbit.observers[kind].t)


def test_a_plateau_is_one_maximum_at_its_start():
    table = {
        "model": {"type": "map"},
        "states": {"x": 0.0},
        "equations": {"rhs": {"x": "min(x + 1, 3)"}},
    }
    found = setup(table, jit=False).run(N=10, observers=[extrema("x")]).observers["extrema"]
    assert found.t.tolist() == [3.0]


def test_what_never_changes_is_refused():
    sim = setup("builtin://map/henon", jit=False)
    for watch in (extrema("a"), intervals("a - b", 0.5)):
        with pytest.raises(ObserverError, match="constant along orbits"):
            sim.run(N=10, observers=[watch])
