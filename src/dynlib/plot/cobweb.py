"""The cobweb of a one-dimensional map: how an orbit bounces between graph and diagonal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlib.errors import OptionError
from dynlib.plot import _axes, _visuals
from dynlib.plot._looks import Looks, Visuals
from dynlib.plot._style import Style
from dynlib.plot._subject import Subject

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dynlib.runtime.results import Results

__all__ = ["cobweb"]

_ARTISTS = ("graph", "diagonal", "line", "start", "legend", "title")
_GRAPH_POINTS = 800
_MOST_INTEGERS = 300


def cobweb(
    result: Results,
    *,
    ax: Any = None,
    steps: int | None = 300,
    style: Style | None = None,
    visuals: Visuals | None = None,
) -> Axes:
    """Draw the cobweb of a map of one state.

    Parameters
    ----------
    result : Results
        A run of a map of one state, with every iteration recorded.
    ax : Axes, Figure, SubFigure or None
        Where to draw; None makes a new figure.
    steps : int or None
        How many iterations are drawn, from the first recorded one on; None draws all.
    style : Style or None
        Colours and sizes.
    visuals : dict or None
        Matplotlib keywords, or False, for ``graph``, ``diagonal``, ``line``, ``start``,
        ``legend``, ``title``.

    Returns
    -------
    Axes

    Raises
    ------
    OptionError
        If the model is no map of one state, or not every iteration was recorded.

    Notes
    -----
    The graph of the map is left out where there is none: if the next value depends on the
    iteration or on earlier values too.

    Examples
    --------
    >>> from dynlib import plot, setup
    >>> res = setup("builtin://map/logistic", jit=False).run(N=50)
    >>> plot.cobweb(res).get_ylabel()
    'x[n+1]'
    """
    scene = _Scene(*_orbit(Subject(result), steps), style or Style(), Looks(visuals, _ARTISTS))
    with _axes.dressed(ax, scene.style):
        axes: Axes = _axes.new_axes(ax, scene.style, (5.2, 5.2))
        low, high = _window(scene.x)
        if scene.subject.is_integer:
            _draw_integer_graph(axes, scene)
        else:
            _draw_graph(axes, scene, low, high)
        _draw_web(axes, scene, low, high)
        _draw_frame(axes, scene, low, high)
    return axes


@dataclass(frozen=True)
class _Scene:
    subject: Subject
    x: NDArray[np.float64]
    style: Style
    looks: Looks


def _orbit(subject: Subject, steps: int | None) -> tuple[Subject, NDArray[np.float64]]:
    """Return the subject and its orbit, or say why there is no cobweb of it."""
    states = subject.states
    if not subject.is_map or len(states) != 1:
        what = "a flow" if not subject.is_map else f"a map of {len(states)} states"
        raise OptionError(
            f"a cobweb needs a map of one state; {subject.title!r} is {what} "
            f"({', '.join(states[:8])}). res.plot.phase() draws states against each other."
        )
    if steps is not None and steps < 1:
        raise OptionError(f"steps={steps!r} must be at least 1, or None for all")
    x = subject.values(states[0])
    if np.any(np.diff(subject.t) != 1):
        raise OptionError(
            "a cobweb needs every iteration, but this run recorded only some. "
            "Run it with record_interval=1."
        )
    x = x[: None if steps is None else steps + 1]
    return subject, x[np.isfinite(x)]


def _window(x: NDArray[np.float64]) -> tuple[float, float]:
    if not x.size:
        return 0.0, 1.0
    low, high = float(x.min()), float(x.max())
    room = 0.06 * (high - low) or 0.5 * abs(low) or 1.0
    return low - room, high + room


# --- parts --------------------------------------------------------------------------------------


def _draw_graph(ax: Any, scene: _Scene, low: float, high: float) -> None:
    look = scene.looks("graph", color=scene.style.color(0), linewidth=1.9, zorder=3)
    name = scene.subject.states[0]
    at = np.linspace(low, high, _GRAPH_POINTS)
    image = scene.subject.image_of(at)
    if look is None or image is None:
        return
    # A jump of the map is a gap in its graph, not a wall.
    step = np.abs(np.diff(image, append=image[-1]))
    image = np.where(step > 0.2 * (high - low), np.nan, image)
    _visuals.line(ax, (at, image), **({"label": f"next {name}"} | look))


def _draw_integer_graph(ax: Any, scene: _Scene) -> None:
    if scene.x.size < 2:
        return
    look = scene.looks("graph", color=scene.style.color(0), markersize=3.5, zorder=3)
    if look is not None:
        label = {"label": f"next {scene.subject.states[0]}"}
        _visuals.points(ax, (scene.x[:-1], scene.x[1:]), **(label | look))


def _draw_web(ax: Any, scene: _Scene, low: float, high: float) -> None:
    diagonal = scene.looks("diagonal", color=scene.style.edge, linewidth=1.0, zorder=1)
    if diagonal is not None:
        ends = np.array([low, high])
        _visuals.line(ax, (ends, ends), **diagonal)
    if scene.x.size < 2:
        return
    rows = scene.x.size
    look = scene.looks(
        "line",
        color=scene.style.color(1),
        linewidth=scene.style.width(20 * rows, thick=1.1, thin=0.5),
        label="orbit",
        zorder=2,
    )
    if look is not None:
        corners = np.repeat(scene.x, 2)
        _visuals.line(ax, (corners[:-1], np.append(low, corners[2:])), **look)
    start = scene.looks("start", color=scene.style.color(1), markersize=5.5, zorder=4)
    if start is not None:
        _visuals.points(ax, (scene.x[:1], np.array([low])), **({"clip_on": False} | start))


def _draw_frame(ax: Any, scene: _Scene, low: float, high: float) -> None:
    name = scene.subject.states[0]
    ax.set_xlim(low, high)
    ax.set_ylim(low, high)
    ax.set_aspect("equal")
    ax.set_xlabel(f"{name}[{scene.subject.index}]")
    ax.set_ylabel(f"{name}[{scene.subject.index}+1]")
    legend = scene.looks("legend", ncols=2)
    if legend is not None:
        _visuals.legend(ax, **legend)
    title = scene.looks("title")
    if title is not None:
        _visuals.title(ax, scene.subject.title, **title)
