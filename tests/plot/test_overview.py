"""Which pictures stand side by side, the accessor of a result, and pictures for files."""

import numpy as np
import pytest
from plot.made_results import made_result

from dynlib import plot
from dynlib.errors import OptionError, UnknownOptionError
from dynlib.plot._recorder import RecordingFigure


def page(result):
    figure = RecordingFigure()
    plot.overview(result, figure=figure)
    return figure


def test_three_states_are_a_portrait_and_three_panels(flow):
    figure = page(flow)
    assert [ax.name for ax in figure.axes] == ["3d", *["rectilinear"] * 3]
    assert [ax.labels["y"] for ax in figure.axes] == ["y", "x", "y", "z"]
    (orbit,) = figure.axes[0].named("add_collection")
    assert orbit.args[0].get_array().size > 100  # coloured by time
    (heading,) = figure.named("suptitle")
    assert heading.args == ("lorenz",)
    (values,) = figure.named("text")
    assert values.args[2] == "sigma = 10, rho = 28, beta = 2.66667"
    assert all("title" not in ax.labels for ax in figure.axes)


def test_a_map_of_one_state_shows_its_cobweb(orbit):
    assert [ax.labels["x"] for ax in page(orbit).axes] == ["x[n]", "n"]


def test_a_single_flow_shows_its_series_only():
    t = np.linspace(0, 1, 9)
    decay = made_result("builtin://ode/expdecay", t, {"x": np.exp(-t)})
    assert [ax.labels["x"] for ax in page(decay).axes] == ["t"]


def test_a_sparse_orbit_has_no_cobweb():
    sparse = made_result("builtin://map/logistic", [0, 10, 20], {"x": [0.1, 0.2, 0.3]})
    assert len(page(sparse).axes) == 1


def test_many_parameters_are_cut_short():
    t = np.linspace(0, 1, 9)
    neuron = made_result("builtin://ode/morris-lecar", t, {"V": t, "w": t})
    (values,) = page(neuron).named("text")
    assert values.args[2].endswith(", …")
    assert values.args[2].count("=") == 6


def test_res_plot_is_the_same_picture(flow):
    figure = RecordingFigure()
    flow.plot("x", ax=figure)
    flow.plot.timeseries("x", ax=figure)
    flow.plot.phase("x", "z", ax=figure)
    assert [ax.labels["x"] for ax in figure.axes] == ["t", "t", "x"]
    assert "plot.phase" in repr(flow.plot)


def test_an_unknown_option_is_a_letter(flow):
    with pytest.raises(UnknownOptionError, match=r"no option 'vsuals'. Did you mean 'visuals'\?"):
        flow.plot(vsuals={})
    with pytest.raises(UnknownOptionError, match="visuals="):
        flow.plot.phase("x", "z", color="red")


@pytest.mark.parametrize("kind", plot.KINDS)
def test_a_picture_for_a_file_is_unknown_to_pyplot(kind, orbit, plane_map):
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    figure = plot.picture(plane_map if kind == "phase" else orbit, kind)
    assert figure.axes
    assert plt.get_fignums() == before


def test_kinds_are_checked(flow):
    with pytest.raises(OptionError, match="Did you mean 'phase'"):
        plot.picture(flow, "phas")


def test_names_choose_the_variables(flow):
    assert plot.picture(flow, "phase", ["y", "z"]).axes[0].get_xlabel() == "y"
    assert plot.picture(flow, "auto", ["y"]).axes[0].get_ylabel() == "y"
    solid = plot.picture(flow, "phase", ["x", "y", "z"])
    assert solid.axes[0].name == "3d"
