"""How long each phase of making a kernel took, and how much came of it."""

from __future__ import annotations

from time import perf_counter

from dynlib.abi.phases import Phase

__all__ = ["Timings"]


class Timings:
    """A listener that adds up seconds and sizes.

    Attributes
    ----------
    seconds
        Of each phase, without those inside of it.
    sizes
        What was made, by what it is.

    Examples
    --------
    >>> import dynlib
    >>> from dynlib.abi.phases import listening
    >>> with listening(timings := Timings()):
    ...     model = dynlib.build("builtin://map/logistic")
    >>> timings.seconds[Phase.LOAD] > 0
    True
    """

    def __init__(self) -> None:
        self.seconds: dict[Phase, float] = dict.fromkeys(Phase, 0.0)
        self.sizes: dict[str, int] = {}
        self._open: list[Phase] = []
        self._since = 0.0

    def begin(self, which: Phase) -> None:
        """A phase begins; that around it waits."""
        self._count()
        self._open.append(which)

    def end(self, which: Phase) -> None:
        """A phase ends."""
        self._count()
        self._open.pop()

    def tick(self) -> None:
        """Only beginnings and ends count."""

    def note(self, what: str, amount: int) -> None:
        """So much of something was made."""
        self.sizes[what] = self.sizes.get(what, 0) + amount

    def _count(self) -> None:
        now = perf_counter()
        if self._open:
            self.seconds[self._open[-1]] += now - self._since
        self._since = now
