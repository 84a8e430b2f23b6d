"""The one door to Matplotlib: says how to install it where it is missing."""

from __future__ import annotations

from dynlib.errors import MissingExtraError

try:
    import matplotlib as mpl
    import matplotlib.collections
    import matplotlib.colors
    import matplotlib.figure
    import matplotlib.ticker
except ImportError as error:
    raise MissingExtraError("plot", "drawing a result") from error

__all__ = ["mpl"]
