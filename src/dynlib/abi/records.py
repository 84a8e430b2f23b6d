"""Groups of names that travel through templates as one, and cost nothing.

A template that takes the record `run` says ``run.y``; in the text that is compiled this is the
name ``y``.  Those whose names a runner is given as arrays say what arrays these are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Record", "RunnerArg"]


@dataclass(frozen=True)
class RunnerArg:
    """One array argument; `shape` names or numbers its extents (0: known only at run time)."""

    name: str
    kind: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True)
class Record:
    """A named group.

    Attributes
    ----------
    name
        As templates call it.
    what
        A line that explains it.
    args_by_field
        Arrays that the runner is given, by field.
    made
        Further names, which the loop makes, by field.
    """

    name: str
    what: str
    args_by_field: Mapping[str, RunnerArg] = field(default_factory=dict)
    made: Mapping[str, str] = field(default_factory=dict)

    @property
    def args(self) -> tuple[RunnerArg, ...]:
        """Arrays that the runner is given."""
        return tuple(self.args_by_field.values())

    @property
    def fields(self) -> Mapping[str, str]:
        """Names in the text by field, in order."""
        return {**{name: arg.name for name, arg in self.args_by_field.items()}, **self.made}
