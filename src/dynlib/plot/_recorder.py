"""Axes and figures that draw nothing and remember what they were asked to draw.

A test passes them where a picture takes ``ax``, and looks at the calls::

    ax = RecordingAxes()
    plot.phase(res, "x", "z", ax=ax)
    (line,) = ax.named("plot")
    assert line.options["color"] == Style().color(0)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Call", "RecordingAxes", "RecordingFigure"]


@dataclass(frozen=True)
class Call:
    """A method that was called, with its arguments."""

    name: str
    args: tuple[Any, ...]
    options: dict[str, Any]


class _Nothing:
    """What a recorded call returns: takes part in anything, does nothing."""

    def __getattr__(self, name: str) -> _Nothing:
        return self

    def __call__(self, *args: Any, **options: Any) -> _Nothing:
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(())


class _Recording:
    """Remembers the calls of methods that it does not have."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_") or name == "add_subplot":  # only figures have that one
            raise AttributeError(name)

        def record(*args: Any, **options: Any) -> Any:
            self.calls.append(Call(name, args, options))
            return _Nothing()

        return record

    def named(self, name: str) -> list[Call]:
        """Return the calls of one method, in order."""
        return [call for call in self.calls if call.name == name]


class RecordingAxes(_Recording):
    """Axes in the place of Matplotlib's.

    Parameters
    ----------
    projection : str or None
        ``"3d"`` for three coordinates.
    figure : RecordingFigure or None
        The figure that they belong to; None makes one.
    """

    def __init__(
        self, projection: str | None = None, figure: RecordingFigure | None = None
    ) -> None:
        super().__init__()
        self.name = projection or "rectilinear"
        self.figure = figure if figure is not None else RecordingFigure()
        self.xaxis = self.yaxis = self.zaxis = self.transAxes = _Nothing()

    @property
    def artists(self) -> list[Call]:
        """The calls that draw data."""
        drawing = ("plot", "scatter", "add_collection", "pcolormesh", "vlines")
        return [call for call in self.calls if call.name in drawing]

    @property
    def labels(self) -> dict[str, str]:
        """What the axes and the title say: keys ``x``, ``y``, ``z``, ``title``."""
        found = {each: self.named(f"set_{each}label") for each in "xyz"}
        texts = {each: str(calls[-1].args[0]) for each, calls in found.items() if calls}
        titles = [str(call.options["label"]) for call in self.named("set_title")]
        return texts | ({"title": titles[-1]} if titles else {})

    def get_legend_handles_labels(self) -> tuple[list[Any], list[str]]:
        """Return the labels of the artists, as Matplotlib does."""
        labels = [str(c.options["label"]) for c in self.artists if c.options.get("label")]
        return [_Nothing() for _ in labels], labels


class RecordingFigure(_Recording):
    """A figure in the place of Matplotlib's; `axes` holds all axes of it and its parts."""

    def __init__(self) -> None:
        super().__init__()
        self.axes: list[RecordingAxes] = []

    def add_subplot(self, projection: str | None = None) -> RecordingAxes:
        """Return new axes."""
        self.axes.append(RecordingAxes(projection, self))
        return self.axes[-1]

    def subplots(self, rows: int, columns: int, **options: Any) -> Any:
        """Return new axes in an array of shape (rows, columns)."""
        grid = np.empty((rows, columns), dtype=object)
        for place in np.ndindex(rows, columns):
            grid[place] = self.add_subplot()
        return grid

    def subfigures(self, rows: int, columns: int, **options: Any) -> list[RecordingFigure]:
        """Return the figure itself, once for each part."""
        return [self] * (rows * columns)
