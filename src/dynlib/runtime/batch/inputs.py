"""The starts of a batch: which values are the same for all runs, which differ, how many runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dynlib.dsl import ModelSpec
from dynlib.errors import OptionError
from dynlib.runtime.grid import Grid, axis_values
from dynlib.runtime.memory import available_memory, readable_size
from dynlib.runtime.naming import misplaced_name, unknown_name
from dynlib.runtime.starting import Start, start_value
from dynlib.runtime.validate import overlay, shown, vector

__all__ = ["Column", "Inputs", "batch_inputs", "cut", "unusable"]

Array: TypeAlias = NDArray[Any]
# One number for all runs, or a vector with one for each.
Column: TypeAlias = float | int | Array

RUN = "run"


@dataclass(frozen=True)
class Inputs:
    """States and parameters that the runs of a batch start from.

    Attributes
    ----------
    n_runs
        Number of runs.
    y0, p
        One column for each state and parameter of the model.
    axes
        Values along the axes of the grid, if the batch is one; else empty.
    """

    n_runs: int
    y0: tuple[Column, ...]
    p: tuple[Column, ...]
    axes: Mapping[str, Array] = field(default_factory=dict)

    @property
    def dims(self) -> dict[str, int]:
        """Dimensions of the batch: the grid's, or ``run``."""
        if self.axes:
            return {name: len(values) for name, values in self.axes.items()}
        return {RUN: self.n_runs}

    def of_run(self, index: int, dtype: np.dtype[Any]) -> tuple[Array, Array]:
        """State and parameters that one run starts from."""
        y = [column[index] if isinstance(column, np.ndarray) else column for column in self.y0]
        p = [column[index] if isinstance(column, np.ndarray) else column for column in self.p]
        return np.array(y, dtype=dtype), np.array(p, dtype=dtype)

    @property
    def nbytes(self) -> int:
        """Bytes of the columns."""
        return sum(c.nbytes for c in (*self.y0, *self.p) if isinstance(c, np.ndarray))


def batch_inputs(start: Start, ic: Any, params: Any) -> Inputs:
    """Broadcast what a user gives for the runs of a batch.

    Parameters
    ----------
    start : Start
        The values of what is not given.
    ic, params : mapping, Grid, vector or matrix, optional
        Numbers, or one number for each run, by name; a vector of all states (or parameters), or
        a matrix with one such row for each run.

    Raises
    ------
    OptionError
        If lengths differ, or values cannot be used.
    UnknownNameError
        For a name that the model does not have.
    """
    spec = start.spec
    y_given = _by_name("ic", ic, start.y, spec.states)
    p_given = _by_name("params", params, start.p, spec.params)
    grid = _the_grid(ic, params)
    if grid is not None:
        _take_in(grid, y_given, p_given, spec)
    y0 = _columns("state", y_given, start.y, spec)
    p = _columns("parameter", p_given, start.p, spec)
    n_runs = _runs((*spec.states, *spec.params), (*y0, *p), grid)
    p = tuple(_spread(column, n_runs) for column in p)
    y0 = _following(start, y0, p, start.given | y_given.keys())
    y0 = tuple(_spread(column, n_runs) for column in y0)
    return Inputs(n_runs, y0, p, {} if grid is None else grid.axes)


def _by_name(argument: str, given: Any, base: Array, names: tuple[str, ...]) -> dict[str, Any]:
    """What was given, as a dict; a grid is looked at later."""
    if given is None or isinstance(given, Grid):
        return {}
    if isinstance(given, Mapping) or hasattr(given, "keys"):
        return dict(given)
    matrix = axis_values(argument, given) if isinstance(given, Sequence | np.ndarray) else None
    if matrix is None or matrix.ndim != 2:
        found = vector(argument, "state" if argument == "ic" else "parameter", given, base, names)
        return dict(zip(names, found, strict=True))
    if matrix.shape[1] != len(names):
        raise OptionError(
            f"{argument} has shape {matrix.shape}. A matrix holds one row for each run and one "
            f"column for each of {len(names)} values: {', '.join(names)}."
        )
    return dict(zip(names, matrix.T, strict=True))


def _the_grid(ic: Any, params: Any) -> Grid | None:
    grids = [given for given in (ic, params) if isinstance(given, Grid)]
    if len(grids) == 2 and grids[0] is not grids[1]:
        both = ", ".join(f"{name}=..." for one in grids for name in one)
        raise OptionError(
            "ic and params are two grids. One grid takes states and parameters alike: "
            f"grid({both})."
        )
    return grids[0] if grids else None


def _take_in(grid: Grid, y_given: dict[str, Any], p_given: dict[str, Any], spec: ModelSpec) -> None:
    """Put the axes of a grid where their names belong."""
    _check_room(grid)
    for name in grid:
        if name not in spec.states and name not in spec.params:
            raise unknown_name("axis of the grid", name, (*spec.states, *spec.params))
        given = y_given if name in spec.states else p_given
        if name in given:
            raise OptionError(f"{name!r} is an axis of the grid, and is given a second time.")
        given[name] = grid[name]


def _check_room(grid: Grid) -> None:
    """Refuse a grid whose starting values alone would not fit into memory."""
    free = available_memory()
    need = 8 * grid.size * len(grid.axes)
    if free is not None and need > free:
        shape = " × ".join(f"{len(values):,} {name}" for name, values in grid.axes.items())
        raise OptionError(
            f"the grid has {grid.size:,} runs ({shape}); to write down what they start from takes "
            f"{readable_size(need)}, and {readable_size(free)} of memory are free. Take fewer "
            "values, or one part of the grid at a time."
        )


def _columns(
    what: str, given: Mapping[str, Any], base: Array, spec: ModelSpec
) -> tuple[Column, ...]:
    """One column for each name, in the model's type."""
    names, others = spec.states, spec.params
    if what == "parameter":
        names, others = others, names
    columns: list[Column] = base.tolist()
    for name, value in given.items():
        if name not in names:
            raise misplaced_name(what, name, names, others)
        place = names.index(name)
        if np.ndim(value) == 0:
            columns[place] = overlay(what, {name: value}, base, names).item(place)
        else:
            columns[place] = _vector(f"{what} {name!r}", value, base.dtype)
    return tuple(columns)


def _following(
    start: Start, y0: tuple[Column, ...], p: tuple[Column, ...], given: frozenset[str]
) -> tuple[Column, ...]:
    """The states, with those that follow parameters as these are in each run.

    A value that is not finite makes its run fail, as everywhere in a batch.
    """
    spec, columns = start.spec, list(y0)
    places = {name: index for index, name in enumerate(spec.states)}
    for name, each in spec.starts.items():
        if name in given:
            continue
        if any(isinstance(p[leaf.index], np.ndarray) for leaf in each.params):
            what = f"the initial value of {name}, {each.text},"
            found: Column = _vector(what, each.column(p), start.y.dtype)
        else:
            found = start.y.dtype.type(start_value(name, each, p, start.y.dtype)).item()
        columns[places[name]] = found
    return tuple(columns)


def _vector(what: str, given: Any, dtype: np.dtype[Any]) -> Array:
    """One value for each run; those of a flow may be NaN or infinite, see `unusable`."""
    values = axis_values(what, given)
    if values.ndim != 1:
        raise OptionError(
            f"{what} has shape {values.shape}: give a number, or a vector of one for each run."
        )
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(values, dtype=dtype)
    bounds = np.iinfo(dtype)
    with np.errstate(invalid="ignore"):
        # The largest integer may be no real number, but the one after it is a power of two.
        small = values < bounds.max + 1.0 if values.dtype.kind == "f" else values <= bounds.max
        fits = (values == np.floor(values)) & (values >= bounds.min) & small
    if not fits.all():
        index = int(np.argmin(fits))
        found = shown(values[index].item())
        raise OptionError(
            f"{what} must be whole numbers that fit {dtype.name}, found {found} for run {index}."
        )
    return np.ascontiguousarray(values, dtype=dtype)


def _runs(names: Sequence[str], columns: Sequence[Column], grid: Grid | None) -> int:
    """Number of runs, from the lengths of the columns."""
    lengths = {
        name: len(column)
        for name, column in zip(names, columns, strict=True)
        if isinstance(column, np.ndarray)
    }
    if grid is not None:
        lengths = {"the grid": grid.size} | {
            name: length for name, length in lengths.items() if name not in grid.axes
        }
    different = set(lengths.values()) - {1}
    if len(different) > 1 or (grid is not None and different - {grid.size}):
        listed = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise OptionError(
            f"values for the runs differ in number: {listed}. Give one for each run, or a single "
            "one for all; all combinations of some values are dynlib.grid(name=values, ...)."
        )
    return different.pop() if different else 1


def _spread(column: Column, n_runs: int) -> Column:
    """A vector of one value is the same for all runs."""
    if isinstance(column, np.ndarray) and len(column) == 1 != n_runs:
        found: float | int = column.item()
        return found
    return column


def cut(column: Column, first: int, last: int) -> Column:
    """The column of the runs from `first` up to `last`, which is left out; nothing is copied."""
    return column[first:last] if isinstance(column, np.ndarray) else column


def unusable(y0: Iterable[Column], p: Iterable[Column]) -> NDArray[np.bool_] | None:
    """For each run whether a value is NaN, or a state infinite; None if that holds for no run."""
    bad: NDArray[np.bool_] | None = None
    states, params = ((column, False) for column in y0), ((column, True) for column in p)
    for column, infinite in (*states, *params):
        if not isinstance(column, np.ndarray) or column.dtype.kind != "f":
            continue
        # A sum is finite only if all its terms are; it takes no memory.
        with np.errstate(all="ignore"):
            if np.isfinite(column.sum()):
                continue
        wrong = np.isnan(column) if infinite else ~np.isfinite(column)
        if wrong.any():
            bad = wrong if bad is None else bad | wrong
    return bad
