"""Pictures as Matplotlib draws them: not empty, labelled, quick, and without side effects."""

import io
import subprocess
import sys
from time import process_time

import numpy as np
import pytest
from plot.made_results import made_result

from dynlib import plot
from dynlib.errors import OptionError

matplotlib = pytest.importorskip("matplotlib")


def pixels(figure, dpi=50):
    """Draw the figure; return its pixels, shape (height, width, 3)."""
    stream = io.BytesIO()
    figure.savefig(stream, dpi=dpi, format="rgba")
    width, height = (round(inches * dpi) for inches in figure.get_size_inches())
    return np.frombuffer(stream.getvalue(), np.uint8).reshape(height, width, 4)[..., :3]


def has_color(figure, color):
    """Tell whether a good many pixels have about this colour."""
    wanted = np.array(matplotlib.colors.to_rgb(color)) * 255
    near = np.abs(pixels(figure, 100).astype(int) - wanted).max(axis=-1) < 30
    return near.sum() > 50


@pytest.mark.parametrize("index", range(3))
def test_every_variable_is_visible(flow, index):
    assert has_color(plot.timeseries(flow).figure, plot.Style().color(index))


def test_axes_and_legend_say_what_is_drawn(flow):
    ax = plot.timeseries(flow)
    assert ax.get_title("left") == "lorenz"
    assert ax.get_xlabel() == "t"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["x", "y", "z"]
    assert ax.get_xlim() == (0.0, 4.0)


def test_phase_portraits_are_drawn(flow, plane_map):
    assert has_color(plot.phase(flow, "x", "z").figure, plot.Style().color(0))
    assert has_color(plot.phase(plane_map).figure, plot.Style().color(0))


def test_a_solid_portrait_has_three_labels_and_shows_its_data(flow):
    ax = plot.phase(flow, "x", "y", "z", color_by="t")
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_zlabel()) == ("x", "y", "z")
    assert ax.get_title("left") == "lorenz"
    low, high = ax.get_zlim()
    assert low <= flow["z"].min() < flow["z"].max() <= high
    style = plot.Style()
    assert has_color(ax.figure, style.colormap[0])
    assert has_color(ax.figure, style.colormap[-1])


def test_a_cobweb_has_graph_and_web(orbit):
    figure = plot.cobweb(orbit).figure
    assert has_color(figure, plot.Style().color(0))
    assert has_color(figure, plot.Style().color(1))


def test_an_image_of_many_states_has_its_scale():
    t = np.linspace(0, 6, 50)
    names = [f"x{i}" for i in range(1, 9)]
    columns = {name: np.sin(t + i) for i, name in enumerate(names)}
    ax = plot.timeseries(made_result("builtin://ode/lorenz96", t, columns))
    assert [text.get_text() for text in ax.get_yticklabels()] == names
    assert len(ax.figure.axes) == 2
    assert has_color(ax.figure, plot.Style().colormap[0])


def test_no_text_leaves_the_page(flow, orbit):
    for figure in (plot.overview(flow), plot.overview(orbit), plot.phase(flow, "x", "z").figure):
        picture = pixels(figure)
        border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
        assert (border == 255).all()


def test_the_callers_axes_keep_their_own_look(flow):
    import matplotlib.pyplot as plt

    before = dict(matplotlib.rcParams)
    _, (left, right) = plt.subplots(1, 2)
    assert plot.timeseries(flow, ax=left) is left
    plot.phase(flow, "x", "y", ax=right)
    assert left.spines["top"].get_visible()
    assert right.get_aspect() == "auto"
    plot.timeseries(flow)
    assert dict(matplotlib.rcParams) == before


def test_an_own_style_is_used(flow):
    style = plot.Style(palette=("#00ff00",), size=(3, 2))
    figure = plot.timeseries(flow, style=style).figure
    assert tuple(figure.get_size_inches()) == (3, 2)
    assert has_color(figure, "#00ff00")


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_pictures_are_saved(flow, tmp_path, suffix):
    path = plot.save(plot.overview(flow), tmp_path / f"flow{suffix}")
    assert path.stat().st_size > 2000


def test_a_suffix_without_format_is_a_letter(flow, tmp_path):
    with pytest.raises(OptionError, match=r"no picture format has the suffix '.pgn'"):
        plot.save(plot.overview(flow), tmp_path / "flow.pgn")


def test_a_million_rows_are_quick():
    n = 1_000_000
    t = np.arange(n) / 100.0
    columns = {"x": np.sin(t * 1.3) * np.cos(t), "y": np.sin(t * 7.1), "z": np.cos(3.3 * t)}
    long = made_result("builtin://ode/lorenz", t, columns)
    begun = process_time()
    pixels(plot.timeseries(long).figure)
    pixels(plot.phase(long, "x", "z").figure)
    # Both take 1 s on one 2.1 GHz core, the plain lines 7 s, if they can be drawn at all.
    assert process_time() - begun < 5


def test_wild_strokes_do_not_exceed_the_renderer():
    # A single Matplotlib line of these rows is refused: "Exceeded cell block limit".
    x, v = np.random.default_rng(3).random((2, 400_000))
    wild = made_result("builtin://ode/harmonic", np.arange(400_000), {"x": x, "v": v})
    assert pixels(plot.timeseries(wild).figure, 150).min() < 255
    assert pixels(plot.phase(wild, "x", "v").figure, 150).min() < 255


def run_python(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_matplotlib_the_remedy_is_named():
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from dynlib.errors import DynlibError\n"
        "try:\n import dynlib.plot\nexcept DynlibError as error:\n print(error)"
    )
    assert 'pip install "dynlib[plot]"' in run_python(code)


def test_pyplot_is_not_imported_before_a_window_may_be_needed():
    code = "import sys, dynlib.plot; print('matplotlib.pyplot' in sys.modules)"
    assert run_python(code).strip() == "False"
