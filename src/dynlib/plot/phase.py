"""States against each other, in two or three dimensions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlib.errors import OptionError
from dynlib.plot import _axes, _visuals
from dynlib.plot._looks import Looks, Visuals
from dynlib.plot._style import Style
from dynlib.plot._subject import Subject
from dynlib.plot._thin import Rows, thin_path, thin_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dynlib.runtime.results import Results

__all__ = ["phase"]

_ARTISTS = ("line", "points", "start", "end", "events", "legend", "title", "colorbar")
_ONE_LINE = 5_000  # rows up to which a path is a single line
_MOST_ROWS = 300_000  # rows of a path; more only make the same ink slower
_MOST_INK = 10_000  # length of a path, in widths of the picture
_ROUND = 1.35  # variables whose ranges differ by less than this get the same scale
_COLORS = 400  # pieces of different colour along a path


def phase(
    result: Results,
    *names: str,
    ax: Any = None,
    color_by: str | None = None,
    events: bool | Iterable[str] = False,
    style: Style | None = None,
    visuals: Visuals | None = None,
) -> Axes:
    """Draw two or three recorded variables against each other: flows as lines, maps as points.

    Parameters
    ----------
    result : Results
    *names : str
        Two or three variables; none means the first two.
    ax : Axes, Figure, SubFigure or None
        Where to draw; three variables need 3-D axes. None makes a new figure.
    color_by : str or None
        ``"t"`` (in maps ``"n"``) or a recorded variable, whose value gives the colour.
    events : bool or iterable of str
        True marks where events fired, names mark some of them.
    style, visuals : Style, dict, optional
        Colours and sizes; Matplotlib keywords, or False, for ``line``, ``points``, ``events``,
        ``legend``, ``title``, ``colorbar``; ``start`` and ``end``, if given, mark the ends.

    Returns
    -------
    Axes
        3-D axes for three variables.

    Raises
    ------
    UnknownNameError
        If a variable or event has no such name, or was not recorded.
    OptionError
        If there are not two or three variables, or nothing was recorded.

    Examples
    --------
    >>> from dynlib import plot, setup
    >>> res = setup("builtin://ode/lorenz", jit=False).run(T=1.0)
    >>> ax = plot.phase(res, "x", "z")
    >>> plot.phase(res, "x", "y", "z", color_by="t").get_zlabel()
    'z'
    """
    subject = Subject(result)
    chosen = _choose(subject, names)
    columns = tuple(subject.values(name) for name in chosen)
    looks = Looks(visuals, _ARTISTS)
    scene = _Scene(subject, chosen, columns, style or Style(), looks, color_by)
    marks = subject.events(events)
    with _axes.dressed(ax, scene.style):
        axes: Axes = _make_axes(ax, scene)
        _draw_orbit(axes, scene)
        _draw_ends(axes, scene)
        _draw_events(axes, scene, marks)
        _draw_labels(axes, scene)
    return axes


@dataclass(frozen=True)
class _Scene:
    subject: Subject
    names: tuple[str, ...]
    columns: tuple[NDArray[np.float64], ...]
    style: Style
    looks: Looks
    color_by: str | None


def _choose(subject: Subject, names: tuple[str, ...]) -> tuple[str, ...]:
    known = subject.choose(())
    if not names and len(known) < 2:
        hint = " For a map of one state there is res.plot.cobweb()." if subject.is_map else ""
        raise OptionError(
            f"a phase portrait needs two variables, but only {known[0]!r} was recorded.{hint}"
        )
    chosen = subject.choose(names or known[:2])
    if len(chosen) not in (2, 3):
        raise OptionError(
            f"a phase portrait has two or three variables, not {len(chosen)}: {', '.join(chosen)}"
        )
    return chosen


def _make_axes(target: Any, scene: _Scene) -> Any:
    """Return the caller's axes as they are, or new ones that suit the variables."""
    solid = len(scene.names) == 3
    size = (6.4, 5.6) if solid else (5.6, 4.8)
    ax = _axes.new_axes(target, scene.style, size, "3d" if solid else None)
    if ax is target:
        return ax
    if solid:
        _axes.tidy_3d(ax, scene.style)
    elif _alike(scene.columns):
        ax.set_aspect("equal")  # circles are round
        _axes.few_ticks(ax)  # in a frame that may be narrow
    return ax


def _alike(columns: tuple[NDArray[np.float64], ...]) -> bool:
    """Return whether the ranges of the variables are nearly the same."""
    finite = [each[np.isfinite(each)] for each in columns]
    spans = [float(np.ptp(each)) for each in finite if each.size]
    return len(spans) == len(columns) and 0 < max(spans) <= _ROUND * min(spans)


# --- parts --------------------------------------------------------------------------------------


def _draw_orbit(ax: Any, scene: _Scene) -> None:
    rows = scene.columns[0].size
    if scene.subject.is_map or rows == 1:
        _draw_points(ax, scene)
    elif scene.color_by is not None:
        _draw_gradient(ax, scene)
    else:
        _draw_line(ax, scene)


def _draw_line(ax: Any, scene: _Scene) -> None:
    rows = scene.columns[0].size
    look = scene.looks("line", color=scene.style.color(0), linewidth=scene.style.width(rows))
    if look is None:
        return
    if rows <= _ONE_LINE:
        _visuals.line(ax, scene.columns, **look)
        return
    pieces = thin_path(scene.columns, _affordable(scene.columns))
    _visuals.path(ax, _take(scene.columns, pieces), **look)


def _draw_gradient(ax: Any, scene: _Scene) -> None:
    rows = scene.columns[0].size
    values = scene.subject.values(str(scene.color_by))
    look = scene.looks(
        "line",
        cmap=_visuals.colormap(scene.style.colormap),
        linewidth=scene.style.width(rows),
    )
    if look is None:
        return
    length = max(1, min(2000, -(-rows // _COLORS)))
    pieces = thin_path(scene.columns, _affordable(scene.columns), length)
    colors = np.array([np.mean(values[piece]) for piece in pieces])
    artist = _visuals.path(ax, _take(scene.columns, pieces), colors, **look)
    _draw_colorbar(ax, scene, artist)


def _affordable(columns: tuple[NDArray[np.float64], ...]) -> int:
    """Return how many rows of a path are drawn in a second or two: fewer if strokes are long."""
    finite = np.logical_and.reduce([np.isfinite(each) for each in columns])
    shares = [np.diff(each[finite]) / (np.ptp(each[finite]) or 1.0) for each in columns]
    length = float(np.sqrt(sum(share**2 for share in shares)).sum())
    return int(min(_MOST_ROWS, columns[0].size * _MOST_INK / max(length, 1.0)))


def _draw_points(ax: Any, scene: _Scene) -> None:
    rows = thin_points(scene.columns, scene.style.detail // (2 if len(scene.columns) == 2 else 16))
    columns = [each[rows] for each in scene.columns]
    size = scene.style.size_of_marker(scene.columns[0].size)
    if scene.color_by is None:
        look = scene.looks("points", color=scene.style.color(0), markersize=size)
        if look is not None:
            _visuals.points(ax, columns, **look)
        return
    values = scene.subject.values(scene.color_by)[rows]
    look = scene.looks("points", cmap=_visuals.colormap(scene.style.colormap), s=size**2)
    if look is not None:
        _draw_colorbar(ax, scene, _visuals.colored_points(ax, columns, values, **look))


def _draw_colorbar(ax: Any, scene: _Scene, artist: Any) -> None:
    look = scene.looks("colorbar")
    if look is not None:
        _visuals.colorbar(ax, artist, look.pop("label", str(scene.color_by)), **look)


def _draw_ends(ax: Any, scene: _Scene) -> None:
    for name, row, face in (("start", 0, "white"), ("end", -1, scene.style.ink)):
        if not scene.looks.wants(name):
            continue
        look = scene.looks(
            name,
            markersize=5.5,
            markerfacecolor=face,
            markeredgecolor=scene.style.ink,
            markeredgewidth=1.1,
            label=name,
            zorder=5,
        )
        finite = np.flatnonzero(np.logical_and.reduce([np.isfinite(c) for c in scene.columns]))
        if look is not None and finite.size:
            _visuals.points(ax, [each[finite[[row]]] for each in scene.columns], **look)


def _draw_events(ax: Any, scene: _Scene, marks: dict[str, NDArray[np.float64]]) -> None:
    for index, (name, times) in enumerate(marks.items()):
        look = scene.looks(
            "events",
            color=scene.style.color(index + 1),
            markersize=4.0,
            label=f"{name} ({times.size})",
            zorder=4,
        )
        if look is not None:
            rows = _rows_at(scene.subject, times)
            _visuals.points(ax, [each[rows] for each in scene.columns], **look)


def _rows_at(subject: Subject, times: NDArray[np.float64]) -> Rows:
    """Return the rows that show where events fired.

    For a flow the last row before each of them: its action may have thrown the state far away.
    """
    rows = np.searchsorted(subject.t, times, side="right" if subject.is_map else "left") - 1
    return np.clip(rows, 0, subject.t.size - 1).astype(np.intp)


def _draw_labels(ax: Any, scene: _Scene) -> None:
    for axis, name in zip("xyz", scene.names, strict=False):
        getattr(ax, f"set_{axis}label")(name)
    handles, labels = ax.get_legend_handles_labels()
    look = scene.looks("legend", ncols=4)
    if look is not None and labels:
        _visuals.legend(ax, **({"handles": handles, "labels": labels} | look))
    title = scene.looks("title")
    if title is not None:
        _visuals.title(ax, scene.subject.title, **title)


def _take(
    columns: tuple[NDArray[np.float64], ...], pieces: list[Rows]
) -> list[list[NDArray[np.float64]]]:
    return [[each[piece] for each in columns] for piece in pieces]
