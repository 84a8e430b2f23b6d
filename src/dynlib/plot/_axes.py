"""Where pictures go: new figures, figures of the caller, axes of the caller; and files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from dynlib.errors import OptionError
from dynlib.plot._matplotlib import mpl
from dynlib.plot._style import Style

__all__ = [
    "OFFSCREEN",
    "dressed",
    "few_ticks",
    "is_axes",
    "new_axes",
    "new_figure",
    "save",
    "stack",
    "supported_suffixes",
    "tidy_3d",
    "whole_ticks",
]


# In the place of axes: a figure for a file, which no window or notebook ever shows.
OFFSCREEN = object()


def is_axes(target: Any) -> bool:
    """Tell axes of the caller from a figure, and from nothing.

    Raises
    ------
    OptionError
        If there is no drawing on it.
    """
    if target is None or target is OFFSCREEN or hasattr(target, "add_subplot"):
        return False
    if not hasattr(target, "add_collection"):
        raise OptionError(
            f"ax must be Axes, a Figure, a SubFigure or None, found {type(target).__name__}. "
            "Of an array of axes pass one, such as ax=axes[0]."
        )
    return True


@contextmanager
def dressed(target: Any, style: Style) -> Iterator[None]:
    """Work under the settings of the style, unless the axes are the caller's and have their own.

    Matplotlib's settings are left as they were.  An orbit that escapes is drawn as far as it goes:
    arithmetic with its last, enormous values warns of nothing.
    """
    settings = nullcontext() if is_axes(target) else mpl.rc_context(style.rc())
    with np.errstate(invalid="ignore", over="ignore"), settings:
        yield


def new_figure(target: Any, style: Style, size: tuple[float, float]) -> Any:
    """Return the caller's figure, or a new one.

    A new one is shown by a notebook and by ``pyplot.show()``; for a file (`OFFSCREEN`) it is not,
    and pyplot is not even imported.
    """
    if target is not None and target is not OFFSCREEN:
        return target
    settings: dict[str, Any] = {"figsize": style.size or size, "layout": "constrained"}
    if target is OFFSCREEN:
        return mpl.figure.Figure(**settings)
    import matplotlib.pyplot as plt

    return plt.figure(**settings)


def new_axes(
    target: Any, style: Style, size: tuple[float, float], projection: str | None = None
) -> Any:
    """Return axes to draw on.

    Parameters
    ----------
    target : Axes, Figure, SubFigure or None
        Axes are returned as they are, a figure gets new axes, None makes a new figure.
    style : Style
        Applied to axes that are made here.
    size : tuple of float
        Width and height of a new figure in inches.
    projection : str or None
        ``"3d"`` for three coordinates.

    Raises
    ------
    OptionError
        If axes have another number of coordinates than the picture.
    """
    if is_axes(target):
        if (target.name == "3d") != (projection == "3d"):
            needs, has = ("3-D", "2-D") if projection == "3d" else ("2-D", "3-D")
            make = "projection='3d'" if projection == "3d" else "no projection"
            raise OptionError(
                f"ax: this picture needs {needs} axes, these are {has}. "
                f"Make them with {make}, or pass ax=None"
            )
        return target
    figure = new_figure(target, style, size)
    return figure.add_subplot(projection=projection)


def stack(target: Any, style: Style, rows: int, size: tuple[float, float]) -> list[Any]:
    """Return axes one above the other that share their horizontal axis, the topmost first."""
    if is_axes(target):
        raise OptionError(
            "ax: several panels do not fit into one Axes; pass a Figure or SubFigure, or "
            "layout='shared'"
        )
    figure = new_figure(target, style, size)
    grid = figure.subplots(rows, 1, sharex=True, squeeze=False)
    for ax in grid[:, 0]:
        ax.yaxis.set_major_locator(mpl.ticker.MaxNLocator(4, steps=[1, 2, 5, 10]))
    figure.align_ylabels(list(grid[:, 0]))
    return list(grid[:, 0])


def whole_ticks(axis: Any) -> None:
    """Put ticks at whole numbers only."""
    axis.set_major_locator(mpl.ticker.MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))


def few_ticks(ax: Any) -> None:
    """Put few ticks, whose labels do not run into each other, on both axes."""
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(mpl.ticker.MaxNLocator(6, steps=[1, 2, 5, 10]))


def tidy_3d(ax: Any, style: Style) -> None:
    """Give 3-D axes a quiet frame, and a view from which attractors are seen from their side."""
    ax.view_init(elev=16, azim=-58)
    ax.set_box_aspect((1, 1, 0.82), zoom=1.06)
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_pane_color((0.975, 0.978, 0.982, 1.0))
        axis.line.set_color(style.edge)
        axis.line.set_linewidth(0.6)
        axis.set_major_locator(mpl.ticker.MaxNLocator(5))
        axis.labelpad = 2
    ax.tick_params(pad=0)


def supported_suffixes() -> tuple[str, ...]:
    """Return the file name suffixes that pictures can be saved under, such as ``".png"``."""
    from matplotlib.backend_bases import FigureCanvasBase

    return tuple(sorted(f".{each}" for each in FigureCanvasBase.get_supported_filetypes()))


def save(figure: Any, path: str | Path, *, dpi: float = 200) -> Path:
    """Write a figure to a file, in the format that its suffix names.

    Parameters
    ----------
    figure : Figure
        As in ``ax.figure``.
    path : str or Path
        ``.png``, ``.svg``, ``.pdf`` and what else Matplotlib knows.
    dpi : float
        Dots per inch, for formats that have dots.

    Raises
    ------
    OptionError
        For a suffix that Matplotlib does not know.

    Examples
    --------
    >>> from dynlib import plot, setup
    >>> res = setup("builtin://map/logistic", jit=False).run(N=50)
    >>> plot.save(plot.timeseries(res).figure, "orbit.pdf").suffix
    '.pdf'
    """
    path = Path(path)
    if path.suffix.lower() not in supported_suffixes():
        raise OptionError(
            f"{path}: no picture format has the suffix {path.suffix!r}. "
            f"Known: {', '.join(supported_suffixes())}"
        )
    figure.savefig(path, dpi=dpi)
    return path
