"""Split a block of statements into statements, each with its place in the block."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dynlib.dsl.document import Item
from dynlib.dsl.issues import Issues
from dynlib.errors import Issue

_COMMENT = re.compile(r"#[^\n]*")
_ASSIGN = re.compile(r"(\+|-|\*\*|\*|//|/|%|\^)?=")
_BRACKETS = re.compile(r"[()\[\]{}\n;]")
_BEGINS = re.compile(r"[ \t]*(?:\w+|d[ \t]*\([ \t]*\w+[ \t]*\))[ \t]*[-+*/%^]{0,2}=(?!=)")


@dataclass(frozen=True, eq=False)
class Piece:
    """Part of a string value: a name or an expression, and where it begins.

    Parameters
    ----------
    text : str
        The characters, comments and line breaks replaced by spaces.
    item : Item
        The string it is part of, or the entry whose key it is.
    start : int or None
        Offset in the string; None means that the piece is the key (or a whole number).
    """

    text: str
    item: Item
    start: int | None = 0

    @property
    def tidy(self) -> str:
        """The text with each run of blanks as one, to be shown on one line."""
        return " ".join(self.text.split())

    def issue(self, message: str, hint: str = "", start: int = 0, end: int | None = None) -> Issue:
        """Return a problem that points at the characters ``start:end`` of the piece."""
        if self.start is None:
            return self.item.key_issue(message, hint)
        if not isinstance(self.item.value, str):
            return self.item.issue(message, hint)
        end = len(self.text) if end is None else end
        return self.item.text_issue(message, hint, self.start + start, self.start + end)

    def cut(self, start: int, end: int) -> "Piece":
        """Return part of the piece without the blanks around it."""
        text = self.text[start:end]
        start += len(text) - len(text.lstrip())
        return Piece(text.strip(), self.item, (self.start or 0) + start)


@dataclass(frozen=True, eq=False)
class Statement:
    """``target op= value``; ``op`` is empty for a plain assignment."""

    target: Piece
    op: str
    value: Piece


def formula(item: Item) -> Piece:
    """Return a string value (or a number) as an expression."""
    if not isinstance(item.value, str):
        return Piece(repr(item.value), item)
    blank = _COMMENT.sub(lambda found: " " * len(found.group()), item.value)
    return Piece(re.sub(r"\s", " ", blank), item).cut(0, len(blank))


def statements(item: Item, issues: Issues, *, semicolons: bool) -> list[Statement]:
    """Split a block string; a line that is no assignment is noted as a problem.

    Lines end at line breaks outside of brackets, and at ``;`` where ``semicolons`` says so.  A line
    that begins like a statement is one, so that a bracket left open spoils its own line only.
    """
    text = _COMMENT.sub(lambda found: " " * len(found.group()), item.value)
    found = []
    for start, end in _lines(text, semicolons):
        line = Piece(re.sub(r"\s", " ", text[start:end]), item, start).cut(0, end - start)
        if not line.text:
            continue
        statement = _split(line)
        if statement is None:
            issues.append(line.issue("this is no statement", _statement_hint(line.text)))
        else:
            found.append(statement)
    return found


def _lines(text: str, semicolons: bool) -> Iterator[tuple[int, int]]:
    depth = start = 0
    for found in _BRACKETS.finditer(text):
        token = found.group()
        if token in "([{":
            depth += 1
        elif token in ")]}":
            depth = max(0, depth - 1)
        elif semicolons if token == ";" else not depth or _BEGINS.match(text, found.end()):
            yield start, found.start()
            start, depth = found.end(), 0
    yield start, len(text)


def _split(line: Piece) -> Statement | None:
    text = line.text
    for found in _ASSIGN.finditer(text):
        at = found.start()
        double = text[found.end() : found.end() + 1] == "="
        if double or (found[1] is None and text[at - 1 : at] in ("<", ">", "!", "=")):
            return None
        target, value = line.cut(0, at), line.cut(found.end(), len(text))
        return Statement(target, found[1] or "", value)
    return None


def _statement_hint(text: str) -> str:
    if "==" in text:
        return "A statement assigns with a single '=', as in x = a*x."
    return "Each line reads: name = expression. An expression goes on in the next line in brackets."
