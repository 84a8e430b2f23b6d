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
    """One contender: `prepare` does all that is not measured and returns what is.

    What it measures counts as `share` of the workload: a slow peer does a sample of it.
    `threads` says how many it uses, since their processor time adds up.
    """

    name: str
    prepare: Prepare
    environment: str
    measures_itself: bool = False
    share: float = 1.0
    threads: int = 1


@dataclass(frozen=True)
class Goal:
    """`side` takes at most `limit` times what the best of `of` takes.

    Where `of` is empty, `limit` is in the workload's unit.
    """

    side: str
    limit: float
    of: tuple[str, ...] = ()


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
        self,
        name: str,
        environment: str = OURS,
        *,
        measures_itself: bool = False,
        share: float = 1.0,
        threads: int = 1,
    ) -> Callable[[Prepare], Prepare]:
        """Register a function that prepares one side and returns the task to be timed.

        A side that `measures_itself` returns what it measured from its task, in seconds (or in
        the workload's unit, where `scale` is 1), for what the caller cannot see: the beginning of
        a new process, or its memory.  If it knows processor time too, it returns a dict of
        ``wall`` and ``cpu``.
        """

        def register(prepare: Prepare) -> Prepare:
            self.sides[name] = Side(name, prepare, environment, measures_itself, share, threads)
            return prepare

        return register

    def goal(self, side: str, limit: float, *, of: str | tuple[str, ...] = ()) -> None:
        """Demand at most `limit` times what the best of the sides `of` needs, or `limit` units."""
        self.goals.append(Goal(side, limit, (of,) if isinstance(of, str) else of))
