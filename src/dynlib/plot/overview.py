"""A run on one page: its orbit and its time series side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynlib.plot import _axes
from dynlib.plot._style import Style
from dynlib.plot._subject import Subject
from dynlib.plot.cobweb import cobweb
from dynlib.plot.phase import phase
from dynlib.plot.timeseries import MOST_SHARED, timeseries

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from dynlib.runtime.results import Results

__all__ = ["OVERVIEW_SIZE", "overview"]

OVERVIEW_SIZE = (10.5, 4.8)
_MOST_PARAMS = 6
_MOST_STEPS = 100  # of a cobweb


def overview(result: Results, *, figure: Any = None, style: Style | None = None) -> Figure:
    """Draw what shows most of a run: the orbit in state space, and the states against time.

    Parameters
    ----------
    result : Results
        A run with recorded rows.
    figure : Figure, SubFigure or None
        Where to draw; None makes a figure for a file, which pyplot does not keep.
    style : Style or None
        Colours and sizes.

    Returns
    -------
    Figure

    Raises
    ------
    OptionError
        If nothing was recorded.

    Examples
    --------
    >>> from dynlib import plot, setup
    >>> res = setup("builtin://ode/lorenz", jit=False).run(T=1.0)
    >>> plot.save(plot.overview(res), "lorenz.png").name
    'lorenz.png'
    """
    style = style or Style()
    subject = Subject(result)
    kind = _orbit_kind(subject)
    target = _axes.OFFSCREEN if figure is None else figure
    with _axes.dressed(target, style):
        if kind is None:
            page = _draw_series(result, subject, target, style).figure
        else:
            page = _axes.new_figure(target, style, OVERVIEW_SIZE)
            left, right = page.subfigures(1, 2, width_ratios=(1.12, 1.0))
            _draw_orbit(result, subject, kind, left, style)
            _draw_series(result, subject, right, style)
        _draw_heading(page, subject, style)
    return page  # type: ignore[no-any-return]


def _orbit_kind(subject: Subject) -> str | None:
    """Return which picture of state space there is, if any."""
    names = [name for name in subject.choose(()) if name in subject.states]
    if len(names) in (2, 3):
        return "phase"
    return "cobweb" if len(names) == 1 and subject.has_cobweb else None


def _draw_orbit(result: Any, subject: Subject, kind: str, target: Any, style: Style) -> None:
    quiet = {"title": False}
    if kind == "cobweb":
        cobweb(result, ax=target, steps=_MOST_STEPS, style=style, visuals=quiet)
        return
    names = [name for name in subject.choose(()) if name in subject.states]
    color_by = subject.time_name if len(names) == 3 else None
    bare = quiet | {"colorbar": False}
    phase(result, *names, ax=target, color_by=color_by, style=style, visuals=bare)


def _draw_series(result: Any, subject: Subject, target: Any, style: Style) -> Any:
    names = subject.choose(())
    layout = "panels" if 1 < len(names) <= MOST_SHARED else "auto"
    return timeseries(
        result, *names, ax=target, layout=layout, style=style, visuals={"title": False}
    )


def _draw_heading(figure: Any, subject: Subject, style: Style) -> None:
    values = [f"{name} = {value:.6g}" for name, value in subject.params.items()]
    more = ", …" if len(values) > _MOST_PARAMS else ""
    figure.suptitle(
        subject.title,
        x=0.015,
        ha="left",
        fontsize=style.font_size * 1.4,
        fontweight="bold",
        color=style.ink,
    )
    figure.text(
        0.985,
        0.975,
        ", ".join(values[:_MOST_PARAMS]) + more,
        ha="right",
        va="top",
        fontsize=style.font_size * 0.9,
        color=style.edge,
    )
