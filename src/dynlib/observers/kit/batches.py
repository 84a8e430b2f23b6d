"""Batch means: the standard error of an average, from the scatter of parts of the run.

Neighbouring values of a trajectory depend on each other; sums over long enough batches of them
hardly do (Law, Simulation Modeling and Analysis, chapter 9).  How long that is need not be known
beforehand: when all batches are full, neighbours are joined, and new ones are twice as long, so
that there are always between half of `most` and `most` of them (dynamic batch means; Yeh,
Schmeiser, Oper. Res. Lett. 27 (2000) 139).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dynlib.observers.kit import batches_hooks as hooks
from dynlib.observers.kit.part import HookText

__all__ = ["MOST", "SHORTEST", "Batches", "positions"]

MOST = 128
"""Batches before neighbours are joined: the standard error itself is then known to a quarter."""

SHORTEST = 32
"""Steps of the shortest batch of an average over time, or over iterates."""

_FIXED = 5  # rows before those of sums and spans


@dataclass(frozen=True)
class Batches:
    """Rows of the workspace in which batches are kept, and the text that fills them.

    ``fill_OBS(t, lane, analysis_ws, analysis_out)`` is called once in a while, and closes a batch
    at `t` when it is long enough; ``error_OBS(j, weight, lane, analysis_ws)`` is the standard error
    of the mean rate of sum `j`, NaN while there are fewer than seven batches.

    Attributes
    ----------
    sums
        Sums of which there is an error.
    row
        First row of the workspace that is free.  The observer's ordinary rows end with
        `changing` ones from there; `lasting` ones follow.
    most
        Batches before neighbours are joined.
    even
        Whether all batches but the first last equally long; their spans need no rows then, but
        the observer a row BEGAN.
    dropped
        Batches at the start that are left out.
    running
        First of as many neighbouring rows that hold running sums, whose increase is what a batch
        takes; None if the observer has a ``take_OBS(j, lane, analysis_ws, analysis_out)`` of its
        own, which returns what sum `j` has gained since the last batch.
    counted
        Whether `t` is no time, but a number of what has been met since the start.
    piece
        A ``piece_OBS(j, weight, b, lane, analysis_ws)`` of the observer's own: what batch `b`
        is to count as, if not as sum `j` alone.
    """

    sums: int
    row: int
    most: int = MOST
    even: bool = False
    dropped: int = 0
    running: int | None = None
    counted: bool = False
    piece: Callable[..., Any] | str = hooks.piece_OBS

    @property
    def changing(self) -> int:
        """Ordinary rows of the workspace."""
        return _FIXED + (1 if self.even else 0) + (0 if self.running is None else self.sums)

    @property
    def lasting(self) -> int:
        """Rows that last: two for each batch, since those that are joined go to the other side.

        It takes more than 256 steps to be back.
        """
        return 2 * self.most * (self.sums + (0 if self.even else 1)) + self.most

    @property
    def places(self) -> dict[str, int]:
        """Rows of the workspace, by the names that hooks have for them."""
        names = ["FILLED", "LENGTH", "COUNT", "CUT", "SIDE"]
        names += ["SPANS"] if self.even else []
        names += [] if self.running is None else ["TAKEN"]
        places = {name: self.row + i for i, name in enumerate(names)}
        places["OFF"] = self.row + self.changing
        places["SUMS"] = places["OFF"] + self.most
        if not self.even:
            places["SPANS"] = places["SUMS"] + 2 * self.most * self.sums
        return places if self.running is None else {**places, "RUN": self.running}

    @property
    def words(self) -> dict[str, int]:
        """Numbers that hooks have words for."""
        return {"MOST": self.most, "SUMMED": self.sums, "DROPPED": self.dropped}

    @property
    def flags(self) -> dict[str, bool]:
        """Flags of the hooks; where TARGETED is set, ``target_OBS`` is called for each batch."""
        return {"EVEN": self.even, "COUNTED": self.counted, "TARGETED": False}

    @property
    def helpers(self) -> tuple[Callable[..., Any] | str, ...]:
        """Functions that hooks call."""
        own = () if self.running is None else (hooks.take_OBS,)
        common = (
            hooks.empty_OBS, hooks.side_OBS, hooks.count_OBS, hooks.place_OBS, hooks.span_OBS,
            hooks.windows_OBS, hooks.pick_OBS, hooks.error_OBS, hooks.halve_OBS, hooks.join_OBS,
            hooks.fill_OBS,
        )  # fmt: skip
        return (self.piece, *own, *common)

    @property
    def begin(self) -> HookText:
        """The hook that begins the first batch of running sums."""
        return HookText("start", hooks.open_OBS)

    def closing(self, every: int) -> HookText:
        """The hook that may close a batch every so many steps."""
        return HookText("every", hooks.batch_OBS, every)

    def texts(self, every: int) -> tuple[HookText, ...]:
        """Both of them."""
        return (self.begin, self.closing(every))


def positions(places: Mapping[str, int], words: Mapping[str, Any]) -> dict[int, int]:
    """Rows of an observer by which its hooks index, and the largest number of each; least is 0.

    Parameters
    ----------
    places, words
        Of its `Part`.

    Examples
    --------
    >>> batches = Batches(1, 4, most=32)
    >>> positions(batches.places, batches.words)
    {6: 31, 8: 1}
    >>> positions({}, {})
    {}
    """
    if "SIDE" not in places:
        return {}
    return {places["COUNT"]: words["MOST"] - 1, places["SIDE"]: 1}
