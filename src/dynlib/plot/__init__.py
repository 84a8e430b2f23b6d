"""Pictures of results; the only part of dynlib that knows Matplotlib.

Every function takes a result and an optional place to draw, and returns the Matplotlib axes::

    from dynlib import plot

    ax = plot.timeseries(res, "x", "y")
    ax = plot.phase(res, "x", "y", "z", color_by="t")
    ax.figure.savefig("lorenz.png", dpi=200)

The same pictures are ``res.plot("x", "y")`` and ``res.plot.phase("x", "y", "z")``; of a batch,
``plot.sweep(batch, "x")`` is ``batch.plot("x")``.
"""

from dynlib.plot._axes import save, supported_suffixes
from dynlib.plot._style import Style
from dynlib.plot.cobweb import cobweb
from dynlib.plot.overview import overview
from dynlib.plot.phase import phase
from dynlib.plot.picture import KINDS, picture
from dynlib.plot.plotter import ResultsPlotter
from dynlib.plot.sweep import BatchPlotter, sweep, sweep_picture
from dynlib.plot.timeseries import timeseries

__all__ = [
    "KINDS",
    "BatchPlotter",
    "ResultsPlotter",
    "Style",
    "cobweb",
    "overview",
    "phase",
    "picture",
    "save",
    "supported_suffixes",
    "sweep",
    "sweep_picture",
    "timeseries",
]
