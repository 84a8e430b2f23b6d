"""The cobweb: its corners lie on the graph and on the diagonal."""

import numpy as np
import pytest
from plot.made_results import made_result

from dynlib import plot
from dynlib.errors import OptionError
from dynlib.plot._recorder import RecordingAxes

LAGGED = """
[model]
type = "map"
name = "lagged"
[states]
x = 0.5
[equations.rhs]
x = "1 - x*lag_x()"
"""


def drawn(result, **options):
    ax = RecordingAxes()
    assert plot.cobweb(result, ax=ax, **options) is ax
    return ax


def artist(ax, label):
    (call,) = [call for call in ax.named("plot") if call.options.get("label") == label]
    return np.array(call.args)


def test_corners_alternate_between_graph_and_diagonal(orbit):
    x, y = artist(drawn(orbit), "orbit")
    on_graph = slice(1, None, 2)
    on_diagonal = slice(2, None, 2)
    assert x[0] == orbit["x"][0]
    # the record is the orbit itself, so its corners satisfy the rule to rounding
    np.testing.assert_allclose(y[on_graph], 3.9 * x[on_graph] * (1 - x[on_graph]), rtol=1e-14)
    np.testing.assert_array_equal(x[on_diagonal], y[on_diagonal])
    np.testing.assert_array_equal(y[on_graph], orbit["x"][1:])


def test_every_stroke_is_upright_or_level(orbit):
    x, y = artist(drawn(orbit), "orbit")
    assert np.all((np.diff(x) == 0) | (np.diff(y) == 0))


def test_the_graph_is_that_of_the_map_at_the_parameters_of_the_run(orbit):
    x, y = artist(drawn(orbit), "next x")
    np.testing.assert_allclose(y, 3.9 * x * (1 - x), rtol=1e-12, atol=1e-15)


def test_steps_limits_the_orbit(orbit):
    x, _ = artist(drawn(orbit, steps=5), "orbit")
    assert x.size == 2 * 5 + 1
    whole, _ = artist(drawn(orbit, steps=None), "orbit")
    assert whole.size == 2 * 60 + 1
    with pytest.raises(OptionError, match="steps=0 must be at least 1"):
        drawn(orbit, steps=0)


def test_labels_and_window(orbit):
    ax = drawn(orbit)
    assert ax.labels == {"x": "x[n]", "y": "x[n+1]", "title": "logistic"}
    assert ax.named("set_xlim")[0].args == ax.named("set_ylim")[0].args
    assert ax.named("set_aspect")[0].args == ("equal",)


def test_a_jump_of_the_map_is_a_gap_of_its_graph():
    model = """
    [model]
    type = "map"
    [states]
    x = 0.1
    [equations.rhs]
    x = "(2*x) % 1"
    """
    doubling = made_result(model, range(4), {"x": [0.1, 0.2, 0.4, 0.8]})
    _, y = artist(drawn(doubling), "next x")
    assert np.isnan(y).any()
    assert np.nanmax(np.abs(np.diff(y))) < 0.1


def test_an_integer_map_has_points_for_a_graph():
    collatz = made_result("builtin://map/collatz", range(6), {"n": [6, 3, 10, 5, 16, 8]})
    ax = drawn(collatz)
    x, y = artist(ax, "next n")
    assert dict(zip(x, y, strict=True)) == {6: 3, 3: 10, 10: 5, 5: 16, 16: 8}
    assert ax.labels["x"] == "n[k]"


def test_no_graph_where_the_next_value_depends_on_more():
    lagged = made_result(LAGGED, range(3), {"x": [0.5, 0.75, 0.625]})
    labels = [call.options.get("label") for call in drawn(lagged).named("plot")]
    assert "orbit" in labels
    assert "next x" not in labels


def test_an_orbit_that_escapes_is_drawn_as_far_as_it_goes():
    blown = made_result("builtin://map/logistic", range(4), {"x": [2.0, -8.0, np.inf, np.nan]})
    x, _ = artist(drawn(blown), "orbit")
    assert np.isfinite(x).all()


def test_refusals_name_the_reason(flow, plane_map):
    with pytest.raises(OptionError, match=r"needs a map of one state; 'lorenz' is a flow"):
        drawn(flow)
    with pytest.raises(OptionError, match=r"'henon' is a map of 2 states \(x, y\)"):
        drawn(plane_map)
    sparse = made_result("builtin://map/logistic", [0, 10, 20], {"x": [0.1, 0.2, 0.3]})
    with pytest.raises(OptionError, match="record_interval=1"):
        drawn(sparse)
