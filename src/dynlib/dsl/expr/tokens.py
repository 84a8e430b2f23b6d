"""Cut the text of an expression into tokens, each with its place."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from dynlib.dsl.expr.errors import ExprError
from dynlib.dsl.expr.limits import MAX_DIGITS, MAX_TEXT
from dynlib.dsl.expr.ops import FOREIGN_WORDS


@dataclass(slots=True)
class Token:
    """``kind`` is ``number``, ``name``, ``op`` or ``end``."""

    kind: str
    text: str
    start: int
    end: int


_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n\f]+)
      | (?P<number>(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9][0-9_]*)?)
      | (?P<name>[^\W\d]\w*)
      | (?P<op>\*\*|//|<=|>=|==|!=|[-+*/%^<>(),])""",
    re.VERBOSE,
)

_NOT_ALLOWED = {
    ":=": ("':=' assigns a name, which expressions cannot do", "declare it in [aux]"),
    "&&": ("'&&' is no operator here", "write 'and'"),
    "||": ("'||' is no operator here", "write 'or'"),
    "<>": ("'<>' is no operator here", "write '!='"),
    "=<": ("'=<' is no operator here", "write '<='"),
    "=>": ("'=>' is no operator here", "write '>='"),
    "<<": ("bit operators such as '<<' are not part of the language", "write x * 2**k"),
    ">>": ("bit operators such as '>>' are not part of the language", "write x // 2**k"),
    "->": ("'->' has no meaning here", ""),
    "=": ("'=' assigns; a comparison is written '=='", "write '=='"),
    "!": ("'!' is no operator here", "write 'not'"),
    "&": ("bit operators such as '&' are not part of the language", "write 'and'"),
    "|": ("bit operators such as '|' are not part of the language", "write 'or', or abs(x)"),
    "~": ("bit operators such as '~' are not part of the language", "write 'not'"),
    "@": ("'@' is no operator here", "write the product out, or use sum(...)"),
    ".": ("a '.' is only allowed inside numbers and after 'math'", ""),
    "[": (
        "brackets '[' are not part of the language: no lists, no subscripts",
        "declare a state or parameter for each element, such as x_0",
    ),
    "]": ("brackets ']' are not part of the language: no lists, no subscripts", ""),
    "{": ("braces '{' are not part of the language", "use round brackets"),
    "}": ("braces '}' are not part of the language", "use round brackets"),
    "'": ("text in quotes is not part of an expression", ""),
    '"': ("text in quotes is not part of an expression", ""),
    "`": ("'`' has no meaning here", ""),
    "#": ("a comment cannot stand inside an expression", "put it on a line of the TOML document"),
    ";": ("';' cannot stand inside an expression", "write one expression"),
    ":": ("':' has no meaning in an expression", ""),
    "\\": ("'\\' has no meaning in an expression", "line breaks need no mark"),
    "$": ("'$' has no meaning in an expression", "write the name alone"),
    "?": ("'?' has no meaning in an expression", "write 'a if condition else b'"),
}

_LOOK_ALIKES = {
    "\N{MINUS SIGN}": "-",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{MULTIPLICATION SIGN}": "*",
    "\N{MIDDLE DOT}": "*",
    "\N{DOT OPERATOR}": "*",
    "\N{BULLET OPERATOR}": "*",
    "\N{DIVISION SIGN}": "/",
    "\N{DIVISION SLASH}": "/",
    "\N{LESS-THAN OR EQUAL TO}": "<=",
    "\N{GREATER-THAN OR EQUAL TO}": ">=",
    "\N{NOT EQUAL TO}": "!=",
    "\N{SUPERSCRIPT TWO}": "**2",
    "\N{SUPERSCRIPT THREE}": "**3",
    "\N{SQUARE ROOT}": "sqrt(...)",
    "\N{INFINITY}": "1e999",
    "\N{LEFT DOUBLE QUOTATION MARK}": "",
    "\N{RIGHT DOUBLE QUOTATION MARK}": "",
    "\N{NO-BREAK SPACE}": "an ordinary space",
    "\N{FULLWIDTH LEFT PARENTHESIS}": "(",
    "\N{FULLWIDTH RIGHT PARENTHESIS}": ")",
    "\N{FULLWIDTH COMMA}": ",",
}


def tokenize(text: str) -> list[Token]:
    """Return the tokens of ``text``; the last one is of kind ``end``.

    Raises
    ------
    ExprError
        At the first character that no token begins with.
    """
    if len(text) > MAX_TEXT:
        raise ExprError(
            f"the expression has {len(text)} characters; at most {MAX_TEXT} are allowed",
            MAX_TEXT,
            len(text),
            "split it with [aux] or [functions]",
        )
    tokens: list[Token] = []
    place, last = 0, len(text.rstrip(" \t\r\n\f"))
    while place < last:
        found = _TOKEN.match(text, place)
        if found is None:
            raise _foreign(tokens) or _refusal(text, place)
        kind = found.lastgroup or ""
        place = found.end()
        if kind != "space":
            tokens.append(_checked(kind, found.group(), found.start(), place, text))
            place = tokens[-1].end
    tokens.append(Token("end", "", last, last))
    return tokens


def _checked(kind: str, word: str, start: int, end: int, text: str) -> Token:
    """Return the token, unless what stands next to it shows that something else was meant."""
    following = text[end : end + 1]
    if kind == "number":
        return _number(word, start, end, text)
    if kind == "op" and (pair := word + following) in _NOT_ALLOWED:
        raise ExprError(_NOT_ALLOWED[pair][0], start, end + 1, _NOT_ALLOWED[pair][1])
    if kind == "name" and following in ("'", '"') and following:
        raise ExprError("text in quotes is not part of an expression", start, end + 1)
    if kind == "name" and following == ".":
        return _dotted(word, start, end, text)
    if kind == "name" and not word.isascii():
        word = _unicode_name(word, start, text)
    return Token(kind, word, start, end)


def _unicode_name(word: str, start: int, text: str) -> str:
    """Return the name as Python would spell it, so that it equals the declared one."""
    for length in range(1, len(word) + 1):
        if not word[:length].isidentifier():  # such as the raised 2 of x²
            raise _refusal(text, start + length - 1)
    return unicodedata.normalize("NFKC", word)


def _number(word: str, start: int, end: int, text: str) -> Token:
    following = re.compile(r"\w*").match(text, end)
    tail = following.group() if following else ""
    whole = word + tail
    if len(word) > MAX_DIGITS:
        raise ExprError(
            f"a number of {len(word)} characters; at most {MAX_DIGITS} are allowed", start, end
        )
    if tail in ("j", "J"):
        raise ExprError("complex numbers are not part of the language", start, end + 1)
    if word == "0" and tail[:1] in ("x", "X", "b", "B", "o", "O"):
        raise ExprError(f"{whole!r} is not a decimal number", start, end + len(tail))
    if tail:
        raise ExprError(
            f"an operator is missing between {word!r} and {tail!r}",
            start,
            end + len(tail),
            f"write {word}*{tail}",
        )
    if re.search(r"_(?![0-9])|(?<![0-9])_", word):
        raise ExprError(f"{word!r} is not a number", start, end, "'_' may stand between digits")
    digits = word.replace("_", "")
    if digits.isdigit() and digits[0] == "0" and digits.strip("0"):
        raise ExprError(
            f"a whole number does not begin with 0: {word!r}", start, end, digits.lstrip("0")
        )
    return Token("number", digits, start, end)


_DOTTED = re.compile(r"math\.([^\W\d]\w*)")


def _dotted(word: str, start: int, end: int, text: str) -> Token:
    """Return the token of ``math.sin``, which means ``sin``."""
    found = _DOTTED.match(text, start)
    if found is not None:
        return Token("name", found.group(1), start, found.end())
    attribute = re.compile(r"\.\s*(\w*)").match(text, end)
    name = attribute.group(1) if attribute else ""
    stop = attribute.end() if attribute else end + 1
    hint = f"write {name}" if word in ("np", "numpy", "cmath", "scipy", "jnp") and name else ""
    raise ExprError(
        f"{word}.{name}: attributes are not part of the language",
        start,
        stop,
        hint or "only the functions of 'math' may have a prefix",
    )


def _foreign(tokens: list[Token]) -> ExprError | None:
    """Return the error about a word of Python, which explains strange characters after it."""
    for token in tokens:
        if token.text in FOREIGN_WORDS:
            return ExprError(f"{token.text!r} is not part of the language", token.start, token.end)
    return None


def _refusal(text: str, place: int) -> ExprError:
    """Return the error for a character that begins no token."""
    for length in (2, 1):
        piece = text[place : place + length]
        if piece in _NOT_ALLOWED:
            message, hint = _NOT_ALLOWED[piece]
            return ExprError(message, place, place + len(piece), hint)
    piece = text[place]
    if piece in _LOOK_ALIKES:
        meant = _LOOK_ALIKES[piece]
        return ExprError(
            f"the character {piece!r} is not part of the language",
            place,
            place + 1,
            f"write {meant}" if meant else "",
        )
    shown = repr(piece) if piece.isprintable() else f"U+{ord(piece):04X}"
    return ExprError(f"the character {shown} is not part of the language", place, place + 1)
