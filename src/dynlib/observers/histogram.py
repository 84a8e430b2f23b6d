"""Histograms: how long an expression has each value."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.dsl.spec import ModelSpec
from dynlib.errors import ObserverError
from dynlib.observers import share_hooks as hooks
from dynlib.observers.crossing import checked_number, single
from dynlib.observers.expressions import read_value
from dynlib.observers.keywords import checks_keywords
from dynlib.observers.module import ObserverModule
from dynlib.observers.part import HookText, Output, Part
from dynlib.observers.result import ObserverResult
from dynlib.steppers.base import Stepper

__all__ = ["HistogramObserver", "HistogramResult", "histogram"]


class HistogramResult(ObserverResult):
    """``counts`` (n_bins,), ``edges`` (n_bins + 1,), ``density``, ``below``, ``above``."""

    @property
    def edges(self) -> NDArray[np.float64]:
        """Edges of the bins."""
        low, high = self.facts["range"]
        return np.linspace(low, high, self.counts.shape[-1] + 1)

    @property
    def density(self) -> NDArray[np.float64]:
        """Counts scaled so that their integral over the range is the share that fell into it."""
        total = self.counts.sum(axis=-1) + self["below"] + self["above"]
        width = self.edges[1] - self.edges[0]
        return np.asarray(self.counts / (np.asarray(total)[..., np.newaxis] * width))


class HistogramObserver(ObserverModule):
    """Time in each bin; made by `histogram`."""

    result_type = HistogramResult

    def __init__(self, of: Any, bins: int, limits: tuple[float, float], name: str | None) -> None:
        self.of, self.bins, self.limits = of, bins, limits
        super().__init__("histogram", name=name)

    def signature(self) -> str:
        """All that the hooks are made of."""
        return f"histogram {self.of!r} {self.bins} {self.limits}"

    def validate_stepper(self, stepper: Stepper, spec: ModelSpec) -> None:
        """Refuse what the model does not understand."""
        read_value(self.of, spec, self.label)

    def bind(self, spec: ModelSpec, stepper: Stepper) -> Part:
        """A row for each bin."""
        low, high = self.limits
        hook = (
            HookText("post", hooks.bins_post_OBS)
            if spec.is_map
            else HookText("piece", hooks.bins_piece_OBS)
        )
        return Part(
            outputs=(Output("below"), Output("counts", self.bins), Output("above")),
            texts=(hook,),
            helpers=(single("value"), hooks.add_OBS),
            expressions={"value_values_OBS": (read_value(self.of, spec, self.label),)},
            words={"BINS": self.bins, "LOW": low, "SCALE": self.bins / (high - low)},
            facts={"range": [low, high], "of": str(self.of)},
        )


@checks_keywords
def histogram(
    of: str,
    bins: int,
    range: tuple[float, float],  # noqa: A002
    *,
    name: str | None = None,
) -> HistogramObserver:
    """How long an expression has values in each of so many bins; of a map, how often.

    The time of a step of a flow is shared out over the bins between the values at its ends, as if
    the expression changed evenly in between.  The result has ``counts``, ``edges``, ``density``,
    and ``below`` and ``above`` for what lies outside.

    Parameters
    ----------
    of : str
        State, aux or expression.
    bins : int
        Number of bins.
    range : (float, float)
        Edges of the first and of the last bin.
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
    return HistogramObserver(of, bins, (low, high), name)
