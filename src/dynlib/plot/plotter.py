"""``res.plot``: the pictures of one result, by short names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import TYPE_CHECKING, Any

from dynlib.errors import UnknownOptionError
from dynlib.plot import _axes
from dynlib.plot._style import Style
from dynlib.plot.cobweb import cobweb
from dynlib.plot.overview import OVERVIEW_SIZE, overview
from dynlib.plot.phase import phase
from dynlib.plot.timeseries import timeseries
from dynlib.suggest import did_you_mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dynlib.runtime.results import Results

__all__ = ["ResultsPlotter"]


def _check_options(draw: Callable[..., Any], options: Mapping[str, Any]) -> None:
    """Refuse an option that a picture does not have, and say where Matplotlib's keywords go."""
    kinds = signature(draw).parameters.values()
    known = [each.name for each in kinds if each.kind is each.KEYWORD_ONLY]
    for name in options:
        if name not in known:
            raise UnknownOptionError(
                f"plot.{draw.__name__} has no option {name!r}.{did_you_mean(name, known)} "
                f"Known: {', '.join(known)}. Keywords of Matplotlib are given by artist: "
                'visuals={"line": {"color": "black"}}'
            )


class ResultsPlotter:
    """The pictures of one result.

    Parameters
    ----------
    result : Results

    Examples
    --------
    >>> from dynlib import setup
    >>> res = setup("builtin://ode/lorenz", jit=False).run(T=1.0)
    >>> ax = res.plot()
    >>> res.plot.phase("x", "z").get_ylabel()
    'z'
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
        return self.timeseries(*names, **options)

    def timeseries(self, *names: str, **options: Any) -> Axes:
        """Draw variables against time; see :func:`dynlib.plot.timeseries`."""
        _check_options(timeseries, options)
        return timeseries(self._result, *names, **options)

    def phase(self, *names: str, **options: Any) -> Axes:
        """Draw two or three variables against each other; see :func:`dynlib.plot.phase`."""
        _check_options(phase, options)
        return phase(self._result, *names, **options)

    def cobweb(self, **options: Any) -> Axes:
        """Draw the cobweb of a map of one state; see :func:`dynlib.plot.cobweb`."""
        _check_options(cobweb, options)
        return cobweb(self._result, **options)

    def overview(self, *, figure: Any = None, style: Style | None = None) -> Figure:
        """Draw orbit and time series on one page; see :func:`dynlib.plot.overview`."""
        style = style or Style()
        figure = _axes.new_figure(figure, style, OVERVIEW_SIZE)
        return overview(self._result, figure=figure, style=style)
