"""Where tangent vectors lie in the workspace of observers."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

from dynlib.steppers.base import Stepper

__all__ = ["TangentLayout"]

_MOST_IN_PACKS = 8
_MOST_UNROLLED = 40  # components of an extended state that is written out as a whole


@dataclass(frozen=True)
class TangentLayout:
    """Rows of `vectors` tangent vectors and of what the stepper carries for them.

    The first rows of the workspace are the vectors, one after the other, then their part of the
    stepper's memory; rows of the same layout follow, in which an attempt leaves what it will be
    if the step is taken, and, of an adaptive stepper, a row for the error of each group, and one
    (`heed`) that tells vectors which take steps of their own to end, as after Ctrl-C.  Where events
    are `chained`, rows follow for the last instant at which one acted (`instant`), and for how much
    later the neighbour along each vector comes to it (`shift`).

    Vectors are stepped in groups: the text of one group, an extended state of ``n * (1 + size)``
    components, is written out, and a loop runs over the groups.

    Attributes
    ----------
    n
        Number of states.
    vectors
        Number of tangent vectors.
    stepper
        The method.
    sets
        How many of them each observer has, if there are several.
    in_place
        Whether every attempt is a step, so that a vector's next value may take its place at once.
    in_packs
        Whether they go through the run loop in packs, one for each component, and are in the
        workspace only while hooks look at them, and while the loop is left.
    chained
        Whether one event may bring another one about (`Layout.chained`).
    """

    n: int
    vectors: int
    stepper: Stepper
    sets: tuple[int, ...] = ()
    in_place: bool = False
    in_packs: bool = False
    chained: bool = False

    @property
    def size(self) -> int:
        """Vectors of a group: the largest divisor that keeps the text short.

        Where groups may have to be stepped by themselves, all vectors of one are of one observer.
        """
        common = gcd(self.vectors, *self.sets) if self.refined else self.vectors
        fitting = [
            c
            for c in range(1, common + 1)
            if common % c == 0 and self.n * (1 + c) <= _MOST_UNROLLED
        ]
        return max(fitting, default=1)

    @property
    def refined(self) -> bool:
        """Whether vectors may need shorter steps than the states (`TangentRefinement`)."""
        return self.stepper.adaptive

    @property
    def packable(self) -> bool:
        """Whether packs hold them, and are all that a step needs and changes."""
        short = self.vectors <= _MOST_IN_PACKS and 2 * self.n <= _MOST_UNROLLED
        plain = not (any(self.stepper.memory) or self.stepper.noted)
        return self.in_place and short and plain

    @property
    def groups(self) -> int:
        """Number of groups."""
        return self.vectors // self.size

    @property
    def group_rows(self) -> int:
        """Components of a group."""
        return self.size * self.n

    @property
    def group_memory(self) -> int:
        """Rows of the memory of a group."""
        return self.stepper.memory[0] * self.group_rows

    @property
    def memory(self) -> int:
        """First row of the memory."""
        return self.vectors * self.n

    @property
    def pending(self) -> int:
        """First row of what the attempted step leads to; so many rows lie before it."""
        return self.memory + self.groups * self.group_memory

    @property
    def errors(self) -> int:
        """First row of the errors."""
        return 2 * self.pending

    @property
    def rows(self) -> int:
        """Rows in all."""
        return self.shift + self.vectors if self.chained else self.instant

    @property
    def heed(self) -> int | None:
        """The row that tells vectors to end."""
        return self.errors + self.groups if self.refined else None

    @property
    def instant(self) -> int:
        """The row with the time of the last instant at which an event acted."""
        return self.errors if self.heed is None else self.heed + 1

    @property
    def shift(self) -> int:
        """First row of how much later than the trajectory neighbours come to that instant."""
        return self.instant + 1
