"""``res.plot``: the pictures of one result, by short names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynlib.plot import _axes
from dynlib.plot._style import Style
from dynlib.plot.cobweb import cobweb
from dynlib.plot.overview import OVERVIEW_SIZE, overview
from dynlib.plot.phase import phase
from dynlib.plot.timeseries import timeseries

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dynlib.runtime.results import Results

__all__ = ["ResultsPlotter"]


class ResultsPlotter:
    """The pictures of one result.

    Parameters
    ----------
    result : Results

    Examples
    --------
    >>> ax = res.plot()                                  # doctest: +SKIP
    >>> ax = res.plot.phase("x", "z")                    # doctest: +SKIP
    >>> res.plot.overview()                              # doctest: +SKIP
    """

    def __init__(self, result: Results) -> None:
        self._result = result

    def __repr__(self) -> str:
        return (
            "plot() against time; plot.phase('x', 'y'[, 'z']), plot.cobweb(), plot.overview(); "
            "help(dynlib.plot) tells more"
        )

    def __call__(self, *names: str, **options: Any) -> Axes:
        """Draw variables against time; see :func:`dynlib.plot.timeseries`."""
        return timeseries(self._result, *names, **options)

    def timeseries(self, *names: str, **options: Any) -> Axes:
        """Draw variables against time; see :func:`dynlib.plot.timeseries`."""
        return timeseries(self._result, *names, **options)

    def phase(self, *names: str, **options: Any) -> Axes:
        """Draw two or three variables against each other; see :func:`dynlib.plot.phase`."""
        return phase(self._result, *names, **options)

    def cobweb(self, **options: Any) -> Axes:
        """Draw the cobweb of a map of one state; see :func:`dynlib.plot.cobweb`."""
        return cobweb(self._result, **options)

    def overview(self, *, figure: Any = None, style: Style | None = None) -> Figure:
        """Draw orbit and time series on one page; see :func:`dynlib.plot.overview`."""
        style = style or Style()
        figure = _axes.new_figure(figure, style, OVERVIEW_SIZE)
        return overview(self._result, figure=figure, style=style)
