"""Histograms: how long an expression has each value."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.dsl.spec import ModelSpec
from dynlib.errors import ObserverError
from dynlib.observers.averages import occupancy_hooks as hooks
from dynlib.observers.crossing.crossing import checked_number, single
from dynlib.observers.kit.batches import SHORTEST, Batches
from dynlib.observers.kit.expressions import read_value
from dynlib.observers.kit.keywords import checks_keywords
from dynlib.observers.kit.module import ObserverModule
from dynlib.observers.kit.part import HookText, Output, Part
from dynlib.observers.kit.result import ObserverResult
from dynlib.steppers.base import Stepper

__all__ = ["HistogramObserver", "HistogramResult", "histogram"]

_MOST = 32  # batches: fewer than for a single number, since each bin has them
_UNIT = 4  # and longer ones, since each closes all bins


class HistogramResult(ObserverResult):
    """``counts`` (n_bins,), ``edges`` (n_bins + 1,), ``density``, ``below``, ``above``, errors."""

    @property
    def edges(self) -> NDArray[np.float64]:
        """Edges of the bins."""
        low, high = self.facts["range"]
        return np.linspace(low, high, self.counts.shape[-1] + 1)

    @property
    def density(self) -> NDArray[np.float64]:
        """Counts scaled so that their integral over the range is the share that fell into it."""
        return self._scaled(self.counts)

    @property
    def density_error(self) -> NDArray[np.float64]:
        """Standard error of the density in each bin; the errors of two bins are not independent."""
        return self._scaled(self["counts_error"])

    def _scaled(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        total = self.counts.sum(axis=-1) + self["below"] + self["above"]
        width = self.edges[1] - self.edges[0]
        return np.asarray(counts / (np.asarray(total)[..., np.newaxis] * width))


class HistogramObserver(ObserverModule):
    """Time in each bin; made by `histogram`."""

    result_type = HistogramResult
    gives = ("counts", "edges", "density", "below", "above")

    def __init__(
        self, of: Any, bins: int, limits: tuple[float, float], errors: bool, name: str | None
    ) -> None:
        self.of, self.bins, self.limits, self.errors = of, bins, limits, errors
        super().__init__("histogram", name=name)

    def signature(self) -> str:
        """All that the hooks are made of."""
        return f"histogram {self.of!r} {self.bins} {self.limits} {self.errors}"

    def validate_stepper(self, stepper: Stepper, spec: ModelSpec) -> None:
        """Refuse what the model does not understand."""
        read_value(self.of, spec, self.label)

    def bind(self, spec: ModelSpec, stepper: Stepper) -> Part:
        """A row for each bin; batches of all of them besides."""
        low, high = self.limits
        hook = (
            HookText("post", hooks.bins_post_OBS)
            if spec.is_map
            else HookText("piece", hooks.bins_piece_OBS)
        )
        part = Part(
            outputs=tuple(
                Output(name, size, nothing=0.0)
                for name, size in (("below", None), ("counts", self.bins), ("above", None))
            ),
            texts=(hook,),
            helpers=(single("value"), hooks.add_OBS),
            expressions={"value_values_OBS": (read_value(self.of, spec, self.label),)},
            words={"BINS": self.bins, "LOW": low, "SCALE": self.bins / (high - low)},
            facts={"range": [low, high], "of": str(self.of)},
        )
        return self._with_errors(part) if self.errors else part

    def _with_errors(self, part: Part) -> Part:
        batches = Batches(self.bins, 1 + self.bins, most=_MOST)
        return replace(
            part,
            outputs=(*part.outputs, Output("counts_error", self.bins)),
            workspace=1 + self.bins + batches.changing,
            lasting=batches.lasting,
            texts=(
                HookText("start", hooks.bins_start_OBS),
                *part.texts,
                batches.closing(_UNIT * SHORTEST),
                HookText("end", hooks.bins_end_OBS),
            ),
            helpers=(*part.helpers, hooks.take_OBS, *batches.helpers),
            words={**part.words, **batches.words},
            places={"BEGAN": 0, "TAKEN": 1, **batches.places},
            flags=batches.flags,
        )


@checks_keywords
def histogram(
    of: str,
    bins: int,
    range: tuple[float, float],  # noqa: A002
    *,
    errors: bool = True,
    name: str | None = None,
) -> HistogramObserver:
    """How long an expression has values in each of so many bins; of a map, how often.

    The time of a step of a flow is shared out over the bins between the values at its ends, as if
    the expression changed evenly in between.  The result has ``counts``, ``edges``, ``density``,
    ``below`` and ``above`` for what lies outside, and the standard errors ``counts_error`` and
    ``density_error`` (batch means, as in `features`, from 16 batches or more; NaN for short runs).

    Parameters
    ----------
    of : str
        State, aux or expression.
    bins : int
        Number of bins.
    range : (float, float)
        Edges of the first and of the last bin.
    errors : bool
        Whether there are errors; they cost about a microsecond for each bin of each run.
    name : str, optional
        Name of the result, where there are two.

    Raises
    ------
    ObserverError
        For a value that cannot be; and, from the run, for unknown names.

    Examples
    --------
    >>> from dynlib import setup
    >>> from dynlib.observers import histogram
    >>> sim = setup("builtin://map/logistic", jit=False)
    >>> found = sim.run(N=100, observers=[histogram("x", 2, (0, 1))]).observers["histogram"]
    >>> float(found.counts.sum())
    100.0
    """
    if isinstance(bins, bool) or not isinstance(bins, int) or bins < 1:
        raise ObserverError(f"bins must be a whole number, at least 1; found {bins!r}.")
    if not isinstance(range, list | tuple) or len(range) != 2:
        raise ObserverError(f"range must be a pair (low, high), found {range!r}.")
    low, high = (checked_number("an end of the range", end) for end in range)
    if not low < high:
        raise ObserverError(f"range must be a pair (low, high) with low < high, found {range!r}.")
    if not isinstance(errors, bool):
        raise ObserverError(f"errors must be True or False, found {errors!r}.")
    return HistogramObserver(of, bins, (low, high), errors, name)
