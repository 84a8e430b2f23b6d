"""States against time: in one frame, in panels, or, where they are many, as an image."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlib.errors import OptionError
from dynlib.plot import _axes, _visuals
from dynlib.plot._looks import Looks, Visuals
from dynlib.plot._style import Style
from dynlib.plot._subject import Subject
from dynlib.plot._thin import thin_line, thin_points
from dynlib.suggest import did_you_mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dynlib.runtime.results import Results

__all__ = ["MOST_SHARED", "timeseries"]

_ARTISTS = ("line", "points", "events", "legend", "title", "image", "colorbar")
MOST_SHARED = 6  # more lines than these cannot be told apart
_MOST_PANELS = 8
_ALIKE = 12.0  # ranges within this factor are readable in one frame
_MOST_ROWS_SHARED = 50_000  # lines of more rows hide one another
_MOST_EVENT_LINES = 60


def timeseries(
    result: Results,
    *names: str,
    ax: Any = None,
    layout: str = "auto",
    events: bool | Iterable[str] = False,
    style: Style | None = None,
    visuals: Visuals | None = None,
) -> Axes:
    """Draw recorded variables against time.

    Flows are lines, maps are points.  Long records are thinned for the eye; peaks stay.

    Parameters
    ----------
    result : Results
    *names : str
        Variables to draw; none means all that were recorded.
    ax : Axes, Figure, SubFigure or None
        Where to draw; None makes a new figure.
    layout : {"auto", "shared", "panels", "image"}
        One frame for all, a panel or a row of an image for each.  ``"auto"`` shares a frame
        between variables of similar size, and draws many variables as an image.
    events : bool or iterable of str
        True marks all events, names mark some.
    style, visuals : Style, dict, optional
        Colours and sizes; Matplotlib keywords, or False, for ``line``, ``points``, ``events``,
        ``legend``, ``title``, ``image``, ``colorbar``.

    Returns
    -------
    Axes
        With panels, the topmost; all of them are ``ax.figure.axes``.

    Raises
    ------
    UnknownNameError
        If a variable or event has no such name, or was not recorded.
    OptionError
        If nothing was recorded, or the layout does not fit ``ax``.

    Examples
    --------
    >>> from dynlib import plot, setup
    >>> res = setup("builtin://ode/bouncing-ball", jit=False).run(T=1.0)
    >>> ax = plot.timeseries(res, "x", events=True)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('t', 'x')
    """
    subject = Subject(result)
    chosen = subject.choose(names)
    columns = [subject.values(name) for name in chosen]
    looks = Looks(visuals, _ARTISTS)
    scene = _Scene(subject, chosen, columns, subject.events(events), style or Style(), looks)
    with _axes.dressed(ax, scene.style):
        axes: Axes = _layout(scene, ax, layout)(scene, ax)
    return axes


@dataclass(frozen=True)
class _Scene:
    subject: Subject
    names: tuple[str, ...]
    columns: list[NDArray[np.float64]]
    events: dict[str, NDArray[np.float64]]
    style: Style
    looks: Looks


def _layout(scene: _Scene, target: Any, asked: str) -> Callable[[_Scene, Any], Any]:
    """Return the function that draws the layout."""
    layouts = {"shared": _draw_shared, "panels": _draw_panels, "image": _draw_image}
    if asked == "auto":
        asked = _fitting_layout(scene, alone=_axes.is_axes(target))
    if asked not in layouts:
        known = ("auto", *layouts)
        raise OptionError(
            f"layout={asked!r} is unknown.{did_you_mean(str(asked), known)} "
            f"Known: {', '.join(known)}"
        )
    return layouts[asked]


def _fitting_layout(scene: _Scene, alone: bool) -> str:
    alike, many = _alike(scene.columns), len(scene.names)
    if many > (MOST_SHARED if alike else _MOST_PANELS):
        return "image"
    short = many == 1 or scene.subject.t.size <= _MOST_ROWS_SHARED
    return "shared" if alone or (short and alike) else "panels"


def _alike(columns: list[NDArray[np.float64]]) -> bool:
    """Return whether variables can be read in one frame: none would look like a straight line."""
    finite = [each[np.isfinite(each)] for each in columns]
    finite = [each for each in finite if each.size]
    if len(finite) < 2:
        return True
    spans = [float(np.ptp(each)) for each in finite]
    moving = [span for span in spans if span > 0] or [1.0]
    whole = max(float(each.max()) for each in finite) - min(float(each.min()) for each in finite)
    return whole <= _ALIKE * min(moving)


# --- layouts ------------------------------------------------------------------------------------


def _draw_shared(scene: _Scene, target: Any) -> Any:
    ax = _axes.new_axes(target, scene.style, (8.0, 3.6))
    for index in range(len(scene.names)):
        _draw_variable(ax, scene, index)
    _draw_events(ax, scene, label=True)
    ax.set_xlabel(scene.subject.time_name)
    if len(scene.names) == 1:
        ax.set_ylabel(scene.names[0])
    if ax is not target:
        _count_whole(ax, scene)
    if len(scene.names) + len(scene.events) > 1:
        _draw_legend(ax, scene)
    _finish(ax, scene)
    return ax


def _count_whole(ax: Any, scene: _Scene) -> None:
    """No ticks between two iterations."""
    if scene.subject.is_map:
        _axes.whole_ticks(ax.xaxis)


def _draw_panels(scene: _Scene, target: Any) -> Any:
    rows = len(scene.names)
    panels = _axes.stack(target, scene.style, rows, (8.0, 1.0 + 1.15 * rows))
    for index, ax in enumerate(panels):
        _draw_variable(ax, scene, index)
        _center_constant(ax, scene.columns[index])
        _draw_events(ax, scene, label=index == 0)
        ax.set_ylabel(scene.names[index])
    panels[-1].set_xlabel(scene.subject.time_name)
    _count_whole(panels[-1], scene)
    if scene.events:
        _draw_legend(panels[0], scene)
    _finish(panels[0], scene)
    return panels[0]


def _center_constant(ax: Any, y: NDArray[np.float64]) -> None:
    """Show a variable that does not move as a line, not its rounding errors as mountains."""
    finite = y[np.isfinite(y)]
    if finite.size and np.ptp(finite) <= 1e-9 * np.abs(finite).max():
        middle = float(finite[0])
        room = 0.5 * abs(middle) or 1.0
        ax.set_ylim(middle - room, middle + room)


def _draw_image(scene: _Scene, target: Any) -> Any:
    ax = _axes.new_axes(target, scene.style, (8.0, 4.2))
    rows = len(scene.names)
    alike = _alike(scene.columns)
    columns = [each if alike else _to_unit(each) for each in scene.columns]
    t, values = _resampled(scene.subject.t, np.vstack(columns), scene.style.detail)
    look = scene.looks("image", cmap=_visuals.colormap(scene.style.colormap))
    if look is not None:
        artist = _visuals.image(ax, _edges(t), np.arange(rows + 1.0) - 0.5, values, **look)
        bar = scene.looks("colorbar")
        if bar is not None:
            scale = "value" if alike else "share of own range"
            _visuals.colorbar(ax, artist, bar.pop("label", scale), **bar)
    ax.grid(False)
    ax.set_xlabel(scene.subject.time_name)
    every = -(-rows // 24)
    ax.set_yticks(range(0, rows, every), scene.names[::every])
    ax.invert_yaxis()
    _finish(ax, scene)
    return ax


# --- parts --------------------------------------------------------------------------------------


def _draw_variable(ax: Any, scene: _Scene, index: int) -> None:
    t, y, style = scene.subject.t, scene.columns[index], scene.style
    common = {"color": style.color(index), "label": scene.names[index]}
    if scene.subject.is_map or t.size == 1:
        rows = thin_points((t, y), style.detail // 2)
        look = scene.looks("points", markersize=style.size_of_marker(t.size), **common)
        if look is not None:
            _visuals.points(ax, (t[rows], y[rows]), **look)
        return
    rows = thin_line(t, y, style.detail)
    look = scene.looks("line", linewidth=style.width(t.size, thin=0.8), **common)
    if look is not None:
        _visuals.line(ax, (t[rows], y[rows]), **look)


def _draw_events(ax: Any, scene: _Scene, label: bool) -> None:
    """Draw few events as lines over the whole height, many as a rug at the top."""
    for index, (name, times) in enumerate(scene.events.items()):
        look = scene.looks(
            "events",
            color=scene.style.color(len(scene.names) + index),
            linewidth=0.9,
            label=f"{name} ({times.size})" if label else None,
        )
        if look is not None:
            few = times.size <= _MOST_EVENT_LINES
            (_visuals.event_lines if few else _visuals.event_rug)(
                ax, times, **({"alpha": 0.7, "linestyle": (0, (4, 2))} if few else {}) | look
            )


def _draw_legend(ax: Any, scene: _Scene) -> None:
    look = scene.looks("legend", ncols=min(_MOST_PANELS, len(scene.names) + len(scene.events)))
    if look is not None:
        _visuals.legend(ax, **look)


def _finish(ax: Any, scene: _Scene) -> None:
    look = scene.looks("title")
    if look is not None:
        _visuals.title(ax, scene.subject.title, **look)
    t = scene.subject.t
    if t.size > 1 and not scene.subject.is_map and t[0] != t[-1]:
        ax.set_xlim(t[0], t[-1])


def _to_unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    finite = values[np.isfinite(values)]
    low, span = (finite.min(), np.ptp(finite)) if finite.size else (0.0, 0.0)
    unit: NDArray[np.float64] = (values - low) / (span or 1.0)
    return unit


def _resampled(
    t: NDArray[np.float64], values: NDArray[np.float64], columns: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return at most so many columns, evenly chosen among the rows."""
    if t.size <= columns:
        return t, values
    rows = np.linspace(0, t.size - 1, columns).round().astype(np.intp)
    return t[rows], values[:, rows]


def _edges(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the borders of the columns of an image whose middles are given."""
    if t.size == 1:
        return np.array([t[0] - 0.5, t[0] + 0.5])
    middle = (t[1:] + t[:-1]) / 2
    return np.array([t[0], *middle, t[-1]])
