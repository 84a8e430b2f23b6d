"""The list in which the problems of a document are gathered."""

from collections.abc import Iterable

from dynlib.errors import Issue

MOST = 100


class TooManyIssues(Exception):
    """There are so many problems that looking for more helps nobody."""


class Issues(list[Issue]):
    """Problems, at most `MOST` of them: the next one raises `TooManyIssues`."""

    def append(self, issue: Issue) -> None:
        """Note a problem."""
        self.extend([issue])

    def extend(self, issues: Iterable[Issue]) -> None:
        """Note several problems."""
        for issue in issues:
            if len(self) >= MOST:
                raise TooManyIssues
            super().append(issue)
