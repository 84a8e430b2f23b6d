"""How much an observer's trace keeps."""

from __future__ import annotations

from dataclasses import dataclass

from dynlib.errors import OptionError

__all__ = ["EveryStep", "Hits", "Tail", "TracePlan", "capacity", "checked_trace_plan"]

_FIRST_ROWS = 1024  # of a trace that grows


class TracePlan:
    """Which rows of a trace are kept.

    Attributes
    ----------
    stride : int
        Steps from one row to the next, for observers that write one every so many steps.
    most : int or None
        Rows after which the run ends with `TRACE_OVERFLOW`; None: as many as there are.
    last : int or None
        Only so many of the last rows are kept; None: all.
    """

    stride: int = 1
    most: int | None = None
    last: int | None = None


@dataclass(frozen=True)
class EveryStep(TracePlan):
    """Keep a row every `k` steps.

    Examples
    --------
    >>> EveryStep(10).stride
    10
    """

    k: int = 1

    def __post_init__(self) -> None:
        _whole("EveryStep: k", self.k)

    @property
    def stride(self) -> int:  # type: ignore[override]
        """Steps from one row to the next."""
        return self.k


@dataclass(frozen=True)
class Tail(TracePlan):
    """Keep the last `n` rows, `k` steps apart where the observer writes them by steps."""

    n: int
    k: int = 1

    def __post_init__(self) -> None:
        _whole("Tail: n", self.n)
        _whole("Tail: k", self.k)

    @property
    def stride(self) -> int:  # type: ignore[override]
        """Steps from one row to the next."""
        return self.k

    @property
    def last(self) -> int:  # type: ignore[override]
        """Rows that are kept."""
        return self.n


@dataclass(frozen=True)
class Hits(TracePlan):
    """Keep at most `max_hits` rows; a run that has more ends there with `TRACE_OVERFLOW`."""

    max_hits: int

    def __post_init__(self) -> None:
        _whole("Hits: max_hits", self.max_hits)

    @property
    def most(self) -> int:  # type: ignore[override]
        """Rows after which the run ends."""
        return self.max_hits


def _whole(what: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise OptionError(f"{what} must be a whole number, at least 1; found {value!r}.")


def capacity(plan: TracePlan, steps: int | None) -> tuple[int, int, int]:
    """Rows before a trace needs room; how many of the last are kept (0: all); rows given back."""
    if plan.most is not None:
        return plan.most, 0, plan.most
    if plan.last is not None:
        return 2 * plan.last, plan.last, plan.last
    rows = _FIRST_ROWS if steps is None else steps // plan.stride + 2
    return rows, 0, rows


def checked_trace_plan(plan: object) -> TracePlan:
    """The plan itself, or an error message about what should be one."""
    if isinstance(plan, TracePlan):
        return plan
    if isinstance(plan, type) and issubclass(plan, TracePlan):
        raise OptionError(f"the plan of a trace is the class {plan.__name__}; call it.")
    raise OptionError(
        "the plan of a trace must be EveryStep(k), Tail(n, k) or Hits(max_hits) of dynlib.plans, "
        f"found {plan!r}."
    )
