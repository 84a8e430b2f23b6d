"""What a phase portrait draws, seen through the recorder."""

import numpy as np
import pytest
from plot.conftest import SPIKING
from plot.made_results import made_result

from dynlib import plot
from dynlib.errors import OptionError, UnknownNameError
from dynlib.plot._recorder import RecordingAxes, RecordingFigure

STYLE = plot.Style()


def drawn(result, *names, projection=None, **options):
    ax = RecordingAxes(projection)
    assert plot.phase(result, *names, ax=ax, **options) is ax
    return ax


def vertices(call):
    """All points of a collection of paths."""
    (artist,) = call.args
    return np.concatenate([piece.vertices for piece in artist.get_paths()])


def long_flow(n):
    t = np.arange(n) / 100.0
    return made_result("builtin://ode/harmonic", t, {"x": np.sin(t), "v": np.cos(t)})


def test_a_flow_is_a_line_with_the_names_on_its_axes(flow):
    ax = drawn(flow, "x", "z")
    (line,) = ax.named("plot")
    np.testing.assert_array_equal(line.args, (flow["x"], flow["z"]))
    assert line.options["color"] == STYLE.color(0)
    assert ax.labels == {"x": "x", "y": "z", "title": "lorenz"}


def test_three_names_are_three_coordinates(flow):
    ax = drawn(flow, "x", "y", "z", projection="3d")
    (line,) = ax.named("plot")
    np.testing.assert_array_equal(line.args, (flow["x"], flow["y"], flow["z"]))
    assert ax.labels == {"x": "x", "y": "y", "z": "z", "title": "lorenz"}


def test_without_names_the_first_two(flow, plane_map):
    assert drawn(flow).labels["y"] == "y"
    assert drawn(plane_map).labels["x"] == "x"


def test_a_map_is_points(plane_map):
    (points,) = drawn(plane_map).named("plot")
    assert points.options["linestyle"] == "none"
    np.testing.assert_array_equal(points.args[0], plane_map["x"])


def test_a_long_path_comes_in_pieces_and_is_complete():
    result = long_flow(30_000)
    ax = drawn(result)
    (call,) = ax.named("add_collection")
    assert {tuple(row) for row in vertices(call)} == set(map(tuple, result["x", "v"]))
    (limits,) = ax.named("update_datalim")
    assert np.ptp(limits.args[0], axis=0) == pytest.approx([2, 2], rel=1e-3)


def test_a_very_long_path_keeps_its_extremes():
    n = 500_000
    x = np.sin(np.arange(n) / 70.0)
    x[432_101] = 9.0
    result = made_result("builtin://ode/harmonic", np.arange(n), {"x": x, "v": -x})
    (call,) = drawn(result).named("add_collection")
    points = vertices(call)
    assert len(points) <= 320_000
    assert points[:, 0].max() == 9.0
    assert points[:, 1].min() == -9.0


def test_color_by_time_and_by_a_variable(flow):
    ax = drawn(flow, "x", "z", color_by="t")
    ((artist,),) = [call.args for call in ax.named("add_collection")]
    values = artist.get_array()
    assert np.all(np.diff(values) > 0)
    assert 0 <= values.min() < values.max() <= 4
    assert len(ax.figure.named("colorbar")) == 1
    assert drawn(flow, "x", "z", color_by="y").named("plot") == []
    with pytest.raises(UnknownNameError, match="unknown variable 'T'"):
        drawn(flow, "x", "z", color_by="T")


def test_points_of_a_map_take_colours_too(plane_map):
    (points,) = drawn(plane_map, color_by="n").named("scatter")
    np.testing.assert_array_equal(points.options["c"], plane_map.t)


def test_events_lie_where_they_fired(spiking):
    ax = drawn(spiking, "v", "w", events=True)
    marks = ax.named("plot")[1]
    assert marks.options["label"] == "spike (3)"
    # w is t itself; the rows are 0.1 apart, and the last one before each event is marked
    np.testing.assert_allclose(marks.args[1], [0.9, 2.0, 2.9], rtol=0, atol=1e-12)


def test_events_of_a_map_lie_on_their_iteration():
    model = SPIKING.replace('"ode"', '"map"')
    result = made_result(model, range(5), {"v": range(5), "w": range(5)}, events={"spike": [3]})
    marks = drawn(result, events=True).named("plot")[1]
    assert marks.args[0].tolist() == [3.0]


def test_ends_are_marked_on_request(flow):
    start, end = drawn(flow, "x", "y", visuals={"start": True, "end": {"ms": 9}}).named("plot")[1:]
    assert (start.args[0][0], start.args[1][0]) == (flow["x"][0], flow["y"][0])
    assert (end.args[0][0], end.args[1][0]) == (flow["x"][-1], flow["y"][-1])
    assert end.options["markersize"] == 9


def test_variables_of_a_size_share_their_scale(flow):
    figure = RecordingFigure()
    plot.phase(flow, "x", "y", ax=figure)
    assert [call.args for call in figure.axes[0].named("set_aspect")] == [("equal",)]
    t = np.linspace(0, 7, 100)
    wide = made_result("builtin://ode/harmonic", t, {"x": 50 * np.sin(t), "v": np.cos(t)})
    plot.phase(wide, ax=figure)
    assert figure.axes[1].named("set_aspect") == []


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("x",), "two or three variables, not 1: x"),
        (("x", "y", "z", "x"), "two or three variables, not 4"),
    ],
)
def test_other_numbers_of_names_are_refused(flow, names, message):
    with pytest.raises(OptionError, match=message):
        drawn(flow, *names)


def test_a_map_of_one_state_is_sent_to_the_cobweb(orbit):
    with pytest.raises(OptionError, match=r"only 'x' was recorded.*res.plot.cobweb\(\)"):
        drawn(orbit)


def test_axes_must_have_as_many_coordinates(flow):
    with pytest.raises(OptionError, match="needs 3-D axes, these are 2-D"):
        drawn(flow, "x", "y", "z")
    with pytest.raises(OptionError, match="needs 2-D axes, these are 3-D"):
        drawn(flow, "x", "y", projection="3d")
    with pytest.raises(OptionError, match=r"ax must be Axes, a Figure.*found ndarray"):
        plot.phase(flow, "x", "y", ax=np.array([1]))
