"""Small helpers for writing straight-line code over the components of a state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

__all__ = [
    "At",
    "Components",
    "Scalar",
    "chain",
    "combine",
    "function",
    "group",
    "names",
    "squares",
    "unpack",
]

_NESTED = 64  # calls within calls in one line; Python's parser takes less than 200


class Scalar:
    """How numbers of the model's real type are written.

    Parameters
    ----------
    dtype
        Name of the state's dtype.  Literals of a float32 model are cast, so that no
        double-precision number slips into its arithmetic.
    long_from
        How many components are written as one expression for all of them.
    """

    def __init__(self, dtype: str, long_from: int | None = None) -> None:
        self.single = dtype == "float32"
        self.long_from = long_from

    def __call__(self, value: float) -> str:
        """A literal."""
        return f"real({value!r})" if self.single else repr(value)

    def cast(self, expression: str) -> str:
        """`expression`, a double, in the model's real type."""
        return f"real({expression})" if self.single else expression


def names(stem: str, n: int) -> list[str]:
    """``stem0 … stem{n-1}``."""
    return [f"{stem}{i}" for i in range(n)]


def group(items: Iterable[str]) -> str:
    """The items as a tuple display."""
    listed = list(items)
    return f"({listed[0]},)" if len(listed) == 1 else f"({', '.join(listed)})"


def unpack(items: Sequence[str], value: str) -> str:
    """A line that takes a tuple apart."""
    return f"{group(items)} = {value}"


class At:
    """One component, by number or by the name of what counts them."""

    def __init__(self, n: int, i: int | str) -> None:
        self._n, self._i = n, i

    def __call__(self, stem: str) -> str:
        """The component of what is taken apart into ``stem0, stem1, …``."""
        return f"{stem}{self._i}" if isinstance(self._i, int) else f"{_name(stem)}[{self._i}]"

    def of(self, whole: str, part: int = 0) -> str:
        """The component of a part of a tuple or array that has several as long as the state."""
        first = part * self._n
        if isinstance(self._i, int):
            return f"{whole}[{first + self._i}]"
        return f"{whole}[{self._i} + {first}]" if first else f"{whole}[{self._i}]"


class Components:
    """Writes what is done with each component of tuples as long as the state.

    Of few, each has a name and a text of its own; of many, there is one expression for all.

    Parameters
    ----------
    n
        How many there are.
    real
        How numbers are written.
    """

    def __init__(self, n: int, real: Scalar) -> None:
        self.n = n
        self.long = real.long_from is not None and n >= real.long_from

    def take(self, stem: str, value: str) -> list[str]:
        """Lines that give the components of a tuple names."""
        if not self.long:
            return [unpack(names(stem, self.n), value)]
        return [] if _name(stem) == value else [f"{_name(stem)} = {value}"]

    def each(self, write: Callable[[At], str]) -> str:
        """The tuple of an expression for each component."""
        if self.long:
            return f"tuple({write(At(self.n, 'i'))} for i in range({self.n}))"
        return group(write(At(self.n, i)) for i in range(self.n))

    def set(self, stem: str, write: Callable[[At], str]) -> list[str]:
        """Lines that compute each component."""
        if self.long:
            return [f"{_name(stem)} = {self.each(write)}"]
        return [f"{stem}{i} = {write(At(self.n, i))}" for i in range(self.n)]

    def whole(self, *stems: str, then: Sequence[Callable[[At], str]] = ()) -> str:
        """The tuple of what the names stand for, and then of expressions for each component."""
        if self.long:
            return " + ".join([*map(_name, stems), *map(self.each, then)])
        listed = [name for stem in stems for name in names(stem, self.n)]
        return group([*listed, *(write(At(self.n, i)) for write in then for i in range(self.n))])

    def part(self, whole: str, *parts: int) -> str:
        """Parts of a tuple, each as long as the state."""
        if self.long:
            return " + ".join(self.each(partial(At.of, whole=whole, part=s)) for s in parts)
        return group(f"{whole}[{s * self.n + i}]" for s in parts for i in range(self.n))

    def items(self, stem: str) -> list[str]:
        """Each component, for a sum."""
        if self.long:
            return [f"{_name(stem)}[{i}]" for i in range(self.n)]
        return names(stem, self.n)


def _name(stem: str) -> str:
    return stem.rstrip("_")


def combine(terms: Sequence[tuple[str, str]], start: str | None = None) -> str:
    """``start + sum of a*b`` as a chain of fused multiply-adds, first term innermost."""
    pending = list(terms)
    if start is None:
        a, b = pending.pop(0)
        start = f"{a} * {b}"
    for a, b in pending:
        start = f"fma({a}, {b}, {start})"
    return start


def chain(name: str, terms: Sequence[tuple[str, str]]) -> tuple[list[str], str]:
    """The sum that `combine` writes, with lines to come before it where it is long.

    The lines are the same operations in the same order, with what they have added up so far under
    `name`; so a sum over hundreds of components nests no deeper than one over a few.
    """
    parts = [terms[i : i + _NESTED] for i in range(0, len(terms), _NESTED)]
    lines: list[str] = []
    for part in parts[:-1]:
        lines.append(f"{name} = {combine(part, name if lines else None)}")
    return lines, combine(parts[-1], name if lines else None)


def squares(name: str, items: Sequence[str]) -> tuple[list[str], str]:
    """The sum of squares, rounded at each step, with lines to come before it as in `chain`."""
    parts = [items[i : i + _NESTED] for i in range(0, len(items), _NESTED)]
    lines: list[str] = []
    text = ""
    for part in parts:
        added = " + ".join(f"({item}) * ({item})" for item in part)
        text = f"{name} + {added}" if lines else added
        lines.append(f"{name} = {text}")
    return lines[:-1], text


def function(name: str, args: str, lines: Iterable[str]) -> str:
    """Text of one function."""
    body = "\n".join(f"    {line}" for line in lines)
    return f"def {name}({args}):\n{body}\n"
