"""Pictures of batches: every run lies where its values say."""

import numpy as np
import pytest
from fastpath.batches import sim_of

from dynlib import OptionError, UnknownNameError, grid, plot
from dynlib.errors import UnknownOptionError
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
