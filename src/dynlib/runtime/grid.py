"""All combinations of some values, with their shape remembered."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlib.errors import OptionError
from dynlib.runtime.naming import ByName, unknown_name
from dynlib.runtime.validate import shown

__all__ = ["Grid", "axis_values", "grid"]


class Grid(ByName[Any]):
    """Values of a product, by name: what `grid` returns.

    A mapping from names to vectors of one value for each run, shape (size,), or to a number where
    it is the same for all.  The last axis varies fastest, as in a NumPy array of shape `shape`.

    Parameters
    ----------
    axes : dict of array
        The values along each axis, shape (n,) each.
    fixed : dict of number
        What is the same everywhere.
    """

    def __init__(self, axes: dict[str, NDArray[Any]], fixed: dict[str, Any]) -> None:
        self._axes, self._fixed = axes, fixed

    @property
    def axes(self) -> dict[str, NDArray[Any]]:
        """The values along each axis, by name."""
        return dict(self._axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return tuple(len(values) for values in self._axes.values())

    @property
    def size(self) -> int:
        """Number of runs: the product of `shape`."""
        return math.prod(self.shape)

    def __getitem__(self, name: str) -> Any:
        if name in self._fixed:
            return self._fixed[name]
        if name not in self._axes:
            raise unknown_name("axis of the grid", name, list(self))
        place = list(self._axes).index(name)
        inner = math.prod(self.shape[place + 1 :])
        outer = math.prod(self.shape[:place])
        return np.tile(np.repeat(self._axes[name], inner), outer)

    def __iter__(self) -> Iterator[str]:
        yield from self._axes
        yield from self._fixed

    def __len__(self) -> int:
        return len(self._axes) + len(self._fixed)

    def __repr__(self) -> str:
        axes = [
            f"{name}: {len(values)}"
            + (f" ({values[0]:g} to {values[-1]:g})" if len(values) else "")
            for name, values in self._axes.items()
        ]
        fixed = [f"{name} = {value:g}" for name, value in self._fixed.items()]
        return f"<grid {' × '.join([*axes, *fixed])}: {self.size} runs>"


def grid(axes: Mapping[str, ArrayLike] | None = None, /, **named: ArrayLike) -> Grid:
    """All combinations of the values given for some names.

    The names may be parameters and states alike: ``batch(params=grid(...))`` and
    ``batch(ic=grid(...))`` mean the same.  The results remember the shape.

    Parameters
    ----------
    axes : mapping, optional
        The same as the keywords, for names that are known only when the program runs.
    **named : array, shape (n,), or number
        The values along one axis; a number is the same everywhere and is no axis.

    Returns
    -------
    Grid

    Raises
    ------
    OptionError
        If there is no axis, or one is no vector of numbers.

    Examples
    --------
    >>> plane = grid(rho=np.linspace(0, 200, 500), sigma=np.linspace(5, 15, 300))
    >>> plane
    <grid rho: 500 (0 to 200) × sigma: 300 (5 to 15): 150000 runs>
    >>> plane.shape, plane["sigma"].shape
    ((500, 300), (150000,))
    """
    chosen: dict[str, NDArray[Any]] = {}
    fixed: dict[str, Any] = {}
    for name in named:
        if axes is not None and name in axes:
            raise OptionError(f"grid: {name!r} is given twice.")
    for name, given in {**(axes or {}), **named}.items():
        values = axis_values(f"grid: {name}", given)
        if values.ndim > 1:
            raise OptionError(
                f"grid: {name} must be a vector of numbers, found an array of shape "
                f"{values.shape}. The grid itself makes the product of its vectors."
            )
        if values.ndim:
            chosen[name] = values
        else:
            fixed[name] = values[()]
    if not chosen:
        raise OptionError(
            "grid needs the values of at least one name: grid(rho=np.linspace(0, 200, 500))."
        )
    return Grid(chosen, fixed)


def axis_values(what: str, given: Any) -> NDArray[Any]:
    """An array of integers or real numbers, or an error message about `what`."""
    try:
        values = np.asarray(given)
    except (TypeError, ValueError) as error:
        raise OptionError(f"{what} must be numbers, found {shown(given)}.") from error
    if values.dtype.kind == "b" or (values.dtype.kind == "f" and values.dtype.itemsize > 8):
        values = values.astype(np.float64)
    if not values.size and values.dtype.kind != "i":
        values = values.astype(np.float64)
    if values.dtype.kind not in "iuf":
        raise OptionError(f"{what} must be numbers, found {shown(given)}.")
    return values
