"""Pictures of batches: every run lies where its values say."""

import numpy as np
import pytest
from fastpath.batches import sim_of

from dynlib import OptionError, UnknownNameError, grid, plot
from dynlib.errors import UnknownOptionError
from dynlib.observers import features, first_passage
from dynlib.plans import FinalState, TailWindow
from dynlib.plot._recorder import RecordingAxes


def drawn(batch, *names, **options):
    ax = RecordingAxes()
    assert plot.sweep(batch, *names, ax=ax, **options) is ax
    return ax


def test_a_plane_shows_where_each_run_ends():
    batch = sim_of("driven").batch(grid(a=[0.1, 0.5, 0.2], w=[1.0, 2.0]), T=1.0, plan=FinalState())
    ax = drawn(batch, "v")
    (image,) = ax.named("pcolormesh")
    across, up, values = image.args
    np.testing.assert_allclose(across, [0.05, 0.15, 0.35, 0.65])
    np.testing.assert_allclose(up, [0.5, 1.5, 2.5])
    ends = batch.final["v"].reshape(3, 2)
    np.testing.assert_array_equal(values, ends[[0, 2, 1]].T)
    assert ax.named("set_xlabel")[0].args == ("a",)
    assert ax.named("set_ylabel")[0].args == ("w",)


def test_failed_runs_leave_a_gap():
    batch = sim_of("explosion").batch(grid(x=[0.1, 5.0]))
    ax = drawn(batch)
    (points,) = ax.named("plot")
    x, y = points.args
    assert set(np.unique(x)) <= {0.1, 5.0}
    assert np.isfinite(y[x == 0.1]).all()


def test_failed_runs_are_counted():
    (note,) = drawn(sim_of("explosion").batch(grid(x=[0.1, 5.0]))).named("text")
    assert note.args[2] == "1 of 2 runs failed"


def test_what_observers_found_is_drawn_over_a_plane():
    batch = sim_of("driven").batch(
        grid(a=[0.1, 0.5], w=[1.0, 2.0]),
        T=1.0,
        plan=FinalState(),
        observers=[features("max"), first_passage("x > 1e9")],
    )
    (image,) = drawn(batch, "features_max[v]").named("pcolormesh")
    highest = batch.observers["features"].max["v"].reshape(2, 2)
    np.testing.assert_array_equal(image.args[2], highest.T)
    ax = drawn(batch, "first_passage_time", visuals={"gaps": {"color": "red"}})
    (note,) = ax.named("text")
    assert note.args[2] == "grey: 4 of 4 runs without a value"
    assert note.options["color"] == "red"
    assert ax.named("set_facecolor")[0].args == (plot.Style().missing,)
    assert not drawn(batch, "first_passage_time", visuals={"gaps": False}).named("text")


def test_a_vector_of_an_observer_is_drawn_over_an_axis():
    batch = sim_of("driven").batch({}, {"a": [0.1, 0.5]}, T=1.0, observers=[features("max")])
    x, y = drawn(batch, "features_max").named("plot")[0].args
    np.testing.assert_array_equal(x, [0.1, 0.1, 0.5, 0.5])
    np.testing.assert_array_equal(y, batch.observers["features"].arrays["max"].ravel())
    with pytest.raises(UnknownNameError, match=r"'features_mx'. Did you mean 'features_max'"):
        drawn(batch, "features_mx")
    with pytest.raises(OptionError, match=r"features_max\[q\]: .* has the entries x, v"):
        drawn(batch, "features_max[q]")
    plane = sim_of("driven").batch(
        grid(a=[0.1, 0.5], w=[1, 2]), T=0.1, plan=FinalState(), observers=[features("max")]
    )
    with pytest.raises(OptionError, match=r"a plane shows one, such as 'features_max\[x\]'"):
        drawn(plane, "features_max")


def test_an_axis_shows_all_rows():
    values = np.linspace(2.8, 3.9, 12)
    batch = sim_of("logistic").batch(params={"r": values}, N=60, plan=TailWindow(8))
    (points,) = drawn(batch).named("plot")
    x, y = points.args
    np.testing.assert_array_equal(x, np.repeat(values, 8))
    np.testing.assert_array_equal(y, batch["x"].ravel())


def test_last_values_where_nothing_was_recorded():
    batch = sim_of("driven").batch(params={"a": [0.1, 0.2]}, T=1.0, record_vars=["x"])
    (points,) = drawn(batch, "v").named("plot")
    np.testing.assert_array_equal(points.args[1], batch.final["v"])


def test_by_the_batch_itself(tmp_path):
    batch = sim_of("driven").batch(grid(a=[0.1, 0.5], x=[0.0, 1.0]), T=0.5)
    ax = batch.plot("v", visuals={"title": False, "colorbar": {"label": "speed"}})
    assert ax.get_xlabel() == "a"
    assert plot.save(ax.figure, tmp_path / "plane.png").stat().st_size > 1000
    figure = plot.sweep_picture(batch)
    assert figure.axes[0].get_ylabel() == "x"
    assert "plot('x')" in repr(batch.plot)


def test_what_cannot_be_drawn():
    sim = sim_of("driven")
    with pytest.raises(OptionError, match=r"needs one or two values that differ .* found 0"):
        drawn(sim.batch(T=0.1))
    with pytest.raises(OptionError, match=r"needs one or two values that differ .* found 3"):
        drawn(sim.batch(grid(a=[0, 1], w=[1, 2], x=[0, 1]), T=0.1))
    with pytest.raises(OptionError, match=r"2 values differ .* \(a, x\).*dynlib.grid"):
        drawn(sim.batch({"x": [0, 1]}, {"a": [0, 1]}, T=0.1))
    with pytest.raises(OptionError, match=r"\(0 runs\)"):
        drawn(sim.batch({"x": []}, T=0.1))
    one = sim.batch({"x": [0, 1]}, T=0.1)
    with pytest.raises(UnknownNameError, match="unknown variable 'y'"):
        drawn(one, "y")
    with pytest.raises(UnknownOptionError, match="has no artist 'line'"):
        drawn(one, visuals={"line": {}})
