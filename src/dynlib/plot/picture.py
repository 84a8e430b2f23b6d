"""The picture of a run for a file, by the name of its kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dynlib.errors import OptionError
from dynlib.plot import _axes
from dynlib.plot._style import Style
from dynlib.plot.cobweb import cobweb
from dynlib.plot.overview import overview
from dynlib.plot.phase import phase
from dynlib.plot.timeseries import timeseries
from dynlib.suggest import did_you_mean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from dynlib.runtime.results import Results

__all__ = ["KINDS", "picture"]

KINDS = ("auto", "timeseries", "phase", "cobweb")


def picture(
    result: Results, kind: str = "auto", names: Sequence[str] = (), *, style: Style | None = None
) -> Figure:
    """Return a figure for a file: pyplot does not keep it, no window shows it.

    Parameters
    ----------
    result : Results
        A run with recorded rows.
    kind : {"auto", "timeseries", "phase", "cobweb"}
        ``"auto"`` is the `overview`, or the time series of the names if there are any.
    names : sequence of str
        Variables to draw; none leaves the choice to the picture.
    style : Style or None
        Colours and sizes.

    Returns
    -------
    Figure

    Raises
    ------
    OptionError
        If there is no such kind, or it does not fit the result.

    Examples
    --------
    >>> from dynlib import plot, setup
    >>> res = setup("builtin://ode/lorenz", jit=False).run(T=1.0)
    >>> len(plot.picture(res, "phase", ["x", "z"]).axes)
    1
    """
    if kind not in KINDS:
        raise OptionError(
            f"no kind of picture is called {kind!r}.{did_you_mean(str(kind), KINDS)} "
            f"Known: {', '.join(KINDS)}"
        )
    if kind == "auto" and not names:
        return overview(result, style=style)
    if kind == "cobweb":
        ax = cobweb(result, ax=_axes.OFFSCREEN, style=style)
    elif kind == "phase":
        color_by = "t" if len(names) == 3 and not result.is_map else None
        ax = phase(result, *names, ax=_axes.OFFSCREEN, color_by=color_by, style=style)
    else:
        ax = timeseries(result, *names, ax=_axes.OFFSCREEN, style=style)
    figure: Figure = ax.figure  # type: ignore[assignment]
    return figure
