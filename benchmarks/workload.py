"""What a benchmark is: a workload, the sides that do it, and the goals that compare them.

This file is read by every side, the peers' environments included, so it imports the standard
library only.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

Task = Callable[[], object]
Prepare = Callable[[], Task]

OURS = "ours"
PEER = "dynlib 0.42"


@dataclass(frozen=True)
class Side:
    """One contender: `prepare` does all that is not measured and returns what is."""

    name: str
    prepare: Prepare
    environment: str
    measures_itself: bool = False


@dataclass(frozen=True)
class Goal:
    """`side` takes at most `limit` times what `of` takes, or `limit` units where `of` is empty."""

    side: str
    limit: float
    of: str = ""


@dataclass
class Workload:
    """A task, its unit, and who does it.

    Parameters
    ----------
    key, title
        The name on the command line, and one line of description.
    unit, scale
        The unit of the printed numbers; one second is `scale` units.
    repeats
        Measurements of each side; the median counts.
    """

    key: str
    title: str
    unit: str
    scale: float
    repeats: int = 7
    sides: dict[str, Side] = field(default_factory=dict)
    goals: list[Goal] = field(default_factory=list)

    def side(
        self, name: str, environment: str = OURS, *, measures_itself: bool = False
    ) -> Callable[[Prepare], Prepare]:
        """Register a function that prepares one side and returns the task to be timed.

        A side that `measures_itself` returns seconds from its task, for work whose beginning the
        caller cannot see (a new process).
        """

        def register(prepare: Prepare) -> Prepare:
            self.sides[name] = Side(name, prepare, environment, measures_itself)
            return prepare

        return register

    def goal(self, side: str, limit: float, of: str = "") -> None:
        """Demand at most `limit` times what side `of` needs, or at most `limit` units."""
        self.goals.append(Goal(side, limit, of))
