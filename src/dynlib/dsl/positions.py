"""Where everything stands in a TOML text.

The standard library reads TOML but forgets the places.  This scanner walks a text that ``tomllib``
has already accepted and notes where each table, key and value lies, so it need not judge anything.
"""

import re
from dataclasses import dataclass, field

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\n]+|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]+")
_STRING_END = {
    '"""': re.compile(r'[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"{3,5}', re.DOTALL),
    "'''": re.compile(r"[^']*(?:'(?!'')[^']*)*'{3,5}", re.DOTALL),
    '"': re.compile(r'[^"\\]*(?:\\.[^"\\]*)*"'),
    "'": re.compile(r"[^']*'"),
}
_ESCAPE = re.compile(r"\\(?:u(....)|U(........)|([ \t]*\n\s*)|(.))", re.DOTALL)
_SHORT = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\", "e": "\x1b"}


@dataclass(frozen=True, slots=True)
class Mark:
    """Offsets of a key (or of its part of a table header) and of its value, end exclusive."""

    key: tuple[int, int]
    value: tuple[int, int] | None = None


@dataclass(slots=True)
class _Scanner:
    text: str
    at: int = 0
    marks: dict[Path, Mark] = field(default_factory=dict)
    rows: dict[Path, int] = field(default_factory=dict)

    def skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise AssertionError(f"the scanner lost its way at offset {self.at}")
        self.at = found.end()
        return found.group()

    def peek(self, token: str) -> bool:
        return self.text.startswith(token, self.at)

    def document(self) -> None:
        table: Path = ()
        self.skip(_BLANK)
        while self.at < len(self.text):
            if self.peek("["):
                table = self.header()
            else:
                self.pair(table)
            self.skip(_BLANK)

    def header(self) -> Path:
        width = 2 if self.peek("[[") else 1
        self.at += width
        parts = self.key()
        self.at += width
        path: Path = ()
        for index, (name, place) in enumerate(parts):
            path = (*path, name)
            last = index == len(parts) - 1
            if last and width == 2:
                self.rows[path] = self.rows.get(path, 0) + 1
            self.note(path, Mark(place), again=last)
            if path in self.rows:
                path = (*path, self.rows[path] - 1)
                self.note(path, Mark(place))
        return path

    def note(self, path: Path, mark: Mark, *, again: bool = False) -> None:
        known = self.marks.get(path)
        if known is None or (again and known.value is None):
            self.marks[path] = mark

    def key(self) -> list[tuple[str, tuple[int, int]]]:
        parts = []
        while True:
            self.skip(_SPACE)
            start = self.at
            if self.peek('"') or self.peek("'"):
                name = decode(self.string())[0]
            else:
                name = self.skip(_BARE_KEY)
            parts.append((name, (start, self.at)))
            self.skip(_SPACE)
            if not self.peek("."):
                return parts
            self.at += 1

    def pair(self, table: Path) -> None:
        parts = self.key()
        self.at += 1  # the equals sign
        self.skip(_SPACE)
        path = table
        for name, place in parts[:-1]:
            path = (*path, name)
            self.note(path, Mark(place))
        name, place = parts[-1]
        self.value((*path, name), place)

    def value(self, path: Path, key: tuple[int, int] | None = None) -> None:
        start = self.at
        if self.peek("["):
            self.array(path)
        elif self.peek("{"):
            self.inline_table(path)
        elif self.peek('"') or self.peek("'"):
            self.string()
        else:
            scalar = self.skip(_SCALAR)
            self.at -= len(scalar) - len(scalar.rstrip())
        place = (start, self.at)
        self.marks[path] = Mark(key or place, place)

    def string(self) -> str:
        start = self.at
        quote = self.text[start]
        if self.peek(quote * 3):
            quote *= 3
        self.at += len(quote)
        self.skip(_STRING_END[quote])
        return self.text[start : self.at]

    def array(self, path: Path) -> None:
        self.at += 1
        count = 0
        self.skip(_BLANK)
        while not self.peek("]"):
            self.value((*path, count))
            count += 1
            self.separator()
        self.at += 1

    def inline_table(self, path: Path) -> None:
        self.at += 1
        self.skip(_BLANK)
        while not self.peek("}"):
            self.pair(path)
            self.separator()
        self.at += 1

    def separator(self) -> None:
        self.skip(_BLANK)
        if self.peek(","):
            self.at += 1
            self.skip(_BLANK)


def scan(text: str) -> dict[Path, Mark]:
    r"""Return the place of every table, key and value of a valid TOML text.

    Parameters
    ----------
    text : str
        A text that ``tomllib.loads`` accepts, with line breaks as ``\n``.

    Returns
    -------
    dict
        ``("equations", "rhs", "x")`` to its :class:`Mark`; list items have integers in their path.

    Examples
    --------
    >>> scan("[a]\nb = 1")[("a", "b")]
    Mark(key=(4, 5), value=(8, 9))
    """
    scanner = _Scanner(text)
    scanner.document()
    return scanner.marks


def decode(token: str) -> tuple[str, list[int]]:
    r"""Return the value of a string token and the offset in the token of each of its characters.

    The list has one entry more than the value has characters: the offset where it ends.

    Examples
    --------
    >>> decode(r'"a\tb"')
    ('a\tb', [1, 2, 4, 5])
    """
    width = 3 if token[:3] in ('"""', "'''") and len(token) >= 6 else 1
    at, end = width, len(token) - width
    if width == 3 and token[at] == "\n":
        at += 1
    if token[0] == "'" or "\\" not in token:
        return token[at:end], list(range(at, end + 1))
    value: list[str] = []
    places: list[int] = []
    while at < end:
        escape = _ESCAPE.match(token, at) if token[at] == "\\" else None
        if escape is None:
            value.append(token[at])
            places.append(at)
            at += 1
            continue
        short, wide, fold, single = escape.groups()
        if fold is None:
            value.append(_SHORT.get(single, single) if single else chr(int(short or wide, 16)))
            places.append(at)
        at = escape.end()
    return "".join(value), [*places, end]
