"""How ``res.plot`` finds the plotting layer without knowing it.

The runtime lies below the plots, so it may not import them.  The other way, that `dynlib.plot`
registers itself here, would need somebody to import it first, and ``res.plot()`` must work for
one who has imported nothing else.  So the one name that the runtime knows is text, it is looked
up when a picture is asked for, and this is the only place.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["batch_plotter", "plotter"]

_HOME = "dynlib.plot"


def plotter(results: object) -> Any:
    """The object behind ``results.plot``: a `dynlib.plot.ResultsPlotter`.

    Raises
    ------
    MissingExtraError
        If Matplotlib is not installed.
    """
    return import_module(_HOME).ResultsPlotter(results)


def batch_plotter(results: object) -> Any:
    """The object behind the ``plot`` of a batch: a `dynlib.plot.BatchPlotter`.

    Raises
    ------
    MissingExtraError
        If Matplotlib is not installed.
    """
    return import_module(_HOME).BatchPlotter(results)
