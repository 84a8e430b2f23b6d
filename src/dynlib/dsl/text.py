"""Read TOML text, and say in plain words why a text is not TOML."""

import re
import tomllib
from collections.abc import Callable

from dynlib.dsl.document import Document, Item, to_item
from dynlib.dsl.work import TooMuchWork, Work, load_work
from dynlib.errors import ModelLoadError, Span

_MANY_DOTS = re.compile(
    r"""(?<![\w-])(?:(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){24}"""
)
_PLACE = re.compile(r" ?\(at (?:line (\d+), column (\d+)|end of document)\)$")
_TWICE = re.compile(r"Cannot declare (\(.*\)) twice")
_ODD_TABLE = re.compile(r"^\s*\[[^\"'\]]*[^\x00-\x7f]")
_HEADER = re.compile(r"#!([^\n]*)")


def read_text(text: str, label: str, work: Work | None = None) -> Item:
    """Return the root table of a TOML text.

    Parameters
    ----------
    text, label : str
        The text, and how messages name it.
    work : Work, optional
        Where reading is counted.

    Raises
    ------
    ModelLoadError
        The text is not TOML, or too long, or says that it is for another program; the message has
        the place.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    document = Document(label, text)
    _check_characters(document, text)
    _check_header(document, text)
    _count(document, text, work or load_work())
    dots = _MANY_DOTS.search(text)
    if dots:
        span = document.span(*dots.span())
        raise document.load_error("a key with this many dots is not part of any model", span=span)
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise document.load_error("the values are nested too deeply") from None
    except ValueError as error:
        raise _toml_error(document, error) from None
    return to_item(data, document)


def _count(document: Document, text: str, work: Work) -> None:
    """Count what reading will be, by the characters that begin keys, items and tables."""
    entries = 10 * text.count("=") + 6 * text.count(",") + 12 * text.count("\n[")
    try:
        work.spend(len(text) // 4 + entries)
    except TooMuchWork:
        raise document.too_much(work) from None


def _check_characters(document: Document, text: str) -> None:
    at = text.find("\0")
    if at >= 0:
        line = text.count("\n", 0, at) + 1
        hint = "A model is a TOML text; this looks like a binary file."
        raise document.load_error(f"line {line} holds a NUL byte", hint)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        message = f"line {line} holds half a surrogate pair, which is no character"
        raise document.load_error(message) from None


def _check_header(document: Document, text: str) -> None:
    """A first line ``#! dynlib`` marks a model; another program there, another kind of file."""
    found = _HEADER.match(text)
    if found is None:
        return
    words = found[1].replace("/", " ").split()
    if words[-1:] != ["dynlib"]:
        name = f"the program {' '.join(found[1].split())!r}" if words else "no program"
        hint = "The first line of a model is '#! dynlib', or no such line at all."
        raise document.load_error(
            f"the first line names {name}", hint, document.span(*found.span())
        )


def _toml_error(document: Document, error: ValueError) -> ModelLoadError:
    message = str(error)
    found = _PLACE.search(message)
    said = message[: found.start()] if found else message
    span = None
    if found and found[1]:
        start = document.line_starts[int(found[1]) - 1] + int(found[2]) - 1
        span = document.span(start, start + 1)
    elif found:
        end = len((document.text or "").rstrip())
        span = document.span(end, end + 1)
    for sign, explain in _EXPLANATIONS:
        if sign in said:
            return explain(document, said, span)
    hint = _quotes_hint(span)
    return document.load_error(f"not valid TOML: {said[:1].lower()}{said[1:]}", hint, span)


def _key_twice(document: Document, said: str, span: Span | None) -> ModelLoadError:
    message = "not valid TOML: this key stands in its table twice"
    if span is not None:
        key = span.text.partition("=")[0].strip()
        column = len(span.text) - len(span.text.lstrip()) + 1
        span = Span(span.line, column, max(1, len(key)), span.text)
    return document.load_error(message, "Remove one of the two.", span)


def _table_twice(document: Document, said: str, span: Span | None) -> ModelLoadError:
    found = _TWICE.search(said)
    names = re.findall(r"'([^']*)'", found[1]) if found else []
    message = f"not valid TOML: the table [{'.'.join(names)}] is there twice"
    if span is not None:
        text = span.text.strip()
        span = Span(span.line, span.text.index(text) + 1, max(1, len(text)), span.text)
    return document.load_error(message, "Put all its keys under one heading.", span)


def _digits(document: Document, said: str, span: Span | None) -> ModelLoadError:
    return document.load_error("not valid TOML: a number with thousands of digits", span=span)


_EXPLANATIONS: list[tuple[str, Callable[[Document, str, Span | None], ModelLoadError]]] = [
    ("Cannot overwrite a value", _key_twice),
    ("Cannot declare", _table_twice),
    ("integer string conversion", _digits),
]


def _is_name(key: str) -> bool:
    """Tell whether a key, with dots or not, would be one in quotes."""
    return all(part.strip().isidentifier() for part in key.split("."))


def _quotes_hint(span: Span | None) -> str:
    """Guess the usual slip: an expression without quotes, or a Greek letter as a bare key."""
    if span is None:
        return ""
    key, equals, value = span.text.partition("=")
    bare, value = key.strip(), value.strip()
    if equals and bare and not bare.isascii() and _is_name(bare):
        return f'Keys with letters beyond a to z stand in quotes: "{bare}" = {value}'
    if not equals and _ODD_TABLE.search(span.text):
        return "In the name of a table, letters beyond a to z stand in quotes."
    if equals and value and value[0] not in "\"'[{" and key.strip():
        return f'Text and expressions stand in quotes: {key.strip()} = "{value}"'
    return ""
