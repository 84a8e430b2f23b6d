"""What the attempts of a method cost, and how they fail: names for the numbers of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from dynlib.steppers.base import Stepper

__all__ = ["Costs", "RunStats"]


class RunStats(NamedTuple):
    """Cost of a run: committed and rejected steps, evaluations of the right-hand side, seconds.

    A step of a grid that events cut is one step; its evaluations are those of all its parts.
    `counters` is what the method counts besides, by name: Jacobians, say, or attempts that failed.
    """

    steps: int
    rejected: int
    evaluations: int
    seconds: float
    counters: Mapping[str, int] = {}


@dataclass(frozen=True)
class Costs:
    """What is known of a method without its package, for results.

    Attributes
    ----------
    evaluations
        Of the right-hand side in each attempt, where they are not counted.
    counters
        Names of what is counted.
    failures
        Why an attempt may fail, in words.
    """

    evaluations: int
    counters: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()

    @classmethod
    def of(cls, stepper: Stepper) -> Costs:
        """Those of a stepper."""
        counters = tuple(counter.name for counter in stepper.counted)
        return cls(stepper.evaluations, counters, stepper.failures)

    @property
    def noted(self) -> bool:
        """Whether there are numbers besides those of all methods."""
        return bool(self.counters)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of these numbers in files: the failure that ended a run, what was counted."""
        return ("failure", *(f"counted_{name}" for name in self.counters)) if self.noted else ()

    def evaluated(self, attempts: int, counts: Sequence[int]) -> tuple[int, dict[str, int]]:
        """Evaluations, and what was counted besides."""
        found = dict(zip(self.counters, map(int, counts), strict=True))
        return found.pop("evaluations", attempts * self.evaluations), found

    def failure(self, code: int) -> str:
        """Why the last attempt failed, in words; ``""`` if it did not."""
        return self.failures[code - 1] if 1 <= code <= len(self.failures) else ""

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for files."""
        return {
            "evaluations": self.evaluations,
            "counters": list(self.counters),
            "failures": list(self.failures),
        }
