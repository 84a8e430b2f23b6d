"""How dynlib's pictures look: one dataclass, applied only to axes that dynlib itself makes."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10
from typing import Any

__all__ = ["Style"]

# Dark enough for thin lines on white, told apart by most colour-blind readers and in grey.
_PALETTE = ("#1f5fa6", "#d9602b", "#23936b", "#8e4a9c", "#c3911b", "#4d6074", "#58a6d6", "#a8324a")
_MANY, _FEW = 100_000, 1_000


@dataclass(frozen=True, slots=True)
class Style:
    """Colours, sizes and widths of a picture.

    Parameters
    ----------
    palette : tuple of str
        Colours of variables, in order; used again from the start when they run out.
    colormap : tuple of str
        Colours of a gradient (time along an orbit), from first to last.
    ink, edge, faint : str
        Colours of text, of axes and of the grid.
    missing : str
        Colour of what has no value in a plane.
    line_width, marker_size : float or None
        In points; None chooses by the number of rows.
    font_size : float
        Size of labels in points; everything else follows.
    grid : bool
        Whether axes that dynlib makes have a grid.
    size : tuple of float or None
        Width and height of a new figure in inches; None chooses by the kind of picture.
    detail : int
        Columns (or cells along each side) that long records are thinned to.

    Examples
    --------
    >>> Style(line_width=2).line_width
    2
    """

    palette: tuple[str, ...] = _PALETTE
    colormap: tuple[str, ...] = ("#20155e", "#6a1f9c", "#b5367a", "#e8684a", "#f2a73b")
    ink: str = "#1e252d"
    edge: str = "#6b7683"
    faint: str = "#e7eaee"
    missing: str = "#c9ced4"
    line_width: float | None = None
    marker_size: float | None = None
    font_size: float = 10.0
    grid: bool = True
    size: tuple[float, float] | None = None
    detail: int = 1600

    def color(self, index: int) -> str:
        """Return the colour of the variable with this index."""
        return self.palette[index % len(self.palette)]

    def width(self, rows: int, thick: float = 1.4, thin: float = 0.35) -> float:
        """Return the line width for so many rows: the longer the record, the finer the line."""
        if self.line_width is not None:
            return self.line_width
        return thick + (thin - thick) * _crowding(rows)

    def size_of_marker(self, rows: int, large: float = 4.0, small: float = 0.9) -> float:
        """Return the size of the points of so many rows."""
        if self.marker_size is not None:
            return self.marker_size
        return large * float((small / large) ** _crowding(rows))

    def rc(self) -> dict[str, Any]:
        """Return the Matplotlib settings under which a new figure is made."""
        return {
            "axes.axisbelow": True,
            "axes.edgecolor": self.edge,
            "axes.formatter.useoffset": False,
            "axes.grid": self.grid,
            "axes.labelcolor": self.ink,
            "axes.labelsize": self.font_size,
            "axes.linewidth": 0.8,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlecolor": self.ink,
            "axes.titlelocation": "left",
            "axes.titlepad": 8,
            "axes.titlesize": self.font_size * 1.15,
            "axes.titleweight": "bold",
            "figure.constrained_layout.h_pad": 0.08,
            "figure.constrained_layout.w_pad": 0.08,
            "font.size": self.font_size,
            "grid.color": self.faint,
            "grid.linewidth": 0.8,
            "legend.fontsize": self.font_size * 0.9,
            "legend.frameon": False,
            "text.color": self.ink,
            "xtick.color": self.edge,
            "xtick.labelcolor": self.ink,
            "xtick.labelsize": self.font_size * 0.9,
            "ytick.color": self.edge,
            "ytick.labelcolor": self.ink,
            "ytick.labelsize": self.font_size * 0.9,
        }


def _crowding(rows: int) -> float:
    """Return 0 for few rows, 1 for many, on a logarithmic scale between."""
    share = log10(max(rows, 1) / _FEW) / log10(_MANY / _FEW)
    return min(1.0, max(0.0, share))
