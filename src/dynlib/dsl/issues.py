"""The list in which the problems of a document are gathered."""

import time
from collections.abc import Iterable

from dynlib.errors import Issue

MOST = 100
PATIENCE = 60.0  # seconds


class TooManyIssues(Exception):
    """There are so many problems that looking for more helps nobody."""


class TooSlow(Exception):
    """Reading the document takes longer than anybody waits."""


class Issues(list[Issue]):
    """Problems, at most `MOST` of them: the next one raises `TooManyIssues`.

    It also keeps the time.  Every single expression is limited in size, so looking at the clock
    between two of them is enough for no document to hold up its reader.
    """

    def __init__(self) -> None:
        super().__init__()
        self.start = time.monotonic()

    def keep_time(self) -> None:
        """Raise `TooSlow` if more than `PATIENCE` seconds have passed."""
        if time.monotonic() - self.start > PATIENCE:
            raise TooSlow

    def append(self, issue: Issue) -> None:
        """Note a problem."""
        self.extend([issue])

    def extend(self, issues: Iterable[Issue]) -> None:
        """Note several problems."""
        for issue in issues:
            if len(self) >= MOST:
                raise TooManyIssues
            super().append(issue)
