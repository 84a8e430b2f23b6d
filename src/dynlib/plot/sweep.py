"""Where the runs of a batch end, over the values that they start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.status import Status
from dynlib.errors import OptionError
from dynlib.observers.kit.outputs import choose, outputs_of
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
_SPECKS = 120.0  # points that columns of points take together, across a picture
_ARTISTS = ("image", "points", "title", "colorbar", "gaps")


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
    was `TailWindow`.  What an observer found is drawn in the same ways.  Runs that failed leave a
    gap, grey in a plane, and are counted above the picture.

    Parameters
    ----------
    batch : BatchResults
        With one or two values that differ between the runs.
    name : str or None
        A state, a recorded aux variable, or an output of an observer as it is called in a
        dataset: ``"lyapunov_max_exponent"``; an entry of a vector is chosen by number or name:
        ``"lyapunov_spectrum_exponents[0]"``, ``"features_max[x]"``.  None is the first variable
        that was recorded.
    ax : Axes, Figure, SubFigure or None
        Where to draw; None makes a new figure.
    style : Style or None
        Colours and sizes.
    visuals : dict or None
        For each artist (``image``, ``points``, ``title``, ``colorbar``, ``gaps``) a dict of
        Matplotlib keywords, or False to leave it out; ``gaps`` is the line about missing runs.

    Returns
    -------
    Axes

    Raises
    ------
    OptionError
        If none or more than two values differ, there are no runs, or a vector is to be drawn
        over a plane.
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
    is_plane = len(axes_of_batch) == 2
    values = scene.last() if is_plane else scene.all()
    with _axes.dressed(ax, scene.style):
        axes: Axes = _axes.new_axes(ax, scene.style, (6.4, 4.8))
        if is_plane:
            _draw_image(axes, scene, values)
        else:
            _draw_points(axes, scene, values)
        _tell_of_gaps(axes, scene, values if is_plane else None)
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
        values = self._observed(plane=True)
        if values is None:
            values = batch.final[name] if name in batch.final else batch[name][:, -1]
        shape = tuple(len(axis) for axis in self.axes.values())
        ends = values.astype(np.float64).reshape(len(batch))
        return np.where(batch.ok, ends, np.nan).reshape(shape)

    def _observed(self, *, plane: bool) -> Floats | None:
        """What an observer found in each run, shape (n_runs,) or (n_runs, n); None if no output."""
        batch = self.batch
        variables = dict.fromkeys((*batch.names, *batch.final))
        if self.name in variables or not len(batch.observers):
            return None
        chosen = choose(self.name, variables, outputs_of(batch.observers), plane=plane)
        if chosen is None:
            return None
        output, entry = chosen
        values: Floats = batch.observers[output.observer].numbers(output.name)
        return values if entry is None else values[:, entry]

    def all(self) -> Floats:
        """All recorded values, shape (n_runs, rows); the last ones if nothing else is there."""
        batch, name = self.batch, self.name
        found = self._observed(plane=False)
        if found is not None:
            each = found.reshape(len(batch), -1)
            return np.where(batch.ok[:, np.newaxis], each, np.nan)
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
        if masked.mask.any():
            ax.set_facecolor(scene.style.missing)
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


def _speck(columns: int) -> float:
    """Size of the smallest points: finer where the columns of points lie closer."""
    return min(1.5, max(0.4, _SPECKS / columns))


def _tell_of_gaps(ax: Any, scene: _Scene, plane: Floats | None) -> None:
    """Count, above the picture, the runs that left a gap in it."""
    batch = scene.batch
    broken = batch.status == Status.USER_BREAK
    empty = 0 if plane is None else int(np.isnan(plane.ravel()[batch.ok]).sum())
    counts = {
        "failed": int((~batch.ok & ~broken).sum()),
        "interrupted": int(broken.sum()),
        "without a value": empty,
    }
    told = [(f"{count:,}", what) for what, count in counts.items() if count]
    look = scene.looks("gaps", color=scene.style.edge, fontsize=scene.style.font_size * 0.9)
    if told and look is not None:
        first, *more = told
        sentence = [f"{first[0]} of {len(batch):,} runs {first[1]}", *map(" ".join, more)]
        text = ("" if plane is None else "grey: ") + ", ".join(sentence)
        place = {"transform": ax.transAxes, "ha": "right", "va": "bottom"}
        ax.text(1.0, 1.015, text, **(place | look))


def _draw_points(ax: Any, scene: _Scene, values: Floats) -> None:
    ((name, x),) = scene.axes.items()
    columns = [np.repeat(x, values.shape[1]), values.ravel()]
    rows = thin_points(columns, scene.style.detail // 2)
    look = scene.looks(
        "points",
        color=scene.style.color(0),
        markersize=scene.style.size_of_marker(columns[0].size, small=_speck(x.size)),
    )
    if look is not None:
        _visuals.points(ax, [each[rows] for each in columns], **look)
    ax.set_xlabel(name)
    ax.set_ylabel(scene.name)
