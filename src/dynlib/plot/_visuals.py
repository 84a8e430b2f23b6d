"""One function for each artist: what it draws, and nothing about when.

``ax`` is a Matplotlib axes or the recorder of the tests; keywords go to Matplotlib as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.plot._matplotlib import art3d, mpl

__all__ = [
    "colorbar",
    "colored_points",
    "colormap",
    "event_lines",
    "event_rug",
    "image",
    "legend",
    "line",
    "path",
    "points",
    "title",
]

Floats = NDArray[np.float64]
Columns = Sequence[Floats]


def line(ax: Any, columns: Columns, **look: Any) -> None:
    """Draw one line through points of two or three coordinates."""
    ax.plot(*columns, **({"solid_capstyle": "round", "solid_joinstyle": "round"} | look))


def points(ax: Any, columns: Columns, **look: Any) -> None:
    """Draw unconnected points of two or three coordinates."""
    ax.plot(*columns, **({"marker": "o", "linestyle": "none", "markeredgewidth": 0} | look))


def colored_points(ax: Any, columns: Columns, values: Floats, **look: Any) -> Any:
    """Draw points in the colours of their values; the artist is returned, for a colour bar."""
    return ax.scatter(*columns, c=values, **({"linewidths": 0} | look))


def path(ax: Any, pieces: Sequence[Columns], values: Floats | None = None, **look: Any) -> Any:
    """Draw a path that comes in pieces, each in the colour of its value if there are values.

    Matplotlib's renderer gives up on a single line of very many long strokes; on pieces it never
    does, and it draws them faster.  The artist is returned, for a colour bar.
    """
    segments = [np.column_stack(piece) for piece in pieces]
    look = {"capstyle": "round", "joinstyle": "round"} | look
    if ax.name == "3d":
        artist: Any = art3d.Line3DCollection(segments, **look)
    else:
        artist = mpl.collections.LineCollection(segments, **look)
    if values is not None:
        artist.set_array(values)
    ax.add_collection(artist, autolim=False)
    _include(ax, np.concatenate(segments))
    return artist


def _include(ax: Any, rows: Floats) -> None:
    """Widen the limits of the axes to hold all finite rows."""
    rows = rows[np.isfinite(rows).all(axis=1)]
    if ax.name == "3d":
        ax.auto_scale_xyz(*rows.T)
    else:
        ax.update_datalim(rows)
        ax.autoscale_view()


def image(ax: Any, t_edges: Floats, y_edges: Floats, values: Floats, **look: Any) -> Any:
    """Draw values (rows, columns) as colours between the given edges; return the artist."""
    return ax.pcolormesh(t_edges, y_edges, values, **({"rasterized": True} | look))


def event_lines(ax: Any, times: Floats, **look: Any) -> None:
    """Draw a line from the bottom to the top of the axes at each time."""
    ax.vlines(times, 0, 1, transform=ax.get_xaxis_transform(), **look)


def event_rug(ax: Any, times: Floats, **look: Any) -> None:
    """Draw a short tick at the top of the axes at each time."""
    ax.vlines(times, 0.97, 1, transform=ax.get_xaxis_transform(), **look)


def legend(ax: Any, **look: Any) -> None:
    """Draw the legend in a row above the axes, at the right, where it hides no data."""
    place = {"loc": "lower right", "bbox_to_anchor": (1.0, 1.0), "borderaxespad": 0.2}
    spacing = {"handlelength": 1.3, "handletextpad": 0.5, "columnspacing": 1.2}
    box = ax.legend(**(place | spacing | look))
    for handle in box.legend_handles:
        handle.set_alpha(1)


def title(ax: Any, text: str, **look: Any) -> None:
    """Write the title where the settings want it (3-D axes would not ask them)."""
    ax.set_title(**({"label": text, "loc": mpl.rcParams["axes.titlelocation"]} | look))


def colorbar(ax: Any, artist: Any, label: str, **look: Any) -> None:
    """Draw a slim scale of colours beside the axes."""
    solid = {"pad": 0.09, "shrink": 0.7} if ax.name == "3d" else {"pad": 0.02}
    bar = ax.figure.colorbar(artist, ax=ax, **({"fraction": 0.035} | solid | look))
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)
    bar.ax.grid(False)
    bar.set_label(label)


def colormap(colors: Sequence[str]) -> Any:
    """Return a smooth colour map through the given colours."""
    return mpl.colors.LinearSegmentedColormap.from_list("dynlib", list(colors))
