"""Where the runs of a batch end, over the values that they start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlib.errors import OptionError
from dynlib.plot import _axes, _visuals
from dynlib.plot._looks import Looks, Visuals
from dynlib.plot._style import Style
from dynlib.plot._thin import thin_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dynlib.runtime.batch.results import BatchResults

__all__ = ["BatchPlotter", "sweep", "sweep_picture"]

Floats = NDArray[np.float64]
_ARTISTS = ("image", "points", "title", "colorbar")


def sweep(
    batch: BatchResults,
    name: str | None = None,
    *,
    ax: Any = None,
    style: Style | None = None,
    visuals: Visuals | None = None,
) -> Axes:
    """Draw a variable of all runs over what differs between them.

    Over a grid of two axes its last value is drawn as colour.  Over one axis, or one value that
    differs from run to run, all recorded rows are drawn as points: an orbit diagram, if the plan
    was `TailWindow`.  Runs that failed leave a gap.

    Parameters
    ----------
    batch : BatchResults
        With one or two values that differ between the runs.
    name : str or None
        A state, or a recorded aux variable; None is the first that was recorded.
    ax : Axes, Figure, SubFigure or None
        Where to draw; None makes a new figure.
    style : Style or None
        Colours and sizes.
    visuals : dict or None
        For each artist (``image``, ``points``, ``title``, ``colorbar``) a dict of Matplotlib
        keywords, or False to leave it out.

    Returns
    -------
    Axes

    Raises
    ------
    OptionError
        If none or more than two values differ, or there are no runs.
    UnknownNameError
        If there is no such variable, or it was not recorded.

    Examples
    --------
    >>> plane = dynlib.grid(rho=np.linspace(0, 200, 500), sigma=np.linspace(5, 15, 300))
    ... # doctest: +SKIP
    >>> ax = plot.sweep(sim.batch(params=plane, plan=FinalState()), "z")     # doctest: +SKIP
    """
    axes_of_batch = _axes_of(batch)
    name = name or batch.names[0]
    scene = _Scene(batch, name, axes_of_batch, style or Style(), Looks(visuals, _ARTISTS))
    values = scene.last() if len(axes_of_batch) == 2 else scene.all()
    with _axes.dressed(ax, scene.style):
        axes: Axes = _axes.new_axes(ax, scene.style, (6.4, 4.8))
        if len(axes_of_batch) == 2:
            _draw_image(axes, scene, values)
        else:
            _draw_points(axes, scene, values)
        look = scene.looks("title", label=batch.model_name)
        if look is not None:
            _visuals.title(axes, look.pop("label"), **look)
    return axes


def sweep_picture(
    batch: BatchResults, name: str | None = None, *, style: Style | None = None
) -> Figure:
    """Return the picture of `sweep` as a figure for a file: no window shows it.

    Parameters
    ----------
    batch, name, style
        As in `sweep`.

    Returns
    -------
    Figure

    Raises
    ------
    OptionError, UnknownNameError
        As in `sweep`.

    Examples
    --------
    >>> plot.save(plot.sweep_picture(batch, "z"), "plane.png")               # doctest: +SKIP
    """
    ax = sweep(batch, name, ax=_axes.OFFSCREEN, style=style)
    figure: Figure = ax.figure  # type: ignore[assignment]
    return figure


class BatchPlotter:
    """The pictures of a batch: ``res.plot("x")``.

    Parameters
    ----------
    batch : BatchResults
    """

    def __init__(self, batch: BatchResults) -> None:
        self._batch = batch

    def __repr__(self) -> str:
        return "plot('x') over what differs between the runs; help(dynlib.plot.sweep) tells more"

    def __call__(self, name: str | None = None, **options: Any) -> Axes:
        """Draw a variable of all runs; see :func:`dynlib.plot.sweep`."""
        return sweep(self._batch, name, **options)


@dataclass(frozen=True)
class _Scene:
    batch: BatchResults
    name: str
    axes: dict[str, Floats]
    style: Style
    looks: Looks

    def last(self) -> Floats:
        """The last value of each run that is ok, shape of the grid."""
        batch, name = self.batch, self.name
        values = batch.final[name] if name in batch.final else batch[name][:, -1]
        shape = tuple(len(axis) for axis in self.axes.values())
        return np.where(batch.ok, values.astype(np.float64), np.nan).reshape(shape)

    def all(self) -> Floats:
        """All recorded values, shape (n_runs, rows); the last ones if nothing else is there."""
        batch, name = self.batch, self.name
        if name not in batch.names and name in batch.final:
            return self.last()[:, np.newaxis]
        values = batch[name].astype(np.float64)
        recorded = np.arange(values.shape[1]) < batch.rows[:, np.newaxis]
        return np.where(recorded, values, np.nan)


def _axes_of(batch: BatchResults) -> dict[str, Floats]:
    """What differs between the runs: one or two vectors by name."""
    found = {name: np.asarray(v, dtype=np.float64) for name, v in batch.axes.items() if len(v) > 1}
    if not batch.axes:
        both = {**batch.params, **batch.ic}
        found = {
            name: values.astype(np.float64)
            for name, values in both.items()
            if isinstance(values, np.ndarray)
        }
        if len(found) > 1:
            raise OptionError(
                f"{len(found)} values differ between the runs ({', '.join(found)}), not one, and "
                "they do not form a grid. Make all combinations with dynlib.grid(...)."
            )
    if not len(batch) or len(found) not in (1, 2):
        raise OptionError(
            f"a picture over runs needs one or two values that differ between them, found "
            f"{len(found)} ({len(batch)} runs). {', '.join(found)}".rstrip()
        )
    return found


def _draw_image(ax: Any, scene: _Scene, values: Floats) -> None:
    (x_name, x), (y_name, y) = scene.axes.items()
    across, up = np.argsort(x), np.argsort(y)
    look = scene.looks("image", cmap=_visuals.colormap(scene.style.colormap))
    if look is not None:
        sorted_values = values[np.ix_(across, up)].T
        masked = np.ma.masked_invalid(sorted_values)
        artist = _visuals.image(ax, _edges(x[across]), _edges(y[up]), masked, **look)
        bar = scene.looks("colorbar")
        if bar is not None:
            _visuals.colorbar(ax, artist, bar.pop("label", scene.name), **bar)
    ax.grid(False)
    ax.set_xlabel(x_name)
    ax.set_ylabel(y_name)


def _edges(centres: Floats) -> Floats:
    """Borders of cells around sorted points."""
    middle = (centres[1:] + centres[:-1]) / 2
    first, last = 2 * centres[0] - middle[0], 2 * centres[-1] - middle[-1]
    return np.concatenate([[first], middle, [last]])


def _draw_points(ax: Any, scene: _Scene, values: Floats) -> None:
    ((name, x),) = scene.axes.items()
    columns = [np.repeat(x, values.shape[1]), values.ravel()]
    rows = thin_points(columns, scene.style.detail // 2)
    look = scene.looks(
        "points",
        color=scene.style.color(0),
        markersize=scene.style.size_of_marker(columns[0].size, small=0.4),
    )
    if look is not None:
        _visuals.points(ax, [each[rows] for each in columns], **look)
    ax.set_xlabel(name)
    ax.set_ylabel(scene.name)
