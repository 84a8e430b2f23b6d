"""What a fast run keeps: said beforehand, so that everything is allocated before it starts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

from dynlib.errors import OptionError
from dynlib.runtime.validate import integer

__all__ = ["FinalState", "RecordingPlan", "Stride", "TailWindow", "Window", "checked_plan"]


class Window(NamedTuple):
    """Steps of the recorded part of a run that are kept: `first`, `first + stride`, ..."""

    first: int
    stride: int
    rows: int


class RecordingPlan(ABC):
    """Which steps of a run are recorded.

    A plan is a value: two with the same numbers are equal.
    """

    @abstractmethod
    def window(self, n_steps: int) -> Window:
        """The steps that are kept of a recorded part of `n_steps` steps."""

    def capacity(self, n_steps: int) -> int:
        """Rows that a run of `n_steps` steps fills, its start (step 0) included.

        Raises
        ------
        OptionError
            If `n_steps` is no whole number, or below 0.
        """
        return self.window(integer("n_steps", n_steps, least=0)).rows


@dataclass(frozen=True)
class FinalState(RecordingPlan):
    """Keep only the end of each run: one row.

    Of a run that a stop condition or an observer ended early it is that end, at the time
    ``t_final`` of the run.  Where aux variables are recorded too, such a run has no row, but NaN.

    Examples
    --------
    >>> FinalState().capacity(1_000_000)
    1
    """

    def window(self, n_steps: int) -> Window:
        """The last step."""
        return Window(n_steps, 1, 1)


@dataclass(frozen=True)
class Stride(RecordingPlan):
    """Keep the start and every `k`-th step after it.

    Parameters
    ----------
    k : int
        At least 1, which keeps every step.  If it is longer than the run, the start is kept.

    Raises
    ------
    OptionError
        If `k` is no whole number, or below 1.

    Examples
    --------
    >>> Stride(10).capacity(100), Stride(10).capacity(7)
    (11, 1)
    """

    k: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", integer("Stride: k", self.k, least=1))

    def window(self, n_steps: int) -> Window:
        """Steps 0, k, 2k, ..."""
        return Window(0, self.k, n_steps // self.k + 1)


@dataclass(frozen=True)
class TailWindow(RecordingPlan):
    """Keep the last `n` rows, `k` steps apart; the last one is the end that was asked for.

    Only the window is allocated.  Of a run that is shorter than the window as much is kept as
    there is.  A run that a stop condition or an observer ends early leaves only those of these
    rows that it got to, and NaN in the others: none, if it ended before the window.

    Parameters
    ----------
    n : int
        Rows, at least 1.
    k : int
        Steps from one row to the next, at least 1.

    Raises
    ------
    OptionError
        If `n` or `k` is no whole number, or below 1.

    Examples
    --------
    >>> TailWindow(100).capacity(600), TailWindow(100).capacity(20)
    (100, 21)
    """

    n: int
    k: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "n", integer("TailWindow: n", self.n, least=1))
        object.__setattr__(self, "k", integer("TailWindow: k", self.k, least=1))

    def window(self, n_steps: int) -> Window:
        """Steps N - (n-1)k, ..., N - k, N."""
        rows = min(self.n, n_steps // self.k + 1)
        return Window(n_steps - (rows - 1) * self.k, self.k, rows)


def checked_plan(plan: object) -> RecordingPlan:
    """The plan itself, or an error message about what should be one."""
    if isinstance(plan, RecordingPlan):
        return plan
    if isinstance(plan, type) and issubclass(plan, RecordingPlan):
        raise OptionError(f"plan is the class {plan.__name__}; call it: {plan.__name__}(...).")
    raise OptionError(
        f"plan must be FinalState(), Stride(k) or TailWindow(n, k) of dynlib.plans, found {plan!r}."
    )
