"""What a time series draws, seen through the recorder."""

import numpy as np
import pytest
from plot.made_results import made_result

from dynlib import plot
from dynlib.abi.status import Status
from dynlib.errors import OptionError, UnknownNameError
from dynlib.plot._recorder import RecordingAxes, RecordingFigure

STYLE = plot.Style()


def drawn(result, *names, **options):
    ax = RecordingAxes()
    assert plot.timeseries(result, *names, ax=ax, **options) is ax
    return ax


def test_each_state_is_a_labelled_line_of_its_own_colour(flow):
    lines = drawn(flow).named("plot")
    assert [line.options["label"] for line in lines] == ["x", "y", "z"]
    assert [line.options["color"] for line in lines] == [STYLE.color(i) for i in range(3)]
    for line, name in zip(lines, flow.names, strict=True):
        np.testing.assert_array_equal(line.args[0], flow.t)
        np.testing.assert_array_equal(line.args[1], flow[name])


def test_labels_come_from_the_result(flow):
    ax = drawn(flow, "z")
    assert ax.labels == {"x": "t", "y": "z", "title": "lorenz"}
    assert ax.named("legend") == []
    assert [call.args for call in ax.named("set_xlim")] == [(0.0, 4.0)]


def test_only_the_asked_variables_in_the_asked_order(spiking):
    lines = drawn(spiking, "w", "aux.energy").named("plot")
    assert [line.options["label"] for line in lines] == ["w", "energy"]


def test_a_map_is_drawn_as_points_over_its_iterations(orbit):
    ax = drawn(orbit)
    (points,) = ax.named("plot")
    assert points.options["linestyle"] == "none"
    assert points.options["marker"] == "o"
    assert ax.labels == {"x": "n", "y": "x", "title": "logistic"}


def test_a_state_called_n_does_not_share_its_name_with_the_axis():
    collatz = made_result("builtin://map/collatz", range(5), {"n": [6, 3, 10, 5, 16]})
    assert drawn(collatz).labels["x"] == "iteration"
    assert drawn(collatz).labels["y"] == "n"


def test_a_long_record_is_thinned_and_keeps_its_peak():
    n = 300_000
    y = np.sin(np.arange(n) / 50.0)
    y[123_457] = 7.0
    result = made_result("builtin://ode/expdecay", np.arange(n) / 100.0, {"x": y})
    (line,) = drawn(result).named("plot")
    assert line.args[1].size <= 4 * STYLE.detail
    assert line.args[1].max() == 7.0


def test_events_are_marked_on_request_only(spiking):
    assert drawn(spiking).named("vlines") == []
    (marks,) = drawn(spiking, events=True).named("vlines")
    np.testing.assert_array_equal(marks.args[0], [1.0, 2.05, 3.0])
    assert marks.options["label"] == "spike (3)"  # silence never fired
    (marks,) = drawn(spiking, events=["spike"]).named("vlines")
    assert drawn(spiking, events="silence").named("vlines") == []


def test_many_events_become_a_rug():
    from plot.conftest import SPIKING

    t = np.linspace(0.0, 100.0, 11)
    often = made_result(SPIKING, t, {"v": t}, events={"spike": np.linspace(0, 100, 500)})
    (rug,) = drawn(often, events=True).named("vlines")
    assert rug.args[1:] == (0.97, 1)


def test_variables_of_other_size_get_panels(flow):
    t = np.linspace(0, 1, 50)
    neuron = made_result("builtin://ode/morris-lecar", t, {"V": 100 * np.sin(t), "w": t})
    figure = RecordingFigure()
    top = plot.timeseries(neuron, ax=figure)
    assert [ax.labels.get("y") for ax in figure.axes] == ["V", "w"]
    assert top is figure.axes[0]
    assert top.labels["title"] == "morris-lecar"
    assert [ax.labels.get("x") for ax in figure.axes] == [None, "t"]
    shared = RecordingFigure()
    plot.timeseries(flow, ax=shared)
    assert len(shared.axes) == 1


def test_panels_on_request(flow):
    figure = RecordingFigure()
    plot.timeseries(flow, ax=figure, layout="panels")
    assert len(figure.axes) == 3
    with pytest.raises(OptionError, match="several panels do not fit into one Axes"):
        plot.timeseries(flow, ax=RecordingAxes(), layout="panels")


def test_a_constant_is_a_flat_line_not_its_rounding_errors():
    t = np.linspace(0, 1, 50)
    jitter = 2.0 + 1e-15 * np.arange(50)
    result = made_result("builtin://ode/harmonic", t, {"x": jitter, "v": t})
    figure = RecordingFigure()
    plot.timeseries(result, ax=figure, layout="panels")
    assert [call.args for call in figure.axes[0].named("set_ylim")] == [(1.0, 3.0)]
    assert figure.axes[1].named("set_ylim") == []


def test_many_states_are_an_image():
    t = np.linspace(0, 6, 20)
    names = [f"x{i}" for i in range(1, 9)]
    result = made_result(
        "builtin://ode/lorenz96", t, {n: np.sin(t + i) for i, n in enumerate(names)}
    )
    ax = drawn(result)
    (image,) = ax.named("pcolormesh")
    assert image.args[2].shape == (8, 20)
    np.testing.assert_array_equal(image.args[2][3], result["x4"])
    ((places, labels),) = [call.args for call in ax.named("set_yticks")]
    assert list(places) == list(range(8))
    assert list(labels) == names
    assert ax.labels["x"] == "t"


def test_rows_that_are_not_finite_do_not_spoil_the_rest():
    t = np.arange(5.0)
    blown = made_result("builtin://ode/harmonic", t, {"x": [0, 1, 2, np.inf, np.nan], "v": t})
    assert len(drawn(blown).named("plot")) == 2


@pytest.mark.parametrize("status", [Status.NAN_DETECTED, Status.DONE])
def test_only_the_flight_to_infinity_is_cut_off(status):
    x = np.concatenate([np.sin(np.arange(100.0)), 10.0 ** np.arange(0, 300, 20)])
    t = np.arange(x.size)
    escaped = made_result("builtin://ode/expdecay", t, {"x": x}, status=status)
    (line,) = drawn(escaped).named("plot")
    if status is Status.DONE:  # large numbers alone are no reason to hide them
        assert line.args[1].size == x.size
    else:
        assert line.args[1].tolist() == x[:101].tolist()


def test_one_row_is_a_point():
    single = made_result("builtin://ode/expdecay", [0.0], {"x": [1.0]})
    (point,) = drawn(single).named("plot")
    assert point.options["marker"] == "o"


def test_nothing_recorded_is_said_so():
    with pytest.raises(OptionError, match="nothing to draw: the run recorded no rows"):
        drawn(made_result("builtin://ode/expdecay", [], {"x": []}))


@pytest.mark.parametrize(
    ("names", "options", "error", "message"),
    [
        (("q",), {}, UnknownNameError, "unknown variable 'q'"),
        (("X",), {}, UnknownNameError, "Did you mean 'x'"),
        ((3,), {}, OptionError, "names of variables are texts"),
        ((), {"layout": "panel"}, OptionError, "Did you mean 'panels'"),
        ((), {"events": ["spik"]}, UnknownNameError, "unknown event 'spik'. The model has none"),
    ],
)
def test_wrong_arguments_are_letters(flow, names, options, error, message):
    with pytest.raises(error, match=message):
        drawn(flow, *names, **options)


def test_visuals_reach_their_artists(spiking):
    ax = drawn(
        spiking,
        "v",
        events=True,
        visuals={"line": {"lw": 3}, "events": {"color": "k"}, "legend": False, "title": False},
    )
    assert ax.named("plot")[0].options["linewidth"] == 3
    assert ax.named("vlines")[0].options["color"] == "k"
    assert ax.named("legend") == []
    assert "title" not in ax.labels
    assert drawn(spiking, visuals={"line": False}).artists == []
