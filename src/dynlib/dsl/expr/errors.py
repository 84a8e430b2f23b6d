"""The one error of this package: what is wrong with an expression, and where in its text."""

from __future__ import annotations

from typing import Any

from dynlib.errors import DynlibError


class ExprError(DynlibError, ValueError):
    """An expression cannot be read, bound or used.

    Parameters
    ----------
    message : str
        What is wrong, in one sentence without a full stop.
    start, end : int
        The offending characters, as offsets into the text of the expression (``end`` exclusive).
    hint : str
        What is accepted, or the likely fix; may be empty.
    more : tuple of ExprError
        Further problems of the same expression.

    Attributes
    ----------
    errors : tuple of ExprError
        This problem and all further ones, in the order of the text.
    """

    def __init__(
        self,
        message: str,
        start: int = 0,
        end: int = 0,
        hint: str = "",
        more: tuple[ExprError, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message, self.start, self.end, self.hint, self.more = message, start, end, hint, more

    @property
    def errors(self) -> tuple[ExprError, ...]:
        """All problems, this one first."""
        return (self, *self.more)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.message, self.start, self.end, self.hint, self.more))

    def render(self, text: str) -> str:
        """Return the problems as text, each with the line of ``text`` it is in and a caret.

        Examples
        --------
        >>> print(ExprError("unknown name 'yy'", 4, 6).render("x - yy"))
        x - yy
            ^^ unknown name 'yy'
        """
        return "\n".join(error._render_one(text) for error in self.errors)

    def _render_one(self, text: str) -> str:
        first = text.rfind("\n", 0, self.start) + 1
        last = text.find("\n", self.start)
        line = text[first : last if last >= 0 else len(text)]
        carets = "^" * max(1, min(self.end, first + len(line)) - self.start)
        shown = f"{line}\n{' ' * (self.start - first)}{carets} {self.message}"
        return f"{shown}\n  {self.hint}" if self.hint else shown
