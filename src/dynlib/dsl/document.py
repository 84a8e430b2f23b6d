"""A model document: values that know where they were written."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Integral, Real
from typing import Any

from dynlib.dsl.positions import Mark, Path, decode, scan
from dynlib.dsl.work import LOAD_VARIABLE, Work, how_to_raise
from dynlib.errors import Issue, ModelLoadError, Span

DEEPEST = 24  # levels of nesting, far more than any model has


@dataclass(eq=False)
class Document:
    """A text (or a dict) with a name, and the places of its parts.

    Parameters
    ----------
    label : str
        How messages name it.
    text : str or None
        The TOML text; None for a document that came as a dict.
    """

    label: str
    text: str | None = None

    @cached_property
    def marks(self) -> dict[Path, Mark]:
        """The places of all keys and values; scanned on first use, which is often never."""
        return scan(self.text) if self.text is not None else {}

    @cached_property
    def line_starts(self) -> list[int]:
        """The offset of each line."""
        text = self.text or ""
        return [0, *(found.end() for found in re.finditer("\n", text))]

    @cached_property
    def places(self) -> dict[Path, list[int]]:
        """For strings that were pointed into: the offset of each of their characters."""
        return {}

    def places_in(self, path: Path) -> list[int] | None:
        """Return the offset in the text of each character of a string value."""
        mark = self.marks.get(path)
        if self.text is None or mark is None or mark.value is None:
            return None
        if path not in self.places:
            first, last = mark.value
            self.places[path] = [first + at for at in decode(self.text[first:last])[1]]
        return self.places[path]

    def span(self, start: int, end: int) -> Span:
        """Return the piece of the text between two offsets, cut at the end of its first line."""
        text = self.text or ""
        start = min(start, len(text))
        line = bisect_right(self.line_starts, start)
        first = self.line_starts[line - 1]
        stop = text.find("\n", first)
        source = text[first : stop if stop >= 0 else len(text)]
        length = max(1, min(end - start, len(source) - (start - first)))
        return Span(line, start - first + 1, length, source)

    def load_error(self, message: str, hint: str = "", span: Span | None = None) -> ModelLoadError:
        """Return the error of a document that cannot be read at all."""
        return ModelLoadError([Issue("", message, hint, span, self.label)], self.label)

    def too_much(self, work: Work) -> ModelLoadError:
        """Return the error of a document whose reading is more work than the limit allows."""
        return self.load_error(
            f"reading this model is too much work: {work.done:,} units or more; "
            f"the limit is {work.limit:,}",
            "The reason may be thousands of equations or events, long sums in constants, or "
            "functions that call functions many times over.\n"
            + how_to_raise(LOAD_VARIABLE, 10 * work.limit),
        )


@dataclass(frozen=True, eq=False)
class Item:
    """One value of a document.

    Parameters
    ----------
    value : object
        A number, string, bool, date; a tuple of items; or a dict of items by key.
    path : tuple
        Keys and list indices that lead to it.
    document : Document
        What it was read from.
    """

    value: Any
    path: Path
    document: Document = field(repr=False)

    @property
    def is_table(self) -> bool:
        """Whether the value is a table."""
        return isinstance(self.value, dict)

    @property
    def key(self) -> str:
        """The last key of the path."""
        return str(self.path[-1]) if self.path else ""

    @property
    def where(self) -> str:
        """The place as people write it: ``[sim] dt``, or ``sim.dt`` in a dict."""
        return place(self.path, table=self.is_table, dotted=self.document.text is None)

    def __iter__(self) -> "Iterator[Item]":
        return iter(self.value.values() if self.is_table else self.value)

    def get(self, key: str) -> "Item | None":
        """Return the entry of a table, or None."""
        found = self.value.get(key)
        return found if isinstance(found, Item) else None

    def issue(self, message: str, hint: str = "") -> Issue:
        """Return a problem that points at the value."""
        mark = self._mark()
        span = self.document.span(*(mark.value or mark.key)) if mark else None
        return Issue(self.where, message, hint, span, self.document.label)

    def key_issue(self, message: str, hint: str = "") -> Issue:
        """Return a problem that points at the key."""
        mark = self._mark()
        span = self.document.span(*mark.key) if mark else None
        return Issue(self.where, message, hint, span, self.document.label)

    def text_issue(self, message: str, hint: str, start: int, end: int) -> Issue:
        """Return a problem that points into a string value, at decoded offsets."""
        span = self._text_span(start, max(end, start + 1))
        return Issue(self.where, message, hint, span, self.document.label)

    def _mark(self) -> Mark | None:
        marks, path = self.document.marks, self.path
        while path and path not in marks:
            path = path[:-1]
        return marks.get(path)

    def _text_span(self, start: int, end: int) -> Span:
        places = self.document.places_in(self.path)
        if places is None:
            return _span_in_string(str(self.value), start, end)
        last = len(places) - 1
        return self.document.span(places[min(start, last)], places[min(end, last)])


def _span_in_string(text: str, start: int, end: int) -> Span:
    first = text.rfind("\n", 0, start) + 1
    stop = text.find("\n", first)
    source = text[first : stop if stop >= 0 else len(text)]
    return Span(0, start - first + 1, max(1, min(end, first + len(source)) - start), source)


def place(path: Path, *, table: bool = False, dotted: bool = False) -> str:
    """Return a path as people write it: ``[events.spike] log[0]`` or ``events.spike.log[0]``."""
    cut = next((k for k, part in enumerate(path) if isinstance(part, int)), len(path))
    keys, indices = [str(key) for key in path[:cut]], path[cut:]
    tail = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in indices)
    if dotted:
        return ".".join(keys) + tail
    if not keys:
        return ""
    if table and not tail:
        return f"[{'.'.join(keys)}]"
    head = f"[{'.'.join(keys[:-1])}] " if len(keys) > 1 else ""
    return head + keys[-1] + tail


def read_dict(data: Mapping[str, Any], label: str = "<dict>") -> Item:
    """Return the root table of a model that is given as a dict.

    Raises
    ------
    ModelLoadError
        A key is not a string, or a value has a type that TOML does not know.
    """
    return to_item(data, Document(label))


def to_item(data: Mapping[str, Any], document: Document) -> Item:
    """Wrap nested dicts and lists into items."""
    issues: list[Issue] = []
    item = _wrap(data, (), document, issues)
    if issues:
        raise ModelLoadError(issues, document.label)
    return item


def _wrap(value: Any, path: Path, document: Document, issues: list[Issue]) -> Item:
    if isinstance(value, Mapping | list | tuple):
        if len(path) > DEEPEST:
            issues.append(Item(0, path, document).key_issue("the values are nested too deeply"))
            return Item(0, path, document)
        if isinstance(value, Mapping):
            return Item(_wrap_table(value, path, document, issues), path, document)
        rows = [_wrap(each, (*path, k), document, issues) for k, each in enumerate(value)]
        return Item(tuple(rows), path, document)
    plain = value if document.text is not None else _plain(value)
    if plain is None:
        kind = type(value).__name__
        issues.append(
            Item(0, path, document).issue(
                f"a value of type {kind} cannot stand in a model",
                "Accepted: numbers, strings, booleans, lists and dicts of these.",
            )
        )
    return Item(plain, path, document)


def _wrap_table(
    table: Mapping[Any, Any], path: Path, document: Document, issues: list[Issue]
) -> dict[str, Item]:
    wrapped = {}
    for key, value in table.items():
        if isinstance(key, str) and key.isprintable():
            wrapped[key] = _wrap(value, (*path, key), document, issues)
        else:
            where = Item({}, path, document)
            issues.append(where.issue(f"the key {key!r} is not a printable string"))
    return wrapped


def _plain(value: Any) -> Any:
    """Return a value as TOML would have given it, or None."""
    if isinstance(value, str):
        return value if _encodable(value) else None
    if isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"):
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else None


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
