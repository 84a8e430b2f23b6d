"""Hits of a section, one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from dynlib.observers.kit.result import Check, ObserverResult

__all__ = ["HitsResult"]


class HitsResult(ObserverResult):
    """Hits: ``o.t``, ``o["x"]``, ``o.count``; ``o.return_map("x")`` for one against the next."""

    whole = frozenset({"count", "missed", "bursts"})

    def __getattr__(self, name: str) -> Any:
        if name in self.__dict__.get("columns", ()):
            return self[name]
        return super().__getattr__(name)

    @property
    def t(self) -> Any:
        """Times of the hits that were kept; in a batch (n_runs, n_rows), NaN after the last."""
        return self.trace_time

    def return_map(self, name: str) -> tuple[Any, Any]:
        """Values at hits that have a successor, and at the hits that follow them.

        Parameters
        ----------
        name : str
            A recorded quantity.

        Returns
        -------
        now, following : array, shape (n_hits - 1,)
            In a batch (n_runs, n_rows - 1).

        Examples
        --------
        >>> from dynlib import setup
        >>> from dynlib.observers import poincare
        >>> sim = setup("builtin://ode/harmonic", jit=False)
        >>> found = sim.run(T=20, dt=0.1, observers=[poincare("x")]).observers["poincare"]
        >>> now, following = found.return_map("v")
        >>> len(found.t), len(now)
        (3, 2)
        """
        values = self[name]
        return values[..., :-1], values[..., 1:]

    def _checks(self) -> Iterable[Check]:
        """Whether the section was never met, or hits were left out."""
        what = self.facts.get("what", "the section")
        if "count" in self:
            never = np.asarray(self["count"]) == 0
            yield Check(never, lambda run: f"{what} was never met.")
        if "missed" in self:
            missed = np.asarray(self["missed"]) > 0
            sentence = "steps are longer than 16 periods, so that hits were left out."
            yield Check(missed, lambda run: sentence)

    def _lines(self) -> list[str]:
        lines = super()._lines()
        if self.n_runs is not None:
            met = np.asarray(self["count"]) > 0
            lines.append(f"met in {int(met.sum())} runs")
        return lines
