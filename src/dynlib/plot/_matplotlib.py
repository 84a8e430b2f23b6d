"""The one door to Matplotlib: says how to install it where it is missing."""

from __future__ import annotations

from typing import Any

from dynlib.errors import MissingExtraError

try:
    import matplotlib  # noqa: ICN001 - the alias follows, without Matplotlib's narrow types
    import matplotlib.collections
    import matplotlib.colors
    import matplotlib.figure
    import matplotlib.ticker
    from mpl_toolkits.mplot3d import art3d  # type: ignore[import-untyped]
except ImportError as error:
    raise MissingExtraError("plot", "drawing a result") from error

__all__ = ["art3d", "mpl"]

mpl: Any = matplotlib
