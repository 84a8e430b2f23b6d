"""The list in which the problems of a document are gathered."""

from collections.abc import Iterable

from dynlib.dsl.work import Work
from dynlib.errors import Issue

MOST = 100


class TooManyIssues(Exception):
    """There are so many problems that looking for more helps nobody."""


class Issues(list[Issue]):
    """Problems, at most `MOST` of them: the next one raises `TooManyIssues`.

    It also counts the work that looking for them is; see `dynlib.dsl.work`.

    Parameters
    ----------
    work : Work, optional
        That of the document; by default a new one.
    """

    def __init__(self, work: Work | None = None) -> None:
        super().__init__()
        self.work = work or Work()

    def append(self, issue: Issue) -> None:
        """Note a problem."""
        self.extend([issue])

    def extend(self, issues: Iterable[Issue]) -> None:
        """Note several problems."""
        for issue in issues:
            if len(self) >= MOST:
                raise TooManyIssues
            super().append(issue)
